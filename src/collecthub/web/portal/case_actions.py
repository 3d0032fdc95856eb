"""The forms of a case page: each becomes one call of the desk, on the version that the person saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from fastapi import APIRouter, Response
from starlette.datastructures import UploadFile

from collecthub.engine import desk
from collecthub.engine.context import Hub, Work
from collecthub.engine.documents import keep_document
from collecthub.engine.page_guard import safe_name
from collecthub.errors import PermanentError
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.scope import NotThereError, Scope
from collecthub.web.portal.case_page import case_page, refusal
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, redirect
from collecthub.web.portal.words import DOCUMENT_KINDS
from collecthub.web.problems import ProblemError

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_LINE, _REF = 300, 140


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A form on a case, with the transaction that it acts in."""

    visitor: Visitor
    work: Work
    case_id: str
    currency: str
    entered: Entered
    seen: int | None

    @property
    def place(self) -> tuple[Hub, Work, Scope, str]:
        """What every function of the desk takes first."""
        return self.visitor.hub, self.work, self.visitor.scope, self.case_id


def _payment(sent: Sent) -> None:
    amount = sent.entered.amount("amount", sent.currency)
    paid_on = sent.entered.date("paid_on", required=True)
    note = sent.entered.text("note")
    sent.entered.check()
    assert paid_on is not None, "checked"
    desk.record_payment(*sent.place, amount=amount, paid_on=paid_on, note=note, expected_version=sent.seen)


def _answer(sent: Sent) -> None:
    text = sent.entered.text("text", required=True)
    sent.entered.check()
    desk.answer_question(*sent.place, text=text, expected_version=sent.seen)


def _note(sent: Sent) -> None:
    text = sent.entered.text("text", required=True)
    sent.entered.check()
    desk.add_note(*sent.place, text=text)


def _hold(sent: Sent) -> None:
    reason = sent.entered.choice("reason", desk.PERSONS_HOLDS)
    note, until_on = sent.entered.text("note"), sent.entered.date("until_on")
    sent.entered.check()
    desk.set_hold(*sent.place, reason=reason, note=note, until_on=until_on, expected_version=sent.seen)


def _release(sent: Sent) -> None:
    reason, note = sent.entered.text("reason", required=True, longest=_REF), sent.entered.text("note")
    sent.entered.check()
    desk.release_hold(*sent.place, reason=reason, note=note, expected_version=sent.seen)


def _cost(sent: Sent) -> None:
    verdict = sent.entered.choice("verdict", ("approve", "refuse"))
    text = sent.entered.text("text", required=True)
    sent.entered.check()
    desk.decide_cost(*sent.place, is_approved=verdict == "approve", text=text, expected_version=sent.seen)


def _withdraw(sent: Sent) -> None:
    reason = sent.entered.text("text", required=True)
    sent.entered.check()
    desk.withdraw(*sent.place, reason=reason, expected_version=sent.seen)


def _take_over(sent: Sent) -> None:
    name = sent.entered.text("holder_name", required=True, longest=_LINE)
    reference = sent.entered.text("holder_ref", longest=_REF)
    balance = sent.entered.amount("balance", sent.currency)
    sent.entered.check()
    desk.take_over(
        *sent.place, holder_name=name, holder_ref=reference, balance=balance, expected_version=sent.seen
    )


def _owner(sent: Sent) -> None:
    if not sent.visitor.is_operator:
        raise ProblemError("forbidden", cure="Ask the operator for it.")
    owner = sent.entered.text("owner", required=True, longest=_LINE)
    contact = sent.entered.text("contact_person", longest=_LINE)
    sent.entered.check()
    desk.assign_owner(*sent.place, owner=owner, contact_person=contact, expected_version=sent.seen)


ACTIONS: Mapping[str, Callable[[Sent], None]] = {
    "payment": _payment, "answer": _answer, "note": _note, "hold": _hold, "release": _release, "cost": _cost,
    "withdraw": _withdraw, "take-over": _take_over, "owner": _owner,
}  # fmt: skip


@router.post("/cases/{case_id}/do/{action}")
def act(visitor: CreditorSide, form: Form, case_id: str, action: str) -> Response:
    """Do it, or show the case again with what was wrong beside the form."""
    do = ACTIONS.get(action)
    if do is None:
        raise ProblemError("not-found")
    entered = Entered(form)
    with visitor.hub.database.read() as conn:
        currency = read_owned_case(conn, visitor.scope, case_id).currency
    try:
        with visitor.hub.work() as work:
            do(
                Sent(
                    visitor=visitor,
                    work=work,
                    case_id=case_id,
                    currency=currency,
                    entered=entered,
                    seen=_seen(entered),
                )
            )
    except NotThereError:
        raise
    except PermanentError as error:
        return _again(visitor, case_id, action, error, entered)
    return redirect(f"/cases/{case_id}", done=action)


def _seen(entered: Entered) -> int | None:
    given = entered.given.get("version", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _again(visitor: Visitor, case_id: str, action: str, error: PermanentError, entered: Entered) -> Response:
    status = 412 if isinstance(error, desk.VersionError) else 422
    return case_page(visitor, case_id, refused=refusal(action, error, entered.given), status=status)


@router.post("/cases/{case_id}/documents")
def add_document(visitor: CreditorSide, form: Form, case_id: str) -> Response:
    """Keep an uploaded file; the same bytes are kept once."""
    with visitor.hub.database.read() as conn:
        read_owned_case(conn, visitor.scope, case_id)  # nothing is stored for a case that is not there
    entered = Entered(form)
    kind = entered.choice("kind", DOCUMENT_KINDS)
    file = form.get("file")
    try:
        name, media_type, content = _uploaded(file, entered)
        kept = keep_document(visitor.hub, content, name=name, kind=kind, media_type=media_type)
        with visitor.hub.work() as work:
            desk.add_document(visitor.hub, work, visitor.scope, case_id, kept)
    except EnteredError as error:
        return _again(visitor, case_id, "document", error, entered)
    return redirect(f"/cases/{case_id}", done="document")


def _uploaded(file: UploadFile | str | None, entered: Entered) -> tuple[str, str, bytes]:
    content = file.file.read() if isinstance(file, UploadFile) else b""
    if not content:
        entered.wrong["file"] = "Choose a file that is not empty."
    entered.check()
    assert isinstance(file, UploadFile), "checked"
    return safe_name(file.filename or ""), (file.content_type or "application/octet-stream").partition(";")[0][:100], content
