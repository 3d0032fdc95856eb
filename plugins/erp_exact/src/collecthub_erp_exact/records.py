"""Exact Online's records: each type lists exactly the columns that are selected, under the vendor's names.

Where the vendor's name is ours in another spelling (`full_name`, `FullName`), it is not written twice.
Personal fields without a purpose (social security number, birth date, picture) are never among them.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec import field

RECEIVABLE = 20
"""LineType of a payment term that customers owe; 22 is what the company owes."""


class PaymentTerm(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One row of sync/Cashflow/PaymentTerms; in bulk/Cashflow/Receivables it has no version and no line type.

    What a server leaves out is taken as empty: not every proxy or simulator passes on all that was selected.
    """

    row_version: str | int = field(name="Timestamp", default=0)
    term_id: str = field(name="ID")
    line_type: int | None = field(name="LineType", default=RECEIVABLE)
    account_id: str | None = field(name="Account")
    account_name: str | None = field(name="AccountName")
    amount: Decimal = field(name="AmountFC")
    currency: str | None = field(name="Currency")
    description: str | None = field(name="Description")
    due_date: str | None = field(name="DueDate")
    entry_id: str | None = field(name="EntryID")
    entry_number: int | None = field(name="EntryNumber")
    invoice_date: str | None = field(name="InvoiceDate")
    invoice_number: int | None = field(name="InvoiceNumber")
    ended_on: str | None = field(name="EndDate", default=None)
    is_fully_paid: bool = field(name="IsFullyPaid")
    is_reversal: bool = field(name="TransactionIsReversal", default=False)
    status: int | None = field(name="Status")
    transaction_entry_id: str | None = field(name="TransactionEntryID")
    transaction_type: int | None = field(name="TransactionType")


class Receivable(msgspec.Struct, frozen=True, gc=False):
    """One row of (bulk/)cashflow/Receivables: the same item, read anew."""

    term_id: str = field(name="ID")
    account_id: str | None = field(name="Account")
    amount: Decimal = field(name="AmountFC")
    currency: str | None = field(name="Currency")
    entry_number: int | None = field(name="EntryNumber")
    entry_id: str | None = field(name="EntryID")
    transaction_entry_id: str | None = field(name="TransactionEntryID")
    ended_on: str | None = field(name="EndDate")
    is_fully_paid: bool = field(name="IsFullyPaid")
    status: int | None = field(name="Status")


class ListedItem(msgspec.Struct, frozen=True, gc=False):
    """One row of read/financial/ReceivablesList, as far as the control totals need it."""

    currency: str = field(name="CurrencyCode")
    amount: Decimal = field(name="Amount")


class Deletion(msgspec.Struct, frozen=True, gc=False):
    """One row of sync/Deleted."""

    row_version: str | int = field(name="Timestamp")
    entity_key: str = field(name="EntityKey")
    entity_type: int = field(name="EntityType")


class Account(msgspec.Struct, frozen=True, rename="pascal"):
    """One row of crm/Accounts."""

    account_id: str = field(name="ID")
    code: str | None
    name: str | None
    email: str | None
    phone: str | None
    language: str | None
    country: str | None
    postcode: str | None
    city: str | None
    line_1: str | None = field(name="AddressLine1")
    line_2: str | None = field(name="AddressLine2")
    line_3: str | None = field(name="AddressLine3")
    vat_number: str | None = field(name="VATNumber")
    chamber_number: str | None = field(name="ChamberOfCommerce")
    main_contact_id: str | None = field(name="MainContact")
    classification: str | None = field(name="Classification1")
    invoice_account_id: str | None = field(name="InvoiceAccount")
    payment_condition: str | None = field(name="PaymentConditionSales")
    payment_condition_text: str | None = field(name="PaymentConditionSalesDescription")
    remarks: str | None
    is_blocked: bool | None = field(name="Blocked")
    is_anonymised: int | None


class ContactPerson(msgspec.Struct, frozen=True, rename="pascal"):
    """One row of crm/Contacts."""

    contact_id: str = field(name="ID")
    account_id: str | None = field(name="Account")
    is_main: bool | None = field(name="IsMainContact")
    ended_on: str | None = field(name="EndDate")
    full_name: str | None
    email: str | None
    business_email: str | None
    phone: str | None
    business_phone: str | None
    business_mobile: str | None
    job_title: str | None = field(name="JobTitleDescription")
    is_anonymised: int | None


class Note(msgspec.Struct, frozen=True, rename="pascal"):
    """One row of activities/CommunicationNotes."""

    account_id: str | None = field(name="Account")
    subject: str | None
    text: str | None = field(name="Notes")
    written_at: str | None = field(name="Date")


class EntryLine(msgspec.Struct, frozen=True, rename="pascal"):
    """One row of salesentry/SalesEntryLines; AmountFC is without tax."""

    entry_id: str = field(name="EntryID")
    number: int | None = field(name="LineNumber")
    description: str | None
    quantity: Decimal | None
    amount: Decimal | None = field(name="AmountFC")
    tax_amount: Decimal | None = field(name="VATAmountFC")


class ChangedAccount(msgspec.Struct, frozen=True, gc=False):
    """One row of sync/CRM/Accounts: that it changed, not what."""

    row_version: str | int = field(name="Timestamp")
    account_id: str | None = field(name="ID")


class ChangedContact(msgspec.Struct, frozen=True, gc=False):
    """One row of sync/CRM/Contacts: whose contact changed."""

    row_version: str | int = field(name="Timestamp")
    account_id: str | None = field(name="Account")


class DivisionState(msgspec.Struct, frozen=True):
    """One row of system/Divisions. When the move date changes, all row versions start anew."""

    code: int = field(name="Code")
    moved_at: str | None = field(name="DivisionMoveDate", default=None)
    relinked_at: str | None = field(name="DivisionHRLinkUnlinkDate", default=None)
