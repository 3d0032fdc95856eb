"""The account of a case on one page: what is owed on a day, by which rule, and statements to save."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from collecthub.engine.balance import balance_at
from collecthub.engine.case_law import law_on_claims, laws_of
from collecthub.engine.claim_nature import known_natures, set_nature
from collecthub.engine.desk import case_for
from collecthub.engine.receipts import Means, Place, Taken, give_receipt, receipts_of, reverse_receipt
from collecthub.engine.statement import AUDIENCES, StatementQuestion, statement
from collecthub.engine.writing_off import write_off
from collecthub.errors import PermanentError
from collecthub.paper.statement import FORMATS, languages
from collecthub.store.case_log import read_events
from collecthub.store.queries.case_file import documents, read_owned_case
from collecthub.store.queries.scope import NotThereError, not_there
from collecthub.web.answers import download
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import (
    Anyone,
    CreditorSide,
    Form,
    Operator,
    PageRoute,
    Visitor,
    page,
    redirect,
)

DONE = {
    "nature": "The kind of claim is noted.", "write-off": "It is written off.",
    "receipt": "The money is booked. Print the receipt below for who paid.",
    "reversal": "The receipt is reversed; the case asks for the money again.",
}  # fmt: skip
router = APIRouter(route_class=PageRoute, include_in_schema=False)
At = Annotated[dt.date | None, Query(ge=dt.date(1990, 1, 1), le=dt.date(2199, 12, 31))]


@router.get("/cases/{case_id}/account")
def show(visitor: Anyone, case_id: str, at: At = None, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """What is owed at the end of a day, line by line."""
    return _account(visitor, case_id, at, done=DONE.get(done, ""))


def _account(
    visitor: Visitor, case_id: str, at: dt.date | None, *, done: str = "", problem: PermanentError | None = None,
    entered: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    hub, day = visitor.hub, at or visitor.hub.now().date()
    with hub.database.read() as conn:
        case = read_owned_case(conn, visitor.scope, case_id)
        found = balance_at(hub, conn, visitor.scope, case_id, day)
        laws = [] if visitor.is_partner else laws_of(hub, conn, case)
        given = receipts_of(conn, visitor.scope, case_id) if visitor.is_operator else ()
        papers = {one.name.removesuffix(".pdf"): one.document_id for one in documents(conn, visitor.scope, case_id) if given}
        of_claims = law_on_claims(hub, conn, case, day, read_events(conn, case_id)) if laws else None
    return page(
        visitor, "account.html", status=422 if problem else 200, found=found, case=case, at=day, limits=of_claims.claims if of_claims else (),
        by_law=found.reckoning.account, natures=known_natures(laws), audiences=AUDIENCES, languages=languages(),
        formats=tuple(FORMATS), done=done, problem=problem, receipts=given, papers=papers, entered=entered or {},
        wrong=getattr(problem, "fields", {}) if entered else {},
        numbers={claim.claim_id: claim.number for claim in case.claims},
    )


@router.get("/cases/{case_id}/statement")
def read_statement(
    visitor: Anyone, case_id: str, at: At = None, audience: Literal["debtor", "creditor", "partner"] = "debtor",
    language: Literal["", "nl", "fr", "de", "en"] = "", format: Literal["pdf", "html", "xlsx", "csv"] = "pdf",
) -> Response:
    """The statement, to save."""
    until = at or visitor.hub.now().date()
    question = StatementQuestion(case_id=case_id, audience=audience, until=until, language=language)
    with visitor.hub.database.read() as conn:
        made = statement(visitor.hub, conn, visitor.scope, question)
    return download(FORMATS[format](made), f"{made.case_number}-{made.until}.{format}")


@router.post("/cases/{case_id}/nature")
def say_nature(visitor: CreditorSide, case_id: str, form: Form) -> Response:
    """What kind of claims these are."""
    entered = Entered(form)
    nature = entered.text("nature", required=True)
    try:
        entered.check()
        with visitor.hub.work() as work:
            set_nature(visitor.hub, work, visitor.scope, case_id, nature=nature)
    except PermanentError as error:
        return _account(visitor, case_id, None, problem=error)
    return redirect(f"/cases/{case_id}/account", done="nature")


@router.post("/cases/{case_id}/write-off")
def give_up(visitor: CreditorSide, case_id: str, form: Form) -> Response:
    """Write off what is owed, or a part of it."""
    entered = Entered(form)
    reason = entered.text("reason", required=True)
    try:
        with visitor.hub.database.read() as conn:
            currency = read_owned_case(conn, visitor.scope, case_id).currency
        amount = entered.amount("amount", currency, required=False) if entered.given.get("amount", "").strip() else None
        entered.check()
        with visitor.hub.work() as work:
            write_off(visitor.hub, work, visitor.scope, case_id, amount=amount, reason=reason)
    except NotThereError:
        raise
    except PermanentError as error:
        return _account(visitor, case_id, None, problem=error)
    return redirect(f"/cases/{case_id}/account", done="write-off")


# --- cash and card --------------------------------------------------------------------------------


@router.post("/cases/{case_id}/receipts")
def take_money(visitor: Operator, case_id: str, form: Form) -> Response:
    """Book cash or card, taken at the counter or on a visit, and give the numbered receipt.

    The form carries the version of the case that it showed: the same form sent twice books once.
    """
    entered = Entered(form)
    try:
        with visitor.hub.database.read() as conn:
            currency = read_owned_case(conn, visitor.scope, case_id).currency
        amount = entered.amount("amount", currency)
        means: Means = "card" if entered.choice("means", ("cash", "card")) == "card" else "cash"
        place: Place = "visit" if entered.choice("place", ("counter", "visit")) == "visit" else "counter"
        received_on = entered.date("received_on", required=True)
        by = entered.text("received_by", required=True, longest=100)
        terminal_ref = entered.text("terminal_ref", required=means == "card", longest=100)
        entered.check()
        assert received_on is not None, "a required field was checked"
        taken = Taken(
            amount=amount, means=means, place=place, received_on=received_on, received_by=by, terminal_ref=terminal_ref
        )
        with visitor.hub.work() as work:
            if str(case_for(work, visitor.scope, case_id).version) != entered.given.get("version"):
                raise PermanentError(
                    "the case changed since this page was opened", cure="Look at the receipts below; then send it again."
                )
            give_receipt(visitor.hub, work, visitor.scope, case_id, taken)
    except NotThereError:
        raise
    except PermanentError as error:
        return _account(visitor, case_id, None, problem=error, entered=entered.given)
    return redirect(f"/cases/{case_id}/account", done="receipt")


@router.post("/cases/{case_id}/receipts/{receipt_id}/reverse")
def take_back(visitor: Operator, case_id: str, receipt_id: str, form: Form) -> Response:
    """The money was given back."""
    entered = Entered(form)
    try:
        reason = entered.text("reason", required=True, longest=300)
        entered.check()
        with visitor.hub.database.read() as conn:
            if receipt_id not in {one.receipt_id for one in receipts_of(conn, visitor.scope, case_id)}:
                raise not_there("receipt", receipt_id)
        with visitor.hub.work() as work:
            reverse_receipt(visitor.hub, work, visitor.scope, receipt_id, reason=reason)
    except NotThereError:
        raise
    except PermanentError as error:
        return _account(visitor, case_id, None, problem=error)
    return redirect(f"/cases/{case_id}/account", done="reversal")
