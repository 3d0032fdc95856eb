"""Default interest against published figures, a second calculator and the statutes' own words."""

from __future__ import annotations

import datetime as dt
import math
from fractions import Fraction
from pathlib import Path

import pytest

from collecthub.errors import ConfigurationError, PermanentError
from collecthub.law.basis import Evidence
from collecthub.law.interest import CEILING, DayCount, Pause, Reduction, UnknownRateError
from collecthub.law.late_payment import late_payment
from collecthub.law.packs import bundled_countries, bundled_rates, with_rates
from collecthub.law.rates import read_rates
from law.asked import D, day, late, law, question
from law.naive import Tables, cents, rows

PERIODS = (
    ("2025-03-31", "2025-09-30"), ("2024-02-29", "2024-09-30"), ("2025-08-01", "2025-11-30"), ("2026-01-10", "2026-05-31"),
    ("2018-02-10", "2018-05-01"),
)  # fmt: skip
# Rows that the tables describe without a figure to compute with, and why.
WITHOUT_FIGURES = {
    "HR 2015-08-01": "own test", "HU 2014-03-15": "own test", "RO 2013-04-05": "own test", "IS ": "no series",
    "LI 2014-05-01": "no series", "US ": "contract", "CN ": "contract", "HK ": "contract",
    "SK 2013-02-01": "margin left open in the table; read in the decree", "BE 2002-08-07": "own test",
    "NL 2013-03-16": "capitalises: own test",
}  # fmt: skip


# Series that the tables hold as sums and the packs without the margin.
WITHOUT_MARGIN = {
    "PL_COMMERCIAL_RATE": ("NBP_REFERENCE_HALF", D("10")),
    "AT_COMMERCIAL_RATE": ("AT_BASISZINS", D("9.2")),
}


# --- worked figures ---------------------------------------------------------------------------------


def test_the_worked_belgian_figure() -> None:
    assert len(late("CH", "2010-01-31", "2025-09-30").segments) == 1  # simple interest is cut by rates only
    answer = late("BE", "2025-03-31", "2025-09-30")
    assert (answer.interest, answer.compensation) == (D("551.37"), D("40.00"))
    assert [(part.days, part.rate_percent) for part in answer.segments] == [(91, D("11.50")), (92, D("10.50"))]
    assert (answer.rule, answer.evidence) == ("be.interest.b2b.2013; be.compensation.b2b", Evidence.VERIFIED)
    assert answer.rule_version == dt.date(2026, 11, 22)
    assert "lexalert.be" in answer.source
    assert [rule.article for rule in answer.rules] == [
        "Law of 2 August 2002, art. 5",
        "Law of 2 August 2002, art. 6",
    ]


def test_the_worked_figure_of_a_belgian_consumer() -> None:
    answer = late(
        "BE", "2025-04-20", "2025-06-30", "1200", "B2C", reminder="2025-05-05:email", contract_rate=D("11.5"),
        contract_on="2025-01-10",
    )  # fmt: skip
    assert (answer.interest, answer.compensation) == (D("21.17"), D("100.00"))
    assert answer.principal + answer.interest + answer.compensation == D("1321.17")
    assert [(str(part.from_on), str(part.to_on), part.days) for part in answer.segments] == [
        ("2025-05-06", "2025-06-30", 56)
    ]


def test_dutch_interest_is_added_to_the_principal_each_year() -> None:
    """BW 6:119a(3): 8% on 10,000 is 800, then 8% on 10,800 is 864."""
    answer = late("NL", "2017-01-01", "2019-01-01")
    assert answer.interest == D("1664.00")
    assert [part.principal for part in answer.segments][-1] == D("10800.00")
    assert late("EE", "2017-01-01", "2019-01-01").interest == D("1600.00")  # the same rate, simple


# --- the second calculator --------------------------------------------------------------------------


def _key(rule: dict[str, str]) -> str:
    return f"{rule['iso2']} {rule['valid_from']}"


