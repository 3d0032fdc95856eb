"""Money out in the portal: remittances, client money, costs. A creditor sees his own, the operator acts."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from collecthub.engine.client_account import explain_movement, see_debits
from collecthub.engine.cost_sheet import LANGUAGES, cost_statement_pdf
from collecthub.engine.payment_orders import export_remittances, order_file, take_answer
from collecthub.engine.remitting import RemittanceRun, create_remittances
from collecthub.errors import CollecthubError, PermanentError, QuarantineError
from collecthub.store import payments as p
from collecthub.store.queries import payments
from collecthub.store.queries import remittances as views
from collecthub.store.queries.client_money import client_money
from collecthub.store.queries.cost_statement import cost_statement, cost_statement_csv
from collecthub.store.queries.names import creditor_names
from collecthub.store.queries.paging import PageRequest
from collecthub.web.answers import download
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import CreditorSide, Form, Operator, PageRoute, Visitor, page, redirect

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Word = Annotated[str, Query(max_length=64)]
Cursor = Annotated[str, Query(max_length=2000)]
_DONE = {
    "answered": "The bank's answer is taken over.",
    "explained": "The movement is explained.",
    "nothing": "No remittance waits for an order.",
}


@router.get("/remittances")
def show_remittances(visitor: CreditorSide, state: Word = "", cursor: Cursor = "", done: Word = "") -> Response:
    """What was passed on, newest first; for the operator also the way to pass on what is held."""
    return _list_page(visitor, state, cursor, done=_DONE.get(done, ""))


def _list_page(
    visitor: Visitor, state: str = "", cursor: str = "", *, done: str = "", problem: CollecthubError | None = None,
    run: RemittanceRun | None = None,
) -> Response:  # fmt: skip
    with visitor.hub.database.read() as conn:
        found = views.list_remittances(conn, visitor.scope, visitor.hub.key, PageRequest(cursor=cursor), state)
        held = client_money(conn, visitor.hub.business_date()) if visitor.is_operator else ()
    return page(
        visitor, "remittances.html", status=422 if problem else 200, found=found, state=state, cursor=cursor, done=done,
        problem=problem, run=run, held=held,
    )  # fmt: skip


@router.post("/remittances")
def create(visitor: Operator, form: Form) -> Response:
    """Make remittances of everything that is held."""
    return _list_page(visitor, run=create_remittances(visitor.hub, visitor.scope))


@router.post("/payment-orders")
def export(visitor: Operator, form: Form) -> Response:
    """Write the order to the bank and hand it out."""
    try:
        made = export_remittances(visitor.hub, visitor.scope, account=str(form.get("account", "")).strip())
    except PermanentError as error:
        return _list_page(visitor, problem=error)
    return redirect("/remittances", done="nothing") if made is None else redirect("/payment-orders/file", order=made.order_id)


@router.get("/payment-orders/file")
def read_order(visitor: Operator, order: Word) -> Response:
    """The pain.001 file."""
    found, content = order_file(visitor.hub, visitor.scope, order)
    return download(content, found.name)


@router.post("/payment-orders/answers")
async def answer(visitor: Operator, form: Form) -> Response:
    """The bank's answer as a file."""
    given = form.get("file")
    if not isinstance(given, UploadFile) or not given.filename:
        return _list_page(visitor, problem=PermanentError("No file was chosen", cure="Choose a pain.002 file."))
    try:
        await run_in_threadpool(take_answer, visitor.hub, visitor.scope, await given.read())
    except (PermanentError, QuarantineError) as error:
        return _list_page(visitor, problem=error)
    return redirect("/remittances", done="answered")


@router.get("/remittances/{remittance_id}")
def show_remittance(visitor: CreditorSide, remittance_id: str) -> Response:
    """One remittance with everything in it."""
    with visitor.hub.database.read() as conn:
        found = views.remittance_detail(conn, visitor.scope, remittance_id)
    return page(visitor, "remittance.html", remittance=found)


# --- client money ---------------------------------------------------------------------------------


@router.get("/client-money")
def show_client_money(visitor: Operator, done: Word = "") -> Response:
    """What is there and whose it is, today."""
    return _money_page(visitor, done=_DONE.get(done, ""))


def _money_page(visitor: Visitor, *, done: str = "", problem: PermanentError | None = None) -> Response:
    see_debits(visitor.hub)
    with visitor.hub.database.read() as conn:
        found = client_money(conn, visitor.hub.business_date())
        out = payments.list_payments(conn, visitor.scope, visitor.hub.key, PageRequest(limit=50), p.OUTGOING)
    unexplained = [one for one in out.items if one.creditor_id is None and one.decided_at is None]
    return page(
        visitor, "client_money.html", status=422 if problem else 200, found=found, unexplained=unexplained, done=done,
        problem=problem,
    )  # fmt: skip


@router.post("/client-money/reasons")
def explain(visitor: Operator, form: Form) -> Response:
    """Why money moved."""
    entered = Entered(form)
    try:
        payment_id = entered.text("payment_id", required=True, longest=64)
        reason = entered.choice("reason", ("operator", "cash", "card"))
        note = entered.text("note", longest=300)
        entered.check()
        with visitor.hub.work() as work:
            explain_movement(work, visitor.scope, payment_id, reason, note=note)
    except PermanentError as error:
        return _money_page(visitor, problem=error)
    return redirect("/client-money", done="explained")


# --- costs ----------------------------------------------------------------------------------------


@router.get("/costs")
def show_costs(
    visitor: CreditorSide, since: Word = "", until: Word = "", case: Word = "", as_csv: Word = "", as_pdf: Word = ""
) -> Response:
    """Fees, VAT and costs of a period or a case, as a page, a table to save or a paper; `as_pdf` names its language."""
    today = visitor.hub.business_date()
    first, last = _day(since) or today.replace(month=1, day=1), _day(until) or today
    with visitor.hub.database.read() as conn:
        found = cost_statement(conn, visitor.scope, case_id=case, from_on=None if case else first, until=last)
        creditors = creditor_names(conn, visitor.scope)
    if as_csv:
        return download(cost_statement_csv(found), "costs.csv")
    if as_pdf in LANGUAGES:
        reader = "" if visitor.is_operator else creditors.get(visitor.scope.creditor_id or "", "")
        made = cost_statement_pdf(found, visitor.hub.settings.operator_name, reader, as_pdf, visitor.hub.now())
        return download(made, "costs.pdf")
    return page(visitor, "costs.html", languages=LANGUAGES, found=found, since=first, until=last, case=case, creditors=creditors)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
