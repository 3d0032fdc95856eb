"""The account of a case on a day: what grew, what came in, what each payment settled, what is left.

Nothing is kept between two answers: the account is computed anew from claims, costs and what came in, so a payment
that was taken back leaves no trace in it, and the answer for any day is the same whenever it is asked for. Interest
runs on the principal that a payment left open from the next day on. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from collecthub.law.allocation.movements import Movement, standing
from collecthub.law.allocation.orders import parts_in_order
from collecthub.law.interest import Reduction
from collecthub.law.late_payment import LatePayment
from collecthub.law.rules import AllocationRule, Part

ZERO = Decimal(0)


class Debt(msgspec.Struct, frozen=True, kw_only=True):
    """One claim with the principal that it entered the case with, less what was credited on it."""

    claim_id: str
    number: str
    due_on: dt.date
    principal: Decimal


class Charged(msgspec.Struct, frozen=True, kw_only=True):
    """A cost or fee that the debtor bears, from its day on."""

    on: dt.date
    amount: Decimal
    reference: str = ""
    basis: str = ""


class Grown(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim has borne by the end of a day. `late` explains it, `problem` says why a part is missing."""

    interest: Decimal = ZERO
    compensation: Decimal = ZERO
    late: LatePayment | None = None
    problem: str = ""


class Growth(Protocol):
    """How claims grow. `by_law` does it by a country pack."""

    def grown(self, debt: Debt, reductions: Sequence[Reduction], until: dt.date) -> Grown:
        """Interest and compensation of the claim by the end of the day."""
        ...

    def paid_interest(
        self, debt: Debt, reductions: Sequence[Reduction], amount: Decimal, on: dt.date, *, paid_before: Decimal
    ) -> tuple[Reduction, ...]:
        """What a payment of interest takes off the amount that bears interest; nothing where interest is simple."""
        ...


