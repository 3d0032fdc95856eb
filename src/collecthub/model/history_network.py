"""What the facts of the network do to a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from collecthub.model import event as ev
from collecthub.model import facts_network as fn
from collecthub.model.case import Case, CourtWay, Feasibility, Transfer
from collecthub.model.codes import Status
from collecthub.model.route_option import NONE

replace = msgspec.structs.replace


def _checked(case: Case, fact: fn.FeasibilityChecked, event: ev.CaseEvent) -> Case:
    return replace(
        case,
        feasibility=Feasibility(
            procedure=fact.procedure, partner_id=fact.partner_id, checked_on=fact.checked_on,
            rule_version=fact.rule_version, atlas_version=fact.atlas_version, unknown=fact.unknown,
            findings=tuple((one.id, one.evidence, one.is_blocking) for one in fact.findings),
            said={one.id: (one.code, one.values) for one in fact.findings if one.code},
        ),
    )


def _sealed(case: Case, fact: fn.PlacementSealed, event: ev.CaseEvent) -> Case:
    # A case that was recalled for somebody else is free from here on.
    status = Status.READY if case.status is Status.RECALLING and case.transfer else case.status
    return replace(case, status=status, sealed=(*case.sealed, fact.placement_id))


def _transfer(case: Case, fact: fn.TransferAsked, event: ev.CaseEvent) -> Case:
    return replace(
        case, court_way=None if fact.route == NONE else case.court_way,
        transfer=Transfer(
            reason=fact.reason, partner_id=fact.partner_id, route=fact.route, asked_at=event.occurred_at
        ),
    )


def _way_chosen(case: Case, fact: fn.CourtWayChosen, event: ev.CaseEvent) -> Case:
    return replace(
        case,
        court_way=CourtWay(
            way=fact.way, title=fact.title, proceeding=fact.proceeding, approval_id=fact.approval_id,
            partner_id=fact.partner_id, partner_name=fact.partner_name,
        ),
    )


def _way_taken(case: Case, fact: fn.CourtWayTaken, event: ev.CaseEvent) -> Case:
    return replace(case, court_way=None)


def _stated(case: Case, fact: fn.CircumstancesStated, event: ev.CaseEvent) -> Case:
    return replace(case, circumstances=fact.circumstances)


HANDLERS: Mapping[type, Callable[[Case, Any, ev.CaseEvent], Case]] = {
    fn.FeasibilityChecked: _checked,
    fn.PlacementSealed: _sealed,
    fn.TransferAsked: _transfer,
    fn.CourtWayChosen: _way_chosen,
    fn.CourtWayTaken: _way_taken,
    fn.CircumstancesStated: _stated,
}
HISTORY_ONLY = frozenset({fn.DebtorMoved})
