"""Room 2 of CLOCK: what a case needs next, read from the case alone.

`decide` answers with acts, `timers` with the waits that need a clock and an owner. Both are pure: asked again
about the same case at the same moment they answer the same, so the runner may ask after every change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from collecthub.model.case import Case, Placement
from collecthub.model.clock import Act, Amend, Close, Follow, Place, Timer
from collecthub.model.codes import Outcome, Status
from collecthub.model.exchange import AmendmentCode
from collecthub.model.human_course import follows, waits

# How long a wait may last before a person is told. Figures: acknowledgement and acceptance after Debitura (about
# 24 hours) and Go Solid (4 working hours), status cadence after Debitura's paused follow-up (14 days).
NO_RECEIPT = dt.timedelta(hours=1)
NO_ACKNOWLEDGEMENT = dt.timedelta(hours=24)
NO_DECISION = dt.timedelta(days=3)
NO_STATUS = dt.timedelta(days=14)
NO_STOP = dt.timedelta(minutes=15)
NO_INFORMATION = dt.timedelta(days=5)


def decide(case: Case) -> tuple[Act, ...]:
    """The acts a case needs now; empty when it only has to wait."""
    out = case.placement is not None and case.placement.is_out
    if not case.is_open:
        return _recall(case, "closed") if out else ()
    if follows(case):
        return (Follow(),)
    if case.balance.open_principal <= 0:
        return _settled(case, out)
    if out:
        return _keep_told(case)
    ended = case.placement is not None and not case.placement.is_live
    if case.status is Status.RECALLING and ended:
        return (Close(outcome=Outcome.RECALLED, reason="the holder confirmed the recall"),)
    if case.holds or case.status not in (Status.READY, Status.REFUSED):
        return ()
    return (Place(),)


def _settled(case: Case, out: bool) -> tuple[Act, ...]:
    if not out:
        return (Close(outcome=_outcome(case), reason="nothing is open any more"),)
    assert case.placement is not None, "out means placed"
    if case.demanded == case.placement.told_principal:
        return ()  # the holder collected the rest itself and will return the case
    return _recall(case, "credited" if case.direct_payments == 0 else "paid")


def _outcome(case: Case) -> Outcome:
    if case.balance.payments <= 0:
        return Outcome.CREDITED
    never_out = all(placement.sent_at is None for placement in (*case.past_placements, *_current(case)))
    return Outcome.PAID_BEFORE_HANDOVER if never_out else Outcome.PAID_FULL


def _current(case: Case) -> Iterator[Placement]:
    if case.placement is not None:
        yield case.placement


def _keep_told(case: Case) -> tuple[Act, ...]:
    assert case.placement is not None, "called for cases that are out"
    if case.status is Status.RECALLING or case.demanded == case.placement.told_principal:
        return ()
    return (Amend(code=AmendmentCode.BALANCE, reason_code="balance_changed"),)


def _recall(case: Case, reason_code: str) -> tuple[Act, ...]:
    assert case.placement is not None, "called for cases that are out"
    if case.placement.amendment_code is AmendmentCode.RECALL:
        return ()
    return (Amend(code=AmendmentCode.RECALL, reason_code=reason_code),)


def timers(case: Case) -> tuple[Timer, ...]:
    """Every wait of the case, each with its end and its owner."""
    return tuple(_timers(case))


def _timers(case: Case) -> Iterator[Timer]:
    placement = case.placement
    if placement is not None and placement.is_out:
        if placement.amendment_code is AmendmentCode.RECALL:
            asked = placement.amendment_sent_at or case.changed_at
            yield Timer(
                kind="no_stop", due_at=asked + NO_STOP, owner="operator",
                title=f"{placement.partner_name} has not confirmed that it stopped",
            )
        elif case.is_open:
            yield from _holder_timer(case)
    if not case.is_open:
        return
    if case.status is Status.SENDING and placement is not None:
        yield Timer(
            kind="no_receipt", due_at=placement.chosen_at + NO_RECEIPT, owner="operator",
            title=f"the case file has not reached {placement.partner_name}",
        )
    if case.status is Status.NEEDS_INFO:
        yield Timer(
            kind="needs_info", due_at=case.changed_at + NO_INFORMATION, owner="creditor",
            title="information is missing before the case can be handed over",
        )
    yield from waits(case)
    for hold in case.holds:
        if hold.until_on is not None:
            end = dt.datetime.combine(hold.until_on, dt.time(), dt.UTC)
            yield Timer(kind=f"hold:{hold.reason}", due_at=end, owner="operator", title=f"hold {hold.reason} ends")


def _holder_timer(case: Case) -> Iterator[Timer]:
    placement = case.placement
    assert placement is not None and placement.sent_at is not None, "called for cases that are out"
    name = placement.partner_name
    if placement.acknowledged_at is None and placement.accepted_at is None:
        due = placement.sent_at + NO_ACKNOWLEDGEMENT
        yield Timer(kind="no_acknowledgement", due_at=due, owner="operator", title=f"{name} has not acknowledged")
    elif placement.accepted_at is None:
        heard = placement.acknowledged_at or placement.sent_at
        yield Timer(
            kind="no_decision", due_at=heard + NO_DECISION, owner="partner",
            title=f"{name} has neither accepted nor refused",
        )
    else:
        heard = placement.last_heard_at or placement.accepted_at
        yield Timer(kind="no_status", due_at=heard + NO_STATUS, owner="partner", title=f"{name} is silent")
