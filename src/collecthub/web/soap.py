"""`/exchange/v1/soap`: the published case-exchange WSDL over SOAP 1.1 and 1.2, for partners who call the hub.

Who calls is known by an API key of a partner, given as the password of a WS-Security UsernameToken or of HTTP basic
authentication (the user name is the partner's id), or as a bearer token. A partner with a mailbox fetches his cases here
and submits what happened in them; a partner without one is another hub that hands cases over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from collecthub.engine import mailbox, peers, telling_peers
from collecthub.engine.case_work import open_task
from collecthub.engine.context import Hub
from collecthub.errors import PermanentError, QuarantineError
from collecthub.formats.json import JsonFormat
from collecthub.formats.published import WSDL, XSD, schema_folder
from collecthub.formats.xml import XmlFormat
from collecthub.model.exchange import Exchange, Fault
from collecthub.ports import Verdict
from collecthub.store import accounts
from collecthub.store.connections import ConnectionRow
from collecthub.store.queries.scope import Role
from collecthub.web.auth import TheHub
from collecthub.wire import soap_service as soap
from collecthub.wire.soap_service import SoapCall, SoapRefusal
from collecthub.wire.xml import Element, Schema, parse

PATH = "/exchange/v1/soap"
router = APIRouter(tags=["exchange"], include_in_schema=False)
_CASE, _SERVICE = "{urn:collecthub:case-exchange:1.0}", "{urn:collecthub:case-exchange:1.0:service}"
_XML = "text/xml; charset=utf-8"


class Caller(msgspec.Struct, frozen=True):
    """The partner at the door, and his mailbox if he has one."""

    hub: Hub
    partner_id: str
    box: ConnectionRow | None


@router.get(PATH)
async def read_wsdl(hub: TheHub) -> Response:
    """The contract, with this hub's address and both versions of SOAP in it."""
    endpoint = f"{hub.settings.public_url.rstrip('/')}{PATH}"
    return Response(soap.with_soap_12((schema_folder() / WSDL).read_bytes(), endpoint), media_type=_XML)


@router.get(f"/exchange/v1/{XSD}")
async def read_xsd() -> Response:
    """The schema that the contract imports."""
    return Response((schema_folder() / XSD).read_bytes(), media_type=_XML)


@router.post(PATH)
async def call(request: Request, hub: TheHub) -> Response:
    """One call; whatever is wrong with it is answered with a fault that says where."""
    content = await request.body()
    return await run_in_threadpool(_answered, hub, content, dict(request.headers))


def _answered(hub: Hub, content: bytes, headers: Mapping[str, str]) -> Response:
    try:
        called = soap.read_call(
            content, content_type=headers.get("content-type", ""), action=headers.get("soapaction", ""),
            authorization=headers.get("authorization", ""),
        )
        caller = _known(hub, called, headers.get("authorization", ""))
        reply = _performed(caller, called)
        return Response(soap.answer(called, reply), media_type=called.media_type)
    except SoapRefusal as refusal:
        content = soap.fault(refusal, _detail(refusal))
        return Response(content, refusal.status, media_type=soap.fault_media_type(refusal))


def _known(hub: Hub, called: SoapCall, authorization: str) -> Caller:
    kind, _, bearer = authorization.partition(" ")
    secret = called.password or (bearer.strip() if kind.lower() == "bearer" else "")
    with hub.database.read() as conn:
        key = accounts.read_api_key(conn, secret) if secret else None
        scope = key.scope if key is not None else None
        partner_id = (scope.partner_id or "") if scope is not None and scope.role is Role.PARTNER else ""
        if not partner_id or called.username not in ("", partner_id):
            raise called.refuse("credentials", "User name or password is missing or wrong.", status=401)
        return Caller(hub, partner_id, mailbox.mailbox_of(conn, partner_id))


def _performed(caller: Caller, called: SoapCall) -> Element:
    act = _OPERATIONS.get(called.body.tag)
    if act is None:
        raise called.refuse("operation", f"There is no operation {called.operation[:80]} in the contract.")
    if called.operation != "SubmitExchange":  # single bad messages of an exchange are for its reader
        for found in _schema().check(called.body):
            raise called.refuse("xml.schema", f"{found.message} ({found.path}, line {found.line})")
    try:
        return act(caller, called)
    except QuarantineError as error:
        raise called.refuse(error.code, error.message) from error
    except PermanentError as error:
        raise called.refuse("refused", f"{error.message}. {error.cure}") from error


@cache
def _schema() -> Schema:
    return Schema.of_wsdl(schema_folder() / WSDL)


# --- operations ---------------------------------------------------------------------------------------------------


def _submit(caller: Caller, called: SoapCall) -> Element:
    if len(called.body) != 1 or called.body[0].tag != f"{_CASE}Exchange":
        raise called.refuse("xml.schema", "SubmitExchange holds exactly one Exchange.")
    exchange = called.body[0]
    exchange_id = _text(exchange, f"{_CASE}ExchangeId")
    if not 0 < len(exchange_id) <= 64:
        raise called.refuse("exchange.id", "ExchangeId is missing or longer than 64 characters.")
    content = soap.detached(exchange)
    if caller.box is not None:
        received = mailbox.bring_mail(caller.hub, caller.box, exchange_id, content)
    else:
        received = peers.receive_exchange(caller.hub, caller.partner_id, exchange_id, content, _read)
    return _reply(called, ExchangeId=exchange_id, Duplicate=received.duplicate)


