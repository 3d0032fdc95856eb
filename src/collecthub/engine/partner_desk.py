"""What partners say through the hub's own doors: REST, the web page, a form.

Every statement becomes an exchange of the published contract first and is then kept and read like one that came over
SFTP or SOAP: stored before it is understood, translated by the same tables, quarantined with its reason when it cannot be.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import partner_connection
from collecthub.engine.context import Hub, Work
from collecthub.engine.inbound import keep_inbound
from collecthub.engine.inward import QUARANTINED, RECORDED
from collecthub.errors import PermanentError
from collecthub.formats.json import JsonFormat
from collecthub.model.exchange import Exchange, Fault, InboundMessage
from collecthub.ports import RawMessage
from collecthub.store import tables as t
from collecthub.store.connections import read_connection
from collecthub.store.queries.scope import not_there

MEDIA_TYPE = "application/json"
_STATES = {RECORDED: "recorded", QUARANTINED: "quarantined"}


class ReportState(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a partner's statement: `received`, `recorded` or `quarantined`; `problem` says what was not understood."""

    report_id: str
    state: str
    problem: str = ""


def take_statement(
    hub: Hub, work: Work, partner_id: str, report_id: str, messages: Sequence[InboundMessage], faults: Sequence[Fault] = ()
) -> ReportState:
    """Keep what a partner said and put it in line; `report_id` names the statement, the same one again has no second effect.

    `faults` are the parts that could not be read; they go to quarantine beside what could. Raises `PermanentError` when a
    message breaks the published contract.
    """
    exchange = Exchange(
        exchange_id=report_id, sender_ref=partner_id, receiver_ref=hub.settings.operator_name, created_at=work.now,
        messages=tuple(messages),
    )
    written = JsonFormat()
    decoded = written.decode(written.encode(exchange))
    if decoded.faults:
        raise PermanentError(
            f"the statement breaks the contract: {decoded.faults[0].reason}", cure=f"Correct {decoded.faults[0].path}."
        )
    row = read_connection(work.conn, partner_connection(work, partner_id))
    if row is None:
        raise not_there("connection of partner", partner_id)
    raw = RawMessage(remote_ref=report_id, media_type=MEDIA_TYPE, content=b"")
    keep_inbound(hub, work, row, raw, msgspec.structs.replace(decoded, faults=tuple(faults)))
    return ReportState(report_id=report_id, state="received")


def report_state(conn: sa.Connection, partner_id: str, report_id: str) -> ReportState:
    """What became of a statement. Raises `NotThereError` for an unknown one and for somebody else's."""
    mine = sa.select(t.connections.c.connection_id).where(t.connections.c.partner_id == partner_id)
    query = (
        sa.select(t.inbox.c.state, t.inbox.c.problem)
        .where(t.inbox.c.remote_ref == report_id, t.inbox.c.connection_id.in_(mine))
        .order_by(t.inbox.c.received_at.desc())
    )
    row = conn.execute(query).first()
    if row is None:
        raise not_there("report", report_id)
    return ReportState(report_id=report_id, state=_STATES.get(row.state, "received"), problem=row.problem)
