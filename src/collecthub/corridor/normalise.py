"""Room 2 of OUT: an ERP's line becomes an invoice the hub can rely on, or is refused with the reason."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

import msgspec

from collecthub.model.invoice import Invoice, ItemKind, ItemState, RawInvoice, RefusedRow
from collecthub.model.money import round_amount

EARLIEST = dt.date(1990, 1, 1)
LATEST = dt.date(2100, 1, 1)
LONGEST_REF = 140  # what the tables of both databases take
_values = msgspec.structs.astuple
_LARGEST = Decimal(10) ** 15
_SMALLEST = -_LARGEST
_texts = attrgetter(
    "item_ref", "debtor_ref", "debtor_name", "number", "settles_ref", "group_ref", "document_ref", "text"
)
_INVOICE, _OPEN = ItemKind.INVOICE, ItemState.OPEN  # members of an enumeration are slow to look up a million times


def normalise(raw: RawInvoice) -> Invoice | RefusedRow:
    """Check one line and round its amounts to the currency's minor unit, half up.

    >>> raw = RawInvoice(item_ref="1", debtor_ref="A", debtor_name="Anna", number="7", currency="USD",
    ...                  due_on=dt.date(2026, 1, 31), amount=Decimal("2309.789999"), open_amount=Decimal("2309.79"))
    >>> normalise(raw).amount
    Decimal('2309.79')
    """
    problem = _problem(raw)
    if problem:
        code, reason = problem
        return storable(
            RefusedRow(
                item_ref=raw.item_ref, code=code, reason=reason, content=msgspec.json.encode(raw), currency=raw.currency,
                open_amount=raw.open_amount if raw.state is _OPEN else None,
            )
        )
    amount = round_amount(raw.amount, raw.currency)
    open_amount = amount if raw.open_amount is raw.amount else round_amount(raw.open_amount, raw.currency)
    if raw.due_on is None or amount != raw.amount or open_amount != raw.open_amount:
        due_on = raw.due_on or raw.issued_on
        raw = msgspec.structs.replace(raw, due_on=due_on, amount=amount, open_amount=open_amount)
    return Invoice(*_values(raw))


def storable(refused: RefusedRow) -> RefusedRow:
    """A refusal as the tables take it, whoever refused: what they cannot hold stays in its bytes."""
    currency, amount = refused.currency, refused.open_amount
    is_known = amount is not None and _is_currency(currency) and _is_amount(amount)
    return msgspec.structs.replace(
        refused, item_ref=refused.item_ref.replace("\x00", "")[:LONGEST_REF], reason=refused.reason.replace("\x00", ""),
        currency=currency if is_known else "", open_amount=round_amount(amount, currency) if amount is not None and is_known else None,
    )


@lru_cache(maxsize=256)
def _is_currency(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def _is_amount(amount: Decimal) -> bool:
    return amount.is_finite() and abs(amount) < _LARGEST


def _problem(raw: RawInvoice) -> tuple[str, str] | None:
    currency, amount, still_open = raw.currency, raw.amount, raw.open_amount
    is_invoice, is_whole = raw.kind is _INVOICE, still_open is amount
    if not _is_currency(currency):
        return "row.currency", f"{currency!r} is not a currency"
    if not raw.debtor_ref or not raw.item_ref:
        return "row.identity", "the line names no debtor or has no identity of its own"
    if "\x00" in "".join(_texts(raw)):
        return "row.text", "a text holds a character that cannot be stored"
    if len(raw.item_ref) > LONGEST_REF or len(raw.debtor_ref) > LONGEST_REF:
        return "row.identity", f"a reference of the line is longer than {LONGEST_REF} characters"
    if not (amount.is_finite() and (is_whole or still_open.is_finite())):
        return "row.amount", "an amount is not a number"
    if not (_SMALLEST < amount < _LARGEST and (is_whole or _SMALLEST < still_open < _LARGEST)):
        return "row.amount", "an amount has more than 15 digits"
    if is_invoice and raw.state is _OPEN and still_open < 0:
        return "row.negative", f"an open invoice asks for a negative amount ({still_open} {currency})"
    if not is_invoice and still_open > 0:
        return "row.sign", f"a credit or payment raises the debt ({still_open} {currency})"
    due_on = raw.due_on or (None if is_invoice else raw.issued_on)
    if due_on is None:
        return "row.due_date", "the line has no due date"
    if not EARLIEST <= due_on <= LATEST:
        return "row.due_date", f"{due_on.isoformat()} is not a credible due date"
    return None
