"""The bundled atlas, read once from the data files beside this module."""

from __future__ import annotations

import csv
import datetime as dt
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TypeVar

import msgspec

from collecthub.errors import ConfigurationError
from collecthub.law.atlas.facts import Atlas, Country, Fact, Instrument, Membership, Topic

_FOLDER = files("collecthub.law.atlas") / "data"
T = TypeVar("T")


class _FactRow(Fact, frozen=True, kw_only=True):
    country: str


class _MembershipRow(Membership, frozen=True, kw_only=True):
    instrument: str
    country: str


@cache
def bundled_atlas() -> Atlas:
    """Everything the product knows of the world. Raises `ConfigurationError` when a data file is damaged.

    >>> atlas = bundled_atlas()
    >>> sum(country.is_iso for country in atlas.countries.values()), len(atlas.instruments)
    (249, 12)
    """
    instruments = msgspec.convert(tomllib.loads(_text("instruments.toml"))["instruments"], list[Instrument])
    facts: dict[tuple[str, Topic], list[Fact]] = {}
    for row in _rows("facts.csv", _FactRow):
        facts.setdefault((row.country, row.topic), []).append(_without(row, Fact))
    memberships: dict[tuple[str, str], list[Membership]] = {}
    for held in _rows("memberships.csv", _MembershipRow):
        memberships.setdefault((held.instrument, held.country), []).append(_without(held, Membership))
    return Atlas(
        version=max(fact.as_of or dt.date.min for found in facts.values() for fact in found),
        countries={row.country: row for row in _rows("countries.csv", Country)},
        facts={key: tuple(found) for key, found in facts.items()},
        instruments={instrument.id: instrument for instrument in instruments},
        memberships={key: tuple(found) for key, found in memberships.items()},
    )


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _rows(name: str, kind: type[T]) -> Iterator[T]:
    """Rows of a CSV file. The code `NA` is Namibia; only an empty cell is empty."""
    for number, row in enumerate(csv.DictReader(_text(name).splitlines()), 2):
        try:
            yield msgspec.convert({key: value for key, value in row.items() if value}, kind, strict=False)
        except msgspec.ValidationError as error:
            raise ConfigurationError(f"{name}, line {number}: {error}", cure="Correct the data file.") from error


def _without(row: T, kind: type[T]) -> T:
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})  # type: ignore[attr-defined]
