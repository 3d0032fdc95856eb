"""Connections: whether they work, what they pulled, what is left of the vendor's calls, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.engine import upkeep
from collecthub.engine.connection_settings import resume_connection, stop_connection
from collecthub.engine.doors import check_connection as try_connection
from collecthub.errors import CollecthubError
from collecthub.ports import CheckStep
from collecthub.store.connections import SHADOW
from collecthub.store.queries import doors
from collecthub.store.queries.desks import list_quarantine
from collecthub.store.queries.names import owner_names
from collecthub.store.queries.paging import PageRequest
from collecthub.store.queries.scope import NotThereError
from collecthub.web.portal.first_wave import REMINDERS
from collecthub.web.portal.health import health
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, bare_page, page, redirect

router = APIRouter(prefix="/connections", route_class=PageRoute, include_in_schema=False)
_DONE = {
    "sync": "It is in line and starts in a moment.",
    "released": "The first wave is released; what was not excluded leaves now.",
    "added": "The connection is added.",
    "changed": "The settings are changed and used from now on.",
    "consented": "Consent is given. The first pull starts in a moment.",
    "chosen": "The choice is kept. The next pull starts in a moment.",
    "stopped": "The connection rests until somebody resumes it.",
    "resumed": "The connection goes on; what waited for it is taken up now.",
    "retried": "It is read again in a moment.",
}
_REFUSED_SHOWN = 20
Word = Annotated[str, Query(max_length=20)]
Cursor = Annotated[str, Query(max_length=2000)]


@router.get("")
def show_list(visitor: CreditorSide, cursor: Cursor = "") -> Response:
    """Every connection with its state in words, and plugins that could not be loaded."""
    with visitor.hub.database.read() as conn:
        found = doors.list_connections(conn, visitor.scope, visitor.hub.key, PageRequest(cursor=cursor))
        names = owner_names(conn, visitor.scope)
    failed = [state for state in visitor.hub.plugins.states.values() if not state.is_loaded]
    return page(
        visitor, "connections.html", found=found, names=names, cursor=cursor,
        failed=failed if visitor.is_operator else [], kinds=_kinds(visitor),
    )


def _kinds(visitor: Visitor) -> dict[str, str]:
    """Connector kinds as people call them."""
    return {kind: spec.title for kind, spec in visitor.hub.plugins.connectors.items()}


@router.get("/{connection_id}")
def show_one(visitor: CreditorSide, connection_id: str, done: Word = "", check: Word = "") -> Response:
    """One connection with its last pulls and what it refused; with `check` it is tried as well."""
    if check:
        return _tried(visitor, connection_id, done=_DONE.get(done, ""))
    return _connection_page(visitor, connection_id, done=_DONE.get(done, ""))


def _connection_page(
    visitor: Visitor, connection_id: str, *, done: str = "", steps: Sequence[CheckStep] | None = None,
    problem: CollecthubError | None = None,
) -> Response:  # fmt: skip
    with visitor.hub.database.read() as conn:
        detail = doors.connection_detail(conn, visitor.scope, connection_id)
        row = doors.owned_connection(conn, visitor.scope, connection_id)
        refused = list_quarantine(
            conn, visitor.scope, visitor.hub.key, PageRequest(limit=_REFUSED_SHOWN), "open", connection_id
        )
        names = owner_names(conn, visitor.scope)
    return page(
        visitor, "connection.html", detail=detail, refused=refused, names=names, done=done, steps=steps,
        problem=problem, is_shadow=row.mode == SHADOW, reminders=REMINDERS,
        kinds=_kinds(visitor), **health(visitor.hub, row, detail),
    )


@router.get("/{connection_id}/progress")
def show_progress(visitor: CreditorSide, connection_id: str) -> Response:
    """The part of the connection page that keeps itself fresh."""
    with visitor.hub.database.read() as conn:
        detail = doors.connection_detail(conn, visitor.scope, connection_id)
        row = doors.owned_connection(conn, visitor.scope, connection_id)
    return bare_page("progress.html", **health(visitor.hub, row, detail))


@router.get("/{connection_id}/runs")
def show_runs(visitor: CreditorSide, connection_id: str, cursor: Cursor = "") -> Response:
    """Every pull that is kept, newest first."""
    with visitor.hub.database.read() as conn:
        row = doors.owned_connection(conn, visitor.scope, connection_id)
        found = doors.list_runs(conn, visitor.scope, visitor.hub.key, PageRequest(cursor=cursor), connection_id)
    return page(visitor, "runs.html", row=row, found=found, cursor=cursor)


# --- what a person does ---------------------------------------------------------------------------


@router.post("/{connection_id}/check")
def check(visitor: CreditorSide, form: Form, connection_id: str) -> Response:
    """Try the connection and show each step."""
    return _tried(visitor, connection_id)


def _tried(visitor: Visitor, connection_id: str, *, done: str = "") -> Response:
    try:
        steps = try_connection(visitor.hub, visitor.scope, connection_id)
    except NotThereError:
        raise
    except CollecthubError as error:
        return _connection_page(visitor, connection_id, problem=error, done=done)
    return _connection_page(visitor, connection_id, steps=steps, done=done)


@router.post("/{connection_id}/sync")
def sync(visitor: CreditorSide, form: Form, connection_id: str) -> Response:
    """Pull or listen now."""
    with visitor.hub.work() as work:
        upkeep.request_pull(work, visitor.scope, connection_id)
    return redirect(f"/connections/{connection_id}", done="sync")


@router.post("/{connection_id}/stop")
def stop(visitor: CreditorSide, form: Form, connection_id: str) -> Response:
    """Let it rest until somebody resumes it."""
    with visitor.hub.work() as work:
        stop_connection(work, visitor.scope, connection_id, by=visitor.session.user.name or "a person")
    return redirect(f"/connections/{connection_id}", done="stopped")


@router.post("/{connection_id}/resume")
def resume(visitor: CreditorSide, form: Form, connection_id: str) -> Response:
    """Let it go on."""
    with visitor.hub.work() as work:
        resume_connection(work, visitor.scope, connection_id)
    return redirect(f"/connections/{connection_id}", done="resumed")
