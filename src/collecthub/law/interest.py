"""Default interest on a claim, exact to the last fraction and explained stretch by stretch.

Conventions: the first interest day is the day after the due date, on which the debtor may still pay, and the day of
calculation counts; a year has 365 days, also a leap year, unless the actual number is asked for; interest is simple
unless the law capitalises; every day bears the rate of its own calendar period; the exact sum is rounded half up once.
"""

from __future__ import annotations

import calendar
import datetime as dt
import enum
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

import msgspec

from collecthub.errors import PermanentError
from collecthub.law.basis import Evidence, Matter, rule_on, weakest
from collecthub.law.days import add_months
from collecthub.law.rates import RatePeriod, RateSeries
from collecthub.law.rules import CountryLaw, Fixing, InterestRule
from collecthub.model.money import minor_units

_ONE = dt.timedelta(days=1)
CEILING = "ceiling"


class DayCount(enum.StrEnum):
    """Days of a year."""

    FIXED = "actual/365"
    ACTUAL = "actual/actual"


class Reduction(msgspec.Struct, frozen=True, kw_only=True):
    """Principal that was paid, credited or given up; its day still bears interest on the old amount."""

    on: dt.date
    amount: Decimal


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Days that bear no interest, both included: collective debt settlement, bankruptcy. Without `to_on` it lasts."""

    from_on: dt.date
    to_on: dt.date | None = None


class InterestQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What interest has this claim borne by the end of `until`?

    `start_on` is the first interest day (the day after `due_on` by default). `contract_rate` is percent a year
    from a clause, or `CEILING` for a clause that follows the highest lawful rate.
    """

    segment: str
    principal: Decimal
    due_on: dt.date
    until: dt.date
    currency: str
    contract_on: dt.date | None = None
    start_on: dt.date | None = None
    variant: str = ""
    contract_rate: Decimal | str | None = None
    reductions: tuple[Reduction, ...] = ()
    pauses: tuple[Pause, ...] = ()
    day_count: DayCount = DayCount.FIXED
    may_stop_early: bool = False

    @property
    def first_day(self) -> dt.date:
        """The first interest day."""
        return self.start_on or self.due_on + _ONE

    @property
    def matter(self) -> Matter:
        """What decides which rule governs; without a contract date the contract counts as of the due date."""
        return Matter(
            segment=self.segment, contract_on=self.contract_on or self.due_on, default_on=self.first_day,
            variant=self.variant,
        )  # fmt: skip


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Days that bear one rate on one principal. `exact` is the unrounded interest of the days."""

    from_on: dt.date
    to_on: dt.date
    principal: Fraction
    percent: Decimal
    exact: Fraction
    rule: InterestRule
    rate: RatePeriod | None  # None for a fixed rate or a clause
    basis: str

    @property
    def days(self) -> int:
        """How many days, both ends included."""
        return (self.to_on - self.from_on).days + 1


class Accrued(msgspec.Struct, frozen=True, kw_only=True):
    """Interest by stretches. `stopped_because` says why the answer ends before the day that was asked for."""

    stretches: tuple[Stretch, ...]
    until: dt.date
    stopped_because: str = ""

    @property
    def exact(self) -> Fraction:
        """The unrounded sum."""
        return sum((part.exact for part in self.stretches), Fraction(0))

    @property
    def evidence(self) -> Evidence:
        """The weakest level of anything the sum rests on."""
        levels = [part.rule.evidence for part in self.stretches]
        return weakest([*levels, *(part.rate.evidence for part in self.stretches if part.rate)])


class UnknownRateError(PermanentError):
    """A figure that the law names is not known for a day. `day` is the first such day."""

    def __init__(self, message: str, *, day: dt.date, cure: str) -> None:
        super().__init__(message, cure=cure)
        self.day = day


def accrue(law: CountryLaw, question: InterestQuestion) -> Accrued:
    """The interest of a claim. Raises `UnknownRateError` past what is known, unless the question lets it stop there.

    A first day without a known rate is refused always: nothing could be answered.
    """
    _check(question)
    stretches: list[Stretch] = []
    try:
        for stretch in _walk(law, question):
            stretches.append(stretch)  # noqa: PERF402  # what was computed before an error is kept
    except UnknownRateError as error:
        if not question.may_stop_early or not stretches:
            raise
        return Accrued(stretches=tuple(stretches), until=stretches[-1].to_on, stopped_because=error.message)
    return Accrued(stretches=tuple(stretches), until=question.until)


def _check(question: InterestQuestion) -> None:
    if not question.principal.is_finite() or question.principal < 0:
        raise PermanentError(
            f"{question.principal} cannot bear interest",
            cure="Give a principal of zero or more; credits bear none.",
        )
    if any(part.amount < 0 for part in question.reductions):
        raise PermanentError("a reduction is negative", cure="Compute a raised principal as a claim of its own.")


def _walk(law: CountryLaw, question: InterestQuestion) -> Iterator[Stretch]:
    """Stretch after stretch; a new one begins wherever rule, rate, principal or interest year changes."""
    day, matter, capital, year_interest, years = (
        question.first_day,
        question.matter,
        Fraction(question.principal),
        Fraction(0),
        1,
    )
    while day <= question.until:
        rule = _governing(law, question, matter, day)
        is_compounding = (
            rule.is_compounding and question.contract_rate is None
        )  # a clause does not capitalise by itself
        while is_compounding and day >= add_months(question.first_day, 12 * years):
            years += 1
            capital, year_interest = capital + year_interest, Fraction(0)
        pause = _pause_on(question, day)
        if pause:
            day = pause.to_on + _ONE if pause.to_on else question.until + _ONE
            continue
        percent, rate, basis, last = _rate(law, question, rule, day)
        open_now = max(Fraction(0), capital - _paid_before(question.reductions, day))
        to_on = _ends(question, rule, matter, law.interest, day, last)
        if is_compounding:
            to_on = min(to_on, add_months(question.first_day, 12 * years) - _ONE)
        exact = open_now * Fraction(percent) / 100 * _years(day, to_on, question.day_count)
        yield Stretch(
            from_on=day,
            to_on=to_on,
            principal=open_now,
            percent=percent,
            exact=exact,
            rule=rule,
            rate=rate,
            basis=basis,
        )
        year_interest += exact
        day = to_on + _ONE


def _pause_on(question: InterestQuestion, day: dt.date) -> Pause | None:
    return next(
        (part for part in question.pauses if part.from_on <= day and not (part.to_on and part.to_on < day)), None
    )


def _paid_before(reductions: Sequence[Reduction], day: dt.date) -> Fraction:
    return sum((Fraction(part.amount) for part in reductions if part.on < day), Fraction(0))


def _ends(
    question: InterestQuestion,
    rule: InterestRule,
    matter: Matter,
    rules: Sequence[InterestRule],
    day: dt.date,
    last: dt.date,
) -> dt.date:
    """The last day on which nothing changes: rate, rule, principal."""
    starts = [
        other.valid_from - _ONE
        for other in rules
        if other.valid_from and other.valid_from > day and other.is_for(matter)
    ]
    falls = [part.on for part in question.reductions if part.on >= day]
    falls += [part.from_on - _ONE for part in question.pauses if part.from_on > day]
    return min(question.until, last, rule.valid_to or dt.date.max, *starts, *falls)


def _governing(law: CountryLaw, question: InterestQuestion, matter: Matter, day: dt.date) -> InterestRule:
    rule = rule_on(law.interest, matter, day)
    if rule is None and isinstance(question.contract_rate, Decimal):
        return _contract_only(law)
    if rule is None:
        known = ", ".join(sorted({other.variant for other in law.interest if other.variant}))
        raise UnknownRateError(
            f"no rule on interest of {law.title} is known for {question.segment} on {day}"
            + (f" as {question.variant}" if question.variant else ""),
            day=day, cure=f"Variants that are known: {known}." if known else "Ask a lawyer for the rule of that time.",
        )  # fmt: skip
    return rule


def _contract_only(law: CountryLaw) -> InterestRule:
    return InterestRule(
        id=f"{law.country.lower()}.contract", title="The rate of the contract", formula="the rate of the contract",
        evidence=Evidence.UNKNOWN, source="the contract", needs_contract=True,
        note=f"the law of {law.title} on interest is not known here: check that the clause is lawful",
    )  # fmt: skip


def _rate(
    law: CountryLaw, question: InterestQuestion, rule: InterestRule, day: dt.date
) -> tuple[Decimal, RatePeriod | None, str, dt.date]:
    """Percent a year on a day, the figure it rests on, in words, and the last day it holds for."""
    if question.contract_rate is not None:
        return _clause_rate(law, question, rule, day)
    if rule.needs_contract:
        raise UnknownRateError(
            f"{law.title} grants no interest without a contract that names the rate ({rule.article or rule.source})",
            day=day, cure="Give the rate of the signed clause with --contract-rate, or ask for no interest.",
        )  # fmt: skip
    return _legal_rate(law, question, rule, day)


def _legal_rate(
    law: CountryLaw, question: InterestQuestion, rule: InterestRule, day: dt.date
) -> tuple[Decimal, RatePeriod | None, str, dt.date]:
    if rule.percent is not None:
        return rule.percent, None, rule.formula, dt.date.max
    fixed_on = {Fixing.AT_START: question.first_day, Fixing.AT_DUE: question.due_on}.get(rule.fixing)
    period = known_period(law, rule.series, fixed_on or day, rule)
    percent = lifted(_value(period), rule.round_up_to) + rule.margin
    return percent, period, rule.formula, dt.date.max if fixed_on else period.valid_to


def _clause_rate(
    law: CountryLaw, question: InterestQuestion, rule: InterestRule, day: dt.date
) -> tuple[Decimal, RatePeriod | None, str, dt.date]:
    """A clause holds up to the ceiling; above it only the legal rate is left."""
    wanted = question.contract_rate
    if not rule.ceiling_series:
        if not isinstance(wanted, Decimal):
            raise PermanentError(
                f"{law.title} has no ceiling that a clause could follow",
                cure="Give the rate of the clause as a number.",
            )
        return wanted, None, "the rate of the contract", dt.date.max
    ceiling = known_period(law, rule.ceiling_series, day, rule)
    if not isinstance(wanted, Decimal):
        return _value(ceiling), ceiling, f"a clause that follows {rule.ceiling_series}", ceiling.valid_to
    if wanted <= _value(ceiling):
        return wanted, ceiling, f"the rate of the contract, not above {rule.ceiling_series}", ceiling.valid_to
    percent, rate, _, last = _legal_rate(law, question, rule, day)
    words = (
        f"the clause of {wanted}% is above {rule.ceiling_series} ({ceiling.value}%): only the legal rate is left"
    )
    return percent, rate, words, min(last, ceiling.valid_to)


def known_period(law: CountryLaw, series_id: str, day: dt.date, rule: InterestRule) -> RatePeriod:
    """The figure of a series on a day. Raises `UnknownRateError`: nothing is extrapolated."""
    series = law.series.get(series_id)
    period = series.period_on(day) if series else None
    if period is not None:
        return period
    name = series_id or "the rate"
    if not series_id or series is None or series.known_until is None:
        raise UnknownRateError(
            f"{name} of {law.title} ({rule.formula}) is not stored here", day=day,
            cure="Give the published rate in a table with --rates, or the rate of the contract with --contract-rate.",
        )  # fmt: skip
    raise UnknownRateError(
        f"no value of {name} is known for {day}{_last_known(series, day)}", day=day,
        cure="Compute to the last known day with --to-last-known, or give the published rate in a table with --rates.",
    )  # fmt: skip


def _last_known(series: RateSeries, day: dt.date) -> str:
    last = max(
        (period.valid_to for period in series.periods if period.valid_to < day and period.value is not None),
        default=None,
    )
    return f"; the last known day before it is {last}" if last else ""


def lifted(value: Decimal, step: Decimal | None) -> Decimal:
    """A rate rounded up to the next multiple of a step.

    >>> lifted(Decimal("2.15"), Decimal("0.5")), lifted(Decimal("2.50"), Decimal("0.5")), lifted(Decimal("2.15"), None)
    (Decimal('2.5'), Decimal('2.5'), Decimal('2.15'))
    """
    return value if step is None else (value / step).to_integral_value(ROUND_CEILING) * step


def _value(period: RatePeriod) -> Decimal:
    if period.value is None:
        raise ValueError("the period has no value")
    return period.value


def _years(first: dt.date, last: dt.date, day_count: DayCount) -> Fraction:
    """The days from `first` to `last`, both included, as a fraction of years."""
    if day_count is DayCount.FIXED:
        return Fraction((last - first).days + 1, 365)
    return sum(
        (
            Fraction(
                (min(last, dt.date(year, 12, 31)) - max(first, dt.date(year, 1, 1))).days + 1,
                365 + calendar.isleap(year),
            )
            for year in range(first.year, last.year + 1)
        ),
        Fraction(0),
    )


def rounded(exact: Fraction, currency: str) -> Decimal:
    """An exact amount of zero or more at the currency's minor unit, half up.

    >>> rounded(Fraction(2, 3), "EUR"), rounded(Fraction(1, 200), "EUR"), rounded(Fraction(1, 2), "JPY")
    (Decimal('0.67'), Decimal('0.01'), Decimal('1'))
    """
    places = minor_units(currency)
    return Decimal(int(exact * 10**places + Fraction(1, 2))).scaleb(-places)
