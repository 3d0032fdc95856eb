"""Facts on countries and their instruments: dated, each with its source, and unknown where nothing was found.

A fact holds from `valid_from` to `valid_to`, both days included; an empty `valid_from` means that the beginning is not
known, an empty `valid_to` that it still held on the day it was gathered (`as_of`). Nothing here is legal advice.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping

import msgspec

from collecthub.errors import PermanentError
from collecthub.law.basis import Evidence


class Topic(enum.StrEnum):
    """What a fact is about. `code` of a fact is for rules, `value` for people."""

    LANGUAGES = "languages"  # code: BCP 47 tags, official languages
    CURRENCY = "currency"  # code: ISO 4217
    UNION = "union"  # code: eu, eea, efta, euro
    COURT_LANGUAGES = "court_languages"  # code: BCP 47 tags
    LIMITATION_B2B = "limitation_b2b"  # in words; `collecthub.law.limitation` computes
    LIMITATION_CONSUMER = "limitation_consumer"
    LIMITATION_START = "limitation_start"
    INTERRUPTION = "interruption"
    CHARGEABLE_FEES = "chargeable_fees"  # code: none, contract, limited, b2b_only
    LICENCE_DUTY = "licence_duty"  # code: required, required_b2c, ..., declaration, none, barred, unclear
    TRANSFER_BASIS = "transfer_basis"  # code: eea, adequate, adequate_in_part, none, check
    AMICABLE_RULES = "amicable_rules"
    PRE_ACTION = "pre_action"  # code: required
    POWER_OF_ATTORNEY = "power_of_attorney"  # code: original
    COMPLEXITY = "complexity"  # code: Allianz Trade score of 0 to 100 where it was seen


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One statement on one country. With evidence `unknown` it says that nothing is known."""

    topic: Topic
    code: str = ""
    value: str = ""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    evidence: Evidence
    source: str = ""
    note: str = ""
    as_of: dt.date | None = None

    @property
    def is_known(self) -> bool:
        return self.evidence is not Evidence.UNKNOWN


class Country(msgspec.Struct, frozen=True, kw_only=True):
    """A country or territory of ISO 3166-1, or Kosovo (`is_iso` false), by its two letters."""

    country: str
    iso3: str
    name: str
    region: str
    continent: str
    numeric: str = ""
    parent: str = ""  # the State it belongs to, for a territory
    is_iso: bool = True


class Instrument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A treaty or regulation. `absence_*`: how well it is known that a State without a row is not bound."""

    id: str
    title: str
    purpose: str  # order, judgment, preservation, service, arbitration, document
    in_force_from: dt.date
    scope: str
    source: str
    evidence: Evidence
    absence_evidence: Evidence
    absence_source: str


class Standing(enum.StrEnum):
    """How an instrument stands in a country on a day."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"  # enters into force on a later day, which is known
    ENDED = "ended"
    SIGNED_ONLY = "signed_only"  # not binding
    NOT_BOUND = "not_bound"
    UNKNOWN = "unknown"


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an instrument's list for one country. An in-force row without `valid_from`: since when is not known."""

    standing: Standing
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    evidence: Evidence
    source: str = ""
    note: str = ""
    as_of: dt.date | None = None


class Atlas(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of the world. `version` is the day the youngest fact was gathered."""

    version: dt.date
    countries: Mapping[str, Country]
    facts: Mapping[tuple[str, Topic], tuple[Fact, ...]]
    instruments: Mapping[str, Instrument]
    memberships: Mapping[tuple[str, str], tuple[Membership, ...]]


_UNKNOWN = {topic: Fact(topic=topic, evidence=Evidence.UNKNOWN) for topic in Topic}
_NO_DAY = dt.date.min


def country_named(atlas: Atlas, country: str) -> Country:
    """The country with these two letters. Raises `PermanentError` for letters that stand for none."""
    found = atlas.countries.get(country)
    if found is None:
        raise PermanentError(
            f"{country[:40]!r} is not a country of the atlas.",
            cure="Use the two capital letters of ISO 3166-1, such as UY; `collecthub country list` has them all.",
        )
    return found


def fact_on(atlas: Atlas, country: str, topic: Topic, day: dt.date) -> Fact:
    """What is known on a topic for a day: the youngest fact that has begun, or an unknown one."""
    found = [
        fact
        for fact in atlas.facts.get((country, topic), ())
        if (fact.valid_from or _NO_DAY) <= day and (fact.valid_to is None or day <= fact.valid_to)
    ]
    return max(found, key=_began, default=_UNKNOWN[topic])


def _began(fact: Fact) -> dt.date:
    return fact.valid_from or _NO_DAY


def membership_on(atlas: Atlas, instrument: str, country: str, day: dt.date) -> Membership:
    """How an instrument stands in a country on a day.

    A State that is in no row is not bound, as well as the list is known. Before the instrument itself entered into
    force nobody is bound. A row that begins or ended on another day says `not_yet` or `ended`.
    """
    treaty = atlas.instruments[instrument]
    if day < treaty.in_force_from:
        return Membership(
            standing=Standing.NOT_BOUND, evidence=treaty.evidence, source=treaty.source,
            note=f"the instrument itself is in force since {treaty.in_force_from}",
        )
    rows = atlas.memberships.get((instrument, country), ())
    for row in rows:
        if (row.valid_from or _NO_DAY) <= day and (row.valid_to is None or day <= row.valid_to):
            return row
    if not rows:
        return Membership(
            standing=Standing.NOT_BOUND, evidence=treaty.absence_evidence, source=treaty.absence_source
        )
    later = [row for row in rows if row.valid_from and row.valid_from > day]
    if later:
        return msgspec.structs.replace(later[0], standing=Standing.NOT_YET)
    return msgspec.structs.replace(rows[-1], standing=Standing.ENDED)
