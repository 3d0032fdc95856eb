"""Cases and their histories: append facts, keep the projection, read both.

`append` is the only writer. Within one transaction it seals the facts into the hash chain, folds them into the
case, writes their ledger lines, and refreshes the searchable row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.errors import PermanentError, RetryableError
from collecthub.model.booking import ledger_lines
from collecthub.model.case import Case, apply
from collecthub.model.event import CaseEvent, Fact, seal
from collecthub.model.exchange import CostBearer
from collecthub.model.ledger import LedgerLine, LineKind
from collecthub.model.money import minor_units
from collecthub.model.party import Party
from collecthub.store.tables import cases, events
from collecthub.store.tables import ledger_lines as lines_table

GENESIS = "0" * 64
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_case = msgspec.json.Decoder(Case).decode
_decode_event = msgspec.json.Decoder(CaseEvent).decode


def to_minor(amount: Decimal, currency: str) -> int:
    """An exact amount in minor units. Raises `PermanentError` when it is finer than the currency allows."""
    scaled = amount.scaleb(minor_units(currency))
    whole = int(scaled)
    if scaled != whole:
        raise PermanentError(
            f"{amount} {currency} is finer than the currency", cure="Round it before it enters the hub."
        )
    return whole


def from_minor(minor: int, currency: str) -> Decimal:
    """Minor units back to an exact amount."""
    return Decimal(minor).scaleb(-minor_units(currency))


def append(
    conn: sa.Connection,
    case: Case | None,
    facts: Sequence[Fact],
    *,
    case_id: str,
    actor: str,
    now: dt.datetime,
    occurred_at: dt.datetime | None = None,
    debtor: Party | None = None,
) -> tuple[Case, tuple[CaseEvent, ...]]:
    """Record facts on a case (None for a new one) and return the case after them and the sealed events.

    Raises `RetryableError` when somebody else changed the case meanwhile: read it again and decide anew.
    """
    before = case.version if case else 0
    written: list[CaseEvent] = []
    lines: list[dict[str, object]] = []
    for fact in facts:
        seq = (case.version if case else 0) + 1
        event = seal(
            CaseEvent(
                case_id=case_id, seq=seq, occurred_at=occurred_at or now, recorded_at=now, actor=actor,
                fact=fact, previous_hash=case.last_hash if case else GENESIS,
            )
        )
        case = apply(case, event)
        new_lines = ledger_lines(case.currency, event)
        if debtor is not None:
            case = msgspec.structs.replace(case, debtor=debtor)
        lines += [_line_row(case, event, number, line) for number, line in enumerate(new_lines)]
        written.append(event)
    assert case is not None, "facts are never empty"
    _write_projection(conn, case, before)
    conn.execute(_ADD_EVENTS, [_event_row(case, event) for event in written])
    if lines:
        conn.execute(_ADD_LINES, lines)
    return case, tuple(written)


_CHANGE_CASE = sa.update(cases).where(
    cases.c.case_id == sa.bindparam("known_id"), cases.c.version == sa.bindparam("known_version")
)
_ADD_EVENTS, _ADD_LINES = sa.insert(events), sa.insert(lines_table)


def _write_projection(conn: sa.Connection, case: Case, before: int) -> None:
    row = _case_row(case)
    if before == 0:
        conn.execute(sa.insert(cases), row)
        return
    done = conn.execute(_CHANGE_CASE, {**row, "known_id": case.case_id, "known_version": before})
    if done.rowcount != 1:
        raise RetryableError(
            f"case {case.number} was changed by somebody else at the same moment",
            cure="Nothing to do; it is read again.",
            reference=case.case_id,
            retry_after_seconds=0,
        )


def _case_row(case: Case) -> dict[str, object]:
    placement = case.placement
    live = placement if placement and placement.is_live else None
    numbers = " ".join(claim.number for claim in case.claims)
    holder = placement.holder_ref if placement else ""
    return {
        "case_id": case.case_id,
        "number": case.number,
        "creditor_id": case.creditor_id,
        "connection_id": case.connection_id,
        "debtor_ref": case.debtor_ref,
        "debtor_name": case.debtor.name,
        "debtor_country": case.debtor.country,
        "currency": case.currency,
        "segment": case.segment,
        "status": case.status.value,
        "phase": case.phase.value,
        "outcome": case.outcome.value if case.outcome else "",
        "route": placement.route if placement else "",
        "partner_id": live.partner_id if live else None,
        "holder_ref": holder,
        "holds": " ".join(hold.reason for hold in case.holds),
        "owner": case.owner,
        "principal_minor": to_minor(case.balance.principal, case.currency),
        "total_minor": to_minor(case.balance.total, case.currency),
        "recovered_minor": to_minor(case.balance.payments, case.currency),
        "oldest_due_on": min((claim.due_on for claim in case.claims), default=None),
        "opened_at": case.opened_at,
        "changed_at": case.changed_at,
        "version": case.version,
        "search": f"{case.number} {case.debtor.name} {case.debtor_ref} {holder} {numbers}".casefold(),
        "doc": _encode(case).decode(),
    }


def _event_row(case: Case, event: CaseEvent) -> dict[str, object]:
    return {
        "case_id": event.case_id,
        "seq": event.seq,
        "creditor_id": case.creditor_id,
        "kind": event.kind,
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "actor": event.actor,
        "doc": _encode(event).decode(),
        "hash": event.hash,
    }


def _line_row(case: Case, event: CaseEvent, number: int, line: LedgerLine) -> dict[str, object]:
    return {
        "case_id": event.case_id,
        "seq": event.seq,
        "line": number,
        "creditor_id": case.creditor_id,
        "kind": line.kind.value,
        "bearer": line.bearer.value,
        "amount_minor": to_minor(line.amount, line.currency),
        "currency": line.currency,
        "booked_on": line.booked_on,
        "basis": line.basis,
        "claim_id": line.claim_id,
        "reference": line.reference,
        "origin": line.origin,
    }


_READ_CASE = sa.select(cases.c.doc).where(cases.c.case_id == sa.bindparam("case_id"))
_LOCK_CASE = _READ_CASE.with_for_update()


def read_case(conn: sa.Connection, case_id: str, *, lock: bool = False) -> Case | None:
    """The case, or None; with `lock` nobody else changes it before this transaction ends."""
    doc = conn.scalar(_LOCK_CASE if lock else _READ_CASE, {"case_id": case_id})
    return None if doc is None else _decode_case(doc)


def read_cases(conn: sa.Connection, condition: sa.ColumnElement[bool], limit: int | None = None) -> list[Case]:
    """Cases that satisfy a condition on the `cases` table, by id."""
    query = sa.select(cases.c.doc).where(condition).order_by(cases.c.case_id)
    return [_decode_case(doc) for doc in conn.scalars(query.limit(limit) if limit else query)]


def read_events(conn: sa.Connection, case_id: str) -> list[CaseEvent]:
    """The history of a case, oldest first."""
    query = sa.select(events.c.doc).where(events.c.case_id == case_id).order_by(events.c.seq)
    return [_decode_event(doc) for doc in conn.scalars(query)]


def read_event(conn: sa.Connection, case_id: str, seq: int) -> CaseEvent | None:
    """One event of a case, or None."""
    doc = conn.scalar(sa.select(events.c.doc).where(events.c.case_id == case_id, events.c.seq == seq))
    return None if doc is None else _decode_event(doc)


def read_lines(conn: sa.Connection, case_id: str) -> list[LedgerLine]:
    """The ledger lines of a case, in the order they were booked."""
    query = (
        sa.select(lines_table)
        .where(lines_table.c.case_id == case_id)
        .order_by(lines_table.c.seq, lines_table.c.line)
    )
    return [
        LedgerLine(
            kind=LineKind(row.kind), amount=from_minor(row.amount_minor, row.currency), currency=row.currency,
            booked_on=row.booked_on, bearer=CostBearer(row.bearer), basis=row.basis, claim_id=row.claim_id,
            reference=row.reference, origin=row.origin,
        )
        for row in conn.execute(query)
    ]


def replay(history: Iterable[CaseEvent]) -> Case | None:
    """Fold a history into its case, as `apply` would have it today."""
    case: Case | None = None
    for event in history:
        case = apply(case, event)
    return case
