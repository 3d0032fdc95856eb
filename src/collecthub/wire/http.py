"""HTTP calls that say whether anything may have happened: one session per connection, every limit enforced.

Based on `requests` (fastest of the measured clients), without its redirects, retries, proxies and netrc. The
sockets are ours: they go only to checked addresses (`wire.target`) and share one deadline per call, so that a
peer that drips a byte a second cannot hold a worker.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

import msgspec
import requests
import urllib3
from requests.auth import HTTPBasicAuth
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict

from collecthub.errors import (
    ConfigurationError,
    InDoubtError,
    PermanentError,
    QuarantineError,
    RetryableError,
)
from collecthub.wire.decoders import decoder
from collecthub.wire.http_socket import Limits, SafeAdapter
from collecthub.wire.target import networks

_CHUNK = 65_536
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ERROR_FIELDS = ("detail", "title", "error_description", "message", "value", "error")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole answer. Header names are lower case; `url` is what was asked."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def retry_after_seconds(self) -> float | None:
        """What `Retry-After` asks for, in seconds from now; None when absent or not understood."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        try:
            return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0) if text else None
        except ValueError:
            return None

    def json_error_text(self) -> str:
        """A short text for messages: what a JSON error body says (problem+json, OData, OAuth), else its shape."""
        said = _error_text(self.content[:_CHUNK])
        kind = self.headers.get("content-type", "no content type").partition(";")[0]
        return f"HTTP {self.status}: {said or f'{len(self.content)} bytes of {kind}'}"


def _error_text(content: bytes) -> str:
    try:
        said: Any = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    for _ in range(4):
        if not isinstance(said, dict):
            break
        nested = next((said[name] for name in _ERROR_FIELDS if isinstance(said.get(name), dict)), None)
        said = nested or next((said[name] for name in _ERROR_FIELDS if isinstance(said.get(name), str)), None)
    return _CONTROL.sub(" ", said)[:200].strip() if isinstance(said, str) else ""


def safe_json(content: bytes, type: Any = Any) -> Any:
    """Decode JSON into `type` (a msgspec type); numbers with a fraction become `Decimal`, never float.

    Raises `QuarantineError` with code `json.malformed`, or `json.schema` when it is JSON of another shape.
    """
    try:
        return decoder(type, Decimal).decode(content)
    except msgspec.ValidationError as error:
        raise QuarantineError(f"The JSON has not the expected shape: {error}.", code="json.schema") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise QuarantineError(f"The content is not JSON: {error}.", code="json.malformed") from error


