"""A line of SAP's operational accounting documents becomes a receivable. Pure.

Source of the rules: the metadata of API_OPLACCTGDOCITEMCUBE_SRV and the way a city has read it in production for
years (open partial payments are lines of their own that name the invoice; amounts are signed).
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import msgspec

from collecthub.sdk import ItemKind, ItemState, OpenItem, RawInvoice, round_amount

_ONE_DAY_MS = 86_400_000
_EPOCH = dt.date(1970, 1, 1)
_V2_DATE = re.compile(r"/Date\((-?\d{1,15})([+-]\d{4})?\)/")
_NO_DATE = frozenset({None, "", "00000000"})
_CREDIT_MEMO_KEY = "11"
_BILL_OF_EXCHANGE = "W"
_NO_REFERENCE = frozenset({"", "V"})  # V asks SAP to compute terms as for an invoice, it names no document
_NO_PART = frozenset({None, "", "0000", "000"})
_CURRENCY = re.compile(r"[A-Z]{3}")
_ZERO = Decimal(0)
_TOO_LARGE = Decimal(10) ** 15
_INVOICE, _OPEN = ItemKind.INVOICE, ItemState.OPEN  # members of an enumeration are slow to look up a million times


class CubeRow(msgspec.Struct, kw_only=True, gc=False):
    """The columns that we select of one accounting line, as they come. Unset texts are "", unset dates null."""

    company: str = msgspec.field(name="CompanyCode")
    year: str = msgspec.field(name="FiscalYear")
    document: str = msgspec.field(name="AccountingDocument")
    item: str = msgspec.field(name="AccountingDocumentItem")
    customer: str = msgspec.field(name="Customer")
    customer_name: str | None = msgspec.field(name="CustomerName", default=None)
    document_type: str | None = msgspec.field(name="AccountingDocumentType", default=None)
    side: str | None = msgspec.field(name="DebitCreditCode", default=None)
    posting_key: str | None = msgspec.field(name="PostingKey", default=None)
    special_gl: str | None = msgspec.field(name="SpecialGLCode", default=None)
    special_gl_type: str | None = msgspec.field(name="SpecialGLTransactionType", default=None)
    billing_document: str | None = msgspec.field(name="BillingDocument", default=None)
    reference: str | None = msgspec.field(name="DocumentReferenceID", default=None)
    text: str | None = msgspec.field(name="DocumentItemText", default=None)
    settles: str | None = msgspec.field(name="InvoiceReference", default=None)
    settles_year: str | None = msgspec.field(name="InvoiceReferenceFiscalYear", default=None)
    settles_item: str | None = msgspec.field(name="InvoiceItemReference", default=None)
    is_reversal: bool | None = msgspec.field(name="IsReversal", default=None)
    is_reversed: bool | None = msgspec.field(name="IsReversed", default=None)
    is_cleared: bool | None = msgspec.field(name="IsCleared", default=None)
    clearing: str | None = msgspec.field(name="ClearingAccountingDocument", default=None)
    clearing_year: str | None = msgspec.field(name="ClearingDocFiscalYear", default=None)
    issued: str | None = msgspec.field(name="DocumentDate", default=None)
    due: str | None = msgspec.field(name="NetDueDate", default=None)
    amount: Decimal = msgspec.field(name="AmountInTransactionCurrency")
    currency: str | None = msgspec.field(name="TransactionCurrency", default=None)
    dunning_level: str | int | None = msgspec.field(name="DunningLevel", default=None)
    dunning_block: str | None = msgspec.field(name="DunningBlockingReason", default=None)
    dunned: str | None = msgspec.field(name="LastDunningDate", default=None)


COLUMNS: tuple[str, ...] = CubeRow.__struct_encode_fields__
KEY: tuple[str, ...] = COLUMNS[:4]


class RowRules(NamedTuple):
    """What of a creditor's customising the mapping must know."""

    credit_memo_types: frozenset[str] = frozenset({"DG"})
    own_block: str = ""  # a dunning block that we set ourselves does not stop us


