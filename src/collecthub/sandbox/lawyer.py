"""The lawyer's office: a SOAP 1.1 service that takes the published WSDL at its word.

`POST /exchange/v1/soap`; the contract itself is served at `?wsdl` and beside it. Credentials: HTTP basic or a
WS-Security UsernameToken (text). Ready file: `path`, `username`, `password`, `partner_ref`.
Control: `hub` (`sender_ref`), `work` (`days` or `up_to`, `advance_clock`), `books`, `down` (`seconds`). A reply that gets lost,
or HTML with status 200, is a fault: `faults` with `drop_after_bytes` 0, or with `status` 200 and a `body`.
Settings: see `office.profile_from`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from collecthub.sandbox.contract import ContractBreach
from collecthub.sandbox.exchange_xml import (
    NS,
    SERVICE_NS,
    WSDL,
    XSD,
    check,
    parse,
    read_exchange,
    to_bytes,
    write_accounts,
    write_exchange,
)
from collecthub.sandbox.office import Office, profile_from
from collecthub.sandbox.office_books import Json
from collecthub.sandbox.office_desk import ChangedExchange
from collecthub.sandbox.twin import LOOPBACK, Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import Control, serve_http

PATH = "/exchange/v1/soap"
SPOILS = {"truncated": "retry", "doctype": "retry"}
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_NAMES = {"c": NS, "s": SERVICE_NS, "soap": _ENVELOPE, "wsse": _WSSE}
_XML = "text/xml; charset=utf-8"


class Lawyer:
    """The operations of the WSDL over one office."""

    def __init__(self, office: Office, username: str, password: str) -> None:
        self.office = office
        self._credentials = (username, password)
        self._down_until = 0.0
        self._operations: dict[str, Callable[[etree._Element], etree._Element | bytes]] = {
            "SubmitExchange": self._submit,
            "GetExchangeState": self._state,
            "FetchExchanges": self._fetch,
            "AcknowledgeExchange": self._acknowledge,
            "GetAccounts": self._accounts,
        }

    def actions(self) -> dict[str, Control]:
        """The control actions of this twin."""
        return {"hub": self._know_hub, "work": self._work, "books": lambda _: self.office.report(), "down": self._down}

    def _know_hub(self, payload: Json) -> Json:
        self.office.books.books.put("hub_ref", payload["sender_ref"])
        return {"partner_ref": self.office.profile.ref}

    def _work(self, payload: Json) -> Json:
        return self.office.work(**payload)

    def _down(self, payload: Json) -> Json:
        self._down_until = time.monotonic() + payload["seconds"]
        return {}

    async def endpoint(self, request: Request) -> Response:
        """One SOAP call."""
        if time.monotonic() < self._down_until:
            return Response("<html>Service unavailable</html>", 503, {"Retry-After": "1"}, "text/html")
        try:
            envelope = parse(await request.body())
            body = self._opened(envelope, request.headers.get("authorization", ""))
            operation = etree.QName(body).localname
            check(body, service=True)
            if operation not in self._operations:
                raise ContractBreach("operation", f"There is no operation {operation}.")
            answer = self._operations[operation](body)
            return Response(answer if isinstance(answer, bytes) else _enveloped(answer), media_type=_XML)
        except ContractBreach as breach:
            with self.office.books.transaction():
                self.office.books.refuse(request.headers.get("soapaction", ""), breach.code, breach.reason)
            return Response(_fault(breach), 401 if breach.code == "credentials" else 500, media_type=_XML)

    def _opened(self, envelope: etree._Element, authorization: str) -> etree._Element:
        """The one element in the body of an envelope whose sender is known."""
        if envelope.tag != f"{{{_ENVELOPE}}}Envelope":
            raise ContractBreach("envelope", "Not a SOAP 1.1 envelope.")
        if not self._is_known(envelope, authorization):
            raise ContractBreach("credentials", "User name or password is missing or wrong.")
        children = envelope.xpath("soap:Body/*", namespaces=_NAMES)
        if not isinstance(children, list) or len(children) != 1 or not isinstance(children[0], etree._Element):
            raise ContractBreach("envelope", "A SOAP body holds exactly one element.")
        return children[0]

    def _is_known(self, envelope: etree._Element, authorization: str) -> bool:
        wanted = ":".join(self._credentials)
        name, password = (
            envelope.findtext(f"soap:Header/wsse:Security/wsse:UsernameToken/wsse:{part}", "", namespaces=_NAMES)
            for part in ("Username", "Password")
        )
        basic = "Basic " + base64.b64encode(wanted.encode()).decode()
        return hmac.compare_digest(f"{name}:{password}".encode(), wanted.encode()) or hmac.compare_digest(
            authorization.encode(), basic.encode()
        )

    def _submit(self, body: etree._Element) -> etree._Element:
        element = body[0]
        exchange = read_exchange(element)
        if (exchange["sender_ref"], exchange["receiver_ref"]) != (self.office.hub_ref, self.office.profile.ref):
            raise ContractBreach("address", f"Not from {self.office.hub_ref} to {self.office.profile.ref}.")
        digest = hashlib.sha256(etree.tostring(element, method="c14n", exclusive=True)).hexdigest()
        try:
            received = self.office.receive(exchange, digest)
        except ChangedExchange as error:
            raise ContractBreach("changed", str(error)) from error
        answer = _answer("SubmitExchange", ExchangeId=received.exchange_id, Duplicate=received.is_duplicate)
        if received.replies:
            answer.append(write_exchange(received.replies))
        return answer

    def _state(self, body: etree._Element) -> etree._Element:
        exchange_id = _text(body, "ExchangeId")
        state = self.office.state_of(exchange_id)
        known = {"Known": bool(state), **({"State": state} if state else {})}
        return _answer("GetExchangeState", ExchangeId=exchange_id, **known)

    def _fetch(self, body: etree._Element) -> etree._Element | bytes:
        after, limit = _text(body, "AfterCursor") or "0", int(_text(body, "Limit") or "100")
        if not after.isdecimal():
            raise ContractBreach("cursor", "AfterCursor is not a cursor of this service.")
        if spoilt := self.office.next_spoilt():
            whole = _enveloped(_fetched([spoilt], has_more=False))
            return whole[: len(whole) // 2] if spoilt["spoil"] == "truncated" else _with_doctype(whole)
        found = self.office.outbox(int(after), limit + 1)
        return _fetched(found[:limit], has_more=len(found) > limit)

    def _acknowledge(self, body: etree._Element) -> etree._Element:
        exchange_id = _text(body, "ExchangeId")
        is_known = self.office.record_verdict(
            exchange_id, accepted=_text(body, "Accepted") in ("true", "1"),
            code=_text(body, "Code"), reason=_text(body, "Reason"),
        )  # fmt: skip
        if not is_known:
            raise ContractBreach("unknown_exchange", f"This office did not send an exchange {exchange_id}.")
        return _answer("AcknowledgeExchange", ExchangeId=exchange_id)

    def _accounts(self, _: etree._Element) -> etree._Element:
        answer = _answer("GetAccounts")
        answer.append(write_accounts(self.office.accounts()))
        return answer


def _text(body: etree._Element, name: str) -> str:
    return body.findtext(f"s:{name}", "", namespaces=_NAMES)


def _answer(operation: str, **values: Any) -> etree._Element:
    answer = etree.Element(f"{{{SERVICE_NS}}}{operation}Response", nsmap={"s": SERVICE_NS})
    for name, value in values.items():
        etree.SubElement(answer, f"{{{SERVICE_NS}}}{name}").text = str(value).lower() if value in (True, False) else value
    return answer


def _fetched(found: list[Json], *, has_more: bool) -> etree._Element:
    answer = etree.Element(f"{{{SERVICE_NS}}}FetchExchangesResponse", nsmap={"s": SERVICE_NS})
    for one in found:
        item = etree.SubElement(answer, f"{{{SERVICE_NS}}}Item")
        etree.SubElement(item, f"{{{SERVICE_NS}}}Cursor").text = str(one["cursor"])
        item.append(write_exchange(one["exchange"]))
    etree.SubElement(answer, f"{{{SERVICE_NS}}}HasMore").text = str(has_more).lower()
    return answer


def _enveloped(content: etree._Element) -> bytes:
    envelope = etree.Element(f"{{{_ENVELOPE}}}Envelope", nsmap={"soap": _ENVELOPE})
    etree.SubElement(envelope, f"{{{_ENVELOPE}}}Body").append(content)
    return to_bytes(envelope)


def _with_doctype(xml: bytes) -> bytes:
    return xml.replace(b"<soap:Envelope", b"<!DOCTYPE Envelope>\n<soap:Envelope", 1)


def _fault(breach: ContractBreach) -> bytes:
    fault = etree.Element(f"{{{_ENVELOPE}}}Fault", nsmap={"soap": _ENVELOPE})
    etree.SubElement(fault, "faultcode").text = "soap:Client"
    etree.SubElement(fault, "faultstring").text = f"{breach.code}: {breach.reason}"
    told = etree.SubElement(etree.SubElement(fault, "detail"), f"{{{SERVICE_NS}}}ExchangeFault")
    etree.SubElement(told, f"{{{SERVICE_NS}}}Code").text = breach.code
    etree.SubElement(told, f"{{{SERVICE_NS}}}Reason").text = breach.reason
    return _enveloped(fault)


async def _contract(request: Request) -> Response:
    return FileResponse(XSD if request.url.path.endswith(".xsd") else WSDL, media_type="text/xml")


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    books = open_books(options)
    clock = Clock(books)
    password = books.get("password") or secrets.token_urlsafe(18)
    books.put("password", password)
    ref = options.setting("ref", "lawyer")
    office = Office(books, clock, profile_from(options, ref=ref, kind="lawyer", spoils=SPOILS))
    lawyer = Lawyer(office, "hub", password)
    surface = Starlette(
        routes=[
            Route(PATH, lawyer.endpoint, methods=["POST"]),
            Route(PATH, _contract, methods=["GET"]),
            Route(f"/exchange/v1/{XSD.name}", _contract, methods=["GET"]),
        ]
    )
    facts = {"host": LOOPBACK, "path": PATH, "username": "hub", "password": password, "partner_ref": ref}
    serve_http(options, surface, clock, lawyer.actions(), _facts(facts))


def _facts(facts: Json) -> Callable[[], Any]:
    async def told() -> Json:
        return facts

    return told
