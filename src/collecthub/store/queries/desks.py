"""What people look after: tasks, dispatches and their attempts, quarantine."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.store import tables as t
from collecthub.store.queries.paging import Listed, Order, PageRequest, QueryError, moment, read_page
from collecthub.store.queries.scope import Scope, at_partner, not_there, owned_by, tasks_of
from collecthub.store.secrets import MasterKey


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """Something only a person can decide."""

    task_id: str
    kind: str
    title: str
    detail: str
    owner: str
    state: str
    creditor_id: str | None
    case_id: str | None
    connection_id: str | None
    due_at: dt.datetime | None
    created_at: dt.datetime
    done_at: dt.datetime | None
    done_by: str


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One try to deliver an envelope. Without `ended_at` it is under way or was cut off."""

    attempt: int
    started_at: dt.datetime
    intent: str
    ended_at: dt.datetime | None
    outcome: str
    detail: str


class DispatchView(msgspec.Struct, frozen=True, kw_only=True):
    """One sending to one partner."""

    envelope_id: str
    connection_id: str
    partner_id: str
    name: str
    media_type: str
    sha256: str
    size: int
    state: str
    attempts: int
    next_attempt_at: dt.datetime | None
    created_at: dt.datetime
    sent_at: dt.datetime | None
    receipt_ref: str
    problem: str


class DispatchDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One sending with its tries and the messages in it."""

    dispatch: DispatchView
    tries: tuple[AttemptView, ...]
    message_ids: tuple[str, ...]


class QuarantineView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be understood or trusted, with its reason."""

    quarantine_id: str
    creditor_id: str | None
    connection_id: str
    source: str
    reference: str
    code: str
    reason: str
    sha256: str
    case_id: str | None
    state: str
    created_at: dt.datetime
    resolved_at: dt.datetime | None
    resolution: str


def _view(kind: type[Any], row: Any) -> Any:
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})


def _state(state: str, known: tuple[str, ...]) -> str:
    if state and state not in known:
        raise QueryError(f"the state {state[:40]!r} is unknown", cure=f"Choose one of {', '.join(known)}.")
    return state


def list_tasks(
    conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest, state: str = "open", case_id: str = ""
) -> Listed[TaskView]:
    """Tasks, oldest first; a creditor sees those of his own cases that he owns."""
    query = sa.select(t.tasks).where(tasks_of(scope))
    if _state(state, ("open", "done")):
        query = query.where(t.tasks.c.state == state)
    if case_id:
        query = query.where(t.tasks.c.case_id == case_id)
    order = Order(column=t.tasks.c.created_at, unique=t.tasks.c.task_id, read=moment)
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name=f"tasks/{state}/{case_id}")
    return Listed(items=tuple(_view(TaskView, row) for row in rows), next_cursor=cursor)


_ENVELOPE_STATES = ("composed", "prepared", "attempting", "sent", "in_doubt", "failed", "withdrawn")


def list_dispatches(
    conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest, state: str = "", connection_id: str = ""
) -> Listed[DispatchView]:
    """Sendings, newest first; a partner sees those to itself."""
    query = sa.select(t.envelopes).where(at_partner(scope, t.envelopes.c.partner_id))
    if _state(state, _ENVELOPE_STATES):
        query = query.where(t.envelopes.c.state == state)
    if connection_id:
        query = query.where(t.envelopes.c.connection_id == connection_id)
    order = Order(
        column=t.envelopes.c.created_at, unique=t.envelopes.c.envelope_id, is_descending=True, read=moment
    )
    name = f"dispatches/{state}/{connection_id}"
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name=name)
    return Listed(items=tuple(_view(DispatchView, row) for row in rows), next_cursor=cursor)


def dispatch_detail(conn: sa.Connection, scope: Scope, envelope_id: str) -> DispatchDetail:
    """One sending with its tries. Raises `NotThereError`."""
    row = conn.execute(
        sa.select(t.envelopes).where(
            t.envelopes.c.envelope_id == envelope_id, at_partner(scope, t.envelopes.c.partner_id)
        )
    ).first()
    if row is None:
        raise not_there("dispatch", envelope_id)
    tries = conn.execute(
        sa.select(t.attempts).where(t.attempts.c.envelope_id == envelope_id).order_by(t.attempts.c.attempt)
    )
    message_ids = conn.scalars(
        sa.select(t.messages.c.message_id)
        .where(t.messages.c.envelope_id == envelope_id)
        .order_by(t.messages.c.queued_at, t.messages.c.message_id)
    )
    return DispatchDetail(
        dispatch=_view(DispatchView, row), tries=tuple(_view(AttemptView, entry) for entry in tries),
        message_ids=tuple(message_ids),
    )


def list_quarantine(
    conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest, state: str = "open", connection_id: str = ""
) -> Listed[QuarantineView]:
    """Quarantined input, oldest first; a creditor sees what came by his own connections."""
    query = sa.select(t.quarantine).where(owned_by(scope, t.quarantine.c.creditor_id))
    if _state(state, ("open", "retried", "resolved")):
        query = query.where(t.quarantine.c.state == state)
    if connection_id:
        query = query.where(t.quarantine.c.connection_id == connection_id)
    order = Order(column=t.quarantine.c.created_at, unique=t.quarantine.c.quarantine_id, read=moment)
    name = f"quarantine/{state}/{connection_id}"
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name=name)
    return Listed(items=tuple(_view(QuarantineView, row) for row in rows), next_cursor=cursor)


def quarantine_entry(conn: sa.Connection, scope: Scope, quarantine_id: str) -> QuarantineView:
    """One entry. Raises `NotThereError`."""
    row = conn.execute(
        sa.select(t.quarantine).where(
            t.quarantine.c.quarantine_id == quarantine_id, owned_by(scope, t.quarantine.c.creditor_id)
        )
    ).first()
    if row is None:
        raise not_there("quarantine entry", quarantine_id)
    view: QuarantineView = _view(QuarantineView, row)
    return view
