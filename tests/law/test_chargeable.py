"""What a collector may ask a debtor for his own work, country by country; the sources are those of pack and atlas."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from collecthub.bundled.jurisdictions import register_jurisdictions
from collecthub.law.atlas.facts import Fact, Topic, fact_on
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.basis import Evidence
from collecthub.law.chargeable import CostAsked, cost_obstacle
from collecthub.law.rules import CountryLaw
from collecthub.law.steps import Obstacle

DAY = dt.date(2026, 6, 15)
LOADERS = {pack.country: pack.load for pack in register_jurisdictions()}


def law_of(country: str) -> CountryLaw:
    found: CountryLaw = LOADERS[country]()
    return found


def asks(country: str, **more: Any) -> Obstacle | None:
    asked: dict[str, Any] = {
        "cost_type": "collection_fee", "amount": Decimal("25.00"), "before": Decimal(0), "currency": "EUR", "on": DAY,
        "segment": "B2C", "principal": Decimal("500.00"), "due_on": dt.date(2026, 3, 31), "is_amicable": True,
    }  # fmt: skip
    fees = fact_on(bundled_atlas(), country, Topic.CHARGEABLE_FEES, DAY)
    return cost_obstacle(country, law_of(country), fees, CostAsked(**{**asked, **more}))


@pytest.mark.parametrize("cost_type", ["collection_fee", "bailiff_act", "lawyer_fee", "other"])
def test_a_belgian_consumer_is_asked_nothing_of_the_collectors_own(cost_type: str) -> None:
    found = asks("BE", cost_type=cost_type)
    assert found is not None and found.article == "CEL XIX.10"


@pytest.mark.parametrize(
    "more", [{"segment": "B2B"}, {"is_amicable": False}, {"cost_type": "court_fee"}, {"amount": Decimal(0)}]
)
def test_book_xix_says_nothing_of_enterprises_courts_and_nothing(more: dict[str, Any]) -> None:
    assert asks("BE", **more) is None


@pytest.mark.parametrize("segment", ["B2B", "B2C"])
def test_amicable_costs_stay_with_the_creditor_in_france(segment: str) -> None:
    found = asks("FR", segment=segment)
    assert found is not None and "L.111-8" in found.reason


@pytest.mark.parametrize(
    ("principal", "before", "is_free"),
    [("100.00", "35.00", True), ("100.00", "35.01", False), ("100.01", "95.00", True), ("1000.01", "185.01", False)],
)
def test_finlands_ceiling_for_all_costs_of_a_consumer(principal: str, before: str, *, is_free: bool) -> None:
    """60 to 100, 120 to 1,000, 210 above: what was asked before counts with it."""
    assert (asks("FI", principal=Decimal(principal), before=Decimal(before)) is None) is is_free


def test_a_hunch_forbids_nothing() -> None:
    fees = Fact(topic=Topic.CHARGEABLE_FEES, code="none", value="no", evidence=Evidence.GENERAL_KNOWLEDGE)
    asked = CostAsked(
        cost_type="other", amount=Decimal(9), before=Decimal(0), currency="CHF", on=DAY, segment="B2C", principal=Decimal(90),
        due_on=DAY, is_amicable=True,
    )  # fmt: skip
    assert cost_obstacle("CH", None, fees, asked) is None
