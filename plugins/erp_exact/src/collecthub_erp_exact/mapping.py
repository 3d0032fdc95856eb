"""What Exact Online's records are in the hub's words. Pure; nothing here talks to anyone.

References carry the division, `{division}:{guid}`, so that the books of two companies never mix.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from collecthub.sdk import (
    Address,
    Contact,
    DebtorRecord,
    InvoiceLine,
    ItemKind,
    ItemState,
    OpenItem,
    Party,
    PartyKind,
    PermanentError,
    RawInvoice,
)
from collecthub_erp_exact.records import (
    Account,
    ContactPerson,
    EntryLine,
    Note,
    PaymentTerm,
    Receivable,
)

DELETED_TERM, DELETED_ACCOUNT = 10, 2
"""EntityType of a payment term and of an account in sync/Deleted."""

_SALES_TYPES = frozenset({20, 21})  # sales entry, sales credit note (TransactionType)
_STATUSES = frozenset({20, 30, 40, 50})  # open, selected for collection, collected, matched
_MATCHED = 50
_IN_COLLECTION = frozenset({30, 40})
_ZERO = Decimal(0)
_OPEN, _PAID, _CANCELLED = ItemState.OPEN, ItemState.PAID, ItemState.CANCELLED  # looked up once, not for every row
_INVOICE, _CREDIT_NOTE, _PAYMENT = ItemKind.INVOICE, ItemKind.CREDIT_NOTE, ItemKind.PAYMENT
_CONTACTS_MAX, _NOTE_LENGTH = 10, 1000
_UNIX_EPOCH = dt.date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
_WIRE_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)


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
    entry number (their `InvoiceNumber` names the entry that they pay). What the creditor's bank collects by direct
    debit is still owed until it is matched, but nobody is to be reminded of it.
    """
    if term.status not in _STATUSES:
        raise ValueError(f"status {term.status} is not one of 20, 30, 40, 50")
    state = _OPEN
    if not is_outstanding(term):
        state = _CANCELLED if term.is_reversal else _PAID
    if not term.account_id or not term.currency:
        raise ValueError("the term names no account" if not term.account_id else "the term has no currency")
    if not term.amount.is_finite():
        raise ValueError(f"{term.amount} is not an amount")
    amount = term.amount if amount_sign == 1 else -term.amount
    kind, number = _INVOICE, term.invoice_number or term.entry_number
    if amount < 0:
        is_sale = term.transaction_type in _SALES_TYPES
        kind, number = (_CREDIT_NOTE, number) if is_sale else (_PAYMENT, term.entry_number)
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
        open_amount=amount if state is _OPEN else _ZERO,
        group_ref=prefix[:-1],
        document_ref=term.transaction_entry_id or term.entry_id or "",
        is_blocked=term.status in _IN_COLLECTION,
        text=term.description or "",
    )


def cancelled(division: int, term_id: str) -> RawInvoice:
    """A payment term that was deleted in Exact. Only its identity is known; the rest is left empty."""
    return RawInvoice(
        item_ref=item_ref(division, term_id),
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


class _Settled(Protocol):
    """What says whether a term is settled."""

    @property
    def ended_on(self) -> str | None: ...

    @property
    def is_fully_paid(self) -> bool: ...

    @property
    def status(self) -> int | None: ...


def is_outstanding(row: _Settled) -> bool:
    """Whether the item still counts: the vendor sets EndDate when it does not any more, and matches it."""
    return not (row.is_fully_paid or row.ended_on or row.status == _MATCHED)


def open_item(division: int, row: Receivable, amount_sign: int = 1) -> OpenItem:
    """A receivable read anew, for reconciliation."""
    return OpenItem(
        item_ref=item_ref(division, row.term_id),
        debtor_ref=item_ref(division, row.account_id or ""),
        currency=(row.currency or "").strip(),
        open_amount=row.amount * amount_sign,
    )


def invoice_line(division: int, term_id: str, line: EntryLine) -> InvoiceLine:
    """A line of the sales entry that a receivable was booked by."""
    return InvoiceLine(
        item_ref=item_ref(division, term_id),
        text=(line.description or "").strip(),
        quantity=line.quantity,
        amount=line.amount or _ZERO,
        tax_amount=line.tax_amount or _ZERO,
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


def debtor_party(account: Account, people: Sequence[ContactPerson], kind: PartyKind, today: dt.date) -> Party:
    """An account as a party. An anonymised one keeps its name field and loses every way to reach it."""
    country = (account.country or "").strip().upper()
    hidden = bool(account.is_anonymised)
    return Party(
        name=account.name or "",
        kind=kind,
        country=country,
        language=(account.language or "").strip().lower(),
        registration_ref=(account.chamber_number or "").strip(),
        vat_ref=(account.vat_number or "").strip(),
        address=Address(country=country) if hidden else _address(account, country),
        contacts=() if hidden else _contacts(account, people, today),
    )


def debtor_record(
    division: int, account: Account, party: Party, bill_to: Party | None, notes: Sequence[Note]
) -> DebtorRecord:
    """Master data of a debtor, with who gets the invoices and what people wrote about him."""
    hidden = bool(account.is_anonymised)
    remarks = " ".join((account.remarks or "").split())[:_NOTE_LENGTH]
    written = filter(None, (remarks, *map(note_text, notes)))
    return DebtorRecord(
        debtor_ref=item_ref(division, account.account_id),
        party=party,
        payment_terms=(account.payment_condition_text or account.payment_condition or "").strip(),
        is_blocked=bool(account.is_blocked),
        bill_to=bill_to,
        notes=() if hidden else tuple(written),
        customer_number=(account.code or "").strip(),  # 18 characters on the wire, right-aligned
        is_anonymised=hidden,
    )


def note_text(note: Note) -> str:
    """A note in one line: date, subject, text."""
    written_on = calendar_date(note.written_at)
    said = ": ".join(filter(None, ((note.subject or "").strip(), (note.text or "").strip())))
    return f"{written_on.isoformat()} {said}"[:_NOTE_LENGTH] if written_on and said else said[:_NOTE_LENGTH]


def _address(account: Account, country: str) -> Address:
    lines = (account.line_1, account.line_2, account.line_3)
    return Address(
        lines=tuple(line for line in lines if line),
        postcode=account.postcode or "",
        city=account.city or "",
        country=country,
    )


def _contacts(account: Account, people: Sequence[ContactPerson], today: dt.date) -> tuple[Contact, ...]:
    """The account's own e-mail and phone first, then the people who still work there, the main contact first."""
    own = Contact(email=account.email or "", phone=account.phone or "")
    found = [own] if own.email or own.phone else []
    for person in sorted(people, key=lambda one: (one.contact_id != account.main_contact_id, one.full_name or "")):
        ended_on = calendar_date(person.ended_on)
        if person.is_anonymised or (ended_on is not None and ended_on < today):
            continue
        found.append(
            Contact(
                name=person.full_name or "",
                email=person.business_email or person.email or "",
                phone=person.business_phone or person.business_mobile or person.phone or "",
                role=person.job_title or "",
            )
        )
    return tuple(found[:_CONTACTS_MAX])
