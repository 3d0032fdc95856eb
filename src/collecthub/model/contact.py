"""Contact with a debtor before hand-over: the agreed steps, and how far a case has come along them.

A step is due its days after the one before, counted from the oldest due date: a case that enters late begins at the
first step and keeps the distances, so that nobody gets two reminders on one day.
"""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError

COST_CAP, COLLECTION_TERM = "cost_cap", "collection_term"  # holds while a person decides whether it goes on
BELOW_MINIMUM = "below_minimum"  # the hold of a case that owes less than every fitting policy asks for
REMINDERS = "reminders"  # the hold under which a case is not handed over while the agreed steps are taken


class Channel(enum.StrEnum):
    """How a debtor is reached."""

    EMAIL = "email"
    LETTER = "letter"
    SMS = "sms"
    PHONE = "phone"  # a task for a person
    VISIT = "visit"  # a task for a person


BY_PEOPLE = frozenset({Channel.PHONE, Channel.VISIT})


class Tone(enum.StrEnum):
    """How a message speaks; the words of each are templates by language."""

    COURTESY = "courtesy"  # before the due day: no reminder
    FRIENDLY = "friendly"
    FIRM = "firm"
    FINAL = "final"


class DayCount(enum.StrEnum):
    """Which days are counted; working days are those of the debtor's country."""

    CALENDAR = "calendar"
    WORKING = "working"


class Heading(enum.StrEnum):
    """Under whose name a message goes out."""

    CREDITOR = "creditor"
    OPERATOR = "operator"  # the bailiff's office, on behalf of the creditor


class ContactStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step: `after_days` after the oldest due date, by a channel, in a tone. `cost` is what it costs the creditor."""

    name: str
    after_days: int
    channel: Channel
    tone: Tone
    days: DayCount = DayCount.CALENDAR
    cost: Decimal = Decimal(0)


class ContactPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The steps agreed for one kind of debtor, and the day of hand-over.

    `segments` are B2B, B2C, B2G, `countries` those of the debtors (ISO 3166-1 alpha-2), `customers` is `one_off` or
    `repeat`; empty means every one. `handover_after_days` counts as the steps do. `fallback` is the channel of a step
    whose own cannot reach the debtor, for want of an address. `before` are notices before the due day, with negative
    `after_days`. `cost_cap` is what the steps of one case may cost together, `term_days` the longest collection before
    a person decides whether it goes on; nought means no such limit.
    """

    name: str
    steps: tuple[ContactStep, ...]
    handover_after_days: int
    segments: tuple[str, ...] = ()
    minimum_amount: Decimal = Decimal(0)
    fallback: Channel = Channel.LETTER
    handover_cost: Decimal = Decimal(0)
    countries: tuple[str, ...] = ()
    customers: str = ""
    before: tuple[ContactStep, ...] = ()
    heading: Heading = Heading.CREDITOR
    phone: str = ""  # where somebody answers; it stands on every message
    cost_cap: Decimal = Decimal(0)
    term_days: int = 0

    def __post_init__(self) -> None:
        days = [*(step.after_days for step in self.steps), self.handover_after_days]
        names = [step.name for step in self.steps]
        problem = (
            "has no step" if not self.steps
            else "names a step twice" if len(set(names)) < len(names)
            else "begins before the due date" if days[0] < 0
            else "has two steps on one day or in the wrong order" if sorted(set(days)) != days
            else self._of_notices() or self._of_limits()
        )  # fmt: skip
        if problem:
            raise PermanentError(
                f"contact {self.name!r} {problem}",
                cure="Give every step a name of its own and more days than the one before; hand-over comes last.",
            )


    def _of_notices(self) -> str:
        days = [step.after_days for step in self.before]
        if any(day >= 0 for day in days) or sorted(set(days)) != days:
            return "has notices that do not come before the due day, one after the other"
        by_people = any(step.channel in BY_PEOPLE for step in self.before)
        return "has notices by phone or visit" if by_people else ""

    def _of_limits(self) -> str:
        known = {"", "one_off", "repeat"}
        return (
            "costs less than nothing" if min(self.cost_cap, *(step.cost for step in (*self.steps, *self.before))) < 0
            else "has a shorter term than its steps take" if 0 < self.term_days < self.handover_after_days
            else f"knows no customers {self.customers!r}, but one_off and repeat" if self.customers not in known
            else ""
        )  # fmt: skip


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """How far a case has come. `taken` is the number of steps that are behind it, `pending_id` what is on its way.

    `lost` are the channels by which the debtor is not reached.
    """

    policy: ContactPolicy
    version: str
    taken: int = 0
    pending_id: str = ""
    last_on: dt.date | None = None
    is_over: bool = False
    lost: tuple[Channel, ...] = ()
    rests_until: dt.date | None = None  # the law lets nothing follow the last step up to and including this day
    spent: Decimal = Decimal(0)  # what the steps so far have cost the creditor
    limits: tuple[str, ...] = ()  # agreed limits that were reached; each asks a person once

    @property
    def breaks_cap(self) -> bool:
        """Whether the next step would cost more than was agreed for a case."""
        step = self.next_step
        cap = self.policy.cost_cap
        return step is not None and cap > 0 and self.spent + step.cost > cap and COST_CAP not in self.limits

    @property
    def next_step(self) -> ContactStep | None:
        """The step that comes next, or None when only the hand-over is left."""
        steps = self.policy.steps
        return steps[self.taken] if self.taken < len(steps) else None

    @property
    def gap_days(self) -> int:
        """Days between the step before (the oldest due date for the first one) and what comes next."""
        days = [0, *(step.after_days for step in self.policy.steps), self.policy.handover_after_days]
        return days[self.taken + 1] - days[self.taken]


def policy_for(
    policies: tuple[ContactPolicy, ...], segment: str, amount: Decimal, *, country: str = "", is_repeat: bool | None = None
) -> ContactPolicy | None:
    """The first policy that fits a debtor and what he owes; None where nobody agreed on any.

    `is_repeat` is whether he was a customer before; None where nobody knows, which fits only policies for everybody.
    """
    fitting = policies_of(policies, segment, country=country, is_repeat=is_repeat)
    return next((one for one in fitting if amount >= one.minimum_amount), None)


def policies_of(
    policies: tuple[ContactPolicy, ...], segment: str, *, country: str = "", is_repeat: bool | None = None
) -> tuple[ContactPolicy, ...]:
    """The policies for a kind of debtor, whatever he owes."""
    customer = {True: "repeat", False: "one_off", None: "unknown"}[is_repeat]
    return tuple(
        one
        for one in policies
        if segment in (one.segments or (segment,)) and country in (one.countries or (country,))
        and customer == (one.customers or customer)
    )  # fmt: skip
