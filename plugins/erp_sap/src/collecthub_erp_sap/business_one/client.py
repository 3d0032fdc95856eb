"""Speaks to one Service Layer: one session per connection, and what its refusals mean.

A session is two cookies, and every session takes a licence until it ends. So all workers of a connection share one,
kept in the vault; when it has timed out, one of them logs on again, once, and the call is repeated once.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import msgspec

from collecthub.sdk import (
    CollecthubError,
    ConfigurationError,
    ConnectorContext,
    PermanentError,
    RetryableError,
)
from collecthub.wire.http import HttpClient, HttpResponse
from collecthub_erp_sap.business_one.settings import BusinessOneSettings
from collecthub_erp_sap.client import StaleRecordError, UnknownRecordError

T = TypeVar("T")
_SESSION = "b1-session"
_LEASE_SECONDS = 30
_ROUTE = re.compile(r"\bROUTEID=([^;,\s]+)")
_SLOW_ANSWER_SECONDS = 60.0


class _LoginAnswer(msgspec.Struct):
    session: str = msgspec.field(name="SessionId")


class _Record(msgspec.Struct):
    """What every single record carries."""

    v2: str = msgspec.field(name="@odata.etag", default="")
    v1: str = msgspec.field(name="odata.etag", default="")


_LOGIN = msgspec.json.Decoder(_LoginAnswer)
_RECORD = msgspec.json.Decoder(_Record)


class ServiceLayerClient:
    """One logged-on line. May be shared by threads."""

    def __init__(self, context: ConnectorContext, settings: BusinessOneSettings) -> None:
        self._settings = settings
        self._vault = context.vault
        self._root = f"/b1s/{settings.version}"
        self._http = HttpClient(
            settings.base_url,
            allow_loopback=context.allow_loopback,
            allow_networks=settings.private_networks,
            read_seconds=_SLOW_ANSWER_SECONDS,
            total_seconds=_SLOW_ANSWER_SECONDS * 2,
            verify=settings.ca_file or True,
            headers={"Accept": "application/json"},
            cookies=False,
        )
        self._guard = threading.Lock()
        self._cookies = ""
        self._refused: ConfigurationError | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the log-on was refused; it is not tried again then, because users are locked."""
        return self._refused is not None

    # --- calls ------------------------------------------------------------------------------------

    def read(
        self, path: str, params: Mapping[str, str], answer: msgspec.json.Decoder[T], headers: Mapping[str, str] | None = None
    ) -> T:
        """GET a JSON resource. Raises `RetryableError` when the bytes are not the JSON that was promised."""
        return self._decoded(self._accepted(self._call("GET", path, params, headers or {}), path), path, answer)

    def read_bytes(self, path: str, params: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
        """GET a resource and return its body as it came."""
        return self._accepted(self._call("GET", path, params, headers), path).content

    def read_with_etag(self, path: str, answer: msgspec.json.Decoder[T]) -> tuple[T, str]:
        """GET one record and its version; empty when this release tells none."""
        response = self._accepted(self._call("GET", path, {}, {}), path)
        tags = self._decoded(response, path, _RECORD)
        return self._decoded(response, path, answer), tags.v2 or tags.v1 or response.headers.get("etag", "")

    def patch(self, path: str, changes: Mapping[str, str], etag: str) -> None:
        """Change one record as long as it has this version. Raises `StaleRecordError` when it has not."""
        headers = {"If-Match": etag} if etag else {}
        self._accepted(self._call("PATCH", path, {}, headers, msgspec.json.encode(changes)), path)

    def ask(self, action: str, given: Mapping[str, object], answer: msgspec.json.Decoder[T]) -> T:
        """POST a question to an action that changes nothing."""
        response = self._accepted(self._call("POST", action, {}, {}, msgspec.json.encode(given)), action)
        return self._decoded(response, action, answer)

    def post(self, path: str, record: Mapping[str, str]) -> None:
        """Add one record. The caller has made sure that it is not there yet."""
        self._accepted(self._call("POST", path, {}, {}, msgspec.json.encode(record)), path)

    def close(self) -> None:
        """Log out, which gives the licence back, and close the line."""
        self.log_out()
        self._http.close()

    def log_out(self) -> None:
        """End the session of this connection, if there is one. A Service Layer that is away ends it by itself."""
        with self._guard:
            cookies = self._cookies or self._vault.read(_SESSION) or ""
            self._cookies = ""
            if not cookies:
                return
            with contextlib.suppress(CollecthubError):
                self._send("POST", f"{self._root}/Logout", {}, {}, None, cookies)
            self._vault.write(_SESSION, "")

    # --- session ----------------------------------------------------------------------------------

    def _call(
        self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes | None = None
    ) -> HttpResponse:
        cookies = self._session(stale="")
        response = self._send(method, f"{self._root}/{path}", params, headers, body, cookies)
        if response.status == HTTPStatus.UNAUTHORIZED:
            cookies = self._session(stale=cookies)
            response = self._send(method, f"{self._root}/{path}", params, headers, body, cookies)
        return response

    def _session(self, stale: str) -> str:
        """The cookies of the session that all share; a new one when there is none or the one known is `stale`."""
        with self._guard:
            known = self._cookies or self._vault.read(_SESSION) or ""
            if known == stale:
                known = self._vault.read(_SESSION) or ""  # another worker may have logged on meanwhile
            if not known or known == stale:
                with self._vault.exclusive(_SESSION, _LEASE_SECONDS):
                    known = self._log_on()
                    self._vault.write(_SESSION, known)
            self._cookies = known
            return known

    def _log_on(self) -> str:
        if self._refused is not None:
            raise self._refused
        given = {
            "CompanyDB": self._settings.company_db,
            "UserName": self._settings.username,
            "Password": self._settings.password.get_secret_value(),
        }
        response = self._send("POST", f"{self._root}/Login", {}, {}, msgspec.json.encode(given), "")
        if response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST):
            self._refused = ConfigurationError(
                f"Business One refused our log-on ({response.json_error_text()}); it was not tried again.",
                cure="Correct company_db, username and password, unlock the user, then save the connection anew.",
            )
            raise self._refused
        answer = self._decoded(self._accepted(response, "Login"), "Login", _LOGIN)
        route = _ROUTE.search(response.headers.get("set-cookie", ""))
        return f"B1SESSION={answer.session}" + (f"; ROUTEID={route[1]}" if route else "")

    def _send(
        self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes | None,
        cookies: str,
    ) -> HttpResponse:  # fmt: skip
        own = {"Content-Type": "application/json"} if body is not None else {}
        return self._http.request(
            method, path, params=params, body=body, is_safe_to_repeat=True,
            headers={**own, **headers, **({"Cookie": cookies} if cookies else {})},
        )  # fmt: skip

    # --- answers ----------------------------------------------------------------------------------

    def _decoded(self, response: HttpResponse, path: str, answer: msgspec.json.Decoder[T]) -> T:
        try:
            return answer.decode(response.content)
        except msgspec.DecodeError as error:
            raise RetryableError(
                f"Business One's answer from {path} cannot be read: {error}.",
                cure="It will be asked again; if it stays, check version and base_url of this connection.",
            ) from error

    def _accepted(self, response: HttpResponse, path: str) -> HttpResponse:
        if response.status < 300:
            return response
        raise _refusal(response, path)


