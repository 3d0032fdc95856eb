"""Open items of a creditor out of a CSV file from outside: three layouts, every bad row named, none lost.

Known layouts: the HighRadius open invoices (identifiers written as floats, several spellings of a name), the IBM
late payments (a history with US dates, read as it stood on a day) and a plain one with the columns
`customer, name, number, issued, due, amount, currency, country` and, if wanted, `kind, settles, email`.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import get_args

from collecthub.errors import ConfigurationError
from collecthub.sandbox.open_item import Customer, ItemKind, OpenItem

HOME_SHARE = 0.6
"""Share of customers that `assign_countries` leaves in the creditor's own country."""
_MINOR_UNITS = {
    "JPY": 0,
    "KRW": 0,
    "CLP": 0,
    "ISK": 0,
    "VND": 0,
    "KWD": 3,
    "BHD": 3,
    "JOD": 3,
    "OMR": 3,
    "TND": 3,
}
_AMOUNT = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_FLOAT_SUFFIX = re.compile(r"(\d+)\.0+")


@dataclass(frozen=True)
class RowError:
    """A row that could not be taken over: its line in the file, the column and why."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class OpenItemsFile:
    """What a file holds: customers in the order of appearance, open items, bad rows, and rows that are settled."""

    layout: str
    customers: tuple[Customer, ...]
    items: tuple[OpenItem, ...]
    row_errors: tuple[RowError, ...]
    settled_rows: int = 0
    rounded_rows: int = 0


@dataclass(frozen=True)
class _Layout:
    """Where each field stands. `currency` is for files without that column; `settled` marks a history."""

    name: str
    columns: Mapping[str, str]
    read_date: Callable[[str], dt.date]
    currency: str = ""


class _BadValue(ValueError):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def _iso_date(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _us_date(text: str) -> dt.date:
    month, day, year = text.split("/")
    return dt.date(int(year), int(month), int(day))


_LAYOUTS = (
    _Layout(
        "highradius",
        {
            "customer": "cust_number", "name": "name_customer", "number": "doc_id", "issued": "posting_date",
            "due": "due_in_date", "amount": "converted_usd", "company": "business_code", "settled": "clear_date",
        },
        _iso_date,
        "USD",
    ),
    _Layout(
        "ibm_late_payments",
        {
            "customer": "customerID", "name": "customerID", "number": "invoiceNumber", "issued": "InvoiceDate",
            "due": "DueDate", "amount": "InvoiceAmount", "settled": "SettledDate",
        },
        _us_date,
        "USD",
    ),
    _Layout(
        "plain",
        {name: name for name in ("customer", "name", "number", "issued", "due", "amount", "currency", "country")},
        _iso_date,
    ),
)  # fmt: skip
_PLAIN_EXTRAS = ("kind", "settles", "email", "settled")
_IBM_HISTORY = "ibm_late_payments"


def read_open_items(path: Path, *, as_of: dt.date | None = None, currency: str = "") -> OpenItemsFile:
    """Read a file of open items.

    Amounts are rounded half up per item to the minor unit of their currency. A row with a settlement date is open
    on `as_of` when it was issued on or before that day and settled after it; without `as_of` such a row is settled.
    `currency` stands in where the file names none. Raises `ConfigurationError` when the file cannot be read at all or has
    nothing open.
    """
    text = _text(path)
    layout = _layout_of(text, path)
    if layout.name == _IBM_HISTORY and as_of is None:
        raise ConfigurationError(
            f"{path.name} is a history with settlement dates.",
            cure="Say on which day to read it: --as-of 2013-06-30.",
        )
    found = _Reader(layout, as_of, currency or layout.currency).read(text)
    if not (found.items or found.row_errors):
        raise ConfigurationError(
            f"{path.name} has no row that is open{f' on {as_of}' if as_of and found.settled_rows else ''}.",
            cure="Name a file with open items, or another day.",
        )
    return found


class _Reader:
    """Collects items, spellings and errors while going through the rows."""

    def __init__(self, layout: _Layout, as_of: dt.date | None, currency: str) -> None:
        self._layout = layout
        self._as_of = as_of
        self._currency = currency
        self._items: list[OpenItem] = []
        self._errors: list[RowError] = []
        self._names: dict[str, Counter[str]] = {}
        self._facts: dict[str, Mapping[str, str]] = {}
        self._numbers: set[tuple[str, str]] = set()
        self._settled = 0
        self._rounded = 0

    def read(self, text: str) -> OpenItemsFile:
        for line, row in _rows(text):
            try:
                self._take(row)
            except _BadValue as bad:
                self._errors.append(RowError(line, bad.column, str(bad)))
        customers = tuple(self._customer(reference) for reference in self._names)
        return OpenItemsFile(
            self._layout.name,
            customers,
            tuple(self._items),
            tuple(self._errors),
            self._settled,
            self._rounded,
        )

    def _take(self, row: Mapping[str, str] | str) -> None:
        if isinstance(row, str):
            raise _BadValue("", row)
        item = self._item(row)
        if not self._open(row, item):
            self._settled += 1
            return
        if (item.company, item.number) in self._numbers:
            raise _BadValue(self._layout.columns["number"], f"number {item.number} stands in the file twice")
        self._numbers.add((item.company, item.number))
        self._items.append(item)
        name = self._value(row, "name") or item.customer_ref
        self._names.setdefault(item.customer_ref, Counter())[name] += 1
        self._facts.setdefault(item.customer_ref, row)

    def _item(self, row: Mapping[str, str]) -> OpenItem:
        currency = self._value(row, "currency").upper() or self._currency
        if not re.fullmatch("[A-Z]{3}", currency):
            raise _BadValue("currency", f"'{currency}' is not a currency of three letters")
        country = self._value(row, "country")
        if country and not re.fullmatch("[A-Z]{2}", country):
            raise _BadValue("country", f"'{country}' is not a country of two letters (ISO 3166-1)")
        kind = _kind(self._value(row, "kind") or "invoice")
        amount = self._amount(row, currency, kind)
        return OpenItem(
            customer_ref=self._needed(row, "customer"),
            number=_FLOAT_SUFFIX.sub(r"\1", self._needed(row, "number")),
            issue_on=self._date(row, "issued"),
            due_on=self._date(row, "due"),
            amount=amount,
            open_amount=amount,
            currency=currency,
            kind=kind,
            settles=self._value(row, "settles"),
            company=self._value(row, "company"),
        )

    def _open(self, row: Mapping[str, str], item: OpenItem) -> bool:
        """Whether the item stood open on the day that was asked for."""
        if not self._value(row, "settled"):
            return self._as_of is None or self._layout.name != _IBM_HISTORY or item.issue_on <= self._as_of
        settled_on = self._date(row, "settled")
        return self._as_of is not None and item.issue_on <= self._as_of < settled_on

    def _amount(self, row: Mapping[str, str], currency: str, kind: ItemKind) -> Decimal:
        column, text = self._layout.columns["amount"], self._needed(row, "amount")
        try:
            value = Decimal(text if _AMOUNT.fullmatch(text) else "")
            rounded = value.quantize(Decimal(1).scaleb(-_MINOR_UNITS.get(currency, 2)), ROUND_HALF_UP)
        except InvalidOperation as error:
            raise _BadValue(column, f"'{text}' is not an amount") from error
        if kind in ("credit_note", "payment"):
            rounded = -abs(rounded)
        elif rounded <= 0:
            raise _BadValue(column, f"{text} is not above zero; a credit note says so in a column 'kind'")
        self._rounded += value != rounded
        return rounded

    def _date(self, row: Mapping[str, str], name: str) -> dt.date:
        text = self._needed(row, name)
        try:
            return self._layout.read_date(text)
        except ValueError as error:
            raise _BadValue(self._column(name), f"'{text}' is not a date") from error

    def _needed(self, row: Mapping[str, str], name: str) -> str:
        text = self._value(row, name)
        if not text:
            raise _BadValue(self._column(name), "is empty")
        return text

    def _value(self, row: Mapping[str, str], name: str) -> str:
        column = self._column(name)
        return row[column].strip() if column and column in row else ""

    def _column(self, name: str) -> str:
        plain = self._layout.name == "plain" and name in _PLAIN_EXTRAS
        return name if plain else self._layout.columns.get(name, "")

    def _customer(self, reference: str) -> Customer:
        """The most frequent spelling is the name (the first one of equals), the others are kept."""
        spellings = [name for name, _ in self._names[reference].most_common()]
        row = self._facts[reference]
        return Customer(
            customer_ref=reference,
            name=spellings[0],
            country=self._value(row, "country"),
            email=self._value(row, "email"),
            aliases=tuple(spellings[1:]),
        )


def assign_countries(
    customers: Sequence[Customer], creditor_country: str, debtor_countries: Sequence[str]
) -> tuple[Customer, ...]:
    """Give each customer without a country one, by a stable hash of his number: a drill, not knowledge.

    `HOME_SHARE` of the customers stay in the creditor's country, the others spread over `debtor_countries`.
    """
    abroad = [country for country in debtor_countries if country != creditor_country]

    def country(customer: Customer) -> str:
        share = _fraction(customer.customer_ref)
        if share < HOME_SHARE or not abroad:
            return creditor_country
        return abroad[int((share - HOME_SHARE) / (1 - HOME_SHARE) * len(abroad))]

    return tuple(one if one.country else replace(one, country=country(one)) for one in customers)


def split_between(
    customers: Sequence[Customer], items: Sequence[OpenItem], count: int
) -> list[tuple[tuple[Customer, ...], tuple[OpenItem, ...]]]:
    """Share customers with all their items out to `count` creditors, by a stable hash of the customer number."""

    def part(reference: str) -> int:
        return int(_fraction(f"creditor {reference}") * count)

    return [
        (
            tuple(one for one in customers if part(one.customer_ref) == index),
            tuple(item for item in items if part(item.customer_ref) == index),
        )
        for index in range(count)
    ]


def _fraction(text: str) -> float:
    """A number from 0 to below 1 that is the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


