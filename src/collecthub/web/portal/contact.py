"""Contact with one debtor on a page: what was said, what waits for a person, and what he would read today."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from collecthub.engine.contact_outcome import note_outcome
from collecthub.engine.contact_words import letters_folder, preview_letter, preview_message
from collecthub.engine.contacting import IN_DOUBT, WITH_PERSON, settle_contact
from collecthub.errors import PermanentError
from collecthub.law.contact_course import next_on, waits
from collecthub.model.contact import BY_PEOPLE, Channel, Tone
from collecthub.model.contact_outcome import FOLLOWS, ContactOutcome
from collecthub.paper.letter_text import languages
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.contacts import ContactRow, read_contacts
from collecthub.store.queries.notices import read_notices
from collecthub.store.queries.scope import not_there
from collecthub.web.answers import download
from collecthub.web.portal.case_page import Refusal, refusal
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect

router = APIRouter(route_class=PageRoute, include_in_schema=False)
WRITTEN = tuple(one.value for one in Channel if one not in BY_PEOPLE)
TONES = tuple(one.value for one in Tone)
Word = Annotated[str, Query(max_length=20)]


@router.get("/cases/{case_id}/contact")
def show(visitor: CreditorSide, case_id: str, done: Word = "") -> Response:
    """Every step of the case, the forms for what a person took, and the preview."""
    return _page(visitor, case_id, done=done == "noted")


@router.get("/cases/{case_id}/contact/preview")
def preview(
    visitor: CreditorSide, case_id: str, tone: Word = "friendly", channel: Word = "email", language: Word = "",
    paper: Word = "",
) -> Response:
    """What this debtor would read today in a tone, by a channel and in a language; on paper as a PDF."""
    if tone not in TONES or channel not in WRITTEN:
        raise PermanentError("there are no words for this", cure=f"Choose {', '.join(TONES)}, by {', '.join(WRITTEN)}.")
    hub, scope = visitor.hub, visitor.scope
    if paper:
        return download(preview_letter(hub, scope, case_id, Tone(tone), language=language), f"{tone}.pdf")
    said = preview_message(hub, scope, case_id, Tone(tone), channel=Channel(channel), language=language)
    return _page(visitor, case_id, said=said, asked={"tone": tone, "channel": channel, "language": said.language})


@router.post("/cases/{case_id}/contact/{contact_id}/outcome")
def outcome(visitor: CreditorSide, form: Form, case_id: str, contact_id: str) -> Response:
    """What a call or a visit came to; the next step follows from it."""
    _row(visitor, case_id, contact_id)
    entered = Entered(form)
    try:
        code, on = entered.choice("outcome", list(ContactOutcome)), entered.date("on")
        note = entered.text("note", longest=2000)
        entered.check()
        note_outcome(visitor.hub, visitor.scope, contact_id, ContactOutcome(code), on=on, note=note)
    except PermanentError as error:
        return _page(visitor, case_id, refused=refusal(contact_id, error, entered.given))
    return redirect(f"/cases/{case_id}/contact", done="noted")


@router.post("/cases/{case_id}/contact/{contact_id}/settle")
def settle(visitor: CreditorSide, form: Form, case_id: str, contact_id: str) -> Response:
    """Whether a message in doubt reached the debtor."""
    _row(visitor, case_id, contact_id)
    entered = Entered(form)
    try:
        reached, note = entered.choice("reached", ("yes", "no")), entered.text("note", longest=2000)
        entered.check()
        settle_contact(visitor.hub, contact_id, reached=reached == "yes", actor=visitor.scope.subject, note=note)
    except PermanentError as error:
        return _page(visitor, case_id, refused=refusal(contact_id, error, entered.given))
    return redirect(f"/cases/{case_id}/contact", done="noted")


def _row(visitor: Visitor, case_id: str, contact_id: str) -> ContactRow:
    """The step in this case. Raises `NotThereError` for one of another case or out of scope."""
    with visitor.hub.database.read() as conn:
        read_owned_case(conn, visitor.scope, case_id)
        rows = read_contacts(conn, visitor.scope, case_id=case_id, limit=1000)
    found = next((row for row in rows if row.contact_id == contact_id), None)
    if found is None:
        raise not_there("contact", contact_id)
    return found


def _page(
    visitor: Visitor, case_id: str, *, done: bool = False, refused: Refusal | None = None, said: Any = None,
    asked: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    with visitor.hub.database.read() as conn:
        case = read_owned_case(conn, visitor.scope, case_id)
        rows = read_contacts(conn, visitor.scope, case_id=case_id)
    contact = case.contact
    return page(
        visitor, "contact.html", status=422 if refused else 200, case=case, rows=rows, done=done, refused=refused, said=said,
        asked=asked or {}, by_person=WITH_PERSON, in_doubt=IN_DOUBT, tones=TONES, channels=WRITTEN,
        languages=languages(letters_folder(visitor.hub)),
        outcomes=[(one.value, one.value.replace("_", " ").capitalize()) for one in ContactOutcome],
        with_day=[one.value for one in ContactOutcome if FOLLOWS[one].needs_day],
        due_on=next_on(case, contact) if contact is not None and any(waits(case)) else None,
    )  # fmt: skip


@router.get("/notices")
def show_notices(visitor: CreditorSide, state: Word = "") -> Response:
    """Friendly notices before the due day: to whom, about how much, what became of each."""
    with visitor.hub.database.read() as conn:
        rows = read_notices(conn, visitor.scope, state=state, limit=200)
    return page(visitor, "notices.html", rows=rows, state=state)
