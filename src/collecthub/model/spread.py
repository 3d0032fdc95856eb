"""How one payment of a debtor is divided over his cases: by a stored rule, to the cent, and never more than is owed."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

import msgspec

from collecthub.errors import PermanentError
from collecthub.model.money import minor_units


class SpreadRule(enum.StrEnum):
    """Who gets what."""

    PROPORTIONAL = "proportional"  # to what is owed in each case
    OLDEST = "oldest"  # the case with the oldest due date first
    SMALLEST = "smallest"  # the smallest sum first: fewest creditors left


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed in one case."""

    case_id: str
    amount: Decimal
    oldest_due_on: dt.date


def spread(amount: Decimal, owed: Sequence[Owed], rule: SpreadRule, currency: str) -> dict[str, Decimal]:
    """The amount by case; cases that get nothing are left out. The parts add up to the amount.

    Raises `PermanentError` when the amount is finer than the currency or more than is owed in all.

    >>> day = dt.date(2026, 1, 1)
    >>> cases = [Owed(case_id=str(n), amount=Decimal("10.00"), oldest_due_on=day) for n in range(3)]
    >>> [str(part) for part in spread(Decimal("10.00"), cases, SpreadRule.PROPORTIONAL, "EUR").values()]
    ['3.34', '3.33', '3.33']
    """
    quantum = Decimal(1).scaleb(-minor_units(currency))
    total = sum((one.amount for one in owed), Decimal(0))
    if amount <= 0 or amount > total or amount % quantum:
        raise PermanentError(
            f"{amount} {currency} cannot be divided over {total} {currency}", cure="Enter at most what is owed in all."
        )
    if rule is SpreadRule.PROPORTIONAL:
        return _proportional(amount, owed, total, quantum)
    by = {SpreadRule.OLDEST: lambda one: (one.oldest_due_on, one.case_id), SpreadRule.SMALLEST: lambda one: (one.amount, one.case_id)}
    parts: dict[str, Decimal] = {}
    for one in sorted(owed, key=by[rule]):
        if part := min(amount, one.amount):
            parts[one.case_id] = part
        amount -= part
    return parts


def _proportional(amount: Decimal, owed: Sequence[Owed], total: Decimal, quantum: Decimal) -> dict[str, Decimal]:
    """The largest remainders get the units that do not divide, the older case first among equals."""
    exact = {one.case_id: amount * one.amount / total for one in owed}
    parts = {case_id: share.quantize(quantum, rounding=ROUND_DOWN) for case_id, share in exact.items()}
    missing = int((amount - sum(parts.values())) / quantum)
    order = sorted(owed, key=lambda one: (parts[one.case_id] - exact[one.case_id], one.oldest_due_on, one.case_id))
    for one in order[:missing]:
        parts[one.case_id] += quantum
    return {case_id: part for case_id, part in parts.items() if part}
