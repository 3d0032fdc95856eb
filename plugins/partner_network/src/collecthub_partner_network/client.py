"""Speaks `exchange/v1` of one partner agency: REST as published in `exchange-rest-1.0.openapi.json`."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import quote

from collecthub.sdk import CollecthubError, InDoubtError, QuarantineError, RetryableError
from collecthub.wire.http import HttpClient, HttpResponse, safe_json
from collecthub_partner_network.mapping import (
    JSON,
    ExchangeState,
    OutboxPage,
    Submitted,
    refusal,
)
from collecthub_partner_network.settings import PartnerNetworkSettings

_ROOT = "exchange/v1"
T = TypeVar("T")


class ExchangeClient:
    """The agency's exchange service. Every method raises the error that tells its caller what to do."""

    def __init__(self, settings: PartnerNetworkSettings, *, allow_loopback: bool) -> None:
        self._http = HttpClient(
            settings.base_url,
            allow_loopback=allow_loopback,
            headers={"Authorization": f"Bearer {settings.token.get_secret_value()}", "Accept": JSON},
            cookies=False,
        )

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def submit(self, exchange_id: str, body: bytes) -> Submitted:
        """Hand an exchange over under its id. Raises `InDoubtError` whenever the agency may have it."""
        headers = {"Content-Type": JSON, "Idempotency-Key": exchange_id}
        try:
            # Repeating is harmless for the agency, but the hub must know that something may have arrived.
            response = self._http.request(
                "POST", f"{_ROOT}/exchanges", body=body, headers=headers, is_safe_to_repeat=False
            )
            if not response.is_success:
                raise _refused(response, f"take exchange {exchange_id}", may_have_happened=True)
            submitted: Submitted = safe_json(response.content, Submitted)
        except QuarantineError as error:
            raise _unclear(f"the answer to exchange {exchange_id} is not readable: {error.message}") from error
        if submitted.exchange_id != exchange_id:
            raise _unclear(f"exchange {exchange_id} was answered as {submitted.exchange_id!r}")
        return submitted

    def state_of(self, exchange_id: str) -> ExchangeState | None:
        """What the agency knows of an exchange; None when it never got it."""
        response = self._http.request("GET", f"{_ROOT}/exchanges/{quote(exchange_id, safe='')}")
        if response.status == 404:
            return None
        return _read(response, ExchangeState, f"tell the state of exchange {exchange_id}")

    def outbox(self, after: str, limit: int) -> bytes:
        """A page of what waits for the hub, unread: its bytes are kept even when they are broken."""
        params = {"limit": str(limit), **({"after": after} if after else {})}
        response = self._http.request("GET", f"{_ROOT}/outbox", params=params)
        if response.status != 200:
            raise _refused(response, "show its outbox")
        return response.content

    def give_verdict(self, body: bytes) -> None:
        """Tell the agency what became of its exchange; the same verdict again changes nothing."""
        headers = {"Content-Type": JSON}
        response = self._http.request("POST", f"{_ROOT}/verdicts", body=body, headers=headers, is_safe_to_repeat=True)
        if not response.is_success:
            raise _refused(response, "take a verdict")

    def accounts(self, after: str) -> bytes:
        """A page of the agency's books, unread."""
        response = self._http.request("GET", f"{_ROOT}/accounts", params={"after": after} if after else None)
        if response.status != 200:
            raise _refused(response, "show its books")
        return response.content


def outbox_page(content: bytes) -> OutboxPage:
    """The items of an outbox page. Raises `QuarantineError` when the page itself is broken."""
    page: OutboxPage = safe_json(content, OutboxPage)
    if any(not item.cursor for item in page.items):
        raise QuarantineError("an item of the agency's outbox has no cursor", code="exchange.cursor")
    return page


def _read(response: HttpResponse, kind: type[T], act: str) -> T:
    if response.status != 200:
        raise _refused(response, act)
    try:
        answer: T = safe_json(response.content, kind)
    except QuarantineError as error:
        raise RetryableError(
            f"the agency did not {act}: its answer is not readable ({error.message})",
            cure="When it stays so, the agency's service does not keep to the published contract.",
        ) from error
    return answer


def _refused(response: HttpResponse, act: str, *, may_have_happened: bool = False) -> CollecthubError:
    return refusal(
        response.status,
        f"the agency did not {act}: {response.json_error_text()}",
        retry_after=response.retry_after_seconds,
        may_have_happened=may_have_happened,
    )


def _unclear(message: str) -> InDoubtError:
    return InDoubtError(message, cure="The hub asks the agency what became of it before anything is sent again.")
