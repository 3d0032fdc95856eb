"""Room 3 of CLOCK: carry an act out, as facts of the case. What leaves the hub follows from these facts."""

from __future__ import annotations

from decimal import Decimal

from collecthub.law.contact_course import over as contact_over
from collecthub.model.case import Case
from collecthub.model.clock import Amend, Close, Follow, Timer
from collecthub.model.event import AmendmentQueued, CaseClosed, Fact, HoldReleased
from collecthub.model.exchange import AmendmentCode
from collecthub.model.human_course import follows, over
from collecthub.model.next_holder import sealed_for_next


def act(case: Case, wanted: Amend | Close | Follow | Timer, message_id: str) -> tuple[Fact, ...]:
    """The facts of one act. A timer that is over releases its hold; any other timer is a task, not a fact."""
    match wanted:
        case Amend():
            return (
                AmendmentQueued(
                    message_id=message_id,
                    code=wanted.code,
                    reason_code=wanted.reason_code,
                    principal=Decimal(0) if wanted.code is AmendmentCode.RECALL else case.demanded,
                ),
            )
        case Close():
            return (CaseClosed(outcome=wanted.outcome, reason=wanted.reason),)
        case Follow():
            return (*follows(case), *sealed_for_next(case))
        case Timer():
            reason = wanted.kind.removeprefix("hold:")
            if reason != wanted.kind and case.held_for(reason):
                return (HoldReleased(reason=reason, note="the time agreed for it is over"),)
            return (*over(case, wanted), *contact_over(case, wanted))
