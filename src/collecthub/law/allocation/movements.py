"""Money that came in and stayed: what was reversed is taken out, as if it had never come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

ZERO = Decimal(0)


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A payment or credit; a negative amount takes one back. `reverses_ref` says which, if that is known.

    `claim_id` is the claim that the payer or the creditor's books named. `place` is its number in the history.
    """

    place: int
    on: dt.date
    amount: Decimal
    claim_id: str = ""
    reference: str = ""
    other_ref: str = ""  # a second name that a taking back may use
    reverses_ref: str = ""
    basis: str = ""
    is_credit: bool = False
    kind: str = "payment"  # payment, credit or write_off


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of the movements, and takings back for which there was nothing to take back from."""

    movements: tuple[Movement, ...]
    unmatched: tuple[Movement, ...] = ()


def standing(movements: Iterable[Movement]) -> Standing:
    """The movements without those that were taken back.

    A taking back undoes the movement that it names, else the last one of the same amount on the same claim, else the
    last one of the same amount, else the last ones as far as it reaches.
    """
    kept: list[Movement] = []
    unmatched: list[Movement] = []
    for movement in sorted(movements, key=lambda one: one.place):
        if movement.amount >= 0:
            kept.append(movement)
            continue
        left = _undo(kept, movement)
        if left:
            unmatched.append(msgspec.structs.replace(movement, amount=-left))
    return Standing(
        movements=tuple(sorted(kept, key=lambda one: (one.on, one.place))), unmatched=tuple(unmatched)
    )


def _undo(kept: list[Movement], back: Movement) -> Decimal:
    """Take money out of what was kept; what could not be taken is returned."""
    left = -back.amount
    for index in _order(kept, back):
        if not left:
            break
        taken = min(left, kept[index].amount)
        kept[index] = msgspec.structs.replace(kept[index], amount=kept[index].amount - taken)
        left -= taken
    kept[:] = [one for one in kept if one.amount]
    return left


def _order(kept: Sequence[Movement], back: Movement) -> list[int]:
    """Places of what may be undone, the likeliest first."""

    def likeness(index: int) -> tuple[bool, bool, bool, int]:
        one = kept[index]
        is_named = bool(back.reverses_ref) and back.reverses_ref in (one.reference, one.other_ref)
        return is_named, one.amount == -back.amount, one.claim_id == back.claim_id, one.place

    same_kind = [index for index, one in enumerate(kept) if one.is_credit == back.is_credit]
    return sorted(same_kind, key=likeness, reverse=True)
