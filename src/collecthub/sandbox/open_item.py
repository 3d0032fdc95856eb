"""The neutral model of a creditor's open items, as the sandbox loads them into its ERP twins.

Amounts are signed: invoices and instalments positive, credit notes and payments negative. What a creditor is owed
is the sum of `open_amount`; a payment that is listed as an item of its own has not lowered any other item.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import groupby
from typing import Any, Literal

CustomerKind = Literal["person", "company", "public"]
ItemKind = Literal["invoice", "credit_note", "payment", "instalment"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """A debtor as the creditor's ERP knows him. `country` is ISO alpha-2 or empty; `aliases` other spellings."""

    customer_ref: str
    name: str
    kind: CustomerKind = "company"
    country: str = ""
    language: str = ""
    vat_ref: str = ""
    registration_ref: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    email: str = ""
    phone: str = ""
    contact: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenItem:
    """One open line of a customer's account.

    `settles` is the number of the invoice that a credit note or payment is meant for, or of the document that an
    instalment is part of. `company` is the creditor's own company code, where it has several.
    """

    customer_ref: str
    number: str
    issue_on: dt.date
    due_on: dt.date
    amount: Decimal
    open_amount: Decimal
    currency: str
    kind: ItemKind = "invoice"
    settles: str = ""
    dunning_level: int = 0
    company: str = ""


_CUSTOMER_FIELDS = tuple(field.name for field in fields(Customer))
_ITEM_FIELDS = tuple(field.name for field in fields(OpenItem))


def customer_json(customer: Customer) -> dict[str, Any]:
    """A customer as the twins' control API takes it."""
    return {name: getattr(customer, name) for name in _CUSTOMER_FIELDS} | {"aliases": list(customer.aliases)}


def item_json(item: OpenItem) -> dict[str, Any]:
    """An item as the twins' control API takes it: dates ISO, amounts decimal text."""
    dates = {"issue_on": item.issue_on.isoformat(), "due_on": item.due_on.isoformat()}
    plain = {name: getattr(item, name) for name in _ITEM_FIELDS}
    return plain | dates | {"amount": str(item.amount), "open_amount": str(item.open_amount)}


def load_chunks(
    customers: Sequence[Customer], items: Iterable[OpenItem], size: int = 2500
) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Payloads for `/control/load`: first the customers, then about `size` items each, a customer never cut in two."""
    for start in range(0, len(customers), size):
        yield {"customers": [customer_json(one) for one in customers[start : start + size]], "items": []}
    chunk: list[dict[str, Any]] = []
    for _, group in groupby(
        sorted(items, key=lambda item: item.customer_ref), key=lambda item: item.customer_ref
    ):
        chunk.extend(item_json(item) for item in group)
        if len(chunk) >= size:
            yield {"customers": [], "items": chunk}
            chunk = []
    if chunk:
        yield {"customers": [], "items": chunk}
