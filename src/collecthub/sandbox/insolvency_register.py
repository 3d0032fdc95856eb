"""A register of insolvencies: strict, publishes what the control page puts in, oldest first, a page at a time.

`GET {base}/publications?limit=N&after=POSITION` with a bearer token; `next` is the position after the page's last one.
Ready file: `base_path`, `token`. Control: `publish` (one publication as it goes out), `books` (count, looks),
`be_away` (`{"times": 1}`: answers 503 so often).
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collecthub.sandbox.twin import Books, Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import Control, serve_http

_SCHEMA = "CREATE TABLE IF NOT EXISTS publications (position INTEGER PRIMARY KEY, content TEXT NOT NULL)"
BASE, LARGEST_PAGE = "/register/v1", 500


class Register:
    """Keeps publications in the order they were made."""

    def __init__(self, books: Books) -> None:
        self._books, self._away, self._looks = books, 0, 0
        if not books.get("token"):
            books.put("token", secrets.token_urlsafe(18))

    @property
    def token(self) -> str:
        """The token of the one subscription."""
        return str(self._books.get("token"))

    def actions(self) -> dict[str, Control]:
        """The control actions of this twin."""
        return {"publish": self._publish, "books": self._report, "be_away": self._be_away}

    async def endpoint(self, request: Request) -> Response:
        """One page."""
        self._looks += 1
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse({"error": "unknown token"}, 401)
        if self._away > 0:
            self._away -= 1
            return JSONResponse({"error": "closed for a moment"}, 503)
        limit, after = request.query_params.get("limit", "100"), request.query_params.get("after", "0")
        if not (limit.isascii() and limit.isdigit() and after.isascii() and after.isdigit()):
            return JSONResponse({"error": "limit and after are whole numbers"}, 400)
        if not 1 <= int(limit) <= LARGEST_PAGE:
            return JSONResponse({"error": f"limit is 1 to {LARGEST_PAGE}"}, 400)
        rows = self._books.connection.execute(
            "SELECT position, content FROM publications WHERE position > ? ORDER BY position LIMIT ?", (int(after), int(limit))
        ).fetchall()
        items = [json.loads(row["content"]) for row in rows]
        return JSONResponse({"items": items, "next": str(rows[-1]["position"]) if rows else after})

    def _publish(self, payload: dict[str, Any]) -> Any:
        with self._books.transaction() as conn:
            conn.execute("INSERT INTO publications (content) VALUES (?)", (json.dumps(payload),))
        return {"published": payload.get("id")}

    def _report(self, _: dict[str, Any]) -> Any:
        count = self._books.connection.execute("SELECT count(*) FROM publications").fetchone()[0]
        return {"publications": count, "looks": self._looks}

    def _be_away(self, payload: dict[str, Any]) -> Any:
        self._away = int(payload.get("times", 1))
        return {"times": self._away}


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    books = open_books(options, _SCHEMA)
    register = Register(books)

    async def facts() -> dict[str, Any]:
        return {"base_path": BASE, "token": register.token}

    surface = Starlette(routes=[Route(f"{BASE}/publications", register.endpoint, methods=["GET"])])
    serve_http(options, surface, Clock(books), register.actions(), facts)
