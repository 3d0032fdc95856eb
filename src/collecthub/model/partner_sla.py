"""What a partner promised and how it kept to it, read from the histories of its cases. Pure.

Each step of a placement has a moment until which it was due and one at which it came: receipt, acceptance, first action,
every report after that, and the passing on of money. What is due and has not come is late as soon as its moment is over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from collecthub.model import event as ev
from collecthub.model.days_off import working_moment
from collecthub.model.rungs import RungClocks, due_at

STEPS = ("receipt", "acceptance", "first_action", "cadence", "remittance")
# Money is passed on by the end of the month after it came in: monthly settlement is what networks publish (Debitura's
# survey and Riverty's settlement are monthly); a contract with a shorter term is kept by the contract.
REMIT_WITHIN = dt.timedelta(days=31)
SCORED_OVER = dt.timedelta(days=180)
STEPS_FOR_A_SCORE = 5
_HEARD = (
    ev.CaseAcknowledged, ev.CaseAccepted, ev.CaseRefused, ev.StatusReported, ev.CostReported, ev.PaymentReported,
    ev.CaseReturned, ev.InstructionReceived,
)  # fmt: skip
_ACTS = (ev.StatusReported, ev.CostReported, ev.PaymentReported, ev.CaseReturned)
_ENDS = (ev.CaseReturned, ev.CaseRefused, ev.PlacementWithdrawn)


class SlaEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One step: from when it counts, until when it was due, when it came (None: not yet)."""

    case_id: str
    placement_id: str
    step: str
    from_at: dt.datetime
    due_at: dt.datetime
    done_at: dt.datetime | None

    def is_late(self, now: dt.datetime) -> bool:
        """Whether it came after its time, or has not come although its time is over."""
        return (self.done_at or now) > self.due_at

    def is_settled(self, now: dt.datetime) -> bool:
        """Whether it counts: it came, or it should have."""
        return self.done_at is not None or now > self.due_at


class StepScore(msgspec.Struct, frozen=True, kw_only=True):
    """How often a step was on time."""

    step: str
    on_time: int
    counted: int

    @property
    def percent(self) -> int | None:
        """In whole percent, rounded down; None when nothing was counted."""
        return self.on_time * 100 // self.counted if self.counted else None


class PointScore(msgspec.Struct, frozen=True, kw_only=True):
    """A partner's score from 0 to 100: the mean of its steps, each as often as it was on time. None: too few to tell."""

    points: int | None
    steps: tuple[StepScore, ...]
    counted: int
    since_on: dt.date


def entries_of(
    history: Sequence[ev.CaseEvent], partner_id: str, clocks: RungClocks, remitted: Mapping[str, dt.datetime]
) -> tuple[SlaEntry, ...]:
    """Every step of every placement with this partner. `remitted` says when a payment reference was passed on."""
    found: list[SlaEntry] = []
    for chosen, part in _placements(history, partner_id):
        found += _steps(chosen, part, clocks, remitted)
    return tuple(found)


def _placements(history: Sequence[ev.CaseEvent], partner_id: str) -> Iterator[tuple[ev.RouteChosen, list[ev.CaseEvent]]]:
    """The events from each sending to this partner until the case went elsewhere."""
    current: ev.RouteChosen | None = None
    part: list[ev.CaseEvent] = []
    for event in history:
        if isinstance(event.fact, ev.RouteChosen):
            if current and part:
                yield current, part
            current, part = (event.fact if event.fact.partner_id == partner_id else None), []
        elif current and (part or isinstance(event.fact, ev.CaseSent)):
            part.append(event)
    if current and part:
        yield current, part


def _steps(
    chosen: ev.RouteChosen, part: Sequence[ev.CaseEvent], clocks: RungClocks, remitted: Mapping[str, dt.datetime]
) -> Iterator[SlaEntry]:
    sent = part[0]
    heard = _first(part, _HEARD)
    answered = _first(part, (ev.CaseAccepted, ev.CaseRefused))
    accepted = _first(part, (ev.CaseAccepted,))
    over = next((event.recorded_at for event in part if isinstance(event.fact, ev.CaseClosed | ev.PlacementWithdrawn)), None)

    def entry(step: str, begun: dt.datetime, due: dt.datetime, done: dt.datetime | None) -> SlaEntry:
        return SlaEntry(
            case_id=sent.case_id, placement_id=chosen.placement_id, step=step, from_at=begun, due_at=due, done_at=done or over
        )

    def until(begun: dt.datetime, clock: str) -> dt.datetime:
        return due_at(begun, clocks, clock, chosen.partner_country)

    received = until(sent.recorded_at, "received_hours")
    yield entry("receipt", sent.recorded_at, received, heard)
    yield entry("acceptance", sent.recorded_at, until(received, "accepted_hours"), answered)
    if accepted is not None:
        acts = [event for event in part if isinstance(event.fact, _ACTS) and event.recorded_at >= accepted]
        yield entry("first_action", accepted, until(accepted, "acted_hours"), acts[0].recorded_at if acts else None)
        ended = any(isinstance(event.fact, _ENDS) for event in part)
        for number, act in enumerate(acts):
            follows = acts[number + 1].recorded_at if number + 1 < len(acts) else None
            if follows is not None or not ended:
                yield entry("cadence", act.recorded_at, until(act.recorded_at, "heard_hours"), follows)
    for event in part:
        fact = event.fact
        if isinstance(fact, ev.PaymentReported) and fact.amount > Decimal(0):
            done = event.recorded_at if fact.remittance_ref else remitted.get(fact.payment_ref)
            due = working_moment(event.recorded_at + REMIT_WITHIN, chosen.partner_country)
            made = entry("remittance", event.recorded_at, due, done)
            yield msgspec.structs.replace(made, done_at=done)  # a closed case does not pass on its money by itself


def _first(part: Sequence[ev.CaseEvent], kinds: tuple[type, ...]) -> dt.datetime | None:
    return next((event.recorded_at for event in part if isinstance(event.fact, kinds)), None)


def score(entries: Sequence[SlaEntry], now: dt.datetime) -> PointScore:
    """The score over the last half year."""
    since = now - SCORED_OVER
    counted = [entry for entry in entries if entry.from_at >= since and entry.is_settled(now)]
    steps = tuple(
        StepScore(
            step=step, on_time=sum(entry.step == step and not entry.is_late(now) for entry in counted),
            counted=sum(entry.step == step for entry in counted),
        )
        for step in STEPS
    )
    shares = [step.percent for step in steps if step.percent is not None]
    points = sum(shares) // len(shares) if len(counted) >= STEPS_FOR_A_SCORE else None
    return PointScore(points=points, steps=steps, counted=len(counted), since_on=since.date())


def late_now(entries: Sequence[SlaEntry], now: dt.datetime) -> tuple[SlaEntry, ...]:
    """What is overdue and has not come."""
    return tuple(entry for entry in entries if entry.done_at is None and entry.is_late(now))
