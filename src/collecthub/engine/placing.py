"""Runner of `route`: cases that are ready find their partner, with every proposal stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

import sqlalchemy as sa

from collecthub.corridor.route import route
from collecthub.engine.case_work import change_case, open_task
from collecthub.engine.context import Hub
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.event import (
    DispatchBlocked,
    Fact,
    RouteChosen,
)
from collecthub.model.ids import derived_id
from collecthub.model.partner import PartnerProfile
from collecthub.store import tables as t
from collecthub.store.connections import (
    read_creditor,
    read_profiles,
)

CASES_PER_CHUNK = 100


def place_cases(hub: Hub, creditor_id: str) -> None:
    """Route every case of a creditor that is ready and not held, with all proposals stored."""
    after = ""
    while True:
        with hub.work() as work:
            creditor = read_creditor(work.conn, creditor_id)
            found = work.conn.scalars(_READY, {"of": creditor_id, "after": after}).all()
            profiles = read_profiles(work.conn) if found else []
            country = creditor.party.country if creditor else ""
            work.hold(found)
            for case in filter(_is_ready, map(work.book.held, found)):
                facts = route_facts(hub, case, country, profiles)
                changed = change_case(hub, work, case, facts, actor="hub")
                if changed.status is Status.NEEDS_INFO:
                    open_task(
                        work, kind="unroutable", title=f"case {case.number} cannot be handed over",
                        detail=getattr(facts[-1], "reason", ""), creditor_id=creditor_id, case_id=case.case_id,
                    )
        if len(found) < CASES_PER_CHUNK:
            return
        after = found[-1]


_PLACEABLE = (Status.READY, Status.REFUSED)
_READY = (
    sa.select(t.cases.c.case_id)
    .where(
        t.cases.c.creditor_id == sa.bindparam("of"), t.cases.c.holds == "", t.cases.c.case_id > sa.bindparam("after"),
        t.cases.c.status.in_([status.value for status in _PLACEABLE]),
    )
    .order_by(t.cases.c.case_id)
    .limit(CASES_PER_CHUNK)
)


def _is_ready(case: Case | None) -> TypeGuard[Case]:
    """Whether the case, now locked, is still what the look before the lock promised."""
    return case is not None and case.status in _PLACEABLE and not case.holds


def route_facts(hub: Hub, case: Case, country: str, profiles: Sequence[PartnerProfile]) -> tuple[Fact, ...]:
    """Ask every plugin for routes and vetoes and let the room decide."""
    as_of = hub.business_date()
    proposals = [
        proposal
        for _, given in hub.plugins.ask(
            "propose_routes", case=case, creditor_country=country, partners=profiles, as_of=as_of
        )
        for proposal in given
    ]
    placement_id = derived_id(case.case_id, str(case.version), "placement")
    chosen = route(case, proposals, profiles, placement_id)
    if not isinstance(chosen, RouteChosen):
        return (chosen,)
    partner = next(profile for profile in profiles if profile.partner_id == chosen.partner_id)
    for _, veto in hub.plugins.ask("veto_dispatch", case=case, partner=partner, as_of=as_of):
        return (DispatchBlocked(code=veto.code, reason=veto.reason),)
    return (chosen,)