def _kind(text: str) -> ItemKind:
    for kind in get_args(ItemKind):
        if kind == text:
            return kind  # type: ignore[no-any-return]
    raise _BadValue("kind", f"'{text}' is none of {', '.join(get_args(ItemKind))}")


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}.", cure="Check the path."
        ) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _layout_of(text: str, path: Path) -> _Layout:
    header = next(iter(text.splitlines()), "")
    try:
        names = {name.strip() for name in _cells(header, _delimiter(header))}
    except csv.Error as error:
        raise ConfigurationError(
            f"{path.name} is not a CSV file: its first line cannot be read ({error}).",
            cure="Save it as CSV, with the names of its columns in the first line.",
        ) from error
    for layout in _LAYOUTS:
        if names.issuperset(layout.columns.values()):
            return layout
    missing = ", ".join(name for name in _LAYOUTS[-1].columns if name not in names)
    raise ConfigurationError(
        f"The columns of {path.name} are not known.", cure=f"For the plain layout it lacks: {missing}."
    )


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    """Line number and row; a text instead of the row says what is wrong with its form.

    Each line is a row: a quote that is never closed spoils its own line and not the rest of the file.
    """
    lines = text.splitlines()
    delimiter = _delimiter(lines[0])
    header = [name.strip() for name in _cells(lines[0], delimiter)]
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip(delimiter + " "):
            continue
        try:
            cells = _cells(line, delimiter)
        except csv.Error as error:
            yield number, f"the row is not well formed: {error}"
            continue
        if len(cells) == len(header):
            yield number, dict(zip(header, cells, strict=True))
        else:
            yield number, f"the row has {len(cells)} cells, the header has {len(header)}"


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter, strict=True), [])
