"""What the handlers of several fields do to a placement: change it while it lives, and end it."""

from __future__ import annotations

from typing import Any

import msgspec

from collecthub.model.case import Case, Placement
from collecthub.model.codes import Status
from collecthub.model.event import CaseEvent

replace = msgspec.structs.replace


def on_placement(case: Case, status: Status, **changes: Any) -> Case:
    """The case with a changed placement; `status` counts while the case is open and the placement lives."""
    if case.placement is None:
        return case
    live = case.status is not Status.CLOSED and case.placement.is_live
    return replace(
        case, status=status if live else case.status, placement=replace(case.placement, **changes)
    )


def ended(case: Case, event: CaseEvent, reason: str) -> Placement | None:
    """The placement after its end. Whoever was asked to stop has stopped when it ends, however it ends."""
    if case.placement is None or case.placement.ended_at is not None:
        return case.placement
    stopped_at = event.recorded_at if case.placement.recall_asked_at is not None else None
    return replace(
        case.placement, ended_at=event.occurred_at, end_reason=reason, amendment_id="", amendment_code=None,
        pause=None, stopped_at=stopped_at,
    )


def acted(case: Case, event: CaseEvent) -> Case:
    """The holder did something: the first time is a rung of its ladder, every time it was heard."""
    placement = case.placement
    if placement is None or not placement.is_live:
        return case
    return on_placement(
        case, case.status, acted_at=placement.acted_at or event.occurred_at, last_heard_at=event.recorded_at
    )
