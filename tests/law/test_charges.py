"""Lump sums, caps and tariffs, each at the edges of its bands."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collecthub.law.basis import Evidence
from collecthub.law.charges import Charge, ChargeQuestion, charge, charge_shown
from collecthub.law.interest import UnknownRateError
from law.asked import D, day, late, law
from law.naive import rows


def asked(country: str, basis: str, item: str = "compensation", segment: str = "B2B", **more: Any) -> Charge:
    more = {
        name: day(value) if isinstance(value, str) and name in ("on", "due_on", "contract_on") else value
        for name, value in more.items()
    }
    question = ChargeQuestion(
        item=item, segment=segment, basis=D(basis), currency=more.pop("currency", law(country).currency),
        on=more.pop("on", dt.date(2025, 5, 5)), **more,
    )  # fmt: skip
    return charge(law(country), question)


def amount(country: str, basis: str, **more: Any) -> str:
    found = asked(country, basis, **more)
    return f"{found.amount} {found.currency}"


@pytest.mark.parametrize(
    ("balance", "cap"),
    [
        ("0.01", "20.00"), ("150.00", "20.00"), ("150.01", "30.00"), ("215", "36.50"), ("500.00", "65.00"), ("500.01", "65.00"),
        ("1200", "100.00"), ("39199.99", "2000.00"), ("39200", "2000.00"), ("1000000", "2000.00"),
    ],
)  # fmt: skip
def test_the_belgian_cap_on_the_balance(balance: str, cap: str) -> None:
    found = asked("BE", balance, segment="B2C")
    assert (found.amount, found.rule and found.rule.is_ceiling, found.evidence) == (
        D(cap),
        True,
        Evidence.VERIFIED,
    )
    assert "only if the contract grants it" in found.notes[0]


@given(st.decimals(min_value=1, max_value=10**7, places=2), st.decimals(min_value=1, max_value=10**7, places=2))
def test_the_belgian_cap_never_falls_with_the_balance(one: Decimal, two: Decimal) -> None:
    less, more = sorted((one, two))
    assert asked("BE", str(less), segment="B2C").amount <= asked("BE", str(more), segment="B2C").amount


@pytest.mark.parametrize(
    ("country", "debt", "sum_"),
    [
        ("GB", "999.99", "40.00 GBP"), ("GB", "1000", "70.00 GBP"), ("GB", "9999.99", "70.00 GBP"), ("GB", "10000", "100.00 GBP"),
        ("IE", "1000", "40.00 EUR"), ("IE", "1000.01", "70.00 EUR"), ("IE", "10000", "70.00 EUR"), ("IE", "10000.01", "100.00 EUR"),
        ("PL", "4999.99", "40.00 EUR"), ("PL", "5000.01", "70.00 EUR"), ("PL", "50000", "100.00 EUR"),
        ("NL", "100", "40.00 EUR"), ("NL", "2500", "375.00 EUR"), ("NL", "5000", "625.00 EUR"), ("NL", "10000", "875.00 EUR"),
        ("NL", "200000", "2775.00 EUR"), ("NL", "1000000", "6775.00 EUR"), ("NL", "5000000", "6775.00 EUR"),
        ("CZ", "1", "1200.00 CZK"), ("DK", "1", "310.00 DKK"), ("SE", "1", "450.00 SEK"), ("CH", "1", "0.00 CHF"),
        ("DE", "1", "40.00 EUR"), ("FR", "1", "40.00 EUR"), ("SK", "1", "40.00 EUR"), ("US", "1", "0.00 USD"),
    ],
)  # fmt: skip
def test_the_lump_sum(country: str, debt: str, sum_: str) -> None:
    assert amount(country, debt) == sum_


def test_the_lump_sums_are_those_of_the_table(shared_data: Path) -> None:
    """Wherever the table states one plain amount."""
    compared = 0
    for row in rows(shared_data, "late_payment_rules.csv"):
        stated = row["fixed_compensation"].split(" ")[0]
        on = max(row["valid_from"], "2014-08-01") if not row["valid_to"] else row["valid_from"]
        if stated.replace(".", "").isdigit() and row["iso2"] != "NL":
            found = asked(row["iso2"], "100", on=on or "2025-05-05", contract_on=on or "2025-05-05")
            currency = "EUR" if "equivalent" in row["fixed_compensation"] else row["compensation_currency"]
            assert (f"{found.amount:.2f}", found.currency) == (f"{D(stated):.2f}", currency), row
            compared += 1
    assert compared == 33


def test_norway_sets_its_sum_each_half_year() -> None:
    assert [amount("NO", "1", on=on) for on in ("2016-08-01", "2022-08-01", "2025-05-01")] == [
        "370.00 NOK",
        "400.00 NOK",
        "470.00 NOK",
    ]
    with pytest.raises(UnknownRateError, match="not known for 2025-08-05"):
        asked("NO", "1", on="2025-08-05")
    answer = late("NO", "2025-07-31", "2025-09-30", currency="NOK")
    assert (answer.compensation, answer.interest) == (None, D("204.73"))
    assert any("not known" in text for text in answer.notes)


def test_poland_names_the_day_of_its_exchange_rate() -> None:
    """The last working day of the month before the month of the due date: 31 May 2025 was a Saturday."""
    found = asked("PL", "100", due_on="2025-06-20")
    assert any(text.endswith(": 2025-05-30") for text in found.notes)
    assert amount("PL", "100", due_on="2025-06-20", exchange_rate=D("4.2567")) == "170.27 PLN"


def test_tiers_of_another_currency_take_the_lowest_and_say_so() -> None:
    found = asked("GB", "50000", currency="EUR")
    assert (found.amount, found.currency) == (D("40.00"), "GBP")
    assert "the lowest one is taken" in found.notes[0]


def test_consumers_owe_no_lump_sum_where_nothing_says_so() -> None:
    found = asked("DE", "100", segment="B2C")
    assert (found.amount, found.rule) == (0, None)
    assert "nothing is stored here" in found.notes[0]
    assert amount("NL", "1000", segment="B2C") == "150.00 EUR"


@pytest.mark.parametrize(
    ("country", "item", "claim", "fee"),
    [
        ("FI", "reminder", "50", "5.00 EUR"), ("FI", "collection_letter", "100", "14.00 EUR"), ("FI", "collection_letter", "100.01", "24.00 EUR"),
        ("FI", "collection_letter", "1000.01", "50.00 EUR"), ("FI", "collection_total", "100", "60.00 EUR"),
        ("FI", "collection_total", "1000", "120.00 EUR"), ("FI", "collection_total", "5000", "210.00 EUR"), ("SE", "reminder", "1", "60.00 SEK"),
        ("SE", "collection_letter", "1", "180.00 SEK"), ("SE", "instalment_plan", "1", "170.00 SEK"), ("DK", "reminder", "1", "100.00 DKK"),
    ],
)  # fmt: skip
def test_fees_of_single_steps(country: str, item: str, claim: str, fee: str) -> None:
    assert amount(country, claim, item=item, segment="B2C") == fee


# --- the Belgian bailiff -----------------------------------------------------------------------------


def test_every_amount_of_the_bailiffs_tariff(shared_data: Path) -> None:
    items = {
        "graduated right (old scale, classes A-F of ten)": "bailiff_act", "graduated fee per act": "bailiff_act",
        "formal reminder letter with threat of suit": "bailiff_letter", "administrative file cost": "bailiff_file",
        "administrative file cost, each later year": "bailiff_file_year",
    }  # fmt: skip
    compared = 0
    for row in rows(shared_data, "be_bailiff_tariff.csv"):
        if row["item"] not in items or row["unit"] != "EUR":
            continue
        for basis in filter(None, (row["amount_from"] or "1", row["amount_to"])):
            assert (
                amount("BE", basis, item=items[row["item"]], on=row["valid_from"]) == f"{D(row['value']):.2f} EUR"
            ), (row, basis)
            compared += 1
    assert compared == 22


@pytest.mark.parametrize(
    ("recovered", "fee"),
    [("2500", "200.00"), ("2500.01", "200.00"), ("5000", "325.00"), ("10000", "425.00"), ("1000", "80.00")],
)
def test_the_degressive_recovery_fee(recovered: str, fee: str) -> None:
    assert amount("BE", recovered, item="bailiff_recovery", on="2025-02-01") == f"{fee} EUR"


def test_the_old_scale_of_2018_has_its_upper_classes() -> None:
    assert [amount("BE", basis, item="bailiff_act", on="2018-05-01") for basis in ("124.99", "12400", "50000")] == [
        "22.28 EUR", "103.65 EUR", "133.24 EUR",
    ]  # fmt: skip


def test_brackets_that_nobody_read_are_refused() -> None:
    with pytest.raises(UnknownRateError, match="recovery fee above 10000 EUR is not known"):
        asked("BE", "10000.01", item="bailiff_recovery", on="2025-02-01")
    with pytest.raises(UnknownRateError, match="above 12400 EUR is not known"):
        asked("BE", "20000", item="bailiff_act", on="2024-02-01")


@pytest.mark.parametrize(
    ("basis", "nature", "fee"),
    [("9000", "energy", "125.00"), ("9000", "medical", "125.00"), ("100", "family", "175.00"), ("100", "undetermined", "250.00"), ("9000", "goods", "250.00")],
)  # fmt: skip
def test_the_kind_of_claim_decides_the_class(basis: str, nature: str, fee: str) -> None:
    assert amount("BE", basis, item="bailiff_act", nature=nature, on="2024-11-05") == f"{fee} EUR"


def test_an_amount_that_was_indexed_since_is_refused_or_marked() -> None:
    with pytest.raises(UnknownRateError, match="known only until 2024-12-31"):
        asked("BE", "1000", item="bailiff_act", on="2025-01-01")
    found = asked("BE", "3000", item="bailiff_act", on="2026-01-01", may_use_last=True)
    assert (found.amount, found.notes[0]) == (
        D("175.00"),
        "the amount is that of 2024-12-31, the last known one; a later indexation is not in it",
    )


def test_instalments_no_longer_cost_anything() -> None:
    """The rights of acompte and recette ended on 2024-10-01: there is no such item, and the fee ignores instalments."""
    assert asked("BE", "1000", item="bailiff_instalment").rule is None
    assert not any("instal" in rule.item for rule in law("BE").charges)


def test_an_answer_explains_itself() -> None:
    question = ChargeQuestion(
        item="later_reminder", segment="B2C", basis=D(1), currency="EUR", on=dt.date(2025, 5, 5)
    )
    shown = charge_shown(law("BE"), question)
    assert (shown.amount, shown.article, shown.rule_version) == (D("7.50"), "CEL XIX.2", dt.date(2026, 11, 22))
    assert shown.source
