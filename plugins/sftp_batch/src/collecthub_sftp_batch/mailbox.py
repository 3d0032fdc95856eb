"""A partner without a server: the same sealed files, in a mailbox that the hub keeps and that he empties by SFTP.

Nothing is sent anywhere. "Sent" means that the file lies in the mailbox; that he has it is said by his own
acknowledgement, as on every other line. The hub's SFTP service shows the mailbox (`serve --sftp-port`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collecthub.sdk import (
    CheckStep,
    ConnectorContext,
    Decoded,
    DeliveryState,
    Envelope,
    Exchange,
    Journal,
    KeyEnd,
    ProfileLine,
    RawMessage,
    Receipt,
    Verdict,
)
from collecthub_sftp_batch.check import check_keys
from collecthub_sftp_batch.keys import key_ends
from collecthub_sftp_batch.mapping import Sealing
from collecthub_sftp_batch.profile import mailbox_lines
from collecthub_sftp_batch.settings import SftpMailboxSettings


class SftpMailboxConnector:
    """Satisfies `Dispatcher`, `StatusSource`, `Checkable`, `Profiled`, `KeyHolder` and `MailboxAccount` for one partner.

    Promise: exactly once into the mailbox, because putting a file there and recording the receipt are one transaction;
    the partner may read it as often as he likes until he takes it out, and knows a repetition by its exchange id.
    """

    def __init__(self, ctx: ConnectorContext) -> None:
        self._ctx = ctx
        self._settings: SftpMailboxSettings = ctx.settings
        self._sealing = Sealing(ctx, self._settings)

    @property
    def login_keys(self) -> Sequence[str]:
        """Public keys with which he logs in."""
        return self._settings.login_keys

    @property
    def batch_limit(self) -> int:
        """How many messages one file may carry."""
        return self._settings.messages_most

    def prepare(self, exchange: Exchange) -> Envelope:
        """The file as he will fetch it. Raises `PermanentError` for what he cannot take."""
        return self._sealing.envelope(exchange)

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        """The receipt puts it into the mailbox; nothing else has to happen."""
        journal.mark("depositing")
        return Receipt(reference=envelope.name, detail="waits in the partner's mailbox")

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        """Without a receipt it is not in the mailbox."""
        return DeliveryState.NOT_ARRIVED

    def fetch(self, checkpoint: str) -> Iterator[tuple[RawMessage, str]]:
        """Nothing to fetch: the partner brings it."""
        return iter(())

    def decode(self, raw: RawMessage) -> Decoded:
        """Decrypt, unpack, verify the partner's signature, and read only what is signed."""
        return self._sealing.open(raw.content)

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        """Nothing to tell: the receipt is shown in his mailbox."""

    def check(self) -> Sequence[CheckStep]:
        """Format and keys; there is nothing outside that could fail."""
        return check_keys(self._ctx, self._settings, self._sealing)

    def profile(self) -> Sequence[ProfileLine]:
        """What happens with this partner, in plain words."""
        return mailbox_lines(self._settings)

    def key_ends(self) -> Sequence[KeyEnd]:
        """When the keys of this profile end."""
        return tuple(key_ends(self._settings))
