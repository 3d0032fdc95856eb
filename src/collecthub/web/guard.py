"""What stands before every request: the host that is served, the size of bodies, the headers of every answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collecthub.config import HubSettings
from collecthub.web.problems import ProblemError, problem, problem_response

BODY_MAX, DOCUMENT_MAX = 1_000_000, 20_000_000
# Last part of the path of those doors that take files; access rules never look at the path.
_FILE_DOORS = frozenset({"acts", "certificate", "documents", "imports", "dry-run", "preview", "exchanges", "soap"})
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """ASGI middleware: refuses strange hosts and oversized bodies, adds security headers to every answer."""

    def __init__(self, app: ASGIApp, settings: HubSettings) -> None:
        self._app = app
        self._hosts = served_hosts(settings)
        self._is_https = settings.public_url.startswith("https:")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = self._with_headers(scope, send)
        headers = Headers(scope=scope)
        if not is_served(headers.get("host", ""), self._hosts):
            await problem_response(problem("bad-host"))(scope, receive, answer)
            return
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:  # PostgreSQL's texts cannot hold it
            await problem_response(problem("not-found"))(scope, receive, answer)
            return
        limit = body_limit(scope["path"])
        length = headers.get("content-length", "")
        if length and (not length.isascii() or not length.isdigit() or int(length[:19]) > limit):
            await problem_response(_too_large(limit).problem)(scope, receive, answer)
            return
        await self._app(scope, _counted(receive, limit), answer)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if self._is_https:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return with_headers


def served_hosts(settings: HubSettings) -> frozenset[str]:
    """Host names this hub answers to: its public one, the one it listens on, and the machine itself."""
    public = urlsplit(settings.public_url).hostname
    names = {settings.host.lower(), *_LOOPBACK, *([public.lower()] if public else [])}
    return frozenset(names)


def is_served(host: str, hosts: frozenset[str]) -> bool:
    """Whether a Host header is well formed and one of ours.

    >>> is_served("hub.example:8420", frozenset({"hub.example"})), is_served("a/admin?x=", frozenset({"a"}))
    (True, False)
    """
    match = _HOST.fullmatch(host)
    return match is not None and match.group(1).lower() in hosts


def body_limit(path: str) -> int:
    """Longest body in bytes: more where files are taken."""
    parts = path.rstrip("/").split("/")
    return DOCUMENT_MAX if parts[-1] in _FILE_DOORS or parts[1:2] == ["hooks"] else BODY_MAX


def _too_large(limit: int) -> ProblemError:
    return ProblemError("too-large", f"At most {limit} bytes are taken here.")


def _counted(receive: Receive, limit: int) -> Receive:
    """A body that announces no length is counted while it comes."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _too_large(limit)
        return message

    return counted
