"""HMCTS Secure Data Transfer: the gateway and the county court behind it, SOAP 1.2, judged by the published schemas.

`POST /producers/service/sdtapi`. A request that its schema refuses is a SOAP fault; so would be an answer of this twin's.
Ready file: `path`, `customer_id`, `partner_ref`. Control: `work` (decides what waits; `reject` lists request ids that are
rejected), `defence` (`claim_number`, `response_type`, `text`), `update` (`url`, `username`, `password`, `request_id`,
`status`: calls updateItem there), `books`. A reply that gets lost or is HTML is a fault of the frame (`faults`).
Sources: hmcts/civil-sdt-common 33f68fc (WSDL, XSD) and the error texts of hmcts/civil-sdt (MIT).
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import requests
from lxml import etree
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collecthub.sandbox.contract import SCHEMAS, ContractBreach
from collecthub.sandbox.exchange_xml import parse, to_bytes
from collecthub.sandbox.twin import LOOPBACK, Books, Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import serve_http

PATH = "/producers/service/sdtapi"
_SDT = "http://ws.sdt.moj.gov.uk/2013/"
_BASE = f"{{{_SDT}sdt/BaseSchema}}"
_MCOL, _QUERY = f"{{{_SDT}mcol/ResponseDetailSchema}}", f"{{{_SDT}mcol/QuerySchema}}"
_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_XML = "application/soap+xml; charset=utf-8"
_FILES = {
    "bulkRequest": "BulkRequestResponse/BulkSubmitRequest.xsd",
    "bulkResponse": "BulkRequestResponse/BulkSubmitResponse.xsd",
    "bulkFeedbackRequest": "RequestBulkFeedback/BulkFeedbackRequest.xsd",
    "bulkFeedbackResponse": "RequestBulkFeedback/BulkFeedbackResponse.xsd",
    "submitQueryRequest": "SubmitQueryRequestResponse/SubmitQueryRequest.xsd",
    "submitQueryResponse": "SubmitQueryRequestResponse/SubmitQueryResponse.xsd",
    "updateRequest": "IndvUpdateRequestResponse/IndividualUpdateRequestGeneric.xsd",
    "updateResponse": "IndvUpdateRequestResponse/IndividualUpdateResponse.xsd",
}
_TABLES = """
CREATE TABLE IF NOT EXISTS bulk (reference TEXT PRIMARY KEY, customer_reference TEXT UNIQUE, at TEXT);
CREATE TABLE IF NOT EXISTS item (
    request_id TEXT, reference TEXT, place INTEGER, kind TEXT, state TEXT, claim_number TEXT, error TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS defence (claim_number TEXT, response_type TEXT, text TEXT, at TEXT);
CREATE TABLE IF NOT EXISTS refused (reason TEXT);
"""
Json = dict[str, Any]


@cache
def _schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMAS / "published" / "hmcts-sdt" / _FILES[name]))


def check(document: etree._Element) -> None:
    """Raise `ContractBreach` unless the published schema of this document accepts it."""
    name = etree.QName(document).localname
    if name not in _FILES:
        raise ContractBreach("operation", f"SDT has no message {name}.")
    alone = etree.fromstring(etree.tostring(document))
    if not _schema(name).validate(alone):
        log: Any = _schema(name).error_log
        raise ContractBreach("xml.schema", "; ".join(entry.message for entry in list(log)[:3]))


class Gateway:
    """SDT's operations over durable books."""

    def __init__(self, books: Books, clock: Clock, customer_id: str) -> None:
        self._books, self._clock, self._customer_id = books, clock, customer_id
        self._operations: Mapping[str, Callable[[etree._Element], etree._Element]] = {
            "bulkRequest": self._submit, "bulkFeedbackRequest": self._feedback, "submitQueryRequest": self._query,
        }

    async def endpoint(self, request: Request) -> Response:
        """One SOAP call."""
        try:
            envelope = parse(await request.body())
            body = envelope.find(f"{{{_SOAP}}}Body")
            if envelope.tag != f"{{{_SOAP}}}Envelope" or body is None or len(body) != 1:
                raise ContractBreach("envelope", "Not a SOAP 1.2 envelope with one element in its body.")
            check(body[0])
            operation = self._operations.get(etree.QName(body[0]).localname)
            if operation is None:
                raise ContractBreach("operation", "This is not an operation of this endpoint.")
            with self._books.transaction():
                answer = operation(body[0])
            check(answer)
            return Response(_enveloped(answer), media_type=_XML)
        except ContractBreach as breach:
            self._books.connection.execute("INSERT INTO refused VALUES (?)", (f"{breach.code}: {breach}",))
            return Response(_fault(breach), 400, media_type=_XML)

    def _submit(self, body: etree._Element) -> etree._Element:
        space = f"{{{etree.QName(body).namespace}}}"
        head = {name: body.findtext(f"{space}header/{space}{name}", "") for name in ("sdtCustomerId", "requestCount", "customerReference")}
        items = body.findall(f"{space}requests/{space}request")
        customer_reference, count = head["customerReference"], int(head["requestCount"])
        known = self._one("SELECT * FROM bulk WHERE customer_reference = ?", customer_reference)
        if head["sdtCustomerId"] != self._customer_id:
            return self._taken(head, "", "CUST_NOT_SETUP", "The Bulk Customer organisation is not set up to send a Service Request message.")
        if known is not None:
            said = (
                f"Duplicate User File Reference {customer_reference} supplied. This was previously used to submit a Bulk "
                f"Request on {known['at']} and the SDT Bulk Reference {known['reference']} was allocated."
            )
            return self._taken(head, "", "DUP_CUST_FILEID", said)
        if count != len(items):
            said = f"Unexpected Total Number of Requests identified. {len(items)} requested identified, {count} requests expected in Bulk Request {customer_reference}."
            return self._taken(head, "", "REQ_COUNT_MISMATCH", said)
        number = self._books.get("bulks", 0) + 1
        self._books.put("bulks", number)
        reference = f"MCOL-{self._clock.now():%Y%m%d%H%M%S}-{number:09d}"
        self._run("INSERT INTO bulk VALUES (?, ?, ?)", reference, customer_reference, self._clock.now().isoformat())
        for place, item in enumerate(items, 1):
            self._keep_item(reference, place, item)
        return self._taken(head, reference)

    def _keep_item(self, reference: str, place: int, item: etree._Element) -> None:
        request_id = item.get("requestId", "")
        is_known = self._one("SELECT 1 FROM item WHERE request_id = ?", request_id) is not None
        error = json.dumps(["DUP_CUST_REQID", f"Unique Request Identifier has been specified previously: {request_id}."])
        state, error = ("Rejected", error) if is_known else ("Received", "")
        kind, body = item.get("requestType", ""), etree.tostring(item).decode()
        self._run("INSERT INTO item VALUES (?, ?, ?, ?, ?, '', ?, ?)", request_id, reference, place, kind, state, error, body)

    def _taken(self, head: Mapping[str, str], reference: str, code: str = "", words: str = "") -> etree._Element:
        space = f"{{{_SDT}sdt/BulkResponseSchema}}"
        answer = etree.Element(f"{space}bulkResponse")
        _status(answer, f"{_BASE}status", "Error" if code else "Ok", code, words)
        _put(answer, f"{space}customerReference", head["customerReference"])
        if reference:
            _put(answer, f"{space}sdtBulkReference", reference)
        _put(answer, f"{space}submittedDate", self._clock.now().isoformat())
        _put(answer, f"{space}sdtService", "SDT")
        _put(answer, f"{space}requestCount", head["requestCount"])
        return answer

    def _feedback(self, body: etree._Element) -> etree._Element:
        asked, space = f"{{{etree.QName(body).namespace}}}", f"{{{_SDT}sdt/BulkFeedbackResponseSchema}}"
        reference = body.findtext(f"{asked}header/{asked}sdtBulkReference", "")
        customer = body.findtext(f"{asked}header/{asked}sdtCustomerId", "")
        known = self._one("SELECT * FROM bulk WHERE reference = ?", reference)
        answer = etree.Element(f"{space}bulkFeedbackResponse")
        head = etree.SubElement(answer, f"{space}bulkRequestStatus")
        if known is None or customer != self._customer_id:
            words = f"There is no Bulk Request submission associated with your account for the supplied SDT Bulk Reference {reference}."
            _status(head, f"{_BASE}status", "Error", "BULK_REF_INVALID", words)
            _put(head, f"{space}sdtBulkReference", reference)
            _put(head, f"{space}sdtService", "SDT")
            return answer
        items = self._all("SELECT * FROM item WHERE reference = ? ORDER BY place", reference)
        _status(head, f"{_BASE}status", "Ok")
        for name, value in (
            ("customerReference", known["customer_reference"]), ("sdtBulkReference", reference),
            ("submittedDate", known["at"]), ("sdtService", "SDT"), ("requestCount", str(len(items))),
        ):  # fmt: skip
            _put(head, space + name, value)
        is_done = all(item["state"] in ("Accepted", "Rejected") for item in items)
        etree.SubElement(head, f"{space}bulkStatus").set("code", "Completed" if is_done else "Validated")
        box = etree.SubElement(answer, f"{space}responses")
        for item in items:
            self._response(box, space, item)
        return answer

    def _response(self, box: etree._Element, space: str, item: Json) -> None:
        response = etree.SubElement(box, f"{space}response", requestType=item["kind"], requestId=item["request_id"])
        detail = etree.SubElement(response, f"{space}responseDetail")
        if item["claim_number"]:
            self._detail(etree.SubElement(detail, f"{space}mcolResponseDetail"), item["claim_number"])
        code, words = json.loads(item["error"]) if item["error"] else ("", "")
        _status(response, f"{space}status", item["state"], code, words)

    def _detail(self, told: etree._Element, claim_number: str) -> None:
        today = self._clock.now().date()
        _put(told, f"{_MCOL}claimNumber", claim_number)
        _put(told, f"{_MCOL}issueDate", today.isoformat())
        _put(told, f"{_MCOL}serviceDate", (today + dt.timedelta(days=5)).isoformat())
        _put(told, f"{_MCOL}fee", "5000")

    def _query(self, body: etree._Element) -> etree._Element:
        space = f"{{{_SDT}sdt/SubmitQueryResponseSchema}}"
        since, until = (next((found.text or "" for found in body.iter(f"{_QUERY}{name}")), "") for name in ("fromDate", "toDate"))
        found = [row for row in self._all("SELECT * FROM defence ORDER BY at") if since[:19] <= row["at"][:19] <= until[:19]]
        answer = etree.Element(f"{space}submitQueryResponse")
        _status(answer, f"{_BASE}status", "Ok")
        for name, value in (("sdtCustomerId", self._customer_id), ("sdtService", "SDT"), ("resultCount", str(len(found)))):
            _put(answer, space + name, value)
        results = etree.SubElement(answer, f"{space}results")
        for row in found:
            detail = etree.SubElement(results, f"{space}mcolDefenceDetail")
            _put(detail, f"{_QUERY}claimNumber", row["claim_number"])
            told = etree.SubElement(detail, f"{_QUERY}defendantResponse", defendantId="1")
            for name, value in (
                ("filedDate", row["at"][:10]), ("eventCreatedDateOnMcol", row["at"][:19]), ("raisedOnMcol", "true"),
                ("responseType", row["response_type"]), ("defence", row["text"]),
            ):  # fmt: skip
                _put(told, _QUERY + name, value)
        return answer

    # --- control ------------------------------------------------------------------------------------------------------

    def actions(self) -> dict[str, Callable[[Json], Any]]:
        """The control actions of this twin."""
        return {"work": self._work, "defence": self._defence, "update": self._update, "books": self._report}

    def _work(self, payload: Json) -> Json:
        rejected = set(payload.get("reject", ()))
        waiting = self._all("SELECT rowid, * FROM item WHERE state = 'Received' ORDER BY rowid")
        for item in waiting:
            if item["request_id"] in rejected:
                error = json.dumps(["12", "Invalid Cost supplied."])
                self._run("UPDATE item SET state = 'Rejected', error = ? WHERE rowid = ?", error, item["rowid"])
            else:
                number = f"{item['rowid']:04d}QX{item['rowid'] % 100:02d}" if item["kind"] == "mcolClaim" else ""
                self._run("UPDATE item SET state = 'Accepted', claim_number = ? WHERE rowid = ?", number, item["rowid"])
        return {"decided": len(waiting)}

    def _defence(self, payload: Json) -> Json:
        at = self._clock.now().isoformat()
        self._run("INSERT INTO defence VALUES (?, ?, ?, ?)", payload["claim_number"], payload["response_type"], payload["text"], at)
        return {"at": at}

    async def _update(self, payload: Json) -> Json:
        space = f"{{{_SDT}sdt/IndividualUpdateRequestSchema}}"
        item = self._one("SELECT * FROM item WHERE request_id = ?", payload["request_id"])
        sdt_id = f"{item['reference']}-{item['place']:07d}" if item else payload["request_id"]
        body = etree.Element(f"{space}updateRequest")
        _put(etree.SubElement(body, f"{space}header"), f"{space}sdtRequestId", sdt_id)
        if payload.get("claim_number"):
            detail = etree.SubElement(body, f"{space}targetAppDetail")
            self._detail(etree.SubElement(detail, f"{_MCOL}mcolResponseDetail"), payload["claim_number"])
        is_refused = payload["status"] == "Rejected"
        _status(body, f"{space}status", payload["status"], "12" if is_refused else "", "Invalid Cost supplied." if is_refused else "")
        check(body)
        token = base64.b64encode(f"{payload['username']}:{payload['password']}".encode()).decode()
        headers = {"Content-Type": f'{_XML}; action=""', "Authorization": f"Basic {token}"}
        reply = await run_in_threadpool(requests.post, payload["url"], data=_enveloped(body), headers=headers, timeout=30)
        told = parse(reply.content).find(f"{{{_SOAP}}}Body")
        assert told is not None, "the hub answers with an envelope"
        if etree.QName(told[0]).localname == "updateResponse":
            check(told[0])
        status = next(told.iter(f"{_BASE}status", f"{{{_SDT}sdt/IndividualUpdateResponseSchema}}status"), None)
        return {"http": reply.status_code, "answer": etree.QName(told[0]).localname,
                "code": "" if status is None else status.get("code")}  # fmt: skip

    def _report(self, _: Json) -> Json:
        return {
            "bulks": self._all("SELECT * FROM bulk ORDER BY reference"), "items": self._all("SELECT * FROM item ORDER BY rowid"),
            "refused": [row["reason"] for row in self._all("SELECT * FROM refused")],
        }  # fmt: skip

    def _all(self, query: str, *values: object) -> list[Json]:
        return [dict(row) for row in self._books.connection.execute(query, values)]

    def _one(self, query: str, *values: object) -> Json | None:
        return next(iter(self._all(query, *values)), None)

    def _run(self, query: str, *values: object) -> None:
        self._books.connection.execute(query, values)


def _put(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def _status(parent: etree._Element, name: str, state: str, code: str = "", words: str = "") -> None:
    status = etree.SubElement(parent, name, code=state)
    if code:
        error = etree.SubElement(status, f"{_BASE}error")
        _put(error, f"{_BASE}code", code)
        _put(error, f"{_BASE}description", words[:255])


def _enveloped(content: etree._Element) -> bytes:
    envelope = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"soap": _SOAP})
    etree.SubElement(envelope, f"{{{_SOAP}}}Body").append(content)
    return to_bytes(envelope)


def _fault(breach: ContractBreach) -> bytes:
    fault = etree.Element(f"{{{_SOAP}}}Fault", nsmap={"soap": _SOAP})
    _put(etree.SubElement(fault, f"{{{_SOAP}}}Code"), f"{{{_SOAP}}}Value", "soap:Sender")
    reason = etree.SubElement(etree.SubElement(fault, f"{{{_SOAP}}}Reason"), f"{{{_SOAP}}}Text")
    reason.text = f"{breach.code}: {breach}"
    reason.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    return _enveloped(fault)


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    books = open_books(options, _TABLES)
    clock = Clock(books)
    customer_id = options.setting("customer_id", "12345678")
    gateway = Gateway(books, clock, customer_id)
    facts = {"host": LOOPBACK, "path": PATH, "customer_id": customer_id, "partner_ref": options.setting("ref", "sdt")}

    async def told() -> Json:
        return facts

    serve_http(options, Starlette(routes=[Route(PATH, gateway.endpoint, methods=["POST"])]), clock, gateway.actions(), told)
