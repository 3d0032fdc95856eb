"""Posts signed webhooks after Standard Webhooks 1.0.0."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from collecthub.sdk import QuarantineError, RetryableError
from collecthub.wire.crypto import webhook_headers
from collecthub.wire.http import HttpClient
from collecthub_creditor_webhook.mapping import refusal
from collecthub_creditor_webhook.settings import CreditorWebhookSettings

_ANSWER_BYTES = 64_000
_ANSWER_SECONDS = 15


class WebhookClient:
    """One endpoint of a creditor. Answers are read up to 64 kB and 15 seconds, whatever the endpoint does."""

    def __init__(
        self, settings: CreditorWebhookSettings, *, now: Callable[[], dt.datetime], allow_loopback: bool
    ) -> None:
        self._settings = settings
        self._now = now
        self._http = HttpClient(
            settings.url,
            allow_loopback=allow_loopback,
            read_seconds=_ANSWER_SECONDS,
            total_seconds=_ANSWER_SECONDS,
            max_bytes=_ANSWER_BYTES,
        )

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def _headers(self, hook_id: str, body: bytes) -> dict[str, str]:
        """Signed with the secret, and with the previous one while that is good as well."""
        now = self._now()
        secrets = [one for one in (self._settings.secret, self._settings.previous_secret) if one is not None]
        signed = [webhook_headers(one.get_secret_value(), hook_id, now, body) for one in secrets]
        return {**signed[0], "webhook-signature": " ".join(one["webhook-signature"] for one in signed)}

    def post(self, hook_id: str, body: bytes) -> int:
        """Post a body under an id and return the endpoint's 2xx status. The id makes a repetition harmless."""
        headers = self._headers(hook_id, body)
        try:
            response = self._http.request(
                "POST",
                self._settings.url,
                headers={**headers, "Content-Type": "application/json"},
                body=body,
                is_safe_to_repeat=True,
            )
        except QuarantineError as error:
            raise RetryableError(
                f"the endpoint answered webhook {hook_id} with more than {_ANSWER_BYTES} bytes",
                cure="Let the endpoint answer 2xx with a short body.",
            ) from error
        if response.is_success:
            return response.status
        raise refusal(response.status, response.retry_after_seconds)
