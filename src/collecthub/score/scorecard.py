"""A transparent scorecard: points per answer, read from a table that a person can add up by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """Values below `below` (without it: all the others) get these points."""

    points: int
    text: str
    below: float | None = None


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """One question of the card. `unknown` are the points where nobody knows the answer."""

    name: str
    bands: tuple[Band, ...]
    unknown: Band


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """What one question added, and the answer in words."""

    factor: str
    points: int
    text: str


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """A named, versioned card. More points mean a worse chance."""

    name: str
    version: str
    start: int
    factors: tuple[Factor, ...]

    def reasons(self, answers: Mapping[str, float | None]) -> tuple[Reason, ...]:
        """Points and words per factor, the heaviest first."""
        found = [_reason(factor, answers.get(factor.name)) for factor in self.factors]
        return tuple(sorted(found, key=lambda reason: (-abs(reason.points), reason.factor)))

    def points(self, answers: Mapping[str, float | None]) -> int:
        """The sum."""
        return self.start + sum(reason.points for reason in self.reasons(answers))


def _reason(factor: Factor, answer: float | None) -> Reason:
    band = factor.unknown
    if answer is not None:
        band = next(one for one in factor.bands if one.below is None or answer < one.below)
    return Reason(factor=factor.name, points=band.points, text=band.text)


@cache
def scorecard(name: str) -> Scorecard:
    """The card of this name that ships with the hub: `invoice` or `debtor`."""
    sheet = tomllib.loads((files("collecthub.score") / f"{name}.toml").read_text(encoding="utf-8"))
    return msgspec.convert(sheet, Scorecard)
