"""Serves a twin over HTTP: the vendor surface with its faults, and beside it the control API of the sandbox.

The control API (`/control/...`) is the test's hand in the twin, never the vendor's: no authentication, no limits.
Every twin has `health`, `clock` (`{"now": "2026-06-15T08:00:00+02:00", "frozen": false}` or
`{"advance_seconds": 570}`) and `faults` (a `Fault` as JSON; `{}` clears them). Refusals are 400 with `{"error"}`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from collecthub.sandbox.faults import Faults
from collecthub.sandbox.twin import Clock, ParentWatch, TwinOptions, announce, bind

_JSON = "application/json"
Control = Callable[[dict[str, Any]], Any]
"""One control action: the JSON object that was sent (empty on GET) to a JSON answer; may return an awaitable."""
Beside = Callable[[], Awaitable[Mapping[str, Any]]]
"""Starts further listeners in the same event loop and returns facts for the ready file (such as a port)."""


class ControlError(ValueError):
    """A control request that cannot be done; the text is shown to the test that asked."""


def serve_http(
    options: TwinOptions,
    surface: ASGIApp,
    clock: Clock,
    actions: Mapping[str, Control] | None = None,
    beside: Beside | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Serve `surface` on 127.0.0.1 until SIGTERM or the end of the parent; `actions` are control paths, `facts` what
    whoever connects has to know."""
    faults = Faults(surface)
    control = _control_app({**_standard_actions(clock, faults), **(actions or {})})
    listener = bind(options)
    asyncio.run(_serve(options, _split(control, faults), listener, beside, facts or {}))


async def _serve(
    options: TwinOptions, app: ASGIApp, listener: socket.socket, beside: Beside | None, facts: Mapping[str, Any]
) -> None:
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", server_header=False,
        timeout_graceful_shutdown=1, timeout_keep_alive=60, ws="none",
    )  # fmt: skip
    server = uvicorn.Server(config)
    facts = {**facts, **(await beside() if beside else {})}
    announcing = asyncio.create_task(_announce_then_watch(options, server, listener.getsockname()[1], facts))
    await server.serve(sockets=[listener])
    announcing.cancel()


async def _announce_then_watch(
    options: TwinOptions, server: uvicorn.Server, port: int, facts: Mapping[str, Any]
) -> None:
    while not server.started:
        await asyncio.sleep(0.01)
    announce(options, port, facts)
    watch = ParentWatch(options.parent_pid)
    while not watch.gone():
        await asyncio.sleep(0.25)
    server.should_exit = True


def _split(control: ASGIApp, surface: ASGIApp) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        target = control if scope.get("path", "").startswith("/control/") else surface
        await target(scope, receive, send)

    return app


def _control_app(actions: Mapping[str, Control]) -> Starlette:
    return Starlette(
        routes=[
            Route(f"/control/{path}", _endpoint(act), methods=["GET", "POST"])
            for path, act in actions.items()
        ]
    )


def _endpoint(act: Control) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            payload = orjson.loads(await request.body() or b"{}")
            if not isinstance(payload, dict):
                raise ControlError("A control request is a JSON object.")
            answer = act({**request.query_params, **payload})
            answer = await answer if asyncio.iscoroutine(answer) else answer
        except (ValueError, KeyError, TypeError, ArithmeticError, sqlite3.Error) as error:
            refusal = orjson.dumps({"error": f"{type(error).__name__}: {error}"})
            return Response(refusal, status_code=400, media_type=_JSON)
        return Response(orjson.dumps(answer), media_type=_JSON)

    return endpoint


def _standard_actions(clock: Clock, faults: Faults) -> dict[str, Control]:
    def set_clock(payload: dict[str, Any]) -> Any:
        if "now" in payload:
            moment = dt.datetime.fromisoformat(payload["now"])
            if moment.tzinfo is None:
                raise ControlError("'now' needs a zone, for example 2026-06-15T08:00:00+02:00.")
            clock.set(moment, frozen=bool(payload.get("frozen", False)))
        elif "advance_seconds" in payload:
            clock.advance(float(payload["advance_seconds"]))
        return {"now": clock.now().isoformat()}

    def plan_fault(payload: dict[str, Any]) -> Any:
        faults.add(payload) if payload else faults.clear()
        return {"pending": faults.pending()}

    return {"health": lambda _: {"ok": True}, "clock": set_clock, "faults": plan_fault}
