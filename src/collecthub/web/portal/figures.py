"""How values read on a page: numbers, amounts, dates, moments, sizes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from markupsafe import Markup

from collecthub.model.money import minor_units


def number(value: int | Decimal) -> str:
    """Digits in groups of three, with a real minus.

    >>> number(-1234567)
    '−1,234,567'
    """
    return f"{value:,}".replace("-", "−")


def amount_text(amount: Decimal, currency: str) -> str:
    """An amount in its currency's decimals.

    >>> amount_text(Decimal("-1234.5"), "EUR"), amount_text(Decimal("1200"), "JPY")
    ('−1,234.50 EUR', '1,200 JPY')
    """
    return f"{number(amount.quantize(Decimal(1).scaleb(-minor_units(currency))))} {currency}"


def money(amount: Decimal, currency: str) -> Markup:
    """An amount that keeps together with its currency."""
    digits, _, code = amount_text(amount, currency).rpartition(" ")
    return Markup('<span class="money">{} <span class="currency">{}</span></span>').format(digits, code)


def day(value: dt.date | dt.datetime | None) -> Markup:
    """A date, ISO 8601."""
    if value is None:
        return Markup("–")
    text = value.date().isoformat() if isinstance(value, dt.datetime) else value.isoformat()
    return Markup('<time datetime="{0}">{0}</time>').format(text)


def moment(value: dt.datetime | None) -> Markup:
    """A moment to the minute, with its zone."""
    if value is None:
        return Markup("–")
    utc = value.astimezone(dt.UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"), utc.strftime("%Y-%m-%d %H:%M UTC")
    )


def file_size(size: int) -> str:
    """Bytes for people.

    >>> file_size(900), file_size(15_300), file_size(2_500_000)
    ('900 B', '15 kB', '2.5 MB')
    """
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def duration(seconds: int) -> str:
    """A length of time for people, in the largest unit that leaves two or more.

    >>> duration(1), duration(75), duration(120), duration(7_200), duration(200_000)
    ('1 second', '75 seconds', '2 minutes', '2 hours', '2 days')
    """
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{number(seconds // size)} {unit}"
    return "1 second" if seconds == 1 else f"{seconds} seconds"
