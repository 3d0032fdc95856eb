"""Speaks Exact Online's REST interface: one call at a time, within every budget, never repeating a refusal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from collecthub.sdk import (
    ConfigurationError,
    ConnectorContext,
    ConsentError,
    PermanentError,
    QuarantineError,
    RetryableError,
)
from collecthub.wire.http import HttpClient, HttpResponse
from collecthub_erp_exact.limits import CallBudget, CircuitBreaker
from collecthub_erp_exact.odata import Records, address, read_records
from collecthub_erp_exact.settings import ExactSettings
from collecthub_erp_exact.tokens import TokenKeeper

T = TypeVar("T")
NO_DIVISION = 0
"""Stands for the calls outside a division (`current/Me`) in budgets and circuits."""

_SERVER_TROUBLE_SECONDS = 60.0
_JSON = "application/json"


class ExactClient:
    """The calls of one connection. `endpoint` is the path below the division, such as `crm/Accounts`."""

    def __init__(self, ctx: ConnectorContext) -> None:
        self._settings: ExactSettings = ctx.settings
        self.tokens = TokenKeeper(ctx)
        self.budget = CallBudget(ctx.now, self._settings.reserve_calls, ctx.vault)
        self._circuits = CircuitBreaker(ctx.now, ctx.vault)
        self._http = HttpClient(self._settings.base_url, allow_loopback=ctx.allow_loopback)

    def records(
        self,
        division: int,
        endpoint: str,
        row_type: type[T],
        query: Mapping[str, str],
        *,
        is_bulk: bool = False,
    ) -> Iterator[T]:
        """All records of a query, page after page. A record of another shape raises `QuarantineError`."""

        def read(content: bytes) -> Records[T]:
            return typed(content, row_type, endpoint)

        for _, page in self.pages(
            division, endpoint, self.url(division, endpoint, query), read, is_bulk=is_bulk
        ):
            yield from page.rows

    def pages(
        self,
        division: int,
        endpoint: str,
        url: str,
        read: Callable[[bytes], Records[T]],
        *,
        is_bulk: bool = False,
    ) -> Iterator[tuple[bytes, Records[T]]]:
        """Pages from `url` on, as they came and as `read`; `__next` is followed verbatim, never to another host."""
        while url:
            content = self.get(division, endpoint, url, is_bulk=is_bulk).content
            page = read(content)
            yield content, page
            if page.next_url == url:
                raise PermanentError(f"{endpoint} names the same page as its next one.", reference=endpoint)
            url = page.next_url

    def get(self, division: int, endpoint: str, url: str, *, is_bulk: bool = False) -> HttpResponse:
        """One GET; any answer but 2xx raises."""
        return self._call("GET", division, endpoint, url, is_bulk=is_bulk)

    def probe(self, division: int, endpoint: str, query: Mapping[str, str]) -> None:
        """Ask once because a person wants to know, even after refusals; success lets the work go on at once."""
        token = self.tokens.access_token()
        answer = self._send("GET", division, self.url(division, endpoint, query), token)
        if not answer.is_success:
            raise self._error(division, endpoint, answer)
        self._circuits.close(division, endpoint)

    def create(self, division: int, endpoint: str, fields: Mapping[str, Any], row_type: type[T]) -> T:
        """POST a record and return it as the vendor stored it."""
        url = self.url(division, endpoint)
        answer = self._call("POST", division, endpoint, url, body=json.dumps(fields).encode())
        return typed(answer.content, row_type, endpoint).rows[0]

    def change(self, division: int, endpoint: str, key: str, fields: Mapping[str, Any]) -> None:
        """PUT columns of one record (answered by 204 without a body)."""
        url = self.url(division, f"{endpoint}(guid'{key}')")
        self._call("PUT", division, endpoint, url, body=json.dumps(fields).encode())

    def remove(self, division: int, endpoint: str, key: str) -> None:
        """DELETE one record (answered by 204 without a body)."""
        self._call("DELETE", division, endpoint, self.url(division, f"{endpoint}(guid'{key}')"))

    def download(self, division: int, endpoint: str, url: str, *, is_bulk: bool = False) -> HttpResponse:
        """GET a file by the absolute address that a record names."""
        return self._call("GET", division, endpoint, url, accept="*/*", is_bulk=is_bulk)

    def is_reachable(self) -> HttpResponse:
        """Any answer of the host, without a token."""
        return self._http.request("GET", "")

    def url(self, division: int, endpoint: str, query: Mapping[str, str] | None = None) -> str:
        """Address of an endpoint below its division, or of one outside divisions."""
        inner = f"{division}/{endpoint}" if division != NO_DIVISION else endpoint
        return address(f"/api/v1/{inner}", query)

    def close(self) -> None:
        """Close the kept connections and keep what is known of the budgets."""
        self.budget.keep()
        self._http.close()
        self.tokens.close()

    def _call(
        self,
        method: str,
        division: int,
        endpoint: str,
        url: str,
        *,
        body: bytes | None = None,
        accept: str = _JSON,
        is_bulk: bool = False,
    ) -> HttpResponse:
        self._circuits.admit(division, endpoint)
        self.budget.admit(division, is_bulk=is_bulk)
        token = self.tokens.access_token()
        answer = self._send(method, division, url, token, body, accept)
        if answer.status == 401:
            newer = self.tokens.replacement(token)
            answer = self._send(method, division, url, newer, body, accept) if newer else answer
        if not answer.is_success:
            raise self._error(division, endpoint, answer)
        return answer

    def _send(
        self,
        method: str,
        division: int,
        url: str,
        token: str,
        body: bytes | None = None,
        accept: str = _JSON,
    ) -> HttpResponse:
        headers = {"Authorization": f"Bearer {token}", "Accept": accept}
        if body is not None:
            headers |= {"Content-Type": _JSON, "Prefer": "return=representation"}
        answer = self._http.request(method, url, headers=headers, body=body)
        self.budget.note(division, answer.headers)
        return answer

    def _error(self, division: int, endpoint: str, answer: HttpResponse) -> Exception:
        said = _refusal_text(answer)
        place = f"{endpoint} of division {division}" if division else endpoint
        if answer.status == 429:
            return self.budget.refused(division)
        if answer.status in (400, 401, 403, 404):
            self._circuits.note_refusal(division, endpoint, said)
        if answer.status == 401:
            return ConsentError(
                f"Exact Online does not accept the token for {place}: {said}",
                cure="Reconnect: give consent again with a user who may see this division.",
            )
        if answer.status == 403:
            return ConfigurationError(
                f"{place} is closed to this connection: {said}", cure=_rights_cure(said)
            )
        if answer.status < 500:
            return PermanentError(f"{place} refused the call: {said}", reference=place)
        return RetryableError(
            f"{place} is out of order: {said}",
            cure="Nothing to do; it is tried again.",
            retry_after_seconds=answer.retry_after_seconds or _SERVER_TROUBLE_SECONDS,
        )


def typed(content: bytes, row_type: type[T], endpoint: str) -> Records[T]:
    """Records of one answer; one that does not fit raises `QuarantineError`."""
    try:
        return read_records(content, row_type)
    except msgspec.ValidationError as error:
        raise QuarantineError(
            f"{endpoint} answers records of another shape: {error}.", code="exact.shape", reference=endpoint
        ) from error


def _refusal_text(answer: HttpResponse) -> str:
    """What the vendor says: its JSON error, else the first line of a plain text answer."""
    kind = answer.headers.get("content-type", "")
    if "json" in kind or answer.content.lstrip().startswith(b"{"):
        return answer.json_error_text()
    lines = answer.content[:200].decode(errors="replace").strip().splitlines()
    is_page = not lines or lines[0].startswith("<")
    return f"HTTP {answer.status}" if is_page else f"HTTP {answer.status}: {lines[0]}"


def _rights_cure(said: str) -> str:
    if "scope" in said.lower():
        return "Add the scope to the app registration in the App Centre, then reconnect; user rights do not help."
    return "Give the user of this connection the right to read this division and page."