class HttpClient:
    """Calls to one host. Any HTTP status is an answer; only the lack of an answer is an error.

    `allow_loopback` permits this machine (sandbox, tests) and nothing more; `allow_networks` names private
    networks, such as `10.20.0.0/16`, that an operator opened for this connection. Plain `http` is accepted
    only for those. `verify` is a path to a CA bundle, or True for the bundled one. `client_cert` is the path of a
    PEM file, or of certificate and key. May be shared by threads.
    """

    def __init__(
        self,
        base_url: str,
        *,
        allow_loopback: bool = False,
        allow_networks: tuple[str, ...] = (),
        connect_seconds: float = 5,
        read_seconds: float = 30,
        total_seconds: float = 120,
        max_bytes: int = 50_000_000,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        client_cert: str | tuple[str, str] | None = None,
        verify: str | bool = True,
        cookies: bool = True,
    ) -> None:
        if not verify:
            raise ConfigurationError(
                "A connection without certificate check was asked for.",
                cure="Give the path of the CA bundle that signed the other side's certificate.",
            )
        self._base = _split(base_url)
        self._base_url = base_url.rstrip("/")
        self._max_bytes = max_bytes
        self._keep_cookies = cookies
        self._timeout = (connect_seconds, read_seconds)
        limits = Limits(
            connect_seconds=connect_seconds,
            read_seconds=read_seconds,
            total_seconds=total_seconds,
            allow_loopback=allow_loopback,
            allow_networks=networks(allow_networks),
        )
        if self._base.scheme == "http" and not (allow_loopback or allow_networks):
            raise ConfigurationError(
                f"The address {base_url} is not encrypted.", cure="Use the https address of the other side."
            )
        self._session = _session(limits, headers or {}, auth, client_cert, verify)

    def request(
        self,
        method: str,
        url_or_path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        is_safe_to_repeat: bool | None = None,
    ) -> HttpResponse:
        """Call `base_url` + path, or an absolute URL of the same scheme, host and port; redirects are answers.

        Raises `PermanentError` for another host or a blocked address, `ConfigurationError` for an untrusted
        certificate, `RetryableError` when nothing arrived or repeating is harmless, `InDoubtError` when the
        call may have had its effect, `QuarantineError` (`http.size`) for an answer above `max_bytes`.
        `is_safe_to_repeat` is by default False for POST and PATCH without an Idempotency-Key header.
        """
        url = self._target(url_or_path)
        is_safe = _is_safe(method, headers or {}) if is_safe_to_repeat is None else is_safe_to_repeat
        place = f"{method} {url.partition('?')[0]}"
        if not self._keep_cookies:
            self._session.cookies = RequestsCookieJar()
        try:
            with self._session.send(
                self._prepared(method, url, params, headers, body), timeout=self._timeout, stream=True,
                allow_redirects=False, proxies={}, verify=self._session.verify, cert=self._session.cert,
            ) as answer:  # fmt: skip
                content = self._read(answer, place)
        except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError, OSError) as error:
            if isinstance(error, ValueError):  # requests' errors on a malformed URL or header
                raise PermanentError(f"{place} cannot be asked: {error}.", reference=place) from error
            raise _no_answer(place, error, is_safe=is_safe) from error
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        return HttpResponse(status=answer.status_code, headers=lowered, content=content, url=url)

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _prepared(
        self, method: str, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None, body: bytes | None
    ) -> requests.PreparedRequest:
        """The request with what the session adds; the general way of merging the two costs half as much as sending."""
        own = CaseInsensitiveDict(self._session.headers)
        own.update(headers or {})
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=method.upper(), url=url, headers=own, params=params, data=body, auth=self._session.auth,
            cookies=self._session.cookies,
        )
        return prepared

    def _target(self, url_or_path: str) -> str:
        if "://" not in url_or_path.partition("?")[0]:
            return f"{self._base_url}/{url_or_path.lstrip('/')}" if url_or_path else self._base_url
        try:
            target = _split(url_or_path)
        except ConfigurationError as error:
            raise PermanentError(f"Refused to follow an address. {error.message}") from error
        if _origin(target) != _origin(self._base):
            raise PermanentError(
                f"Refused to follow an address on {target.hostname}; this connection talks to {self._base.hostname}.",
                cure="If the other side moved, change the address in the connection's settings.",
                reference=str(target.hostname),
            )
        return url_or_path

    def _read(self, answer: requests.Response, place: str) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := answer.raw.read1(_CHUNK, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > self._max_bytes:
                raise QuarantineError(
                    f"The answer to {place} is larger than {self._max_bytes} bytes.",
                    code="http.size", cure="Ask for smaller pages.", reference=place,
                )  # fmt: skip
        return b"".join(chunks)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"The address {url!r} cannot be read: {error}.") from error
    is_plain = parts.scheme in _DEFAULT_PORTS and parts.hostname and "@" not in parts.netloc
    if not is_plain or (port is not None and port < 1024 and port not in {80, 443}):
        raise ConfigurationError(
            f"The address on {parts.hostname or 'no host'} is not a plain web address.",
            cure="Write it as https://host/path, without user name, and with a web port.",
        )
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or _DEFAULT_PORTS[parts.scheme]


def _is_safe(method: str, headers: Mapping[str, str]) -> bool:
    return method.upper() not in {"POST", "PATCH"} or any(
        name.lower() == "idempotency-key" for name in headers
    )


def _no_answer(place: str, error: Exception, *, is_safe: bool) -> RetryableError | InDoubtError:
    is_late = isinstance(error, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError)
    what = "no complete answer in time" if is_late else "the connection broke before the answer was complete"
    if is_safe:
        return RetryableError(f"{place}: {what}.", cure="It is tried again later.", reference=place)
    return InDoubtError(
        f"{place}: {what}; it may have had its effect.",
        cure="Find out at the other side before it is sent again.", reference=place,
    )  # fmt: skip


class _NoRedirects(requests.Session):
    """Without this, `requests` reads the whole body of a redirect, unlimited, even if told not to follow it."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _session(
    limits: Limits,
    headers: Mapping[str, str],
    auth: tuple[str, str] | None,
    client_cert: str | tuple[str, str] | None,
    verify: str | bool,
) -> requests.Session:
    files = [
        *([verify] if isinstance(verify, str) else []),
        *([client_cert] if isinstance(client_cert, str) else client_cert or ()),
    ]
    for file in files:
        if not Path(file).exists():
            raise ConfigurationError(f"The certificate file {file} does not exist.", cure="Correct its path.")
    session = _NoRedirects()
    session.trust_env = False  # no proxy, netrc or CA bundle from the environment behind the operator's back
    session.headers["User-Agent"] = "collecthub"
    session.headers.update(headers)
    session.verify = verify
    session.cert = client_cert
    if auth is not None:
        session.auth = HTTPBasicAuth(auth[0].encode(), auth[1].encode())
    adapter = SafeAdapter(limits)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