def _refusal(response: HttpResponse, path: str) -> CollecthubError:
    status, text = response.status, response.json_error_text()
    if status == HTTPStatus.NOT_FOUND and "html" not in response.headers.get("content-type", "html"):
        return UnknownRecordError(f"Business One does not know this record: {text}", cure="Check it there.", reference=path)
    if status == HTTPStatus.PRECONDITION_FAILED:
        return StaleRecordError("The record was changed in Business One meanwhile.", cure="Read it again.", reference=path)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND) or status < 400:
        return ConfigurationError(
            f"Business One does not open {path} to our user ({text}).",
            cure="Check base_url and version, and give the user the authorisations for this object.",
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= 500:
        return RetryableError(f"Business One cannot answer now: {text}.", cure="It will be asked again.", reference=path)
    if "is invalid" in text:
        return ConfigurationError(
            f"This release of Business One lacks something that is needed: {text}.",
            cure="Update Business One, or choose the other version of the Service Layer in this connection.",
        )
    return PermanentError(f"Business One refused the request: {text}", cure="Correct it there.", reference=path)


def record_path(entity: str, key: str | int) -> str:
    """The address of one record.

    >>> record_path("BusinessPartners", "O'Neil & Co"), record_path("Invoices", 7)
    ("BusinessPartners('O%27%27Neil%20%26%20Co')", 'Invoices(7)')
    """
    if isinstance(key, int):
        return f"{entity}({key})"
    escaped = quote(key.replace("'", "''"), safe="")
    return f"{entity}('{escaped}')"
