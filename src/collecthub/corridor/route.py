"""Room 4 of OUT: choose who acts, with a reason, from what every plugin proposed."""

from __future__ import annotations

from collections.abc import Sequence

from collecthub.model.case import Case
from collecthub.model.event import RouteChosen, RouteMissing, RouteOption
from collecthub.model.exchange import Procedure
from collecthub.model.partner import PartnerProfile, RouteProposal


def route(
    case: Case, proposals: Sequence[RouteProposal], partners: Sequence[PartnerProfile], placement_id: str
) -> RouteChosen | RouteMissing:
    """The best proposal with a partner that has not had the case yet, or why there is none.

    Every proposal is kept with the decision. Equal ranks are settled by partner and proposer, so that the same
    case is always routed the same way.
    """
    names = {partner.partner_id: partner.name for partner in partners}
    ranked = sorted(proposals, key=lambda p: (p.rank, p.partner_id or "", p.proposed_by))
    options = tuple(
        RouteOption(
            route=p.route, partner_id=p.partner_id, rank=p.rank, reason=p.reason, proposed_by=p.proposed_by
        )
        for p in ranked
    )
    usable = [p for p in ranked if p.partner_id in names and p.partner_id not in case.tried_partners]
    if not usable:
        return RouteMissing(reason=_why_none(case, ranked), options=options)
    best = usable[0]
    assert best.partner_id is not None, "filtered above"
    return RouteChosen(
        placement_id=placement_id,
        route=best.route,
        procedure=Procedure(best.procedure),
        partner_id=best.partner_id,
        partner_name=names[best.partner_id],
        reason=best.reason,
        options=options,
    )


def _why_none(case: Case, ranked: Sequence[RouteProposal]) -> str:
    without = next((p.reason for p in ranked if p.partner_id is None), "")
    if without:
        return without
    if ranked:
        return "every partner that could act has had this case and did not take it"
    return f"no partner acts in {case.debtor.country or 'an unknown country'}"
