"""Between Debitura's cases and events and the messages of the exchange; pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from collecthub.sdk import (
    AckVerdict,
    AmendmentCode,
    CaseAcknowledgement,
    CaseAmendment,
    CaseFile,
    CaseInstruction,
    CaseReturn,
    CaseStatusUpdate,
    Decoded,
    InstructionCode,
    Message,
    PaymentReport,
    PermanentError,
    QuarantineError,
    derived_id,
    parse_amount,
)

TOLERANCE_SECONDS = 300
# Steps on the way to a case that runs: the network has it and nobody has decided yet.
_UNDER_WAY = frozenset({"PendingVerificationInternal", "Leads"})


class Call(msgspec.Struct, frozen=True):
    """One call to the service: below which path, with which JSON. An empty path ends with the case's own id."""

    path: str
    body: dict[str, Any]


class EventCase(msgspec.Struct, frozen=True, rename="camel"):
    """The case within an event: the network's id and what we sent along."""

    id: str
    reference: str
    currency: str
    message_reference: str = ""


class Event(msgspec.Struct, frozen=True, rename="camel"):
    """One event, pushed or from the log."""

    id: str
    type: str
    sequence: int
    created_at: dt.datetime
    case: EventCase
    data: dict[str, str]


def call_for(message: Message) -> Call:
    """What to ask the network for. Raises `PermanentError` for a message that has no counterpart there."""
    if isinstance(message, CaseFile):
        return Call("cases", _new_case(message))
    holder = getattr(message, "holder_ref", "")
    if not holder:
        raise PermanentError("the network's id of the case is not known", cure="Wait until it has answered the case file.")
    if isinstance(message, CaseAmendment) and message.code is AmendmentCode.RECALL:
        return Call(f"cases/{holder}/close", {"reason": message.reason_code})
    if isinstance(message, CaseAmendment) and message.code is AmendmentCode.BALANCE:
        return Call(f"cases/{holder}/amount", {"amount": f"{message.principal:f}", "currency": message.currency})
    if isinstance(message, CaseInstruction) and message.code is InstructionCode.ANSWER:
        return Call(f"cases/{holder}/details", {"text": message.text})
    if isinstance(message, CaseInstruction):
        return Call(f"cases/{holder}/chat", {"text": f"{message.code.value}: {message.text}"})
    return Call(f"cases/{holder}/chat", {"text": message.code.value if isinstance(message, CaseAmendment) else ""})


def _new_case(file: CaseFile) -> dict[str, Any]:
    debtor = file.debtors[0]
    return {
        "reference": file.case_id, "messageReference": file.message_id, "currency": file.currency,
        "amount": f"{file.principal:f}", "creditor": file.creditor.name,
        "debtor": {"name": debtor.name, "country": debtor.country, "email": debtor.email, "kind": debtor.kind.value},
        "invoices": [
            {"number": one.invoice_ref, "dueDate": one.due_on.isoformat(), "amount": f"{one.open_amount:f}"}
            for one in file.claims
        ],
        "documents": [{"name": one.name, "sha256": one.sha256} for one in file.documents],
    }  # fmt: skip


def answer_to(message: Message, answer: Mapping[str, Any], at: dt.datetime) -> CaseAcknowledgement | None:
    """What the answer to a call means for the case: the network has it, or it did what was asked."""
    if isinstance(message, CaseFile):
        return CaseAcknowledgement(
            message_id=derived_id("debitura", "created", message.message_id), case_id=message.case_id,
            holder_ref=str(answer.get("id", "")), in_reply_to=message.message_id, verdict=AckVerdict.RECEIVED, occurred_at=at,
        )  # fmt: skip
    if isinstance(message, CaseAmendment):
        return CaseAcknowledgement(
            message_id=derived_id("debitura", "done", message.message_id), case_id=message.case_id,
            holder_ref=message.holder_ref, in_reply_to=message.message_id, verdict=AckVerdict.ACCEPTED, occurred_at=at,
        )  # fmt: skip
    return None


# --- events ---------------------------------------------------------------------------------------


def decode_event(content: bytes) -> Decoded:
    """One event as messages. Raises `QuarantineError` for one that cannot be read or is of an unknown type."""
    try:
        event = msgspec.json.decode(content, type=Event)
    except msgspec.MsgspecError as error:
        raise QuarantineError(f"the event is not readable: {error}", code="json.malformed") from error
    make = _EVENTS.get(event.type)
    if make is None:
        raise QuarantineError(
            f"the network sent an event {event.type[:40]!r}, which nobody knows here", code="debitura.event",
            cure="See what it means and answer by hand.", reference=event.case.reference,
        )
    try:
        messages = make(event)
    except (KeyError, TypeError, ValueError, PermanentError) as error:
        raise QuarantineError(f"event {event.id} lacks or misspells {error}", code="debitura.event") from error
    return Decoded(exchange_id=event.id, sender_ref="debitura", messages=messages)


