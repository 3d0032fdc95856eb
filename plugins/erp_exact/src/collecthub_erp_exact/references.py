"""Writes the number of a case into the payment reference of its receivables, and takes it out again.

Only an empty reference is filled: a creditor's own one (a structured communication) is how his bank matches money.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import field

from collecthub.sdk import ConfigurationError
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.mapping import split_ref
from collecthub_erp_exact.odata import any_of, columns, guid

RECEIVABLE = "cashflow/Receivables"
_BATCH = 20  # guids in one filter; keeps the query below 2,048 characters


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
    for division, keys in _batches(item_refs):
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


def _batches(item_refs: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    by_division: dict[int, list[str]] = {}
    for division, key in map(split_ref, item_refs):
        by_division.setdefault(division, []).append(key)
    for division, keys in by_division.items():
        for start in range(0, len(keys), _BATCH):
            yield division, keys[start : start + _BATCH]
