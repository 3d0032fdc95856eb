"""Between the hub's messages and those of SDT; pure but for the register it is handed."""

from __future__ import annotations

import base64
import copy
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, Self, runtime_checkable

import msgspec

from collecthub.sdk import (
    AckVerdict,
    AmendmentCode,
    CaseAcknowledgement,
    CaseAmendment,
    CaseFile,
    CaseFormat,
    CaseStatusUpdate,
    Decoded,
    Exchange,
    Fault,
    Message,
    PermanentError,
    QuarantineError,
    RetryableError,
    derived_id,
)
from collecthub.wire.soap_service import element
from collecthub.wire.xml import Element, parse, serialise
from collecthub_hmcts_sdt.contract import (
    BASE,
    BULK,
    CLAIM_STATUS,
    DEFENCES,
    FEEDBACK_REPLY,
    QUERY,
    UPDATE,
    objections,
)
from collecthub_hmcts_sdt.register import REFUSED, Bulk, Register
from collecthub_hmcts_sdt.settings import HmctsSdtSettings

PAID = frozenset({"paid", "paid_full", "payment"})
_WAIT_SECONDS = 60.0
_VERDICTS = {"Accepted": AckVerdict.ACCEPTED, "Rejected": AckVerdict.REFUSED}


@runtime_checkable
class CourtFormat(CaseFormat, Protocol):
    """A court's format that wants more than the case file says."""

    def with_particulars(self, given: Mapping[str, Any]) -> Self: ...


def request_id(case_id: str, message_id: str) -> str:
    """The name of a request, as the format `sdt-claim` makes it: 22 characters for the case and 2 for the message.

    >>> request_id("0197a3c4d5e6f7081920a1b2c3d4e5f6", "m-1")[:22]
    'AZejxNXm9wgZIKGyw9Tl9g'
    """
    mark = base64.urlsafe_b64encode(bytes.fromhex(derived_id(message_id)[:4])).decode()[:2]
    return base64.urlsafe_b64encode(bytes.fromhex(case_id)).decode().rstrip("=") + mark


# --- hub to court -------------------------------------------------------------------------------------------------


def bulk_request(court: CourtFormat, exchange: Exchange, settings: HmctsSdtSettings, register: Register) -> bytes:
    """One bulk request: case files as claims or warrants, recalls as claim status updates, in that order.

    Raises `PermanentError` for what SDT cannot say, with the element, and `RetryableError` while the court has not yet
    said what the claim is called that is to be recalled.
    """
    files = tuple(message for message in exchange.messages if isinstance(message, CaseFile))
    requests = _claims(court, exchange, files, settings) if files else []
    requests += [_status_update(message, register) for message in exchange.messages if not isinstance(message, CaseFile)]
    root = element(f"{BULK}bulkRequest")
    header = element(f"{BULK}header", parent=root)
    for name, value in (
        ("sdtCustomerId", settings.sdt_customer_id), ("targetApplicationId", settings.target_application_id),
        ("requestCount", str(len(requests))), ("customerReference", exchange.exchange_id),
    ):
        element(BULK + name, value, header)
    element(f"{BULK}requests", parent=root).extend(requests)
    if said := objections(root):
        raise PermanentError(
            f"the bulk request is refused by SDT's published schema: {'; '.join(said[:5])}",
            cure="Correct the value in the case or in the connection's particulars; nothing was sent.",
        )
    return serialise(root)


def _claims(
    court: CourtFormat, exchange: Exchange, files: Sequence[CaseFile], settings: HmctsSdtSettings
) -> list[Element]:
    given = {
        **settings.particulars, "sdt_customer_id": settings.sdt_customer_id,
        "target_application_id": settings.target_application_id, "signatory": settings.signatory,
    }
    only = msgspec.structs.replace(exchange, messages=tuple(files))
    document = parse(court.with_particulars(given).encode(only))
    return list(document.iter(f"{BULK}request"))


