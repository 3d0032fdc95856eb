"""One gateway: debtors get text messages through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from collecthub.sdk import (
    CameBack,
    Channel,
    CheckStep,
    ConnectorContext,
    DebtorMessage,
    Journal,
    Receipt,
    try_reach,
)
from collecthub_contact_sms.client import GatewayClient
from collecthub_contact_sms.mapping import came_back, message_id_of, request_body
from collecthub_contact_sms.settings import ContactSmsSettings


class ContactSmsConnector:
    """Satisfies `Messenger`, `HearsBack` and `Checkable`.

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

    # --- HearsBack --------------------------------------------------------------------------------

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """The answers that the gateway keeps, oldest first; nothing without a registration."""
        for one in self._client.answers() if self._settings.registration else ():
            yield message_id_of(one), msgspec.json.encode(one)

    def understand(self, content: bytes) -> CameBack | None:
        """Who answered what; a text message names no message of ours."""
        return came_back(content)

    def take(self, name: str) -> None:
        """The gateway need not keep it any more."""
        self._client.take(name)

    def check(self) -> Sequence[CheckStep]:
        """Reach the gateway and log in; nothing is sent."""
        return try_reach(self._client.reach)
