"""Where partners act and where nobody does: every country of the atlas, against the open cases there."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Iterable, Mapping

import msgspec
import sqlalchemy as sa

from collecthub.law.atlas.facts import Atlas
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.model.codes import Status
from collecthub.model.partner import PartnerProfile
from collecthub.store import tables as t
from collecthub.store.connections import read_profiles
from collecthub.store.partner_terms import contracts_in_force
from collecthub.store.queries.scope import Scope, cases_of


class Tier(enum.StrEnum):
    """How a country is covered: a contract with prices is in force, prices have to be asked for, nobody takes cases."""

    STANDARD = "standard"
    QUOTE = "quote"
    NONE = "none"


class CountryCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """One country: who acts there and how many open cases wait.

    `is_taking`: at least one of the partners takes new cases; `is_real`: one that is no demo partner. `demo_partners`
    are those of `partners` that are made up for trials. `is_gap`: open cases, and nobody who takes new ones.
    """

    country: str
    name: str
    region: str
    tier: Tier
    partners: tuple[str, ...]
    demo_partners: tuple[str, ...]
    roles: tuple[str, ...]
    is_taking: bool
    is_real: bool
    open_cases: int
    is_gap: bool


class WorldCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """The world: countries by code, how many are covered, and how many open cases are in a gap or nowhere.

    `covered` counts countries with a partner of somebody's own; `covered_with_demo` also those where only a demo
    partner acts.
    """

    covered: int
    covered_with_demo: int
    gaps: int
    cases_in_gaps: int
    cases_without_country: int
    items: tuple[CountryCoverage, ...]
    next_cursor: None = None


def coverage(
    atlas: Atlas, profiles: Iterable[PartnerProfile], open_cases: Mapping[str, int], priced: Collection[str] = ()
) -> WorldCoverage:
    """The coverage of every country of the atlas. A code that it does not know counts as no country.

    `priced` are the partners with a contract in force.
    """
    by_country: dict[str, list[PartnerProfile]] = {}
    for one in profiles:
        for code in one.countries:
            by_country.setdefault(code, []).append(one)
    items = tuple(
        _of_country(atlas, code, by_country.get(code, []), open_cases.get(code, 0), priced)
        for code in sorted(atlas.countries)
    )
    return WorldCoverage(
        covered=sum(item.is_real for item in items), covered_with_demo=sum(item.is_taking for item in items), gaps=sum(item.is_gap for item in items),
        cases_in_gaps=sum(item.open_cases for item in items if item.is_gap),
        cases_without_country=sum(count for code, count in open_cases.items() if code not in atlas.countries),
        items=items,
    )


def _of_country(
    atlas: Atlas, code: str, there: list[PartnerProfile], open_cases: int, priced: Collection[str]
) -> CountryCoverage:
    taking = [one for one in there if one.is_open]
    has_price = any(one.partner_id in priced for one in taking)
    return CountryCoverage(
        country=code, name=atlas.countries[code].name, region=atlas.countries[code].region,
        tier=Tier.STANDARD if has_price else Tier.QUOTE if taking else Tier.NONE, is_taking=bool(taking),
        is_real=any(not one.is_demo for one in taking), partners=tuple(one.partner_id for one in there),
        demo_partners=tuple(one.partner_id for one in there if one.is_demo),
        roles=tuple(sorted({one.role for one in taking})), open_cases=open_cases, is_gap=open_cases > 0 and not taking,
    )


def world_coverage(conn: sa.Connection, scope: Scope, on: dt.date) -> WorldCoverage:
    """The coverage for the open cases of a scope on a day."""
    query = (
        sa.select(t.cases.c.debtor_country, sa.func.count())
        .where(cases_of(scope), t.cases.c.status != Status.CLOSED.value)
        .group_by(t.cases.c.debtor_country)
    )
    open_cases = {country or "": count for country, count in conn.execute(query)}
    return coverage(bundled_atlas(), read_profiles(conn), open_cases, contracts_in_force(conn, on))
