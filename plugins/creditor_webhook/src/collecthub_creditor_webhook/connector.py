"""Tells an endpoint of a creditor, or of a partner, what happened to the cases that concern him."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from collecthub.sdk import CaseReport, CheckStep, CollecthubError, ConnectorContext, Receipt, derived_id
from collecthub_creditor_webhook.client import WebhookClient
from collecthub_creditor_webhook.mapping import webhook_body
from collecthub_creditor_webhook.settings import CreditorWebhookSettings


class CreditorWebhookConnector:
    """Satisfies `CaseReporter` and `Checkable` for one endpoint.

    Promise: at least once, always with the same id and body for the same report, so that the creditor's side can
    drop what it has seen; a 2xx is the receipt.
    """

    to_partner = False

    def __init__(self, ctx: ConnectorContext) -> None:
        self._ctx = ctx
        self._settings: CreditorWebhookSettings = ctx.settings
        self._client = WebhookClient(self._settings, now=ctx.now, allow_loopback=ctx.allow_loopback)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def wants(self, event_kind: str) -> bool:
        """Whether the creditor asked to be told about such events."""
        return event_kind in self._settings.events

    def report(self, report: CaseReport) -> Receipt:
        """Post the report; raises `GoneError` when the endpoint is gone for good."""
        status = self._client.post(report.report_id, webhook_body(report, to_partner=self.to_partner))
        return Receipt(reference=report.report_id, detail=f"HTTP {status}")

    def check(self) -> Sequence[CheckStep]:
        """Post a test message (`type` is `test.ping`, without any case) and look for a 2xx."""
        now = self._ctx.now()
        hook_id = derived_id("ping", self._ctx.connection_id, now.isoformat())
        body = msgspec.json.encode({"id": hook_id, "type": "test.ping", "timestamp": now, "data": {}})
        try:
            status = self._client.post(hook_id, body)
        except CollecthubError as error:
            return (CheckStep(name="test call", is_ok=False, detail=error.message, cure=error.cure),)
        return (CheckStep(name="test call", is_ok=True, detail=f"answered HTTP {status}"),)


class PartnerWebhookConnector(CreditorWebhookConnector):
    """The same for an endpoint of a partner: fewer events, fewer fields."""

    to_partner = True
