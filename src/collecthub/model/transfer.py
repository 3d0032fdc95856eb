"""A case that goes from one holder to the next: the old one is stopped first, and its part of the history is sealed."""

from __future__ import annotations

from collecthub.model.case import Case, Placement
from collecthub.model.codes import Status
from collecthub.model.facts_network import PlacementSealed


def seal_of(case: Case, over: Placement) -> PlacementSealed:
    """The seal on a placement that has ended: what is in the history up to here is its part, and stays as it is."""
    return PlacementSealed(
        placement_id=over.placement_id, partner_id=over.partner_id, partner_name=over.partner_name,
        last_seq=case.version, last_hash=case.last_hash,
    )


def sealed_for_next(case: Case) -> tuple[PlacementSealed, ...]:
    """A case that was recalled for another holder, once the recall is confirmed: sealed, which sets it free."""
    last = case.placement
    if case.status is not Status.RECALLING or case.transfer is None or last is None or last.is_live:
        return ()
    return (seal_of(case, last),)
