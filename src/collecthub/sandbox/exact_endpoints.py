"""The endpoints of the Exact twin as one table: address, type, source, page size, methods, scope and query rules."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from collecthub.sandbox import exact_entities as model
from collecthub.sandbox.odata import EntityType
from collecthub.sandbox.odata_query import EntitySet, live_columns

PAGE, BULK_PAGE = 60, 1000
_READ = frozenset({"GET"})
_ACCOUNT_FILTERS = frozenset(
    "Accountant AccountManager AddressLine1 AddressLine2 AddressLine3 Blocked BRIN BSN ChamberOfCommerce City "
    "Classification1 Classification2 Classification3 Classification4 Classification5 Classification6 Classification7 "
    "Classification8 Classification Code CodeAtSupplier Country Created Email EndDate Fax ID InvoiceAccount "
    "IsAccountant IsReseller IsSales IsSupplier MainContact Name Parent Phone Postcode PriceList Reseller RSIN "
    "SearchCode StartDate Status Type VATNumber".split()
)
# The vendor names such a list in its refusal; only the one for accounts was recorded, these are the twin's guess.
_TERM_FILTERS = frozenset(
    "Account AccountCode Created DueDate EntryDate EntryID EntryNumber ID InvoiceDate InvoiceNumber IsFullyPaid Status "
    "TransactionEntryID TransactionID YourRef".split()
)
_CONTACT_FILTERS = frozenset("Account Created Email ID FullName IsMainContact LastName".split())
_DOCUMENT_FILTERS = frozenset(
    "Account Created DocumentDate FinancialTransactionEntryID ID SalesInvoiceNumber Type".split()
)
_ATTACHMENT_FILTERS = frozenset("Document ID FileName".split())
_INVOICE_FILTERS = frozenset(
    "Created DueDate InvoiceDate InvoiceID InvoiceNumber InvoiceTo OrderedBy Status Type YourRef".split()
)
_TERM_CONSTANTS = {
    "AmountDiscountDC": 0, "AmountDiscountFC": 0, "IsBatchBooking": 0, "Source": 1, "TransactionStatus": 50,
    "LineType": 20, "ApprovalStatus": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Endpoint:
    """One address below the division. `filters`: a GET must filter on one of them, unless the set is empty."""

    path: str
    entities: EntitySet
    scope: str
    methods: frozenset[str] = _READ
    filters: frozenset[str] = frozenset()
    select_required: bool = False
    sync: bool = False


def endpoints(connection: sqlite3.Connection) -> dict[str, Endpoint]:
    """All endpoints by their path in lower case (the vendor does not mind the case)."""
    return {one.path.lower(): one for one in _all(connection)}


def _all(db: sqlite3.Connection) -> Iterator[Endpoint]:
    yield from _receivables(db)
    yield from _customers(db)
    yield from _documents(db)
    yield from _activities(db)
    yield Endpoint(
        "hrm/Divisions", _set(db, "Divisions", model.DIVISION, "division"), "Organization administration"
    )
    yield Endpoint(
        "system/Divisions",
        _set(db, "Divisions", model.SYSTEM_DIVISION, "division"),
        "Organization administration",
    )
    yield Endpoint(
        "webhooks/WebhookSubscriptions",
        _set(db, "WebhookSubscriptions", model.WEBHOOK_SUBSCRIPTION, "subscription"),
        "Organization administration",
        frozenset({"GET", "POST", "DELETE"}),
    )


def _receivables(db: sqlite3.Connection) -> Iterator[Endpoint]:
    scope = "Financial receivables"
    outstanding = _set(db, "ReceivablesList", model.RECEIVABLES_LIST, "receivables_list")
    yield Endpoint("read/financial/ReceivablesList", outstanding, scope)
    yield Endpoint("read/financial/ReceivablesListByAccount", outstanding, scope)
    terms = _set(db, "Receivables", model.RECEIVABLE, "receivable", constants=_TERM_CONSTANTS)
    yield Endpoint("cashflow/Receivables", terms, scope, frozenset({"GET", "PUT"}), _TERM_FILTERS)
    bulk = _set(db, "Receivables", model.RECEIVABLE, "receivable", BULK_PAGE, _TERM_CONSTANTS)
    yield Endpoint("bulk/Cashflow/Receivables", bulk, scope, _READ, _TERM_FILTERS, select_required=True)
    sync = _set(db, "PaymentTerms", model.SYNC_PAYMENT_TERM, "receivable", BULK_PAGE, _TERM_CONSTANTS)
    yield Endpoint("sync/Cashflow/PaymentTerms", sync, "Financial receivables", sync=True)
    deleted = _set(db, "Deleted", model.SYNC_DELETED, "deleted", BULK_PAGE)
    yield Endpoint("sync/Deleted", deleted, "", sync=True)
    conditions = _set(db, "PaymentConditions", model.PAYMENT_CONDITION, "condition")
    yield Endpoint("cashflow/PaymentConditions", conditions, "Financial cashflow")


def _customers(db: sqlite3.Connection) -> Iterator[Endpoint]:
    scope, writable = "Crm accounts", frozenset({"GET", "PUT"})
    accounts = _set(db, "Accounts", model.ACCOUNT, "customer")
    contacts = _set(db, "Contacts", model.CONTACT, "contact")
    bulk_accounts = _set(db, "Accounts", model.ACCOUNT, "customer", BULK_PAGE)
    bulk_contacts = _set(db, "Contacts", model.CONTACT, "contact", BULK_PAGE)
    yield Endpoint("crm/Accounts", accounts, scope, writable, _ACCOUNT_FILTERS)
    yield Endpoint("bulk/CRM/Accounts", bulk_accounts, scope, _READ, _ACCOUNT_FILTERS, select_required=True)
    yield Endpoint(
        "sync/CRM/Accounts", _set(db, "Accounts", model.SYNC_ACCOUNT, "customer", BULK_PAGE), scope, sync=True
    )
    yield Endpoint("crm/Contacts", contacts, scope, _READ, _CONTACT_FILTERS)
    yield Endpoint("bulk/CRM/Contacts", bulk_contacts, scope, _READ, _CONTACT_FILTERS, select_required=True)
    yield Endpoint(
        "sync/CRM/Contacts", _set(db, "Contacts", model.SYNC_CONTACT, "contact", BULK_PAGE), scope, sync=True
    )


def _documents(db: sqlite3.Connection) -> Iterator[Endpoint]:
    invoices = _set(db, "SalesInvoices", model.SALES_INVOICE, "sales_invoice")
    yield Endpoint("salesinvoice/SalesInvoices", invoices, "Sales invoices", _READ, _INVOICE_FILTERS)
    printed = _set(db, "PrintedSalesInvoices", model.PRINTED_SALES_INVOICE, "mailed")
    yield Endpoint("salesinvoice/PrintedSalesInvoices", printed, "Sales invoices", frozenset({"POST"}))
    lines = _set(db, "SalesEntryLines", model.SALES_ENTRY_LINE, "entry_line")
    yield Endpoint("salesentry/SalesEntryLines", lines, "Financial accounting")
    documents = _set(db, "Documents", model.DOCUMENT, "document")
    yield Endpoint("documents/Documents", documents, "Organization documents", _READ, _DOCUMENT_FILTERS)
    attachments = _set(db, "DocumentAttachments", model.DOCUMENT_ATTACHMENT, "attachment")
    yield Endpoint(
        "documents/DocumentAttachments", attachments, "Organization documents", _READ, _ATTACHMENT_FILTERS
    )


def _activities(db: sqlite3.Connection) -> Iterator[Endpoint]:
    methods = frozenset({"GET", "POST", "PUT", "DELETE"})
    notes = _set(db, "CommunicationNotes", model.COMMUNICATION_NOTE, "note")
    yield Endpoint("activities/CommunicationNotes", notes, "Crm accounts", methods)
    yield Endpoint("activities/Tasks", _set(db, "Tasks", model.TASK, "task"), "Crm accounts", methods)


def _set(
    db: sqlite3.Connection,
    name: str,
    entity: EntityType,
    source: str,
    page_size: int = PAGE,
    constants: dict[str, int] | None = None,
) -> EntitySet:
    return EntitySet(name, entity, source, page_size, live_columns(db, source), constants or {})
