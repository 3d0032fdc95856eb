"""The worklist of payments: what the hub is not sure of, with its proposals; and bank files by upload."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from collecthub.engine import payment_desk, payment_sums
from collecthub.engine.context import Work
from collecthub.engine.matching import match_payments, originals
from collecthub.engine.payments_in import ImportedFile, Owner, import_bank_file
from collecthub.errors import PermanentError
from collecthub.store import payments as p
from collecthub.store import tables as t
from collecthub.store.queries import payments
from collecthub.store.queries.names import creditor_names
from collecthub.store.queries.paging import Listed, PageRequest
from collecthub.store.queries.scope import NotThereError, cases_of
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Word = Annotated[str, Query(max_length=64)]
Cursor = Annotated[str, Query(max_length=2000)]
_CLIENT = "client-account"
_DONE = {
    "assigned": "The payment is booked.",
    "together": "The payments are booked, every part of the proposal.",
    "known": "Noted: the case knew this money already. Nothing was booked again.",
    "undone": "The payment is undone; the case asks for the money again.",
    "aside": "The payment is set aside.",
    "matched": "Everything that waits was looked at again.",
}


@router.get("/payments")
def show_payments(visitor: CreditorSide, state: Word = "waiting", cursor: Cursor = "", done: Word = "") -> Response:
    """What waits for a person, in the order it came; other states by their tab."""
    return _list_page(visitor, state, cursor, done=_DONE.get(done, ""))


def _list_page(
    visitor: Visitor, state: str, cursor: str, *, done: str = "", problem: PermanentError | None = None,
    imported: ImportedFile | None = None,
) -> Response:  # fmt: skip
    with visitor.hub.database.read() as conn:
        request = PageRequest(cursor=cursor)
        found: Listed[payments.PaymentView] = payments.list_payments(conn, visitor.scope, visitor.hub.key, request, state)
        files = payments.list_bank_files(conn, visitor.scope, visitor.hub.key, PageRequest(limit=5))
        creditors = creditor_names(conn, visitor.scope)
    return page(
        visitor, "payments.html", status=422 if problem else 200, found=found, files=files, state=state, cursor=cursor,
        creditors=creditors, done=done, problem=problem, imported=imported,
    )  # fmt: skip


@router.post("/payments/imports")
async def upload(visitor: CreditorSide, form: Form) -> Response:
    """A bank file; refused ones say where and why on the same page."""
    given = form.get("file")
    if not isinstance(given, UploadFile) or not given.filename:
        error = PermanentError("No file was chosen", cure="Choose a bank file.")
        return _list_page(visitor, "waiting", "", problem=error)
    content, owner = await given.read(), str(form.get("owner", ""))
    return await run_in_threadpool(_take, visitor, content, given.filename, owner)


def _take(visitor: Visitor, content: bytes, name: str, owner: str) -> Response:
    chosen = None
    if visitor.is_operator and owner:
        chosen = Owner(creditor_id=None if owner == _CLIENT else owner)
    try:
        found = import_bank_file(visitor.hub, visitor.scope, io.BytesIO(content), name, chosen)
        match_payments(visitor.hub, visitor.scope)
    except NotThereError:
        raise
    except PermanentError as error:
        return _list_page(visitor, "waiting", "", problem=error)
    return _list_page(visitor, "waiting", "", imported=found)


@router.post("/payments/match")
def match_again(visitor: CreditorSide, form: Form) -> Response:
    """Look at everything that waits once more: a case may be there now."""
    match_payments(visitor.hub, visitor.scope, again=True)
    return redirect("/payments", done="matched")


@router.get("/payments/{payment_id}")
def show_payment(visitor: CreditorSide, payment_id: str) -> Response:
    """One payment with the cases it may belong to."""
    return _payment_page(visitor, payment_id)


def _payment_page(
    visitor: Visitor, payment_id: str, *, problem: PermanentError | None = None, given: dict[str, str] | None = None
) -> Response:
    with visitor.hub.database.read() as conn:
        view = payments.payment_detail(conn, visitor.scope, payment_id)
        undone: tuple[payments.PaymentView, ...] = ()
        if view.state == p.RETURN:
            row = conn.execute(sa.select(t.payments).where(t.payments.c.payment_id == payment_id)).one()
            undone = tuple(payments.payment_detail(conn, visitor.scope, one.payment_id) for one in originals(conn, p.stored(row)))
        offered = payment_sums.proposals(conn, visitor.scope, payment_id)
    return page(
        visitor, "payment.html", status=422 if problem else 200, payment=view, problem=problem, given=given or {},
        wrong=getattr(problem, "fields", {}), originals=undone, offered=offered,
    )  # fmt: skip


def _decide(visitor: Visitor, form: Form, payment_id: str, done: str, act: Callable[[Entered, Work], None]) -> Response:
    """Do what a person decided, in one transaction; a refusal is said on the payment's page beside what was typed."""
    entered = Entered(form)
    try:
        with visitor.hub.work() as work:
            act(entered, work)
    except NotThereError:
        raise
    except PermanentError as error:
        return _payment_page(visitor, payment_id, problem=error, given=entered.given)
    return redirect("/payments", done=done)


@router.post("/payments/{payment_id}/assign")
def assign(visitor: CreditorSide, form: Form, payment_id: str) -> Response:
    """Give it, or a part of it, to the case that was chosen or typed."""

    def act(entered: Entered, work: Work) -> None:
        view = payments.payment_detail(work.conn, visitor.scope, payment_id)
        number = entered.text("case", required=True, longest=64)
        case_id = _case_named(work.conn, visitor, number)
        amount = entered.amount("amount", view.currency, required=False)
        if number and case_id is None:
            entered.wrong["case"] = "There is no such case."
        entered.check()
        payment_desk.assign_payment(
            visitor.hub, work, visitor.scope, payment_id, case_id or "", amount=amount or None,
            same_as=entered.given.get("same_as", ""),
        )  # fmt: skip

    return _decide(visitor, form, payment_id, "known" if form.get("same_as") else "assigned", act)


def _case_named(conn: sa.Connection, visitor: Visitor, number: str) -> str | None:
    named = (t.cases.c.number == number.upper()) | (t.cases.c.case_id == number)
    return conn.scalar(sa.select(t.cases.c.case_id).where(named, cases_of(visitor.scope)))


@router.post("/payments/{payment_id}/proposals")
def book_together(visitor: CreditorSide, form: Form, payment_id: str) -> Response:
    """Book payments that make one sum together, or one over the cases that it names."""

    def act(entered: Entered, work: Work) -> None:
        key = entered.text("key", required=True, longest=64)
        entered.check()
        payment_sums.book_proposal(visitor.hub, work, visitor.scope, payment_id, key)

    return _decide(visitor, form, payment_id, "together", act)


@router.post("/payments/{payment_id}/undo")
def undo(visitor: CreditorSide, form: Form, payment_id: str) -> Response:
    """Say which payment the return undoes."""

    def act(entered: Entered, work: Work) -> None:
        original = entered.text("original_id", required=True, longest=64)
        entered.check()
        payment_desk.undo_by_return(visitor.hub, work, visitor.scope, payment_id, original)

    return _decide(visitor, form, payment_id, "undone", act)


@router.post("/payments/{payment_id}/set-aside")
def set_aside(visitor: CreditorSide, form: Form, payment_id: str) -> Response:
    """It belongs to no case."""

    def act(entered: Entered, work: Work) -> None:
        note = entered.text("note", required=True)
        entered.check()
        payment_desk.set_aside(work, visitor.scope, payment_id, note=note)

    return _decide(visitor, form, payment_id, "aside", act)
