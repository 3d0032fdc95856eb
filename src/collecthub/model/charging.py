"""What creditor and operator agreed on interest and the like."""

from __future__ import annotations

import enum

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
    `keeps_rest` leaves charges owed when a case ends because the principal was paid; else they are given up then.
    """

    charging: Charging = Charging.SHOWN
    law_country: str = ""
    allocation: str = ""
    keeps_rest: bool = False