def _acknowledged(event: Event, verdict: AckVerdict) -> CaseAcknowledgement:
    return CaseAcknowledgement(
        message_id=_id(event), case_id=event.case.reference, holder_ref=event.case.id,
        in_reply_to=event.case.message_reference, verdict=verdict, occurred_at=event.created_at,
    )


def _id(event: Event) -> str:
    return derived_id("debitura", event.case.id, event.id)


def _asked(event: Event, text: str) -> CaseInstruction:
    return CaseInstruction(
        message_id=_id(event), case_id=event.case.reference, holder_ref=event.case.id, code=InstructionCode.QUESTION, text=text
    )


def _status(event: Event, code: str, text: str = "") -> CaseStatusUpdate:
    return CaseStatusUpdate(
        message_id=_id(event), case_id=event.case.reference, holder_ref=event.case.id, sequence=event.sequence,
        status_code=code, text=text, occurred_at=event.created_at,
    )


def _moved(event: Event) -> tuple[Message, ...]:
    """A new status: what must be signed or supplied is a question, a running case an acceptance, the rest a report."""
    status, text = event.data["status"], event.data.get("text", "")
    if status == "PendingContractSigning":
        return (_asked(event, f"The contract must be signed before the case starts: {event.data.get('signingUrl', text)}"),)
    if status == "NeedsAdditionalDetails":
        return (_asked(event, text or "Details are missing."),)
    if status == "Active":
        return (_acknowledged(event, AckVerdict.ACCEPTED),)
    if status in _UNDER_WAY:
        return (_acknowledged(event, AckVerdict.RECEIVED),)
    return (_status(event, status, text),)


def _closed(event: Event) -> tuple[Message, ...]:
    return (
        CaseReturn(
            message_id=_id(event), case_id=event.case.reference, holder_ref=event.case.id,
            close_code=event.data["closeCode"], currency=event.case.currency, remaining=parse_amount(event.data["remaining"]),
            occurred_on=event.created_at.date(),
        ),
    )


def _paid(event: Event) -> tuple[Message, ...]:
    """Money at the partner is a payment; money at the creditor is only told, because his own books show it."""
    if event.data.get("recipient") == "creditor":
        return (_status(event, "payment_direct", f"{event.data['amount']} {event.data['currency']} on {event.data['date']}"),)
    return (_payment(event, event.data["id"], parse_amount(event.data["amount"])),)


def _unpaid(event: Event) -> tuple[Message, ...]:
    if event.data.get("recipient") == "creditor":
        return (_status(event, "payment_reversed", f"{event.data['amount']} {event.data['currency']}"),)
    return (_payment(event, f"{event.data['id']}-deleted", -parse_amount(event.data["amount"]), event.data["id"]),)


def _payment(event: Event, reference: str, amount: Decimal, reverses: str = "") -> PaymentReport:
    return PaymentReport(
        message_id=_id(event), case_id=event.case.reference, holder_ref=event.case.id, payment_ref=reference,
        currency=event.data["currency"], amount=amount, received_on=dt.date.fromisoformat(event.data["date"]),
        reverses_ref=reverses,
    )


def _wrote(event: Event) -> tuple[Message, ...]:
    return (_asked(event, event.data["text"]),)


_EVENTS: Mapping[str, Callable[[Event], tuple[Message, ...]]] = {
    "case.created": _moved, "case.updated": _moved, "case.closed": _closed, "payment.created": _paid,
    "payment.deleted": _unpaid, "chat.created": _wrote,
}  # fmt: skip


def verify_event(secret: str, header: str, body: bytes, now: dt.datetime) -> None:
    """Check `t=<seconds>,v1=<hex>`: HMAC-SHA256 over time, dot and body, within five minutes. Raises `PermanentError`."""
    parts = dict(part.strip().partition("=")[::2] for part in header.split(",") if "=" in part)
    seconds = parts.get("t", "")
    if not (seconds.isascii() and seconds.isdigit()) or abs(now.timestamp() - int(seconds[:12])) > TOLERANCE_SECONDS:
        raise PermanentError("the webhook's time is missing or more than five minutes off", cure="Check the sender's clock.")
    wanted = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), parts.get("v1", "").encode()):
        raise PermanentError("the webhook's signature does not fit the secret", cure="Check the shared secret.")
