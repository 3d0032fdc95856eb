"""What a partner's connector can tell of itself beside the ports that every one has: its profile, and its keys' ends.

As with `collecthub.ports`, implementing a port is the capability declaration. And `refuse_stray`, which every line
that carries exchanges needs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from collecthub.errors import QuarantineError
from collecthub.ports import ConnectorContext


class ProfileLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens with this partner, in plain words: `topic` such as "container", `says` a sentence."""

    topic: str
    says: str


class KeyEnd(msgspec.Struct, frozen=True, kw_only=True):
    """When a key or certificate of a connection ends, and what to do before that day."""

    key: str
    ends_at: dt.datetime
    cure: str


@runtime_checkable
class Profiled(Protocol):
    """Can say what it does with a partner. Touches nothing outside."""

    def profile(self) -> Sequence[ProfileLine]: ...


@runtime_checkable
class KeyHolder(Protocol):
    """Works with keys that end. Touches nothing outside; a key that cannot be read is left to the check."""

    def key_ends(self) -> Sequence[KeyEnd]: ...


@runtime_checkable
class MailboxAccount(Protocol):
    """A partner's line whose files lie at the hub: he logs in with one of these keys and fetches and brings them."""

    @property
    def login_keys(self) -> Sequence[str]:
        """Public keys as OpenSSH writes them (`ssh-ed25519 AAAA...`); two while one changes."""
        ...


def refuse_stray(ctx: ConnectorContext, exchange_id: str, sender_ref: str, receiver_ref: str) -> None:
    """An exchange must come from this connection's partner and be meant for this hub, whoever signed it.

    Raises `QuarantineError` `exchange.sender` or `exchange.receiver`.
    """
    for code, name, found, wanted in (
        ("exchange.sender", "sender", sender_ref, ctx.receiver_ref),
        ("exchange.receiver", "receiver", receiver_ref, ctx.sender_ref),
    ):
        if found != wanted:
            raise QuarantineError(
                f"exchange {exchange_id or 'without id'} names {found!r} as its {name} where {wanted!r} stands for this connection",
                code=code,
                cure="Ask the partner why it sent this, or correct the reference in the connection.",
            )
