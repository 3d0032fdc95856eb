"""What this hub, as the holder of another hub's cases, says back: derived from each case's history, once.

How far a case was told is one number per case, so that nothing is told twice and nothing is left out, whatever
crashes. The outbox is brought up to date when it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.intake import intake_connection_id
from collecthub.engine.peer_outbox import send_back
from collecthub.engine.peers import SUSPENDED, peer_creditor_id
from collecthub.model import event as ev
from collecthub.model.case import Case
from collecthub.model.codes import Outcome
from collecthub.model.exchange import (
    AccountLine,
    CaseInstruction,
    CaseReturn,
    CaseStatusUpdate,
    CostStatement,
    InstructionCode,
    Message,
    PaymentReport,
)
from collecthub.model.ids import derived_id
from collecthub.model.ledger import LedgerLine, LineKind
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events, read_lines
from collecthub.store.facts import write_fact

CASES_PER_CHUNK, MESSAGES_PER_EXCHANGE = 100, 200
_TOLD = "peer_told:"


class OutboxItem(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange that waits for the other hub."""

    cursor: str
    exchange: msgspec.Raw


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """Exchanges for the other hub, oldest first. `next_cursor` is null when there is nothing more now."""

    items: tuple[OutboxItem, ...]
    next_cursor: str | None


def tell_peer(hub: Hub, partner_id: str) -> int:
    """Put everything new in a hub's cases into its outbox; returns how many messages that were."""
    connection_id = intake_connection_id(peer_creditor_id(partner_id))
    told = 0
    while True:
        with hub.database.read() as conn:
            waiting = list(conn.execute(_untold(connection_id)))
        if not waiting:
            return told
        with hub.work() as work:
            told += _tell_chunk(hub, work, partner_id, connection_id)


def _untold(connection_id: str) -> sa.Select[Any]:
    seen = sa.func.coalesce(sa.cast(t.facts.c.value, sa.Integer), 1)  # the opening was answered when it came in
    return (
        sa.select(t.cases.c.case_id, seen.label("seen"))
        .outerjoin(t.facts, t.facts.c.name == _TOLD + t.cases.c.case_id)
        .where(t.cases.c.connection_id == connection_id, t.cases.c.version > seen)
        .order_by(t.cases.c.case_id)
        .limit(CASES_PER_CHUNK)
    )


def _tell_chunk(hub: Hub, work: Work, partner_id: str, connection_id: str) -> int:
    mine = sa.select(t.connections.c.connection_id).where(t.connections.c.connection_id == connection_id)
    work.conn.execute(mine.with_for_update())  # one teller at a time keeps the outbox in order
    seen = {row.case_id: row.seen for row in work.conn.execute(_untold(connection_id))}
    messages: list[Message] = []
    for case in read_cases(work.conn, t.cases.c.case_id.in_(list(seen))):
        history = read_events(work.conn, case.case_id)
        messages += words(case, [event for event in history if event.seq > seen[case.case_id]])
        write_fact(work.conn, _TOLD + case.case_id, str(history[-1].seq))
    for start in range(0, len(messages), MESSAGES_PER_EXCHANGE):
        send_back(hub, work, partner_id, messages[start : start + MESSAGES_PER_EXCHANGE])
    return len(messages)


def words(case: Case, events: list[ev.CaseEvent]) -> Iterator[Message]:
    """What the creditor's hub must hear of these events. Pure."""
    for event in events:
        more = _word(case, event)
        if more is not None:
            yield more


