"""Amounts and days as a reader writes them in his language: one way on every paper."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency


@cache
def locale_of(language: str) -> Locale:
    """How a language is written to readers here: English as in Europe, the day before the month.

    >>> locale_of("en"), locale_of("fr")
    (Locale('en', territory='GB'), Locale('fr'))
    """
    return Locale.parse({"en": "en_GB"}.get(language, language))


def money(amount: Decimal, currency: str, language: str) -> str:
    """An amount with the currency's own number of digits.

    >>> money(Decimal("1234.5"), "EUR", "de").replace(chr(160), " ")
    '1.234,50 €'
    """
    return str(format_currency(amount, currency, locale=locale_of(language), currency_digits=True))


def day(date: dt.date, language: str) -> str:
    """A day with its month in letters.

    >>> day(dt.date(2026, 6, 15), "fr"), day(dt.date(2026, 6, 15), "en")
    ('15 juin 2026', '15 June 2026')
    """
    return str(format_date(date, format="long", locale=locale_of(language)))


def short_day(date: dt.date, language: str) -> str:
    """A day for a narrow column.

    >>> short_day(dt.date(2026, 6, 15), "nl")
    '15 jun 2026'
    """
    return str(format_date(date, format="medium", locale=locale_of(language)))
