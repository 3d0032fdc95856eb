"""How a channel plugin reaches a debtor: the message, and the port that brings it to him.

As with `collecthub.ports`, implementing a port is the capability declaration.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import msgspec

from collecthub.model.contact import Channel
from collecthub.model.party import Address
from collecthub.ports import Journal, Receipt


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a message."""

    name: str
    media_type: str
    content: bytes


class DebtorMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The words for one debtor, final. `contact_id` is the same on every try, and the message's identity outside.

    `sender_name` is in whose name it speaks, `reply_to` where answers go (empty: the channel's own). Of the addresses
    the channel uses its own kind.
    """

    contact_id: str
    channel: Channel
    sender_name: str
    reply_to: str
    recipient: str
    email: str = ""
    phone: str = ""
    address: Address = Address()
    language: str
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()


class CameBack(msgspec.Struct, frozen=True, kw_only=True):
    """What came back about a message: `kind` is bounce (it never arrived), reply, or note (an absence, a delay).

    Where a channel's answers name no message, `contact_id` is empty and `sender` the phone number they came from: then
    it is about the last message to that number.
    """

    contact_id: str
    kind: str
    reason: str = ""
    text: str = ""
    sender: str = ""


@runtime_checkable
class HearsBack(Protocol):
    """Channels that bring answers and undelivered messages back.

    The hub stores the bytes before it asks what they mean, and lets go of an entry only after it was recorded.
    """

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of everything that waits, oldest first."""
        ...

    def understand(self, content: bytes) -> CameBack | None:
        """What the bytes say about a message of ours; None when they are about none."""
        ...

    def take(self, name: str) -> None:
        """It was recorded: never bring it again."""
        ...


@runtime_checkable
class Messenger(Protocol):
    """Brings messages to debtors by one channel."""

    @property
    def channel(self) -> Channel: ...

    @property
    def repeats_safely(self) -> bool:
        """Whether delivering the same message again is the same as delivering it once (a name, an idempotency key)."""
        ...

    def deliver(self, message: DebtorMessage, journal: Journal) -> Receipt:
        """Bring it. Calls `journal.mark` right before the act that cannot be undone.

        Raises `RetryableError` only when nothing can have arrived, `InDoubtError` when it may have, `PermanentError`
        when this recipient cannot be reached by this channel.
        """
        ...