def test_every_row_of_the_rules_agrees_with_a_second_calculator(shared_data: Path) -> None:
    tables, compared = Tables(shared_data), set()
    for rule in tables.rules:
        for due, until in PERIODS:
            if _key(rule) in WITHOUT_FIGURES or not _governs(rule, due, until):
                continue
            try:
                expected = tables.interest(rule, 10000, day(due), day(until))
            except KeyError:
                continue  # the tables have a gap there
            answer = late(rule["iso2"], due, until, contract_on=due)
            assert str(answer.interest) == cents(expected), (_key(rule), due, until)
            compared.add(_key(rule))
    assert compared == {_key(rule) for rule in tables.rules} - WITHOUT_FIGURES.keys()


def _governs(rule: dict[str, str], due: str, until: str) -> bool:
    return (rule["valid_from"] or "0") < due and until <= (rule["valid_to"] or "9")


def test_every_row_of_the_rules_has_its_rules_here(shared_data: Path) -> None:
    """All 38, also those that refuse: the refusal names what is missing."""
    found = rows(shared_data, "late_payment_rules.csv")
    assert len(found) == 38
    for row in found:
        pack = law(row["iso2"])
        days = {
            text
            for rule in pack.interest
            for text in (str(rule.valid_from), str(rule.default_from), str(rule.contract_from))
        }
        assert not row["valid_from"] or row["valid_from"] in days or row["iso2"] == "BE", row
        assert any(rule.item == "compensation" for rule in pack.charges), row["iso2"]
    for key, reason in WITHOUT_FIGURES.items():
        if reason in ("no series", "contract"):
            with pytest.raises(UnknownRateError, match="not stored here|without a contract"):
                late(key[:2], "2025-01-31", "2025-03-31")


def test_the_rates_are_those_of_the_tables(shared_data: Path) -> None:
    ours = bundled_rates()
    for row in rows(shared_data, "reference_rates.csv"):
        series, less = WITHOUT_MARGIN.get(row["series"], (row["series"], D(0)))
        found = {str(period.valid_from): period for period in ours[series].periods}[row["valid_from"]]
        assert str(found.valid_to) == row["valid_to"]
        assert found.value == (D(row["rate_percent"]) - less if row["rate_percent"] else None), row
        was_read_since = found.evidence is Evidence.VERIFIED and found.source != row["source"]
        assert was_read_since or found.evidence.value == row["verification"], row


# --- published totals against formulas ---------------------------------------------------------------


def halves(first: int, last: int) -> list[dt.date]:
    return [dt.date(year, month, 1) for year in range(first, last + 1) for month in (1, 7)]


def test_belgium_published_what_its_formula_says() -> None:
    """Every half-year from 2013 to 2026: the ECB rate up to the next half point, plus 8."""
    rates, compared = bundled_rates(), 0
    for half in halves(2013, 2026):
        reference, published = (rates[name].period_on(half) for name in ("ECB_MRO_HALF", "BE_COMMERCIAL"))
        if reference and published:
            assert published.value == D(math.ceil(Fraction(reference.value) * 2)) / 2 + 8, half
            compared += 1
    assert compared == 27


def test_the_half_yearly_rate_is_the_rate_of_its_first_day() -> None:
    rates = bundled_rates()
    for half in halves(2010, 2025):
        by_day, by_half = rates["ECB_MRO"].period_on(half), rates["ECB_MRO_HALF"].period_on(half)
        assert by_day and by_half and by_day.value == by_half.value, half


