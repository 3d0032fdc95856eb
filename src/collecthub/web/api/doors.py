"""Creditors, partners, connections and the creditors' webhooks."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field

from collecthub.engine import release, upkeep
from collecthub.engine.context import Work
from collecthub.engine.doors import check_connection as try_connection
from collecthub.engine.own_doors import connect_for
from collecthub.ports import CheckStep
from collecthub.store.connections import Exclusions
from collecthub.store.queries import doors
from collecthub.store.queries.paging import Listed
from collecthub.web.answers import Accepted, answer, documented
from collecthub.web.api.fields import Amount, Id, Inbound, Line, Paging, Ref
from collecthub.web.api.once import OnceKey, once
from collecthub.web.auth import CreditorSide, Operator, OperatorOrPartner, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(route_class=StrictRoute)


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of a connection check; each failed one says what to do."""

    is_ok: bool
    steps: tuple[CheckStep, ...]


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """The new connection. An ERP starts in shadow: look at its first wave, then release it."""

    connection_id: str
    mode: str


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """How many cases may leave now."""

    connection_id: str
    cases: int


class ConnectIn(Inbound):
    """A connector kind and its settings; secrets among them are sealed and never shown again."""

    kind: Ref
    name: Line
    creditor_id: Id | None = None
    partner_id: Id | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class FirstWaveIn(Inbound):
    """What a person decided after seeing the first wave."""

    debtor_refs: tuple[Ref, ...] = ()
    group_refs: tuple[Ref, ...] = ()
    minimum_amount: Amount = Decimal(0)
    reminders_by: Annotated[str, Field(pattern="^(creditor|hub|nobody)$")] = "creditor"


def _exclusions(body: FirstWaveIn) -> Exclusions:
    return Exclusions(
        debtor_refs=body.debtor_refs, group_refs=body.group_refs, minimum_amount=body.minimum_amount,
        reminders_by=body.reminders_by,
    )


@router.get("/creditors", tags=["doors"], summary="List creditors", responses=documented(Listed[doors.CreditorView]))
async def read_creditors(hub: TheHub, scope: CreditorSide, page: Paging) -> Response:
    """The tenants of this hub; a creditor sees himself."""
    with hub.database.read() as conn:
        return answer(doors.list_creditors(conn, scope, hub.key, page))


@router.get("/partners", tags=["doors"], summary="List partners", responses=documented(Listed[doors.PartnerView]))
async def read_partners(hub: TheHub, scope: OperatorOrPartner, page: Paging) -> Response:
    """Who acts outside; a partner sees itself."""
    with hub.database.read() as conn:
        return answer(doors.list_partners(conn, scope, hub.key, page))


@router.get(
    "/connections", tags=["connections"], summary="List connections", responses=documented(Listed[doors.ConnectionView])
)
async def read_connections(
    hub: TheHub, scope: CreditorSide, page: Paging, role: Annotated[str, Query(pattern="^(erp|partner|reporter)?$")] = ""
) -> Response:
    """Each with its state, in words."""
    with hub.database.read() as conn:
        return answer(doors.list_connections(conn, scope, hub.key, page, role))


@router.post(
    "/connections", tags=["connections"], summary="Add a connection", status_code=201,
    responses=documented(Connected, 201),
)
def add_connection(hub: TheHub, scope: CreditorSide, body: ConnectIn, key: OnceKey) -> Response:
    """Nothing leaves by a new connection before a person has released it. A creditor adds his own ERP."""

    def act(work: Work) -> Response:
        connection_id = connect_for(
            hub, work, scope, kind=body.kind, name=body.name, settings=dict(body.settings),
            creditor_id=body.creditor_id, partner_id=body.partner_id,
        )
        mode = doors.owned_connection(work.conn, scope, connection_id).mode
        return answer(Connected(connection_id=connection_id, mode=mode), 201)

    return once(hub, scope, key, act)


@router.get(
    "/connections/{connection_id}", tags=["connections"], summary="One connection",
    responses=documented(doors.ConnectionDetail),
)
async def read_connection(hub: TheHub, scope: CreditorSide, connection_id: str) -> Response:
    """With its last pulls."""
    with hub.database.read() as conn:
        return answer(doors.connection_detail(conn, scope, connection_id))


@router.post(
    "/connections/{connection_id}/check", tags=["connections"], summary="Check a connection",
    responses=documented(Checked),
)
def check(hub: TheHub, scope: CreditorSide, connection_id: str) -> Response:
    """Step by step, with the cure of what failed."""
    steps = try_connection(hub, scope, connection_id)
    return answer(Checked(is_ok=all(step.is_ok for step in steps), steps=steps))


@router.post(
    "/connections/{connection_id}/sync", tags=["connections"], summary="Pull or listen now", status_code=202,
    responses=documented(Accepted, 202),
)
def sync(hub: TheHub, scope: CreditorSide, connection_id: str) -> Response:
    """Harmless to repeat: pulls of one connection run one after the other."""
    with hub.work() as work:
        upkeep.request_pull(work, scope, connection_id)
    return answer(Accepted(), 202)


@router.get(
    "/connections/{connection_id}/first-wave", tags=["connections"], summary="What would leave",
    responses=documented(release.FirstWave),
)
def read_first_wave(hub: TheHub, scope: CreditorSide, connection_id: str) -> Response:
    """Nothing is sent by looking."""
    return answer(release.first_wave(hub, scope, connection_id))


@router.post(
    "/connections/{connection_id}/first-wave", tags=["connections"], summary="What would leave with these exclusions",
    responses=documented(release.FirstWave),
)
def try_first_wave(hub: TheHub, scope: CreditorSide, connection_id: str, body: FirstWaveIn) -> Response:
    """The same question, with exclusions that are not set yet."""
    return answer(release.first_wave(hub, scope, connection_id, _exclusions(body)))


@router.post(
    "/connections/{connection_id}/release", tags=["connections"], summary="Let the first wave leave",
    responses=documented(Released),
)
def release_connection(hub: TheHub, scope: Operator, connection_id: str, body: FirstWaveIn) -> Response:
    """Harmless to repeat: what was released stays so, and the exclusions are those of the last call."""
    cases = release.release_connection(hub, scope, connection_id, _exclusions(body))
    return answer(Released(connection_id=connection_id, cases=cases))
