"""What a call or a visit came to: the code that people choose, and the next step that follows from it."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec

from collecthub.model.objection import NonPayment

PROMISE, TRY_AGAIN, ANSWER = "promise", "try_again", "answer"  # holds: each ends by itself on its day
GRACE_DAYS = 3  # bank days that a promised payment may need
TRIES = 3  # calls or visits for one step before it is behind
ANSWER_DAYS = 7  # how long a reply keeps the next step waiting for a person


class ContactOutcome(enum.StrEnum):
    """What a call or a visit came to."""

    PROMISED = "promised"
    CANNOT_PAY = "cannot_pay"
    WILL_NOT_PAY = "will_not_pay"
    DISAGREES = "disagrees"
    ALREADY_PAID = "already_paid"
    NEVER_RECEIVED = "never_received"
    SPOKE = "spoke"  # reached, nothing was agreed
    CALL_BACK = "call_back"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    WRONG_NUMBER = "wrong_number"
    MOVED = "moved"


class Follow(msgspec.Struct, frozen=True, kw_only=True):
    """What follows: `is_reached` takes the step, `reason` explains the non-payment, `task` is for a person.

    `is_dead` means that nobody is reached by this channel any more.
    """

    is_reached: bool = True
    reason: NonPayment | None = None
    task: str = ""
    is_dead: bool = False
    needs_day: bool = False


FOLLOWS: Mapping[ContactOutcome, Follow] = {
    ContactOutcome.PROMISED: Follow(needs_day=True),
    ContactOutcome.CANNOT_PAY: Follow(reason=NonPayment.CANNOT),
    ContactOutcome.WILL_NOT_PAY: Follow(reason=NonPayment.WILL_NOT),
    ContactOutcome.DISAGREES: Follow(reason=NonPayment.DISAGREES),
    ContactOutcome.ALREADY_PAID: Follow(reason=NonPayment.ALREADY_PAID),
    ContactOutcome.NEVER_RECEIVED: Follow(reason=NonPayment.NEVER_RECEIVED),
    ContactOutcome.SPOKE: Follow(),
    ContactOutcome.CALL_BACK: Follow(task="callback", needs_day=True),
    ContactOutcome.NO_ANSWER: Follow(is_reached=False),
    ContactOutcome.VOICEMAIL: Follow(is_reached=False),
    ContactOutcome.WRONG_NUMBER: Follow(is_reached=False, is_dead=True),
    ContactOutcome.MOVED: Follow(is_reached=False, is_dead=True, task="moved"),
}