def _status_update(message: Message, register: Register) -> Element:
    """A recall: paid in full (MP) or discontinued (DI). SDT has no word for anything else that happens to a claim here."""
    if not isinstance(message, CaseAmendment) or message.code is not AmendmentCode.RECALL:
        code = getattr(message, "code", "")
        raise PermanentError(
            f"SDT carries no {type(message).__name__} {code}", cure="Tell the court by letter or in its portal.",
            reference=message.case_id,
        )
    number = register.claim_number(message.case_id)
    if number == REFUSED:
        raise PermanentError(
            "the court refused this claim, so there is nothing to recall", cure="Nothing is left to do at the court.",
            reference=message.case_id,
        )
    if not number:
        raise RetryableError(
            "the court has not named the claim yet, and a recall must name it",
            cure="It is sent by itself as soon as the claim number is known.", reference=message.case_id,
            retry_after_seconds=_WAIT_SECONDS,
        )
    kind = "mcolClaimStatusUpdate"
    request = element(f"{BULK}request")
    request.set("requestType", kind)
    request.set("requestId", request_id(message.case_id, message.message_id))
    update = element(BULK + kind, parent=request)
    element(f"{CLAIM_STATUS}claimNumber", number, update)
    is_paid = message.reason_code in PAID
    element(f"{CLAIM_STATUS}notificationType", "MP" if is_paid else "DI", update)
    if is_paid:
        element(f"{CLAIM_STATUS}paidInFullDate", message.effective_on.isoformat(), update)
    return request


