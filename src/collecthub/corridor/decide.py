"""Room 2 of CLOCK: what a case needs next, read from the case alone.

`decide` answers with acts, `timers` with the waits that need a clock and an owner. Both are pure: asked again
about the same case at the same moment they answer the same, so the runner may ask after every change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from collecthub.law.contact_course import waits as contact_waits
from collecthub.model.case import Case, Placement
from collecthub.model.clock import Act, Amend, Close, Follow, Place, Timer
from collecthub.model.codes import Outcome, Status
from collecthub.model.exchange import AmendmentCode
from collecthub.model.human_course import follows, waits
from collecthub.model.next_holder import sealed_for_next
from collecthub.model.party import PartyKind
from collecthub.model.placement_ladder import change_due, reached
from collecthub.model.rungs import WAITS, due_at, due_rungs, repeat_after

REPEAT = "repeat:"  # begins the kind of the timer that has a message said again
NO_INFORMATION = dt.timedelta(days=5)
# A person must be told within a month who holds his data (GDPR art. 14(3)(a)); the alarm leaves days to do it.
UNTOLD = dt.timedelta(days=25)
# Holds for which whoever holds the case must pause, unless the holder itself reported the reason.
PAUSING_HOLDS = frozenset(
    {
        "dispute", "complaint", "vulnerable", "insolvency", "legal_objection", "collective_settlement", "plan",
        "moratorium", "debt_mediation", "creditor_block",
    }
)  # fmt: skip


def decide(case: Case) -> tuple[Act, ...]:
    """The acts a case needs now; empty when it only has to wait."""
    out = case.placement is not None and case.placement.is_out
    if not case.is_open:
        return _recall(case, "closed") if out else ()
    if follows(case) or sealed_for_next(case):
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
    if case.balance.write_offs > 0:
        return Outcome.SETTLED_REDUCED
    never_out = all(placement.sent_at is None for placement in (*case.past_placements, *_current(case)))
    return Outcome.PAID_BEFORE_HANDOVER if never_out else Outcome.PAID_FULL


def _current(case: Case) -> Iterator[Placement]:
    if case.placement is not None:
        yield case.placement


def _keep_told(case: Case) -> tuple[Act, ...]:
    placement = case.placement
    assert placement is not None, "called for cases that are out"
    if case.status is Status.RECALLING:
        return ()
    if must_pause(case) != placement.is_paused:
        code = AmendmentCode.RESUME if placement.is_paused else AmendmentCode.SUSPEND
        return (Amend(code=code, reason_code=_pause_reason(case)),)
    if case.demanded == placement.told_principal:
        return ()
    return (Amend(code=AmendmentCode.BALANCE, reason_code="balance_changed"),)


def must_pause(case: Case) -> bool:
    """Whether somebody other than the holder gave a reason why the holder must wait."""
    return bool(_pause_reason(case))


def _pause_reason(case: Case) -> str:
    holder = f"partner:{case.placement.partner_id}" if case.placement is not None else ""
    return next((hold.reason for hold in case.holds if hold.reason in PAUSING_HOLDS and hold.set_by != holder), "")


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
        yield from _change_timers(placement)
        if case.is_open and placement.amendment_code is not AmendmentCode.RECALL:
            yield from _rung_timers(placement)
    if not case.is_open:
        return
    if case.status is Status.SENDING and placement is not None:
        yield from _rung_timers(placement)
    if case.status is Status.NEEDS_INFO:
        yield Timer(
            kind="needs_info", due_at=case.changed_at + NO_INFORMATION, owner="creditor",
            title="information is missing before the case can be handed over",
        )
    if case.contact is not None and case.told_on is None and case.debtor.kind is PartyKind.PERSON:
        yield Timer(
            kind="untold", due_at=case.opened_at + UNTOLD, owner="operator",
            title="no letter or e-mail told the debtor yet who holds his data: a month is the limit (GDPR art. 14)",
        )
    yield from waits(case)
    yield from contact_waits(case)
    for hold in case.holds:
        if hold.until_on is not None:
            end = dt.datetime.combine(hold.until_on, dt.time(), dt.UTC)
            yield Timer(kind=f"hold:{hold.reason}", due_at=end, owner="operator", title=f"hold {hold.reason} ends")


def _rung_timers(placement: Placement) -> Iterator[Timer]:
    """The rung that is waited for, the result beside it, and the next word of a holder that has acted."""
    clocks, name = placement.clocks, placement.partner_name
    known = reached(placement)
    for rung, due in due_rungs(known, clocks, placement.country).items():
        wait = WAITS[rung]
        yield Timer(kind=wait.timer, due_at=due, owner=wait.owner, title=wait.says.format(partner=name))
    if "acted" in known:
        heard = placement.last_heard_at or known["acted"]
        yield Timer(
            kind="no_status", due_at=due_at(heard, clocks, "heard_hours", placement.country), owner="partner",
            title=f"{name} is silent",
        )


_SAYS = {
    AmendmentCode.RECALL: ("no_stop", "{partner} has not confirmed that it stopped"),
    AmendmentCode.BALANCE: ("no_change", "{partner} has not confirmed the new balance"),
    AmendmentCode.SUSPEND: ("no_pause", "{partner} has not confirmed that it pauses"),
    AmendmentCode.RESUME: ("no_pause", "{partner} has not confirmed that it goes on"),
}


def _change_timers(placement: Placement) -> Iterator[Timer]:
    """Every change without an answer: an alarm, and the moment to say it again. A refusal is for a person, at once."""
    for asked in placement.asking:
        kind, says = _SAYS[asked.code]
        if asked.refused_at is not None:
            yield Timer(
                kind=f"{kind}_refused", due_at=asked.refused_at, owner="operator",
                title=f"{placement.partner_name} refused: {asked.code.value}",
            )
            continue
        due_at = change_due(asked, placement)
        yield Timer(kind=kind, due_at=due_at, owner="operator", title=says.format(partner=placement.partner_name))
        if asked.sent_at is not None:
            yield Timer(
                kind=f"{REPEAT}{asked.message_id}"[:40], due_at=asked.sent_at + repeat_after(asked.sendings),
                owner="hub", title=f"the {asked.code.value} is said again to {placement.partner_name}",
            )