def _word(case: Case, event: ev.CaseEvent) -> Message | None:
    head: Mapping[str, Any] = {
        "message_id": derived_id(case.case_id, str(event.seq), "peer"), "case_id": case.debtor_ref,
        "holder_ref": case.number,
    }
    fact = event.fact
    match fact:
        case ev.StatusReported():
            return CaseStatusUpdate(
                **head, sequence=event.seq, status_code=fact.meaning, text=fact.text, occurred_at=event.occurred_at,
                next_deadline_on=fact.next_deadline_on,
            )
        case ev.CostReported():
            return CostStatement(
                **head, cost_ref=fact.cost_ref, cost_type=fact.cost_type, currency=case.currency, amount=fact.amount,
                tax_amount=fact.tax_amount, bearer=fact.bearer, occurred_on=fact.occurred_on, legal_basis=fact.legal_basis,
            )
        case ev.PaymentReported():
            return PaymentReport(
                **head, payment_ref=fact.payment_ref, currency=case.currency, amount=fact.amount,
                received_on=fact.received_on, reverses_ref=fact.reverses_ref, remittance_ref=fact.remittance_ref,
            )
        case ev.PaymentRecorded():
            return PaymentReport(
                **head, payment_ref=f"recorded-{event.seq}", currency=case.currency, amount=fact.amount,
                received_on=fact.paid_on, reverses_ref=fact.reverses_ref or "",
            )
        case ev.InstructionReceived() if event.actor != f"partner:{case.creditor_id.removeprefix('peer-')}":
            code = InstructionCode(fact.code)
            return CaseInstruction(**head, code=code, text=fact.text) if code is InstructionCode.QUESTION else None
        case ev.CaseClosed() if fact.outcome is not Outcome.RECALLED:
            return CaseReturn(
                **head, close_code=fact.outcome.value, currency=case.currency, remaining=case.balance.open_principal,
                occurred_on=event.occurred_at.date(), text=fact.reason,
            )
        case _:
            return None


# --- read -----------------------------------------------------------------------------------------


def read_outbox(conn: sa.Connection, partner_id: str, after: int, limit: int) -> Outbox:
    """The next exchanges for a hub."""
    rows = conn.execute(
        sa.select(t.peer_outbox)
        .where(t.peer_outbox.c.partner_id == partner_id, t.peer_outbox.c.position > after)
        .order_by(t.peer_outbox.c.position)
        .limit(limit + 1)
    ).all()
    items = tuple(
        OutboxItem(cursor=str(row.position), exchange=msgspec.Raw(row.doc.encode())) for row in rows[:limit]
    )
    return Outbox(items=items, next_cursor=items[-1].cursor if len(rows) > limit else None)


def knows_outgoing(conn: sa.Connection, partner_id: str, exchange_id: str) -> bool:
    """Whether an exchange was put out for this hub."""
    mine = (t.peer_outbox.c.partner_id == partner_id) & (t.peer_outbox.c.exchange_id == exchange_id)
    return conn.scalar(sa.select(t.peer_outbox.c.position).where(mine)) is not None


def accounts(conn: sa.Connection, partner_id: str) -> Iterator[AccountLine]:
    """This hub's own books on another hub's cases, all of them, the stopped ones too."""
    mine = t.cases.c.connection_id == intake_connection_id(peer_creditor_id(partner_id))
    for case in read_cases(conn, mine):
        yield account_line(case, read_lines(conn, case.case_id))


def account_line(case: Case, lines: list[LedgerLine]) -> AccountLine:
    """One line of the books, from the ledger. Pure."""
    paid_here = sum((line.amount for line in lines if line.kind is LineKind.PAYMENT and line.origin != "erp"), Decimal(0))
    paid_there = sum((line.amount for line in lines if line.kind is LineKind.PAYMENT and line.origin == "erp"), Decimal(0))
    balance = case.balance
    asked = balance.principal - balance.credits - balance.write_offs - paid_there
    is_recalled = case.outcome is Outcome.RECALLED
    return AccountLine(
        case_id=case.debtor_ref, holder_ref=case.number, currency=case.currency,
        principal=Decimal(0) if is_recalled else asked, paid=paid_here,
        costs=balance.costs + balance.creditor_costs, is_stopped=not case.is_open or case.held_for(SUSPENDED),
    )
