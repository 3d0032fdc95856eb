"""What the demo's creditors are owed: the bundled portfolio, or a file of open items from outside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from collecthub.sandbox.open_item import Customer, OpenItem
from collecthub.sandbox.open_items_file import assign_countries, read_open_items, split_between
from collecthub.sandbox.portfolio import BUSINESS_DATE, CreditorBooks, bundled_portfolio

SUBSIDIARY = "2000"  # this company of a group keeps its books in Business One


@dataclass(frozen=True)
class CreditorPlan:
    """One ERP of a creditor of the demo and what it is loaded with; a group has several."""

    creditor_id: str
    name: str
    country: str
    erp: str
    companies: tuple[str, ...]
    customers: tuple[Customer, ...]
    items: tuple[OpenItem, ...]


@dataclass(frozen=True)
class Plan:
    """The whole portfolio, its business date, and what must be said about it."""

    as_of: dt.date
    creditors: tuple[CreditorPlan, ...]
    row_errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def agency_countries(self) -> tuple[str, ...]:
        """Every foreign country a debtor lives in."""
        homes = {creditor.country for creditor in self.creditors}
        found = {one.country for creditor in self.creditors for one in creditor.customers if one.country}
        return tuple(sorted(found - homes)) or ("DE",)


def bundled() -> Plan:
    """The portfolio that comes with the hub, on the last half-year whose interest rates are known."""
    return Plan(
        as_of=BUSINESS_DATE, creditors=tuple(plan for books in bundled_portfolio() for plan in _ledgers(books))
    )


def _ledgers(books: CreditorBooks) -> Iterator[CreditorPlan]:
    """A creditor's ERPs: a group keeps its main company in S/4HANA and its subsidiary in Business One."""
    main = tuple(code for code in books.companies if code and code != SUBSIDIARY)
    parts = [(books.erp, main)] + ([("b1", (SUBSIDIARY,))] if SUBSIDIARY in books.companies else [])
    for erp, companies in parts:
        items = tuple(item for item in books.items if item.company in companies or not companies)
        present = {item.customer_ref for item in items}
        yield CreditorPlan(
            creditor_id=books.name.split()[0].lower(), name=books.name, country="BE", erp=erp, companies=companies,
            customers=tuple(one for one in books.customers if one.customer_ref in present), items=items,
        )


def from_file(
    path: Path, as_of: dt.date | None, creditor_country: str, debtor_countries: Sequence[str]
) -> Plan:
    """A file of open items, shared out to two creditors and their ERPs. Countries are assigned, never guessed."""
    found = read_open_items(path, as_of=as_of)
    day = as_of or max(item.due_on for item in found.items) + dt.timedelta(days=1)
    customers = assign_countries(found.customers, creditor_country, debtor_countries)
    parts = split_between(customers, found.items, 2)
    names = (("exact", "First creditor of the file"), ("sap", "Second creditor of the file"))
    abroad = ", ".join(country for country in debtor_countries if country != creditor_country) or "none"
    notes = [f"countries were assigned by customer, not read from the file: home {creditor_country}, abroad {abroad}"]
    if found.rounded_rows:
        notes.append(f"{found.rounded_rows} amounts had stray decimals and were rounded half up to the minor unit")
    if found.settled_rows:
        notes.append(f"{found.settled_rows} rows were not open on {day.isoformat()}")
    return Plan(
        as_of=day,
        creditors=tuple(
            CreditorPlan(
                creditor_id=f"{erp}-creditor", name=name, country=creditor_country, erp=erp,
                companies=tuple(sorted({item.company for item in items if item.company})),
                customers=part, items=items,
            )
            for (erp, name), (part, items) in zip(names, parts, strict=True)
        ),
        row_errors=tuple(f"line {error.line}, {error.column}: {error.reason}" for error in found.row_errors),
        notes=tuple(notes),
    )
