"""What an ERP's connector can do beside the ports that every one has: single lines, what was sold, calling back.

As with `collecthub.ports`, implementing a port is the capability declaration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Protocol, runtime_checkable

import msgspec

from collecthub.model.invoice import RawInvoice


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an invoice: what was sold. Amounts are in the currency of the invoice; `amount` is without tax."""

    item_ref: str
    text: str
    quantity: Decimal | None = None
    unit: str = ""
    unit_price: Decimal | None = None
    amount: Decimal
    tax_amount: Decimal


@runtime_checkable
class ItemSource(Protocol):
    """Reads single lines anew, when a comparison found that the hub and the ERP do not agree on them."""

    def read_items(self, item_refs: Sequence[str]) -> Iterator[RawInvoice]:
        """These lines as they stand now. One that was deleted is cancelled and names nothing but itself; one that
        cannot be understood is left out."""
        ...


@runtime_checkable
class InvoiceLineSource(Protocol):
    """Reads what was sold, for the invoices that enter a case. Invoices without lines are left out."""

    def invoice_lines(self, item_refs: Sequence[str]) -> Iterator[InvoiceLine]: ...


@runtime_checkable
class HookSubscriber(Protocol):
    """Asks the outside to call the hub's webhook address. Both are safe to repeat."""

    def subscribe_hooks(self, callback_url: str) -> None:
        """Have the outside call `callback_url` (https), which must answer already: it may be tried at once."""
        ...

    def unsubscribe_hooks(self, callback_url: str) -> None:
        """Have it stop; other addresses stay subscribed."""
        ...
