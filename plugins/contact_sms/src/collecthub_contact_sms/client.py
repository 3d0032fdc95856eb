"""Speaks GSMA OneAPI / OMA RESTful Network API for Messaging with one gateway."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from collecthub.sdk import ConfigurationError, InDoubtError, PermanentError, QuarantineError, RetryableError
from collecthub.wire.http import HttpClient, HttpResponse, safe_json
from collecthub_contact_sms.mapping import DUPLICATE, answers_of, place_of, refusal_of
from collecthub_contact_sms.settings import ContactSmsSettings

_ANSWER_BYTES = 200_000
_SECONDS = 30
_BATCH = 50


class GatewayClient:
    """One account at a gateway."""

    def __init__(self, settings: ContactSmsSettings, *, allow_loopback: bool) -> None:
        self._settings = settings
        self._http = HttpClient(
            settings.base_url, allow_loopback=allow_loopback, read_seconds=_SECONDS, total_seconds=_SECONDS,
            max_bytes=_ANSWER_BYTES, headers={"Authorization": f"Bearer {settings.token.get_secret_value()}"},
        )  # fmt: skip

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def send(self, body: bytes) -> str:
        """Hand a message over; returns where the gateway keeps it. A repetition it has seen is as good as the first."""
        path = f"outbound/{quote(f'tel:{self._settings.sender}', safe='')}/requests"
        answer = self._http.request(
            "POST", path, body=body, headers={"Content-Type": "application/json"},
            is_safe_to_repeat=self._settings.honours_correlator,
        )  # fmt: skip
        if answer.is_success:
            return place_of(_json(answer))
        code, text = refusal_of(_json(answer))
        if code == DUPLICATE:
            return "the gateway had it already"
        raise self._refused(answer, code, text)

    def _refused(self, answer: HttpResponse, code: str, text: str) -> Exception:
        said = f"the gateway refused the message: {code} {text}".strip() if code else answer.json_error_text()
        if answer.status in (401, 403):
            return ConfigurationError(f"the gateway does not let us in ({said})", cure="Correct the token or the sender.")
        if answer.status == 429:
            return RetryableError(said, retry_after_seconds=answer.retry_after_seconds)
        if answer.status >= 500:
            if self._settings.honours_correlator:
                return RetryableError(said, cure="It is tried again later.")
            return InDoubtError(said, cure="Ask the gateway whether the message went out.")
        return PermanentError(said, cure="Correct the number in the ERP, or use another channel.")

    def answers(self) -> list[object]:
        """What debtors answered and nobody took yet; one batch."""
        answer = self._http.request("GET", self._inbound, params={"maxBatchSize": str(_BATCH)})
        if not answer.is_success:
            raise self._refused(answer, *refusal_of(_json(answer)))
        return answers_of(_json(answer))

    def take(self, message_id: str) -> None:
        """Have the gateway forget an answer; one that is gone is fine."""
        answer = self._http.request("DELETE", f"{self._inbound}/{quote(message_id, safe='')}")
        if not answer.is_success and answer.status != HTTPStatus.NOT_FOUND:
            raise self._refused(answer, *refusal_of(_json(answer)))

    @property
    def _inbound(self) -> str:
        return f"inbound/registrations/{quote(self._settings.registration, safe='')}/messages"

    def reach(self) -> None:
        """Reach the gateway and log in; nothing is sent. A gateway without such a list answers 404, which is enough."""
        answer = self._http.request("GET", f"outbound/{quote(f'tel:{self._settings.sender}', safe='')}/subscriptions")
        if answer.status in (401, 403) or answer.status >= 500:
            raise self._refused(answer, *refusal_of(_json(answer)))


def _json(answer: HttpResponse) -> object:
    try:
        return safe_json(answer.content)
    except QuarantineError:  # the status alone decides
        return None
