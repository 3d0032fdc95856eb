"""OAuth2 as Exact Online runs it: consent, 600 second tokens, refresh from second 570 on, each refresh token once.

The refusals are worded as users recorded them. State is durable, because a pair that is lost is lost for good.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from collecthub.sandbox.exact_login import AGREE, ASK, back, denied, fits, login_page
from collecthub.sandbox.twin import Books, Clock

ACCESS_SECONDS = 600
EARLIEST_REFRESH_SECONDS = 570
REFRESH_DAYS = 30
CODE_SECONDS = 180
_DAY = 86400
_SCHEMA = """
CREATE TABLE IF NOT EXISTS app (
    client_id TEXT PRIMARY KEY, client_secret TEXT, redirect_uri TEXT, webhook_secret TEXT
);
CREATE TABLE IF NOT EXISTS code (code TEXT PRIMARY KEY, client_id TEXT, issued REAL, used INTEGER);
CREATE TABLE IF NOT EXISTS consent (consent INTEGER PRIMARY KEY, client_id TEXT, answered REAL);
CREATE TABLE IF NOT EXISTS access (token TEXT PRIMARY KEY, consent INTEGER, issued REAL);
CREATE TABLE IF NOT EXISTS refresh (token TEXT PRIMARY KEY, consent INTEGER, issued REAL, used INTEGER);
CREATE TABLE IF NOT EXISTS token_call (client_id TEXT, at REAL, outcome TEXT);
"""


@dataclass
class Refusal(Exception):
    """A refusal of the token endpoint."""

    status: int
    error: str
    description: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class App:
    """An app registration at the vendor."""

    client_id: str
    client_secret: str
    redirect_uri: str
    webhook_secret: str


class TokenServer:
    """The authorisation and token endpoints of one country host."""

    def __init__(self, books: Books, clock: Clock, calls_a_day: int) -> None:
        self._books = books
        self._db = books.connection
        self._clock = clock
        self._calls_a_day = calls_a_day
        self._db.executescript(_SCHEMA)

    def register(self, app: App) -> None:
        """Register an app, or change its registration."""
        values = (app.client_id, app.client_secret, app.redirect_uri, app.webhook_secret)
        self._db.execute("INSERT OR REPLACE INTO app VALUES (?, ?, ?, ?)", values)

    def app(self, client_id: str) -> App | None:
        """The registration of a client, or None."""
        row = self._db.execute("SELECT * FROM app WHERE client_id = ?", (client_id,)).fetchone()
        return App(*row) if row else None

    def client_of(self, authorization: str) -> str:
        """The client that a bearer header stands for, or empty when the token is unknown or older than 600 s."""
        kind, _, token = authorization.partition(" ")
        row = self._db.execute(
            "SELECT client_id, issued FROM access JOIN consent USING (consent) WHERE token = ?", (token,)
        ).fetchone()
        if (
            kind.lower() != "bearer"
            or row is None
            or self._clock.timestamp() - row["issued"] >= ACCESS_SECONDS
        ):
            return ""
        return str(row["client_id"])

    async def authorise(self, request: Request) -> Response:
        """The consent page. The sandbox user has agreed before, unless the control action `consent` makes him ask."""
        query = request.query_params
        app = self.app(query.get("client_id", ""))
        if (
            app is None
            or query.get("response_type") != "code"
            or query.get("redirect_uri") != app.redirect_uri
        ):
            return HTMLResponse(
                "<html><body>Error: the client or its redirect address is unknown.</body></html>", 400
            )
        if self._books.get("consent_page", AGREE) == ASK:
            if request.method == "GET":
                return login_page(app.client_id)
            form = {name: str(value) for name, value in (await request.form()).items()}
            if form.get("answer") == "deny":
                return denied(app.redirect_uri, query.get("state"))
            if not fits(form.get("username", ""), form.get("password", "")):
                return login_page(app.client_id, user=form.get("username", ""), is_wrong=True)
        # The letters ! and / make a client that decodes the code twice, or not at all, fail.
        code = f"stamp{secrets.token_hex(4)}!%/{secrets.token_urlsafe(24)}"
        self._db.execute(
            "INSERT INTO code VALUES (?, ?, ?, 0)", (code, app.client_id, self._clock.timestamp())
        )
        return back(app.redirect_uri, {"code": code}, query.get("state"))

    def page(self, given: Mapping[str, Any]) -> dict[str, str]:
        """`{"page": "ask"}` shows the login to everybody who comes, `"agree"` sends them back at once."""
        if "page" in given:
            self._books.put("consent_page", ASK if given["page"] == ASK else AGREE)
        return {"page": self._books.get("consent_page", AGREE)}

    def revoke(self, given: Mapping[str, Any]) -> dict[str, int]:
        """`{"client_id"}`: the user withdrew his consent; no token of the app works any more."""
        mine = "consent IN (SELECT consent FROM consent WHERE client_id = ?)"
        self._db.execute(f"DELETE FROM access WHERE {mine}", (given["client_id"],))
        used = self._db.execute(f"UPDATE refresh SET used = 1 WHERE {mine}", (given["client_id"],))
        return {"tokens": used.rowcount}

    async def token(self, request: Request) -> Response:
        """The token endpoint: code exchange and refresh, form encoded."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            with self._books.transaction():
                answer = self._answer(form)
        except Refusal as refusal:
            self._record(form, refusal.error)
            body = {"error": refusal.error, "error_description": refusal.description}
            return JSONResponse(body, refusal.status, headers=dict(refusal.headers))
        self._record(form, f"{form['grant_type']} granted")
        return JSONResponse(answer)

    def state(self) -> dict[str, Any]:
        """For tests: how many token calls ended how."""
        rows = self._db.execute("SELECT outcome, count(*) AS calls FROM token_call GROUP BY outcome")
        return {"calls": {row["outcome"]: row["calls"] for row in rows}}

    def _record(self, form: Mapping[str, str], outcome: str) -> None:
        values = (form.get("client_id", ""), self._clock.timestamp(), outcome)
        self._db.execute("INSERT INTO token_call VALUES (?, ?, ?)", values)

    def _answer(self, form: Mapping[str, str]) -> dict[str, str]:
        app = self.app(form.get("client_id", ""))
        if app is None or not secrets.compare_digest(
            app.client_secret.encode(), form.get("client_secret", "").encode()
        ):
            raise Refusal(400, "invalid_client", "Client authentication failed.")
        day = self._clock.timestamp() // _DAY * _DAY
        calls = self._db.execute(
            "SELECT count(*) FROM token_call WHERE client_id = ? AND at >= ?", (app.client_id, day)
        ).fetchone()[0]
        if calls >= self._calls_a_day:
            words = "Rate limit exceeded: too many token requests today"
            raise Refusal(400, "access_denied", words, {"Reason": f"TooManyTokenRequests: {words}"})
        if form.get("grant_type") == "authorization_code":
            return self._exchange(app, form)
        if form.get("grant_type") == "refresh_token":
            return self._refresh(app, form)
        raise Refusal(400, "unsupported_grant_type", "The grant type is not supported.")

    def _exchange(self, app: App, form: Mapping[str, str]) -> dict[str, str]:
        row = self._db.execute("SELECT * FROM code WHERE code = ?", (form.get("code", ""),)).fetchone()
        now = self._clock.timestamp()
        known = row is not None and row["client_id"] == app.client_id and not row["used"]
        if not known or now - row["issued"] > CODE_SECONDS or form.get("redirect_uri") != app.redirect_uri:
            raise Refusal(400, "invalid_grant", "The authorization code is invalid or has expired.")
        self._db.execute("UPDATE code SET used = 1 WHERE code = ?", (row["code"],))
        cursor = self._db.execute("INSERT INTO consent (client_id) VALUES (?)", (app.client_id,))
        return self._pair(cursor.lastrowid or 0)

    def _refresh(self, app: App, form: Mapping[str, str]) -> dict[str, str]:
        row = self._db.execute(
            "SELECT refresh.*, client_id, answered FROM refresh JOIN consent USING (consent) WHERE token = ?",
            (form.get("refresh_token", ""),),
        ).fetchone()
        if row is None or row["client_id"] != app.client_id:
            raise Refusal(400, "invalid_grant", "The refresh token is invalid.")
        if row["used"]:
            raise Refusal(401, "unauthorized_client", "Old refresh token used.")
        now = self._clock.timestamp()
        if now - row["issued"] > REFRESH_DAYS * _DAY:
            ended, moment = _us_moment(row["issued"] + REFRESH_DAYS * _DAY), _us_moment(now)
            raise Refusal(
                400, "invalid_request", f"The refresh token expired at {ended} and it is now {moment}."
            )
        if now - row["answered"] < EARLIEST_REFRESH_SECONDS:
            words = "Rate limit exceeded: access_token not expired"
            raise Refusal(400, "access_denied", words, {"Reason": f"TooEarlyToRefreshTokens: {words}"})
        self._db.execute("UPDATE refresh SET used = 1 WHERE token = ?", (row["token"],))
        return self._pair(row["consent"])

    def _pair(self, consent: int) -> dict[str, str]:
        now = self._clock.timestamp()
        access, refresh = (f"stamp{secrets.token_urlsafe(48)}" for _ in range(2))
        self._db.execute("UPDATE consent SET answered = ? WHERE consent = ?", (now, consent))
        self._db.execute("DELETE FROM access WHERE issued < ?", (now - ACCESS_SECONDS,))
        self._db.execute("INSERT INTO access VALUES (?, ?, ?)", (access, consent, now))
        self._db.execute("INSERT INTO refresh VALUES (?, ?, ?, 0)", (refresh, consent, now))
        return {
            "access_token": access, "token_type": "bearer", "expires_in": str(ACCESS_SECONDS), "refresh_token": refresh
        }  # fmt: skip


def _us_moment(timestamp: float) -> str:
    """A moment as the vendor words it, for example 10/11/2022 9:18:20 PM."""
    moment = dt.datetime.fromtimestamp(timestamp, dt.UTC)
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S} {half}"
