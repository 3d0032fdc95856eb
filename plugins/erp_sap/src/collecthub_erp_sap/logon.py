"""OAuth2 client credentials: a bearer token that is kept until shortly before it ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

import msgspec

from collecthub.sdk import ConfigurationError, RetryableError
from collecthub.wire.http import HttpClient
from collecthub_erp_sap.settings import S4Settings

_EARLY = dt.timedelta(seconds=60)


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: int = 300


class BearerToken:
    """Fetches the token of one connection. The token server may be another host than the API."""

    def __init__(self, settings: S4Settings, now: Callable[[], dt.datetime], *, allow_loopback: bool) -> None:
        parts = urlsplit(settings.token_url)
        self._path = settings.token_url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        self._http = HttpClient(
            f"{parts.scheme}://{parts.netloc}",
            allow_loopback=allow_loopback,
            allow_networks=settings.private_networks,
            auth=(settings.client_id, settings.client_secret.get_secret_value()),
        )
        self._now = now
        self._token = ""
        self._until = dt.datetime.min.replace(tzinfo=dt.UTC)

    def value(self) -> str:
        """A token that is still good for a minute."""
        if self._now() >= self._until:
            answer = self._fetch()
            self._token = answer.access_token
            self._until = self._now() + dt.timedelta(seconds=answer.expires_in) - _EARLY
        return self._token

    def _fetch(self) -> _TokenAnswer:
        response = self._http.request(
            "POST",
            self._path,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            body=urlencode({"grant_type": "client_credentials"}).encode(),
            is_safe_to_repeat=True,
        )
        if response.status >= 500 or response.status == 429:
            raise RetryableError(f"The token server answered {response.status}.", cure="It will be asked again.")
        if response.status != 200:
            raise ConfigurationError(
                f"The token server refused our client with status {response.status}.",
                cure="Check token_url, client_id and client_secret of this connection.",
            )
        try:
            return msgspec.json.decode(response.content, type=_TokenAnswer)
        except msgspec.DecodeError as error:
            raise ConfigurationError(
                "The token server did not answer with a token.", cure="Check token_url of this connection."
            ) from error
