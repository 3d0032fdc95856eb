"""Who may call the Business One twin: one session per logon, held by two cookies, ended by time or by logout."""

from __future__ import annotations

import secrets
import uuid

import orjson
from starlette.requests import Request
from starlette.responses import Response

from collecthub.sandbox.twin import Books, Clock

BAD_LOGONS = 5
_NODE = ".node1"


class Sessions:
    """The sessions in use; each takes one licence. They live in memory, bad logons in the books."""

    def __init__(self, books: Books, clock: Clock, company: str, user: str, password: str, minutes: int) -> None:
        self._books = books
        self._clock = clock
        self._known = (company, user, password)
        self._minutes = minutes
        self._until: dict[str, float] = {}
        self.logins = 0

    async def login(self, request: Request, version: str) -> Response:
        """`{"CompanyDB", "UserName", "Password"}` to a session; the cookies lack a path and end in a semicolon."""
        try:
            given = orjson.loads(await request.body())
            offered = (given["CompanyDB"], given["UserName"], given["Password"])
        except (ValueError, KeyError, TypeError):
            return refusal(400, version, 201, "Invalid JSON format")
        if self.locked() or not self._is_known(offered):
            self._books.put("bad_logons", int(self._books.get("bad_logons", 0)) + 1)
            return refusal(401, version, 100000027, "Login failed")
        session = str(uuid.uuid4())
        self._until[session] = self._clock.timestamp() + self._minutes * 60
        self.logins += 1
        body = {"SessionId": session, "Version": "1000280", "SessionTimeout": self._minutes}
        response = Response(orjson.dumps(body), media_type="application/json;charset=utf-8")
        response.raw_headers.append((b"set-cookie", f"B1SESSION={session};HttpOnly;".encode()))
        response.raw_headers.append((b"set-cookie", f"ROUTEID={_NODE};".encode()))
        return response

    def _is_known(self, offered: tuple[str, str, str]) -> bool:
        return secrets.compare_digest("\x1f".join(map(str, offered)).encode(), "\x1f".join(self._known).encode())

    def refusal(self, request: Request, version: str) -> Response | None:
        """401 unless both cookies are there and the session is still good; each call keeps it alive."""
        session = request.cookies.get("B1SESSION", "")
        now = self._clock.timestamp()
        if request.cookies.get("ROUTEID") == _NODE and self._until.get(session, 0.0) > now:
            self._until[session] = now + self._minutes * 60
            return None
        self._until.pop(session, None)
        return refusal(401, version, 301, "Invalid session or session already timeout.")

    def logout(self, request: Request) -> Response:
        """The licence is free again."""
        self._until.pop(request.cookies.get("B1SESSION", ""), None)
        return Response(status_code=204)

    def in_use(self) -> int:
        """Sessions that take a licence now."""
        return sum(until > self._clock.timestamp() for until in self._until.values())

    def expire(self) -> None:
        """Forget all sessions, as a restart of the Service Layer does."""
        self._until.clear()

    def locked(self) -> bool:
        """Whether too many bad logons have locked the user."""
        return int(self._books.get("bad_logons", 0)) >= BAD_LOGONS

    def unlock(self) -> None:
        """What an administrator does for a locked user."""
        self._books.put("bad_logons", 0)


def refusal(status: int, version: str, code: int, words: str) -> Response:
    """The vendor's error: OData V3 in v1, V4 in v2."""
    v1 = {"code": code, "message": {"lang": "en-us", "value": words}}
    body = {"error": v1 if version == "v1" else {"code": str(code), "message": words}}
    return Response(orjson.dumps(body), status, media_type="application/json;charset=utf-8")