@pytest.mark.parametrize(
    ("country", "on", "rate"),
    [
        ("NL", "2024-09-01", "12.25"), ("IE", "2024-09-01", "12.25"), ("IE", "2017-09-01", "8.00"), ("SI", "2018-03-01", "8.00"),
        ("BG", "2026-02-01", "10.15"), ("BG", "2025-08-01", "11.91"), ("FI", "2026-02-01", "10.5"), ("FI", "2023-02-01", "10.5"),
        ("SE", "2024-03-01", "12.00"), ("DE", "2026-02-01", "10.27"), ("GB", "2024-03-01", "13.25"), ("FR", "2025-08-01", "12.15"),
        ("HU", "2022-08-01", "15.75"), ("RO", "2022-08-01", "11.75"), ("HR", "2020-09-01", "7.89"), ("NO", "2015-03-01", "9.25"),
        ("SE", "2017-03-01", "7.50"), ("SE", "2023-08-01", "11.50"), ("AT", "2018-03-01", "8.58"), ("AT", "2023-03-01", "11.08"),
        ("BG", "2024-08-01", "13.63"), ("CZ", "2022-09-01", "15.00"), ("CH", "1999-05-01", "5"), ("PL", "2026-02-01", "14.00"), ("AT", "2024-03-01", "13.08"),
    ],
)  # fmt: skip
def test_a_rate_that_was_published(country: str, on: str, rate: str) -> None:
    due = day(on) - dt.timedelta(days=1)
    answer = late(country, str(due), on)
    assert [part.rate_percent for part in answer.segments] == [D(rate)]


def test_finland_publishes_the_rounded_reference() -> None:
    rates = bundled_rates()
    for period in rates["FI_VIITEKORKO"].periods:
        reference = rates["ECB_MRO_HALF"].period_on(period.valid_from)
        assert reference and period.value == D(math.ceil(Fraction(reference.value) * 2)) / 2, period


# --- which rule, which rate --------------------------------------------------------------------------


def test_old_belgian_contracts_keep_their_rate_until_2015() -> None:
    answer = late("BE", "2014-12-31", "2015-04-30", contract_on="2012-05-01")
    assert [(part.rate_percent, str(part.to_on)) for part in answer.segments] == [
        (D("7.50"), "2015-03-15"),
        (D("8.50"), "2015-04-30"),
    ]
    assert answer.compensation == 0  # the lump sum came with the law of 2013
    young = late("BE", "2014-12-31", "2015-04-30", contract_on="2013-03-16")
    assert ([part.rate_percent for part in young.segments], young.compensation) == ([D("8.50")], D("40.00"))


def test_german_contracts_before_the_change_bear_eight_points() -> None:
    old, new = (late("DE", "2019-12-31", "2020-12-31", contract_on=on) for on in ("2014-07-28", "2014-07-29"))
    assert [part.rate_percent for part in (*old.segments, *new.segments)] == [
        D("7.12"),
        D("7.12"),
        D("8.12"),
        D("8.12"),
    ]
    assert (old.compensation, new.compensation) == (0, D("40.00"))


def test_austrian_contracts_before_the_change_bear_eight_points() -> None:
    """7.38% against 8.58% in the second half of 2017, as the law journals printed it."""
    old, new = (late("AT", "2017-07-31", "2017-12-31", contract_on=on) for on in ("2013-03-15", "2013-03-16"))
    assert (old.segments[0].rate_percent, new.segments[0].rate_percent) == (D("7.38"), D("8.58"))


def test_polish_consumers_bear_the_rate_of_each_day() -> None:
    answer = late("PL", "2025-10-01", "2025-11-10", segment="B2C", currency="PLN")
    assert [(str(part.from_on), part.rate_percent) for part in answer.segments] == [
        ("2025-10-02", D("10.25")), ("2025-10-09", D("10.00")), ("2025-11-06", D("9.75")),
    ]  # fmt: skip


def test_danish_claims_that_fell_due_before_the_change_bear_seven_points() -> None:
    old, new = (
        late("DK", due, "2014-06-30", segment="B2C", start_on=start)
        for due, start in (("2013-02-27", "2013-02-28"), ("2013-02-28", "2013-03-01"))
    )
    assert [[part.rate_percent for part in answer.segments] for answer in (old, new)] == [
        [D("7.20")] * 3,
        [D("8.20")] * 3,
    ]


