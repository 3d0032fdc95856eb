"""Payments that fit only together: several of one payer that make one sum, or one that names several cases.

Found when a person looks at a payment that waits, and booked by him: all of a proposal or nothing of it, and only as
long as it still holds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from hashlib import sha256

import msgspec
import sqlalchemy as sa

from collecthub.corridor.combine import WITHIN, Movement, OwedSum, divided, summed_up
from collecthub.corridor.match import Candidate, Clues, bare_name, bare_number, clues_of
from collecthub.engine.case_clues import candidates, find_cases
from collecthub.engine.context import Hub, Work
from collecthub.engine.payment_desk import assign_payment
from collecthub.errors import PermanentError
from collecthub.model.payment_reference import ogm_digits
from collecthub.store import payments as p
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.queries.payments import visible
from collecthub.store.queries.scope import Scope, not_there

_ROWS_MOST = 500
_BY_HAND = "Read the payment again; parts can also be given to cases one by one."


class ProposedPart(msgspec.Struct, frozen=True, kw_only=True):
    """A payment, or a part of it, and the case it would go to; without `invoice` it is all that the case asks for."""

    payment_id: str
    booked_on: dt.date
    amount: Decimal
    case_id: str
    case_number: str
    debtor_name: str
    invoice: str


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """Parts that are booked together. `key` names the proposal as long as it holds."""

    key: str
    amount: Decimal
    currency: str
    parts: tuple[ProposedPart, ...]


class Proposals(msgspec.Struct, frozen=True, kw_only=True):
    """What fits: payments `together` that make one sum, and cases over which the one payment is `divided`.

    More than one of a kind means that the money does not say which; a person chooses.
    """

    together: tuple[Proposed, ...] = ()
    divided: tuple[Proposed, ...] = ()


def proposals(conn: sa.Connection, scope: Scope, payment_id: str) -> Proposals:
    """What a payment that waits may be together with others, or divided. Raises `NotThereError`."""
    query = sa.select(t.payments).where(t.payments.c.payment_id == payment_id, visible(scope, t.payments.c.creditor_id))
    row = conn.execute(query).first()
    if row is None:
        raise not_there("payment", payment_id)
    first = p.stored(row)
    if first.state not in (p.NEW, p.OPEN) or first.amount_minor <= 0:
        return Proposals()
    others = _of_same_payer(conn, first)
    stored = [first, *others]
    clues = [clues_of(one.transaction) for one in stored]
    found, cases = find_cases(conn, first.creditor_id, clues)
    known = {
        case_id: one for case_id, one in candidates(conn, cases.values()).items() if one.is_open and one.currency == first.currency
    }
    movements = _left(conn, stored)
    return Proposals(
        together=_together(movements, known) if others else (),
        divided=_divided(movements[0], clues[0], [known[case_id] for case_id in found[0] if case_id in known]),
    )


def _of_same_payer(conn: sa.Connection, first: p.StoredPayment) -> list[p.StoredPayment]:
    """Other payments that wait on the same owner's accounts, in the same currency, from the same account or name."""
    said, pay = first.transaction, t.payments
    marks = [mark for mark in (said.payer_account, said.payer_name) if mark]
    if not marks:
        return []
    owner = pay.c.creditor_id.is_(None) if first.creditor_id is None else pay.c.creditor_id == first.creditor_id
    query = sa.select(pay).where(
        owner, pay.c.state.in_((p.NEW, p.OPEN)), pay.c.currency == first.currency, pay.c.amount_minor > 0,
        pay.c.payment_id != first.payment_id, pay.c.booked_on.between(first.booked_on - WITHIN, first.booked_on + WITHIN),
        sa.or_(*(pay.c.doc.contains(mark, autoescape=True) for mark in marks)),
    )  # fmt: skip
    rows = conn.execute(query.order_by(pay.c.booked_on, pay.c.payment_id).limit(_ROWS_MOST))
    return [one for one in map(p.stored, rows) if _same_payer(one, first)]


def _same_payer(one: p.StoredPayment, first: p.StoredPayment) -> bool:
    left, right = one.transaction, first.transaction
    name = bare_name(right.payer_name)
    return bool(right.payer_account and left.payer_account == right.payer_account or name and bare_name(left.payer_name) == name)


