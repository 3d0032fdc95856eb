"""The fence after a restore: what the partners' own books prove to be there is not sent again.

A restored hub does not know what left after its backup. Before it may send, the books of every partner are read:
a case file that waits here for a case the partner already holds is noted as sent; a sending that was under way is
taken apart, its messages go back in line. Then all sides are compared, and only without a difference, or on a
person's word, the fence falls.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import CASE_FILE, change_case, locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.reconcile import Reconciliation, reconcile
from collecthub.errors import CollecthubError, PermanentError
from collecthub.model.event import CaseSent
from collecthub.model.exchange import AccountLine
from collecthub.ports import PartnerBooks
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.connections import ConnectionRow, read_connections
from collecthub.store.facts import FENCE, read_fact, remove_fact
from collecthub.store.queries.scope import Scope

_UNDER_WAY = ("composed", "prepared", "attempting", "in_doubt")
_FOUND = "found in the partner's books after a restore"


class FenceOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a try to release came to. `unproven` are messages for partners that show no books, or gave no answer."""

    is_released: bool
    found_at_partners: int
    unproven: int
    reconciliation: Reconciliation


def release_fence(hub: Hub, scope: Scope, *, anyway: bool) -> FenceOutcome:
    """Compare with all sides and let the hub send again if nothing differs, or if a person says so.

    A side that gives no answer keeps the fence up as one that differs does. Raises `PermanentError` when there is no fence.
    """
    with hub.database.read() as conn:
        if read_fact(conn, FENCE) is None:
            raise PermanentError("this hub is not fenced", cure="Nothing to release.")
        partners = read_connections(conn, t.connections.c.role == ConnectorRole.PARTNER.value)
    found = unproven = 0
    for row in partners:
        lines = _books(hub, row)
        if lines is None:
            unproven += _waiting_files(hub, row)
        else:
            found += _settle(hub, row, lines)
    outcome = reconcile(hub)
    is_released = anyway or not (outcome.differences or unproven or outcome.unheard)
    if is_released:
        _let_fall(hub, scope, partners)
    return FenceOutcome(
        is_released=is_released, found_at_partners=found, unproven=unproven, reconciliation=outcome
    )


def _books(hub: Hub, row: ConnectionRow) -> dict[str, AccountLine] | None:
    """A partner's lines by case; None from one that shows no books or gives no answer, which `reconcile` then names."""
    with contextlib.suppress(CollecthubError):
        connector = hub.connector(row.connection_id)
        if isinstance(connector, PartnerBooks):
            lines = hub.walk(f"{row.kind}.accounts", row.connection_id)(connector.accounts())
            return {line.case_id: line for line in lines}
    return None


def _settle(hub: Hub, row: ConnectionRow, lines: Mapping[str, AccountLine]) -> int:
    """Note as sent what the partner holds; put the rest back in line. Returns how many files were found there."""
    with hub.work() as work:
        _take_apart(work, row.connection_id)
        waiting = work.conn.execute(_unsent_files(row.connection_id)).all()
        held = [message for message in waiting if message.case_id in lines]
        return sum(_note_sent(hub, work, row, message, lines[message.case_id]) for message in held)


def _unsent_files(connection_id: str) -> sa.Select[tuple[str, str]]:
    return sa.select(t.messages.c.message_id, t.messages.c.case_id).where(
        t.messages.c.connection_id == connection_id, t.messages.c.kind == CASE_FILE,
        t.messages.c.state.in_(["queued", "enveloped"]),
    )  # fmt: skip


def _waiting_files(hub: Hub, row: ConnectionRow) -> int:
    with hub.database.read() as conn:
        return len(conn.execute(_unsent_files(row.connection_id)).all())


def _take_apart(work: Work, connection_id: str) -> None:
    """No sending of before the restore is continued: whether its bytes left cannot be known from here."""
    mine = (t.envelopes.c.connection_id == connection_id) & t.envelopes.c.state.in_(_UNDER_WAY)
    under_way = list(work.conn.scalars(sa.select(t.envelopes.c.envelope_id).where(mine)))
    work.conn.execute(sa.update(t.envelopes).where(mine).values(state="withdrawn", next_attempt_at=None))
    work.conn.execute(
        sa.update(t.messages)
        .where(t.messages.c.envelope_id.in_(under_way))
        .values(state="queued", envelope_id=None)
    )


def _note_sent(hub: Hub, work: Work, row: ConnectionRow, message: sa.Row[tuple[str, str]], line: AccountLine) -> bool:
    case = locked_case(work, message.case_id)
    if case.placement is None or not case.placement.is_live or case.placement.sent_at is not None:
        return False
    work.conn.execute(
        sa.update(t.messages).where(t.messages.c.message_id == message.message_id).values(state="sent")
    )
    sent = CaseSent(
        placement_id=case.placement.placement_id, message_id=message.message_id, envelope_name="", receipt_ref=_FOUND,
        # A stopped account shows nothing: keep our own figure, so that the comparison brings it to a person.
        principal=case.demanded if line.is_stopped else line.principal,
    )  # fmt: skip
    change_case(hub, work, case, [sent], actor=f"connection:{row.connection_id}")
    return True


def _let_fall(hub: Hub, scope: Scope, partners: list[ConnectionRow]) -> None:
    with hub.work() as work:
        reason = read_fact(work.conn, FENCE) or ""
        remove_fact(work.conn, FENCE)
        append_audit(
            work.conn, now=work.now, actor=scope.subject, action="fence.released", subject="hub", detail=reason
        )
        for row in partners:
            work.wake("dispatch", row.connection_id)
        for connection_id in work.conn.scalars(
            sa.select(t.reports.c.connection_id).where(t.reports.c.state == "queued").distinct()
        ):
            work.wake("report", connection_id)