def test_bulgaria_changes_its_formula_with_the_euro() -> None:
    answer = late("BG", "2025-12-01", "2026-01-31")
    assert [(part.rate_percent, part.rule, part.days) for part in answer.segments] == [
        (D("11.91"), "bg.interest.b2b.2015", 30), (D("10.15"), "bg.interest.b2b.2026", 31),
    ]  # fmt: skip
    assert answer.rule.startswith("bg.interest.b2b.2015; bg.interest.b2b.2026")


@pytest.mark.parametrize(
    ("country", "due", "rate"),
    [
        ("GB", "2023-06-29", "11.50"),
        ("GB", "2023-06-30", "13.00"),
        ("CZ", "2022-06-29", "11.75"),
        ("IE", "2024-06-30", "12.50"),
    ],
)
def test_a_frozen_rate_holds_for_the_life_of_the_debt(country: str, due: str, rate: str) -> None:
    """The half-year of the first interest day counts; in Ireland that of the due date."""
    answer = late(country, due, "2031-03-31")
    assert {part.rate_percent for part in answer.segments} == {D(rate)}
    assert answer.until == day("2031-03-31")  # no later rate is needed


def test_slovakia_lets_the_creditor_choose() -> None:
    floating, fixed = (late("SK", "2024-09-30", "2025-03-31", variant=variant) for variant in ("", "fixed"))
    assert [part.rate_percent for part in floating.segments] == [D("12.25"), D("11.15")]
    assert {part.rate_percent for part in fixed.segments} == {D("12.65")}  # 3.65 from 2024-09-18, plus 9
    assert {part.rate_percent for part in late("SK", "2024-09-30", "2025-03-31", segment="B2C").segments} == {
        D("8.65")
    }
    with pytest.raises(UnknownRateError, match="before its change of 2015"):
        late("SK", "2014-05-01", "2015-05-01")


@pytest.mark.parametrize(
    ("country", "variant", "rate"),
    [("IT", "agri_food", "14.15"), ("PL", "public_health", "13.25"), ("PT", "outside_directive", "9.15")],
)
def test_a_variant_has_to_be_asked_for(country: str, variant: str, rate: str) -> None:
    assert late(country, "2025-07-01", "2025-09-30", variant=variant).segments[0].rate_percent == D(rate)
    with pytest.raises(UnknownRateError, match="as other") as caught:
        late(country, "2025-07-01", "2025-09-30", variant="other")
    assert variant in caught.value.cure


@pytest.mark.parametrize(("country", "rate"), [("AT", "4"), ("LV", "6"), ("LT", "5"), ("CH", "5"), ("PT", "4"), ("DE", "6.27"), ("FI", "9.5"), ("HR", "5.15"), ("IT", "2.00"), ("FR", "2.76"), ("ES", "3.25"), ("NL", "6.00"), ("HU", "6.50"), ("PL", "10.75"), ("CZ", "11.50"), ("LI", "5")])  # fmt: skip
def test_consumers_have_rules_of_their_own(country: str, rate: str) -> None:
    assert late(country, "2025-07-01", "2025-09-30", segment="B2C").segments[0].rate_percent == D(rate)


@pytest.mark.parametrize("country", ["CY", "GR", "LU", "IE", "NO", "RO"])
def test_a_consumer_rate_that_is_not_known_is_refused(country: str) -> None:
    with pytest.raises(UnknownRateError, match="is not stored here") as caught:
        late(country, "2025-03-31", "2025-09-30", segment="B2C")
    assert "--rates" in caught.value.cure


def test_public_buyers_pay_like_businesses() -> None:
    assert late("BE", "2025-03-31", "2025-09-30", segment="B2G").interest == D("551.37")


# --- clauses -----------------------------------------------------------------------------------------


