"""A gateway of text messages after the GSMA OneAPI (OMA RESTful Network API for Messaging): strict, sends none, counts all.

`POST {base}/outbound/tel:SENDER/requests` with a bearer token. A `clientCorrelator` that was seen is a duplicate
(SVC0005) and is counted, never kept twice. `GET {base}/inbound/registrations/ID/messages` lists answers, `DELETE` of one
below it forgets it. Ready file: `base_path`, `token`, `sender`, `registration`. Control: `messages` (GET: `to`),
`books` (count, copies), `reply` (`{"from": ..., "text": ...}`: somebody answers), `unknown_number` (`{"to": ...}`: refused as SVC0004 for good).
"""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collecthub.sandbox.twin import Books, Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import Control, serve_http

_SCHEMA = """CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY, correlator TEXT UNIQUE NOT NULL, address TEXT NOT NULL, message TEXT NOT NULL,
    received_at TEXT NOT NULL, copies INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS answers (
    number INTEGER PRIMARY KEY, sender TEXT NOT NULL, message TEXT NOT NULL, received_at TEXT NOT NULL)"""
BASE, SENDER, REGISTRATION = "/smsmessaging/v1", "3280012345", "answers-1"
_ADDRESS = re.compile(r"tel:\+[1-9][0-9]{6,14}")
_LONGEST = 1530  # ten parts
_BATCH_MOST = 100


class Gateway:
    """Checks, then keeps: a message once per correlator."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock
        self._unknown: set[str] = set()
        if not books.get("token"):
            books.put("token", secrets.token_urlsafe(18))

    @property
    def token(self) -> str:
        """The token of the one account."""
        return str(self._books.get("token"))

    def actions(self) -> dict[str, Control]:
        """The control actions of this twin."""
        return {
            "messages": self._messages, "books": self._report, "unknown_number": self._unknown_number, "reply": self._reply,
        }  # fmt: skip

    async def inbound(self, request: Request) -> Response:
        """The answers that wait, oldest first; or one is forgotten."""
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse({"requestError": _policy("POL0001", "A policy error occurred")}, 401)
        if request.path_params["registration"] != REGISTRATION:
            return _refused("SVC0002", "Invalid input value for message part %1", "registrationId")
        if request.method == "DELETE":
            number = request.path_params["message_id"].removeprefix("in-")
            with self._books.transaction() as conn:
                gone = conn.execute("DELETE FROM answers WHERE number = ?", (number,)).rowcount
            return Response(status_code=204 if gone else 404)
        size = request.query_params.get("maxBatchSize", "")
        if not size.isascii() or not size.isdigit() or not 0 < int(size) <= _BATCH_MOST:
            return _refused("SVC0002", "Invalid input value for message part %1", "maxBatchSize")
        return JSONResponse({"inboundSMSMessageList": self._batch(int(size))})

    def _batch(self, size: int) -> dict[str, Any]:
        conn = self._books.connection
        waiting = conn.execute("SELECT count(*) FROM answers").fetchone()[0]
        path = f"{BASE}/inbound/registrations/{REGISTRATION}/messages"
        messages = [
            {
                "dateTime": row["received_at"], "destinationAddress": SENDER, "messageId": f"in-{row['number']}",
                "message": row["message"], "senderAddress": f"tel:{row['sender']}", "resourceURL": f"{path}/in-{row['number']}",
            }
            for row in conn.execute("SELECT * FROM answers ORDER BY number LIMIT ?", (size,))
        ]  # fmt: skip
        return {
            "inboundSMSMessage": messages, "numberOfMessagesInThisBatch": len(messages), "resourceURL": path,
            "totalNumberOfPendingMessages": waiting,
        }  # fmt: skip

    def _reply(self, payload: dict[str, Any]) -> Any:
        with self._books.transaction() as conn:
            conn.execute(
                "INSERT INTO answers (sender, message, received_at) VALUES (?, ?, ?)",
                (str(payload["from"]), str(payload["text"]), self._clock.now().isoformat()),
            )
        return {"kept": True}

    async def endpoint(self, request: Request) -> Response:
        """One message."""
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse({"requestError": _policy("POL0001", "A policy error occurred")}, 401)
        if request.path_params["sender"] != f"tel:{SENDER}":
            return _refused("SVC0004", "No valid addresses provided in message part %1", "senderAddress", status=403)
        try:
            asked = json.loads(await request.body())["outboundSMSMessageRequest"]
            [address] = asked["address"]
            text, correlator = asked["outboundSMSTextMessage"]["message"], asked["clientCorrelator"]
        except (ValueError, KeyError, TypeError):
            return _refused("SVC0002", "Invalid input value for message part %1", "outboundSMSMessageRequest")
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST or not isinstance(correlator, str):
            return _refused("SVC0002", "Invalid input value for message part %1", "message")
        if not isinstance(address, str) or not _ADDRESS.fullmatch(address) or address in self._unknown:
            return _refused("SVC0004", "No valid addresses provided in message part %1", "address")
        return self._kept(address, text, correlator)

    def _kept(self, address: str, text: str, correlator: str) -> Response:
        with self._books.transaction() as conn:
            known = conn.execute("UPDATE messages SET copies = copies + 1 WHERE correlator = ?", (correlator,)).rowcount
            if known:
                return _refused(
                    "SVC0005", "Correlator %1 specified in message part %2 is a duplicate", correlator, "clientCorrelator"
                )
            conn.execute(
                "INSERT INTO messages (correlator, address, message, received_at) VALUES (?, ?, ?, ?)",
                (correlator, address, text, self._clock.now().isoformat()),
            )
        place = f"{BASE}/outbound/tel:{SENDER}/requests/{correlator}"
        return JSONResponse({"outboundSMSMessageRequest": {"resourceURL": place}}, 201, headers={"Location": place})

    def _messages(self, payload: dict[str, Any]) -> Any:
        rows = self._books.connection.execute(
            "SELECT * FROM messages WHERE address LIKE ? ORDER BY number", (f"%{payload.get('to', '')}%",)
        )
        return {"items": [dict(row) for row in rows]}

    def _report(self, _: dict[str, Any]) -> Any:
        row = self._books.connection.execute("SELECT count(*), coalesce(sum(copies), 0) FROM messages").fetchone()
        return {"messages": row[0], "copies": row[1]}

    def _unknown_number(self, payload: dict[str, Any]) -> Any:
        self._unknown.add(str(payload["to"]))
        return {"unknown": sorted(self._unknown)}


def _policy(code: str, text: str) -> dict[str, Any]:
    return {"policyException": {"messageId": code, "text": text, "variables": []}}


def _refused(code: str, text: str, *variables: str, status: int = 400) -> Response:
    error = {"serviceException": {"messageId": code, "text": text, "variables": list(variables)}}
    return JSONResponse({"requestError": error}, status)


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    books = open_books(options, _SCHEMA)
    clock = Clock(books)
    gateway = Gateway(books, clock)

    async def facts() -> dict[str, Any]:
        return {"base_path": BASE, "token": gateway.token, "sender": SENDER, "registration": REGISTRATION}

    path = BASE + "/outbound/{sender}/requests"
    inbound = BASE + "/inbound/registrations/{registration}/messages"
    surface = Starlette(
        routes=[
            Route(path, gateway.endpoint, methods=["POST"]), Route(inbound, gateway.inbound, methods=["GET"]),
            Route(inbound + "/{message_id}", gateway.inbound, methods=["DELETE"]),
        ]
    )
    serve_http(options, surface, clock, gateway.actions(), facts)
