"""One country on one day: every fact, every instrument, and what is not known of it."""

from __future__ import annotations

import datetime as dt

import msgspec

from collecthub.law.atlas.facts import (
    Atlas,
    Fact,
    Standing,
    Topic,
    country_named,
    fact_on,
    membership_on,
)
from collecthub.law.basis import Evidence


class InstrumentStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How an instrument stands in the country, what it is for, and how well that is known."""

    title: str
    purpose: str
    scope: str
    standing: Standing
    valid_from: dt.date | None
    valid_to: dt.date | None
    evidence: Evidence
    source: str
    note: str
    as_of: dt.date | None


class CountrySheet(msgspec.Struct, frozen=True, kw_only=True):
    """A country as it is known for a day. `unknown` names the topics and instruments that a person must look up."""

    country: str
    iso3: str
    numeric: str
    name: str
    region: str
    continent: str
    parent: str
    is_iso: bool
    as_of: dt.date
    atlas_version: dt.date
    languages: tuple[str, ...]
    currency: str
    facts: dict[Topic, Fact]
    instruments: dict[str, InstrumentStanding]
    in_force: tuple[str, ...]
    unknown: tuple[str, ...]


class CountryLine(msgspec.Struct, frozen=True, kw_only=True):
    """A country in a list, with how much is known of it."""

    country: str
    iso3: str
    name: str
    region: str
    currency: str
    languages: tuple[str, ...]
    in_force: tuple[str, ...]
    known_topics: int
    unknown_topics: int


def country_sheet(atlas: Atlas, country: str, as_of: dt.date) -> CountrySheet:
    """Everything known of a country on a day. Raises `PermanentError` for an unknown code.

    >>> from collecthub.law.atlas.reading import bundled_atlas
    >>> sheet = country_sheet(bundled_atlas(), "UY", dt.date(2026, 6, 15))
    >>> sheet.in_force, sheet.facts[Topic.LIMITATION_B2B].is_known
    (('hague_judgments_2019', 'new_york_1958', 'apostille_1961'), False)
    """
    found = country_named(atlas, country)
    facts = {topic: fact_on(atlas, country, topic, as_of) for topic in Topic}
    instruments = {name: _standing(atlas, name, country, as_of) for name in atlas.instruments}
    open_points: list[str] = [topic for topic, fact in facts.items() if not fact.is_known]
    open_points += [name for name, one in instruments.items() if one.standing is Standing.UNKNOWN]
    return CountrySheet(
        **msgspec.structs.asdict(found), as_of=as_of, atlas_version=atlas.version,
        languages=tuple(facts[Topic.LANGUAGES].code.split()), currency=facts[Topic.CURRENCY].code,
        facts=facts, instruments=instruments,
        in_force=tuple(name for name, one in instruments.items() if one.standing is Standing.IN_FORCE),
        unknown=tuple(open_points),
    )


def _standing(atlas: Atlas, instrument: str, country: str, as_of: dt.date) -> InstrumentStanding:
    treaty = atlas.instruments[instrument]
    return InstrumentStanding(
        title=treaty.title, purpose=treaty.purpose, scope=treaty.scope,
        **msgspec.structs.asdict(membership_on(atlas, instrument, country, as_of)),
    )


def country_lines(atlas: Atlas, as_of: dt.date) -> tuple[CountryLine, ...]:
    """The 249 entities of ISO 3166-1 by code."""
    sheets = (country_sheet(atlas, code, as_of) for code, found in sorted(atlas.countries.items()) if found.is_iso)
    return tuple(
        CountryLine(
            country=sheet.country, iso3=sheet.iso3, name=sheet.name, region=sheet.region,
            currency=sheet.currency, languages=sheet.languages, in_force=sheet.in_force,
            known_topics=sum(fact.is_known for fact in sheet.facts.values()),
            unknown_topics=sum(not fact.is_known for fact in sheet.facts.values()),
        )
        for sheet in sheets
    )


class Between(msgspec.Struct, frozen=True, kw_only=True):
    """What links two countries on a day: by purpose what is in force in both, and where that is not known."""

    one: str
    other: str
    as_of: dt.date
    shared: dict[str, tuple[str, ...]]
    unknown: tuple[str, ...]


def between(atlas: Atlas, one: str, other: str, day: dt.date) -> Between:
    """The instruments that a creditor in one country has towards a debtor in the other.

    A purpose without an instrument is listed empty: there is none, as far as is known. Raises `PermanentError`.

    >>> from collecthub.law.atlas.reading import bundled_atlas
    >>> between(bundled_atlas(), "BE", "UY", dt.date(2026, 6, 15)).shared["service"]
    ()
    """
    for country in (one, other):
        country_named(atlas, country)
    purposes = dict.fromkeys(treaty.purpose for treaty in atlas.instruments.values())
    doubtful = tuple(
        name
        for name in atlas.instruments
        if Standing.UNKNOWN in (standings := {membership_on(atlas, name, code, day).standing for code in (one, other)})
        and standings <= {Standing.UNKNOWN, Standing.IN_FORCE}
    )
    return Between(
        one=one, other=other, as_of=day, unknown=doubtful,
        shared={purpose: shared_instruments(atlas, one, other, day, purpose) for purpose in purposes},
    )


def shared_instruments(atlas: Atlas, one: str, other: str, day: dt.date, *purposes: str) -> tuple[str, ...]:
    """The instruments in force in both countries on a day, of the given purposes or of any.

    >>> from collecthub.law.atlas.reading import bundled_atlas
    >>> shared_instruments(bundled_atlas(), "BE", "UY", dt.date(2026, 6, 15), "judgment")
    ('hague_judgments_2019',)
    """
    return tuple(
        name
        for name, treaty in atlas.instruments.items()
        if (not purposes or treaty.purpose in purposes)
        and all(membership_on(atlas, name, country, day).standing is Standing.IN_FORCE for country in (one, other))
    )