def test_a_clause_above_the_consumers_ceiling_leaves_the_legal_rate_only() -> None:
    def asked(rate: object) -> list[tuple[object, str]]:
        answer = late(
            "BE", "2025-04-20", "2025-08-31", "1200", "B2C", reminder="2025-05-05:email", contract_rate=rate
        )
        return [(part.rate_percent, part.basis) for part in answer.segments]

    assert [rate for rate, _ in asked(D("11"))] == [D("11"), D("4.50")]  # 11.5 at most until June, 10.5 after
    assert "only the legal rate is left" in asked(D("11"))[1][1]
    assert [rate for rate, _ in asked(CEILING)] == [D("11.50"), D("10.50")]
    assert {rate for rate, _ in asked(None)} == {D("4.50")}


def test_a_contract_is_needed_where_the_law_grants_nothing() -> None:
    for country in ("US", "CN", "HK"):
        with pytest.raises(UnknownRateError, match="without a contract"):
            late(country, "2025-03-31", "2025-09-30", currency="USD")
        answer = late(country, "2025-03-31", "2026-03-31", currency="USD", contract_rate=D("12"))
        assert answer.interest == D("1200.00")
    assert (
        late("AE", "2025-03-31", "2026-03-31", currency="AED", contract_rate=D("12")).evidence is Evidence.UNKNOWN
    )


def test_a_contract_rate_between_businesses_bears_no_interest_of_itself() -> None:
    answer = late("NL", "2023-03-31", "2025-03-31", contract_rate=D("10"))
    assert answer.interest == D("2002.74")  # 731 days on 365, not compounded


# --- what is not known -------------------------------------------------------------------------------


def test_past_the_last_known_rate_it_refuses_or_stops_there_and_says_so() -> None:
    with pytest.raises(UnknownRateError, match="BE_COMMERCIAL is known for 2026-07-01; .* 2026-06-30") as caught:
        late("BE", "2026-03-31", "2026-09-30")
    assert (caught.value.day, "--to-last-known" in caught.value.cure) == (dt.date(2026, 7, 1), True)
    answer = late("BE", "2026-03-31", "2026-09-30", may_stop_early=True)
    assert (answer.until, answer.interest) == (dt.date(2026, 6, 30), D("261.78"))
    assert "computed to 2026-06-30 only, not to 2026-09-30" in answer.notes[0]


def test_a_first_day_without_a_rate_is_refused_whatever_one_allows() -> None:
    with pytest.raises(UnknownRateError):
        late("BE", "2026-07-31", "2026-09-30", may_stop_early=True)


def test_no_known_gap_in_any_pack_is_bridged() -> None:
    """In every pack each stretch rests on a figure whose own days cover it, or on one that is frozen."""
    for country in bundled_countries():
        for segment in ("B2B", "B2C"):
            try:
                answer = late(
                    country,
                    "2024-03-31",
                    "2026-06-30",
                    segment=segment,
                    start_on="2024-04-01",
                    may_stop_early=True,
                )
            except UnknownRateError:
                continue
            assert sum(part.days for part in answer.segments) == (answer.until - dt.date(2024, 3, 31)).days, (
                country
            )
            for rule in answer.rules:
                assert rule.source, rule


def test_published_rates_can_be_added_but_not_overwritten() -> None:
    header = "series,valid_from,valid_to,value,evidence,source,note\n"
    more = read_rates(header + "BE_COMMERCIAL,2026-07-01,2026-12-31,10.50,verified,Moniteur belge of that day,\n")
    answer = late_payment(with_rates(law("BE"), more), question("2026-03-31", "2026-09-30"))
    assert (answer.interest, "Moniteur belge of that day" in answer.source) == (D("526.44"), True)
    with pytest.raises(ConfigurationError, match="two values for 2026-01-01"):
        with_rates(law("BE"), read_rates(header + "BE_COMMERCIAL,2026-01-01,2026-06-30,9,verified,somebody,\n"))
    for wrong in (
        "BE_COMMERCIAL,2026-07-01,2026-12-31,10.5,verified,,",
        "X,2026-07-01,2026-06-30,1,verified,a,",
        "X,2026-07-01,2026-12-31,1e3,verified,a,",
        "X,soon,2026-12-31,1,verified,a,",
        "X,2026-07-01,2026-12-31,1,sure,a,",
    ):
        with pytest.raises(ConfigurationError, match="line 2 of rates is not a rate"):
            read_rates(header + wrong + "\n")