class UnusableRowError(Exception):
    """This row cannot become a receivable. `code` goes with it to quarantine."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@lru_cache(maxsize=8192)
def calendar_day(text: str | None) -> dt.date | None:
    """The calendar day of an SAP date; None when unset. Dates are days, so no time zone is applied.

    >>> calendar_day("/Date(1718409600000)/"), calendar_day("/Date(-86400000)/"), calendar_day("00000000")
    (datetime.date(2024, 6, 15), datetime.date(1969, 12, 31), None)
    >>> calendar_day("2023-12-21T00:00:00")
    datetime.date(2023, 12, 21)

    Raises `UnusableRowError` for text that is no date.
    """
    if text in _NO_DATE or text is None:
        return None
    found = _V2_DATE.fullmatch(text)
    try:
        if found:
            return _EPOCH + dt.timedelta(days=int(found[1]) // _ONE_DAY_MS)
        return dt.date.fromisoformat(text[:10])
    except (ValueError, OverflowError) as error:
        raise UnusableRowError("sap.date", f"{text[:40]!r} is not a date.") from error


@lru_cache(maxsize=512)
def _is_currency(code: str | None) -> bool:
    return code is not None and _CURRENCY.fullmatch(code) is not None


def _is_amount(amount: Decimal) -> bool:
    return amount.is_finite() and abs(amount) < _TOO_LARGE


def item_ref(company: str, year: str, document: str, item: str) -> str:
    """Identity of a line: company code, fiscal year, document and item, with their zeros.

    >>> item_ref("1010", "2026", "1800000001", "001")
    '1010/2026/1800000001/001'
    """
    return f"{company}/{year}/{document}/{item}"


def settles_ref(row: CubeRow) -> str:
    """The line that a credit or payment names, or empty when it does not name one completely."""
    if not row.settles or row.settles in _NO_REFERENCE or {row.settles_year, row.settles_item} & _NO_PART:
        return ""
    return f"{row.company}/{row.settles_year}/{row.settles}/{row.settles_item}"


def is_outside_dunning(row: CubeRow) -> bool:
    """Whether a line with a special G/L code is none of ours.

    Down payments and the like lower what a customer owes; requests, guarantees given and bills of exchange are
    noted on his account without being a due invoice.
    """
    return bool(row.special_gl) and (not row.amount.is_signed() or row.special_gl_type == _BILL_OF_EXCHANGE)


def to_invoice(row: CubeRow, rules: RowRules, *, is_credited: bool = False) -> RawInvoice | None:
    """The receivable that a line is; None for a line outside dunning (see `is_outside_dunning`).

    Amounts are at the currency's minor unit, positive when they add to the debt. A cleared line has nothing open:
    it is paid, or credited when `is_credited` says that only credit memos cleared it. Raises `UnusableRowError`.
    """
    if row.special_gl and is_outside_dunning(row):
        return None
    lowers_debt = row.amount.is_signed()  # unlike a comparison this takes NaN, which is refused below
    _refuse_unusable(row, lowers_debt)
    currency = row.currency or ""
    amount = round_amount(row.amount, currency)
    if amount != row.amount:
        raise UnusableRowError("sap.decimals", f"{row.amount} has more decimals than {currency} is paid in.")
    issued_on = calendar_day(row.issued)
    due_on = calendar_day(row.due)
    if due_on is None:
        if not lowers_debt:
            raise UnusableRowError("sap.due_date", "The invoice line has no net due date.")
        due_on = issued_on  # money on account lowers the debt whether or not it has terms
    state = _state(row, is_credited)
    block = row.dunning_block
    return RawInvoice(
        item_ref=f"{row.company}/{row.year}/{row.document}/{row.item}",
        debtor_ref=row.customer,
        debtor_name=row.customer_name or "",
        number=row.reference or row.document,
        kind=_kind_of_credit(row, rules) if lowers_debt else _INVOICE,
        state=state,
        issued_on=issued_on,
        due_on=due_on,
        currency=currency,
        amount=amount,
        open_amount=amount if state is _OPEN else _ZERO,
        settles_ref=settles_ref(row) if lowers_debt and row.settles and not row.special_gl else "",
        group_ref=row.company,
        document_ref=row.billing_document or "",
        dunning_level=_dunning_level(row.dunning_level),
        dunned_on=calendar_day(row.dunned),
        is_blocked=bool(block) and block != rules.own_block,
        text=row.text or "",
    )


def _dunning_level(level: str | int | None) -> int:
    try:
        return int(level or 0)
    except ValueError as error:
        raise UnusableRowError("sap.dunning_level", f"{level!r} is not a dunning level.") from error


def _refuse_unusable(row: CubeRow, lowers_debt: bool) -> None:
    if not _is_currency(row.currency):
        raise UnusableRowError("sap.currency", "The line has no currency.")
    if not _is_amount(row.amount):
        raise UnusableRowError("sap.amount", f"{row.amount} is not an amount.")
    if not row.customer:
        raise UnusableRowError("sap.customer", "The line names no customer.")
    if row.side == ("S" if lowers_debt else "H") and row.amount:
        raise UnusableRowError(
            "sap.sign", f"Amount {row.amount} contradicts its debit/credit code {row.side}."
        )


def _kind_of_credit(row: CubeRow, rules: RowRules) -> ItemKind:
    return ItemKind.CREDIT_NOTE if is_credit_memo(row, rules) else ItemKind.PAYMENT


def is_credit_memo(row: CubeRow, rules: RowRules) -> bool:
    """Whether a credit line is a credit memo and not money: by document type, posting key or billing document."""
    return (
        row.document_type in rules.credit_memo_types
        or row.posting_key == _CREDIT_MEMO_KEY
        or bool(row.billing_document)
    )


def _state(row: CubeRow, is_credited: bool) -> ItemState:
    if row.is_reversed or row.is_reversal:
        return ItemState.CANCELLED
    if not row.is_cleared:
        return _OPEN
    return ItemState.CREDITED if is_credited else ItemState.PAID


def is_cleared_by_credit(group: list[CubeRow], rules: RowRules) -> bool:
    """Whether all that cleared the invoices of one clearing document were credit memos."""
    credits = [row for row in group if row.amount.is_signed()]
    return bool(credits) and all(is_credit_memo(row, rules) for row in credits)


def to_open_item(row: CubeRow) -> OpenItem | None:
    """The line as the ERP's books count it, also when it cannot become a receivable; None when it does not count."""
    if is_outside_dunning(row) or row.is_reversed or row.is_reversal:
        return None
    if not (_is_currency(row.currency) and _is_amount(row.amount)):
        return None
    return OpenItem(
        item_ref=item_ref(row.company, row.year, row.document, row.item),
        debtor_ref=row.customer,
        currency=row.currency or "",
        open_amount=round_amount(row.amount, row.currency or ""),
    )
