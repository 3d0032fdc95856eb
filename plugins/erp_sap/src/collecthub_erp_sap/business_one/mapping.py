"""Business One's documents become receivables: one per instalment. Pure.

Source of the rules: the published types of the Service Layer. A document in the local currency carries its amounts
in the plain columns, one in a foreign currency also in the `FC` columns, which are the ones that count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import msgspec

from collecthub.sdk import ItemKind, ItemState, RawInvoice, round_amount

YES = "tYES"
INVOICES, CREDIT_NOTES, PAYMENTS = "Invoices", "CreditNotes", "IncomingPayments"
DOWN_PAYMENTS = "DownPayments"
LETTERS = {INVOICES: "INV", DOWN_PAYMENTS: "DPI", CREDIT_NOTES: "CRN", PAYMENTS: "PAY"}
BASES = {13: INVOICES, 203: DOWN_PAYMENTS}  # object types, in the lines of what is based on such a document
_ZERO = Decimal(0)
_TOO_LARGE = Decimal(10) ** 15
_NOISE = Decimal("0.00001")


class Instalment(msgspec.Struct, kw_only=True, gc=False):
    """What we read of a document's instalment."""

    number: int = msgspec.field(name="InstallmentId")
    due: str | None = msgspec.field(name="DueDate", default=None)
    total: Decimal = msgspec.field(name="Total")
    total_fc: Decimal | None = msgspec.field(name="TotalFC", default=None)
    paid: Decimal | None = msgspec.field(name="PaidToDate", default=None)
    paid_fc: Decimal | None = msgspec.field(name="PaidToDateFC", default=None)
    dunning_level: int | None = msgspec.field(name="DunningLevel", default=None)
    dunned: str | None = msgspec.field(name="LastDunningDate", default=None)


class Document(msgspec.Struct, kw_only=True):
    """What we read of an invoice or a credit note."""

    entry: int = msgspec.field(name="DocEntry")
    number: int | None = msgspec.field(name="DocNum", default=None)
    customer: str | None = msgspec.field(name="CardCode", default=None)
    customer_name: str | None = msgspec.field(name="CardName", default=None)
    issued: str | None = msgspec.field(name="DocDate", default=None)
    currency: str | None = msgspec.field(name="DocCurrency", default=None)
    status: str | None = msgspec.field(name="DocumentStatus", default=None)
    cancelled: str | None = msgspec.field(name="CancelStatus", default=None)
    blocked: str | None = msgspec.field(name="BlockDunning", default=None)
    customer_reference: str | None = msgspec.field(name="NumAtCard", default=None)
    instalments: list[Instalment] = msgspec.field(name="DocumentInstallments", default_factory=list)


class Line(msgspec.Struct, kw_only=True, gc=False):
    """What we read of a credit note's line: the invoice it is based on."""

    base_type: int | None = msgspec.field(name="BaseType", default=None)
    base_entry: int | None = msgspec.field(name="BaseEntry", default=None)


class Note(msgspec.Struct, kw_only=True):
    """A credit note as the reason why an invoice was closed."""

    entry: int = msgspec.field(name="DocEntry")
    total: Decimal = msgspec.field(name="DocTotal")
    cancelled: str | None = msgspec.field(name="CancelStatus", default=None)
    lines: list[Line] = msgspec.field(name="DocumentLines", default_factory=list)


class Applied(msgspec.Struct, kw_only=True, gc=False):
    """What we read of a payment's use: how much of it went to which document."""

    entry: int | None = msgspec.field(name="DocEntry", default=None)
    kind: str | None = msgspec.field(name="InvoiceType", default=None)
    sum: Decimal | None = msgspec.field(name="SumApplied", default=None)
    sum_fc: Decimal | None = msgspec.field(name="AppliedFC", default=None)


class Payment(msgspec.Struct, kw_only=True):
    """What we read of an incoming payment."""

    entry: int = msgspec.field(name="DocEntry")
    number: int | None = msgspec.field(name="DocNum", default=None)
    customer: str | None = msgspec.field(name="CardCode", default=None)
    customer_name: str | None = msgspec.field(name="CardName", default=None)
    day: str | None = msgspec.field(name="DocDate", default=None)
    currency: str | None = msgspec.field(name="DocCurrency", default=None)
    cash: Decimal | None = msgspec.field(name="CashSum", default=None)
    cash_fc: Decimal | None = msgspec.field(name="CashSumFC", default=None)
    transfer: Decimal | None = msgspec.field(name="TransferSum", default=None)
    bill: Decimal | None = msgspec.field(name="BillOfExchangeAmount", default=None)
    cancelled: str | None = msgspec.field(name="Cancelled", default=None)
    reference: str | None = msgspec.field(name="TransferReference", default=None)
    applied: list[Applied] = msgspec.field(name="PaymentInvoices", default_factory=list)


