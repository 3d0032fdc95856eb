"""Country packs: from a TOML sheet and a table of rates to the law of one country.

The bundled packs lie in `sheets/`, one a country, and share `sheets/rates.csv`. A plugin brings its own the same
way: `country_law(sheet, read_rates(table))`.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files

import msgspec

from collecthub.errors import ConfigurationError, PermanentError
from collecthub.law.rates import RateSeries, read_rates, with_more
from collecthub.law.rules import (
    AllocationRule,
    ChargeRule,
    CountryLaw,
    DeadlineRule,
    InterestRule,
    InterruptingAct,
    LimitationRule,
    ReminderRule,
)
from collecthub.model.money import parse_amount

_SHEETS = files("collecthub.law") / "sheets"


class _Sheet(msgspec.Struct, forbid_unknown_fields=True):
    country: str
    title: str
    version: dt.date
    currency: str
    interest: tuple[InterestRule, ...] = ()
    charge: tuple[ChargeRule, ...] = ()
    reminder: tuple[ReminderRule, ...] = ()
    limitation: tuple[LimitationRule, ...] = ()
    act: tuple[InterruptingAct, ...] = ()
    deadline: tuple[DeadlineRule, ...] = ()
    allocation: tuple[AllocationRule, ...] = ()


def country_law(sheet: str, rates: Mapping[str, RateSeries], name: str = "the country pack") -> CountryLaw:
    """The law that a sheet describes, with the series that its rules name and everything said of that country.

    Raises `ConfigurationError`: what is not TOML, has unknown fields, numbers that are not plain decimals, or says two
    things under one rule id.
    """
    try:
        read = msgspec.convert(tomllib.loads(sheet, parse_float=parse_amount), _Sheet)
        for value in _decimals((read.interest, read.charge, read.reminder)):
            parse_amount(str(value))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, PermanentError) as error:
        raise ConfigurationError(f"{name} cannot be read: {error}", cure="Correct the sheet.") from error
    law = CountryLaw(
        country=read.country, title=read.title, version=read.version, currency=read.currency, interest=read.interest,
        charges=read.charge, reminders=read.reminder, limitation=read.limitation, acts=read.act,
        deadlines=read.deadline, allocation=read.allocation, series={},
    )  # fmt: skip
    ids = [rule.id for rule in law.rules()]
    twice = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
    if twice:
        raise ConfigurationError(
            f"{name} has two rules {', '.join(twice)}", cure="Give every rule an id of its own."
        )
    return msgspec.structs.replace(law, series={key: rates[key] for key in _named(law) if key in rates})


def _decimals(thing: object) -> Iterator[Decimal]:
    """Every exact number below a rule or a tuple of them."""
    if isinstance(thing, Decimal):
        yield thing
    elif isinstance(thing, tuple):
        for part in thing:
            yield from _decimals(part)
    elif isinstance(thing, msgspec.Struct):
        yield from _decimals(tuple(getattr(thing, name) for name in thing.__struct_fields__))


def with_rates(law: CountryLaw, more: Mapping[str, RateSeries]) -> CountryLaw:
    """The same law with figures that were published after the pack was made.

    Raises `ConfigurationError` where the pack already knows a value of one of the days.
    """
    series = dict(law.series)
    for key in _named(law):
        if key in more:
            series[key] = with_more(series[key], more[key]) if key in series else more[key]
    return msgspec.structs.replace(law, series=series)


def _named(law: CountryLaw) -> list[str]:
    """The series that the rules take figures from."""
    names = {rule.series for rule in law.interest} | {rule.ceiling_series for rule in law.interest}
    return sorted(names | {rule.series for rule in law.charges})


@cache
def bundled_rates() -> Mapping[str, RateSeries]:
    """Every series that ships with the product."""
    return read_rates((_SHEETS / "rates.csv").read_text(encoding="utf-8"), "rates.csv")


@cache
def bundled_countries() -> tuple[str, ...]:
    """ISO codes of the countries whose packs ship with the product."""
    names = (entry.name for entry in _SHEETS.iterdir())
    return tuple(sorted(name.removesuffix(".toml").upper() for name in names if name.endswith(".toml")))


@cache
def bundled_law(country: str) -> CountryLaw:
    """The law of a bundled country, read on first use."""
    name = f"{country.lower()}.toml"
    return country_law((_SHEETS / name).read_text(encoding="utf-8"), bundled_rates(), name)
