"""Short ways to ask the law what the tests ask it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from collecthub.bundled.jurisdictions import CHECKS
from collecthub.law.interest import InterestQuestion
from collecthub.law.late_payment import LatePayment, Reminded, late_payment
from collecthub.law.packs import bundled_law
from collecthub.law.rules import CountryLaw

D = Decimal


@cache
def law(country: str) -> CountryLaw:
    """A bundled pack with its check of steps."""
    return msgspec.structs.replace(bundled_law(country), check_step=CHECKS.get(country))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def question(
    due: str, until: str, principal: str = "10000", segment: str = "B2B", **more: Any
) -> InterestQuestion:
    return InterestQuestion(
        segment=segment, principal=D(principal), due_on=day(due), until=day(until),
        currency=more.pop("currency", "EUR"), **more,
    )  # fmt: skip


def late(
    country: str, due: str, until: str, principal: str = "10000", segment: str = "B2B", **more: Any
) -> LatePayment:
    """Interest and compensation; `reminder` is DATE:CHANNEL, dates may be texts."""
    reminder = more.pop("reminder", "")
    on, _, channel = reminder.partition(":")
    reminded = Reminded(on=day(on), channel=channel or "letter") if on else None
    extra = {name: more.pop(name) for name in ("is_large_creditor", "exchange_rate") if name in more}
    dated = {
        name: day(value) if name.endswith("_on") and isinstance(value, str) else value
        for name, value in more.items()
    }
    return late_payment(
        law(country), question(due, until, principal, segment, **dated), reminded=reminded, **extra
    )
