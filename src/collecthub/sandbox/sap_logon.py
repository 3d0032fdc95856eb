"""Who may call the SAP twin: basic logon with a lock, client credentials, and CSRF tokens bound to cookies."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collecthub.sandbox.twin import Books, Clock

BAD_LOGONS = 5
TOKEN_SECONDS = 3600
CSRF_SECONDS = 1800


@dataclass(frozen=True)
class Credentials:
    """The communication user and the OAuth client of the twin."""

    user: str
    password: str
    client_id: str
    client_secret: str
    sap_client: str


class Logon:
    """Checks each request; bad logons are counted in the books, sessions and tokens live in memory."""

    def __init__(self, books: Books, clock: Clock, credentials: Credentials) -> None:
        self._books = books
        self._clock = clock
        self._credentials = credentials
        self._tokens: dict[str, float] = {}
        self._sessions: dict[str, tuple[str, float]] = {}
        self._certificate = ""

    def refusal(self, request: Request) -> Response | None:
        """401 when the caller is not known, None when he is."""
        client = request.query_params.get("sap-client") or request.headers.get("sap-client")
        if client in (None, "", self._credentials.sap_client) and self._known(request):
            return None
        challenge = {
            "WWW-Authenticate": f'Basic realm="SAP NetWeaver Application Server [S4H/{client or 100}]"'
        }
        return Response(
            "<html><head><title>Logon Error Message</title></head></html>", 401, challenge, "text/html"
        )

    def locked(self) -> bool:
        """Whether too many bad logons have locked the user."""
        return self.bad_logons() >= BAD_LOGONS

    def bad_logons(self) -> int:
        """How many there were since the user was last unlocked."""
        return int(self._books.get("bad_logons", 0))

    def trust(self, certificate: str) -> None:
        """Map a client certificate (DER, base64) to the communication user, as transaction CERTRULE does."""
        self._certificate = certificate

    def unlock(self) -> None:
        """What an administrator does for a locked user."""
        self._books.put("bad_logons", 0)

    def _known(self, request: Request) -> bool:
        shown = request.headers.get("ssl_client_cert", "")  # how a web dispatcher passes on what it checked
        if shown and shown == self._certificate:
            return True
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._tokens.get(value, 0.0) > self._clock.timestamp()
        user, password = _basic(kind, value)
        if user != self._credentials.user or self.locked():
            return False
        if secrets.compare_digest(password.encode(), self._credentials.password.encode()):
            return True
        self._books.put("bad_logons", self.bad_logons() + 1)
        return False

    async def token(self, request: Request) -> Response:
        """OAuth2 client credentials; the client authenticates with basic or in the form."""
        form = await request.form()
        client, secret = _basic(*request.headers.get("authorization", " ").split(" ", 1))
        client, secret = (
            client or str(form.get("client_id", "")),
            secret or str(form.get("client_secret", "")),
        )
        if (client, secret) != (self._credentials.client_id, self._credentials.client_secret):
            return JSONResponse({"error": "invalid_client", "error_description": "Bad credentials"}, 401)
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self._clock.timestamp() + TOKEN_SECONDS
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS})

    def give_csrf(self, request: Request, response: Response) -> None:
        """Answer `x-csrf-token: Fetch` with a token that holds only together with the cookies set here."""
        if request.headers.get("x-csrf-token", "").lower() != "fetch":
            return
        session, token = secrets.token_hex(16), secrets.token_urlsafe(18) + "=="
        self._sessions[session] = (token, self._clock.timestamp() + CSRF_SECONDS)
        response.headers["x-csrf-token"] = token
        response.set_cookie(f"SAP_SESSIONID_S4H_{self._credentials.sap_client}", session, httponly=True)
        response.set_cookie("sap-usercontext", f"sap-client={self._credentials.sap_client}")

    def csrf_refusal(self, request: Request) -> Response | None:
        """403 with `x-csrf-token: Required` unless token and cookies belong together and are fresh."""
        session = request.cookies.get(f"SAP_SESSIONID_S4H_{self._credentials.sap_client}", "")
        token, until = self._sessions.get(session, ("", 0.0))
        given = request.headers.get("x-csrf-token", "")
        if (
            token
            and given == token
            and until > self._clock.timestamp()
            and "sap-usercontext" in request.cookies
        ):
            return None
        return Response("CSRF token validation failed", 403, {"x-csrf-token": "Required"}, "text/plain")

    def expire_csrf(self) -> None:
        """Forget all sessions."""
        self._sessions.clear()


def _basic(kind: str, value: str = "") -> tuple[str, str]:
    if kind.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password
