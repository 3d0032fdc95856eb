"""`/hooks/{connection_id}`: webhooks of ERPs and partners. Bytes are kept before anybody reads them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from collecthub.engine.context import Hub
from collecthub.engine.inbound import keep_inbound
from collecthub.errors import PermanentError
from collecthub.ports import HookAnswer, HookReceiver, HookRequest
from collecthub.registers import ConnectorRole
from collecthub.store.connections import ConnectionRow, read_connection
from collecthub.web.answers import PROBLEM
from collecthub.web.auth import TheHub
from collecthub.web.problems import problem, problem_response

router = APIRouter(tags=["hooks"])
_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"description": "Stored durably, now or before."}, "default": dict(PROBLEM)}
_BYTES = {"requestBody": {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}}


@router.post(
    "/hooks/{connection_id}", summary="Take a webhook", openapi_extra=_BYTES,
    responses=_ANSWERS,
)
async def receive_hook(request: Request, hub: TheHub, connection_id: str) -> Response:
    """The connection's plugin checks the signature; the same delivery again has no second effect."""
    asked = HookRequest(
        headers={name.lower(): value for name, value in request.headers.items()}, body=await request.body()
    )
    return await run_in_threadpool(take_hook, hub, connection_id, asked)


def take_hook(hub: Hub, connection_id: str, asked: HookRequest) -> Response:
    """Let the plugin judge the call, keep what it brings, wake who reads it."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    receiver = hub.connector_for(row) if row is not None else None
    if row is None or not isinstance(receiver, HookReceiver):
        return problem_response(problem("not-found"))
    try:
        told = hub.call(receiver.receive_hook, asked, what=f"{row.kind}.hook", connection_id=connection_id)
    except PermanentError as error:
        return problem_response(problem("invalid-signature", error.message, cure=error.cure))
    _keep(hub, row, told)
    return Response(told.body, told.status, media_type=told.media_type)


def _keep(hub: Hub, row: ConnectionRow, told: HookAnswer) -> None:
    with hub.work() as work:
        for message in told.messages:
            keep_inbound(hub, work, row, message)
        if told.pull_soon:
            work.wake("pull" if row.role == ConnectorRole.ERP.value else "receive", row.connection_id)
