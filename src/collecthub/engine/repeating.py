"""A recall, new balance or pause that has no answer is said again: the same message, with the same id."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.model.case import Case
from collecthub.ports import KeepsRequests
from collecthub.store import tables as t
from collecthub.store.connections import read_connection


def say_again(hub: Hub, work: Work, case: Case, message_id: str) -> None:
    """Put a message that was sent and not answered in line again; its partner knows it by its id and acts once.

    Nothing happens when it is in line or under way already, when its answer has come, or where the partner keeps each
    request until it is answered.
    """
    asked = case.placement is not None and any(one.message_id == message_id for one in case.placement.asking)
    mine = (t.messages.c.message_id == message_id) & (t.messages.c.state == "sent")
    connection_id = work.conn.scalar(sa.select(t.messages.c.connection_id).where(mine))
    row = read_connection(work.conn, connection_id) if asked and connection_id is not None else None
    if row is None or isinstance(hub.connector_for(row), KeepsRequests):
        return
    work.conn.execute(sa.update(t.messages).where(mine).values(state="queued", envelope_id=None))
    work.wake("dispatch", row.connection_id)
