"""Before You Collect: on which day a friendly notice of an invoice that is not yet due is wanted. Pure.

A notice is no reminder: nobody is late, nothing is added, and no step of the law begins with it.
"""

from __future__ import annotations

import datetime as dt

from collecthub.errors import PermanentError
from collecthub.law.days import previous_working_day
from collecthub.model.contact import ContactPolicy, ContactStep, DayCount

_ONE = dt.timedelta(days=1)


def notice_on(step: ContactStep, due_on: dt.date, country: str) -> dt.date:
    """The day of a notice: so many days, or working days of the debtor's country, before the due day.

    >>> from collecthub.model.contact import Channel, Tone
    >>> step = ContactStep(name="n", after_days=-3, channel=Channel.EMAIL, tone=Tone.COURTESY, days=DayCount.WORKING)
    >>> notice_on(step, dt.date(2026, 6, 16), "BE").isoformat()  # a Tuesday; a weekend lies between
    '2026-06-11'
    """
    if step.days is DayCount.CALENDAR:
        return due_on + dt.timedelta(days=step.after_days)
    try:
        day = due_on
        for _ in range(-step.after_days):
            day = previous_working_day(day - _ONE, country)
    except PermanentError:  # a country whose holidays nobody knows: weekdays alone, counted generously
        return due_on - dt.timedelta(days=-(step.after_days * 7 // 5))
    return day


def notice_due(policy: ContactPolicy, due_on: dt.date, today: dt.date, country: str) -> ContactStep | None:
    """The last notice whose day has come; None before the first one and from the due day on.

    Earlier ones that nobody sent are left out: a debtor hears of an invoice once, not of every day that was missed.
    """
    if due_on <= today:
        return None
    reached = [step for step in policy.before if notice_on(step, due_on, country) <= today]
    return reached[-1] if reached else None