def test_what_rests_on_general_knowledge_says_so() -> None:
    answer = late("EE", "2025-03-31", "2025-09-30")
    assert answer.evidence is Evidence.GENERAL_KNOWLEDGE
    assert any("general_knowledge" in text for text in answer.notes)


def test_a_contract_date_that_matters_and_was_not_given_is_an_assumption_that_is_said() -> None:
    said = "counts as concluded on the due date"
    assert (
        any(said in text for text in late("BE", "2025-04-20", "2025-05-01", segment="B2C").notes) is False
    )  # nothing charged
    assert any(said in text for text in late("BE", "2014-12-31", "2015-04-30").notes)
    assert not any(said in text for text in late("BE", "2014-12-31", "2015-04-30", contract_on="2014-01-01").notes)
    assert not any(said in text for text in late("BE", "2025-03-31", "2025-09-30").notes)


def test_belgian_interest_that_may_be_barred_is_named() -> None:
    said = "interest before 2021-06-15 may be barred after 5 years (old Civil Code 2277)"
    assert said in late("BE", "2019-03-31", "2026-06-15").notes
    assert not any("barred" in text for text in late("BE", "2022-03-31", "2026-06-15").notes)


# --- arithmetic --------------------------------------------------------------------------------------


def test_the_first_day_is_the_day_after_the_due_date_and_the_last_counts() -> None:
    assert late("CH", "2025-01-01", "2025-01-02", "365000", currency="CHF").interest == D("50.00")
    assert late("CH", "2025-01-01", "2025-01-01", "365000", currency="CHF").interest == 0
    assert late("CH", "2025-01-02", "2025-01-01", "365000", currency="CHF").notes == (
        "the claim is not late on that day",
    )


def test_years_have_365_days_unless_the_actual_number_is_asked_for() -> None:
    leap = {"due": "2023-12-31", "until": "2024-12-31", "principal": "36500", "currency": "CHF"}
    assert late("CH", **leap).interest == D("1830.00")
    assert late("CH", **leap, day_count=DayCount.ACTUAL).interest == D("1825.00")


def test_the_sum_is_rounded_once_from_exact_figures() -> None:
    """Two stretches of 0.0049 each are 0.01 together, though each alone rounds to nothing."""
    answer = late("BE", "2025-06-29", "2025-07-01", "8.15")
    assert sum(round(part.interest, 2) for part in answer.segments) == 0
    assert answer.interest == D("0.00")
    parts = late("BE", "2025-06-29", "2025-07-01", "16.00")
    assert [round(part.interest, 2) for part in parts.segments] == [D("0.01"), D("0.00")]
    assert parts.interest == D("0.01")


def test_currencies_round_to_their_own_minor_unit() -> None:
    assert late("CH", "2025-01-01", "2025-01-31", "100000", currency="JPY").interest == D("411")
    assert late("CH", "2025-01-01", "2025-01-31", "100", currency="KWD").interest == D("0.411")


def test_a_payment_lowers_what_bears_interest_from_the_next_day() -> None:
    paid = (Reduction(on=day("2025-06-30"), amount=D("4000")),)
    answer = late("BE", "2025-03-31", "2025-09-30", reductions=paid)
    assert [(part.principal, part.interest) for part in answer.segments] == [
        (D("10000.00"), D("286.712329")), (D("6000.00"), D("158.794521")),
    ]  # fmt: skip
    over = (Reduction(on=day("2025-06-30"), amount=D("40000")),)
    assert late("BE", "2025-03-31", "2025-09-30", reductions=over).interest == D("286.71")


