"""The default router, registered like any plugin's: domestic to the bailiff, a legal case to the lawyer,
abroad to the agency of that country.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from collecthub.sdk import Case, PartnerProfile, Procedure, RouteProposal, Veto, hookimpl

# A domestic company that ignored the last reminder, or owes this much for this long, goes to court.
JUDICIAL_DUNNING_LEVEL = 3
JUDICIAL_AMOUNT = Decimal(25_000)
JUDICIAL_AGE_DAYS = 60
LIMITATION_YEARS = 10  # the longest general limitation of the bundled countries; beyond it a person decides


@hookimpl
def propose_routes(
    case: Case, creditor_country: str, partners: Sequence[PartnerProfile], as_of: dt.date
) -> Sequence[RouteProposal]:
    """One proposal per partner that may act for this case, or the reason why there is none."""
    country = case.debtor.country
    if not country:
        return [_none("the debtor's country is not known; ask the creditor for an address")]
    court = why_judicial(case, as_of) if country == creditor_country else ""
    found = [
        proposal
        for partner in partners
        if (proposal := _for_partner(case, partner, is_home=country == creditor_country, court=court))
    ]
    return found or [_none(f"no partner acts in {country} for this kind of case")]


def why_judicial(case: Case, as_of: dt.date) -> str:
    """Why a case belongs before a court, or an empty text."""
    if case.segment != "B2B":
        return ""
    level = max((claim.dunning_level for claim in case.claims), default=0)
    if level >= JUDICIAL_DUNNING_LEVEL:
        return f"the company did not react to reminder {level}"
    oldest = min((claim.due_on for claim in case.claims), default=as_of)
    days = (as_of - oldest).days
    if case.demanded >= JUDICIAL_AMOUNT and days > JUDICIAL_AGE_DAYS:
        return f"a company owes {case.demanded:,} {case.currency}, the oldest part for {days} days"
    return ""


def _for_partner(case: Case, partner: PartnerProfile, *, is_home: bool, court: str) -> RouteProposal | None:
    if not partner.is_open or case.debtor.country not in partner.countries:
        return None
    if partner.segments and case.segment not in partner.segments:
        return None
    if partner.currencies and case.currency not in partner.currencies:
        return None
    if case.demanded < partner.minimum_amount:
        return None
    if is_home and partner.role == "lawyer" and court:
        return _to(partner, "lawyer", Procedure.JUDICIAL, 10, f"domestic, legal: {court}")
    if is_home and partner.role == "bailiff":
        return _to(partner, "bailiff", Procedure.AMICABLE, 20, f"domestic debtor in {case.debtor.country}")
    if not is_home and partner.role == "agency":
        return _to(partner, "agency", Procedure.AMICABLE, 20, f"foreign debtor in {case.debtor.country}")
    return None


def _to(partner: PartnerProfile, route: str, procedure: Procedure, rank: int, reason: str) -> RouteProposal:
    return RouteProposal(
        route=route, procedure=procedure.value, partner_id=partner.partner_id, rank=rank, reason=reason,
        proposed_by="routes",
    )


def _none(reason: str) -> RouteProposal:
    return RouteProposal(
        route="none", procedure=Procedure.AMICABLE.value, partner_id=None, rank=1000, reason=reason,
        proposed_by="routes",
    )


@hookimpl
def veto_dispatch(case: Case, partner: PartnerProfile, as_of: dt.date) -> Veto | None:
    """Nothing leaves that a holder would have to send back at once."""
    if not case.debtor.name.strip():
        return Veto(code="debtor_unnamed", reason="the debtor has no name", vetoed_by="routes")
    if case.demanded <= 0:
        return Veto(code="nothing_owed", reason="nothing is owed any more", vetoed_by="routes")
    limit = as_of.replace(year=as_of.year - LIMITATION_YEARS, day=min(as_of.day, 28))
    barred = [claim.number for claim in case.claims if claim.due_on < limit]
    if barred:
        return Veto(
            code="limitation_risk",
            reason=f"invoice {barred[0]} fell due more than {LIMITATION_YEARS} years ago; a person must decide",
            vetoed_by="routes",
        )
    return None
