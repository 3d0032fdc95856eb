"""Misbehaviour on request: an ASGI layer that answers errors, stalls, or cuts the connection within an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path starts with `path`.

    `status` answers that status instead of doing the work; `drop_after_bytes` does the work, sends so many
    bytes of the body and closes the connection (0: headers only); `delay_seconds` waits first.
    """

    path: str = "/"
    times: int = 1
    status: int = 0
    body: str = ""
    drop_after_bytes: int = -1
    delay_seconds: float = 0.0


class Faults:
    """Wraps a twin's vendor surface; faults are kept in memory and used up one request at a time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._pending: list[Fault] = []

    def add(self, fault: Mapping[str, Any]) -> None:
        """Plan a fault; unknown fields raise `TypeError`."""
        self._pending.append(Fault(**fault))

    def clear(self) -> None:
        """Forget all planned faults."""
        self._pending.clear()

    def pending(self) -> int:
        """How many requests will still go wrong."""
        return sum(fault.times for fault in self._pending)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._next(scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            return await self._app(scope, receive, send)
        if fault.delay_seconds:
            await asyncio.sleep(fault.delay_seconds)
        if fault.status:
            return await _answer(send, fault)
        cut = send if fault.drop_after_bytes < 0 else _cut(send, fault.drop_after_bytes)
        return await self._app(scope, receive, cut)

    def _next(self, path: str) -> Fault | None:
        fault = next((one for one in self._pending if path.startswith(one.path)), None)
        if fault is not None:
            fault.times -= 1
            if fault.times < 1:
                self._pending.remove(fault)
        return fault


async def _answer(send: Send, fault: Fault) -> None:
    body = fault.body.encode()
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _cut(send: Send, budget: int) -> Send:
    """Pass on the first `budget` body bytes and never the end; the server then closes the connection."""
    left = budget

    async def cutting(message: Message) -> None:
        nonlocal left
        if message["type"] != "http.response.body":
            return await send(message)
        part = message.get("body", b"")[:left]
        left -= len(part)
        return await send({"type": "http.response.body", "body": part, "more_body": True})

    return cutting
