"""One gateway: debtors get text messages through it."""

from __future__ import annotations

from collections.abc import Sequence

from collecthub.sdk import (
    Channel,
    CheckStep,
    CollecthubError,
    ConfigurationError,
    ConnectorContext,
    DebtorMessage,
    Journal,
    Receipt,
)
from collecthub_contact_sms.client import GatewayClient
from collecthub_contact_sms.mapping import request_body
from collecthub_contact_sms.settings import ContactSmsSettings


class ContactSmsConnector:
    """Satisfies `Messenger` and `Checkable`.

    Promise: once, where the gateway keeps the interface's word on `clientCorrelator`, which follows from the contact.
    """

    channel = Channel.SMS

    def __init__(self, ctx: ConnectorContext) -> None:
        self._settings: ContactSmsSettings = ctx.settings
        self._client = GatewayClient(self._settings, allow_loopback=ctx.allow_loopback)

    @property
    def repeats_safely(self) -> bool:
        """Whether the gateway sends a repeated message once."""
        return self._settings.honours_correlator

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def deliver(self, message: DebtorMessage, journal: Journal) -> Receipt:
        """Give the message to the gateway."""
        body = request_body(message, self._settings.sender)
        journal.mark("sending")
        return Receipt(reference=message.contact_id, detail=self._client.send(body))

    def check(self) -> Sequence[CheckStep]:
        """Reach the gateway and log in; nothing is sent."""
        try:
            self._client.reach()
        except CollecthubError as error:
            name = "login" if isinstance(error, ConfigurationError) else "reach"
            return (CheckStep(name=name, is_ok=False, detail=error.message, cure=error.cure),)
        return (CheckStep(name="reach", is_ok=True), CheckStep(name="login", is_ok=True))
