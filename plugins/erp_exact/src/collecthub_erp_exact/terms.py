"""One page of payment terms: decoded as a whole when it can be, row by row when one of them is malformed."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from collecthub.sdk import ItemKind, ItemState, RawInvoice, RefusedRow
from collecthub_erp_exact.mapping import is_outstanding, item_ref, raw_invoice
from collecthub_erp_exact.odata import Records, read_records
from collecthub_erp_exact.records import RECEIVABLE, PaymentTerm


class MappedTerms(msgspec.Struct, frozen=True):
    """What a page contains for the hub.

    `paid_entries` maps the position of open money on account to the entry number that it pays, `reversals` that of
    a matched reversal to its invoice number. `highest` is the highest row version, refused rows included, so that they are not refused again at every pull.
    """

    rows: list[RawInvoice]
    refused: list[RefusedRow]
    paid_entries: dict[int, int]
    reversals: dict[int, int]
    highest: int


class _Identity(msgspec.Struct):
    row_version: str | int = msgspec.field(name="Timestamp", default=0)
    term_id: str = msgspec.field(name="ID", default="")


class _Money(msgspec.Struct):
    """What a refused row asks for, so that the ledger's totals can be compared all the same."""

    amount: Decimal = msgspec.field(name="AmountFC")
    currency: str = msgspec.field(name="Currency")
    ended_on: str | None = msgspec.field(name="EndDate", default=None)
    is_fully_paid: bool = msgspec.field(name="IsFullyPaid", default=False)
    status: int | None = msgspec.field(name="Status", default=None)
    line_type: int | None = msgspec.field(name="LineType", default=None)


_PAYMENT, _OPEN, _CANCELLED = ItemKind.PAYMENT, ItemState.OPEN, ItemState.CANCELLED
_TERM = msgspec.json.Decoder(PaymentTerm)
_MONEY = msgspec.json.Decoder(_Money)
_IDENTITY = msgspec.json.Decoder(_Identity)


def read_terms(content: bytes) -> Records[PaymentTerm | None]:
    """The terms of a page; None stands for one that is malformed."""
    try:
        page = read_records(content, PaymentTerm)
        return Records([*page.rows], page.next_url)
    except msgspec.ValidationError:
        raw = read_records(content, msgspec.Raw)
        return Records([_term_or_none(row) for row in raw.rows], raw.next_url)


def map_terms(
    division: int, content: bytes, terms: list[PaymentTerm | None], amount_sign: int = 1
) -> MappedTerms:
    """Map the terms that `read_terms` found in `content`. Terms that the company itself owes are left out."""
    rows: list[RawInvoice] = []
    paid_entries: dict[int, int] = {}
    reversals: dict[int, int] = {}
    reasons: dict[int, str] = {}
    highest = 0
    for index, term in enumerate(terms):
        if term is None:
            reasons[index] = ""
            continue
        try:
            highest = max(highest, int(term.row_version))
            if term.line_type != RECEIVABLE:
                continue
            row = raw_invoice(division, term, amount_sign)
        except (ValueError, OverflowError) as error:
            reasons[index] = str(error)
            continue
        if row.kind is _PAYMENT and row.state is _OPEN and term.invoice_number:
            paid_entries[len(rows)] = term.invoice_number
        if term.is_reversal and row.state is _CANCELLED and term.invoice_number:
            reversals[len(rows)] = term.invoice_number
        rows.append(row)
    if not reasons:
        return MappedTerms(rows, [], paid_entries, reversals, highest)
    raws = read_records(content, msgspec.Raw).rows
    refused = [_refusal(division, bytes(raws[index]), reason, amount_sign) for index, reason in reasons.items()]
    highest = max(highest, *(version for _, version in refused))
    return MappedTerms(rows, [row for row, _ in refused], paid_entries, reversals, highest)


def _term_or_none(raw: msgspec.Raw) -> PaymentTerm | None:
    try:
        return _TERM.decode(raw)
    except msgspec.ValidationError:
        return None


def _refusal(division: int, raw: bytes, reason: str, amount_sign: int) -> tuple[RefusedRow, int]:
    """A refused row with its row version (0 when even that cannot be read)."""
    try:
        identity = _IDENTITY.decode(raw)
    except msgspec.ValidationError:
        identity = _Identity()
    version = str(identity.row_version)
    reference = item_ref(division, identity.term_id) if identity.term_id else ""
    currency, open_amount = _open_money(raw, amount_sign)
    refused = RefusedRow(
        item_ref=reference, code="exact.row", reason=reason or _shape_error(raw), content=raw, currency=currency,
        open_amount=open_amount,
    )  # fmt: skip
    return refused, int(version) if version.isdecimal() else 0


def _open_money(raw: bytes, amount_sign: int) -> tuple[str, Decimal | None]:
    try:
        money = _MONEY.decode(raw)
    except msgspec.ValidationError:
        return "", None
    if money.line_type != RECEIVABLE or not is_outstanding(money) or not money.amount.is_finite():
        return "", None
    return money.currency.strip(), money.amount * amount_sign


def _shape_error(raw: bytes) -> str:
    try:
        _TERM.decode(raw)
    except msgspec.ValidationError as error:
        return f"not a payment term: {error}"
    return "not a payment term"
