"""collecthub plugin contact_sms: text messages to debtors through an HTTP gateway."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_contact_sms.settings import ContactSmsSettings


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_contact_sms.connector import ContactSmsConnector

    return ContactSmsConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """The connector of one gateway by which debtors get text messages."""
    return (
        ConnectorSpec(
            kind="contact_sms", title="Text messages to debtors (OneAPI gateway)", role=ConnectorRole.CHANNEL,
            settings=ContactSmsSettings, load=_load,
        ),
    )
