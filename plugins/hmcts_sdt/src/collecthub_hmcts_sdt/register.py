"""What must outlive a crash beside the hub's own books: bulk requests under way, and claim numbers of cases.

Kept in the connection's vault. A claim number is the only name under which the court knows a case afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from collecthub.sdk import Vault

_OPEN = "sdt.open"
_LEASE_SECONDS = 30
REFUSED = "refused"  # stands where a claim number would: the court did not issue the claim


class Bulk(msgspec.Struct, frozen=True):
    """A bulk request that was taken: SDT's reference, our id, and its requests in order as (request id, message id)."""

    reference: str
    exchange_id: str
    requests: tuple[tuple[str, str], ...]


class Register:
    """Bulks under way and claim numbers, durable."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def open_references(self) -> tuple[str, ...]:
        """Bulk requests whose feedback is not complete, oldest first."""
        text = self._vault.read(_OPEN)
        return msgspec.json.decode(text, type=tuple[str, ...]) if text else ()

    def bulk(self, reference: str) -> Bulk | None:
        """A bulk request that was taken, complete or not."""
        text = self._vault.read(f"sdt.bulk.{reference}")
        return msgspec.json.decode(text, type=Bulk) if text else None

    def open(self, bulk: Bulk) -> None:
        """Remember a bulk that was taken; again it changes nothing."""
        with self._vault.exclusive(_OPEN, _LEASE_SECONDS):
            if self.bulk(bulk.reference) is None:
                self._vault.write(f"sdt.bulk.{bulk.reference}", msgspec.json.encode(bulk).decode())
                self._write((*self.open_references(), bulk.reference))

    def close(self, reference: str) -> None:
        """Ask no more for the feedback of a bulk; what it held stays known."""
        with self._vault.exclusive(_OPEN, _LEASE_SECONDS):
            self._write(one for one in self.open_references() if one != reference)

    def claim_number(self, case_id: str) -> str:
        """The court's number of a case, `REFUSED`, or an empty string while nothing is known."""
        return self._vault.read(f"sdt.claim.{case_id}") or ""

    def case_behind(self, claim_number: str) -> str:
        """The case behind a claim number, or an empty string."""
        return self._vault.read(f"sdt.case.{claim_number}") or ""

    def name_claim(self, case_id: str, claim_number: str) -> None:
        """Remember a claim number, both ways; a number is never taken back by a refusal."""
        if self.claim_number(case_id) in ("", REFUSED):
            self._vault.write(f"sdt.claim.{case_id}", claim_number)
            if claim_number != REFUSED:
                self._vault.write(f"sdt.case.{claim_number}", case_id)

    def _write(self, references: Iterable[str]) -> None:
        self._vault.write(_OPEN, msgspec.json.encode(tuple(references)).decode())
