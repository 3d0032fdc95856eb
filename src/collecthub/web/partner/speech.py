"""Words, amounts, days and moments as a partner reads them: in its language and its time zone."""

from __future__ import annotations

import datetime as dt
import tomllib
import zoneinfo
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec
from babel.dates import format_datetime
from babel.numbers import format_decimal

from collecthub.formats.form_words import codes_in
from collecthub.paper import written

_WORDS = Path(__file__).parent / "words"


@cache
def words_of(language: str) -> Mapping[str, str]:
    """Every text of the page in a language of `partner_links.LANGUAGES`."""
    found: dict[str, str] = tomllib.loads((_WORDS / f"{language}.toml").read_text(encoding="utf-8"))
    return {**codes_in(language), **found}


class Speech(msgspec.Struct, frozen=True):
    """One language in one time zone.

    >>> es = Speech("es", "America/Montevideo")
    >>> es.money(Decimal("1234.5"), "EUR"), es.moment(dt.datetime(2026, 6, 15, 1, tzinfo=dt.UTC))
    ('1.234,50\\xa0€', '14 jun 2026, 22:00:00')
    """

    language: str
    zone: str

    def say(self, key: str, **values: object) -> str:
        """A text with its values."""
        return words_of(self.language)[key].format(**values)

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount with its currency."""
        return written.money(amount, currency, self.language)

    def number(self, value: Decimal) -> str:
        """A number with all its decimals, such as a rate."""
        return str(format_decimal(value, locale=written.locale_of(self.language), decimal_quantization=False))

    def country(self, code: str) -> str:
        """The name of a country; the code itself where there is none."""
        return str(written.locale_of(self.language).territories.get(code, code))

    def day(self, day: dt.date) -> str:
        """A day."""
        return written.short_day(day, self.language)

    def moment(self, moment: dt.datetime) -> str:
        """A moment on the partner's clock."""
        zone = zoneinfo.ZoneInfo(self.zone)
        return str(format_datetime(moment, format="medium", tzinfo=zone, locale=written.locale_of(self.language)))
