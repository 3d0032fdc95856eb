"""Reads what belongs to an invoice that enters a case: its lines and its PDF."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from decimal import Decimal
from urllib.parse import urlsplit

import msgspec
from msgspec import field

from collecthub.sdk import InvoiceDocument, InvoiceLine, PermanentError, QuarantineError
from collecthub_erp_exact.allocation import RECEIVABLES
from collecthub_erp_exact.limits import CircuitOpenError
from collecthub_erp_exact.mapping import invoice_line, item_ref
from collecthub_erp_exact.odata import any_of, columns, guid
from collecthub_erp_exact.reading import Reader, batches, parts
from collecthub_erp_exact.records import EntryLine, Receivable

ENTRY_LINES = "salesentry/SalesEntryLines"
DOCUMENTS, ATTACHMENTS, FILES = "documents/Documents", "documents/DocumentAttachments", "attachment files"
_PDF = b"%PDF-"

_log = logging.getLogger(__name__)


class _Document(msgspec.Struct, frozen=True):
    document_id: str = field(name="ID")
    entry_id: str | None = field(name="FinancialTransactionEntryID")


class _Attachment(msgspec.Struct, frozen=True):
    document_id: str = field(name="Document")
    name: str | None = field(name="FileName")
    size: Decimal | None = field(name="FileSize")
    url: str | None = field(name="Url")


class Invoices:
    """Up to three calls for the PDF of an invoice and one more for the file; they are asked for in batches."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def lines(self, item_refs: Sequence[str]) -> Iterator[InvoiceLine]:
        """What was sold with these items, from the sales entries that they were booked by."""
        for division, keys in batches(item_refs):
            entries = self._entries(division, keys)
            found = self._entry_lines(division, sorted({ids[0] for ids in entries.values() if ids}))
            for key, ids in entries.items():
                for line in found.get(ids[0], ()) if ids else ():
                    yield invoice_line(division, key, line)

    def _entry_lines(self, division: int, entry_ids: Sequence[str]) -> dict[str, list[EntryLine]]:
        found: dict[str, list[EntryLine]] = {}
        for part in parts(entry_ids):
            query = {"$filter": any_of("EntryID", map(guid, part)), "$select": columns(EntryLine)}
            for row in self._reader.records(division, ENTRY_LINES, EntryLine, query):
                found.setdefault(row.entry_id, []).append(row)
        return {entry: sorted(rows, key=lambda row: row.number or 0) for entry, rows in found.items()}

    def documents(self, item_refs: Sequence[str]) -> Iterator[InvoiceDocument]:
        """PDF files of these items, each verified to be one; what is missing or something else is left out.

        Raises `PermanentError` when an endpoint goes on refusing: a case must not wait for that.
        """
        try:
            yield from self._documents(item_refs)
        except CircuitOpenError as closed:
            raise PermanentError(closed.message, cure=closed.cure, reference=closed.reference) from closed

    def _documents(self, item_refs: Sequence[str]) -> Iterator[InvoiceDocument]:
        for division, keys in batches(item_refs):
            entries = self._entries(division, keys)
            documents = self._documents_of(
                division, sorted({entry for ids in entries.values() for entry in ids})
            )
            attachments = self._attachments_of(division, sorted(set(documents.values())))
            for key, entry_ids in entries.items():
                ids = dict.fromkeys(documents[entry] for entry in entry_ids if entry in documents)
                for attachment in (one for document_id in ids for one in attachments.get(document_id, ())):
                    document = self._file(division, key, attachment)
                    if document is not None:
                        yield document

    def _entries(self, division: int, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The financial entries that an item belongs to, under either of the two ids that documents refer to."""
        query = {"$filter": any_of("ID", map(guid, keys)), "$select": columns(Receivable)}
        return {
            row.term_id: tuple(filter(None, (row.transaction_entry_id, row.entry_id)))
            for row in self._reader.records(division, RECEIVABLES, Receivable, query)
        }

    def _documents_of(self, division: int, entry_ids: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in parts(entry_ids):
            condition = any_of("FinancialTransactionEntryID", map(guid, part))
            query = {"$filter": condition, "$select": columns(_Document)}
            for row in self._reader.records(division, DOCUMENTS, _Document, query):
                found[row.entry_id or ""] = row.document_id
        return found

    def _attachments_of(self, division: int, document_ids: Sequence[str]) -> dict[str, list[_Attachment]]:
        found: dict[str, list[_Attachment]] = {}
        for part in parts(document_ids):
            query = {"$filter": any_of("Document", map(guid, part)), "$select": columns(_Attachment)}
            for row in self._reader.records(division, ATTACHMENTS, _Attachment, query):
                found.setdefault(row.document_id, []).append(row)
        return found

    def _file(self, division: int, key: str, attachment: _Attachment) -> InvoiceDocument | None:
        """The file behind an attachment. Without rights the vendor answers an HTML page with status 200."""
        url = attachment.url or ""
        if not url:
            return None
        joint = "&" if urlsplit(url).query else "?"
        try:
            content = self._reader.download(division, FILES, f"{url}{joint}Download=1").content
        except (PermanentError, QuarantineError, CircuitOpenError) as error:
            _log.warning("the attachment of %s cannot be read: %s", key, error.message)
            return None
        is_whole = not attachment.size or len(content) == attachment.size
        if not content.startswith(_PDF) or not is_whole:
            _log.warning("the attachment of %s is not the PDF it should be (%s bytes)", key, len(content))
            return None
        name = attachment.name or "invoice.pdf"
        return InvoiceDocument(
            item_ref=item_ref(division, key), name=name, media_type="application/pdf", content=content
        )
