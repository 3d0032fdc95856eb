"""Time limits that run from an event, and days as the law counts them."""

from __future__ import annotations

import datetime as dt

import pytest

from collecthub.errors import PermanentError
from collecthub.law.basis import Evidence
from collecthub.law.days import add_months, add_span, is_working_day
from collecthub.law.deadline import EU, deadline, distance
from collecthub.law.rules import Span, Unit
from law.asked import day, law


def until(event: str, on: str, *, country: str = "BE", segment: str = "B2B", actor: str = "") -> str:
    return str(deadline(law(country), event, day(on), segment=segment, actor_country=actor).deadline_on)


@pytest.mark.parametrize(
    ("event", "actor", "last"),
    [
        ("settlement_claim", "BE", "2025-06-05"), ("settlement_claim", "FR", "2025-08-05"), ("settlement_claim", "US", "2025-10-06"),
        ("settlement_last_call", "BE", "2025-05-20"), ("settlement_last_call", "DE", "2025-06-04"), ("settlement_last_call", "GB", "2025-06-24"),
        ("settlement_plan", "", "2025-07-07"), ("bankruptcy_claim", "", "2025-06-04"), ("bankruptcy_bar", "", "2026-05-05"),
        ("uncontested_demand", "", "2025-06-05"), ("uncontested_record", "", "2025-05-13"),
    ],
)  # fmt: skip
def test_belgian_time_limits_from_monday_5_may_2025(event: str, actor: str, last: str) -> None:
    """5 October 2025 is a Sunday, 5 July a Saturday: these ends move to the Monday."""
    assert until(event, "2025-05-05", actor=actor) == last


def test_the_answer_says_how_far_and_by_which_article() -> None:
    answer = deadline(law("BE"), "settlement_claim", day("2025-05-05"), actor_country="US")
    assert (answer.distance, answer.period, str(answer.counted_to)) == ("world", "5 months", "2025-10-05")
    assert (answer.article, answer.evidence) == ("Jud. Code 1675/9, 55", Evidence.VERIFIED)


def test_before_the_change_of_2023_nothing_is_known() -> None:
    with pytest.raises(PermanentError, match="known for 2023-01-08"):
        until("settlement_claim", "2023-01-08")


def test_an_unknown_event_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(PermanentError, match="no time limit 'tea'") as caught:
        until("tea", "2025-05-05")
    assert "bankruptcy_claim" in caught.value.cure
    with pytest.raises(PermanentError):
        until("uncontested_demand", "2025-05-05", segment="B2C")  # not for consumers


def test_the_order_for_payment_may_be_opposed_within_thirty_days() -> None:
    assert until("payment_order_opposition", "2025-05-05", country="FR") == "2025-06-04"
    assert (
        until("payment_order_opposition", "2025-05-08", country="FR") == "2025-06-10"
    )  # 7 June: Saturday, then Whit Monday
    with pytest.raises(PermanentError):
        until("payment_order_opposition", "2025-05-05", country="DK")  # bound by no such regulation
    assert (
        sum(
            1 for country in EU if any(rule.event == "payment_order_opposition" for rule in law(country).deadlines)
        )
        == 26
    )


@pytest.mark.parametrize(("country", "event", "segment", "last"), [("CZ", "pre_action_notice", "B2B", "2025-05-12"), ("FI", "consumer_demand", "B2C", "2025-05-19"), ("LV", "consumer_demand", "B2C", "2025-05-26"), ("NL", "consumer_letter", "B2C", "2025-05-19"), ("NO", "collection_notice", "B2B", "2025-05-19"), ("DK", "collection_letter", "B2B", "2025-05-15")])  # fmt: skip
def test_steps_before_suit_abroad(country: str, event: str, segment: str, last: str) -> None:
    assert until(event, "2025-05-05", country=country, segment=segment) == last


def test_distance() -> None:
    assert len(EU) == 27
    assert [distance("BE", other) for other in ("", "BE", "HR", "GB", "CH", "NO")] == [
        "home",
        "home",
        "eu",
        "world",
        "world",
        "world",
    ]
    assert distance("GB", "BE") == "world"


def test_working_days_skip_weekends_and_national_holidays() -> None:
    third = Span(count=3, unit=Unit.WORKING_DAYS)
    assert str(add_span(day("2025-05-05"), third, "BE")) == "2025-05-08"
    assert (
        str(add_span(day("2025-04-17"), third, "BE")) == "2025-04-23"
    )  # Good Friday works, Easter Monday does not
    assert str(add_span(day("2025-12-24"), third, "BE")) == "2025-12-30"
    assert not is_working_day(day("2025-11-11"), "BE") and is_working_day(day("2025-11-11"), "DE")
    with pytest.raises(PermanentError, match="public holidays of ZZ"):
        is_working_day(day("2025-11-11"), "ZZ")


def test_months_go_from_date_to_date() -> None:
    assert [str(add_months(day(text), n)) for text, n in (("2025-01-31", 1), ("2024-01-31", 1), ("2025-12-15", 3), ("2025-03-31", -1))] == [
        "2025-02-28", "2024-02-29", "2026-03-15", "2025-02-28",
    ]  # fmt: skip
    assert add_span(dt.date(2025, 5, 5), Span(count=2, unit=Unit.WEEKS)) == dt.date(2025, 5, 19)
