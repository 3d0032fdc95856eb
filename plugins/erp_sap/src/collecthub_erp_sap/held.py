"""Which cases hold the dunning block of a customer, and which documents we blocked; durable, per connection.

SAP has one block per customer and a customer can have two cases, one per currency. So the block is lifted only when
the last case that holds it lets go. Business One's block has no reason either, so what we set is remembered here, and so
is when SAP accepted a message that it works on later.
"""

from __future__ import annotations

import datetime as dt
import hashlib

import msgspec

from collecthub.sdk import Vault


class Held(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is held of one customer in one set of books."""

    case_ids: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()  # what carried no block before we set ours


_HELD = msgspec.json.Decoder(Held)


class BlockRegister:
    """The register of one connection. What concerns one customer is told in order, so it needs no lock."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def read(self, *owner: str) -> Held:
        """What is held of an owner: a customer, with the books he is in."""
        text = self._vault.read(_name(owner))
        return _HELD.decode(text) if text else Held()

    def write(self, held: Held, *owner: str) -> None:
        """Replace what is held of an owner."""
        self._vault.write(_name(owner), msgspec.json.encode(held).decode())

    def join(self, case_id: str, *owner: str) -> Held:
        """A case holds the block from now on. Noted before the block is set, so that a crash loses nothing."""
        held = self.read(*owner)
        if case_id not in held.case_ids:
            held = msgspec.structs.replace(held, case_ids=(*held.case_ids, case_id))
            self.write(held, *owner)
        return held

    def others(self, case_id: str, *owner: str) -> tuple[str, ...]:
        """The cases that would still hold the block if this one let go."""
        return tuple(one for one in self.read(*owner).case_ids if one != case_id)

    def leave(self, case_id: str, *owner: str) -> None:
        """A case no longer holds the block. Noted after the block was lifted."""
        held = self.read(*owner)
        if case_id in held.case_ids:
            self.write(msgspec.structs.replace(held, case_ids=self.others(case_id, *owner)), *owner)

    def sent_at(self, change_id: str) -> dt.datetime | None:
        """When the asynchronous message for a change was accepted; None when it was not sent yet."""
        text = self._vault.read(f"sent-{change_id}")
        return dt.datetime.fromisoformat(text) if text else None

    def note_sent(self, change_id: str, moment: dt.datetime) -> dt.datetime:
        """Remember when a message was accepted. One lost in a crash is sent again with the same id and bytes."""
        self._vault.write(f"sent-{change_id}", moment.isoformat())
        return moment


def _name(owner: tuple[str, ...]) -> str:
    """A name that fits the vault whatever characters a customer number has, and shows no number."""
    return "held-" + hashlib.blake2b("\x1f".join(owner).encode(), digest_size=16).hexdigest()
