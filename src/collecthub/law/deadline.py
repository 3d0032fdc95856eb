"""Time limits that run from an event: filing a claim, answering, waiting; longer for who lives far away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from collecthub.errors import PermanentError
from collecthub.law.basis import Evidence, Matter
from collecthub.law.days import add_span, next_working_day
from collecthub.law.late_payment import RuleShown, rule_shown
from collecthub.law.limitation import words
from collecthub.law.rules import CountryLaw, DeadlineRule

# Member States of the European Union as of 2026; the United Kingdom left on 2020-01-31.
EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """The last day of a time limit. `counted_to` is where counting ended before a day off moved it."""

    country: str
    event: str
    title: str
    event_on: dt.date
    period: str
    deadline_on: dt.date
    counted_to: dt.date
    distance: str
    rule: str
    rule_version: dt.date
    article: str
    source: str
    evidence: Evidence
    rules: tuple[RuleShown, ...]
    notes: tuple[str, ...]


def distance(country: str, actor_country: str) -> str:
    """How far away the law sees somebody: home, eu (another Member State) or world.

    >>> distance("BE", "BE"), distance("BE", "FR"), distance("BE", "US")
    ('home', 'eu', 'world')
    """
    if not actor_country or actor_country == country:
        return "home"
    return "eu" if {country, actor_country} <= EU else "world"


def deadline(
    law: CountryLaw, event: str, event_on: dt.date, *, segment: str = "B2B", actor_country: str = ""
) -> Deadline:
    """The last day of a time limit. `actor_country` is where the party lives that has to act; home by default.

    Raises `PermanentError` with the known events where no rule is known.
    """
    far = distance(law.country, actor_country)
    rule = _rule(law, event, event_on, segment, far)
    counted_to = add_span(event_on, rule.span, law.country)
    last_day = next_working_day(counted_to, law.country) if rule.moves_to_working_day else counted_to
    level = f"the time limit is of the level {rule.evidence.value}: check it before you rely on it"
    return Deadline(
        country=law.country, event=event, title=rule.title, event_on=event_on, period=words(rule.span),
        deadline_on=last_day, counted_to=counted_to, distance=far, rule=rule.id, rule_version=law.version,
        article=rule.article, source=rule.source, evidence=rule.evidence, rules=(rule_shown(rule, law.version),),
        notes=tuple(filter(None, (rule.note, "" if rule.evidence is Evidence.VERIFIED else level))),
    )  # fmt: skip


def _rule(law: CountryLaw, event: str, event_on: dt.date, segment: str, far: str) -> DeadlineRule:
    matter = Matter(segment=segment, contract_on=event_on, default_on=event_on)
    for rule in law.deadlines:
        is_near = not rule.distances or far in rule.distances
        if rule.event == event and is_near and rule.is_for(matter) and rule.is_in_force(event_on):
            return rule
    raise PermanentError(
        f"no time limit {event[:60]!r} of {law.title} is known for {event_on}",
        cure=f"Known: {', '.join(known_events(law.deadlines))}.",
    )


def known_events(rules: Iterable[DeadlineRule]) -> list[str]:
    """The events that a pack counts from, in order, once each."""
    return list(dict.fromkeys(rule.event for rule in rules)) or ["none"]
