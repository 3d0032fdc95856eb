"""Room 4 of OUT: choose who acts, with a reason, from what every plugin proposed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import msgspec

from collecthub.model.case import Case
from collecthub.model.event import RouteChosen, RouteMissing
from collecthub.model.exchange import Procedure
from collecthub.model.partner import PartnerProfile, RouteProposal
from collecthub.model.route_option import RouteOption

POSSIBLE, REJECTED = "possible", "rejected"


def route(
    case: Case,
    proposals: Sequence[RouteProposal],
    partners: Sequence[PartnerProfile],
    placement_id: str,
    stops: Callable[[RouteProposal], str] = lambda proposal: "",
) -> RouteChosen | RouteMissing:
    """The best proposal with a partner that has not had the case yet, or why there is none.

    `stops` says what stands against a proposal, or nothing; it is asked for the best ones only, until one is free. A
    route or partner that somebody asked for comes before all others, and where he named both nothing else is taken;
    what costs before it brings anything is never chosen without a person. Every proposal is kept with the decision.
    """
    known = {partner.partner_id: partner for partner in partners}
    ranked = ranking(case, proposals)
    against: dict[int, str] = {}
    for place, one in enumerate(ranked):
        partner = known.get(one.partner_id or "")
        if partner is None or one.standing != POSSIBLE:
            continue
        if one.partner_id in case.tried_partners and not _is_named(case, one):
            against[place] = "it had this case and did not take it"
        elif not _may_choose(case, one):
            continue
        elif reason := stops(one):
            against[place] = reason
        else:
            return RouteChosen(
                placement_id=placement_id, route=one.route, procedure=Procedure(one.procedure), partner_id=partner.partner_id,
                partner_name=partner.name, partner_country=partner.home, reason=one.reason,
                options=_options(ranked, against),
            )
    return RouteMissing(reason=_why_none(case, ranked, against), options=_options(ranked, against))


def ranking(case: Case, proposals: Sequence[RouteProposal]) -> list[RouteProposal]:
    """What was asked for, then by rank; of equals the cheaper, and then by name, so that a case is always routed the same."""
    return sorted(proposals, key=lambda one: (
        not _is_wished(case, one), one.rank, one.cost is None, one.cost or Decimal(0), one.partner_id or "", one.proposed_by,
    ))  # fmt: skip


def _may_choose(case: Case, one: RouteProposal) -> bool:
    """What was asked for, and unless that names one route of one partner, whatever costs nothing before it brings money."""
    wish = case.transfer
    is_named = wish is not None and bool(wish.partner_id and wish.route)
    return _is_wished(case, one) or (one.is_automatic and not is_named)


def _is_named(case: Case, one: RouteProposal) -> bool:
    """Whether a person named exactly this route of exactly this partner, who may have had the case before."""
    return case.transfer is not None and (case.transfer.partner_id, case.transfer.route) == (one.partner_id, one.route)


def _is_wished(case: Case, one: RouteProposal) -> bool:
    wish = case.transfer
    if wish is None or not (wish.partner_id or wish.route):
        return False
    return wish.partner_id in ("", one.partner_id) and wish.route in ("", one.route)


def _options(ranked: Sequence[RouteProposal], against: Mapping[int, str]) -> tuple[RouteOption, ...]:
    return tuple(
        RouteOption(
            standing=REJECTED if place in against else one.standing, reason=against.get(place, one.reason),
            **{name: getattr(one, name) for name in _SAME},
        )
        for place, one in enumerate(ranked)
    )


_SAME = [
    field.name for field in msgspec.structs.fields(RouteOption) if field.name not in ("standing", "reason")
]  # fmt: skip


def _why_none(case: Case, ranked: Sequence[RouteProposal], against: Mapping[int, str]) -> str:
    without = next((one.reason for one in ranked if one.partner_id is None and one.route == "none"), "")
    if without:
        return without
    stopped = [reason for place, reason in against.items() if ranked[place].partner_id not in case.tried_partners]
    if stopped:
        return stopped[0]
    if any(one.partner_id and one.partner_id in case.tried_partners for one in ranked):
        return "every partner that could act has had this case and did not take it"
    return next(
        (one.reason for one in ranked if one.partner_id), f"no partner acts in {case.debtor.country or 'an unknown country'}"
    )
