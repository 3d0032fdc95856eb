"""What a partner says about a case, as messages of the exchange, whichever door he says it through.

The REST API, the web page and the form in a file or a mail all make their messages here, so that one statement has one
meaning. `message_id` is the caller's: the same statement made twice must carry the same one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.exchange import (
    AckVerdict,
    AmendmentCode,
    CaseAcknowledgement,
    CaseInstruction,
    CaseStatusUpdate,
    InstructionCode,
)

COST_TYPES = ("bailiff_act", "court_fee", "lawyer_fee", "collection_fee", "other")
_UNANSWERED = frozenset({Status.SENT, Status.ACKNOWLEDGED})


class Instalment(msgspec.Struct, frozen=True, kw_only=True):
    """One instalment of a plan that the partner agreed with the debtor."""

    due_on: dt.date
    amount: Decimal


def asked_of_partner(case: Case) -> str:
    """What the hub waits for from the holder: `acceptance`, `recall`, `balance`, or nothing (empty)."""
    placement = case.placement
    if placement is None or not placement.is_out:
        return ""
    if placement.amendment_code is AmendmentCode.RECALL:
        return "recall"
    if case.status in _UNANSWERED:
        return "acceptance"
    return "balance" if placement.amendment_id else ""


def answer_to_offer(
    case: Case, message_id: str, at: dt.datetime, *, is_accepted: bool, holder_ref: str = "", code: str = "", reason: str = ""
) -> CaseAcknowledgement:
    """The partner takes the case on, or does not and says why."""
    return CaseAcknowledgement(
        message_id=message_id, case_id=case.case_id, holder_ref=holder_ref,
        in_reply_to=case.placement.message_id if case.placement else "",
        verdict=AckVerdict.ACCEPTED if is_accepted else AckVerdict.REFUSED,
        reason_code=code, reason=reason, occurred_at=at,
    )


def answer_to_amendment(case: Case, message_id: str, at: dt.datetime) -> CaseAcknowledgement:
    """The partner confirms that it stopped, or that it collects the new balance."""
    placement = case.placement
    return CaseAcknowledgement(
        message_id=message_id, case_id=case.case_id, holder_ref=placement.holder_ref if placement else "",
        in_reply_to=placement.amendment_id if placement else "", verdict=AckVerdict.ACCEPTED, occurred_at=at,
    )


def question(case_id: str, message_id: str, text: str) -> CaseInstruction:
    """The partner needs to know something; the case waits for the creditor."""
    return CaseInstruction(message_id=message_id, case_id=case_id, code=InstructionCode.QUESTION, text=text)


def sequence_at(at: dt.datetime) -> int:
    """The place of a report whose sender counts none: its moment in milliseconds, so that an earlier one counts as late.

    >>> sequence_at(dt.datetime(2026, 6, 15, tzinfo=dt.UTC))
    1781481600000
    """
    return int(at.timestamp() * 1000)


def plan_report(
    case_id: str, message_id: str, at: dt.datetime, *, currency: str, instalments: Sequence[Instalment], is_agreed: bool,
    text: str = "",
) -> CaseStatusUpdate:
    """A payment plan as the exchange can say it: a status, its instalments in the text, the first one as the deadline."""
    listed = "; ".join(f"{one.due_on} {one.amount} {currency}" for one in instalments)
    return CaseStatusUpdate(
        message_id=message_id, case_id=case_id, sequence=sequence_at(at),
        status_code="plan_agreed" if is_agreed else "plan_proposed", text=f"{listed}. {text}".strip(), occurred_at=at,
        next_deadline_on=min(one.due_on for one in instalments),
    )


def dispute_report(
    case_id: str, message_id: str, at: dt.datetime, *, text: str, disputed: Decimal | None, currency: str
) -> CaseStatusUpdate:
    """The debtor disputes the claim, or the part of it that `disputed` names."""
    part = "" if disputed is None else f"{disputed} {currency}: "
    return CaseStatusUpdate(
        message_id=message_id, case_id=case_id, sequence=sequence_at(at), status_code="dispute_raised",
        text=f"{part}{text}", occurred_at=at,
    )
