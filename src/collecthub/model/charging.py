"""What creditor and operator agreed on interest and the like."""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec


class Charging(enum.StrEnum):
    """Whether a creditor asks for what the law grants beside the principal."""

    NONE = "none"  # he asks for the principal only
    SHOWN = "shown"  # computed for every day and on every statement; a statement that is issued books it
    BOOKED = "booked"  # enters the ledger at hand-over, payment and closing too, and the holder is told of it


class ChargePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a playbook that is about charges.

    `law_country` is the law that the contracts choose; empty follows the general rule (`law.governing`).
    `allocation` is `principal_first` where the contracts say so, else the law's order holds.
    `dunning_fee` is what the contracts let a reminder after the first cost, in cases of its currency; the law has the last
    word on each. `keeps_rest` leaves charges owed when a case ends because the principal was paid; else they are given up then.
    """

    charging: Charging = Charging.SHOWN
    law_country: str = ""
    allocation: str = ""
    keeps_rest: bool = False
    dunning_fee: Decimal = Decimal(0)
    dunning_fee_currency: str = "EUR"
