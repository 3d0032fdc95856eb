"""What a finding rests on, as a code with values, and how it reads: recorded in English, or in a reader's language.

The sentences and words are data (`evidence.toml`, `words.toml`). Who writes for a reader brings the way in which his
language writes days, money and countries; recorded are the values as they stand.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files

LANGUAGES = ("en", "nl", "fr", "de", "es")
Kind = Callable[[str], str]  # writes one value
Part = tuple[str, str, str]  # text before, name of the value, its kind


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    """By code the sentence in each language."""
    return _table("evidence.toml")


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """By key the word in each language."""
    return _table("words.toml")


def _table(name: str) -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((files("collecthub.law.feasibility") / name).read_text(encoding="utf-8"))


@cache
def parts(code: str, language: str) -> tuple[Part, ...]:
    """A sentence taken apart; in a language that it does not have, the English one. Raises `KeyError` for a strange code.

    >>> parts("not_due", "de")
    (('noch nicht fällig: ', 'numbers', ''),)
    """
    said = sentences()[code]
    found = string.Formatter().parse(said.get(language, said["en"]))
    return tuple((text, name or "", kind or "") for text, name, kind, _ in found)


def read(code: str, values: Mapping[str, str], language: str, kinds: Mapping[str, Kind]) -> str:
    """The sentence with its values, each written by its kind; one without a kind stands as it is."""
    said = [
        f"{text}{kinds[kind](values[name]) if kind else values[name] if name else ''}"
        for text, name, kind in parts(code, language)
    ]
    return "".join(said)


def word(key: str, language: str) -> str:
    """A word in a language; a key that is none of the table is the word itself.

    >>> word("B2C", "fr"), word("nature_boat_hire", "fr")
    ('les consommateurs', 'boat hire')
    """
    known = words().get(key)
    return known.get(language, known["en"]) if known else key.removeprefix("nature_").replace("_", " ")


def spoken(language: str) -> dict[str, Kind]:
    """The kinds that need words only, for a language."""
    return {
        "word": lambda key: word(key, language),
        "words": lambda keys: ", ".join(word(key, language) for key in keys.split()),
        "bracket": lambda key: f" ({word(key, language)})" if key else "",
    }


def as_recorded(code: str, values: Mapping[str, object]) -> str:
    """The evidence as the history keeps it: English, with days and amounts as they are stored. Nothing without a code.

    >>> as_recorded("title_too_old", {"of": "2015-01-01", "period": "10 years", "until": "2025-01-01"})
    'title of 2015-01-01, 10 years: until 2025-01-01'
    """
    return _recorded(code, tuple((name, str(value)) for name, value in values.items())) if code else ""


@lru_cache(maxsize=4096)  # the cases of a portfolio rest on the same few things
def _recorded(code: str, values: tuple[tuple[str, str], ...]) -> str:
    return read(code, dict(values), "en", _RECORDED)


def _listed(value: str) -> str:
    return ", ".join(value.split())


def _amount(value: str) -> str:
    amount, currency = value.split()
    return f"{Decimal(amount):,} {currency}"


def _same(value: str) -> str:
    return value


_RECORDED: Mapping[str, Kind] = {
    **spoken("en"), **dict.fromkeys(("period", "percent"), _same), "money": _amount, "languages": _listed,
    "day": lambda value: value or word("unknown_day", "en"),
    "country": lambda value: value or word("unknown_country", "en"),
    "countries": lambda value: _listed(value) or word("unknown_country", "en"),
    "treaties": lambda value: ", ".join(" in ".join(one.split()) for one in value.split(", ")),
}  # fmt: skip
