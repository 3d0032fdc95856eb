"""Sentences for the facts of money: charges that were fixed or given up, kinds of claims, statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Protocol

Fact = Mapping[str, Any]


class Teller(Protocol):
    """What these sentences ask of the one who tells."""

    def amount(self, value: Decimal) -> str:
        """The amount in the case's currency."""
        ...


_REASONS = {
    "hand_over": "before the hand-over", "payment": "because money came in", "statement": "for a statement of account",
    "reminder": "with a reminder", "write_off": "before a part was written off",
    "closing": "because the case ended", "request": "because somebody asked for it",
}  # fmt: skip


def _sum(fact: Fact) -> Decimal:
    return sum((item["amount"] for item in fact["items"]), Decimal(0))


def _fixed(fact: Fact, telling: Teller) -> str:
    kinds = " and ".join(dict.fromkeys(item["kind"].replace("_", " ") for item in fact["items"])) or "charges"
    why = _REASONS.get(fact["reason"], fact["reason"])
    return f"{kinds[:1].upper()}{kinds[1:]} up to {fact['until']} entered the ledger {why}: {telling.amount(_sum(fact))}."


def _waived(fact: Fact, telling: Teller) -> str:
    return f"Charges of {telling.amount(-_sum(fact))} were given up."


def _written_off(fact: Fact, telling: Teller) -> str:
    return f"{telling.amount(fact['amount'])} was written off."


def _refused(fact: Fact, telling: Teller) -> str:
    what = fact["charge"].replace("_", " ")
    return f"A {what} of {telling.amount(fact['amount'])} was not asked for: the law forbids it ({fact['article']}). {fact['reason']}"


def _nature(fact: Fact, telling: Teller) -> str:
    which = f"{len(fact['claim_ids'])} of the claims are" if fact["claim_ids"] else "The claims are"
    return f"{which} of the kind {fact['nature'].replace('_', ' ')}; limitation and tariff follow it."


def _statement(fact: Fact, telling: Teller) -> str:
    return (
        f"A statement of account up to {fact['until']} was made for the {fact['audience']}: "
        f"{telling.amount(fact['total'])} owed."
    )


KINDS: Mapping[str, tuple[str, Callable[[Fact, Any], str], str]] = {
    "charges_fixed": ("money", _fixed, ""),
    "charges_waived": ("money", _waived, "reason"),
    "written_off": ("money", _written_off, "reason"),
    "charge_refused": ("money", _refused, ""),
    "claim_nature_set": ("money", _nature, ""),
    "statement_issued": ("money", _statement, ""),
}
