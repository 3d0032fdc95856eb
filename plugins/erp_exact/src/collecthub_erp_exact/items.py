"""Reads receivables themselves, for reconciliation: all that are open, or single ones."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from collecthub.sdk import OpenItem, RawInvoice
from collecthub_erp_exact.allocation import RECEIVABLES, TERM_COLUMNS
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.divisions import chosen
from collecthub_erp_exact.mapping import cancelled, is_outstanding, item_ref, open_item, raw_invoice
from collecthub_erp_exact.odata import any_of, columns, guid
from collecthub_erp_exact.reading import Reader, batches
from collecthub_erp_exact.records import PaymentTerm, Receivable
from collecthub_erp_exact.settings import ExactSettings

_log = logging.getLogger(__name__)


def open_items(client: ExactClient, settings: ExactSettings) -> Iterator[OpenItem]:
    """What is open now, read anew from the receivables themselves.

    Not from ReceivablesList: its lines carry no identity of the item (only an HID), and its pages of 60 would use
    up a minute's calls after 3,600 items. That list is the control of the pull instead.
    """
    query = {"$filter": "IsFullyPaid eq false", "$select": columns(Receivable)}
    for division in chosen(settings.divisions):
        for row in client.records(division, RECEIVABLES, Receivable, query, is_bulk=True):
            if is_outstanding(row):
                yield open_item(division, row, settings.amount_sign)


def read_items(reader: Reader, item_refs: Sequence[str], amount_sign: int) -> Iterator[RawInvoice]:
    """These items as they stand now; what Exact Online does not know any more was deleted there."""
    for division, keys in batches(item_refs):
        query = {"$filter": any_of("ID", map(guid, keys)), "$select": TERM_COLUMNS}
        missing = dict.fromkeys(keys)
        for term in reader.records(division, RECEIVABLES, PaymentTerm, query):
            missing.pop(term.term_id, None)
            try:
                yield raw_invoice(division, term, amount_sign)
            except (ValueError, OverflowError) as error:
                _log.warning("item %s cannot be understood: %s", item_ref(division, term.term_id), error)
        yield from (cancelled(division, key) for key in missing)
