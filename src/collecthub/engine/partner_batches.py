"""Many reports of a partner in one exchange, and reports on cases that were not here yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.inward import STORED
from collecthub.engine.partner_desk import ReportState, take_statement
from collecthub.errors import PermanentError
from collecthub.formats.json import JsonFormat
from collecthub.model.exchange import InboundMessage
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow

UNKNOWN_CASE = "record.unknown_case"


def take_batch(hub: Hub, work: Work, partner_id: str, report_id: str, content: bytes) -> ReportState:
    """Keep an exchange as published. Its bad messages become faults of their own.

    Raises `QuarantineError` when it cannot be read at all, `PermanentError` when it names another sender.
    """
    decoded = JsonFormat().decode(content)
    if decoded.sender_ref != partner_id:
        raise PermanentError(
            f"the exchange names {decoded.sender_ref[:60]!r} as its sender", cure=f"Name yourself: {partner_id}."
        )
    messages = cast("tuple[InboundMessage, ...]", decoded.messages)  # what no partner may say is quarantined when read
    return take_statement(hub, work, partner_id, report_id, messages, decoded.faults)


def match_early_reports(work: Work, row: ConnectionRow, case_ids: Sequence[str]) -> None:
    """Cases have reached their partner: what it reported on them before is read again."""
    early = (
        (t.quarantine.c.connection_id == row.connection_id)
        & (t.quarantine.c.code == UNKNOWN_CASE)
        & (t.quarantine.c.state == "open")
        & t.quarantine.c.case_id.in_(case_ids)
    )
    entries = work.conn.execute(sa.select(t.quarantine.c.reference, t.quarantine.c.sha256).where(early)).all()
    for entry in entries:
        said = (t.seen.c.connection_id == row.connection_id) & (t.seen.c.message_id == entry.reference)
        mine = (t.inbox.c.connection_id == row.connection_id) & (t.inbox.c.sha256 == entry.sha256)
        work.conn.execute(sa.delete(t.seen).where(said))
        work.conn.execute(
            sa.update(t.inbox).where(mine).values(state=STORED, problem="", recorded_at=None, answered_at=None)
        )
    if entries:
        resolution = "the case has appeared; read again"
        work.conn.execute(
            sa.update(t.quarantine).where(early).values(state="retried", resolved_at=work.now, resolution=resolution)
        )
