"""Facts of money out: money that came in was passed on to the creditor, and what stayed as the agreed fee."""

from __future__ import annotations

from decimal import Decimal

from collecthub.model.fact import FactBase


class MoneyPassedOn(FactBase, frozen=True, kw_only=True, tag="money_passed_on"):
    """A remittance contains money of this case. Every figure is below zero when the bank did not pay it out.

    `amount` is what came in, `fee` and `vat` what the creditor pays for it by `rule`; `is_withheld` says whether they
    stay back or are invoiced.
    """

    remittance_number: str
    currency: str
    amount: Decimal
    fee: Decimal
    vat: Decimal
    rule: str
    is_withheld: bool = True


RemittanceFact = MoneyPassedOn