def _read(content: bytes) -> tuple[Exchange, tuple[Fault, ...]]:
    reading = XmlFormat().read(content)
    return reading.exchange, reading.faults


def _state(caller: Caller, called: SoapCall) -> Element:
    exchange_id = _text(called.body, f"{_SERVICE}ExchangeId")
    with caller.hub.database.read() as conn:
        if caller.box is not None:
            state = mailbox.mail_state(conn, caller.box, exchange_id)
        else:
            state = peers.exchange_state(conn, caller.partner_id, exchange_id)
    known = {} if state is None else {"State": state}
    return _reply(called, ExchangeId=exchange_id, Known=state is not None, **known)


def _fetch(caller: Caller, called: SoapCall) -> Element:
    after = _text(called.body, f"{_SERVICE}AfterCursor")
    limit = int(_text(called.body, f"{_SERVICE}Limit") or "100")
    if caller.box is not None:
        waiting, has_more = mailbox.read_mail(caller.hub, caller.box, after, limit)
        items = [(mail.cursor, mail.content) for mail in waiting]
    else:
        items, has_more = _outbox(caller, called, after, limit)
    reply = _reply(called)
    for cursor, content in items:
        item = _child(reply, "Item")
        _child(item, "Cursor", cursor)
        item.append(parse(content))
    _child(reply, "HasMore", has_more)
    return reply


def _outbox(caller: Caller, called: SoapCall, after: str, limit: int) -> tuple[list[tuple[str, bytes]], bool]:
    if after and not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise called.refuse("cursor", "AfterCursor is not a cursor of this service.")
    telling_peers.tell_peer(caller.hub, caller.partner_id)
    with caller.hub.database.read() as conn:
        found = telling_peers.read_outbox(conn, caller.partner_id, int(after or 0), limit)
    items = [(item.cursor, XmlFormat().encode(JsonFormat().read(bytes(item.exchange)).exchange)) for item in found.items]
    return items, found.next_cursor is not None


def _acknowledge(caller: Caller, called: SoapCall) -> Element:
    exchange_id, accepted, code, reason = (
        _text(called.body, _SERVICE + name) for name in ("ExchangeId", "Accepted", "Code", "Reason")
    )
    verdict = Verdict(is_accepted=accepted in ("true", "1"), code=code, reason=reason[:1000])
    if caller.box is not None:
        is_known = mailbox.give_mail_verdict(caller.hub, caller.box, exchange_id, verdict)
    else:
        is_known = _peer_verdict(caller, exchange_id, verdict)
    if not is_known:
        raise called.refuse("unknown_exchange", f"No exchange {exchange_id} was put out for you.")
    return _reply(called, ExchangeId=exchange_id)


def _peer_verdict(caller: Caller, exchange_id: str, verdict: Verdict) -> bool:
    with caller.hub.work() as work:
        if not telling_peers.knows_outgoing(work.conn, caller.partner_id, exchange_id):
            return False
        if not verdict.is_accepted:
            open_task(
                work, kind="peer_refused", title=f"{caller.partner_id} could not take exchange {exchange_id}",
                detail=f"{verdict.code} {verdict.reason}".strip(), creditor_id=peers.peer_creditor_id(caller.partner_id),
            )
    return True


def _accounts(caller: Caller, called: SoapCall) -> Element:
    if caller.box is not None:
        raise called.refuse("operation", "The books on a case are with its holder; this hub holds none of yours.")
    with caller.hub.database.read() as conn:
        lines = tuple(telling_peers.accounts(conn, caller.partner_id))
    reply = _reply(called)
    reply.append(parse(XmlFormat().encode_accounts(lines)))
    return reply


_OPERATIONS: Mapping[object, Callable[[Caller, SoapCall], Element]] = {
    f"{_SERVICE}SubmitExchange": _submit,
    f"{_SERVICE}GetExchangeState": _state,
    f"{_SERVICE}FetchExchanges": _fetch,
    f"{_SERVICE}AcknowledgeExchange": _acknowledge,
    f"{_SERVICE}GetAccounts": _accounts,
}


# --- spelling -----------------------------------------------------------------------------------------------------


def _reply(called: SoapCall, **values: object) -> Element:
    reply = soap.element(f"{_SERVICE}{called.operation}Response")
    for name, value in values.items():
        _child(reply, name, value)
    return reply


def _child(parent: Element, name: str, value: object = "") -> Element:
    return soap.element(_SERVICE + name, str(value).lower() if isinstance(value, bool) else str(value), parent)


def _text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _detail(refusal: SoapRefusal) -> Sequence[Element]:
    told = soap.element(f"{_SERVICE}ExchangeFault")
    _child(told, "Code", refusal.code)
    _child(told, "Reason", refusal.reason[:1000])
    return (told,)
