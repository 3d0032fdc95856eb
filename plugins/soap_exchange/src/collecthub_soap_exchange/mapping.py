"""Between the service's replies and the hub's records; pure."""

from __future__ import annotations

from dataclasses import dataclass

from collecthub.sdk import CaseFormat, Decoded, Fault, QuarantineError, Receipt, Verdict
from collecthub.wire.xml import Element, serialise

CASE = "{urn:collecthub:case-exchange:1.0}"
SERVICE = "{urn:collecthub:case-exchange:1.0:service}"
XML = "application/xml"
_CODE_CHARS, _REASON_CHARS = 64, 10_000


@dataclass(frozen=True)
class Waiting:
    """An exchange that waits for the hub, as bytes, and its place in the outbox."""

    cursor: str
    exchange_id: str
    content: bytes


def text_of(element: Element, name: str) -> str:
    """Text of a direct child, empty when there is none."""
    return (element.findtext(name) or "").strip()


def is_true(element: Element, name: str) -> bool:
    """Value of an xs:boolean child; False when there is none."""
    return text_of(element, name) in ("true", "1")


def addresses(exchange: Element) -> tuple[str, str, str]:
    """(exchange id, sender, receiver) as an Exchange element names them."""
    exchange_id, sender, receiver = (text_of(exchange, CASE + name) for name in ("ExchangeId", "SenderRef", "ReceiverRef"))
    return exchange_id, sender, receiver


def waiting(reply: Element) -> list[Waiting]:
    """The exchanges of a FetchExchangesResponse, oldest first, each as a document of its own."""
    return [
        Waiting(text_of(item, f"{SERVICE}Cursor"), addresses(exchange)[0], serialise(exchange))
        for item in reply.iterfind(f"{SERVICE}Item")
        for exchange in item.iterfind(f"{CASE}Exchange")
    ]


def verdict_arguments(verdict: Verdict) -> dict[str, object]:
    """A verdict within the limits of the contract: 64 characters of code, 10,000 of reason, nothing XML forbids.

    >>> verdict_arguments(Verdict(is_accepted=False, code="xml.schema", reason="line" + chr(0) + "1"))
    {'Accepted': False, 'Code': 'xml.schema', 'Reason': 'line 1'}
    """
    texts = {"Code": _plain(verdict.code, _CODE_CHARS), "Reason": _plain(verdict.reason, _REASON_CHARS)}
    return {"Accepted": verdict.is_accepted, **{name: text for name, text in texts.items() if text}}


def _plain(text: str, limit: int) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:limit]


def reply_receipt(reply: Element, case_format: CaseFormat) -> Receipt:
    """The receipt of a submission. Replies that cannot be read become a fault: the exchange arrived all the same."""
    exchange = reply.find(f"{CASE}Exchange")
    raw = b"" if exchange is None else serialise(exchange)
    return Receipt(
        reference=text_of(reply, f"{SERVICE}ExchangeId"),
        detail="was there already" if is_true(reply, f"{SERVICE}Duplicate") else "taken",
        replies=_replies(raw, exchange, case_format) if exchange is not None else None,
        raw_reply=raw,
    )


def _replies(raw: bytes, exchange: Element, case_format: CaseFormat) -> Decoded:
    try:
        return case_format.decode(raw)
    except QuarantineError as error:
        exchange_id, sender_ref, _ = addresses(exchange)
        fault = Fault(code=error.code, reason=error.message, path="/SubmitExchangeResponse/Exchange")
        return Decoded(exchange_id=exchange_id, sender_ref=sender_ref, faults=(fault,))
