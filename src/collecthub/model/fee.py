"""The fee on money that came in, by the contract that was in force then. Pure; every figure names its rule."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError
from collecthub.model.contract import HUNDRED, Contract, FeeFacts, row_for
from collecthub.model.money import round_amount

ZERO = Decimal(0)


class FeesBefore(msgspec.Struct, frozen=True, kw_only=True):
    """What a case brought and cost so far: the minimum is agreed per case, not per payment."""

    collected: Decimal = ZERO
    by_percent: Decimal = ZERO
    fees: Decimal = ZERO


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """The fee on one payment, without VAT, with the words that explain it. Below zero when a payment came back."""

    amount: Decimal
    vat: Decimal
    by_percent: Decimal  # before the minimum
    contract_id: str
    rule: str

    @property
    def total(self) -> Decimal:
        return self.amount + self.vat


def fee_on(contract: Contract, facts: FeeFacts, amount: Decimal, before: FeesBefore) -> Fee:
    """The fee on `amount`, which is below zero for money that was taken back.

    Over the life of a case the fee is the sum of the percentages, at least the agreed minimum, and never more than
    what came in. Rounded half up to the currency's minor unit. Raises `PermanentError` when no row of the grid fits.
    """
    terms = contract.terms
    found = row_for(terms, facts)
    if found is None:
        raise PermanentError(
            f"no row of the grid in {contract.name} fits a case of {facts.principal} {facts.currency}, {facts.age_days} days"
            f" old, of a debtor in {facts.country or 'an unknown country'}",
            cure="Enter a version of the contract with a row for such cases.", reference=contract.contract_id,
        )
    place, row = found
    by_percent = round_amount(amount * row.percent / HUNDRED, facts.currency)
    collected = max(before.collected + amount, ZERO)
    floor = min(terms.minimum_fee, collected) if terms.minimum_currency == facts.currency else ZERO
    charged = max(before.by_percent + by_percent, floor) - before.fees
    vat = round_amount(charged * terms.vat_percent / HUNDRED, facts.currency)
    rule = f"{row.percent} % of {amount} {facts.currency} (grid row {place}, {contract.name})"
    if charged != by_percent:
        rule += f"; at least {terms.minimum_fee} {terms.minimum_currency} a case: {charged} after {before.fees} before"
    if terms.vat_percent:
        rule += f"; VAT {terms.vat_percent} %"
    return Fee(amount=charged, vat=vat, by_percent=by_percent, contract_id=contract.contract_id, rule=rule)


def facts_of(principal: Decimal, age_days: int, country: str, currency: str) -> FeeFacts:
    """What a grid asks of a case; a claim that is not due yet is zero days old."""
    return FeeFacts(principal=principal, age_days=max(age_days, 0), country=country, currency=currency)
