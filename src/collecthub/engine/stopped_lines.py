"""What waits for a connection that was stopped: nothing moves it but a person who lets the connection go on."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from collecthub.engine.sending_line import OPEN_STATES
from collecthub.store import tables as t


class StoppedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A stopped connection for which something waits: messages and reports to send, sendings, messages to read.

    `detail` is why it stopped.
    """

    connection_id: str
    name: str
    detail: str
    waiting: int


def stopped_lines(conn: sa.Connection) -> tuple[StoppedLine, ...]:
    """The stopped connections that keep something from being done, by name."""
    return tuple(
        StoppedLine(connection_id=row.connection_id, name=row.name, detail=row.status_detail or "", waiting=row.waiting)
        for row in conn.execute(_STOPPED)
        if row.waiting
    )


def _of_this(table: sa.Table, waits: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    mine = table.c.connection_id == t.connections.c.connection_id
    return sa.select(sa.func.count()).select_from(table).where(mine, waits).correlate(t.connections).scalar_subquery()


_WAITING = (
    _of_this(t.messages, t.messages.c.state == "queued")
    + _of_this(t.envelopes, t.envelopes.c.state.in_(OPEN_STATES))
    + _of_this(t.inbox, t.inbox.c.answered_at.is_(None))
    + _of_this(t.reports, t.reports.c.state == "queued")
)
_MINE = (t.connections.c.connection_id, t.connections.c.name, t.connections.c.status_detail)
_STOPPED = (
    sa.select(*_MINE, _WAITING.label("waiting"))
    .where(t.connections.c.status == "stopped")
    .order_by(t.connections.c.name, t.connections.c.connection_id)
)
