"""What must hold for every principal, rate and period."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from collecthub.law.interest import DayCount, InterestQuestion, Reduction, UnknownRateError, accrue, rounded
from law.asked import law

FIRST, LAST = dt.date(2017, 1, 1), dt.date(2026, 6, 30)
SIMPLE = (
    "AT",
    "BE",
    "CY",
    "CZ",
    "DE",
    "EE",
    "FI",
    "FR",
    "GB",
    "GR",
    "IE",
    "IT",
    "LT",
    "LV",
    "MT",
    "PT",
    "SI",
    "SK",
    "CH",
)
FLOATING = ("BE", "CY", "DE", "EE", "FI", "FR", "GR", "IT", "LT", "LV", "MT", "PT", "SI", "SK", "CH")
amounts = st.decimals(min_value=0, max_value=10**9, places=2)
days = st.dates(FIRST, LAST)


def asked(principal: Decimal, due: dt.date, until: dt.date, **more: object) -> InterestQuestion:
    return InterestQuestion(
        segment="B2B", principal=principal, due_on=due, until=until, currency="EUR", may_stop_early=True,
        contract_on=dt.date(2016, 1, 1), **more,
    )  # fmt: skip


def exact(country: str, question: InterestQuestion) -> Fraction:
    return accrue(law(country), question).exact


def three(drawn: list[dt.date]) -> tuple[dt.date, dt.date, dt.date]:
    one, two, last = sorted(drawn)
    return one, two, last


@given(st.sampled_from([*FLOATING, "NL", "GB"]), amounts, st.lists(days, min_size=3, max_size=3))
def test_interest_never_falls_with_time_and_is_never_negative(
    country: str, principal: Decimal, drawn: list[dt.date]
) -> None:
    due, sooner, later = three(drawn)
    less, more = exact(country, asked(principal, due, sooner)), exact(country, asked(principal, due, later))
    assert 0 <= less <= more


@given(st.sampled_from(FLOATING), amounts, st.lists(days, min_size=3, max_size=3), st.sampled_from(DayCount))
def test_floating_simple_interest_adds_up_over_split_periods(
    country: str, principal: Decimal, drawn: list[dt.date], count: DayCount
) -> None:
    due, middle, until = three(drawn)
    whole = exact(country, asked(principal, due, until, day_count=count))
    parts = exact(country, asked(principal, due, middle, day_count=count)) + exact(
        country, asked(principal, middle, until, day_count=count)
    )
    assert whole == parts


@given(st.sampled_from([*FLOATING, "NL", "GB", "IE"]), amounts, amounts, st.lists(days, min_size=2, max_size=2))
def test_interest_adds_up_over_principals(country: str, one: Decimal, two: Decimal, drawn: list[dt.date]) -> None:
    due, until = sorted(drawn)
    together = exact(country, asked(one + two, due, until))
    assert together == exact(country, asked(one, due, until)) + exact(country, asked(two, due, until))


@given(amounts, st.lists(days, min_size=2, max_size=2))
def test_capitalising_never_gives_less_than_simple(principal: Decimal, drawn: list[dt.date]) -> None:
    due, until = sorted(drawn)
    compound, simple = exact("NL", asked(principal, due, until)), exact("EE", asked(principal, due, until))
    assert compound >= simple
    assert compound == simple or (until - due).days > 365


@given(amounts, amounts, st.lists(days, min_size=3, max_size=3))
def test_a_payment_is_worth_the_interest_of_what_was_paid(
    principal: Decimal, part: Decimal, drawn: list[dt.date]
) -> None:
    due, paid_on, until = three(drawn)
    part = min(part, principal)
    with_payment = exact("BE", asked(principal, due, until, reductions=(Reduction(on=paid_on, amount=part),)))
    spared = exact("BE", asked(part, paid_on, until)) if paid_on > due else exact("BE", asked(part, due, until))
    assert with_payment == exact("BE", asked(principal, due, until)) - spared


@given(st.sampled_from([*SIMPLE, "NL"]), amounts, st.lists(days, min_size=2, max_size=2))
def test_stretches_cover_every_day_once_and_add_up(country: str, principal: Decimal, drawn: list[dt.date]) -> None:
    due, until = sorted(drawn)
    try:
        accrued = accrue(law(country), asked(principal, due, until))
    except UnknownRateError as error:
        assert error.cure  # a gap in that country's series
        return
    expected = due
    for part in accrued.stretches:
        assert part.from_on == expected + dt.timedelta(days=1)
        expected = part.to_on
    assert expected == (accrued.until if accrued.stretches else due)
    assert rounded(accrued.exact, "EUR") == rounded(
        sum((part.exact for part in accrued.stretches), Fraction(0)), "EUR"
    )


@given(st.fractions(min_value=0, max_value=10**12), st.sampled_from([("EUR", 2), ("JPY", 0), ("KWD", 3)]))
def test_rounding_is_half_up_to_the_minor_unit(value: Fraction, currency: tuple[str, int]) -> None:
    code, places = currency
    shown = rounded(value, code)
    assert -Fraction(1, 2) < (value - Fraction(shown)) * 10**places <= Fraction(1, 2) or (
        (value - Fraction(shown)) * 10**places == -Fraction(1, 2)
    )
    assert shown == shown.quantize(Decimal(1).scaleb(-places))
    assert msgspec.json.encode(shown)[:1] == b'"'