class Rules(NamedTuple):
    """What of a company the mapping must know."""

    local_currency: str = "EUR"
    currency_codes: Mapping[str, str] = {}

    def iso(self, code: str | None) -> str:
        """The ISO 4217 code of a company's own currency code; the text itself when it has another shape."""
        return self.currency_codes.get(code or "", code or "")


class UnusableRowError(Exception):
    """This record cannot become a receivable. `code` goes with it to quarantine."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@lru_cache(maxsize=8192)
def calendar_day(text: str | None) -> dt.date | None:
    """The calendar day of a date of either version; None when unset.

    >>> calendar_day("2026-06-15"), calendar_day("2026-06-15T00:00:00Z"), calendar_day(None)
    (datetime.date(2026, 6, 15), datetime.date(2026, 6, 15), None)

    Raises `UnusableRowError` for text that is no date.
    """
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError as error:
        raise UnusableRowError("b1.date", f"{text[:40]!r} is not a date.") from error


def document_ref(entity: str, entry: int, instalment: int) -> str:
    """Identity of an instalment of a document.

    >>> document_ref(INVOICES, 42, 1), document_ref(CREDIT_NOTES, 42, 1)
    ('INV/42/1', 'CRN/42/1')
    """
    return f"{LETTERS[entity]}/{entry}/{instalment}"


def payment_ref(entry: int | None) -> str:
    """Identity of what is on account of a payment.

    >>> payment_ref(7)
    'PAY/7'
    """
    return f"{LETTERS[PAYMENTS]}/{entry}"


def claimed_document(item_ref: str) -> tuple[str, int] | None:
    """The invoice or down payment that an identity names; None when it is not the identity of an instalment of one.

    >>> claimed_document("INV/42/1"), claimed_document("DPI/42/1"), claimed_document("PAY/7")
    (('Invoices', 42), ('DownPayments', 42), None)
    """
    parts = item_ref.split("/")
    entity = next((one for one in BASES.values() if LETTERS[one] == parts[0]), None)
    return (entity, int(parts[1])) if entity and len(parts) == 3 and parts[1].isdecimal() else None


def register_name(entity: str, entry: int) -> str:
    """What a document's block is remembered by.

    >>> register_name(INVOICES, 42), register_name(DOWN_PAYMENTS, 42)
    ('42', 'DPI/42')
    """
    return str(entry) if entity == INVOICES else f"{LETTERS[entity]}/{entry}"


def to_invoices(
    entity: str, document: Document, rules: Rules, *, is_credited: bool = False, is_blocked: bool = False
) -> Iterator[RawInvoice]:
    """The receivables that a document's instalments are: positive for invoices, negative for credit notes.

    A closed document has nothing open: it was cancelled, credited when `is_credited` says that credit notes based
    on it cover it, or paid. Raises `UnusableRowError`.
    """
    if document.cancelled == "csCancellation":
        return  # the other half of a cancellation asks for nothing
    currency = _checked_currency(document, rules)
    issued_on = calendar_day(document.issued)
    state = _state(document, is_credited)
    is_foreign = currency != rules.local_currency
    for part in document.instalments:
        total, paid = _amounts(part, is_foreign)
        amount = at_minor_unit(total, currency)
        left = round_amount(total - paid, currency) if state is ItemState.OPEN else _ZERO
        due_on = calendar_day(part.due)
        if due_on is None and entity != CREDIT_NOTES:
            raise UnusableRowError("b1.due_date", f"Instalment {part.number} has no due date.")
        sign = -1 if entity == CREDIT_NOTES else 1
        yield RawInvoice(
            item_ref=document_ref(entity, document.entry, part.number),
            debtor_ref=document.customer or "",
            debtor_name=document.customer_name or "",
            number=str(document.number or document.entry),
            kind=ItemKind.CREDIT_NOTE if entity == CREDIT_NOTES else ItemKind.INVOICE,
            state=ItemState.PAID if state is ItemState.OPEN and not left else state,
            issued_on=issued_on,
            due_on=due_on or issued_on,
            currency=currency,
            amount=sign * amount,
            open_amount=sign * left,
            dunning_level=part.dunning_level or 0,
            dunned_on=calendar_day(part.dunned),
            is_blocked=is_blocked,
            text=document.customer_reference or "",
        )


def _amounts(part: Instalment, is_foreign: bool) -> tuple[Decimal, Decimal]:
    total, paid = (part.total_fc, part.paid_fc) if is_foreign else (part.total, part.paid)
    if part.total and bool(part.total_fc) is not is_foreign:
        raise UnusableRowError(
            "b1.local_currency",
            f"Instalment {part.number} has {'no' if is_foreign else 'an'} amount in a foreign currency, which contradicts "
            "local_currency of this connection.",
        )
    if total is None or not (_is_amount(total) and _is_amount(paid or _ZERO)):
        raise UnusableRowError("b1.amount", f"Instalment {part.number} has no amount in the document's currency.")
    return total, paid or _ZERO


def _is_amount(amount: Decimal) -> bool:
    return amount.is_finite() and abs(amount) < _TOO_LARGE


def at_minor_unit(amount: Decimal, currency: str) -> Decimal:
    """The service writes binary fractions, whose noise goes.

    Raises `UnusableRowError` when the amount has more decimals than its currency is paid in.
    """
    rounded = round_amount(amount, currency)
    if abs(rounded - amount) > _NOISE:
        raise UnusableRowError("b1.decimals", f"{amount} has more decimals than {currency} is paid in.")
    return rounded


def checked_iso(code: str | None, rules: Rules) -> str:
    """The ISO 4217 code of a company's own currency code. Raises `UnusableRowError` when it has none."""
    currency = rules.iso(code)
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise UnusableRowError(
            "b1.currency", f"{code!r} is no ISO currency; name it in currency_codes of this connection."
        )
    return currency