def requests_of(document: Element, message_ids: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The requests of a bulk in order, each with the message it stands for."""
    by_mark = {base64.urlsafe_b64encode(bytes.fromhex(derived_id(one)[:4])).decode()[:2]: one for one in message_ids}
    names = [request.get("requestId", "") for request in document.iter(f"{BULK}request")]
    if len(names) == len(message_ids) == 1:
        return ((names[0], message_ids[0]),)
    return tuple((name, by_mark.get(name[22:], "")) for name in names)


def defence_query(settings: HmctsSdtSettings, since: dt.datetime, until: dt.datetime) -> Element:
    """The question for the defences that came in between two moments."""
    root = element(f"{QUERY}submitQueryRequest")
    header = element(f"{QUERY}header", parent=root)
    element(f"{QUERY}sdtCustomerId", settings.sdt_customer_id, header)
    element(f"{QUERY}targetApplicationId", settings.target_application_id, header)
    criterion = element(f"{QUERY}criterion", parent=element(f"{QUERY}criteria", parent=root))
    criterion.set("criteriaType", "mcolDefenceCriteria")
    bounds = element(f"{QUERY}mcolDefenceCriteria", parent=criterion)
    element(f"{DEFENCES}fromDate", f"{since:%Y-%m-%dT%H:%M:%SZ}", bounds)
    element(f"{DEFENCES}toDate", f"{until:%Y-%m-%dT%H:%M:%SZ}", bounds)
    return root


# --- court to hub -------------------------------------------------------------------------------------------------


def status_of(document: Element) -> tuple[str, str, str]:
    """Code of the first status in a reply, and code and text of its error."""
    found = next(iter(document.iter(f"{BASE}status", f"{FEEDBACK_REPLY}status")), None)
    if found is None:
        return "", "", ""
    error = found.find(f"{BASE}error")
    words = ("", "") if error is None else tuple(text(error, BASE + name) for name in ("code", "description"))
    return found.get("code", ""), words[0], words[1]


def text(parent: Element, name: str) -> str:
    """Text of the first element with this name below a parent."""
    return (next((found.text for found in parent.iter(name)), "") or "").strip()


def read_feedback(court: CaseFormat, content: bytes, bulk: Bulk | None, register: Register, at: dt.datetime) -> Decoded:
    """Feedback on a bulk: the court's verdict on each request, and what it says of the claim."""
    document = parse(content)
    decoded = court.decode(content)
    known = dict(bulk.requests) if bulk is not None else {}
    verdicts = [
        verdict for response in document.iter(f"{FEEDBACK_REPLY}response")
        if (verdict := _verdict(response, known, register, at)) is not None
    ]
    return msgspec.structs.replace(decoded, messages=(*verdicts, *decoded.messages))


def _verdict(response: Element, known: Mapping[str, str], register: Register, at: dt.datetime) -> CaseAcknowledgement | None:
    identifier = response.get("requestId", "")
    case_id, message_id = case_of(identifier), known.get(identifier, "")
    status = response.find(f"{FEEDBACK_REPLY}status")
    state = status.get("code", "") if status is not None else ""
    number = text(response, f"{{{_DETAIL}}}claimNumber")
    if case_id and state in _VERDICTS and response.get("requestType") == "mcolClaim" and (number or state == "Rejected"):
        register.name_claim(case_id, REFUSED if state == "Rejected" else number)
    if not case_id or not message_id:
        return None
    verdict = _VERDICTS.get(state, AckVerdict.RECEIVED)
    error = next(response.iter(f"{BASE}error"), None)
    return CaseAcknowledgement(
        message_id=derived_id("sdt", identifier, "ack", verdict.value), case_id=case_id, in_reply_to=message_id,
        holder_ref=number, verdict=verdict, occurred_at=at,
        reason_code=text(error, f"{BASE}code") if error is not None else "",
        reason=text(error, f"{BASE}description") if error is not None else "",
    )


_DETAIL = "http://ws.sdt.moj.gov.uk/2013/mcol/ResponseDetailSchema"


def case_of(identifier: str) -> str:
    """The case that a request id names, or an empty string."""
    try:
        return base64.urlsafe_b64decode(f"{identifier[:22]}==").hex() if len(identifier) == 24 else ""
    except ValueError:
        return ""


def feedback_of_update(update: Element, register: Register) -> tuple[bytes, Bulk]:
    """An updateItem call in the words of feedback, and the bulk it is about.

    SDT's own request id is the bulk's reference and the request's number in it, as in its published samples. Raises
    `QuarantineError` when this hub sent no such request.
    """
    sdt_id = text(update, f"{UPDATE}sdtRequestId")
    reference, _, number = sdt_id.rpartition("-")
    bulk = register.bulk(reference)
    place = int(number) - 1 if number.isascii() and number.isdigit() else -1
    if bulk is None or not 0 <= place < len(bulk.requests):
        raise QuarantineError(
            f"SDT tells of the request {sdt_id[:40]!r}, which this hub did not send", code="sdt.request",
            cure="Ask HMCTS whose request it is.", reference=sdt_id[:40],
        )
    root = element(f"{FEEDBACK_REPLY}bulkFeedbackResponse")
    response = element(f"{FEEDBACK_REPLY}response", parent=element(f"{FEEDBACK_REPLY}responses", parent=root))
    response.set("requestType", "mcolClaim")
    response.set("requestId", bulk.requests[place][0])
    detail = element(f"{FEEDBACK_REPLY}responseDetail", parent=response)
    for told in update.findall(f"{UPDATE}targetAppDetail"):
        detail.extend(copy.deepcopy(part) for part in told)
    for status in update.findall(f"{UPDATE}status"):
        mine = element(f"{FEEDBACK_REPLY}status", parent=response)
        mine.set("code", status.get("code", ""))
        mine.extend(copy.deepcopy(part) for part in status)
    return serialise(root), bulk


def read_defences(document: Element, register: Register) -> Decoded:
    """Answers of defendants; one for a claim number that no case has is a fault for a person."""
    messages: list[CaseStatusUpdate] = []
    faults: list[Fault] = []
    for number, detail in enumerate(document.iter(f"{{{document.tag[1:].partition('}')[0]}}}mcolDefenceDetail"), 1):
        claim = text(detail, f"{DEFENCES}claimNumber")
        case_id = register.case_behind(claim)
        if case_id:
            messages += _answers(detail, claim, case_id)
        else:
            faults.append(Fault(code="sdt.claim", reason=f"no case has the claim number {claim!r}",
                                path=f"/submitQueryResponse/results/mcolDefenceDetail[{number}]"))  # fmt: skip
    return Decoded(exchange_id="", sender_ref="SDT", messages=tuple(messages), faults=tuple(faults))


def _answers(detail: Element, claim: str, case_id: str) -> Iterator[CaseStatusUpdate]:
    for answer in detail.iter(f"{DEFENCES}defendantResponse"):
        code, created = text(answer, f"{DEFENCES}responseType"), text(answer, f"{DEFENCES}eventCreatedDateOnMcol")
        moment = dt.datetime.fromisoformat(created)
        defence = text(answer, f"{DEFENCES}defence")
        who = answer.get("defendantId", "")
        yield CaseStatusUpdate(
            message_id=derived_id("sdt", claim, who, code, created), case_id=case_id, holder_ref=claim, sequence=20,
            status_code=code, text=f"defendant {who}: {defence}" if defence else f"defendant {who}",
            occurred_at=moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC),
        )  # fmt: skip
