"""How far a placement has come, and how long everybody who was asked to stop took: what people and other systems are shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from collecthub.model.case import Asking, Placement
from collecthub.model.exchange import AmendmentCode
from collecthub.model.rungs import Rung, climb, due_at


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """Since when everyone ought to stop, and whether everyone has. `seconds` ran until then, or run still."""

    asked_at: dt.datetime
    stopped_at: dt.datetime | None
    seconds: int
    waits_for: str = ""  # the partner that has not confirmed
    sendings: int = 0  # how often it was told, while it has not confirmed

    @property
    def is_over(self) -> bool:
        return self.stopped_at is not None


def reached(placement: Placement) -> dict[str, dt.datetime]:
    """The rungs of its case file that a placement has reached, and when."""
    moments = {
        "prepared": placement.chosen_at, "sent": placement.sent_at, "received": placement.acknowledged_at,
        "validated": placement.validated_at, "accepted": placement.accepted_at, "acted": placement.acted_at,
        "result": placement.ended_at if placement.sent_at is not None else None,
    }  # fmt: skip
    return {name: at for name, at in moments.items() if at is not None}


def ladder_of(placement: Placement, now: dt.datetime) -> tuple[Rung, ...]:
    """The rungs of a placement as they stand."""
    refused_at = placement.ended_at if placement.end_reason.startswith("refused") else None
    is_over = placement.ended_at is not None or placement.recall_asked_at is not None
    return climb(reached(placement), placement.clocks, now, refused_at=refused_at, is_over=is_over, country=placement.country)


def change_due(asked: Asking, placement: Placement) -> dt.datetime:
    """Until when a change must be confirmed: a stop within minutes, anything else within hours."""
    clock = "stopped_minutes" if asked.code is AmendmentCode.RECALL else "changed_hours"
    return due_at(asked.asked_at, placement.clocks, clock, placement.country)


def stop_of(placements: Sequence[Placement], now: dt.datetime) -> Stop | None:
    """What is known of the last recall among placements; None when nobody was asked to stop."""
    asked = [one for one in placements if one.recall_asked_at is not None]
    if not asked:
        return None
    placement = asked[-1]
    assert placement.recall_asked_at is not None
    until = placement.stopped_at or now
    return Stop(
        asked_at=placement.recall_asked_at, stopped_at=placement.stopped_at,
        seconds=max(0, int((until - placement.recall_asked_at).total_seconds())),
        waits_for="" if placement.stopped_at else placement.partner_name,
        sendings=0 if placement.stopped_at else placement.amendment_sendings,
    )
