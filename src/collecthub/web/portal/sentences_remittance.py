"""Sentences of money out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collecthub.web.portal.figures import amount_text

Fact = Mapping[str, Any]


def _passed_on(fact: Fact, telling: object) -> str:
    amount, kept = (amount_text(abs(value), fact["currency"]) for value in (fact["amount"], fact["fee"] + fact["vat"]))
    number = fact["remittance_number"]
    if fact["amount"] < 0 or fact["fee"] < 0:
        return f"{amount} went back out of remittance {number}; the fee of {kept} is taken back."
    how = "stayed back as the fee" if fact["is_withheld"] else "will be invoiced as the fee"
    return f"{amount} were passed on to the creditor in remittance {number}; {kept} {how}."


def _came_net(fact: Fact, telling: object) -> str:
    parts = ((fact["fee"], "as the partner's fee"), (fact["charges"], "in charges on the way"))
    said = " and ".join(f"{amount_text(amount, fact['currency'])} {what}" for amount, what in parts if amount)
    return f"Of the money in transfer {fact['transfer_ref']}, {said} did not arrive."


def _fee(fact: Fact, telling: object) -> str:
    amount = amount_text(abs(fact["fee"] + fact["vat"]), fact["currency"])
    if fact["fee"] < 0:
        return f"A fee of {amount} is taken back: the payment that it was for went back."
    return f"A fee of {amount} will be invoiced to the creditor."


KINDS: Mapping[str, tuple[str, Callable[[Fact, Any], str], str]] = {
    "money_passed_on": ("money", _passed_on, "rule"),
    "money_came_net": ("money", _came_net, "rule"),
    "fee_charged": ("money", _fee, "rule"),
}
