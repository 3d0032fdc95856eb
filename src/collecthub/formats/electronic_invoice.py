"""An electronic invoice as its document states it, whatever the syntax (EN 16931: UBL or CII).

Fields carry the numbers of the European norm's business terms (BT). Nothing is worked out: a due date that the document
does not state is unknown.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
from lxml import etree

from collecthub.errors import PermanentError, QuarantineError
from collecthub.formats.business_rules import RuleFinding
from collecthub.model.money import parse_amount
from collecthub.model.party import Party
from collecthub.wire.xml import Element, SchemaFault

# UNTDID 1001 as EN 16931 admits it for credit notes (BR-CL-01).
CREDIT_NOTE_CODES = frozenset("81 83 381 396 532".split())


class ElectronicInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """What an invoice or credit note says. Amounts are positive in both; `is_credit` says which way they go."""

    syntax: str  # "UBL" or "CII"
    profile: str  # BT-24, the rules that the sender says he followed
    number: str  # BT-1
    type_code: str  # BT-3, UNTDID 1001
    is_credit: bool
    issued_on: dt.date  # BT-2
    due_on: dt.date | None  # BT-9
    terms: str = ""  # BT-20
    currency: str  # BT-5
    total: Decimal  # BT-112, with VAT
    paid: Decimal = Decimal(0)  # BT-113
    payable: Decimal  # BT-115
    seller: Party
    buyer: Party
    payee_account: str = ""  # BT-84
    payment_ref: str = ""  # BT-83
    preceding: tuple[str, ...] = ()  # BT-25, invoices that this one refers to
    faults: tuple[SchemaFault, ...] = ()  # what the published schema says against the document
    broken_rules: tuple[RuleFinding, ...] = ()  # what the business rules of EN 16931 say, when they were asked


class Reader:
    """Reads values of one document by path; a path is prefixed steps, such as `cac:Party/cbc:Name`."""

    def __init__(self, root: Element, prefixes: dict[str, str]) -> None:
        self._root = root
        self._prefixes = prefixes

    def below(self, path: str) -> Reader | None:
        """A reader of the first element at the path."""
        found = self._root.find(path, self._prefixes)
        return Reader(found, self._prefixes) if found is not None else None

    def each(self, path: str) -> tuple[Reader, ...]:
        """A reader of every element at the path."""
        return tuple(Reader(found, self._prefixes) for found in self._root.findall(path, self._prefixes))

    def text(self, *paths: str) -> str:
        """The text at the first path that has one, in one line; empty when none has."""
        for path in paths:
            found = self._root.find(path, self._prefixes)
            text = " ".join((found.text or "").split()) if found is not None else ""
            if text:
                return text
        return ""

    def attribute(self, path: str, name: str) -> str:
        """An attribute of the first element at the path."""
        found = self._root.find(path, self._prefixes)
        return found.get(name, "") if found is not None else ""

    def needed(self, path: str, term: str) -> str:
        """A text without which the document is no invoice. Raises `QuarantineError` naming the business term."""
        text = self.text(path)
        if not text:
            raise _unreadable(f"{path} ({term}) is missing", self._root)
        return text

    def amount(self, path: str, term: str, default: Decimal | None = None) -> Decimal:
        """An amount. Raises `QuarantineError` when it is missing or no amount."""
        text = self.text(path)
        if not text and default is not None:
            return default
        try:
            return parse_amount(text)
        except PermanentError:
            raise _unreadable(f"{path} ({term}) is not an amount", self._root) from None

    def day(self, path: str, term: str) -> dt.date | None:
        """A date written 2026-06-15 or 20260615, without a zone. Raises `QuarantineError` when it is another text."""
        text = self.text(path)
        try:
            return dt.date.fromisoformat(text[:10]) if text else None
        except ValueError:
            raise _unreadable(f"{path} ({term}) is not a date", self._root) from None

    def issue_day(self, path: str) -> dt.date:
        """The date of the document, BT-2. Raises `QuarantineError` when it is missing."""
        day = self.day(path, "BT-2")
        if day is None:
            raise _unreadable(f"{path} (BT-2) is missing", self._root)
        return day


def _unreadable(reason: str, root: Element) -> QuarantineError:
    name = etree.QName(root).localname
    return QuarantineError(
        f"The invoice cannot be read: {reason} (in {name}, line {root.sourceline}).", code="invoice.unreadable",
        cure="Ask the sender for a corrected invoice.",
    )  # fmt: skip
