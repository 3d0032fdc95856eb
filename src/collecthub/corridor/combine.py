"""Room beside BACK: several movements that make one sum, and one movement that settles several cases.

Pure, and only a proposal: a sum that fits can be chance, so a person books it. Every set that fits is told, because
two of them mean that the money does not say which one it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations, product

import msgspec

WITHIN = dt.timedelta(days=31)  # of the movement in question: parts of one sum do not lie further apart
OTHERS_MOST, CASES_MOST, SETS_MOST = 12, 12, 6
_TRIES_MOST = 20_000


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a payment that waits."""

    payment_id: str
    amount: Decimal
    booked_on: dt.date


class OwedSum(msgspec.Struct, frozen=True, kw_only=True):
    """A sum that a case asks for: on one invoice, or all of it where `invoice` is empty."""

    case_id: str
    amount: Decimal
    invoice: str = ""


class SummedUp(msgspec.Struct, frozen=True, kw_only=True):
    """Movements that together are exactly a sum; the one in question is the first of them."""

    owed: OwedSum
    movements: tuple[Movement, ...]


def summed_up(first: Movement, others: Sequence[Movement], sums: Sequence[OwedSum]) -> tuple[SummedUp, ...]:
    """The sets with `first` that make a sum: those of few movements before those of many, near ones before far ones."""
    near = sorted(
        (one for one in others if abs(one.booked_on - first.booked_on) <= WITHIN),
        key=lambda one: (abs(one.booked_on - first.booked_on), one.payment_id),
    )[:OTHERS_MOST]
    wanted: dict[Decimal, list[OwedSum]] = {}
    for owed in _once_per_case(sums):
        wanted.setdefault(owed.amount - first.amount, []).append(owed)
    found: list[SummedUp] = []
    for size in range(1, len(near) + 1):
        for some in combinations(near, size):
            for owed in wanted.get(sum((one.amount for one in some), Decimal(0)), ()):
                found.append(SummedUp(owed=owed, movements=(first, *some)))
                if len(found) == SETS_MOST:
                    return tuple(found)
    return tuple(found)


def _once_per_case(sums: Sequence[OwedSum]) -> Iterator[OwedSum]:
    """The same amount of the same case once: all that is owed before the one invoice of it."""
    seen: set[tuple[str, Decimal]] = set()
    for owed in sorted(sums, key=lambda owed: (owed.invoice != "", owed.invoice)):
        if (owed.case_id, owed.amount) not in seen:
            seen.add((owed.case_id, owed.amount))
            yield owed


def divided(amount: Decimal, sums: Sequence[Sequence[OwedSum]]) -> tuple[tuple[OwedSum, ...], ...]:
    """The ways in which an amount is exactly one sum of each case that it names; `sums` holds those of each case."""
    if not 2 <= len(sums) <= CASES_MOST:
        return ()
    choices = [tuple(_once_per_case(of_case)) for of_case in sums]
    found: list[tuple[OwedSum, ...]] = []
    for tried, some in enumerate(product(*choices)):
        if tried == _TRIES_MOST or len(found) == SETS_MOST:
            break
        if sum((owed.amount for owed in some), Decimal(0)) == amount:
            found.append(some)
    return tuple(found)
