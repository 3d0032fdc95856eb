"""What the exchange with partners does to a case: clocks, checks, and changes that are asked for and confirmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from collecthub.model import event as ev
from collecthub.model import facts_exchange as fx
from collecthub.model.case import Asking, Case
from collecthub.model.codes import Status
from collecthub.model.exchange import AmendmentCode
from collecthub.model.placement_change import ended, on_placement

replace = msgspec.structs.replace
_PAUSES = (AmendmentCode.SUSPEND, AmendmentCode.RESUME)


def _clocks(case: Case, fact: fx.ClocksAgreed, event: ev.CaseEvent) -> Case:
    return on_placement(case, case.status, clocks=fact.clocks)


def _validated(case: Case, fact: fx.CaseValidated, event: ev.CaseEvent) -> Case:
    held = fact.holder_ref or (case.placement.holder_ref if case.placement else "")
    status = Status.ACKNOWLEDGED if case.status is Status.SENT else case.status
    return on_placement(
        case, status, validated_at=event.occurred_at, last_heard_at=event.recorded_at, holder_ref=held
    )


def _queued(case: Case, fact: ev.AmendmentQueued, event: ev.CaseEvent) -> Case:
    if fact.code in _PAUSES:
        asked = Asking(message_id=fact.message_id, code=fact.code, asked_at=event.recorded_at)
        return on_placement(case, case.status, pause=asked, is_paused=fact.code is AmendmentCode.SUSPEND)
    is_recall = fact.code is AmendmentCode.RECALL
    known = case.placement.recall_asked_at if case.placement else None
    return on_placement(
        case, Status.RECALLING if is_recall else case.status,
        amendment_id=fact.message_id, amendment_code=fact.code, amendment_sent_at=None,
        amendment_asked_at=event.recorded_at, amendment_sendings=0, amendment_refused_at=None,
        recall_asked_at=event.recorded_at if is_recall else known, told_principal=fact.principal,
    )


def _sent(case: Case, fact: ev.AmendmentSent, event: ev.CaseEvent) -> Case:
    placement = case.placement
    if placement is None:
        return case
    if placement.pause is not None and placement.pause.message_id == fact.message_id:
        again = placement.pause.sendings + 1
        return on_placement(
            case, case.status, pause=replace(placement.pause, sent_at=event.occurred_at, sendings=again)
        )
    if placement.amendment_id not in ("", fact.message_id):
        return case  # a newer one has taken its place
    return on_placement(
        case, case.status, amendment_sent_at=event.occurred_at, amendment_sendings=placement.amendment_sendings + 1
    )


def _acknowledged(case: Case, fact: ev.AmendmentAcknowledged, event: ev.CaseEvent) -> Case:
    if fact.code is AmendmentCode.RECALL:
        return replace(case, placement=ended(case, event, "recalled"))
    placement = case.placement
    if placement is None:
        return case
    if placement.pause is not None and placement.pause.message_id == fact.message_id:
        return on_placement(case, case.status, pause=None, last_heard_at=event.recorded_at)
    if placement.amendment_id != fact.message_id:
        return case
    return on_placement(
        case, case.status, amendment_id="", amendment_code=None, last_heard_at=event.recorded_at
    )


def _refused(case: Case, fact: fx.AmendmentRefused, event: ev.CaseEvent) -> Case:
    placement = case.placement
    if placement is None:
        return case
    if placement.pause is not None and placement.pause.message_id == fact.message_id:
        return on_placement(case, case.status, pause=replace(placement.pause, refused_at=event.recorded_at))
    if placement.amendment_id != fact.message_id:
        return case
    return on_placement(case, case.status, amendment_refused_at=event.recorded_at)


HANDLERS: Mapping[type, Callable[[Case, Any, ev.CaseEvent], Case]] = {
    fx.ClocksAgreed: _clocks,
    fx.CaseValidated: _validated,
    fx.AmendmentRefused: _refused,
    ev.AmendmentQueued: _queued,
    ev.AmendmentSent: _sent,
    ev.AmendmentAcknowledged: _acknowledged,
}
