"""Countries: the map of who acts where, and a page for each with everything known of it, its sources and its gaps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response
from markupsafe import Markup

from collecthub.engine.coverage import world_coverage
from collecthub.engine.feasibility import laws_of
from collecthub.errors import PermanentError
from collecthub.law.atlas.facts import Standing, Topic
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.atlas.sheet import country_lines, country_sheet
from collecthub.law.basis import Evidence
from collecthub.web.portal.pages import CreditorSide, PageRoute, page
from collecthub.web.portal.words import Label
from collecthub.web.portal.world_map import world_map
from collecthub.web.problems import ProblemError

router = APIRouter(prefix="/countries", route_class=PageRoute, include_in_schema=False)

TOPICS: Mapping[Topic, str] = {
    Topic.LANGUAGES: "Languages",
    Topic.CURRENCY: "Currency",
    Topic.UNION: "Belongs to",
    Topic.COURT_LANGUAGES: "Languages of the courts",
    Topic.LIMITATION_B2B: "Limitation, companies",
    Topic.LIMITATION_CONSUMER: "Limitation, consumers",
    Topic.LIMITATION_START: "Limitation begins",
    Topic.INTERRUPTION: "What interrupts it",
    Topic.CHARGEABLE_FEES: "Fees chargeable to the debtor",
    Topic.LICENCE_DUTY: "Licence of collectors",
    Topic.TRANSFER_BASIS: "Basis for sending personal data",
    Topic.AMICABLE_RULES: "Amicable phase",
    Topic.PRE_ACTION: "Step before a suit",
    Topic.POWER_OF_ATTORNEY: "Power of attorney",
    Topic.COMPLEXITY: "Collection complexity",
}
EVIDENCE: Mapping[Evidence, Label] = {
    Evidence.VERIFIED: ("Verified", "good"),
    Evidence.PARTLY: ("Partly verified", "info"),
    Evidence.GENERAL_KNOWLEDGE: ("General knowledge", "warn"),
    Evidence.UNKNOWN: ("Unknown", "quiet"),
}
STANDINGS: Mapping[Standing, Label] = {
    Standing.IN_FORCE: ("In force", "good"),
    Standing.NOT_YET: ("Not yet", "info"),
    Standing.ENDED: ("Ended", "quiet"),
    Standing.SIGNED_ONLY: ("Signed only", "quiet"),
    Standing.NOT_BOUND: ("Not bound", "quiet"),
    Standing.UNKNOWN: ("Unknown", "warn"),
}

# The words of the map once more, for screens on which its own are too small.


@router.get("")
def show_list(visitor: CreditorSide, q: Annotated[str, Query(max_length=60)] = "") -> Response:
    """The map with the open cases of whoever looks, and every country with how much is known of it."""
    with visitor.hub.database.read() as conn:
        world = world_coverage(conn, visitor.scope, visitor.hub.business_date())
    wanted = q.casefold().strip()
    lines = [
        line for line in country_lines(bundled_atlas(), visitor.hub.business_date())
        if wanted in line.name.casefold() or wanted == line.country.casefold()
    ]  # fmt: skip
    return page(
        visitor, "countries.html", world=world, lines=lines, q=q,
        picture=Markup(world_map(world, link="/countries/")),  # every text in it is escaped
        covered={item.country: item for item in world.items},
        gaps=sorted((item for item in world.items if item.is_gap), key=lambda item: -item.open_cases),
    )  # fmt: skip


@router.get("/{country}")
def show_country(
    visitor: CreditorSide, country: str, as_of: Annotated[str, Query(max_length=10)] = ""
) -> Response:
    """Everything known of a country on a day, who acts there, and what nobody knows."""
    day = _day(as_of) or visitor.hub.business_date()
    try:
        sheet = country_sheet(bundled_atlas(), country, day)
    except PermanentError as error:
        raise ProblemError("not-found", error.message, cure=error.cure) from error
    with visitor.hub.database.read() as conn:
        world = world_coverage(conn, visitor.scope, visitor.hub.business_date())
    law = laws_of(visitor.hub, country)
    return page(
        visitor, "country.html", sheet=sheet, topics=TOPICS, evidence=EVIDENCE, standings=STANDINGS,
        here=next((item for item in world.items if item.country == country), None),
        interest=[rule for rule in law.interest if rule.is_in_force(day)] if law else [],
        open_points=[_named(sheet.instruments, name) for name in sheet.unknown],
    )  # fmt: skip


def _named(instruments: Mapping[str, object], name: str) -> str:
    return name if name in instruments else TOPICS[Topic(name)]


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise ProblemError("invalid-query", f"{text!r} is not a date.", cure="Write it as 2026-06-15.") from error
