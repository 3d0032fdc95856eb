"""What an accountant does in the Exact twin beyond invoicing and paying: splitting, reversing, allocating."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from collecthub.sandbox.exact_books import MATCHED, ExactBooks, guid, hid, priced
from collecthub.sandbox.rows import insert

REVERSAL = 21


def split(books: ExactBooks, number: str, division: int, amount: Decimal, due_on: str) -> dict[str, Any]:
    """Have part of a receivable fall due on another day: a second record with an EntryID of its own."""
    term = books.open_term(number, division)
    full = Decimal(term["AmountFC"])
    if not 0 < amount < full:
        raise ValueError(f"item {number} has {full} {term['Currency']} open, {amount} cannot be split off")
    with books.books.transaction():
        part = _copy(books, priced(term, amount), number=f"{number}-2", DueDate=f"{due_on}T00:00:00")
        return books.change_term(term, priced(term, full - amount)) | {"part": part["ID"]}


def reverse(books: ExactBooks, number: str, division: int, *, matched: bool) -> dict[str, Any]:
    """Reverse the entry of an open item: a negative line of the same invoice number, matched with it at once or not."""
    term = books.open_term(number, division)
    today = books.today()
    ended = {"Status": MATCHED, "IsFullyPaid": 1, "EndDate": today} if matched else {}
    opposite = priced(term, -Decimal(term["AmountFC"])) | {
        "TransactionIsReversal": 1, "TransactionType": REVERSAL, "InvoiceDate": today, "EntryDate": today,
        "TransactionAmountFC": f"-{term['TransactionAmountFC']}", "Description": f"Reversal of {number}",
    }  # fmt: skip
    with books.books.transaction():
        line = _copy(books, opposite, number=f"{number}-R", kind="credit_note", **ended)
        return books.change_term(term, ended) | {"reversal": line["ID"]}


def allocate(
    books: ExactBooks, payment: str, number: str, division: int, amount: Decimal | None
) -> dict[str, Any]:
    """Match money on account with an invoice, as far as both go or by `amount`."""
    cash = -Decimal(books.open_term(payment, division)["AmountFC"])
    part = min(cash, Decimal(books.open_term(number, division)["AmountFC"])) if amount is None else amount
    books.settle(payment, division, -part)
    return books.settle(number, division, part)


def _copy(books: ExactBooks, term: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    key = guid(term["ID"], books.stamp(term["Division"]))
    row = {
        **term, **changes, "ID": key, "HID": hid(key), "EntryID": guid(key, "entry"),
        "Timestamp": books.stamp(term["Division"]), "Modified": books.now(),
    }  # fmt: skip
    insert(books.connection, "term", row)
    return row
