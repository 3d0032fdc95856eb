"""What people look after beside the cases: tasks, sendings and doubts, quarantine."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.engine import upkeep
from collecthub.errors import PermanentError
from collecthub.store.queries import desks
from collecthub.store.queries.names import connection_names, creditor_names, partner_names
from collecthub.store.queries.paging import PageRequest
from collecthub.store.queries.scope import NotThereError
from collecthub.web.answers import download
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import (
    CreditorSide,
    Form,
    Operator,
    PageRoute,
    Visitor,
    local_path,
    page,
    redirect,
)
from collecthub.web.problems import ProblemError

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Word = Annotated[str, Query(max_length=64)]
Cursor = Annotated[str, Query(max_length=2000)]
EXCERPT_LONGEST = 4000
_DONE = {
    "done": "The task is done.",
    "retried": "It is read again in a moment.",
    "resolved": "The entry is resolved.",
    "arrived": "Noted: it arrived. Its cases go on.",
    "send_again": "The same bytes go out again in a moment.",
}


# --- tasks ----------------------------------------------------------------------------------------


@router.get("/tasks")
def show_tasks(visitor: CreditorSide, state: Word = "open", cursor: Cursor = "", done: Word = "") -> Response:
    """What only a person can decide, oldest first."""
    with visitor.hub.database.read() as conn:
        found = desks.list_tasks(conn, visitor.scope, visitor.hub.key, PageRequest(cursor=cursor), state)
        creditors = creditor_names(conn, visitor.scope)
    return page(
        visitor,
        "tasks.html",
        found=found,
        state=state,
        cursor=cursor,
        creditors=creditors,
        done=_DONE.get(done, ""),
        now=visitor.hub.now(),
    )


@router.post("/tasks/{task_id}/done")
def complete_task(visitor: CreditorSide, form: Form, task_id: str) -> Response:
    """Take it off the list; back to where the button was."""
    with visitor.hub.work() as work:
        upkeep.complete_task(work, visitor.scope, task_id)
    back = local_path(str(form.get("back", ""))).partition("?")[0]
    return redirect("/tasks", done="done") if back == "/" else redirect(back, done="task")


# --- sendings -------------------------------------------------------------------------------------


@router.get("/dispatches")
def show_dispatches(visitor: Operator, state: Word = "", cursor: Cursor = "", done: Word = "") -> Response:
    """Sendings, newest first; those in doubt are asked about on the same page."""
    with visitor.hub.database.read() as conn:
        found = desks.list_dispatches(conn, visitor.scope, visitor.hub.key, PageRequest(cursor=cursor), state)
        partners = partner_names(conn)
    return page(
        visitor,
        "dispatches.html",
        found=found,
        state=state,
        cursor=cursor,
        partners=partners,
        done=_DONE.get(done, ""),
    )


@router.get("/dispatches/{envelope_id}")
def show_dispatch(visitor: Operator, envelope_id: str, done: Word = "") -> Response:
    """One sending with its tries."""
    return _dispatch_page(visitor, envelope_id, done=_DONE.get(done, ""))


def _dispatch_page(
    visitor: Visitor, envelope_id: str, *, done: str = "", problem: PermanentError | None = None
) -> Response:
    with visitor.hub.database.read() as conn:
        detail = desks.dispatch_detail(conn, visitor.scope, envelope_id)
        partners = partner_names(conn)
    return page(
        visitor,
        "dispatch.html",
        status=422 if problem else 200,
        detail=detail,
        sending=detail.dispatch,
        partners=partners,
        done=done,
        problem=problem,
    )


@router.post("/dispatches/{envelope_id}/settle")
def settle(visitor: Operator, form: Form, envelope_id: str) -> Response:
    """A person found out what became of it."""
    verdict = str(form.get("verdict", ""))
    if verdict not in ("arrived", "send_again"):
        raise ProblemError(
            "validation", "Say whether it arrived or may be sent again.", cure="Go back and choose."
        )
    try:
        with visitor.hub.work() as work:
            upkeep.settle_dispatch(
                visitor.hub,
                work,
                visitor.scope,
                envelope_id,
                "arrived" if verdict == "arrived" else "send_again",
            )
    except NotThereError:
        raise
    except PermanentError as error:
        return _dispatch_page(visitor, envelope_id, problem=error)
    return redirect(f"/dispatches/{envelope_id}", done=verdict)


# --- quarantine -----------------------------------------------------------------------------------


@router.get("/quarantine")
def show_quarantine(
    visitor: CreditorSide, state: Word = "open", cursor: Cursor = "", done: Word = ""
) -> Response:
    """What was not understood, each with its reason."""
    with visitor.hub.database.read() as conn:
        found = desks.list_quarantine(conn, visitor.scope, visitor.hub.key, PageRequest(cursor=cursor), state)
        connections = connection_names(conn)
    return page(
        visitor,
        "quarantine.html",
        found=found,
        state=state,
        cursor=cursor,
        connections=connections,
        done=_DONE.get(done, ""),
    )


@router.get("/quarantine/{quarantine_id}")
def show_entry(visitor: CreditorSide, quarantine_id: str) -> Response:
    """One entry with the beginning of what came in, as text."""
    return _entry_page(visitor, quarantine_id)


def _entry_page(visitor: Visitor, quarantine_id: str, problem: PermanentError | None = None) -> Response:
    with visitor.hub.database.read() as conn:
        entry = desks.quarantine_entry(conn, visitor.scope, quarantine_id)
        connections = connection_names(conn)
    try:
        content: bytes | None = visitor.hub.evidence.read(entry.sha256)
    except PermanentError:
        content = None  # the page says that the bytes are not there
    return page(
        visitor,
        "quarantined.html",
        status=422 if problem else 200,
        entry=entry,
        connections=connections,
        problem=problem,
        size=len(content) if content is not None else None,
        excerpt=(content or b"")[:EXCERPT_LONGEST]
        .decode("utf-8", "replace")
        .replace("\0", "\N{SYMBOL FOR NULL}"),
        is_cut=content is not None and len(content) > EXCERPT_LONGEST,
    )


@router.get("/quarantine/{quarantine_id}/content")
def read_content(visitor: CreditorSide, quarantine_id: str) -> Response:
    """The bytes, to save."""
    with visitor.hub.database.read() as conn:
        entry = desks.quarantine_entry(conn, visitor.scope, quarantine_id)
    return download(visitor.hub.evidence.read(entry.sha256), f"quarantine-{quarantine_id}.bin")


@router.post("/quarantine/{quarantine_id}/retry")
def retry(visitor: Operator, form: Form, quarantine_id: str) -> Response:
    """Read the kept bytes again; back to where the button was."""
    try:
        with visitor.hub.work() as work:
            upkeep.retry_quarantine(work, visitor.scope, quarantine_id)
    except NotThereError:
        raise
    except PermanentError as error:
        return _entry_page(visitor, quarantine_id, error)
    back = local_path(str(form.get("back", ""))).partition("?")[0]
    return redirect("/quarantine" if back == "/" else back, done="retried")


@router.post("/quarantine/{quarantine_id}/resolve")
def resolve(visitor: Operator, form: Form, quarantine_id: str) -> Response:
    """A person dealt with it and says how."""
    entered = Entered(form)
    try:
        note = entered.text("note", required=True)
        entered.check()
        with visitor.hub.work() as work:
            upkeep.resolve_quarantine(work, visitor.scope, quarantine_id, note=note)
    except NotThereError:
        raise
    except PermanentError as error:
        return _entry_page(visitor, quarantine_id, error)
    return redirect("/quarantine", done="resolved")
