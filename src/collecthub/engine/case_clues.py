"""By what a payment finds its case: references, invoice numbers and names of every case, kept beside the cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import sqlalchemy as sa

from collecthub.corridor.match import Candidate, Clues, KnownMoney, OpenClaim, bare_name, bare_number
from collecthub.engine.context import Hub
from collecthub.model.case import RECORDED, Case
from collecthub.model.event import DirectPaymentSeen, PaymentRecorded, PaymentReported
from collecthub.model.payment_reference import ogm_digits
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_histories

_CASES_AT_ONCE, _CLUES_AT_ONCE, _CASES_PER_CLUE = 500, 2000, 50
_INVOICE_LEAST = 4
_FOREVER = 2**31 - 1


def clues_of_case(case: Case) -> set[str]:
    """Everything a payment may carry that points to the case; its number is found without an index."""
    found = {f"o:{ogm_digits(case.number)}"}
    for claim in case.claims:
        bare = bare_number(claim.number)
        if len(bare) >= _INVOICE_LEAST:
            found.add(f"i:{bare[:190]}")
    name = bare_name(case.debtor.name)
    return found | ({f"n:{name[:190]}"} if name else set())


def clues_of_payment(clues: Clues) -> set[str]:
    """The clues to look up for a payment."""
    named = {f"n:{clues.name[:190]}"} if clues.name else set()
    return {f"o:{digits}" for digits in clues.ogm} | {f"i:{token}" for token in clues.tokens} | named


def refresh_clues(hub: Hub, creditor_id: str | None) -> None:
    """Bring the clues of changed cases up to date; without a creditor those of all."""
    after = ""
    while True:
        with hub.work() as work:
            rows = work.conn.execute(_stale(creditor_id, after)).all()
            if not rows:
                return
            after = rows[-1].case_id
            _write_clues(work.conn, read_cases(work.conn, t.cases.c.case_id.in_([row.case_id for row in rows])))


def _stale(creditor_id: str | None, after: str) -> sa.Select[tuple[str]]:
    query = (
        sa.select(t.cases.c.case_id)
        .outerjoin(t.clued_cases, t.clued_cases.c.case_id == t.cases.c.case_id)
        .where(t.cases.c.case_id > after, sa.func.coalesce(t.clued_cases.c.version, 0) != t.cases.c.version)
        .order_by(t.cases.c.case_id)
        .limit(_CASES_AT_ONCE)
    )
    return query if creditor_id is None else query.where(t.cases.c.creditor_id == creditor_id)


def _write_clues(conn: sa.Connection, cases: Sequence[Case]) -> None:
    ids = [case.case_id for case in cases]
    there: dict[str, set[str]] = defaultdict(set)
    for row in conn.execute(sa.select(t.case_clues).where(t.case_clues.c.case_id.in_(ids))):
        there[row.case_id].add(row.clue)
    rows = [
        {"clue": clue, "case_id": case.case_id, "creditor_id": case.creditor_id}
        for case in cases
        for clue in sorted(clues_of_case(case) - there[case.case_id])
    ]
    if rows:
        conn.execute(sa.insert(t.case_clues), rows)
    conn.execute(sa.delete(t.clued_cases).where(t.clued_cases.c.case_id.in_(ids)))
    conn.execute(sa.insert(t.clued_cases), [{"case_id": case.case_id, "version": case.version} for case in cases])


def find_cases(
    conn: sa.Connection, creditor_id: str | None, wanted: Sequence[Clues]
) -> tuple[list[tuple[str, ...]], dict[str, Case]]:
    """Per payment the cases that its clues point to, and these cases. A clue that fits very many tells nothing."""
    by_clue: dict[str, list[str]] = defaultdict(list)
    for some in _slices(sorted(set().union(*(clues_of_payment(clues) for clues in wanted)))):
        for clue, case_id in _of_owner(conn, _CLUED, t.case_clues.c.creditor_id, some, creditor_id):
            by_clue[clue].append(case_id)
    by_number: dict[str, str] = {}
    for some in _slices(sorted({number for clues in wanted for number in clues.case_numbers})):
        by_number.update((number, case_id) for number, case_id in _of_owner(conn, _NUMBERED, t.cases.c.creditor_id, some, creditor_id))
    found = [tuple(sorted(_pointed_to(clues, by_clue, by_number))) for clues in wanted]
    cases: dict[str, Case] = {}
    for some in _slices(sorted({case_id for ids in found for case_id in ids})):
        cases.update((case.case_id, case) for case in read_cases(conn, t.cases.c.case_id.in_(some)))
    return found, cases


# Built once: a matching run asks them for every chunk, and building one costs as much as asking it.
_WANTED: sa.BindParameter[str] = sa.bindparam("wanted", expanding=True)
_CLUED = sa.select(t.case_clues.c.clue, t.case_clues.c.case_id).where(t.case_clues.c.clue.in_(_WANTED))
_NUMBERED = sa.select(t.cases.c.number, t.cases.c.case_id).where(t.cases.c.number.in_(_WANTED))


def _of_owner(
    conn: sa.Connection, query: sa.Select[str, str], owner: sa.Column[str], wanted: Sequence[str], creditor_id: str | None
) -> Iterator[tuple[str, str]]:
    """What a query finds among the cases of one creditor; without one among those of all."""
    mine = query if creditor_id is None else query.where(owner == creditor_id)
    return ((said, case_id) for said, case_id in conn.execute(mine, {"wanted": wanted}))


def _pointed_to(clues: Clues, by_clue: dict[str, list[str]], by_number: dict[str, str]) -> set[str]:
    ids = {by_number[number] for number in clues.case_numbers if number in by_number}
    for clue in clues_of_payment(clues):
        fitting = by_clue.get(clue, [])
        if len(fitting) <= _CASES_PER_CLUE:
            ids.update(fitting)
    return ids


def _slices(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + _CLUES_AT_ONCE] for start in range(0, len(items), _CLUES_AT_ONCE))


# --- what a case knows already --------------------------------------------------------------------


def candidates(conn: sa.Connection, cases: Iterable[Case]) -> dict[str, Candidate]:
    """Cases as the matcher sees them, with the money of theirs that no bank file has shown yet."""
    held = {case.case_id: case for case in cases}
    paid = [case_id for case_id, case in held.items() if case.balance.payments]
    known = known_money(conn, paid)
    return {case_id: as_candidate(case, known.get(case_id, ())) for case_id, case in held.items()}


def as_candidate(case: Case, known: tuple[KnownMoney, ...]) -> Candidate:
    """One case as the matcher sees it."""
    return Candidate(
        case_id=case.case_id, number=case.number, debtor_name=case.debtor.name, currency=case.currency,
        owed=max(case.balance.total, Decimal(0)), is_open=case.is_open, known_money=known,
        claims=tuple(OpenClaim(number=claim.number, open_amount=claim.open_amount) for claim in case.claims),
    )  # fmt: skip


def known_money(conn: sa.Connection, case_ids: Sequence[str]) -> dict[str, tuple[KnownMoney, ...]]:
    """Payments in the histories of cases that are tied to no movement on an account; `ref` is the event's number."""
    found: dict[str, tuple[KnownMoney, ...]] = {}
    for some in _slices(sorted(case_ids)):
        bookings = sa.select(t.payment_bookings.c.case_id, t.payment_bookings.c.seq)
        tied = {(row.case_id, row.seq) for row in conn.execute(bookings.where(t.payment_bookings.c.case_id.in_(some)))}
        for case_id, events in read_histories(conn, some, _FOREVER).items():
            back = {event.fact.reverses_ref for event in events if isinstance(event.fact, PaymentRecorded)}
            found[case_id] = tuple(
                money
                for event in events
                if (case_id, event.seq) not in tied and f"{RECORDED}{event.seq}" not in back
                and (money := _money_of(event.seq, event.fact)) is not None
            )  # fmt: skip
    return found


def _money_of(seq: int, fact: object) -> KnownMoney | None:
    match fact:
        case DirectPaymentSeen():
            return KnownMoney(ref=str(seq), amount=fact.amount, on=fact.paid_on, source="erp")
        case PaymentReported() if fact.amount > 0:
            return KnownMoney(ref=str(seq), amount=fact.amount, on=fact.received_on, source="partner")
        case PaymentRecorded() if fact.amount > 0:
            return KnownMoney(ref=str(seq), amount=fact.amount, on=fact.paid_on, source="person")
        case _:
            return None
