"""Says what the payment terms of a page leave open: which item money on account pays, and what was reversed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import msgspec

from collecthub.sdk import ItemKind, ItemState, PermanentError, RawInvoice
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.limits import CircuitOpenError
from collecthub_erp_exact.mapping import is_outstanding, item_ref, raw_invoice
from collecthub_erp_exact.odata import any_of, columns
from collecthub_erp_exact.records import PaymentTerm, Receivable
from collecthub_erp_exact.terms import MappedTerms

RECEIVABLES = "bulk/Cashflow/Receivables"
_LOOKUP_BATCH = 40  # keeps the query below the 2,048 characters that the vendor's web server takes by default
TERM_COLUMNS = ",".join(name for name in columns(PaymentTerm).split(",") if name not in ("Timestamp", "LineType"))

_log = logging.getLogger(__name__)


class Allocation:
    """Looks up what the terms of one pull refer to. What cannot be read is left as the terms say it."""

    def __init__(self, client: ExactClient, amount_sign: int) -> None:
        self._client = client
        self._sign = amount_sign
        self._reversed: set[str] = set()

    def settled(self, division: int, mapped: MappedTerms) -> list[RawInvoice]:
        """The lines of a page, open money on account tied to the one item it pays, where that is clear, and
        reversed invoices told from paid ones."""
        rows = mapped.rows
        try:
            if mapped.paid_entries:
                self._tie(division, mapped)
            if mapped.reversals:
                rows = self._without_reversed(division, mapped)
        except (PermanentError, CircuitOpenError) as trouble:
            _log.warning("division %s: payments stay unallocated: %s", division, trouble.message)
        if not self._reversed:
            return rows
        return [_cancelled(row) if row.item_ref in self._reversed else row for row in rows]

    def _tie(self, division: int, mapped: MappedTerms) -> None:
        """Money that names an entry of several terms stays unallocated: which term it pays is not said."""
        rows = mapped.rows
        found = self._items_of(division, sorted(set(mapped.paid_entries.values())))
        for index, entry in mapped.paid_entries.items():
            candidates = [one for one in found.get(entry, ()) if one[1] == rows[index].debtor_ref]
            if len(candidates) == 1:
                rows[index] = msgspec.structs.replace(rows[index], settles_ref=candidates[0][0])

    def _items_of(self, division: int, entries: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
        """Open items (reference, debtor) by entry number."""
        found: dict[int, list[tuple[str, str]]] = {}
        for part in _parts(entries):
            query = {"$filter": any_of("EntryNumber", map(str, part)), "$select": columns(Receivable)}
            for row in self._client.records(division, RECEIVABLES, Receivable, query, is_bulk=True):
                if is_outstanding(row) and row.amount * self._sign > 0 and row.entry_number is not None:
                    pair = item_ref(division, row.term_id), item_ref(division, row.account_id or "")
                    found.setdefault(row.entry_number, []).append(pair)
        return found

    def _without_reversed(self, division: int, mapped: MappedTerms) -> list[RawInvoice]:
        """The invoices that were matched with a reversal, in this page or before it, are cancelled: nobody paid."""
        wanted = {
            (number, mapped.rows[index].debtor_ref, mapped.rows[index].currency, -mapped.rows[index].amount)
            for index, number in mapped.reversals.items()
        }
        rows = {row.item_ref: row for row in mapped.rows}
        for part in _parts(sorted(set(mapped.reversals.values()))):
            query = {"$filter": any_of("InvoiceNumber", map(str, part)), "$select": TERM_COLUMNS}
            for term in self._client.records(division, RECEIVABLES, PaymentTerm, query, is_bulk=True):
                if is_outstanding(term) or term.is_reversal:
                    continue
                row = raw_invoice(division, term, self._sign)
                key = (term.invoice_number, row.debtor_ref, row.currency, row.amount)
                if row.kind is ItemKind.INVOICE and key in wanted:
                    rows[row.item_ref] = row
                    self._reversed.add(row.item_ref)
        return list(rows.values())


def _cancelled(row: RawInvoice) -> RawInvoice:
    return msgspec.structs.replace(row, state=ItemState.CANCELLED) if row.state is ItemState.PAID else row


def _parts(values: Sequence[int]) -> Iterator[Sequence[int]]:
    return (values[start : start + _LOOKUP_BATCH] for start in range(0, len(values), _LOOKUP_BATCH))
