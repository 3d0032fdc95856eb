"""Speaks to one S/4HANA system: log-on, CSRF, ETags and what SAP's refusals mean.

Rules learnt from the field: a wrong password is tried once, because SAP locks the user; a write carries the CSRF
token with the cookies it came with; a business error can ride in a header on a good status.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec

from collecthub.sdk import CollecthubError, ConfigurationError, PermanentError, RetryableError
from collecthub.wire.http import HttpClient, HttpResponse
from collecthub_erp_sap.logon import BearerToken
from collecthub_erp_sap.odata import refusal_in_header
from collecthub_erp_sap.settings import S4Settings

T = TypeVar("T")
_CSRF = "x-csrf-token"
_JSON = "application/json"
_UNKNOWN_PROPERTY = "not found in type"
_SLOW_ANSWER_SECONDS = 90.0  # a page of 5000 items of a busy system; the service is not made for volume


class StaleRecordError(PermanentError):
    """Someone changed the record since it was read (412): read it again and decide anew."""


class UnknownRecordError(PermanentError):
    """The service is there, the record is not."""


class SapClient:
    """One logged-on line to SAP. May be shared by threads."""

    def __init__(self, settings: S4Settings, now: Callable[[], dt.datetime], *, allow_loopback: bool) -> None:
        basic = (settings.username, settings.password.get_secret_value()) if settings.username else None
        oauth = BearerToken(settings, now, allow_loopback=allow_loopback) if settings.token_url else None
        self._bearer = oauth
        self._http = HttpClient(
            settings.base_url,
            allow_loopback=allow_loopback,
            allow_networks=settings.private_networks,
            auth=basic,
            read_seconds=_SLOW_ANSWER_SECONDS,
            total_seconds=_SLOW_ANSWER_SECONDS * 2,
            verify=settings.ca_file or True,
            client_cert=settings.client_certificate_file or None,
            headers={"sap-language": "EN", **({"sap-client": settings.sap_client} if settings.sap_client else {})},
        )
        self._guard, self._first = threading.Lock(), threading.Lock()
        self._tokens: dict[str, str] = {}
        self._is_known = False
        self._refused: ConfigurationError | None = None

    @property
    def is_refused(self) -> bool:
        """Whether SAP refused our log-on; nothing is sent any more then."""
        return self._refused is not None

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def read(self, path: str, params: Mapping[str, str], answer: msgspec.json.Decoder[T]) -> T:
        """GET a JSON resource. Raises `RetryableError` when the bytes are not the JSON that was promised."""
        content = self.read_bytes(path, params)
        try:
            return answer.decode(content)
        except msgspec.DecodeError as error:
            raise RetryableError(
                f"SAP's answer from {path} cannot be read: {error}.",
                cure="It will be asked again; if it stays, check the service path and its release.",
            ) from error

    def read_bytes(self, path: str, params: Mapping[str, str], accept: str = _JSON) -> bytes:
        """GET a resource and return its body as it came."""
        return self._accepted(self._send("GET", path, params, {"Accept": accept}), path).content

    def read_with_etag(self, path: str, params: Mapping[str, str], answer: msgspec.json.Decoder[T]) -> tuple[T, str]:
        """GET one record and the ETag of its header; the tag is empty when there is none."""
        response = self._accepted(self._send("GET", path, params, {"Accept": _JSON}), path)
        return answer.decode(response.content), response.headers.get("etag", "")

    def patch(self, service: str, record: str, changes: Mapping[str, str], etag: str) -> None:
        """Change one record of a service, only as long as it still has this ETag.

        Raises `StaleRecordError` when it has not. An expired CSRF token is fetched anew once.
        """
        path = f"{service}/{record}"
        headers = {"Accept": _JSON, "Content-Type": _JSON, **({"If-Match": etag} if etag else {})}
        response = self._send_protected(service, "PATCH", path, headers, msgspec.json.encode(changes))
        self._accepted(response, path)

    def post_soap(self, path: str, action: str, body: bytes) -> HttpResponse:
        """POST a SOAP message; any status is returned. The message must be safe to repeat."""
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"', "Accept": "text/xml"}
        return self._send("POST", path, {}, headers, body)

    def _send_protected(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> HttpResponse:
        token = ""
        for is_last in (False, True):
            token = self._token(service, stale=token)
            response = self._send(method, path, {}, {**headers, _CSRF: token}, body)
            is_expired = response.status == HTTPStatus.FORBIDDEN and (
                response.headers.get(_CSRF, "").lower() == "required"
            )
            if not is_expired or is_last:
                break
        return response

    def _token(self, service: str, stale: str) -> str:
        """The token that all threads share, as they share its cookies: only one of them replaces a stale one."""
        with self._guard:
            known = self._tokens.get(service, "")
            return known if known and known != stale else self.fetch_token(service)

    def fetch_token(self, service: str) -> str:
        """A CSRF token; the cookies it is bound to stay in the session. The trailing slash is needed."""
        path = f"{service}/"
        response = self._accepted(self._send("GET", path, {}, {"Accept": _JSON, _CSRF: "Fetch"}), path)
        token = response.headers.get(_CSRF, "")
        if not token:
            raise ConfigurationError(
                f"SAP gave no CSRF token for {service}.", cure="Check that a proxy does not remove x-csrf-token."
            )
        self._tokens[service] = token
        return token

    def _send(
        self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes | None = None
    ) -> HttpResponse:
        if self._is_known:
            return self._exchange(method, path, params, headers, body)
        with self._first:  # until SAP has known us once, one at a time: threads together would lock the user
            return self._exchange(method, path, params, headers, body)

    def _exchange(
        self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes | None
    ) -> HttpResponse:
        if self._refused is not None:
            raise self._refused
        bearer = {"Authorization": f"Bearer {self._bearer.value()}"} if self._bearer else {}
        response = self._http.request(
            method,
            path,
            params=params,
            headers={**headers, **bearer},
            body=body,
            is_safe_to_repeat=True,  # our writes set a value that is read again afterwards
        )
        if response.status == HTTPStatus.UNAUTHORIZED:
            self._refused = ConfigurationError(
                "SAP refused our log-on (401); it was not tried again, because SAP locks users.",
                cure="Correct sap_client and the communication user's credentials, unlock him, then save the connection.",
            )
            raise self._refused
        self._is_known = True
        return response

    def _accepted(self, response: HttpResponse, path: str) -> HttpResponse:
        if response.status >= 300:
            raise refusal(response, path)
        text = refusal_in_header(response.headers.get("sap-message", ""))
        if text:
            raise PermanentError(f"SAP refused: {text}", cure="Correct it in SAP, then try again.", reference=path)
        return response


def _is_page(response: HttpResponse) -> bool:
    return "html" in response.headers.get("content-type", "")


def refusal(response: HttpResponse, path: str) -> CollecthubError:
    """What a refusing answer asks of us, as an error."""
    status = response.status
    text = response.json_error_text()
    if status == HTTPStatus.NOT_FOUND and not _is_page(response):
        return UnknownRecordError(f"SAP does not know this record: {text}", cure="Check it in SAP.", reference=path)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN) or status < 400:
        return ConfigurationError(
            f"SAP does not open {path} to our user ({text}).",
            cure="Activate the service, or add it to the communication arrangement and the user's roles.",
        )
    if status == HTTPStatus.PRECONDITION_FAILED:
        return StaleRecordError("The record was changed in SAP meanwhile.", cure="Read it again.", reference=path)
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= 500:
        return RetryableError(
            f"SAP cannot answer now: {text}.",
            cure="It will be asked again.",
            reference=path,
            retry_after_seconds=response.retry_after_seconds,
        )
    if _UNKNOWN_PROPERTY in text:
        return ConfigurationError(
            f"The service at {path} lacks a column that is needed ({text}).",
            cure="Correct the path or entity of this service, or have its view extended; a check names all columns.",
        )
    return PermanentError(f"SAP refused the request: {text}", cure="Correct it in SAP.", reference=path)
