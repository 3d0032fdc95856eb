"""By which rules a document from one country is served in another on a day: what to send, who pays, what comes back.

Pure. The instruments and their dates are those of the atlas; what no instrument says stays open and goes to a person.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from collecthub.law.atlas.facts import Atlas, Standing, Topic, country_named, fact_on, membership_on
from collecthub.law.basis import Evidence

DOMESTIC, OPEN = "domestic", "open"


class ServiceRule(msgspec.Struct, frozen=True, kw_only=True):
    """What one instrument asks for. `request` and `certificate` are its forms; `source` names its articles."""

    instrument: str  # an id of the atlas, `domestic`, or `open` where no instrument is known to hold in both countries
    title: str
    request: str
    certificate: str
    costs: str
    language: str
    source: str
    evidence: Evidence


class ServiceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rules for one request. `is_open`: a person must look before anything is served; `notes` say what at."""

    from_country: str
    to_country: str
    as_of: dt.date
    rule: ServiceRule
    needs_translation: bool | None  # None: not known
    is_open: bool
    notes: tuple[str, ...]


# In the order in which they come before each other: the regulation prevails between Member States (its art. 29).
_RULES = (
    ServiceRule(
        instrument="eu_service_2020_1784", title="Regulation (EU) 2020/1784 on service",
        request="Form A (art. 8)", certificate="Form K (art. 14)",
        costs="the fee of the judicial officer, as one fixed fee made known beforehand (art. 15)",
        language="the addressee may refuse within two weeks what he does not understand (art. 12, Form L)",
        source="Regulation (EU) 2020/1784 art. 8, 12, 14, 15", evidence=Evidence.GENERAL_KNOWLEDGE,
    ),
    ServiceRule(
        instrument="hague_service_1965", title="Hague Service Convention of 1965",
        request="model request (art. 3)", certificate="certificate (art. 6)",
        costs="the judicial officer and a particular method of service (art. 12)",
        language="formal service may be made to depend on a translation (art. 5)",
        source="Convention of 15 November 1965 art. 3, 5, 6, 12", evidence=Evidence.GENERAL_KNOWLEDGE,
    ),
)  # fmt: skip
_DOMESTIC = ServiceRule(
    instrument=DOMESTIC, title="The country's own law", request="order to the bailiff", certificate="the bailiff's own act",
    costs="the bailiff's tariff", language="the language of the court", source="law of the country",
    evidence=Evidence.GENERAL_KNOWLEDGE,
)  # fmt: skip
_NONE = ServiceRule(
    instrument=OPEN, title="No instrument is known to hold in both countries", request="", certificate="", costs="",
    language="", source="atlas", evidence=Evidence.UNKNOWN,
)  # fmt: skip


def service_between(atlas: Atlas, from_country: str, to_country: str, language: str, day: dt.date) -> ServiceAnswer:
    """The rules of both countries for a document in a language. Raises `PermanentError` for a country that is none.

    >>> from collecthub.law.atlas.reading import bundled_atlas
    >>> day = dt.date(2026, 6, 15)
    >>> service_between(bundled_atlas(), "FR", "BE", "fr", day).rule.request
    'Form A (art. 8)'
    >>> service_between(bundled_atlas(), "GB", "BE", "en", day).rule.instrument
    'hague_service_1965'
    """
    for country in (from_country, to_country):
        country_named(atlas, country)
    rule = _rule(atlas, from_country, to_country, day)
    notes = list(_doubts(atlas, from_country, to_country, day)) if rule is _NONE else []
    spoken = fact_on(atlas, to_country, Topic.COURT_LANGUAGES, day)
    needs: bool | None = None
    if spoken.is_known and language:
        needs = language not in spoken.code.split()
    if needs is None:
        notes.append(f"whether {to_country} takes a document in {language or 'an unnamed language'} is not known")
    return ServiceAnswer(
        from_country=from_country, to_country=to_country, as_of=day, rule=rule, needs_translation=needs,
        is_open=rule is _NONE, notes=tuple(notes),
    )  # fmt: skip


def _rule(atlas: Atlas, one: str, other: str, day: dt.date) -> ServiceRule:
    if one == other:
        return _DOMESTIC
    for rule in _RULES:
        if all(membership_on(atlas, rule.instrument, code, day).standing is Standing.IN_FORCE for code in (one, other)):
            return rule
    return _NONE


def _doubts(atlas: Atlas, one: str, other: str, day: dt.date) -> list[str]:
    said = [
        f"{rule.instrument} in {code}: {standing.value.replace('_', ' ')}"
        for rule in _RULES for code in (one, other)
        if (standing := membership_on(atlas, rule.instrument, code, day).standing) is not Standing.IN_FORCE
    ]  # fmt: skip
    return [f"no instrument on service is known to hold in both countries: {'; '.join(said)}"]