def _checked_currency(record: Document | Payment, rules: Rules) -> str:
    currency = checked_iso(record.currency, rules)
    if not record.customer:
        raise UnusableRowError("b1.customer", "The record names no customer.")
    return currency


def _state(document: Document, is_credited: bool) -> ItemState:
    if document.cancelled == "csYes":
        return ItemState.CANCELLED
    if document.status == "bost_Open":
        return ItemState.OPEN
    return ItemState.CREDITED if is_credited else ItemState.PAID


def to_unallocated(payment: Payment, rules: Rules) -> RawInvoice | None:
    """What of an incoming payment was applied to no document, as a payment on account; None when all of it was.

    Raises `UnusableRowError`.
    """
    currency = _checked_currency(payment, rules)
    is_foreign = currency != rules.local_currency
    received = payment.cash_fc if is_foreign and payment.cash_fc else payment.cash
    total = sum((part or _ZERO for part in (received, payment.transfer, payment.bill)), _ZERO)
    used = sum(((one.sum_fc if is_foreign else one.sum) or _ZERO for one in payment.applied), _ZERO)
    left = round_amount(total - used, currency)
    is_cancelled = payment.cancelled == YES
    if left <= 0:
        return None
    day = calendar_day(payment.day)
    return RawInvoice(
        item_ref=payment_ref(payment.entry),
        debtor_ref=payment.customer or "",
        debtor_name=payment.customer_name or "",
        number=str(payment.number or payment.entry),
        kind=ItemKind.PAYMENT,
        state=ItemState.CANCELLED if is_cancelled else ItemState.OPEN,
        issued_on=day,
        due_on=day,
        currency=currency,
        amount=-left,
        open_amount=_ZERO if is_cancelled else -left,
        text=payment.reference or "",
    )


def open_sum(document: Document, rules: Rules) -> tuple[str, Decimal] | None:
    """Currency and open amount of a document that cannot become a receivable; None when they are not to be read."""
    currency = rules.iso(document.currency)
    try:
        _checked_currency(msgspec.structs.replace(document, customer="?"), rules)
        amounts = [_amounts(part, currency != rules.local_currency) for part in document.instalments]
    except UnusableRowError:
        return None
    return currency, sum((round_amount(total - paid, currency) for total, paid in amounts), _ZERO)
