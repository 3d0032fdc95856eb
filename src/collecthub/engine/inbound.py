"""Keep what came in, before anyone reads it."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.model.exchange import Decoded
from collecthub.model.ids import new_id
from collecthub.ports import RawMessage
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow

DECODED = "application/vnd.collecthub.decoded+json"  # replies that a connector had already read


def keep_inbound(
    hub: Hub, work: Work, row: ConnectionRow, raw: RawMessage, decoded: Decoded | None = None
) -> bool:
    """Store bytes as evidence and put them in line for `record`. False when exactly these came before.

    With `decoded`, the answers were part of a call and are kept in the form the connector read them.
    """
    content = raw.content if decoded is None else msgspec.json.encode(decoded)
    sha256 = hub.evidence.keep(content)
    remote_ref = raw.remote_ref[:400]
    if work.conn.scalar(_KNOWN, {"of": row.connection_id, "remote_ref": remote_ref, "sha256": sha256}) is not None:
        return False
    work.conn.execute(
        _KEEP,
        {
            "inbox_id": new_id(), "connection_id": row.connection_id, "remote_ref": remote_ref, "sha256": sha256,
            "media_type": raw.media_type if decoded is None else DECODED,
            "headers": msgspec.json.encode(dict(raw.headers)).decode(), "size": len(content), "state": "stored",
            "received_at": work.now,
        },
    )
    work.wake("record", row.connection_id)
    return True


_KNOWN = sa.select(t.inbox.c.inbox_id).where(
    t.inbox.c.connection_id == sa.bindparam("of"),
    t.inbox.c.remote_ref == sa.bindparam("remote_ref"),
    t.inbox.c.sha256 == sa.bindparam("sha256"),
)
_KEEP = sa.insert(t.inbox)


def answer_again(work: Work, row: ConnectionRow, raw: RawMessage) -> None:
    """Put a known message in line for its answer once more; it is not read again."""
    work.conn.execute(
        sa.update(t.inbox)
        .where(t.inbox.c.connection_id == row.connection_id, t.inbox.c.remote_ref == raw.remote_ref[:400])
        .values(answered_at=None)
    )
    work.wake("record", row.connection_id)
