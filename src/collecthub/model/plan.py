"""A payment plan: instalments that add up to the cent, the limits it must keep, and how far it has come."""

from __future__ import annotations

import calendar
import datetime as dt
import enum
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal

import msgspec

from collecthub.errors import PermanentError
from collecthub.model.money import minor_units

MONTHS_MAX = 12  # requirement B31: an effort, not absolute; a person may go beyond with a reason
GRACE_DAYS = 3  # a transfer that is made on the due day may take so long to be seen
REMINDER_DAYS = 14  # how long the free reminder leaves for the late instalment (requirements C12, C13)
STATEMENT_DAYS = 14  # the detailed settlement comes so long before the last instalment (C16)
DECISION_DAYS = 7  # a broken plan waits so long for the handler; then collection goes on (C13, C18)


class PlanState(enum.StrEnum):
    """Where a plan stands."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    LATE = "late"  # an instalment was missed and the free reminder runs
    BROKEN = "broken"
    COMPLETED = "completed"
    REFUSED = "refused"
    ENDED = "ended"  # a person ended it


RUNNING = frozenset({PlanState.AGREED, PlanState.LATE})


class Instalment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One part: what is due on which day."""

    number: int
    due_on: dt.date
    amount: Decimal


class PlanLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be agreed without a person deciding; never more than twelve months."""

    months_max: int = MONTHS_MAX
    minimum_instalment: Decimal = Decimal("25.00")
    first_within_days: int = 31

    def __post_init__(self) -> None:
        if not 1 <= self.months_max <= MONTHS_MAX or self.minimum_instalment < 0 or self.first_within_days < 1:
            raise PermanentError(
                f"plans of {self.months_max} months, from {self.minimum_instalment} each, beginning within "
                f"{self.first_within_days} days cannot be left to debtors",
                cure=f"Give 1 to {MONTHS_MAX} months, no negative amount and at least one day; a person may agree to more.",
            )


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan of a case. `settled_before` is what had been paid and credited when it was agreed."""

    plan_id: str
    state: PlanState = PlanState.PROPOSED
    instalments: tuple[Instalment, ...]
    proposed_by: str
    proposed_at: dt.datetime
    exceeded: tuple[str, ...] = ()
    agreements: tuple[str, ...] = ()
    agreed_at: dt.datetime | None = None
    settled_before: Decimal = Decimal(0)
    met: int = 0
    missed_at: dt.datetime | None = None
    is_halfway_told: bool = False
    is_statement_due: bool = False
    note: str = ""

    @property
    def total(self) -> Decimal:
        """The sum of the instalments."""
        return sum((one.amount for one in self.instalments), Decimal(0))

    @property
    def is_running(self) -> bool:
        """Whether it was agreed and has neither ended nor broken: as long as it holds, nobody chases."""
        return self.state in RUNNING

    @property
    def next_instalment(self) -> Instalment | None:
        """The first one that is not met."""
        return self.instalments[self.met] if self.met < len(self.instalments) else None

    def covered(self, settled: Decimal) -> int:
        """How many instalments, in order, are covered by what was settled since the agreement."""
        count, rest = 0, settled - self.settled_before
        for one in self.instalments:
            rest -= one.amount
            if rest < 0:
                return count
            count += 1
        return count

    def paid(self, settled: Decimal) -> Decimal:
        """What came in on the plan, at most its total."""
        return max(Decimal(0), min(settled - self.settled_before, self.total))

    def is_halfway(self, settled: Decimal, currency: str) -> bool:
        """Whether half is paid. The last of equal parts carries the cents that do not divide: they delay nothing."""
        rounding = len(self.instalments) * _quantum(currency)
        return self.total - 2 * self.paid(settled) < rounding


def _quantum(currency: str) -> Decimal:
    return Decimal(1).scaleb(-minor_units(currency))


def month_after(day: dt.date, months: int) -> dt.date:
    """The same day so many months later, or the last one of a shorter month.

    >>> month_after(dt.date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def split(total: Decimal, count: int, first_on: dt.date, currency: str) -> tuple[Instalment, ...]:
    """Equal monthly instalments; the cents that do not divide are in the last one.

    >>> [str(one.amount) for one in split(Decimal("100.00"), 3, dt.date(2026, 7, 1), "EUR")]
    ['33.33', '33.33', '33.34']
    """
    quantum = _quantum(currency)
    if count < 1 or total < count * quantum:
        raise PermanentError(
            f"{total} {currency} cannot be paid in {count} instalments", cure="Choose fewer, at least one."
        )
    part = (total / count).quantize(quantum, rounding=ROUND_DOWN)
    amounts = [part] * (count - 1) + [total - part * (count - 1)]
    return tuple(
        Instalment(number=number, due_on=month_after(first_on, number - 1), amount=amount)
        for number, amount in enumerate(amounts, 1)
    )


def instalments_for(total: Decimal, capacity: Decimal) -> int:
    """How many months it takes at what the debtor can pay in a month.

    >>> instalments_for(Decimal("100.00"), Decimal("30"))
    4
    """
    if capacity <= 0:
        raise PermanentError(
            "nothing can be paid in a month", cure="A plan would fail: look at hardship or a debt mediator instead."
        )
    return max(1, int((total / capacity).to_integral_value(rounding=ROUND_CEILING)))


def exceeded(instalments: Sequence[Instalment], limits: PlanLimits, agreed_on: dt.date) -> tuple[str, ...]:
    """Why a person must decide on this plan; empty when it keeps every limit."""
    first, last = instalments[0], instalments[-1]
    found = []
    if last.due_on > month_after(agreed_on, limits.months_max):
        found.append(f"it runs until {last.due_on}, longer than {limits.months_max} months")
    if (first.due_on - agreed_on).days > limits.first_within_days:
        found.append(f"the first instalment is due on {first.due_on}, later than in {limits.first_within_days} days")
    smallest = min(one.amount for one in instalments)
    if len(instalments) > 1 and smallest < limits.minimum_instalment:
        found.append(f"an instalment of {smallest} is below {limits.minimum_instalment}")
    return tuple(found)


def agreements(plan: Plan, currency: str) -> tuple[str, ...]:
    """Everything that is agreed, sentence by sentence: what the confirmation says and the history keeps."""
    days = "; ".join(f"{one.number}: {one.amount} {currency} by {one.due_on}" for one in plan.instalments)
    return (
        f"{plan.total} {currency} in {len(plan.instalments)} instalments ({days}).",
        "While the plan is kept, nobody asks for more and no further step is taken.",
        f"A late instalment is reminded once, free of charge, with {REMINDER_DAYS} days to pay.",
        f"If it stays unpaid the plan is broken, and within {DECISION_DAYS} days a person decides how to go on.",
        "Interest and costs follow the law; the settlement before the last instalment shows them.",
    )