def _left(conn: sa.Connection, stored: Sequence[p.StoredPayment]) -> list[Movement]:
    booked = t.payment_bookings
    query = (
        sa.select(booked.c.payment_id, sa.func.sum(booked.c.amount_minor))
        .where(booked.c.payment_id.in_([one.payment_id for one in stored]), booked.c.undone_by.is_(None))
        .group_by(booked.c.payment_id)
    )
    settled = {payment_id: int(minor) for payment_id, minor in conn.execute(query)}
    return [
        Movement(
            payment_id=one.payment_id, booked_on=one.booked_on,
            amount=from_minor(one.amount_minor - settled.get(one.payment_id, 0), one.currency),
        )
        for one in stored
    ]  # fmt: skip


def _together(movements: Sequence[Movement], known: dict[str, Candidate]) -> tuple[Proposed, ...]:
    sums = [owed for one in known.values() for owed in (_whole(one), *_invoices(one))]
    return tuple(
        _proposed(known, [(movement, found.owed, movement.amount) for movement in found.movements])
        for found in summed_up(movements[0], movements[1:], sums)
        if not any(_may_be_known(known[found.owed.case_id], movement.amount) for movement in found.movements)
    )


def _divided(movement: Movement, clues: Clues, pointed_to: Sequence[Candidate]) -> tuple[Proposed, ...]:
    named = [(one, sums) for one in pointed_to if (sums := tuple(_named(one, clues)))]
    known = {one.case_id: one for one, _ in named}
    return tuple(
        _proposed(known, [(movement, owed, owed.amount) for owed in some])
        for some in divided(movement.amount, [sums for _, sums in named])
        if not any(_may_be_known(known[owed.case_id], owed.amount) for owed in some)
    )


def _may_be_known(case: Candidate, amount: Decimal) -> bool:
    """Whether the case knows such a sum from the ERP, a partner or a person: it may be the same money, seen again."""
    return any(money.amount == amount for money in case.known_money)


def _whole(case: Candidate) -> OwedSum:
    return OwedSum(case_id=case.case_id, amount=case.owed)


def _invoices(case: Candidate) -> Iterator[OwedSum]:
    for claim in case.claims:
        if claim.open_amount > 0:
            yield OwedSum(case_id=case.case_id, amount=claim.open_amount, invoice=claim.number)


def _named(case: Candidate, clues: Clues) -> Iterator[OwedSum]:
    """The sums that a payment can mean by what it names of a case; none where only the payer's name points to it."""
    claims = [claim for claim in case.claims if claim.open_amount > 0 and bare_number(claim.number) in clues.tokens]
    if claims:
        total = sum((claim.open_amount for claim in claims), Decimal(0))
        yield OwedSum(case_id=case.case_id, amount=total, invoice=", ".join(claim.number for claim in claims))
    if claims or case.number in clues.case_numbers or ogm_digits(case.number) in clues.ogm:
        yield _whole(case)


def _proposed(known: dict[str, Candidate], chosen: Sequence[tuple[Movement, OwedSum, Decimal]]) -> Proposed:
    parts = tuple(
        ProposedPart(
            payment_id=movement.payment_id, booked_on=movement.booked_on, amount=amount, case_id=owed.case_id,
            case_number=known[owed.case_id].number, debtor_name=known[owed.case_id].debtor_name, invoice=owed.invoice,
        )
        for movement, owed, amount in chosen
    )  # fmt: skip
    said = "|".join(f"{one.payment_id} {one.case_id} {one.amount} {one.invoice}" for one in parts)
    return Proposed(
        key=sha256(said.encode()).hexdigest()[:24], amount=sum((one.amount for one in parts), Decimal(0)),
        currency=known[parts[0].case_id].currency, parts=parts,
    )  # fmt: skip


def book_proposal(hub: Hub, work: Work, scope: Scope, payment_id: str, key: str) -> Proposed:
    """Book what a person chose of `proposals`: every part of it, or nothing.

    Raises `PermanentError` when it does not hold any more, because a payment or a case changed since he looked.
    """
    offered = proposals(work.conn, scope, payment_id)
    chosen = next((one for one in (*offered.together, *offered.divided) if one.key == key), None)
    if chosen is None:
        raise PermanentError("the proposal does not hold any more", cure=_BY_HAND, reference=payment_id)
    for part in sorted(chosen.parts, key=lambda part: (part.payment_id, part.case_id)):
        assign_payment(hub, work, scope, part.payment_id, part.case_id, amount=part.amount, invoice=part.invoice)
    return chosen
