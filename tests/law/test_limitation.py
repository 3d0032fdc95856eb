"""The limitation clock: periods, starts, acts, alarms."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collecthub.errors import PermanentError
from collecthub.law.basis import Evidence
from collecthub.law.days import is_working_day
from collecthub.law.limitation import (
    LegalAct,
    Limitation,
    LimitationQuestion,
    earliest,
    limitation,
    limitation_alarms,
)
from law.asked import day, law
from law.naive import rows


def asked(
    country: str, due: str, segment: str = "B2B", *, nature: str = "", as_of: str = "2026-06-15", acts: str = ""
) -> Limitation:
    """`acts` are DATE=ACT[:END], parted by spaces."""
    done = []
    for text in acts.split():
        on, _, rest = text.partition("=")
        act, _, ended = rest.partition(":")
        done.append(LegalAct(act=act, on=day(on), ended_on=day(ended) if ended else None))
    return limitation(
        law(country),
        LimitationQuestion(segment=segment, due_on=day(due), as_of=day(as_of), nature=nature, acts=tuple(done)),
    )


def last(country: str, due: str, segment: str = "B2B", **more: str) -> str:
    return str(asked(country, due, segment, **more).limitation_on)


@pytest.mark.parametrize(
    ("nature", "due", "until"),
    [
        ("", "2020-03-15", "2030-03-15"), ("general", "2020-02-29", "2030-02-28"), ("utilities", "2024-03-15", "2029-03-15"),
        ("rent", "2024-03-15", "2029-03-15"), ("medical", "2024-03-15", "2026-03-31"), ("lawyer", "2024-03-15", "2029-03-15"),
        ("insurance", "2024-03-15", "2027-03-15"), ("hotel", "2024-08-31", "2025-02-28"), ("judgment", "2024-03-15", "2034-03-15"),
        ("bailiff_fee", "2024-03-15", "2025-03-15"), ("interest", "2024-03-15", "2029-03-15"),
    ],
)  # fmt: skip
def test_belgian_periods(nature: str, due: str, until: str) -> None:
    assert last("BE", due, nature=nature) == until


def test_what_a_trader_sold_to_a_consumer_is_lost_a_year_after_the_years_end() -> None:
    answer = asked("BE", "2024-03-15", "B2C")
    assert (str(answer.began_on), str(answer.limitation_on), answer.is_barred) == (
        "2024-12-31",
        "2025-12-31",
        True,
    )
    assert "the nature of the claim was not given" in answer.notes[0]
    assert {other.nature: str(other.limitation_on) for other in answer.by_nature}["utilities"] == "2029-03-15"
    assert asked("BE", "2024-03-15", "B2C", nature="utilities").is_barred is False


@pytest.mark.parametrize(
    ("country", "due", "until"),
    [
        ("DE", "2022-05-20", "2025-12-31"), ("PL", "2022-05-20", "2024-12-31"), ("GB", "2022-05-20", "2028-05-20"),
        ("FR", "2022-05-20", "2027-05-20"), ("NL", "2022-05-20", "2027-05-20"), ("GR", "2022-05-20", "2027-12-31"),
        ("TW", "2022-05-20", "2024-05-20"), ("PT", "2022-05-20", "2042-05-20"), ("ID", "2022-05-20", "2052-05-20"), ("SK", "2022-05-20", "2026-05-20"),
    ],
)  # fmt: skip
def test_periods_abroad(country: str, due: str, until: str) -> None:
    assert last(country, due) == until


GENERAL = {
    2: "TW TH", 3: "AT DE DK EE FI HR CZ NO RO SI LV CN IN VN ZA RU PL", 4: "IS SK US", 5: "BG FR ES GR HU MT NL JP KR BR AE",
    6: "CY IE GB AU NZ HK SG MY", 7: "IL", 10: "BE IT LT LU SE CH MX CO", 15: "DZ TN EG", 20: "PT", 30: "ID",
}  # fmt: skip


@pytest.mark.parametrize(("years", "countries"), GENERAL.items())
def test_the_general_periods_between_businesses(years: int, countries: str) -> None:
    for country in countries.split():
        assert asked(country, "2020-06-30", nature="general").period == f"{years} years", country


def test_trade_and_sale_are_lost_sooner_where_the_law_says_so() -> None:
    shorter = {country: asked(country, "2020-06-30").period for country in ("PL", "VN", "KR", "EG", "SA")}
    assert shorter == {"PL": "2 years", "VN": "2 years", "KR": "3 years", "EG": "7 years", "SA": "5 years"}


def test_every_country_of_the_table_has_its_period(shared_data: Path) -> None:
    """The years that the table begins with, or a shorter one of the same cell where it names several."""
    for row in rows(shared_data, "collection_rules.csv"):
        numbers = [
            int(part)
            for part in row["limitation_b2b_years"].replace("(", " ").replace("-", " ").split()
            if part.isdigit()
        ]
        found = asked(row["iso2"], "2020-06-30")
        years = int(found.period.split()[0])
        if row["iso2"] == "KR":
            numbers = [3]  # the price of trade, which the table has in another column
        assert years in numbers and years <= numbers[0], (row["iso2"], row["limitation_b2b_years"], found.period)
        assert ("year" in row["limitation_start"]) == (str(found.began_on) == "2020-12-31"), row
        assert found.evidence.value == row["verification"] or found.evidence in (
            Evidence.PARTLY,
            Evidence.GENERAL_KNOWLEDGE,
        ), row


# --- acts --------------------------------------------------------------------------------------------


def test_a_creditors_letter_does_not_interrupt_in_belgium() -> None:
    answer = asked("BE", "2017-01-10", acts="2026-01-05=formal_notice 2026-02-01=demand")
    assert str(answer.limitation_on) == "2027-01-10"
    assert [act.effect for act in answer.acts] == ["none", "none"]


def test_a_lawyers_notice_gives_a_year_once() -> None:
    answer = asked("BE", "2016-07-01", acts="2026-05-20=lawyer_notice 2026-05-25=lawyer_notice")
    assert [(act.effect, str(act.limitation_on)) for act in answer.acts] == [
        ("extends", "2027-05-20"),
        ("none", "2027-05-20"),
    ]
    early = asked("BE", "2017-01-10", acts="2020-01-05=bailiff_notice")
    assert str(early.limitation_on) == "2027-01-10"  # the first period is never shortened
    assert answer.evidence is Evidence.GENERAL_KNOWLEDGE


def test_a_suit_stops_the_clock_until_it_ends() -> None:
    pending = asked("BE", "2017-01-10", acts="2025-03-01=suit")
    assert (pending.limitation_on, pending.days_left, pending.alarms, pending.is_barred) == (None, None, (), False)
    ended = asked("BE", "2017-01-10", acts="2025-03-01=suit:2026-01-20")
    assert str(ended.limitation_on) == "2036-01-20"


def test_collective_settlement_lets_the_rest_run_on() -> None:
    answer = asked("BE", "2017-01-10", acts="2022-01-01=collective_settlement:2024-01-01")
    assert str(answer.limitation_on) == "2029-01-09"  # 730 days later
    assert asked("BE", "2017-01-10", acts="2022-01-01=collective_settlement").limitation_on is None


def test_what_comes_too_late_or_is_not_known_moves_nothing() -> None:
    late_one = asked("TW", "2022-05-20", acts="2024-06-01=acknowledgment", as_of="2024-06-02")
    assert [(act.effect, act.reason) for act in late_one.acts] == [
        ("too late", "the claim was lost on 2024-05-20")
    ]
    assert late_one.is_barred
    unknown = asked("DE", "2022-05-20", acts="2024-06-01=carrier_pigeon")
    assert [(act.effect, act.evidence) for act in unknown.acts] == [("not counted", Evidence.UNKNOWN)]
    future = asked("FI", "2022-05-20", acts="2024-06-01=demand", as_of="2024-05-01")
    assert (future.acts, str(future.limitation_on)) == ((), "2025-05-20")


@pytest.mark.parametrize(
    ("country", "act", "until"),
    [
        ("FI", "demand", "2027-01-10"), ("SE", "demand", "2034-01-10"), ("NL", "demand", "2029-01-10"), ("ES", "formal_notice", "2029-01-10"),
        ("IT", "formal_notice", "2034-01-10"), ("DE", "demand", "2025-12-31"), ("FR", "demand", "2027-05-20"), ("GB", "demand", "2028-05-20"),
        ("GB", "part_payment", "2030-01-10"), ("HU", "demand", "2027-05-20"), ("CZ", "acknowledgment", "2034-01-10"), ("RO", "demand", "2025-05-20"),
        ("PL", "demand", "2024-12-31"), ("AT", "demand", "2025-05-20"),
    ],
)  # fmt: skip
def test_a_letter_is_enough_in_some_countries_only(country: str, act: str, until: str) -> None:
    assert last(country, "2022-05-20", acts=f"2024-01-10={act}") == until


def test_a_demand_that_needs_a_suit_says_by_when() -> None:
    answer = asked("RO", "2022-05-20", acts="2024-12-10=demand")
    assert answer.acts[0].reason == "counts only if a suit follows by 2025-06-10"


def test_of_several_laws_the_one_that_loses_first_counts() -> None:
    assert earliest([asked("BE", "2022-05-20"), asked("DE", "2022-05-20")]).country == "DE"
    pending = asked("DE", "2022-05-20", acts="2024-01-10=suit")
    assert earliest([asked("BE", "2022-05-20"), pending]).country == "BE"


def test_an_unknown_nature_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(PermanentError, match="no limitation period of Belgium is known for B2B barter") as caught:
        asked("BE", "2022-05-20", nature="barter")
    assert "utilities" in caught.value.cure


# --- alarms ------------------------------------------------------------------------------------------


def test_alarms_lie_ahead_of_the_day_on_working_days() -> None:
    answer = asked("BE", "2017-01-10")
    assert [(str(alarm.due_on), alarm.days_left) for alarm in answer.alarms] == [
        ("2026-07-14", 180),
        ("2026-10-12", 90),
        ("2026-12-11", 30),
    ]
    assert [str(alarm.due_on) for alarm in limitation_alarms(day("2027-01-10"), day("2026-11-11"), days=(90, 16), country="BE")] == [
        "2026-11-11", "2026-12-24",  # 90 days before is past: today, though a holiday; 25 December is one too
    ]  # fmt: skip
    assert limitation_alarms(day("2026-01-01"), day("2026-01-02")) == ()
    assert [alarm.days_left for alarm in limitation_alarms(day("2026-01-20"), day("2026-01-02"))] == [18]


@given(st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31)), st.integers(0, 4000))
def test_an_alarm_is_never_late(last_day: dt.date, ahead: int) -> None:
    as_of = last_day - dt.timedelta(days=ahead)
    alarms = limitation_alarms(last_day, as_of, country="BE")
    assert alarms
    for alarm in alarms:
        assert as_of <= alarm.due_on <= last_day
        assert alarm.due_on == as_of or is_working_day(alarm.due_on, "BE")
    assert alarms[-1].days_left >= min(30, ahead)


ACTS = (
    "suit",
    "acknowledgment",
    "demand",
    "formal_notice",
    "lawyer_notice",
    "bailiff_notice",
    "attachment",
    "collective_settlement",
)


@given(
    st.sampled_from(["BE", "DE", "FI", "RO", "JP", "IT"]), st.dates(dt.date(2015, 1, 1), dt.date(2024, 1, 1)),
    st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 3000), st.integers(0, 600)), max_size=4),
)  # fmt: skip
def test_no_act_ever_shortens_limitation(country: str, due: dt.date, drawn: list[tuple[str, int, int]]) -> None:
    done = tuple(
        LegalAct(act=act, on=due + dt.timedelta(days=start), ended_on=due + dt.timedelta(days=start + lasts))
        for act, start, lasts in drawn
    )
    without = limitation(law(country), LimitationQuestion(segment="B2B", due_on=due, as_of=dt.date(2040, 1, 1)))
    answer = limitation(
        law(country), LimitationQuestion(segment="B2B", due_on=due, as_of=dt.date(2040, 1, 1), acts=done)
    )
    assert without.limitation_on and answer.limitation_on and answer.limitation_on >= without.limitation_on
    steps = [act.limitation_on for act in answer.acts]
    assert steps == sorted(steps)
