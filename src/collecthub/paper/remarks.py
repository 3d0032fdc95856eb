"""What a reader learns of a case's findings in his own language: what was found, and the evidence behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache

from babel.numbers import format_decimal
from babel.units import format_unit

from collecthub.law.feasibility.evidence import Kind, read, sentences, spoken, word
from collecthub.law.feasibility.finding import Severity
from collecthub.law.feasibility.rules import remark_in, rule_book
from collecthub.model.case import Feasibility
from collecthub.paper.written import locale_of, money, short_day

_UNITS = {"day": "duration-day", "week": "duration-week", "month": "duration-month", "year": "duration-year"}


def remarks(last: Feasibility | None, language: str = "en") -> str:
    """What travels with a case's file for its holder, one a line: found, not stopping, and at least of severity high."""
    rules = {rule.id: rule for rule in rule_book().rules}
    return "\n".join(
        f"{rule_id} {remark_in(rules[rule_id], language)}: {_evidence(last, rule_id, recorded, language)}"
        for rule_id, recorded, is_blocking in (last.findings if last else ())
        if not is_blocking and rule_id in rules and rules[rule_id].severity is not Severity.MEDIUM
    )


def _evidence(last: Feasibility | None, rule_id: str, recorded: str, language: str) -> str:
    code, values = last.said.get(rule_id, ("", {})) if last else ("", {})
    return evidence_in(language, code, values, recorded)


def evidence_in(language: str, code: str, values: Mapping[str, str], recorded: str) -> str:
    """What a finding rests on for a reader of a language; as it was recorded where its code is not known.

    >>> evidence_in("de", "title_too_old", {"of": "2015-01-01", "period": "10 years", "until": "2025-01-01"}, "")
    'Titel vom 01.01.2015, 10 Jahre: bis 01.01.2025'
    """
    return read(code, values, language, _kinds(language)) if code in sentences() else recorded


@cache
def _kinds(language: str) -> Mapping[str, Kind]:
    locale = locale_of(language)
    country = _named(locale.territories, word("unknown_country", language))
    return {
        **spoken(language),
        "day": lambda value: short_day(dt.date.fromisoformat(value), language) if value else word("unknown_day", language),
        "money": lambda value: _money(value, language),
        "percent": lambda value: str(format_decimal(Decimal(value), locale=locale, decimal_quantization=False)),
        "period": lambda value: _period(value, language),
        "country": country,
        "countries": lambda value: ", ".join(map(country, value.split())) or country(""),
        "languages": lambda value: ", ".join(map(_named(locale.languages), value.split())),
        "treaties": lambda value: ", ".join(_treaty(one, language, country) for one in value.split(", ")),
    }


def _named(names: Mapping[str, str], empty: str = "") -> Kind:
    return lambda code: str(names.get(code, code)) if code else empty


def _money(value: str, language: str) -> str:
    amount, currency = value.split()
    return money(Decimal(amount), currency, language)


def _period(value: str, language: str) -> str:
    """A count and a unit, as a law's period is told."""
    count, unit = value.split(" ", 1)
    known = _UNITS.get(unit.removesuffix("s"))
    return str(format_unit(int(count), known, locale=language)) if known else f"{count} {word('working_days', language)}"


def _treaty(value: str, language: str, country: Kind) -> str:
    name, where = value.split()
    return f"{word(name, language)} ({country(where)})"
