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


KINDS: Mapping[str, tuple[str, Callable[[Fact, Any], str], str]] = {"money_passed_on": ("money", _passed_on, "rule")}
