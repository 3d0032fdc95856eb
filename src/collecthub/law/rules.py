"""The rules a country pack consists of, and the law of one country."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from collecthub.law.basis import Evidence, Rule
from collecthub.law.rates import RateSeries
from collecthub.law.steps import StepAnswer, StepQuestion


class Fixing(enum.StrEnum):
    """Which day's reference rate a debt bears."""

    FLOATING = "floating"  # the rate of each day
    AT_START = "at_start"  # the rate of the first day of delay, for the life of the debt
    AT_DUE = "at_due"  # the rate of the due date, for the life of the debt


class InterestRule(Rule, frozen=True, kw_only=True):
    """How default interest is computed: a fixed `percent` a year, or a `series` plus `margin` points.

    `round_up_to` lifts the reference to the next multiple before the margin is added; published totals are already
    rounded and have margin 0. `is_compounding` adds a year's interest to the principal at each anniversary.
    `ceiling_series` is the highest rate a clause may name; a clause above it falls away as a whole.
    """

    formula: str
    percent: Decimal | None = None
    series: str = ""
    margin: Decimal = Decimal(0)
    round_up_to: Decimal | None = None
    fixing: Fixing = Fixing.FLOATING
    is_compounding: bool = False
    ceiling_series: str = ""
    needs_contract: bool = False


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where on a band of a scale holds, its fixed amount, and percent of the part above its threshold.

    `above` is outside the band, `at_least` inside. Without `amount` the band is not known.
    """

    above: Decimal | None = None
    at_least: Decimal | None = None
    amount: Decimal | None = None
    percent: Decimal = Decimal(0)

    @property
    def threshold(self) -> Decimal:
        """The amount it begins at."""
        return self.above or self.at_least or Decimal(0)

    def holds(self, basis: Decimal) -> bool:
        """Whether an amount reaches the band."""
        return basis >= self.at_least if self.at_least is not None else basis > (self.above or Decimal(-1))


class ChargeRule(Rule, frozen=True, kw_only=True):
    """An amount that the law grants, caps or tariffs: the lump sum for late payment, a clause, a bailiff's fee.

    The highest band that the basis reaches decides. `series` takes the amount from dated figures instead.
    `natures` limits the rule to kinds of claims. `is_ceiling` says that a contract must grant it and the law caps it.
    """

    item: str
    currency: str
    per: str = "claim"
    bands: tuple[Band, ...] = ()
    threshold_currency: str = ""
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    series: str = ""
    natures: tuple[str, ...] = ()
    is_ceiling: bool = False
    conversion: str = ""
    vat_percent: Decimal | None = None  # where value-added tax comes on top


class Unit(enum.StrEnum):
    """What a period is counted in."""

    DAYS = "days"
    WORKING_DAYS = "working_days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


class Span(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A length of time."""

    count: int
    unit: Unit = Unit.DAYS


class ReminderRule(Rule, frozen=True, kw_only=True):
    """The wait that a reminder opens before a debtor may be charged.

    `electronic` and `other` say on which day after sending the wait begins; it lasts `waiting_days` calendar days.
    Where `holds_interest` is false, interest runs from the due date and only costs wait.
    """

    waiting_days: int
    electronic: Span
    other: Span
    fee_maximum: Decimal = Decimal(0)
    free_due_dates_a_year: int = 0
    holds_interest: bool = True


class Start(enum.StrEnum):
    """Where limitation begins to run."""

    DUE = "due"
    MONTH_END = "month_end"
    YEAR_END = "year_end"


class LimitationRule(Rule, frozen=True, kw_only=True):
    """How long a claim can be brought to court. Rules that are `is_ordinary` are weighed when its nature is not known."""

    period: Span
    start: Start = Start.DUE
    nature: str = "general"
    is_ordinary: bool = False


class Effect(enum.StrEnum):
    """What an act does to a limitation period."""

    RESTARTS = "restarts"  # the whole period begins anew
    PENDS = "pends"  # stands while the act is under way, begins anew when it ends
    EXTENDS = "extends"  # not over before `span` after the act
    SUSPENDS = "suspends"  # stands, then the rest runs on
    CONDITIONAL = "conditional"  # counts only if a suit follows within `span`
    NONE = "none"


class InterruptingAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one kind of act does to limitation. `span` replaces the period where the law gives another one."""

    act: str
    effect: Effect
    evidence: Evidence
    source: str = ""
    article: str = ""
    span: Span | None = None
    is_once: bool = False
    note: str = ""


class DeadlineRule(Rule, frozen=True, kw_only=True):
    """A time limit that runs from an event. `distances` (home, eu, world) tell where the party that has to act lives."""

    event: str
    span: Span
    distances: tuple[str, ...] = ()
    moves_to_working_day: bool = False


class Part(enum.StrEnum):
    """What a payment can settle."""

    COSTS = "costs"
    COMPENSATION = "compensation"
    INTEREST = "interest"
    PRINCIPAL = "principal"


class AllocationRule(Rule, frozen=True, kw_only=True):
    """In which order a payment settles what is owed. Without compensation in it, that goes with the costs.

    `debtor_may_name` says that the debtor chooses among several claims, though not the order within one.
    """

    order: tuple[Part, ...]
    debtor_may_name: bool = True


class CountryLaw(msgspec.Struct, frozen=True, kw_only=True):
    """The law of one country as far as a pack knows it. `version` is the day its facts were gathered."""

    country: str
    title: str
    version: dt.date
    currency: str
    interest: tuple[InterestRule, ...] = ()
    charges: tuple[ChargeRule, ...] = ()
    reminders: tuple[ReminderRule, ...] = ()
    limitation: tuple[LimitationRule, ...] = ()
    acts: tuple[InterruptingAct, ...] = ()
    deadlines: tuple[DeadlineRule, ...] = ()
    allocation: tuple[AllocationRule, ...] = ()
    series: Mapping[str, RateSeries] = {}
    check_step: Callable[[CountryLaw, StepQuestion], StepAnswer] | None = None

    def rules(self) -> tuple[Rule, ...]:
        """Every dated rule of the pack."""
        return (
            *self.interest, *self.charges, *self.reminders, *self.limitation, *self.deadlines, *self.allocation,
        )  # fmt: skip
