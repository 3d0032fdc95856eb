"""Reads customers, invoice documents and the open items anew, for cases and for reconciliation."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from decimal import Decimal
from urllib.parse import urlsplit

import msgspec
from msgspec import field

from collecthub.sdk import (
    ConnectorContext,
    DebtorRecord,
    InvoiceDocument,
    InvoiceLine,
    OpenItem,
    Party,
    RawInvoice,
)
from collecthub_erp_exact.allocation import RECEIVABLES, TERM_COLUMNS
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.divisions import chosen
from collecthub_erp_exact.mapping import (
    cancelled,
    debtor_party,
    debtor_record,
    invoice_line,
    is_outstanding,
    item_ref,
    open_item,
    party_kind,
    raw_invoice,
    split_ref,
)
from collecthub_erp_exact.odata import any_of, columns, guid
from collecthub_erp_exact.records import Account, ContactPerson, EntryLine, Note, PaymentTerm, Receivable
from collecthub_erp_exact.settings import ExactSettings

ACCOUNTS, CONTACTS = "bulk/CRM/Accounts", "bulk/CRM/Contacts"
NOTES, ENTRY_LINES = "activities/CommunicationNotes", "salesentry/SalesEntryLines"
DOCUMENTS, ATTACHMENTS, FILES = "documents/Documents", "documents/DocumentAttachments", "attachment files"
_BATCH = 20  # guids in one filter; keeps the query below 2,048 characters
_PDF = b"%PDF-"
_NOTES_MAX, _NOTES_SINCE = 10, dt.timedelta(days=365)
SUBJECT_START = "Collection "
"""How the subjects of our own notes begin."""

_log = logging.getLogger(__name__)


class _Document(msgspec.Struct, frozen=True):
    document_id: str = field(name="ID")
    entry_id: str | None = field(name="FinancialTransactionEntryID")


class _Attachment(msgspec.Struct, frozen=True):
    document_id: str = field(name="Document")
    name: str | None = field(name="FileName")
    size: Decimal | None = field(name="FileSize")
    url: str | None = field(name="Url")


class MasterData:
    """Reads beside the pull; every query asks for a batch of records."""

    def __init__(self, ctx: ConnectorContext, client: ExactClient) -> None:
        self._settings: ExactSettings = ctx.settings
        self._today = ctx.business_date
        self._client = client

    def debtors(self, debtor_refs: Sequence[str]) -> Iterator[DebtorRecord]:
        """Master data of these customers; one that no longer exists is left out."""
        for division, keys in _batches(debtor_refs):
            accounts = self._accounts(division, keys)
            payers = {one.invoice_account_id for one in accounts.values() if one.invoice_account_id}
            others = self._accounts(division, sorted(payers - accounts.keys()))
            known = {**accounts, **others}
            people = self._contacts(division, sorted(known))
            notes = self._notes(division, sorted(accounts)) if self._settings.read_notes else {}
            parties = {key: self._party(one, people.get(key, ())) for key, one in known.items()}
            for key, account in accounts.items():
                payer = account.invoice_account_id if account.invoice_account_id != key else None
                bill_to = parties.get(payer or "")
                yield debtor_record(division, account, parties[key], bill_to, notes.get(key, ()))

    def _party(self, account: Account, people: Sequence[ContactPerson]) -> Party:
        kind = party_kind(
            account, self._settings.person_classifications, self._settings.public_classifications
        )
        return debtor_party(account, people, kind, self._today())

    def _accounts(self, division: int, keys: Sequence[str]) -> dict[str, Account]:
        found: dict[str, Account] = {}
        for part in _parts(keys):
            query = {"$filter": any_of("ID", map(guid, part)), "$select": columns(Account)}
            found |= {row.account_id: row for row in self._client.records(division, ACCOUNTS, Account, query)}
        return found

    def _contacts(self, division: int, account_ids: Sequence[str]) -> dict[str, list[ContactPerson]]:
        found: dict[str, list[ContactPerson]] = {}
        for part in _parts(account_ids):
            query = {"$filter": any_of("Account", map(guid, part)), "$select": columns(ContactPerson)}
            for row in self._client.records(division, CONTACTS, ContactPerson, query):
                found.setdefault(row.account_id or "", []).append(row)
        return found

    def _notes(self, division: int, account_ids: Sequence[str]) -> dict[str, list[Note]]:
        """The newest notes of each account, without those that were written from here."""
        found: dict[str, list[Note]] = {}
        since = (self._today() - _NOTES_SINCE).isoformat()
        for part in _parts(account_ids):
            condition = f"({any_of('Account', map(guid, part))}) and Date ge datetime'{since}T00:00:00'"
            query = {"$filter": condition, "$orderby": "Date desc", "$select": columns(Note)}
            for row in self._client.records(division, NOTES, Note, query):
                notes = found.setdefault(row.account_id or "", [])
                if len(notes) < _NOTES_MAX and not (row.subject or "").startswith(SUBJECT_START):
                    notes.append(row)
        return found

    def invoice_lines(self, item_refs: Sequence[str]) -> Iterator[InvoiceLine]:
        """What was sold with these items, from the sales entries that they were booked by."""
        for division, keys in _batches(item_refs):
            entries = self._entries(division, keys)
            lines = self._lines(division, sorted({ids[0] for ids in entries.values() if ids}))
            for key, ids in entries.items():
                for line in lines.get(ids[0], ()) if ids else ():
                    yield invoice_line(division, key, line)

    def _lines(self, division: int, entry_ids: Sequence[str]) -> dict[str, list[EntryLine]]:
        found: dict[str, list[EntryLine]] = {}
        for part in _parts(entry_ids):
            query = {"$filter": any_of("EntryID", map(guid, part)), "$select": columns(EntryLine)}
            for row in self._client.records(division, ENTRY_LINES, EntryLine, query):
                found.setdefault(row.entry_id, []).append(row)
        return {entry: sorted(rows, key=lambda row: row.number or 0) for entry, rows in found.items()}

    def documents(self, item_refs: Sequence[str]) -> Iterator[InvoiceDocument]:
        """PDF files of these items, each verified to be one; what is missing or something else is left out."""
        for division, keys in _batches(item_refs):
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
            for row in self._client.records(division, RECEIVABLES, Receivable, query)
        }

    def _documents_of(self, division: int, entry_ids: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in _parts(entry_ids):
            condition = any_of("FinancialTransactionEntryID", map(guid, part))
            query = {"$filter": condition, "$select": columns(_Document)}
            for row in self._client.records(division, DOCUMENTS, _Document, query):
                found[row.entry_id or ""] = row.document_id
        return found

    def _attachments_of(self, division: int, document_ids: Sequence[str]) -> dict[str, list[_Attachment]]:
        found: dict[str, list[_Attachment]] = {}
        for part in _parts(document_ids):
            query = {"$filter": any_of("Document", map(guid, part)), "$select": columns(_Attachment)}
            for row in self._client.records(division, ATTACHMENTS, _Attachment, query):
                found.setdefault(row.document_id, []).append(row)
        return found

    def _file(self, division: int, key: str, attachment: _Attachment) -> InvoiceDocument | None:
        """The file behind an attachment. Without rights the vendor answers an HTML page with status 200."""
        url = attachment.url or ""
        if not url:
            return None
        joint = "&" if urlsplit(url).query else "?"
        content = self._client.download(division, FILES, f"{url}{joint}Download=1").content
        is_whole = not attachment.size or len(content) == attachment.size
        if not content.startswith(_PDF) or not is_whole:
            _log.warning("the attachment of %s is not the PDF it should be (%s bytes)", key, len(content))
            return None
        name = attachment.name or "invoice.pdf"
        return InvoiceDocument(
            item_ref=item_ref(division, key), name=name, media_type="application/pdf", content=content
        )

    def open_items(self) -> Iterator[OpenItem]:
        """What is open now, read anew from the receivables themselves.

        Not from ReceivablesList: its lines carry no identity of the item (only an HID), and its pages of 60 would use
        up a minute's calls after 3,600 items. That list is the control of the pull instead.
        """
        query = {"$filter": "IsFullyPaid eq false", "$select": columns(Receivable)}
        for division in chosen(self._settings.divisions):
            for row in self._client.records(division, RECEIVABLES, Receivable, query, is_bulk=True):
                if is_outstanding(row):
                    yield open_item(division, row, self._settings.amount_sign)


    def read_items(self, item_refs: Sequence[str]) -> Iterator[RawInvoice]:
        """These items as they stand now; what Exact Online does not know any more was deleted there."""
        for division, keys in _batches(item_refs):
            query = {"$filter": any_of("ID", map(guid, keys)), "$select": TERM_COLUMNS}
            missing = dict.fromkeys(keys)
            for term in self._client.records(division, RECEIVABLES, PaymentTerm, query):
                missing.pop(term.term_id, None)
                try:
                    yield raw_invoice(division, term, self._settings.amount_sign)
                except (ValueError, OverflowError) as error:
                    _log.warning("item %s cannot be understood: %s", item_ref(division, term.term_id), error)
            yield from (cancelled(division, key) for key in missing)


def _batches(references: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """References grouped by division, each guid once, in batches that fit one query."""
    by_division: dict[int, dict[str, None]] = {}
    for reference in references:
        division, key = split_ref(reference)
        by_division.setdefault(division, {})[key] = None
    for division, keys in by_division.items():
        for part in _parts(list(keys)):
            yield division, part


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))
