"""collecthub plugin creditor_webhook: signed webhooks that tell creditors and partners what happened to their cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_creditor_webhook.settings import CreditorWebhookSettings, PartnerWebhookSettings


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_creditor_webhook.connector import CreditorWebhookConnector

    return CreditorWebhookConnector


def _load_partner() -> Callable[[ConnectorContext], object]:
    from collecthub_creditor_webhook.connector import PartnerWebhookConnector

    return PartnerWebhookConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """One connection is one endpoint of one creditor, or of one partner."""
    return (
        ConnectorSpec(
            kind="creditor_webhook",
            title="Webhook to the creditor",
            role=ConnectorRole.REPORTER,
            settings=CreditorWebhookSettings,
            load=_load,
        ),
        ConnectorSpec(
            kind="partner_webhook",
            title="Webhook to a partner",
            role=ConnectorRole.REPORTER,
            settings=PartnerWebhookSettings,
            load=_load_partner,
            tells_partner=True,
        ),
    )
