"""Where somebody with debts finds free help: a table by country, with the page that says so."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from collecthub.law.basis import Evidence


class HelpAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One place that helps, in its own name; `phone` is empty where its page gives none."""

    country: str
    languages: tuple[str, ...]
    name: str
    url: str
    source: str
    evidence: Evidence
    phone: str = ""


@cache
def _known() -> tuple[HelpAddress, ...]:
    text = (files("collecthub.law") / "help_addresses.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["address"], tuple[HelpAddress, ...])


def help_addresses(country: str, language: str) -> tuple[HelpAddress, ...]:
    """Who helps in a country in a language; all of the country's where nobody speaks it, none where nobody is known.

    >>> [one.phone for one in help_addresses("NL", "en")], [one.languages for one in help_addresses("BE", "fr")]
    (['0800-8115'], [('fr',)])
    >>> help_addresses("JP", "en")
    ()
    """
    there = tuple(one for one in _known() if one.country == country)
    return tuple(one for one in there if language in one.languages) or there
