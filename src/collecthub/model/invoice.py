"""Receivables as an ERP states them, and the record the hub keeps of them."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import msgspec


class ItemKind(enum.StrEnum):
    """What a line on a debtor's account is."""

    INVOICE = "invoice"  # an invoice or one instalment of it; asks for money
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"  # money on account: a partial payment or unallocated cash


class ItemState(enum.StrEnum):
    """Whether the ERP still counts on the line, and if not, why."""

    OPEN = "open"
    PAID = "paid"
    CREDITED = "credited"
    CANCELLED = "cancelled"  # reversed or deleted in the ERP


class RawInvoice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One receivable line in the hub's words but with the ERP's figures.

    `item_ref` is the ERP's identity of the line (never the printed number, which can repeat). `open_amount`
    is what this line alone adds to the debt: positive for invoices, negative for credits and payments.
    `settles_ref` names the item a credit or payment belongs to; empty when it is not allocated.
    """

    item_ref: str
    debtor_ref: str
    debtor_name: str
    number: str
    kind: ItemKind = ItemKind.INVOICE
    state: ItemState = ItemState.OPEN
    issued_on: dt.date | None = None
    due_on: dt.date | None = None
    currency: str
    amount: Decimal
    open_amount: Decimal
    settles_ref: str = ""
    group_ref: str = ""  # division, company code: which books of the creditor the line is in
    document_ref: str = ""  # what `DocumentSource` needs to find the PDF
    dunning_level: int = 0
    dunned_on: dt.date | None = None  # when the creditor's own reminder of that level went out
    is_blocked: bool = False  # the creditor stopped reminders on this line
    text: str = ""


class Invoice(msgspec.Struct, frozen=True, gc=False):
    """A receivable line that passed `normalise`: dated, in a real currency, at its minor unit. Field by field as `RawInvoice`."""

    item_ref: str
    debtor_ref: str
    debtor_name: str
    number: str
    kind: ItemKind
    state: ItemState
    issued_on: dt.date | None
    due_on: dt.date
    currency: str
    amount: Decimal
    open_amount: Decimal
    settles_ref: str
    group_ref: str
    document_ref: str
    dunning_level: int
    dunned_on: dt.date | None
    is_blocked: bool
    text: str


assert Invoice.__struct_fields__ == RawInvoice.__struct_fields__, "normalise hands the values over in their order"


class RefusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that cannot enter, with the reason and the bytes it came as; it goes to quarantine.

    What is open on it is stated where it is known, so that the ERP's own totals can still be compared.
    """

    item_ref: str
    code: str
    reason: str
    content: bytes
    currency: str = ""
    open_amount: Decimal | None = None
