"""What people look after: tasks, dispatches, quarantine."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from collecthub.engine import upkeep
from collecthub.engine.context import Work
from collecthub.store.queries import desks
from collecthub.store.queries.paging import Listed
from collecthub.web.answers import Accepted, answer, documented, documented_file, download
from collecthub.web.api.fields import Inbound, Paging, Text
from collecthub.web.api.once import OnceKey, once
from collecthub.web.auth import CreditorSide, Operator, OperatorOrPartner, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(route_class=StrictRoute)
Word = Annotated[str, Query(max_length=64)]
DONE = documented(Accepted)


class ResolveIn(Inbound):
    """How it was dealt with."""

    note: Text


class SettleIn(Inbound):
    """What a person found out about a sending without a receipt."""

    verdict: Literal["arrived", "send_again"]


@router.get("/tasks", tags=["tasks"], summary="List tasks", responses=documented(Listed[desks.TaskView]))
async def read_tasks(
    hub: TheHub, scope: CreditorSide, page: Paging, state: Word = "open", case_id: Word = ""
) -> Response:
    """What only a person can decide, oldest first."""
    with hub.database.read() as conn:
        return answer(desks.list_tasks(conn, scope, hub.key, page, state, case_id))


@router.post("/tasks/{task_id}/complete", tags=["tasks"], summary="Take a task off the list", responses=DONE)
def complete_task(hub: TheHub, scope: CreditorSide, task_id: str) -> Response:
    """Harmless to repeat."""
    with hub.work() as work:
        upkeep.complete_task(work, scope, task_id)
    return answer(Accepted())


@router.get(
    "/dispatches", tags=["dispatches"], summary="List sendings", responses=documented(Listed[desks.DispatchView])
)
async def read_dispatches(
    hub: TheHub, scope: OperatorOrPartner, page: Paging, state: Word = "", connection_id: Word = ""
) -> Response:
    """Newest first."""
    with hub.database.read() as conn:
        return answer(desks.list_dispatches(conn, scope, hub.key, page, state, connection_id))


@router.get(
    "/dispatches/{envelope_id}", tags=["dispatches"], summary="One sending", responses=documented(desks.DispatchDetail)
)
async def read_dispatch(hub: TheHub, scope: OperatorOrPartner, envelope_id: str) -> Response:
    """With every try and its outcome."""
    with hub.database.read() as conn:
        return answer(desks.dispatch_detail(conn, scope, envelope_id))


@router.post("/dispatches/{envelope_id}/settle", tags=["dispatches"], summary="Settle a doubt", responses=DONE)
def settle(hub: TheHub, scope: Operator, envelope_id: str, body: SettleIn, key: OnceKey) -> Response:
    """Say that it arrived, or send the same bytes again."""

    def act(work: Work) -> Response:
        upkeep.settle_dispatch(hub, work, scope, envelope_id, body.verdict)
        return answer(Accepted())

    return once(hub, scope, key, act)


@router.get(
    "/quarantine", tags=["quarantine"], summary="List what was not understood",
    responses=documented(Listed[desks.QuarantineView]),
)
async def read_quarantine(
    hub: TheHub, scope: CreditorSide, page: Paging, state: Word = "open", connection_id: Word = ""
) -> Response:
    """Each with its reason; nothing is ever dropped."""
    with hub.database.read() as conn:
        return answer(desks.list_quarantine(conn, scope, hub.key, page, state, connection_id))


@router.get(
    "/quarantine/{quarantine_id}", tags=["quarantine"], summary="One entry", responses=documented(desks.QuarantineView)
)
async def read_entry(hub: TheHub, scope: CreditorSide, quarantine_id: str) -> Response:
    """What it was, where it came from, why it stopped here."""
    with hub.database.read() as conn:
        return answer(desks.quarantine_entry(conn, scope, quarantine_id))


@router.get(
    "/quarantine/{quarantine_id}/content", tags=["quarantine"], summary="Its bytes",
    responses=documented_file("The bytes as they came in, to save."),
)
def read_content(hub: TheHub, scope: CreditorSide, quarantine_id: str) -> Response:
    """Never shown, only saved."""
    with hub.database.read() as conn:
        entry = desks.quarantine_entry(conn, scope, quarantine_id)
    return download(hub.evidence.read(entry.sha256), f"quarantine-{quarantine_id}.bin")


@router.post("/quarantine/{quarantine_id}/retry", tags=["quarantine"], summary="Read it again", responses=DONE)
def retry(hub: TheHub, scope: Operator, quarantine_id: str) -> Response:
    """After a code table, a plugin or a case was added."""
    with hub.work() as work:
        upkeep.retry_quarantine(work, scope, quarantine_id)
    return answer(Accepted())


@router.post("/quarantine/{quarantine_id}/resolve", tags=["quarantine"], summary="Close an entry", responses=DONE)
def resolve(hub: TheHub, scope: Operator, quarantine_id: str, body: ResolveIn) -> Response:
    """A person dealt with it and says how."""
    with hub.work() as work:
        upkeep.resolve_quarantine(work, scope, quarantine_id, note=body.note)
    return answer(Accepted())
