"""The playbook of a creditor: read, tried on past invoices beside the one that holds, agreed as a new version."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from starlette.datastructures import UploadFile

from collecthub.engine.playbook_proposals import (
    OPEN,
    agree_to_proposal,
    decline_proposal,
    list_proposals,
    propose_version,
)
from collecthub.engine.playbooks import (
    Agreement,
    DryRun,
    PlaybookTerms,
    agree_playbook,
    dry_run,
    may_enter,
    past_items,
    playbook_history,
    read_terms,
    terms_of,
)
from collecthub.errors import CollecthubError, PermanentError
from collecthub.store.queries.names import creditor_names
from collecthub.store.queries.scope import NotThereError
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect

PATH = "/creditors/{creditor_id}/playbook"
router = APIRouter(route_class=PageRoute, include_in_schema=False)
TEXT_LONGEST, FILE_LARGEST = 40_000, 20_000_000
SEGMENTS = ("B2B", "B2C", "B2G")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A text that somebody works on, and what is known about it."""

    text: str
    terms: PlaybookTerms | None = None
    tried: DryRun | None = None
    problem: CollecthubError | None = None


@router.get("/playbooks")
def choose(visitor: CreditorSide) -> Response:
    """Whose playbook; a creditor sees his own at once."""
    if visitor.scope.creditor_id is not None:
        return redirect(f"/creditors/{visitor.scope.creditor_id}/playbook")
    with visitor.hub.database.read() as conn:
        creditors = creditor_names(conn, visitor.scope)
    return page(visitor, "playbooks.html", creditors=creditors)


@router.get(PATH)
def show(
    visitor: CreditorSide, creditor_id: str, done: Annotated[str, Query(max_length=20)] = "",
    version: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """What holds, every version, and a text to go on from."""
    with visitor.hub.database.read() as conn:
        row, versions = playbook_history(conn, visitor.scope, creditor_id)
    shown = next((one for one in versions if one.number == version), versions[0] if versions else None)
    text = shown.content if shown is not None and not shown.content.lstrip().startswith("{") else ""
    return _page(visitor, creditor_id, Draft(text=text, terms=terms_of(row.playbook)), done=done)


@router.post(f"{PATH}/preview")
def preview(visitor: CreditorSide, form: Form, creditor_id: str) -> Response:
    """What the text would agree to; with a file, what it would have done. Nothing changes."""
    text = _text(form.get("text"))
    try:
        terms = read_terms(text, "the text")
        entered = Entered(form)
        country = entered.given.get("country", "").strip().upper() or "BE"
        segment = entered.choice("segment", dict.fromkeys(SEGMENTS, ""))
        file = form.get("file")
        tried = None
        if isinstance(file, UploadFile) and file.filename:
            content = file.file.read(FILE_LARGEST)
            with visitor.hub.database.read() as conn:
                held = playbook_history(conn, visitor.scope, creditor_id)[0].playbook.contact
            past = past_items(content, file.filename)
            tried = dry_run(visitor.hub, past, tried=terms.contact, held=held, country=country, segment=segment)
    except CollecthubError as error:
        return _page(visitor, creditor_id, Draft(text=text, problem=error), status=422)
    return _page(visitor, creditor_id, Draft(text=text, terms=terms, tried=tried))


@router.post(f"{PATH}/propose")
def propose(visitor: CreditorSide, form: Form, creditor_id: str) -> Response:
    """Put the text before the other side; nothing holds until it agrees."""
    text, note = _text(form.get("text")), _text(form.get("note"))[:300]
    try:
        with visitor.hub.work() as work:
            propose_version(work, visitor.scope, creditor_id, text, note=note)
    except NotThereError:
        raise
    except PermanentError as error:
        return _page(visitor, creditor_id, Draft(text=text, problem=error), status=422)
    return redirect(f"/creditors/{creditor_id}/playbook", done="proposed")


@router.post(f"{PATH}/proposals/{{number}}")
def decide(visitor: CreditorSide, form: Form, creditor_id: str, number: int) -> Response:
    """The other side agrees, or declines with a reason."""
    entered = Entered(form)
    try:
        verdict = entered.choice("verdict", ("agree", "decline"))
        reason = entered.text("reason", required=verdict == "decline", longest=300)
        entered.check()
        with visitor.hub.work() as work:
            if verdict == "decline":
                decline_proposal(work, visitor.scope, creditor_id, number, reason=reason)
                return redirect(f"/creditors/{creditor_id}/playbook", done="declined")
            agreed = agree_to_proposal(work, visitor.scope, creditor_id, number)
    except NotThereError:
        raise
    except PermanentError as error:
        with visitor.hub.database.read() as conn:
            held = terms_of(playbook_history(conn, visitor.scope, creditor_id)[0].playbook)
        return _page(visitor, creditor_id, Draft(text="", terms=held, problem=error), status=422)
    return redirect(f"/creditors/{creditor_id}/playbook", done=str(agreed.version))


@router.post(PATH)
def agree(visitor: CreditorSide, form: Form, creditor_id: str) -> Response:
    """What a creditor without a login agreed to holds from now on, for new cases; the versions before it are kept."""
    text = _text(form.get("text"))
    try:
        terms = read_terms(text, "the text")
        note = _text(form.get("note"))[:300]
        entered = Entered(form)
        who, on = entered.text("agreed_with", longest=300), entered.date("agreed_on")
        agreed = Agreement(who=who, on=on) if on is not None else None
        number = agree_playbook(visitor.hub, visitor.scope, creditor_id, terms, agreed=agreed, content=text, note=note)
    except NotThereError:
        raise
    except PermanentError as error:
        return _page(visitor, creditor_id, Draft(text=text, problem=error), status=422)
    return redirect(f"/creditors/{creditor_id}/playbook", done=str(number))


def _text(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return text.replace("\r\n", "\n")[:TEXT_LONGEST]


def _page(visitor: Visitor, creditor_id: str, draft: Draft, *, done: str = "", status: int = 200) -> Response:
    with visitor.hub.database.read() as conn:
        row, versions = playbook_history(conn, visitor.scope, creditor_id)
        is_entered = may_enter(conn, visitor.scope, creditor_id)
        proposed = [one for one in list_proposals(conn, visitor.scope, creditor_id) if one.state == OPEN]
    return page(
        visitor, "playbook.html", status=status, creditor=row, versions=versions, draft=draft, segments=SEGMENTS,
        proposed=proposed, is_entered=is_entered, mine=visitor.scope.role.value, done=_DONE.get(done, "") or _agreed(done),
    )


_DONE = {
    "proposed": "Proposed. It holds once the other side agrees; it stands on their agenda.",
    "declined": "Declined. The other side reads why.",
}  # fmt: skip


def _agreed(done: str) -> str:
    return f"Agreed as version {done}." if done.isascii() and done.isdigit() else ""

