"""`/exchange/v1`: this hub as the holder of other hubs' cases, as published in `exchange-rest-1.0.openapi.json`."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from collecthub.engine import peers, telling_peers
from collecthub.engine.case_work import open_task
from collecthub.engine.context import Hub
from collecthub.formats.json import JsonFormat
from collecthub.model.exchange import AccountLine, Exchange, Fault
from collecthub.store.queries.scope import Scope, not_there
from collecthub.web.answers import answer
from collecthub.web.api.fields import Inbound, Note, Ref
from collecthub.web.auth import Peer, TheHub
from collecthub.web.problems import ProblemError
from collecthub.web.strict_json import StrictRoute

# The contract of these paths is published on its own, so they are not in the API's description a second time.
router = APIRouter(prefix="/exchange/v1", tags=["exchange"], route_class=StrictRoute, include_in_schema=False)
_CURSOR = re.compile(r"[0-9]{1,18}")


class VerdictIn(Inbound):
    """What the other hub made of an exchange it read."""

    exchange_id: Ref
    accepted: bool
    code: Ref = ""
    reason: Note = ""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an exchange."""

    exchange_id: str
    state: str


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Our own books on the caller's cases."""

    items: tuple[AccountLine, ...]
    next_cursor: str | None = None


def _peer_id(scope: Scope) -> str:
    return scope.partner_id or ""


def _read(content: bytes) -> tuple[Exchange, tuple[Fault, ...]]:
    reading = JsonFormat().read(content)
    return reading.exchange, reading.faults


@router.post("/exchanges", status_code=202)
async def submit(
    request: Request, hub: TheHub, scope: Peer, idempotency_key: Annotated[str, Header(min_length=1, max_length=64)]
) -> Response:
    """Stored durably before it is answered; the key is the exchange's id."""
    content = await request.body()
    return await run_in_threadpool(_submit, hub, scope, idempotency_key, content)


def _submit(hub: Hub, scope: Scope, exchange_id: str, content: bytes) -> Response:
    return answer(peers.receive_exchange(hub, _peer_id(scope), exchange_id, content, _read), 202)


@router.get("/exchanges/{exchange_id:path}")
async def read_state(hub: TheHub, scope: Peer, exchange_id: str) -> Response:
    """received, accepted or refused."""
    with hub.database.read() as conn:
        state = peers.exchange_state(conn, _peer_id(scope), exchange_id)
    if state is None:
        raise not_there("exchange", exchange_id)
    return answer(State(exchange_id=exchange_id, state=state))


@router.get("/outbox")
def read_outbox(
    hub: TheHub, scope: Peer, after: Annotated[str, Query(max_length=140)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """What waits for the caller, oldest first."""
    if after and not _CURSOR.fullmatch(after):
        raise ProblemError("invalid-cursor")
    telling_peers.tell_peer(hub, _peer_id(scope))
    with hub.database.read() as conn:
        return answer(telling_peers.read_outbox(conn, _peer_id(scope), int(after or 0), limit))


@router.post("/verdicts", status_code=204)
def give_verdict(hub: TheHub, scope: Peer, body: VerdictIn) -> Response:
    """A refused exchange becomes a task for a person."""
    with hub.work() as work:
        if not telling_peers.knows_outgoing(work.conn, _peer_id(scope), body.exchange_id):
            raise not_there("exchange", body.exchange_id)
        if not body.accepted:
            open_task(
                work, kind="peer_refused", title=f"{_peer_id(scope)} could not take exchange {body.exchange_id}",
                detail=f"{body.code} {body.reason}".strip(), creditor_id=peers.peer_creditor_id(_peer_id(scope)),
            )
    return Response(status_code=204)


@router.get("/accounts")
def read_accounts(hub: TheHub, scope: Peer) -> Response:
    """All the caller's cases, the stopped ones too."""
    with hub.database.read() as conn:
        return answer(Books(items=tuple(telling_peers.accounts(conn, _peer_id(scope)))))


