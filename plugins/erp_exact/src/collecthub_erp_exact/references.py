"""Writes the number of a case into the payment reference of its receivables, and takes it out again.

Only an empty reference is filled: a creditor's own one (a structured communication) is how his bank matches money.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import field

from collecthub.sdk import ConfigurationError
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.odata import any_of, columns, guid
from collecthub_erp_exact.reading import batches

RECEIVABLE = "cashflow/Receivables"


class _Reference(msgspec.Struct, frozen=True):
    term_id: str = field(name="ID")
    text: str | None = field(name="PaymentReference")


def put_reference(client: ExactClient, item_refs: Sequence[str], reference: str) -> str:
    """Fill the empty payment references of these items; what was done, in a sentence. Safe to repeat.

    Raises `ConfigurationError` when Exact Online did not keep one.
    """
    return _replaced(client, item_refs, "", reference)


def remove_reference(client: ExactClient, item_refs: Sequence[str], reference: str) -> str:
    """Empty the payment references of these items that are `reference`; others stay. Safe to repeat."""
    return _replaced(client, item_refs, reference, "")


def _replaced(client: ExactClient, item_refs: Sequence[str], old: str, new: str) -> str:
    written = other = 0
    for division, keys in batches(item_refs):
        found = _read(client, division, keys)
        wanted = [key for key, text in found.items() if text == old and old != new]
        for key in wanted:
            client.change(division, RECEIVABLE, key, {"PaymentReference": new or None})
        kept = _read(client, division, wanted) if wanted else {}
        if any(kept.get(key) != new for key in wanted):
            raise ConfigurationError(
                f"Exact Online did not keep the payment reference of a receivable of division {division}.",
                cure="Give the connection's user the right to change receivables, or switch write_reference off.",
            )
        written += len(wanted)
        other += sum(text not in (old, new) for text in found.values())
    left = f", {other} left because they have one of their own" if other else ""
    return f"payment reference of {written} receivables {'set' if new else 'emptied'}{left}"


def _read(client: ExactClient, division: int, keys: Sequence[str]) -> dict[str, str]:
    query = {"$filter": any_of("ID", map(guid, keys)), "$select": columns(_Reference)}
    rows = client.records(division, RECEIVABLE, _Reference, query)
    return {row.term_id: (row.text or "").strip() for row in rows}
