"""Exact Online's records and what they are in the hub's words. Pure; nothing here talks to anyone.

Each record type lists exactly the columns that are selected; personal fields without a purpose (social security
number, birth date, picture) are never among them. References carry the division, `{division}:{guid}`, so that the
books of two companies never mix.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import field

from collecthub.sdk import (
    Address,
    Contact,
    DebtorRecord,
    ItemKind,
    ItemState,
    OpenItem,
    Party,
    PartyKind,
    PermanentError,
    RawInvoice,
)

RECEIVABLE = 20
"""LineType of a payment term that customers owe; 22 is what the company owes."""
DELETED_TERM = 10
"""EntityType of a payment term in sync/Deleted."""

_SALES_TYPES = frozenset({20, 21})  # sales entry, sales credit note (TransactionType)
_STATES = {20: ItemState.OPEN, 30: ItemState.OPEN, 40: ItemState.PAID, 50: ItemState.PAID}
_ZERO = Decimal(0)
_UNIX_EPOCH = dt.date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
_WIRE_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)


class PaymentTerm(msgspec.Struct, frozen=True, gc=False):
    """One row of sync/Cashflow/PaymentTerms."""

    row_version: str | int = field(name="Timestamp")
    term_id: str = field(name="ID")
    line_type: int | None = field(name="LineType")
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
    is_fully_paid: bool = field(name="IsFullyPaid")
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


class Account(msgspec.Struct, frozen=True):
    """One row of crm/Accounts."""

    account_id: str = field(name="ID")
    name: str | None = field(name="Name")
    email: str | None = field(name="Email")
    phone: str | None = field(name="Phone")
    language: str | None = field(name="Language")
    country: str | None = field(name="Country")
    postcode: str | None = field(name="Postcode")
    city: str | None = field(name="City")
    line_1: str | None = field(name="AddressLine1")
    line_2: str | None = field(name="AddressLine2")
    line_3: str | None = field(name="AddressLine3")
    vat_number: str | None = field(name="VATNumber")
    chamber_number: str | None = field(name="ChamberOfCommerce")
    main_contact_id: str | None = field(name="MainContact")
    classification: str | None = field(name="Classification1")
    payment_condition: str | None = field(name="PaymentConditionSales")
    is_blocked: bool | None = field(name="Blocked")
    is_anonymised: int | None = field(name="IsAnonymised")


class ContactPerson(msgspec.Struct, frozen=True):
    """One row of crm/Contacts."""

    contact_id: str = field(name="ID")
    full_name: str | None = field(name="FullName")
    email: str | None = field(name="Email")
    business_email: str | None = field(name="BusinessEmail")
    phone: str | None = field(name="Phone")
    business_phone: str | None = field(name="BusinessPhone")
    business_mobile: str | None = field(name="BusinessMobile")
    job_title: str | None = field(name="JobTitleDescription")
    is_anonymised: int | None = field(name="IsAnonymised")


class Division(msgspec.Struct, frozen=True):
    """One row of system/Divisions. When the move date changes, all row versions start anew."""

    code: int = field(name="Code")
    moved_at: str | None = field(name="DivisionMoveDate", default=None)
    relinked_at: str | None = field(name="DivisionHRLinkUnlinkDate", default=None)


@lru_cache(maxsize=8192)
def calendar_date(wire: str | None) -> dt.date | None:
    """A date-only value as the calendar date it is, without any shift by time zone.

    Raises `ValueError` for anything that is not a date of the years 1 to 9999.

    >>> calendar_date("/Date(1781481600000)/"), calendar_date("/Date(-86400000)/"), calendar_date(None)
    (datetime.date(2026, 6, 15), datetime.date(1969, 12, 31), None)
    """
    if wire is None:
        return None
    match = _WIRE_DATE.fullmatch(wire)
    if match is None:
        raise ValueError(f"{wire[:40]!r} is not a date")
    return dt.date.fromordinal(_UNIX_EPOCH + int(match[1]) // _DAY_MS)


def item_ref(division: int, key: str) -> str:
    """Our reference to a record of one division.

    >>> item_ref(123456, "2b5a7b99-e210-46ee-9511-3cac0b66405d")
    '123456:2b5a7b99-e210-46ee-9511-3cac0b66405d'
    """
    return f"{division}:{key}"


def split_ref(reference: str) -> tuple[int, str]:
    """Division and guid of one of our references. Raises `PermanentError` when it is none of ours.

    >>> split_ref("123456:2b5a7b99-e210-46ee-9511-3cac0b66405d")
    (123456, '2b5a7b99-e210-46ee-9511-3cac0b66405d')
    """
    division, colon, key = reference.partition(":")
    if not (colon and division.isascii() and division.isdigit() and _GUID.fullmatch(key)):
        raise PermanentError(
            f"{reference[:60]!r} is not a reference into Exact Online.",
            cure="Check which connection the case belongs to.",
        )
    return int(division), key


_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def raw_invoice(division: int, term: PaymentTerm, amount_sign: int = 1) -> RawInvoice:
    """A payment term as a receivable line. Raises `ValueError` with the reason when it cannot enter.

    Negative sales lines are credit notes; other negative lines are money on account, whose own number is their
    entry number (their `InvoiceNumber` names the entry that they pay).
    """
    status = term.status
    state = ItemState.PAID if term.is_fully_paid else _STATES.get(status) if status is not None else None
    if state is None:
        raise ValueError(f"status {status} is not one of 20, 30, 40, 50")
    if not term.account_id or not term.currency:
        raise ValueError("the term names no account" if not term.account_id else "the term has no currency")
    amount = term.amount if amount_sign == 1 else -term.amount
    kind, number = ItemKind.INVOICE, term.invoice_number or term.entry_number
    if amount < 0:
        is_sale = term.transaction_type in _SALES_TYPES
        kind, number = (ItemKind.CREDIT_NOTE, number) if is_sale else (ItemKind.PAYMENT, term.entry_number)
    prefix = f"{division}:"
    return RawInvoice(
        item_ref=prefix + term.term_id,
        debtor_ref=prefix + term.account_id,
        debtor_name=term.account_name or "",
        number=str(number or ""),
        kind=kind,
        state=state,
        issued_on=calendar_date(term.invoice_date),
        due_on=calendar_date(term.due_date),
        currency=term.currency.strip(),
        amount=amount,
        open_amount=amount if state is ItemState.OPEN else _ZERO,
        group_ref=prefix[:-1],
        document_ref=term.transaction_entry_id or term.entry_id or "",
        text=term.description or "",
    )


def cancelled(division: int, deletion: Deletion) -> RawInvoice:
    """A payment term that was deleted in Exact. Only its identity is known; the rest is left empty."""
    return RawInvoice(
        item_ref=item_ref(division, deletion.entity_key),
        debtor_ref="",
        debtor_name="",
        number="",
        state=ItemState.CANCELLED,
        currency="",
        amount=_ZERO,
        open_amount=_ZERO,
        group_ref=str(division),
        text="deleted in ERP",
    )


def is_open(row: Receivable) -> bool:
    """Whether the item still counts: open or selected for collection, and not fully paid."""
    return not row.is_fully_paid and row.status in (20, 30)


def open_item(division: int, row: Receivable, amount_sign: int = 1) -> OpenItem:
    """A receivable read anew, for reconciliation."""
    return OpenItem(
        item_ref=item_ref(division, row.term_id),
        debtor_ref=item_ref(division, row.account_id or ""),
        currency=(row.currency or "").strip(),
        open_amount=row.amount * amount_sign,
    )


def party_kind(
    account: Account, person_classes: Collection[str] = (), public_classes: Collection[str] = ()
) -> PartyKind:
    """What the debtor is. Exact has no such field, so the creditor's own classification decides; without one,
    whoever has no VAT and no register number is treated as a person, because that law protects more.
    """
    if account.classification and account.classification in public_classes:
        return PartyKind.PUBLIC
    if account.classification and account.classification in person_classes:
        return PartyKind.PERSON
    return PartyKind.COMPANY if account.vat_number or account.chamber_number else PartyKind.PERSON


def debtor_record(
    division: int, account: Account, contact: ContactPerson | None, kind: PartyKind
) -> DebtorRecord:
    """Master data of a debtor. An anonymised account keeps its name field and loses every way to reach it."""
    country = (account.country or "").strip().upper()
    hidden = bool(account.is_anonymised)
    return DebtorRecord(
        debtor_ref=item_ref(division, account.account_id),
        party=Party(
            name=account.name or "",
            kind=kind,
            country=country,
            language=(account.language or "").strip().lower(),
            registration_ref=(account.chamber_number or "").strip(),
            vat_ref=(account.vat_number or "").strip(),
            address=Address(country=country) if hidden else _address(account, country),
            contacts=() if hidden else _contacts(account, contact),
        ),
        payment_terms=(account.payment_condition or "").strip(),
        is_blocked=bool(account.is_blocked),
    )


def _address(account: Account, country: str) -> Address:
    lines = (account.line_1, account.line_2, account.line_3)
    return Address(
        lines=tuple(line for line in lines if line),
        postcode=account.postcode or "",
        city=account.city or "",
        country=country,
    )


def _contacts(account: Account, person: ContactPerson | None) -> tuple[Contact, ...]:
    """The account's own e-mail and phone first, then the main contact when there is one."""
    own = Contact(email=account.email or "", phone=account.phone or "")
    found = [own] if own.email or own.phone else []
    if person is not None and not person.is_anonymised:
        found.append(
            Contact(
                name=person.full_name or "",
                email=person.business_email or person.email or "",
                phone=person.business_phone or person.business_mobile or person.phone or "",
                role=person.job_title or "",
            )
        )
    return tuple(found)