class Portion(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a payment and what it settled. An empty `claim_id` is the case as a whole."""

    part: Part
    claim_id: str
    amount: Decimal


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """What one payment or credit settled. `surplus` found nothing to settle."""

    movement: Movement
    portions: tuple[Portion, ...]
    surplus: Decimal


class ClaimAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One claim at the end of the day. Open is what was neither paid nor credited."""

    claim_id: str
    number: str
    due_on: dt.date
    principal: Decimal
    open_principal: Decimal
    interest: Decimal
    open_interest: Decimal
    compensation: Decimal
    open_compensation: Decimal
    late: LatePayment | None = None
    problem: str = ""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. What is open in all parts less `surplus` is what is owed.

    A surplus below zero is money that was taken back although none had come.
    """

    until: dt.date
    rule: AllocationRule
    claims: tuple[ClaimAccount, ...]
    costs: Decimal
    open_costs: Decimal
    allocations: tuple[Allocation, ...]
    surplus: Decimal

    def sum_of(self, name: str) -> Decimal:
        """A field of the claims, summed up."""
        return sum((getattr(claim, name) for claim in self.claims), ZERO)

    @property
    def total(self) -> Decimal:
        """What is owed, less what was paid too much."""
        parts = ("open_principal", "open_interest", "open_compensation")
        return sum((self.sum_of(name) for name in parts), self.open_costs) - self.surplus


class AccountQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an account is made from; what lies after `until` is left out. Negative movements take back."""

    until: dt.date
    debts: tuple[Debt, ...]
    movements: tuple[Movement, ...] = ()
    costs: tuple[Charged, ...] = ()
    rule: AllocationRule


class _Claim:
    """A claim while the account walks over its days."""

    def __init__(self, debt: Debt) -> None:
        self.debt = debt
        self.left = debt.principal
        self.reductions: list[Reduction] = []
        self.now = Grown()
        self.compensation = ZERO  # stays as it was when it first was due
        self.paid = {Part.INTEREST: ZERO, Part.COMPENSATION: ZERO}

    def grow(self, growth: Growth, until: dt.date) -> None:
        self.now = growth.grown(self.debt, self.reductions, until)
        self.compensation = self.compensation or self.now.compensation

    def open_of(self, part: Part) -> Decimal:
        if part is Part.PRINCIPAL:
            return self.left
        due = self.now.interest if part is Part.INTEREST else self.compensation
        return max(ZERO, due - self.paid[part])

    def settle(self, growth: Growth, part: Part, amount: Decimal, on: dt.date) -> None:
        if part is Part.PRINCIPAL:
            self.left -= amount
            self.reductions.append(Reduction(on=on, amount=amount))
            return
        if part is Part.INTEREST:
            before = self.paid[part]
            self.reductions += growth.paid_interest(self.debt, self.reductions, amount, on, paid_before=before)
        self.paid[part] += amount


class _Walk:
    """One walk over the days of a case."""

    def __init__(self, question: AccountQuestion, growth: Growth) -> None:
        self._growth = growth
        self._order = parts_in_order(question.rule)
        self._may_name = question.rule.debtor_may_name
        self.claims = [_Claim(debt) for debt in sorted(question.debts, key=lambda debt: (debt.due_on, debt.number))]
        self._charged = [cost for cost in question.costs if cost.on <= question.until]
        self.costs_paid = ZERO
        self.surplus = ZERO
        self.surplus_kind = "payment"  # of the last movement that left one

    def costs_on(self, day: dt.date) -> Decimal:
        return sum((cost.amount for cost in self._charged if cost.on <= day), ZERO)

    def grow(self, until: dt.date) -> None:
        for claim in self.claims:
            claim.grow(self._growth, until)

    def take(self, movement: Movement) -> Allocation:
        self.grow(movement.on)
        portions: list[Portion] = []
        left = movement.amount
        parts = (Part.PRINCIPAL,) if movement.is_credit else self._order
        for part, claim in self._slots(parts, movement):
            paid = min(left, self._open(part, claim, movement.on))
            if paid <= 0:
                continue
            left -= paid
            portions.append(Portion(part=part, claim_id=claim.debt.claim_id if claim else "", amount=paid))
            if claim is None:
                self.costs_paid += paid
            else:
                claim.settle(self._growth, part, paid, movement.on)
        self.surplus += left
        self.surplus_kind = movement.kind if left else self.surplus_kind
        return Allocation(movement=movement, portions=tuple(portions), surplus=left)

    def _open(self, part: Part, claim: _Claim | None, day: dt.date) -> Decimal:
        return claim.open_of(part) if claim is not None else self.costs_on(day) - self.costs_paid

    def _slots(self, parts: Iterable[Part], movement: Movement) -> Iterable[tuple[Part, _Claim | None]]:
        """Where money may go, in order: the claim that was named, then all, oldest first; costs are the case's."""
        may_name = self._may_name or movement.is_credit
        named = [claim for claim in self.claims if may_name and claim.debt.claim_id == movement.claim_id]
        others = [claim for claim in self.claims if claim not in named]
        for group, is_last in ((named, not others), (others, True)):
            for part in parts if group or is_last else ():
                if part is Part.COSTS:
                    yield part, None
                else:
                    yield from ((part, claim) for claim in group)


def account(question: AccountQuestion, growth: Growth) -> Account:
    """The account at the end of a day. What was paid too much settles what comes later, on the day it comes."""
    kept = standing(one for one in question.movements if one.on <= question.until)
    walk = _Walk(question, growth)
    allocations = []
    for movement in kept.movements:
        allocations += _carried(walk, movement.on)
        allocations.append(walk.take(movement))
    walk.grow(question.until)
    allocations += _carried(walk, question.until)
    claims = tuple(_shown(claim) for claim in walk.claims)
    costs = walk.costs_on(question.until)
    return Account(
        until=question.until, rule=question.rule, claims=claims, costs=costs, open_costs=costs - walk.costs_paid,
        allocations=tuple(allocations), surplus=sum((one.amount for one in kept.unmatched), walk.surplus),
    )  # fmt: skip


def _carried(walk: _Walk, day: dt.date) -> list[Allocation]:
    """What was paid too much before, used for what is due by now."""
    if not walk.surplus:
        return []
    before, walk.surplus = walk.surplus, ZERO
    used = walk.take(Movement(place=0, on=day, amount=before, basis="paid too much before", kind=walk.surplus_kind))
    return [used] if used.portions else []


def _shown(claim: _Claim) -> ClaimAccount:
    debt = claim.debt
    return ClaimAccount(
        claim_id=debt.claim_id, number=debt.number, due_on=debt.due_on, principal=debt.principal,
        open_principal=claim.left, interest=claim.now.interest, open_interest=claim.open_of(Part.INTEREST),
        compensation=claim.compensation, open_compensation=claim.open_of(Part.COMPENSATION), late=claim.now.late,
        problem=claim.now.problem,
    )  # fmt: skip
