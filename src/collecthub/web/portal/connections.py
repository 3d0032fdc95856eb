"""Connections: whether they work, what they pulled, and the first wave that a person lets go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.datastructures import FormData

from collecthub.engine import upkeep
from collecthub.engine.doors import check_connection as try_connection
from collecthub.engine.release import first_wave, release_connection
from collecthub.errors import CollecthubError, PermanentError
from collecthub.ports import CheckStep
from collecthub.store.connections import SHADOW, Exclusions
from collecthub.store.queries import doors
from collecthub.store.queries.desks import list_quarantine
from collecthub.store.queries.names import creditor_names, partner_names
from collecthub.store.queries.paging import PageRequest
from collecthub.store.queries.scope import NotThereError
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.pages import (
    CreditorSide,
    Form,
    Operator,
    PageRoute,
    Visitor,
    bare_page,
    page,
    redirect,
)

router = APIRouter(prefix="/connections", route_class=PageRoute, include_in_schema=False)
REMINDERS = {"creditor": "The creditor", "hub": "This hub", "nobody": "Nobody"}
_DONE = {
    "sync": "It is in line and starts in a moment.",
    "released": "The first wave is released; what was not excluded leaves now.",
}
_REFUSED_SHOWN, _ANY_CURRENCY = 20, "EUR"
_AGAIN_RUNNING_MS, _AGAIN_IDLE_MS = 1500, 3000


@router.get("")
def show_list(visitor: CreditorSide, cursor: Annotated[str, Query(max_length=2000)] = "") -> Response:
    """Every connection with its state in words, and plugins that could not be loaded."""
    with visitor.hub.database.read() as conn:
        found = doors.list_connections(conn, visitor.scope, visitor.hub.key, PageRequest(cursor=cursor))
        names = _owner_names(visitor, conn)
    failed = [state for state in visitor.hub.plugins.states.values() if not state.is_loaded]
    return page(
        visitor,
        "connections.html",
        found=found,
        names=names,
        cursor=cursor,
        failed=failed if visitor.is_operator else [],
    )


def _owner_names(visitor: Visitor, conn: Any) -> dict[str, str]:
    return {**creditor_names(conn, visitor.scope), **partner_names(conn)}


@router.get("/{connection_id}")
def show_one(
    visitor: CreditorSide, connection_id: str, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """One connection with its last pulls and what it refused."""
    return _connection_page(visitor, connection_id, done=_DONE.get(done, ""))


def _connection_page(
    visitor: Visitor,
    connection_id: str,
    *,
    done: str = "",
    steps: Sequence[CheckStep] | None = None,
    problem: CollecthubError | None = None,
    status: int = 200,
) -> Response:
    with visitor.hub.database.read() as conn:
        detail = doors.connection_detail(conn, visitor.scope, connection_id)
        refused = list_quarantine(
            conn, visitor.scope, visitor.hub.key, PageRequest(limit=_REFUSED_SHOWN), "open", connection_id
        )
        names = _owner_names(visitor, conn)
    return page(
        visitor,
        "connection.html",
        status=status,
        detail=detail,
        door=detail.connection,
        refused=refused,
        names=names,
        done=done,
        steps=steps,
        problem=problem,
        is_shadow=detail.connection.mode == SHADOW,
        reminders=REMINDERS,
        **_progress(detail),
    )


@router.get("/{connection_id}/progress")
def show_progress(visitor: CreditorSide, connection_id: str) -> Response:
    """The part of the connection page that keeps itself fresh."""
    with visitor.hub.database.read() as conn:
        detail = doors.connection_detail(conn, visitor.scope, connection_id)
    return bare_page("progress.html", door=detail.connection, **_progress(detail))


def _progress(detail: doors.ConnectionDetail) -> dict[str, Any]:
    """The last run, how long the one before was, and when to look again (milliseconds)."""
    last = detail.runs[0] if detail.runs else None
    before = next((run.rows for run in detail.runs[1:] if run.state == "complete" and run.rows), 0)
    is_running = last is not None and last.ended_at is None
    return {
        "last": last,
        "is_running": is_running,
        "rows_before": before,
        "again": _AGAIN_RUNNING_MS if is_running else _AGAIN_IDLE_MS,
    }


@router.post("/{connection_id}/check")
def check(visitor: CreditorSide, form: Form, connection_id: str) -> Response:
    """Try the connection and show each step."""
    try:
        steps = try_connection(visitor.hub, visitor.scope, connection_id)
    except NotThereError:
        raise
    except CollecthubError as error:
        return _connection_page(visitor, connection_id, problem=error)
    return _connection_page(visitor, connection_id, steps=steps)


@router.post("/{connection_id}/sync")
def sync(visitor: CreditorSide, form: Form, connection_id: str) -> Response:
    """Pull or listen now."""
    with visitor.hub.work() as work:
        upkeep.request_pull(work, visitor.scope, connection_id)
    return redirect(f"/connections/{connection_id}", done="sync")


# --- first wave -----------------------------------------------------------------------------------

Text = Annotated[str, Query(max_length=4000)]


@router.get("/{connection_id}/first-wave")
def show_wave(
    visitor: CreditorSide,
    connection_id: str,
    debtor_refs: Text = "",
    group_refs: Text = "",
    minimum: Text = "",
    reminders_by: Text = "",
) -> Response:
    """What would leave with these exclusions. Looking sends nothing."""
    given = {
        "debtor_refs": debtor_refs,
        "group_refs": group_refs,
        "minimum": minimum,
        "reminders_by": reminders_by,
    }
    return _wave_page(visitor, connection_id, {name: value for name, value in given.items() if value})


def _wave_page(
    visitor: Visitor, connection_id: str, given: dict[str, str], problem: PermanentError | None = None
) -> Response:
    with visitor.hub.database.read() as conn:
        row = doors.owned_connection(conn, visitor.scope, connection_id)
        names = _owner_names(visitor, conn)
    entered = Entered(FormData(given))
    rules = row.release
    if given and problem is None:
        try:
            rules = _exclusions(entered)
        except EnteredError as error:
            problem = error
    wave = first_wave(visitor.hub, visitor.scope, connection_id, rules)
    shown = given or {
        "debtor_refs": "\n".join(rules.debtor_refs),
        "group_refs": "\n".join(rules.group_refs),
        "minimum": format(rules.minimum_amount, "f") if rules.minimum_amount else "",
        "reminders_by": rules.reminders_by,
    }
    return page(
        visitor,
        "wave.html",
        status=422 if problem else 200,
        row=row,
        wave=wave,
        given=shown,
        problem=problem,
        wrong=entered.wrong,
        names=names,
        is_shadow=row.mode == SHADOW,
        reminders=REMINDERS,
        leaving_cases=sum(part.cases for part in wave.leaving),
        held_cases=sum(part.cases for part in wave.held),
        overdue=sum(part.count for part in wave.overdue),
    )


def _exclusions(entered: Entered) -> Exclusions:
    """What stays, as a person wrote it: one reference a line or parted by commas."""
    minimum: Decimal = entered.amount("minimum", _ANY_CURRENCY, required=False)
    reminders_by = entered.choice("reminders_by", REMINDERS, default="creditor")
    debtor_refs, group_refs = (_references(entered.text(name)) for name in ("debtor_refs", "group_refs"))
    entered.check()
    return Exclusions(
        debtor_refs=debtor_refs, group_refs=group_refs, minimum_amount=minimum, reminders_by=reminders_by
    )


def _references(text: str) -> tuple[str, ...]:
    """References as people list them.

    >>> _references("10001, 10002\\n10003")
    ('10001', '10002', '10003')
    """
    return tuple(part for part in (piece.strip() for piece in re.split(r"[,;\n]", text)) if part)


@router.post("/{connection_id}/release")
def release(visitor: Operator, form: Form, connection_id: str) -> Response:
    """Let the first wave leave, but for what is excluded."""
    entered = Entered(form)
    try:
        release_connection(visitor.hub, visitor.scope, connection_id, _exclusions(entered))
    except NotThereError:
        raise
    except PermanentError as error:
        return _wave_page(visitor, connection_id, dict(entered.given), error)
    return redirect(f"/connections/{connection_id}", done="released")
