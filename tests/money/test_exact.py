"""No float can carry money: neither in the code that touches amounts nor at any door that an amount comes through."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import collecthub
from collecthub.errors import PermanentError
from collecthub.model.event import CaseEvent, Fact
from collecthub.model.ledger import LedgerLine, LineKind, sides, trial_balance
from collecthub.model.money import Money, parse_amount
from collecthub.store.case_log import to_minor

SOURCE = Path(collecthub.__file__).parent
# Twins keep foreign wires as they are, floats included; chances of payment are no money, nor is what waits in seconds.
ELSEWHERE = ("sandbox", "wire", "score")


def _money_modules() -> Iterator[tuple[Path, str]]:
    for path in [*SOURCE.rglob("*.py"), *SOURCE.parents[1].glob("plugins/*/src/**/*.py")]:
        text = path.read_text(encoding="utf-8")
        if "from decimal import" in text and not set(path.relative_to(path.anchor).parts) & set(ELSEWHERE):
            yield path, text


def test_modules_that_know_amounts_know_no_float() -> None:
    found, seen = [], 0
    for path, text in _money_modules():
        seen += 1
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
            is_name = isinstance(node, ast.Name) and node.id == "float"
            if (is_float or is_name) and "second" not in lines[node.lineno - 1].lower():
                found.append(f"{path.name}:{node.lineno} {lines[node.lineno - 1].strip()}")
    assert seen > 80 and not found


@pytest.mark.parametrize("amount", [1.5, float("nan"), 1, "1.50", Decimal("NaN"), Decimal("Infinity")])
def test_only_an_exact_amount_enters_a_ledger(amount: Any) -> None:
    with pytest.raises(PermanentError):
        LedgerLine(kind=LineKind.PAYMENT, amount=amount, currency="EUR", booked_on=dt.date(2026, 6, 15))
    with pytest.raises(PermanentError):
        Money(amount, "EUR")


def test_nothing_finer_than_the_currency_enters_the_books() -> None:
    assert to_minor(Decimal("1.50"), "EUR") == 150
    with pytest.raises(PermanentError, match="finer than the currency"):
        to_minor(Decimal("1.505"), "EUR")
    with pytest.raises(PermanentError, match="finer than the currency"):
        to_minor(Decimal("1.5"), "JPY")


@pytest.mark.parametrize("text", ["1e3", "NaN", "Infinity", "1,50", "1_000", "\u0661\u0662", "", " 1", "1.", ".5", "+1", "--1", "0x1"])
def test_what_is_no_plain_decimal_is_no_amount(text: str) -> None:
    with pytest.raises(PermanentError):
        parse_amount(text)


def test_amounts_of_every_fact_stay_exact_on_paper() -> None:
    """Stored as text: a number on its way through JSON would become a float in another reader."""
    amounts = [
        (fact.__struct_config__.tag, field.name)
        for fact in get_args(Fact)
        for field in msgspec.structs.fields(fact)
        if field.type is Decimal
    ]
    assert len(amounts) > 8
    assert msgspec.json.encode(Decimal("0.10")) == b'"0.10"'
    assert msgspec.structs.fields(CaseEvent)


def test_every_kind_of_line_debits_one_account_and_credits_another() -> None:
    lines = [
        LedgerLine(kind=kind, amount=Decimal("10.00"), currency="EUR", booked_on=dt.date(2026, 6, 15), bearer=bearer)
        for kind in LineKind
        for bearer in ("debtor", "creditor")
    ]
    assert all(len(set(sides(line))) == 2 for line in lines)
    accounts = trial_balance([*lines, msgspec.structs.replace(lines[0], amount=Decimal("-3.33"))])
    assert sum(accounts.values(), Decimal(0)) == 0
