"""What a legal fact rests on: its evidence level, its source, and the days, contracts and parties it holds for."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from collecthub.errors import ConfigurationError


class Evidence(enum.StrEnum):
    """How well a fact is known. Nothing is computed from an unknown one; the two middle ones are shown."""

    VERIFIED = "verified"  # read on a public page, named in `source`
    PARTLY = "partly"  # one part was read, the note says which
    GENERAL_KNOWLEDGE = "general_knowledge"  # check it before a client relies on it
    UNKNOWN = "unknown"  # deliberately empty


_ORDER = tuple(Evidence)


def weakest(levels: Iterable[Evidence]) -> Evidence:
    """The level of a figure that rests on several facts.

    >>> weakest([Evidence.VERIFIED, Evidence.PARTLY]).value
    'partly'
    """
    return max(levels, key=_ORDER.index, default=Evidence.UNKNOWN)


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What decides which rule governs a claim.

    `segment` is B2B, B2C or B2G. `variant` names a rule that somebody has to ask for (agri-food, a creditor's
    option). `default_on` is the first day of delay.
    """

    segment: str
    contract_on: dt.date
    default_on: dt.date
    variant: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dated legal rule. Empty limits do not limit; `valid_*` are days, both included, on which it governs.

    `contract_*` look at the day the contract was concluded, `default_*` at the first day of delay; `_before` days
    are themselves outside.
    """

    id: str
    title: str = ""
    article: str = ""
    evidence: Evidence
    source: str = ""
    note: str = ""
    segments: tuple[str, ...] = ()
    variant: str = ""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    contract_from: dt.date | None = None
    contract_before: dt.date | None = None
    default_from: dt.date | None = None
    default_before: dt.date | None = None

    def is_for(self, matter: Matter) -> bool:
        """Whether the rule looks at this kind of claim at all, on whatever day."""
        return (
            (not self.segments or matter.segment in self.segments)
            and self.variant == matter.variant
            and _within(matter.contract_on, self.contract_from, self.contract_before)
            and _within(matter.default_on, self.default_from, self.default_before)
        )

    def is_in_force(self, day: dt.date) -> bool:
        """Whether the rule governs this day."""
        return not (self.valid_from and day < self.valid_from) and not (self.valid_to and day > self.valid_to)


R = TypeVar("R", bound=Rule)


def _within(day: dt.date, first: dt.date | None, before: dt.date | None) -> bool:
    return not (first and day < first) and not (before and day >= before)


def rule_on(rules: Iterable[R], matter: Matter, day: dt.date) -> R | None:
    """The one rule that governs the claim on a day, or None. Raises `ConfigurationError` when a pack has two."""
    found = [rule for rule in rules if rule.is_for(matter) and rule.is_in_force(day)]
    if len(found) > 1:
        raise ConfigurationError(
            f"the rules {' and '.join(rule.id for rule in found)} both govern {day}",
            cure="Correct the dates or segments of one of them in the country pack.",
        )
    return found[0] if found else None
