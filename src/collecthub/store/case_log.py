"""Cases and their histories: append facts, keep the projection, read both.

`CaseBook` is the only writer: facts become sealed events, the case folded from them, ledger lines and the searchable
row.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.errors import PermanentError, RetryableError
from collecthub.model.booking import ledger_lines
from collecthub.model.case import Case
from collecthub.model.event import CaseEvent, Fact, seal
from collecthub.model.exchange import CostBearer
from collecthub.model.history import apply
from collecthub.model.ledger import LedgerLine, LineKind
from collecthub.model.money import minor_units
from collecthub.model.party import Party
from collecthub.store.tables import cases, events
from collecthub.store.tables import ledger_lines as lines_table

GENESIS = "0" * 64
LAST_EVENT = 2**31 - 1  # later than any: the whole history
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


class CaseBook:
    """The cases that one transaction has in hand: each is read and locked once and written once.

    `append` is the only way in which a case changes. It seals facts into the hash chain, folds them into the case and
    makes their ledger lines; `write` brings all of that to the tables in a handful of statements, because a
    statement costs more than the rows in it.
    """

    def __init__(self) -> None:
        self._held: dict[str, Case] = {}
        self._stored: dict[str, int] = {}  # changed cases and the version that the table has; 0 is a new case
        self._events: list[tuple[Case, CaseEvent]] = []
        self._lines: list[dict[str, object]] = []

    def hold(self, conn: sa.Connection, case_ids: Iterable[str]) -> None:
        """Read and lock these cases, always in the same order, so that two transactions never wait for each other."""
        wanted = sorted(set(case_ids) - self._held.keys())
        for start in range(0, len(wanted), _CASES_PER_LOOK):
            some = wanted[start : start + _CASES_PER_LOOK]
            for doc in conn.scalars(_LOCK_CASES, {"case_ids": some}):
                case = _decode_case(doc)
                self._held[case.case_id] = case

    def held(self, case_id: str) -> Case | None:
        """A case that was held and exists, as it stands with everything appended so far."""
        return self._held.get(case_id)

    def history(self, conn: sa.Connection, case_id: str) -> list[CaseEvent]:
        """The history of a case with what was appended here and is not in the tables yet, oldest first."""
        return read_events(conn, case_id) + [event for case, event in self._events if case.case_id == case_id]

    def append(
        self,
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

        Raises `RetryableError` when the case given is not the newest: read it again and decide anew.
        """
        before = case.version if case else 0
        newest = self._held.get(case_id)
        if newest is not None and newest.version != before:
            raise _changed_meanwhile(newest)
        written: list[CaseEvent] = []
        for fact in facts:
            event = seal(
                CaseEvent(
                    case_id=case_id, seq=(case.version if case else 0) + 1, occurred_at=occurred_at or now,
                    recorded_at=now, actor=actor, fact=fact, previous_hash=case.last_hash if case else GENESIS,
                )
            )
            case = apply(case, event)
            new_lines = ledger_lines(case.currency, event)
            if debtor is not None:
                case = msgspec.structs.replace(case, debtor=debtor)
            self._lines += [_line_row(case, event, number, line) for number, line in enumerate(new_lines)]
            self._events.append((case, event))
            written.append(event)
        assert case is not None, "facts are never empty"
        self._held[case_id] = case
        self._stored.setdefault(case_id, before)
        return case, tuple(written)

    def write(self, conn: sa.Connection) -> None:
        """Bring what was appended to the tables. Raises `RetryableError` when somebody else was quicker."""
        changed = [(self._held[case_id], before) for case_id, before in self._stored.items()]
        new = [case_row(case) for case, before in changed if before == 0]
        old = [
            {**case_row(case), "known_id": case.case_id, "known_version": before} for case, before in changed if before
        ]
        if new:
            conn.execute(_ADD_CASES, new)
        if old and conn.execute(_CHANGE_CASE, old).rowcount != len(old):
            raise _changed_meanwhile(next(case for case, before in changed if before))
        if self._events:
            conn.execute(_ADD_EVENTS, [event_row(case, event) for case, event in self._events])
        if self._lines:
            conn.execute(_ADD_LINES, self._lines)
        self._stored, self._events, self._lines = {}, [], []


def _changed_meanwhile(case: Case) -> RetryableError:
    return RetryableError(
        f"case {case.number}, or one beside it, was changed by somebody else at the same moment",
        cure="Nothing to do; it is read again.", reference=case.case_id, retry_after_seconds=0,
    )


_CASES_PER_LOOK = 500
_LOCK_CASES = (
    sa.select(cases.c.doc)
    .where(cases.c.case_id.in_(sa.bindparam("case_ids", expanding=True)))
    .order_by(cases.c.case_id)
    .with_for_update()
)
_ADD_CASES, _ADD_EVENTS, _ADD_LINES = sa.insert(cases), sa.insert(events), sa.insert(lines_table)
_CHANGE_CASE = sa.update(cases).where(
    cases.c.case_id == sa.bindparam("known_id"), cases.c.version == sa.bindparam("known_version")
)


def case_row(case: Case) -> dict[str, object]:
    """The case with the copies of its data that queries look at."""
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
        "search": f"{case.number} {case.debtor.name} {case.debtor_ref} {holder} {numbers} {_phones(case)}".casefold(),
        "checked": case.feasibility.version if case.feasibility else "",
        "doc": _encode(case).decode(),
    }


def _phones(case: Case) -> str:
    """Phone numbers as digits alone, so that a caller is found however his number is written."""
    return " ".join(re.sub(r"\D", "", contact.phone) for contact in case.debtor.contacts if contact.phone)


def event_row(case: Case, event: CaseEvent) -> dict[str, object]:
    """The event with the copies of its data that queries look at; `case` as it is after the event."""
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


def read_case(conn: sa.Connection, case_id: str) -> Case | None:
    """The case, or None."""
    doc = conn.scalar(_READ_CASE, {"case_id": case_id})
    return None if doc is None else _decode_case(doc)


def read_cases(conn: sa.Connection, condition: sa.ColumnElement[bool], limit: int | None = None) -> list[Case]:
    """Cases that satisfy a condition on the `cases` table, by id."""
    query = sa.select(cases.c.doc).where(condition).order_by(cases.c.case_id)
    return [_decode_case(doc) for doc in conn.scalars(query.limit(limit) if limit else query)]


def read_events(conn: sa.Connection, case_id: str) -> list[CaseEvent]:
    """The history of a case, oldest first."""
    return [_decode_event(doc) for doc in conn.scalars(_READ_EVENTS, {"case_id": case_id})]


_READ_EVENTS = sa.select(events.c.doc).where(events.c.case_id == sa.bindparam("case_id")).order_by(events.c.seq)
_HISTORIES = (
    sa.select(events.c.case_id, events.c.doc)
    .where(events.c.case_id.in_(sa.bindparam("case_ids", expanding=True)), events.c.seq <= sa.bindparam("until"))
    .order_by(events.c.case_id, events.c.seq)
)


def read_histories(conn: sa.Connection, case_ids: Sequence[str], until: int) -> dict[str, list[CaseEvent]]:
    """The histories of some cases up to a sequence number, each oldest first."""
    histories: dict[str, list[CaseEvent]] = {}
    for case_id, doc in conn.execute(_HISTORIES, {"case_ids": list(case_ids), "until": until}):
        histories.setdefault(case_id, []).append(_decode_event(doc))
    return histories


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
