"""Past invoices from a file: known layouts, what each column is used for, and why the others are left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

import msgspec

from collecthub.errors import QuarantineError


class PastInvoice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One invoice as a history states it. `settled_on` is None while it is open."""

    customer: str
    issued_on: dt.date
    due_on: dt.date
    settled_on: dt.date | None
    amount: Decimal
    is_paper: bool | None = None

    @property
    def is_late(self) -> bool:
        """Whether it was settled after its due day."""
        return self.settled_on is not None and self.settled_on > self.due_on


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A published set of columns. `left_out` says of every other column why it must not enter a score."""

    name: str
    customer: str
    issued_on: str
    due_on: str
    settled_on: str
    amount: str
    date_format: str
    paper: tuple[str, str] | None = None  # the column and its value for paper
    left_out: Mapping[str, str]


IBM = Layout(
    name="IBM late payment histories",
    customer="customerID", issued_on="InvoiceDate", due_on="DueDate", settled_on="SettledDate", amount="InvoiceAmount",
    date_format="%m/%d/%Y", paper=("PaperlessBill", "Paper"),
    left_out={
        "Disputed": "a dispute begins after the invoice left: knowing it beforehand leaks the outcome",
        "SettledDate": "the outcome itself; used for the outcome, and for invoices settled before the one to score",
        "DaysToSettle": "the outcome in other words",
        "DaysLate": "the outcome in other words",
        "PaperlessDate": "may lie after the invoice's day",
        "invoiceNumber": "a name, not a fact",
        "countryCode": "codes without a published meaning",
    },
)  # fmt: skip
HIGHRADIUS = Layout(
    name="HighRadius open invoices",
    customer="cust_number", issued_on="baseline_create_date", due_on="due_in_date", settled_on="clear_date",
    amount="converted_usd", date_format="%Y-%m-%d",
    left_out={
        "clear_date": "the outcome itself; used for the outcome, and for invoices settled before the one to score",
        "name_customer": "up to eleven spellings of one customer; the number is the identity",
        "doc_id": "a name, not a fact",
        "business_code": "the creditor's own organisation",
        "buisness_year": "the same as the date",
        "posting_date": "the same as the invoice date, or later",
        "cust_payment_terms": "keys without a published meaning; the due day carries their effect",
    },
)  # fmt: skip
LAYOUTS = (IBM, HIGHRADIUS)


def layout_of(columns: Iterable[str]) -> Layout:
    """The layout with all its columns there. Raises `QuarantineError` when no known one fits."""
    present = set(columns)
    for layout in LAYOUTS:
        if {layout.customer, layout.issued_on, layout.due_on, layout.settled_on, layout.amount} <= present:
            return layout
    wanted = "; ".join(f"{one.name}: {one.customer}, {one.issued_on}, {one.due_on}, {one.settled_on}" for one in LAYOUTS)
    raise QuarantineError(
        "the columns are those of no known history", code="score.columns", cure=f"Give a file with the columns of {wanted}."
    )


def past_invoices(
    layout: Layout, rows: Iterable[tuple[int, Mapping[str, str]]]
) -> tuple[Sequence[PastInvoice], Sequence[str]]:
    """The invoices of the rows (line number and cells), and a sentence for each row that cannot be read."""
    found: list[PastInvoice] = []
    refused: list[str] = []
    for line, cells in rows:
        try:
            found.append(_invoice(layout, cells))
        except (ValueError, InvalidOperation, KeyError) as error:
            refused.append(f"line {line}: {type(error).__name__} in {layout.name}")
    return found, refused


def _invoice(layout: Layout, cells: Mapping[str, str]) -> PastInvoice:
    settled = cells[layout.settled_on].strip()
    amount = Decimal(cells[layout.amount])
    if not amount.is_finite():
        raise ValueError("not an amount")
    paper = None if layout.paper is None else cells.get(layout.paper[0]) == layout.paper[1]
    return PastInvoice(
        customer=cells[layout.customer].strip(),
        issued_on=_day(layout, cells[layout.issued_on]),
        due_on=_day(layout, cells[layout.due_on]),
        settled_on=_day(layout, settled) if settled else None,
        amount=amount, is_paper=paper,
    )  # fmt: skip


def _day(layout: Layout, text: str) -> dt.date:
    return dt.datetime.strptime(text.strip(), layout.date_format).replace(tzinfo=dt.UTC).date()
