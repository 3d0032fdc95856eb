"""Amounts and days as a reader writes them in his language: one way on every paper."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency


def money(amount: Decimal, currency: str, language: str) -> str:
    """An amount with the currency's own number of digits.

    >>> money(Decimal("1234.5"), "EUR", "de").replace(chr(160), " ")
    '1.234,50 €'
    """
    return str(format_currency(amount, currency, locale=language, currency_digits=True))


def day(date: dt.date, language: str) -> str:
    """A day with its month in letters.

    >>> day(dt.date(2026, 6, 15), "fr")
    '15 juin 2026'
    """
    return str(format_date(date, format="long", locale=language))


def short_day(date: dt.date, language: str) -> str:
    """A day for a narrow column.

    >>> short_day(dt.date(2026, 6, 15), "nl")
    '15 jun 2026'
    """
    return str(format_date(date, format="medium", locale=language))
