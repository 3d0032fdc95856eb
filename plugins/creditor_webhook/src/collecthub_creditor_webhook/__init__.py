"""collecthub plugin creditor_webhook: signed webhooks that tell a creditor what happened to his cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_creditor_webhook.settings import CreditorWebhookSettings


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_creditor_webhook.connector import CreditorWebhookConnector

    return CreditorWebhookConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """The creditor webhook's connector: one connection is one endpoint of one creditor."""
    return (
        ConnectorSpec(
            kind="creditor_webhook",
            title="Webhook to the creditor",
            role=ConnectorRole.REPORTER,
            settings=CreditorWebhookSettings,
            load=_load,
        ),
    )
