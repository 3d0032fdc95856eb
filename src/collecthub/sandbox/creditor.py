"""A creditor's own system: receives the hub's webhooks, trusts none without its signature, keeps every one.

`POST /hooks`. Ready file: `hook_path`, `secret`. Control: `books` (everything received), `secret` (`{"secret": ...}`
when the hub chose it). Status 410 or 500, or a slow answer, is a fault: see `faults` of the frame.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collecthub.sandbox.standard_webhooks import fault_of
from collecthub.sandbox.twin import Books, Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import Control, serve_http

_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY, webhook_id TEXT UNIQUE NOT NULL, received_at TEXT NOT NULL, body TEXT NOT NULL,
    copies INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS refused (
    number INTEGER PRIMARY KEY, webhook_id TEXT NOT NULL, received_at TEXT NOT NULL, reason TEXT NOT NULL);
"""
PATH = "/hooks"


class Receiver:
    """Checks, then keeps: a delivery once per webhook-id, copies counted; what was refused with its reason."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock
        if not books.get("secret"):
            books.put("secret", "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode())

    @property
    def secret(self) -> str:
        """The signing secret that was agreed with the hub."""
        return str(self._books.get("secret"))

    def actions(self) -> dict[str, Control]:
        """The control actions of this twin."""
        return {"books": self._report, "secret": self._agree}

    async def endpoint(self, request: Request) -> Response:
        """One delivery."""
        body = await request.body()
        webhook_id, at = request.headers.get("webhook-id", ""), self._clock.now().isoformat()
        reason, status = fault_of(self.secret, request.headers, body, time.time()), 401
        if not reason:
            reason, status = _malformed(body), 400
        if reason:
            self._books.connection.execute(
                "INSERT INTO refused (webhook_id, received_at, reason) VALUES (?, ?, ?)", (webhook_id, at, reason)
            )
            return JSONResponse({"detail": reason}, status)
        self._books.connection.execute(
            "INSERT INTO deliveries (webhook_id, received_at, body) VALUES (?, ?, ?) "
            "ON CONFLICT (webhook_id) DO UPDATE SET copies = copies + 1",
            (webhook_id, at, body.decode()),
        )
        return Response(status_code=204)

    def _report(self, _: dict[str, Any]) -> Any:
        rows = self._books.connection.execute("SELECT * FROM deliveries ORDER BY number").fetchall()
        refused = self._books.connection.execute("SELECT webhook_id, received_at, reason FROM refused").fetchall()
        return {
            "deliveries": [{**dict(row), "body": json.loads(row["body"])} for row in rows],
            "duplicates": sum(row["copies"] for row in rows),
            "refused": [dict(row) for row in refused],
        }

    def _agree(self, payload: dict[str, Any]) -> Any:
        base64.b64decode(payload["secret"].removeprefix("whsec_"), validate=True)
        self._books.put("secret", payload["secret"])
        return {}


def _malformed(body: bytes) -> str:
    try:
        json.loads(body)
    except ValueError as error:
        return f"not JSON: {error}"
    return ""


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    books = open_books(options, _SCHEMA)
    clock = Clock(books)
    receiver = Receiver(books, clock)

    async def facts() -> dict[str, Any]:
        return {"hook_path": PATH, "secret": receiver.secret}

    surface = Starlette(routes=[Route(PATH, receiver.endpoint, methods=["POST"])])
    serve_http(options, surface, clock, receiver.actions(), facts)
