"""Facts of money: charges that were fixed, waived, the nature of a claim, statements that went out."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import msgspec

from collecthub.model.fact import FactBase

WRITTEN_OFF = "written-off-"  # begins the reference of what was written off here and not yet in the ERP


class ChargeKind(enum.StrEnum):
    """What may be asked beside the principal, apart from costs that a holder reports."""

    INTEREST = "interest"
    COMPENSATION = "compensation"
    DUNNING_FEE = "dunning_fee"
    COST = "cost"


class ChargeItem(msgspec.Struct, frozen=True, kw_only=True):
    """One charge on one claim. `amount` is what is added to what was fixed before; negative takes back.

    `rule`, `rule_version`, `source` and `evidence` are those of the country pack that granted it.
    """

    kind: ChargeKind
    claim_id: str = ""
    amount: Decimal
    from_on: dt.date
    to_on: dt.date
    rule: str
    rule_version: dt.date | None = None
    source: str = ""
    evidence: str = ""


class ChargesFixed(FactBase, frozen=True, kw_only=True, tag="charges_fixed"):
    """Charges that had grown by the day until which became lines of the ledger.

    `reason` says what needed them: hand_over, payment, statement, closing, request.
    """

    until: dt.date
    reason: str
    items: tuple[ChargeItem, ...]


class ChargesWaived(FactBase, frozen=True, kw_only=True, tag="charges_waived"):
    """The creditor gives up charges; the lines are taken back one by one."""

    reason: str
    items: tuple[ChargeItem, ...]


class WrittenOff(FactBase, frozen=True, kw_only=True, tag="written_off"):
    """A person gave up a part of what is owed, for good: the debtor is not asked for it again.

    It settles like a payment, in the order of the law, but no money came. The creditor's ERP shows it as open until
    somebody writes it off there too.
    """

    amount: Decimal
    reason: str


class ChargeRefused(FactBase, frozen=True, kw_only=True, tag="charge_refused"):
    """A charge that was agreed and that the law forbids on this day: it was not asked for. `article` says where."""

    charge: ChargeKind
    amount: Decimal
    article: str
    reason: str


class ClaimNatureSet(FactBase, frozen=True, kw_only=True, tag="claim_nature_set"):
    """What kind of claims these are (medical, utilities, ...): limitation and tariff hang on it. Empty ids mean all."""

    nature: str
    claim_ids: tuple[str, ...] = ()


class StatementIssued(FactBase, frozen=True, kw_only=True, tag="statement_issued"):
    """A statement of account was given to somebody, as it stood at the end of `until`."""

    audience: str  # debtor, creditor, partner
    language: str
    until: dt.date
    total: Decimal


MoneyFact = ChargesFixed | ChargesWaived | WrittenOff | ChargeRefused | ClaimNatureSet | StatementIssued


class ChargesSoFar(msgspec.Struct, frozen=True, kw_only=True):
    """What of a claim's charges stands in the ledger already; `claim_id` is empty for the case as a whole."""

    claim_id: str
    kind: ChargeKind
    amount: Decimal


class Charges(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger holds of charges that grow by law, and the day until which they were computed.

    `is_over` says that the rest was given up when the case ended: nothing grows while it stays closed.
    """

    until: dt.date
    fixed: tuple[ChargesSoFar, ...] = ()
    is_over: bool = False

    def fixed_of(self, claim_id: str, kind: ChargeKind) -> Decimal:
        """What was fixed of one kind for one claim, less what was given up."""
        return sum(
            (part.amount for part in self.fixed if part.claim_id == claim_id and part.kind is kind), Decimal(0)
        )
