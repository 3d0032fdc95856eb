"""The wait that a reminder opens before a consumer may be charged, counted by the channel it went by."""

from __future__ import annotations

import datetime as dt

import msgspec

from collecthub.law.basis import Matter, rule_on
from collecthub.law.days import add_span
from collecthub.law.rules import CountryLaw, ReminderRule, Span

ELECTRONIC = frozenset({"email", "e-mail", "sms", "whatsapp", "portal", "electronic"})
_ONE = dt.timedelta(days=1)


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Days in which the debtor may pay without more; charges are lawful from `charge_from`."""

    sent_on: dt.date
    channel: str
    first_on: dt.date
    last_on: dt.date
    charge_from: dt.date
    interest_from: dt.date


def reminder_rule(law: CountryLaw, matter: Matter, day: dt.date) -> ReminderRule | None:
    """The rule on reminders that governs a claim on a day, or None where nothing asks for one."""
    return rule_on(law.reminders, matter, day)


def wait_after(rule: ReminderRule, sent_on: dt.date, channel: str, country: str) -> Wait:
    """The wait after a reminder. Interest counts from the day after sending, and is due once the wait is over."""
    delay = rule.electronic if channel.lower() in ELECTRONIC else rule.other
    first_on = add_span(sent_on, delay, country)
    last_on = add_span(first_on - _ONE, Span(count=rule.waiting_days))
    return Wait(
        sent_on=sent_on, channel=channel, first_on=first_on, last_on=last_on, charge_from=last_on + _ONE,
        interest_from=sent_on + _ONE,
    )  # fmt: skip
