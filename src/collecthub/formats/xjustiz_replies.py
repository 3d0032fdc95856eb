"""Answers to an XJustiz order as messages of the exchange.

Read are the error message (0005007), the confirmation of processing (0005008), the receipt (2200007) and the take-over
confirmation between bailiffs (2500002). They name the order by `fremdeNachrichtenID` and the case by `prozessID`.
"""

from __future__ import annotations

import datetime as dt

from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.bundled_schemas import XJUSTIZ_NAMESPACE
from collecthub.formats.carrying import from_uuid
from collecthub.model.exchange import (
    AckVerdict,
    CaseAcknowledgement,
    CaseStatusUpdate,
    Decoded,
    Fault,
    Message,
)
from collecthub.wire.xml import Element, parse

_ERROR, _DONE, _RECEIPT, _TAKEN_OVER = "0005007", "0005008", "2200007", "2500002"


def read_reply(content: bytes) -> Decoded:
    """The answer in a message. Raises `QuarantineError` (`xml.*`, `xjustiz.unknown`) for anything else."""
    root = parse(content)
    qualified = etree.QName(root)
    number = qualified.localname.rpartition(".")[2]
    if qualified.namespace != XJUSTIZ_NAMESPACE or number not in (_ERROR, _DONE, _RECEIPT, _TAKEN_OVER):
        raise QuarantineError(
            f"The XML is {qualified.localname[:80]!r}, not an answer to an enforcement order.", code="xjustiz.unknown",
            cure=f"Read are messages {_ERROR}, {_DONE}, {_RECEIPT} and {_TAKEN_OVER}.",
        )  # fmt: skip
    own_id = from_uuid(_text(root, "eigeneNachrichtenID"))
    case_id, order_id = from_uuid(_text(root, "prozessID")), from_uuid(_text(root, "fremdeNachrichtenID"))
    sender = _text(root, "sonstige") or _text(root, "code")
    if not case_id:
        fault = Fault(code="xjustiz.process", reason="the answer names no process (prozessID), so no case", path="/*")
        return Decoded(exchange_id=own_id, sender_ref=sender, faults=(fault,))
    message = _message(root, number, own_id, case_id, order_id)
    return Decoded(exchange_id=own_id, sender_ref=sender, messages=(message,))


def _message(root: Element, number: str, own_id: str, case_id: str, order_id: str) -> Message:
    at = _moment(_text(root, "erstellungszeitpunkt"))
    holder = _text(_first(root, "absender"), "aktenzeichen")
    if number == _TAKEN_OVER:
        return CaseStatusUpdate(
            message_id=own_id, case_id=case_id, holder_ref=holder, sequence=int(at.timestamp()), status_code=number,
            text=_new_file(root), occurred_at=at,
        )  # fmt: skip
    verdict, code, reason = _verdict(root, number)
    return CaseAcknowledgement(
        message_id=own_id, case_id=case_id, holder_ref=holder, in_reply_to=order_id, verdict=verdict,
        reason_code=code, reason=reason, occurred_at=at,
    )  # fmt: skip


def _verdict(root: Element, number: str) -> tuple[AckVerdict, str, str]:
    """An error refuses the order unless it says that the work goes on all the same."""
    if number == _DONE:
        return AckVerdict.ACCEPTED, "", ""
    facts = _first(root, "fachdaten")
    if number == _RECEIPT:
        disturbed = _first(facts, "stoerungsmeldung")
        if disturbed is None:
            return AckVerdict.RECEIVED, "", _text(facts, "empfangsbestaetigung")
        return AckVerdict.REFUSED, _text(disturbed, "code") or "unstated", _text(disturbed, "stoerungsGrund")
    codes = [_text(fault, "code") for fault in _all(facts, "fehler")]
    told = "; ".join(text for fault in _all(facts, "fehler") if (text := _text(fault, "zusatzinformation")))
    goes_on = all(_first(fault, "erfolgt") is not None for fault in _all(facts, "fehler"))
    verdict = AckVerdict.RECEIVED if goes_on and codes else AckVerdict.REFUSED
    return verdict, ",".join(codes)[:64] or "unstated", told


def _new_file(root: Element) -> str:
    """The bailiff's new file number, as it is written: DR II 12/26."""
    new = _first(root, "az.uebernehmenderGV")
    if new is None:
        return ""
    return f"DR {_text(new, 'dr.register')} {_text(new, 'dr.nummer')}/{_text(new, 'dr.jahrgang')}"


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise QuarantineError(
            "The answer does not say when it was made (erstellungszeitpunkt).", code="xjustiz.unknown",
            cure="Ask the office to send it again.",
        ) from None  # fmt: skip
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _all(element: Element | None, name: str) -> list[Element]:
    return [] if element is None else [part for part in element.iter() if etree.QName(part).localname == name]


def _first(element: Element | None, name: str) -> Element | None:
    return next(iter(_all(element, name)), None)


def _text(element: Element | None, name: str) -> str:
    found = _first(element, name)
    return (found.text or "").strip() if found is not None else ""
