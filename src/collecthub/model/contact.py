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

    FRIENDLY = "friendly"
    FIRM = "firm"
    FINAL = "final"


class DayCount(enum.StrEnum):
    """Which days are counted; working days are those of the debtor's country."""

    CALENDAR = "calendar"
    WORKING = "working"


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

    `segments` are B2B, B2C, B2G; empty means every one. `handover_after_days` counts as the steps do. `fallback` is the
    channel of a step whose own cannot reach the debtor, for want of an address.
    """

    name: str
    steps: tuple[ContactStep, ...]
    handover_after_days: int
    segments: tuple[str, ...] = ()
    minimum_amount: Decimal = Decimal(0)
    fallback: Channel = Channel.LETTER
    handover_cost: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        days = [*(step.after_days for step in self.steps), self.handover_after_days]
        names = [step.name for step in self.steps]
        problem = (
            "has no step" if not self.steps
            else "names a step twice" if len(set(names)) < len(names)
            else "begins before the due date" if days[0] < 0
            else "has two steps on one day or in the wrong order" if sorted(set(days)) != days
            else ""
        )  # fmt: skip
        if problem:
            raise PermanentError(
                f"contact {self.name!r} {problem}",
                cure="Give every step a name of its own and more days than the one before; hand-over comes last.",
            )


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """How far a case has come. `taken` is the number of steps that are behind it, `pending_id` what is on its way."""

    policy: ContactPolicy
    version: str
    taken: int = 0
    pending_id: str = ""
    last_on: dt.date | None = None
    is_over: bool = False

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


def policy_for(policies: tuple[ContactPolicy, ...], segment: str, amount: Decimal) -> ContactPolicy | None:
    """The first policy that fits a debtor and what he owes; None where nobody agreed on any."""
    return next(
        (one for one in policies if segment in (one.segments or (segment,)) and amount >= one.minimum_amount), None
    )
