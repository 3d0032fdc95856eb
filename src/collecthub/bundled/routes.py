"""The default router, registered like any plugin's: domestic to the bailiff, a legal case to the lawyer,
abroad to the agency of that country.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from collecthub.sdk import Case, PartnerProfile, Procedure, RouteProposal, Veto, hookimpl

# A domestic company that ignored the last reminder, or owes this much for this long, goes to court.
JUDICIAL_DUNNING_LEVEL = 3
JUDICIAL_AMOUNT = Decimal(25_000)
JUDICIAL_AGE_DAYS = 60
# Agencies are barred there (economie.fgov.be, riverty), so that a lawyer writes the letters.
NO_AGENCIES = frozenset({"CN", "VN"})
OTHER_LANGUAGE = 5  # ranks lost by who does not work in the debtor's language
LIMITATION_YEARS = 10  # the longest general limitation of the bundled countries; beyond it a person decides


@hookimpl
def propose_routes(
    case: Case, creditor_country: str, partners: Sequence[PartnerProfile], as_of: dt.date
) -> Sequence[RouteProposal]:
    """One proposal per partner that may act for this case, or the reason why there is none."""
    country = case.debtor.country
    if not country:
        return [_none("the debtor's country is not known; ask the creditor for an address")]
    names = {partner.partner_id: partner.name for partner in partners}
    court = why_judicial(case, as_of) if country == creditor_country else ""
    found = [
        proposal
        for partner in partners
        if (proposal := _for_partner(case, partner, is_home=country == creditor_country, court=court))
    ]
    if any(one.standing == "possible" for one in found):
        return found
    told = [f"{names[one.partner_id]}: {one.reason}" for one in found if one.partner_id in names]
    return [*found, _none("; ".join((f"no partner acts in {country} for this kind of case", *told)))]


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
    """What a partner that acts in the debtor's country can do, or why it can not; None for one that acts elsewhere."""
    if case.debtor.country not in partner.countries:
        return None
    made = _suited(case, partner, is_home=is_home, court=court)
    if made is None:
        return None
    if reason := _why_not(case, partner):
        return msgspec.structs.replace(made, standing="rejected", reason=reason)
    return _by_language(case, partner, made)


def _by_language(case: Case, partner: PartnerProfile, made: RouteProposal) -> RouteProposal:
    """Behind those who do comes a partner that, by its profile, does not work in the debtor's language."""
    wanted = case.debtor.language.partition("-")[0].lower()
    spoken = {language.partition("-")[0].lower() for language in partner.languages}
    if not wanted or not spoken or wanted in spoken:
        return made
    said = f"{made.reason}; the debtor's language is {wanted}, it works in {', '.join(sorted(spoken))}"
    return msgspec.structs.replace(made, rank=made.rank + OTHER_LANGUAGE, reason=said)


def _suited(case: Case, partner: PartnerProfile, *, is_home: bool, court: str) -> RouteProposal | None:
    country = case.debtor.country
    match partner.role:
        case "lawyer" if is_home and court:
            return _to(partner, "lawyer", Procedure.JUDICIAL, 10, f"domestic, legal: {court}")
        case "bailiff" if is_home:
            return _to(partner, "bailiff", Procedure.AMICABLE, 20, f"domestic debtor in {country}")
        case "agency" if not is_home:
            return _to(partner, "agency", Procedure.AMICABLE, 20, f"foreign debtor in {country}")
        case "lawyer" if not is_home:
            letter = _to(partner, "lawyer", Procedure.AMICABLE, 40, f"a lawyer's letters to the foreign debtor in {country}")
            return msgspec.structs.replace(letter, is_automatic=country in NO_AGENCIES)
    return None


def _why_not(case: Case, partner: PartnerProfile) -> str:
    """Why a partner that could act does not take this case, by its own profile."""
    if not partner.is_open:
        return "it takes no cases now"
    if partner.segments and case.segment not in partner.segments:
        return f"it takes {', '.join(partner.segments)}, the case is {case.segment}"
    if partner.currencies and case.currency not in partner.currencies:
        return f"it takes {', '.join(partner.currencies)}, the case is in {case.currency}"
    if partner.minimum_currency in ("", case.currency) and case.demanded < partner.minimum_amount:
        return f"its minimum is {partner.minimum_amount}, demanded are {case.demanded} {case.currency}"
    most = partner.maximum_amount
    if most is not None and partner.minimum_currency in ("", case.currency) and case.demanded > most:
        return f"it takes at most {most}, demanded are {case.demanded} {case.currency}"
    return ""


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
