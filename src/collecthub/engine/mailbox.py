"""What waits at the hub for a partner who calls for it, and what he brings.

An envelope of a mailbox that has its receipt is in the mailbox; `envelope_id` grows in the order of sending, so it is
the cursor. What the partner brings goes the way of every inbound message: stored first, then read by `record`.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from collecthub.bundled.mailbox import KIND, XML
from collecthub.engine.case_work import open_task
from collecthub.engine.context import Hub
from collecthub.engine.inbound import keep_inbound
from collecthub.engine.inward import RECORDED
from collecthub.engine.peers import ChangedExchangeError, Received
from collecthub.ports import RawMessage, Verdict
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, read_connections

_STATES = {RECORDED: "accepted", "stored": "received"}


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange that waits, and its place in the mailbox."""

    cursor: str
    content: bytes


def mailbox_of(conn: sa.Connection, partner_id: str) -> ConnectionRow | None:
    """The partner's mailbox, or None when he has no such line."""
    mine = (t.connections.c.partner_id == partner_id) & (t.connections.c.kind == KIND)
    return next(iter(read_connections(conn, mine)), None)


def read_mail(hub: Hub, row: ConnectionRow, after: str, limit: int) -> tuple[tuple[Mail, ...], bool]:
    """The next exchanges after a cursor, oldest first, and whether there are more."""
    box = t.envelopes.c
    query = (
        sa.select(box.envelope_id, box.sha256)
        .where(box.connection_id == row.connection_id, box.state == "sent", box.envelope_id > after)
        .order_by(box.envelope_id)
        .limit(limit + 1)
    )
    with hub.database.read() as conn:
        found = conn.execute(query).all()
    mail = tuple(Mail(cursor=one.envelope_id, content=hub.evidence.read(one.sha256)) for one in found[:limit])
    return mail, len(found) > limit


def bring_mail(hub: Hub, row: ConnectionRow, exchange_id: str, content: bytes) -> Received:
    """Keep what the partner brings. Raises `ChangedExchangeError` when the id came before with other bytes."""
    with hub.work() as work:
        known = work.conn.scalar(_known(row, exchange_id, t.inbox.c.sha256))
        is_new = keep_inbound(hub, work, row, RawMessage(remote_ref=exchange_id, media_type=XML, content=content))
        if known is not None and is_new:
            raise ChangedExchangeError(
                f"exchange {exchange_id} came before with other content", cure="Give changed content a new id."
            )
    return Received(exchange_id=exchange_id, duplicate=not is_new)


def mail_state(conn: sa.Connection, row: ConnectionRow, exchange_id: str) -> str | None:
    """received, accepted or refused; None when it never came."""
    state = conn.scalar(_known(row, exchange_id, t.inbox.c.state))
    return None if state is None else _STATES.get(state, "refused")


def give_mail_verdict(hub: Hub, row: ConnectionRow, exchange_id: str, verdict: Verdict) -> bool:
    """What the partner made of an exchange he read; a refusal becomes a task. False for one that is not his."""
    mine = (t.envelopes.c.connection_id == row.connection_id) & (t.envelopes.c.envelope_id == exchange_id)
    with hub.work() as work:
        if work.conn.scalar(sa.select(t.envelopes.c.state).where(mine)) != "sent":
            return False
        if not verdict.is_accepted:
            open_task(
                work, kind="partner_refused", title=f"{row.name} could not take exchange {exchange_id}",
                detail=f"{verdict.code} {verdict.reason}".strip(), connection_id=row.connection_id,
            )
    return True


def _known(row: ConnectionRow, exchange_id: str, column: sa.ColumnElement[str]) -> sa.Select[str]:
    mine = (t.inbox.c.connection_id == row.connection_id) & (t.inbox.c.remote_ref == exchange_id)
    return sa.select(column).where(mine).order_by(t.inbox.c.received_at).limit(1)
