"""Every route of one case side by side, ranked, each with its price, time, papers and the reason for or against it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.corridor.route import POSSIBLE, REJECTED, ranking
from collecthub.engine.context import Hub
from collecthub.engine.routing import Ground, checked, proposals
from collecthub.law.feasibility.telling import reason_to_stop
from collecthub.law.feasibility.ways import UNKNOWN, way_book
from collecthub.model.case import Case
from collecthub.model.exchange import Procedure
from collecthub.model.mandate import wanted
from collecthub.model.partner import RouteProposal
from collecthub.model.route_option import NONE, RouteOption
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.scope import Scope

LEFT = "left"  # the hold of a case on which nothing more is spent
_TITLES = {
    "agency": "Amicable, by an agency there", "bailiff": "Amicable, by a bailiff", "lawyer": "By a lawyer",
    NONE: "Nothing: keep or write off the claim",
}  # fmt: skip
_ORDER = {POSSIBLE: 0, UNKNOWN: 1, REJECTED: 2}


class ComparedRoute(msgspec.Struct, frozen=True, kw_only=True):
    """One route. `standing` is possible, unknown (a person must look) or rejected; what is not known is null or empty.

    `cost` is what it costs if everything is recovered. `documents` are what the route needs, `papers` what still has to
    be signed with the partner.
    """

    place: int
    route: str
    title: str
    procedure: str
    standing: str
    reason: str
    is_chosen: bool
    is_automatic: bool
    partner_id: str | None = None
    partner_name: str = ""
    is_demo: bool = False
    cost: Decimal | None = None
    currency: str = ""
    cost_basis: str = ""
    days: int | None = None
    days_basis: str = ""
    documents: tuple[str, ...] = ()
    papers: tuple[str, ...] = ()
    limitation_on: dt.date | None = None
    success: Decimal | None = None
    source: str = ""
    proposed_by: str = ""


class Filer(msgspec.Struct, frozen=True, kw_only=True):
    """A lawyer or bailiff who can bring a case before a court where the debtor is."""

    partner_id: str
    name: str


class RouteComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Every route of a case on a day, the best first."""

    case_id: str
    number: str
    as_of: dt.date
    creditor_country: str
    debtor_country: str
    demanded: Decimal
    currency: str
    routes: tuple[ComparedRoute, ...]
    filers: tuple[Filer, ...] = ()


def compare_routes(hub: Hub, conn: sa.Connection, scope: Scope, case_id: str, as_of: dt.date) -> RouteComparison:
    """Compare every route of a case. Nothing is changed. Raises `NotThereError`."""
    case = read_owned_case(conn, scope, case_id)
    ground = Ground(conn, [case_id], as_of)
    (proposed,) = proposals(hub, ground, [case])
    judged = [_judged(hub, ground, case, one) for one in (*proposed, *_leave_it(case))]
    unique = list({(one.route, one.partner_id): one for one in judged}.values())
    ranked = sorted(ranking(case, unique), key=lambda one: _ORDER.get(one.standing, 2))
    ranked.sort(key=lambda one: one.route == NONE)
    return RouteComparison(
        case_id=case.case_id, number=case.number, as_of=as_of, creditor_country=ground.country_of(case),
        debtor_country=case.debtor.country, demanded=case.demanded, currency=case.currency,
        routes=tuple(_line(ground, case, one, place) for place, one in enumerate(ranked, 1)),
        filers=_filers(ground, case),
    )


def _filers(ground: Ground, case: Case) -> tuple[Filer, ...]:
    return tuple(
        Filer(partner_id=one.partner_id, name=one.name)
        for one in ground.profiles
        if one.role in ("lawyer", "bailiff") and case.debtor.country in one.countries and one.is_open
        and one.partner_id in ground.reachable
    )


def _leave_it(case: Case) -> tuple[RouteProposal, ...]:
    """The route that is always there. A proposal of a plugin that says why nobody acts has said it better."""
    return (
        RouteProposal(
            route=NONE, procedure=Procedure.AMICABLE.value, partner_id=None, rank=1000, proposed_by="law",
            reason="nothing is spent and nothing comes in; limitation goes on", cost=Decimal(0), currency=case.currency,
            cost_basis="nobody acts", is_automatic=False,
        ),
    )  # fmt: skip


def _judged(hub: Hub, ground: Ground, case: Case, one: RouteProposal) -> RouteProposal:
    """A proposal with what the checks and the case's own past say of it."""
    if one.partner_id is None or one.standing != POSSIBLE:
        return one
    stop = reason_to_stop(checked(hub, ground, case, one))
    reason = stop[1] if stop else ""
    if one.partner_id in case.tried_partners and not _is_holder(case, one):
        reason = "it had this case and did not take it"
    return msgspec.structs.replace(one, standing=REJECTED, reason=reason) if reason else one


def _is_holder(case: Case, one: RouteProposal) -> bool:
    """Whether the case is on this route now."""
    placement = case.placement
    if one.route == NONE:
        return case.held_for(LEFT)
    return placement is not None and placement.is_live and (placement.partner_id, placement.route) == (one.partner_id, one.route)


def _line(ground: Ground, case: Case, one: RouteProposal, place: int) -> ComparedRoute:
    partner = ground.around.profiles.get(one.partner_id or "")
    missing = (
        wanted(partner.needs, ground.around.mandates, partner.partner_id, case.creditor_id, ground.as_of) if partner else ()
    )
    same = {name: getattr(one, name) for name in _SAME}
    return ComparedRoute(
        place=place, title=_title(one), partner_name=partner.name if partner else "",
        is_demo=partner.is_demo if partner else False, papers=tuple(paper.text for paper in missing),
        is_chosen=_is_holder(case, one), **same,
    )  # fmt: skip


_SAME = [
    name for name in ComparedRoute.__struct_fields__ if name in RouteProposal.__struct_fields__
]  # fmt: skip


def _title(one: RouteProposal) -> str:
    known = {rule.id: rule.title for rule in way_book().ways} | _TITLES
    return known.get(one.route, one.route.replace("_", " ").capitalize())


def options_of(told: RouteComparison) -> tuple[RouteOption, ...]:
    """Every route as the history keeps it beside the choice of one."""
    return tuple(
        RouteOption(**{name: getattr(one, name) for name in _KEPT}, rank=one.place) for one in told.routes
    )


_KEPT = [name for name in RouteOption.__struct_fields__ if name in ComparedRoute.__struct_fields__]
