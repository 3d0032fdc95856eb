"""Countries, coverage and feasibility: what is known, who acts where, what stands against a case."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from collecthub.engine import feasibility
from collecthub.engine.coverage import WorldCoverage, world_coverage
from collecthub.errors import PermanentError
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.atlas.sheet import (
    Between,
    CountryLine,
    CountrySheet,
    between,
    country_lines,
    country_sheet,
)
from collecthub.law.feasibility.assess import Assessment
from collecthub.model.exchange import Procedure
from collecthub.store.queries.paging import Listed, QueryError
from collecthub.store.queries.scope import NotThereError
from collecthub.web.answers import answer, documented
from collecthub.web.auth import Anyone, CreditorSide, Operator, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(route_class=StrictRoute)


def _of_our_time(day: dt.date) -> dt.date:
    if not 1950 <= day.year <= 2199:  # the oldest instrument of the atlas is of 1958
        raise ValueError("is not a date of our time")
    return day


Day = Annotated[
    dt.date | None,
    AfterValidator(lambda day: day and _of_our_time(day)),
    Query(description="Day to look at; today by default."),
]
Code = Annotated[str, Query(pattern="^([A-Z]{2})?$", description="Country of the court; the debtor's by default.")]

Country = Annotated[str, Query(pattern="^[A-Z]{2}$", description="ISO 3166-1, two letters.")]


@router.get("/countries", tags=["countries"], summary="List countries", responses=documented(Listed[CountryLine]))
def read_countries(hub: TheHub, _scope: Anyone, as_of: Day = None) -> Response:
    """Each with its instruments in force and how much is known of it."""
    return answer(Listed(items=country_lines(bundled_atlas(), as_of or hub.business_date())))


@router.get("/instruments", tags=["countries"], summary="What links two countries", responses=documented(Between))
async def read_between(hub: TheHub, _scope: Anyone, one: Country, other: Country, as_of: Day = None) -> Response:
    """By purpose the instruments in force in both, and those where that is not known."""
    try:
        return answer(between(bundled_atlas(), one, other, as_of or hub.business_date()))
    except PermanentError as error:
        raise QueryError(error.message, cure=error.cure) from error


@router.get("/countries/{country}", tags=["countries"], summary="One country", responses=documented(CountrySheet))
async def read_country(hub: TheHub, _scope: Anyone, country: str, as_of: Day = None) -> Response:
    """Every fact and instrument on a day, with source and evidence level; what is unknown is said to be unknown."""
    try:
        return answer(country_sheet(bundled_atlas(), country, as_of or hub.business_date()))
    except PermanentError as error:
        raise NotThereError(error.message, cure=error.cure) from error


@router.get("/coverage", tags=["countries"], summary="Who acts where", responses=documented(WorldCoverage))
async def read_coverage(hub: TheHub, scope: Operator) -> Response:
    """Every country with its partners, its open cases, and whether it is a gap."""
    with hub.database.read() as conn:
        return answer(world_coverage(conn, scope, hub.business_date()))


@router.get(
    "/cases/{case_id}/feasibility", tags=["cases"], summary="What stands against it", responses=documented(Assessment)
)
async def read_feasibility(
    hub: TheHub, scope: CreditorSide, case_id: str, as_of: Day = None, forum: Code = "",
    procedure: Annotated[Procedure | None, Query(description="The step; that of the placement by default.")] = None,
    instrument: Literal["", "epo", "escp", "eeo", "eapo", "ios"] = "",
) -> Response:
    """Every rule's verdict; findings and open points with evidence, owner, fix and deadline, the worst first."""
    plan = feasibility.Plan(procedure=procedure, forum=forum, instrument=instrument)
    day = as_of or hub.business_date()
    with hub.database.read() as conn:
        return answer(feasibility.case_feasibility(hub, conn, scope, case_id, plan, day))
