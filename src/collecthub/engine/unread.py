"""What lies in the inbox and is not read now, by connection, with the reason: for whoever wonders why it stays there."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub
from collecthub.store import tables as t


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """So many messages of one connection wait."""

    connection_id: str
    name: str
    messages: int
    is_stopped: bool


def unread(hub: Hub) -> tuple[Unread, ...]:
    """The connections whose messages were not read, or whose senders were not answered."""
    with hub.database.read() as conn:
        rows = conn.execute(_UNREAD).all()
    return tuple(
        Unread(
            connection_id=row.connection_id, name=row.name, messages=row.messages, is_stopped=row.status == "stopped"
        )
        for row in rows
    )


_MINE = (t.connections.c.connection_id, t.connections.c.name, t.connections.c.status)
_UNREAD = (
    sa.select(*_MINE, sa.func.count().label("messages"))
    .join_from(t.inbox, t.connections, t.inbox.c.connection_id == t.connections.c.connection_id)
    .where(t.inbox.c.answered_at.is_(None))
    .group_by(*_MINE)
    .order_by(t.connections.c.name, t.connections.c.connection_id)
)


def read_what_waits(hub: Hub) -> None:
    """Have every message that waits looked at once more; a backup keeps the messages and not the jobs that read them."""
    found = unread(hub)
    if found:
        with hub.work() as work:
            for one in found:
                work.wake("record", one.connection_id)
