"""What HMCTS SDT answers, as messages of the exchange: bulk response, bulk feedback, update of an item.

A reply names a request by the id that `sdt_particulars.request_id` gave it, and so finds its case. States become
status updates in SDT's own words (table `sdt`); dates of the procedure become updates named after their element.
Feedback is asked for again and again: `sequence` is the stage in the procedure, so an earlier stage that comes late
never moves a case back. A breathing space is no stage and has no number: it counts as it comes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import msgspec
from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.bundled_schemas import document_of
from collecthub.formats.sdt_particulars import SCHEMA_ROOT, case_of_request
from collecthub.model.exchange import CaseStatusUpdate, CostBearer, CostStatement, Decoded, Fault, Message
from collecthub.model.ids import derived_id
from collecthub.wire.xml import Element, parse

STATES = ("Received", "Forwarded", "Initially Accepted", "Awaiting Data", "Accepted", "Rejected")
PROCEDURE_DATES = ("issueDate", "serviceDate", "judgmentEnteredDate", "firstPaymentDate")
_STAGE = {name: place for place, name in enumerate((*STATES, *PROCEDURE_DATES, "warrantNumber"), 1)}
_UNKNOWN_STAGE = len(_STAGE) + 1
_BREATHING_SPACE, _UNNUMBERED = "mcolBreathingSpace", 0
_FEEDBACK, _SUBMITTED, _UPDATE = "bulkFeedbackResponse", "bulkResponse", "updateRequest"


def read_reply(content: bytes) -> Decoded:
    """The messages in a reply. A refused bulk file has no requests to name, so it is one fault with SDT's own code.

    Raises `QuarantineError` (`xml.*`, `sdt.unknown`) when it is no reply of SDT, or one without namespaces.
    """
    document = document_of(parse(content))
    qualified = etree.QName(document)
    if not (qualified.namespace or "").startswith(SCHEMA_ROOT):
        raise QuarantineError(
            f"The XML is {qualified.localname[:64]!r} of namespace {(qualified.namespace or 'none')[:100]!r}, "
            "not a message of SDT 2013.",
            code="sdt.unknown", cure="Ask for messages in the namespaces of ws.sdt.moj.gov.uk/2013.",
        )  # fmt: skip
    if qualified.localname == _FEEDBACK:
        return _feedback(document)
    if qualified.localname == _SUBMITTED:
        return _submitted(document)
    raise QuarantineError(
        f"{qualified.localname[:64]} of SDT is not an answer to a request of this hub.", code="sdt.unknown",
        cure="An update of an item names SDT's own request id; the SOAP receiver knows it, a file does not.",
    )  # fmt: skip


def _submitted(document: Element) -> Decoded:
    reference = _text(document, "customerReference")
    code, reason = _error(document)
    faults = (Fault(code=f"sdt.{code}", reason=reason, path="/bulkResponse/status/error"),) if code else ()
    return Decoded(exchange_id=reference, sender_ref="SDT", faults=faults)


def _feedback(document: Element) -> Decoded:
    head = _child(document, "bulkRequestStatus")
    reference = _text(head, "customerReference") if head is not None else ""
    messages: list[Message] = []
    faults: list[Fault] = []
    code, reason = _error(head) if head is not None else ("", "")
    if code:
        faults.append(Fault(code=f"sdt.{code}", reason=reason, path="/bulkFeedbackResponse/bulkRequestStatus/status"))
    box = _child(document, "responses")
    for number, response in enumerate(box if box is not None else (), 1):
        identifier = response.get("requestId", "")
        case_id = case_of_request(identifier)
        if not case_id:
            path = f"/bulkFeedbackResponse/responses/response[{number}]/@requestId, line {response.sourceline}"
            faults.append(Fault(code="sdt.request", reason=f"{identifier[:40]!r} is no request of this hub", path=path))
            continue
        messages += _response(response, case_id, identifier, _moment(head))
    return Decoded(exchange_id=reference, sender_ref="SDT", messages=tuple(messages), faults=tuple(faults))


def _response(response: Element, case_id: str, identifier: str, at: dt.datetime) -> Iterator[Message]:
    status = _child(response, "status")
    state = status.get("code", "") if status is not None else ""
    code, reason = _error(response)
    yield _update(case_id, identifier, state, f"{code} {reason}".strip(), at)
    for detail in response.iter():
        name = etree.QName(detail).localname
        text = (detail.text or "").strip()
        if name in PROCEDURE_DATES and text:
            on = dt.date.fromisoformat(text[:10])  # SDT may write a zone behind the date
            yield _update(case_id, identifier, name, text, dt.datetime.combine(on, dt.time(), dt.UTC))
        elif name == "warrantNumber" and text:
            court = " ".join(_text(response, part) for part in ("enforcingCourtCode", "enforcingCourtName"))
            yield _update(case_id, identifier, name, f"{text} {court}".strip(), at)
        elif name == _BREATHING_SPACE:
            yield _breathing_space(detail, case_id, identifier, at)
        elif name == "fee" and text.isdecimal() and int(text):
            yield _fee(case_id, identifier, int(text), at)


def _breathing_space(detail: Element, case_id: str, identifier: str, at: dt.datetime) -> CaseStatusUpdate:
    """A moratorium that the law attaches to a defendant, or its end (BreathingSpace.xsd)."""
    claim, defendant = _text(detail, "claimNumber"), _text(detail, "defendantId")
    code = _text(detail, "breathingSpaceNotificationType")
    words = f"notice {code} to request {identifier}: claim {claim}, defendant {defendant}"
    return msgspec.structs.replace(_update(case_id, identifier, code, words, at), sequence=_UNNUMBERED)


def _update(case_id: str, identifier: str, code: str, text: str, at: dt.datetime) -> CaseStatusUpdate:
    return CaseStatusUpdate(
        message_id=derived_id("sdt", identifier, code, text), case_id=case_id, holder_ref="",
        sequence=_STAGE.get(code, _UNKNOWN_STAGE), status_code=code or "UNMAPPED", text=text, occurred_at=at,
    )  # fmt: skip


def _fee(case_id: str, identifier: str, pence: int, at: dt.datetime) -> CostStatement:
    """The court's fee, which SDT states once per request in whole pence."""
    return CostStatement(
        message_id=derived_id("sdt", identifier, "fee"), case_id=case_id, cost_ref=f"SDT {identifier} fee",
        cost_type="court_fee", currency="GBP", amount=Decimal(pence).scaleb(-2), bearer=CostBearer.DEBTOR,
        occurred_on=at.date(), legal_basis="court fee as stated by SDT",
    )  # fmt: skip


def _moment(head: Element | None) -> dt.datetime:
    """When the bulk file was submitted; SDT's samples write it with a space and nanoseconds, and without a zone.

    1970-01-01 when it is not stated, which stands for unknown: the moment of reading would look like a fact.
    """
    text = _text(head, "submittedDate") if head is not None else ""
    try:
        moment = dt.datetime.fromisoformat(text[:26] if "." in text else text)
    except ValueError:
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _error(element: Element) -> tuple[str, str]:
    """Code and description of the first error below an element."""
    for error in element.iter():
        if etree.QName(error).localname == "error":
            return _text(error, "code"), _text(error, "description")
    return "", ""


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element if etree.QName(child).localname == name), None)


def _text(element: Element, name: str) -> str:
    """The text of the first element with this local name below another one: SDT mixes its namespaces."""
    found = next((part for part in element.iter() if etree.QName(part).localname == name), None)
    return (found.text or "").strip() if found is not None else ""
