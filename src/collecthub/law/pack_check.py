"""What is wrong with a country pack, for who writes one: two rules for one day, facts without source, empty series."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from collecthub.law.basis import Evidence, Rule
from collecthub.law.rules import Band, ChargeRule, CountryLaw, Part

SEGMENTS = frozenset({"B2B", "B2C", "B2G"})
_ONE = dt.timedelta(days=1)


def pack_faults(law: CountryLaw) -> tuple[str, ...]:
    """One sentence for each fault; an empty answer means that the pack is consistent."""
    return tuple(itertools.chain(_unsourced(law), _two_for_one_day(law), _figures(law), _scales(law.charges), _orders(law)))


def rates_known_until(law: CountryLaw) -> dt.date | None:
    """The last day for which all stored rates of the rules of today are known; None where they rest on none.

    That a day comes for which nothing is known is no fault of a pack, but somebody has to load the figure by then.
    """
    rules = [rule for rule in law.interest if rule.valid_to is None]
    names = {name for rule in rules for name in (rule.series, rule.ceiling_series) if name in law.series}
    return min(filter(None, (law.series[name].known_until for name in names)), default=None)


def _unsourced(law: CountryLaw) -> Iterator[str]:
    weak = (Evidence.UNKNOWN, Evidence.GENERAL_KNOWLEDGE)
    for rule in law.rules():
        if not rule.source and rule.evidence not in weak:
            yield f"{rule.id} is {rule.evidence.value} and names no source"
        if wrong := set(rule.segments) - SEGMENTS:
            yield f"{rule.id} names the segment {', '.join(sorted(wrong))}; there are B2B, B2C and B2G"
    for act in law.acts:
        if not act.source and act.evidence not in weak:
            yield f"the act {act.act} is {act.evidence.value} and names no source"
    names = [act.act for act in law.acts]
    yield from (
        f"the act {name} is described twice" for name in sorted({name for name in names if names.count(name) > 1})
    )


def _orders(law: CountryLaw) -> Iterator[str]:
    """Every allocation names each part once, and none that a debtor can owe is left out."""
    needed = {Part.COSTS, Part.INTEREST, Part.PRINCIPAL}
    for rule in law.allocation:
        if len(set(rule.order)) != len(rule.order) or not needed <= set(rule.order):
            yield f"{rule.id} must name costs, interest and principal, each once"


def _two_for_one_day(law: CountryLaw) -> Iterator[str]:
    """Pairs of rules that could both govern one claim on one day; a charge for a nature goes before a general one."""
    yield from _overlaps((rule, {"interest"}) for rule in law.interest)
    yield from _overlaps((rule, {"reminder"}) for rule in law.reminders)
    yield from _overlaps((rule, {rule.nature}) for rule in law.limitation)
    yield from _overlaps(
        (rule, {f"{rule.event} {far}" for far in rule.distances or ("home", "eu", "world")})
        for rule in law.deadlines
    )
    yield from _overlaps(
        (rule, {f"{rule.item} {nature}" for nature in rule.natures or ("",)}) for rule in law.charges
    )
    yield from _overlaps((rule, {"allocation"}) for rule in law.allocation)


def _overlaps(rules: Iterable[tuple[Rule, set[str]]]) -> Iterator[str]:
    for (one, ones), (two, twos) in itertools.combinations(rules, 2):
        if ones & twos and one.variant == two.variant and _meet(one, two):
            yield f"{one.id} and {two.id} both govern some day"


def _meet(one: Rule, two: Rule) -> bool:
    if one.segments and two.segments and not set(one.segments) & set(two.segments):
        return False
    spans = (
        ((one.valid_from, _after(one.valid_to)), (two.valid_from, _after(two.valid_to))),
        ((one.contract_from, one.contract_before), (two.contract_from, two.contract_before)),
        ((one.default_from, one.default_before), (two.default_from, two.default_before)),
    )
    return all(_share_a_day(*first, *second) for first, second in spans)


def _after(day: dt.date | None) -> dt.date | None:
    return day + _ONE if day else None


def _share_a_day(
    first_from: dt.date | None,
    first_before: dt.date | None,
    second_from: dt.date | None,
    second_before: dt.date | None,
) -> bool:
    """Whether two half-open spans, open ends meaning forever, have a day in common."""
    begins = max(first_from or dt.date.min, second_from or dt.date.min)
    return begins < min(first_before or dt.date.max, second_before or dt.date.max)


def _figures(law: CountryLaw) -> Iterator[str]:
    for rule in law.interest:
        ways = [
            rule.percent is not None,
            bool(rule.series),
            rule.needs_contract,
            rule.evidence is Evidence.UNKNOWN,
        ]
        if sum(ways) != 1:
            yield f"{rule.id} needs exactly one of percent, series, needs_contract, or the level unknown"


def _scales(charges: Sequence[ChargeRule]) -> Iterator[str]:
    for rule in charges:
        if bool(rule.bands) == bool(rule.series):
            yield f"{rule.id} needs either bands or a series"
        if list(rule.bands) != sorted(rule.bands, key=lambda band: band.threshold):
            yield f"{rule.id} has bands out of order"
        if any(_below_zero(band) for band in rule.bands):
            yield f"{rule.id} has a negative amount"


def _below_zero(band: Band) -> bool:
    return min(band.amount or Decimal(0), band.percent, band.threshold) < 0
