"""A second calculator of accounts: one day after the other, with exact fractions, and nothing of the product's.

Simple interest at one rate, one claim after the other by due date, costs before interest before principal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

CENT = Decimal("0.01")


def cents(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(CENT, ROUND_HALF_UP)


@dataclass
class Debt:
    due: dt.date
    left: Decimal
    lump: Decimal
    exact: Fraction = Fraction(0)
    paid_interest: Decimal = Decimal(0)
    paid_lump: Decimal = Decimal(0)
    is_late: bool = False


@dataclass
class Books:
    """Walk from the first due date to the last day; payments settle at the end of their day."""

    debts: list[Debt]
    percent: Decimal
    payments: Sequence[tuple[dt.date, Decimal]]
    costs: Sequence[tuple[dt.date, Decimal]] = ()
    costs_paid: Decimal = Decimal(0)
    surplus: Decimal = Decimal(0)
    order: str = "costs interest principal"
    settled: list[tuple[str, Decimal]] = field(default_factory=list)

    def run(self, until: dt.date) -> Books:
        day = min([debt.due for debt in self.debts] + [on for on, _ in self.payments] + [on for on, _ in self.costs])
        while day <= until:
            for debt in self.debts:
                if day > debt.due:
                    debt.is_late = True
                    debt.exact += Fraction(debt.left) * Fraction(self.percent) / 100 / 365
            for on, amount in self.payments:
                if on == day:
                    if self.surplus:
                        before, self.surplus = self.surplus, Decimal(0)
                        self.pay(before, day)
                    self.pay(amount, day)
            day += dt.timedelta(days=1)
        if self.surplus:
            before, self.surplus = self.surplus, Decimal(0)
            self.pay(before, until)
        self.until = until
        return self

    def pay(self, left: Decimal, day: dt.date) -> None:
        for part in self.order.split():
            if part == "costs":
                paid = min(left, sum((amount for on, amount in self.costs if on <= day), Decimal(0)) - self.costs_paid)
                self.costs_paid += paid
                left -= paid
                for debt in self.debts:
                    paid = min(left, debt.lump - debt.paid_lump) if debt.is_late else Decimal(0)
                    debt.paid_lump += paid
                    left -= paid
            for debt in self.debts:
                if part == "interest":
                    paid = min(left, cents(debt.exact) - debt.paid_interest)
                    debt.paid_interest += paid
                    left -= paid
                if part == "principal":
                    paid = min(left, debt.left)
                    debt.left -= paid
                    left -= paid
        self.surplus += left

    @property
    def total(self) -> Decimal:
        costs = sum((amount for on, amount in self.costs if on <= self.until), Decimal(0)) - self.costs_paid
        for debt in self.debts:
            costs += debt.left + cents(debt.exact) - debt.paid_interest
            costs += (debt.lump - debt.paid_lump) if debt.is_late else 0
        return costs - self.surplus
