"""One figure on which two sides do not agree, as every comparison of books tells it."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class ItemDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a debtor's account that the ERP and the hub's copy of it state differently."""

    item_ref: str
    number: str
    theirs: Decimal
    ours: Decimal
    missing_at: str
    reason: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One figure on which two sides do not agree, and which of them lacks what: `missing_at` is erp, hub or partner."""

    between: str  # connection_id of the outside
    subject: str  # debtor or case
    what: str  # open amount, principal, interest, surcharges, paid, costs
    currency: str
    theirs: Decimal
    ours: Decimal
    case_id: str = ""  # where the figure belongs to one case
    number: str = ""
    missing_at: str = ""
    reason: str = ""
    items: tuple[ItemDifference, ...] = ()

    @property
    def amount(self) -> Decimal:
        return abs(self.theirs - self.ours)
