"""Accounts in few words, for tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from collecthub.law.allocation.account import Account, AccountQuestion, Charged, Debt, Grown, account
from collecthub.law.allocation.growth import LawGrowth
from collecthub.law.allocation.movements import Movement
from collecthub.law.allocation.orders import GENERAL, order_for
from collecthub.law.basis import Matter
from collecthub.law.interest import Reduction, rounded
from collecthub.law.packs import bundled_law
from collecthub.law.rules import AllocationRule


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def debt(claim_id: str, due: str, principal: str) -> Debt:
    return Debt(claim_id=claim_id, number=claim_id, due_on=day(due), principal=Decimal(principal))


def paid(place: int, on: str, amount: str, **more: Any) -> Movement:
    return Movement(place=place, on=day(on), amount=Decimal(amount), **more)


def by_law(
    country: str, until: str, debts: Sequence[Debt], movements: Sequence[Movement] = (), costs: Sequence[Charged] = (),
    segment: str = "B2B", agreed: str = "",
) -> Account:  # fmt: skip
    law = bundled_law(country)
    first = min(one.due_on for one in debts)
    rule = order_for(law, Matter(segment=segment, contract_on=first, default_on=first), day(until), agreed)
    question = AccountQuestion(
        until=day(until), debts=tuple(debts), movements=tuple(movements), costs=tuple(costs), rule=rule
    )
    return account(question, LawGrowth(law=law, segment=segment, currency=law.currency))


class Simple:
    """Growth at one rate with a lump sum from the first day of delay: quick, for very many ledgers."""

    def __init__(self, percent: Decimal = Decimal(0), lump: Decimal = Decimal(0)) -> None:
        self._percent, self._lump = Fraction(percent), lump

    def grown(self, of: Debt, reductions: Sequence[Reduction], until: dt.date) -> Grown:
        if until <= of.due_on or of.principal <= 0:
            return Grown()
        days = Fraction(of.principal) * (until - of.due_on).days
        days -= sum(
            (Fraction(part.amount) * (until - max(part.on, of.due_on)).days for part in reductions if part.on < until), Fraction(0)
        )
        return Grown(interest=rounded(days * self._percent / 36500, "EUR"), compensation=self._lump)

    def paid_interest(
        self, of: Debt, reductions: Sequence[Reduction], amount: Decimal, on: dt.date, *, paid_before: Decimal
    ) -> tuple[Reduction, ...]:
        return ()


def simple(
    until: dt.date, debts: Sequence[Debt], movements: Sequence[Movement], costs: Sequence[Charged] = (),
    growth: Simple | None = None, rule: AllocationRule = GENERAL,
) -> Account:  # fmt: skip
    question = AccountQuestion(until=until, debts=tuple(debts), movements=tuple(movements), costs=tuple(costs), rule=rule)
    return account(question, growth or Simple())
