"""What the creditor's ERP keeps on a debtor beside who he is, and the reminders that it sent itself."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from collecthub.model.party import Party


class DebtorAccount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The debtor's account at the creditor. `bill_to` is who gets the invoices when that is somebody else.

    `notes` are what the creditor's people wrote about the debtor, newest first, for people to read.
    """

    customer_number: str = ""
    payment_terms: str = ""
    is_blocked: bool = False
    bill_to: Party | None = None
    notes: tuple[str, ...] = ()


NO_ACCOUNT = DebtorAccount()


class OwnReminder(msgspec.Struct, frozen=True, kw_only=True):
    """A reminder of the creditor's own, sent before the hub had the case: level and day as the ERP keeps them.

    `channel` and `fee`, what the debtor was asked for it, are known of uploaded ones only; empty and None else.
    """

    level: int
    dunned_on: dt.date
    channel: str = ""
    fee: Decimal | None = None
