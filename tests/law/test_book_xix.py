"""Book XIX as a sequence of dated events, the uncontested route and insolvency: what is unlawful, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collecthub.errors import PermanentError
from collecthub.law.lawful import check_step
from collecthub.law.reminder import wait_after
from collecthub.law.steps import Happened, Happening, Step, StepAnswer, StepQuestion
from law.asked import D, day, law

CONSUMER = {"principal": "1200", "due_on": "2025-04-20", "segment": "B2C"}
FIRM = {"principal": "10000", "due_on": "2025-03-31", "segment": "B2B"}
EMAIL = "2025-05-05=reminder:email"


def asked(step: str, on: str, happened: str = "", **more: Any) -> StepAnswer:
    """`happened` are DATE=FACT[:CHANNEL or AMOUNT], parted by spaces."""
    facts = []
    for text in happened.split():
        date, _, rest = text.partition("=")
        kind, _, value = rest.partition(":")
        given_amount = {"amount": D(value)} if kind in ("payment", "credit") else {"channel": value or "letter"}
        facts.append(Happened(kind=Happening(kind), on=day(date), **given_amount))
    values: dict[str, Any] = {**CONSUMER, **more}
    for name in ("principal", "claimed", "rate_percent"):
        if name in values:
            values[name] = D(values[name])
    for name in ("due_on", "contract_on"):
        if name in values:
            values[name] = day(values[name])
    return check_step(law("BE"), StepQuestion(step=Step(step), on=day(on), happened=tuple(facts), **values))


def refused(step: str, on: str, happened: str = "", **more: Any) -> list[str]:
    answer = asked(step, on, happened, **more)
    assert answer.is_allowed is (not answer.obstacles)
    for obstacle in answer.obstacles:
        assert obstacle.reason and obstacle.cure and obstacle.evidence
    return [obstacle.article for obstacle in answer.obstacles]


# --- reminder and wait --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "first", "charge"),
    [
        ("2025-05-05=reminder:email", "2025-05-06", "2025-05-20"),  # the worked sequence
        ("2025-05-05=reminder:sms", "2025-05-06", "2025-05-20"),
        ("2025-05-05=reminder:letter", "2025-05-08", "2025-05-22"),  # third working day: Thursday
        ("2025-05-09=reminder:letter", "2025-05-14", "2025-05-28"),  # Friday: the weekend does not count
        ("2025-04-17=reminder:registered", "2025-04-23", "2025-05-07"),  # Easter Monday does not count either
        ("2025-12-31=reminder:letter", "2026-01-06", "2026-01-20"),
    ],
)
def test_the_wait_is_counted_by_its_channel(sent: str, first: str, charge: str) -> None:
    limits = asked("charge_clause", "2026-02-01", sent, claimed="100").limits
    assert (limits["waiting_from"], limits["charge_from"]) == (first, charge)
    assert refused("charge_clause", str(day(charge)), sent, claimed="100") == []
    before = asked("charge_clause", limits["waiting_until"], sent, claimed="100")
    assert [(found.article, str(found.allowed_from)) for found in before.obstacles] == [("CEL XIX.2", charge)]
    assert str(before.allowed_from) == charge


@given(st.dates(day("2023-09-01"), day("2030-12-31")), st.sampled_from(["email", "letter"]))
def test_a_wait_is_fourteen_days_and_a_letters_is_never_shorter(sent: Any, channel: str) -> None:
    rule = law("BE").reminders[0]
    wait = wait_after(rule, sent, channel, "BE")
    assert (wait.charge_from - wait.first_on).days == 14
    assert wait.first_on > sent
    assert wait.charge_from <= wait_after(rule, sent, "letter", "BE").charge_from


def test_without_a_reminder_nothing_may_be_charged() -> None:
    assert refused("charge_clause", "2025-06-30", claimed="20") == ["CEL XIX.2"]
    assert refused("charge_interest", "2025-06-30", rate_percent="4.5") == ["CEL XIX.2"]


def test_only_the_first_reminder_opens_the_wait() -> None:
    assert refused("charge_clause", "2025-05-20", f"{EMAIL} 2025-05-19=reminder:email", claimed="100") == []


@pytest.mark.parametrize(
    ("claimed", "happened", "more", "articles"),
    [
        ("0", "", {}, []),
        ("0.01", "", {}, ["CEL XIX.2"]),  # the first one is free
        ("7.50", EMAIL, {}, []),
        ("7.51", EMAIL, {}, ["CEL XIX.2"]),  # 7.50 at most, beside the postage
        ("7.50", "", {"is_regular_supply": True, "free_reminders_used": 2}, ["CEL XIX.2"]),
        ("7.50", "", {"is_regular_supply": True, "free_reminders_used": 3}, []),  # the fourth due date of the year
    ],
)
def test_what_a_reminder_may_cost(claimed: str, happened: str, more: dict[str, Any], articles: list[str]) -> None:
    assert refused("remind", "2025-05-25", happened, claimed=claimed, **more) == articles


def test_the_reminder_says_what_it_must_name() -> None:
    assert "enterprise number" in asked("remind", "2025-05-05").notes[0]


# --- caps ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paid", "cap"),
    [
        ("", "100.00"),
        ("2025-05-10=payment:700", "65.00"),
        ("2025-05-10=credit:985", "36.50"),
        ("2025-05-25=payment:700", "100.00"),
    ],
)
def test_the_cap_looks_at_the_balance_of_the_moment(paid: str, cap: str) -> None:
    """The last payment comes after the day of the question."""
    happened = f"{EMAIL} {paid}"
    assert asked("charge_clause", "2025-05-20", happened).limits["clause_ceiling"] == cap
    assert refused("charge_clause", "2025-05-20", happened, claimed=cap) == []
    assert refused("charge_clause", "2025-05-20", happened, claimed=str(D(cap) + D("0.01"))) == ["CEL XIX.4"]


def test_interest_is_capped_at_the_commercial_rate_of_the_day() -> None:
    assert refused("charge_interest", "2025-06-30", EMAIL, rate_percent="11.5") == []
    assert refused("charge_interest", "2025-06-30", EMAIL, rate_percent="11.51") == ["CEL XIX.4; VI.83"]
    assert refused("charge_interest", "2025-07-01", EMAIL, rate_percent="11.5") == ["CEL XIX.4; VI.83"]
    unknown = asked("charge_interest", "2026-07-01", EMAIL, rate_percent="5")
    assert "not known here" in unknown.obstacles[0].reason


# --- the collector ------------------------------------------------------------------------------------


def test_a_collector_begins_with_a_notice_and_stands_still() -> None:
    notice = f"{EMAIL} 2025-05-21=notice:letter"
    assert refused("collect", "2025-05-21", EMAIL) == ["CEL XIX.7"]
    disputed = asked("collect", "2025-05-28", f"{notice} 2025-05-27=dispute")
    assert (len(disputed.obstacles), disputed.allowed_from) == (2, None)  # time alone does not help
    answer = asked("collect", "2025-05-28", notice)
    assert [(found.article, str(found.allowed_from)) for found in answer.obstacles] == [
        ("CEL XIX.7", "2025-06-09")
    ]
    assert refused("collect", "2025-06-09", notice) == []
    assert "supervising authority" in asked("collector_notice", "2025-05-21", EMAIL).notes[0]


@pytest.mark.parametrize("stop", ["dispute", "plan_request", "mediation_request"])
def test_a_dispute_or_request_stops_the_collector_until_it_is_answered(stop: str) -> None:
    notice = f"{EMAIL} 2025-05-21=notice:email 2025-06-10={stop}"
    assert refused("collect", "2025-06-12", notice) == ["CEL XIX.9"]
    assert refused("collect", "2025-06-09", notice) == []  # it had not come yet
    assert refused("collect", "2025-06-20", f"{notice} 2025-06-18=answered") == []
    assert refused("collect", "2025-06-30", f"{notice} 2025-06-18=answered 2025-06-25={stop}") == ["CEL XIX.9"]


def test_a_collector_charges_a_consumer_nothing_of_its_own() -> None:
    assert refused("charge_collector", "2026-01-01", EMAIL, claimed="1") == ["CEL XIX.10"]


def test_a_notice_may_not_ask_for_more_than_is_lawful_yet() -> None:
    assert refused("collector_notice", "2025-05-15", EMAIL, claimed="100") == ["CEL XIX.2"]
    assert refused("collector_notice", "2025-05-20", EMAIL, claimed="180") == ["CEL XIX.4"]


# --- scope --------------------------------------------------------------------------------------------


def test_book_xix_holds_for_consumers_and_by_the_contracts_day() -> None:
    assert refused("charge_clause", "2025-06-30", claimed="500", **{**CONSUMER, "segment": "B2B"}) == []
    old = {"contract_on": "2023-01-01", "due_on": "2023-09-15"}
    assert refused("charge_clause", "2023-11-30", claimed="500", **old) == []
    assert refused("charge_clause", "2023-12-01", claimed="500", **old) == ["CEL XIX.2", "CEL XIX.4"]
    assert (
        refused("charge_clause", "2023-12-01", claimed="500", contract_on="2023-01-01", due_on="2023-08-15") == []
    )


# --- the uncontested route ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "articles"),
    [
        ({"claimed": "1000"}, []),
        ({"claimed": "1000.01"}, ["Jud. Code 1394/20"]),  # 10% of the principal
        ({"segment": "B2C"}, ["Jud. Code 1394/20"]),
        ({"segment": "B2G"}, ["Jud. Code 1394/20"]),
        ({"is_registered": False}, ["Jud. Code 1394/20"]),
        ({"happened": "2025-05-01=dispute"}, ["Jud. Code 1394/20"]),
        ({"happened": "2025-05-01=dispute 2025-05-10=answered"}, []),
        ({"happened": "2025-05-01=payment:5000", "claimed": "500.01"}, ["Jud. Code 1394/20"]),
    ],
)
def test_the_uncontested_route(more: dict[str, Any], articles: list[str]) -> None:
    assert refused("uncontested_route", "2025-06-30", **{**FIRM, **more}) == articles


# --- judicial phase, insolvency -----------------------------------------------------------------------


def test_a_solvency_investigation_comes_before_the_judicial_phase() -> None:
    assert refused("summon", "2024-09-30", **FIRM) == []
    assert refused("summon", "2024-10-01", **FIRM) == ["Royal Decree of 18 May 2024"]
    assert refused("summon", "2025-10-01", "2025-09-01=solvency_check", **FIRM) == []


def test_enforcement_needs_a_title() -> None:
    assert refused("enforce", "2025-10-01", **FIRM) == ["Jud. Code 1494"]
    assert refused("enforce", "2025-10-01", "2025-09-01=title", **FIRM) == []


@pytest.mark.parametrize(
    ("fact", "step", "articles"),
    [
        ("settlement_admitted", "enforce", ["Jud. Code 1675/7"]), ("settlement_admitted", "charge_interest", ["Jud. Code 1675/7"]),
        ("settlement_ended", "enforce", []), ("bankruptcy", "enforce", ["CEL XX.155"]), ("bankruptcy", "uncontested_route", ["CEL XX.155"]),
        ("reorganisation", "enforce", ["CEL XX.44 to XX.82"]), ("reorganisation_ended", "enforce", []),
    ],
)  # fmt: skip
def test_insolvency_stops_what_it_stops(fact: str, step: str, articles: list[str]) -> None:
    assert refused(step, "2025-10-01", f"2025-08-01=title 2025-09-01={fact}", **FIRM) == articles


def test_a_pack_that_checks_no_steps_says_so_instead_of_consenting() -> None:
    question = StepQuestion(
        step=Step.REMIND, on=day("2025-05-05"), segment="B2C", principal=D(1), due_on=day("2025-04-20")
    )
    with pytest.raises(PermanentError, match="the pack of Germany checks no steps"):
        check_step(law("DE"), question)
