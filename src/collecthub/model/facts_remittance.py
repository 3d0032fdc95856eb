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


class MoneyCameNet(FactBase, frozen=True, kw_only=True, tag="money_came_net"):
    """A partner passed money of this case on and less arrived than the debtor paid: its `fee` and the `charges` on the way,
    in the case's currency, are borne by the creditor as `rule` says.
    """

    transfer_ref: str
    currency: str
    fee: Decimal
    charges: Decimal
    rule: str


class FeeCharged(FactBase, frozen=True, kw_only=True, tag="fee_charged"):
    """A fee that is invoiced to the creditor, since there is no money to keep it back from: on what the debtor paid to the
    creditor himself, or a partner's that the creditor bears. Below zero when that money went back.

    `of_seq` is the event that the fee is for, `reference` under which it is invoiced.
    """

    of_seq: int
    reference: str
    currency: str
    fee: Decimal
    vat: Decimal
    rule: str


RemittanceFact = MoneyPassedOn | MoneyCameNet | FeeCharged
