"""Fees by contract: hand-computed figures, dated versions, the minimum over the life of a case, and what is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collecthub.engine.contracting import read_terms
from collecthub.errors import PermanentError
from collecthub.model.contract import Contract, FeeFacts, Side, Terms, in_force
from collecthub.model.fee import ZERO, FeesBefore, fee_on
from remittance.conftest import TERMS, on

D = Decimal


def contract(version: int = 1, **changes: object) -> Contract:
    terms = read_terms(json.dumps({**TERMS, **changes}).encode())
    return Contract(contract_id=f"c{version}", side=Side.CREDITOR, party_id="kroon", version=version, terms=terms)


def facts(principal: str = "500", age_days: int = 45, country: str = "BE", currency: str = "EUR") -> FeeFacts:
    return FeeFacts(principal=D(principal), age_days=age_days, country=country, currency=currency)


@pytest.mark.parametrize(
    ("of", "amount", "fee", "vat"),
    [
        (facts(), "200.00", "20.00", "4.20"),  # 10 % below 1000
        (facts("999.99"), "100.05", "10.01", "2.10"),  # 10.005 rounds half up; 21 % of 10.01 is 2.1021
        (facts("1000"), "200.00", "15.00", "3.15"),  # 7.5 % from 1000
        (facts(age_days=365), "200.00", "40.00", "8.40"),  # a year old: 20 %, whatever the amount
        (facts(country="DE"), "200.00", "50.00", "10.50"),
        (facts(country=""), "200.00", "50.00", "10.50"),  # unknown is not Belgium
        (facts(), "20.00", "5.00", "1.05"),  # 10 % is 2.00, the minimum is 5.00
        (facts(), "3.00", "3.00", "0.63"),  # never more than what came in
        (facts(country="DE", currency="USD"), "4.00", "1.00", "0.21"),  # the minimum is agreed in euro
    ],
)
def test_the_grid(of: FeeFacts, amount: str, fee: str, vat: str) -> None:
    found = fee_on(contract(), of, D(amount), FeesBefore())
    assert (found.amount, found.vat) == (D(fee), D(vat))


def test_the_minimum_is_per_case_and_a_return_takes_its_fee_back() -> None:
    before = FeesBefore()
    charged = []
    for amount in ("20.00", "20.00", "40.00", "-40.00", "-40.00"):
        fee = fee_on(contract(), facts(), D(amount), before)
        charged.append(str(fee.amount))
        before = FeesBefore(
            collected=before.collected + D(amount), by_percent=before.by_percent + fee.by_percent, fees=before.fees + fee.amount
        )
    # 10 %: 2, 4, 8, 4, 0; at least 5, and nothing when nothing is left: 5, 5, 8, 5, 0
    assert charged == ["5.00", "0.00", "3.00", "-3.00", "-5.00"]
    assert before.fees == ZERO


@given(st.lists(st.decimals("0.01", "500", places=2), min_size=1, max_size=12))
def test_fees_add_up_whatever_the_instalments(amounts: list[Decimal]) -> None:
    """Paid in parts and taken back in another order, a case owes no fee at the end, and never more than came in."""
    before = FeesBefore()
    for amount in [*amounts, *(-amount for amount in sorted(amounts))]:
        fee = fee_on(contract(), facts(), amount, before)
        before = FeesBefore(
            collected=before.collected + amount, by_percent=before.by_percent + fee.by_percent, fees=before.fees + fee.amount
        )
        assert ZERO <= before.fees <= before.collected
    assert before.fees == ZERO


def test_the_version_in_force_decides() -> None:
    old, new, corrected = contract(1, valid_to="2026-12-31"), contract(2, valid_from="2026-06-01"), contract(3, valid_from="2026-06-01")
    assert in_force([old, new, corrected], on("2025-12-31")) is None
    assert in_force([old, new, corrected], on("2026-05-31")) is old
    assert in_force([old, new, corrected], on("2026-06-01")) is corrected
    assert in_force([old], on("2027-01-01")) is None


def test_a_case_that_no_row_fits_is_refused_and_not_guessed() -> None:
    narrow = contract(grid=[{"percent": "10", "countries": ["BE"]}])
    with pytest.raises(PermanentError, match="no row of the grid in contract version 1 .* debtor in DE"):
        fee_on(narrow, facts(country="DE"), D("10.00"), FeesBefore())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vat_percent": 21}, "vat_percent is not a text"),
        ({"vat_percent": "101"}, "101 is no percentage"),
        ({"minimum_fee": "5.001"}, "no amount of EUR"),
        ({"minimum_fee": "1e2"}, "is not an amount"),
        ({"minimum_fee": "\u0661\u0662"}, "is not an amount"),
        ({"grid": [{"percent": "NaN"}]}, "is not an amount"),
        ({"grid": [{"percent": "10", "amount_from": "5", "amount_below": "5"}]}, "fits nothing"),
        ({"grid": [{"percent": "10", "colour": "red"}]}, "colour"),
        ({"valid_to": "2025-12-31"}, "ends before it begins"),
    ],
)
def test_terms_that_nobody_can_have_agreed(change: dict[str, object], said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        read_terms(json.dumps({**TERMS, **change}).encode())


def test_terms_survive_storing() -> None:
    terms = contract().terms
    assert msgspec.json.decode(msgspec.json.encode(terms), type=Terms) == terms