def test_days_of_a_pause_bear_nothing() -> None:
    """A collective settlement from 1 June to 31 August: 61 days at 11.5% and 30 at 10.5% are left."""
    pause = (Pause(from_on=day("2025-06-01"), to_on=day("2025-08-31")),)
    answer = late("BE", "2025-03-31", "2025-09-30", pauses=pause)
    assert [(str(part.from_on), part.days) for part in answer.segments] == [("2025-04-01", 61), ("2025-09-01", 30)]
    assert answer.interest == D("278.49")
    assert late("BE", "2025-03-31", "2025-09-30", pauses=(Pause(from_on=day("2025-04-01")),)).interest == 0
    over_a_year = (Pause(from_on=day("2017-12-01"), to_on=day("2018-02-01")),)
    assert late("NL", "2017-01-01", "2018-12-31", pauses=over_a_year).segments[-1].principal == D(
        "10729.86"
    )  # 333 days of the first year


@pytest.mark.parametrize("principal", ["-1", "NaN", "Infinity"])
def test_what_is_no_debt_bears_nothing(principal: str) -> None:
    with pytest.raises(PermanentError, match="cannot bear interest"):
        late("BE", "2025-03-31", "2025-09-30", principal)


# --- consumers in Belgium ----------------------------------------------------------------------------


def test_a_belgian_consumer_owes_nothing_more_before_a_reminder_and_its_wait() -> None:
    def asked(until: str, **more: object) -> tuple[object, object, str]:
        answer = late("BE", "2025-04-20", until, "1200", "B2C", **more)
        return answer.interest, answer.compensation, answer.notes[0]

    assert asked("2025-06-30")[:2] == (0, 0)
    assert "no first reminder was sent" in asked("2025-06-30")[2]
    assert asked("2025-05-19", reminder="2025-05-05:email")[:2] == (0, 0)
    assert (
        "neither interest nor compensation may be asked before 2025-05-20 (CEL XIX.2)"
        in asked("2025-05-19", reminder="2025-05-05:email")[2]
    )
    assert asked("2025-05-20", reminder="2025-05-05:email", contract_rate=CEILING)[:2] == (D("5.67"), D("100.00"))
    large = asked("2025-05-20", reminder="2025-05-05:email", contract_rate=CEILING, is_large_creditor=True)
    assert large[:2] == (D("0.38"), D("100.00"))


def test_a_dutch_consumer_owes_interest_at_once_and_costs_after_the_letter_of_fourteen_days() -> None:
    claim = {"due": "2024-03-31", "until": "2024-05-10", "principal": "1000", "segment": "B2C"}
    assert [(answer.interest, answer.compensation) for answer in (
        late("NL", **claim), late("NL", **claim, reminder="2024-04-26:email"), late("NL", **claim, reminder="2024-04-25:email"),
        late("NL", **claim, reminder="2024-04-19:letter"), late("NL", **claim, reminder="2024-04-24:letter"),
    )] == [(D("7.67"), D("0.00")), (D("7.67"), D("0.00")), (D("7.67"), D("150.00")), (D("7.67"), D("150.00")), (D("7.67"), D("0.00"))]  # fmt: skip
    assert "no compensation may be asked (BW 6:96(6))" in late("NL", **claim).notes[0]


def test_contracts_before_book_xix_come_under_it_in_december_2023() -> None:
    before = late("BE", "2023-09-15", "2023-11-30", "1200", "B2C", contract_on="2023-01-01")
    after = late("BE", "2023-09-15", "2023-12-01", "1200", "B2C", contract_on="2023-01-01")
    older = late("BE", "2023-08-15", "2023-12-31", "1200", "B2C", contract_on="2023-01-01")
    assert before.interest == D("13.12")  # 76 days at the civil rate of 5.25%
    assert (after.interest, "XIX.2" in after.notes[0]) == (0, True)
    assert older.interest == D("23.82")  # the delay began before: 138 days


def test_a_payment_lowers_the_balance_that_the_cap_looks_at() -> None:
    paid = (Reduction(on=day("2025-05-10"), amount=D("1050")),)
    answer = late("BE", "2025-04-20", "2025-06-30", "1200", "B2C", reminder="2025-05-05:email", reductions=paid)
    assert answer.compensation == D("20.00")
