"""Lines as SAP shows them, and what they are for the hub."""

from __future__ import annotations

import datetime as dt
import json
import timeit
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collecthub.sdk import ItemKind, ItemState, RawInvoice
from collecthub_erp_sap.cube import map_rows, read_page, whole_clearings
from collecthub_erp_sap.mapping import COLUMNS, CubeRow, RowRules, UnusableRowError, calendar_day, to_invoice

RULES = RowRules()
DAY = "/Date(1780272000000)/"  # 2026-06-01

PLAIN: dict[str, Any] = {
    "CompanyCode": "1010",
    "FiscalYear": "2026",
    "AccountingDocument": "1800000001",
    "AccountingDocumentItem": "001",
    "Customer": "0000000042",
    "CustomerName": "Ωmega <b>& Zonen</b>",
    "AccountingDocumentType": "RV",
    "DebitCreditCode": "S",
    "PostingKey": "01",
    "SpecialGLCode": "",
    "BillingDocument": "0090000024",
    "DocumentReferenceID": "2026-0815",
    "InvoiceReference": "",
    "InvoiceReferenceFiscalYear": "",
    "InvoiceItemReference": "",
    "IsReversal": False,
    "IsReversed": False,
    "IsCleared": False,
    "DocumentDate": DAY,
    "NetDueDate": DAY,
    "AmountInTransactionCurrency": "1000.000",
    "TransactionCurrency": "EUR",
    "DunningLevel": "2",
    "DunningBlockingReason": "",
}


def credit(amount: str, document: str, kind: str = "DZ", **more: Any) -> dict[str, Any]:
    """A line on the credit side without a billing document."""
    return line(
        AmountInTransactionCurrency=amount, AccountingDocument=document, AccountingDocumentType=kind,
        DebitCreditCode="H", PostingKey="11" if kind == "DG" else "15", BillingDocument="", **more,
    )  # fmt: skip


def line(**changes: Any) -> dict[str, Any]:
    return {**PLAIN, **changes}


def answer(*rows: Any, **more: Any) -> bytes:
    return json.dumps({"d": {"results": list(rows), **more}}).encode()


def mapped(*rows: Any, rules: RowRules = RULES) -> list[RawInvoice]:
    page = read_page(answer(*rows))
    invoices, refused, _ = map_rows(page, page.rows, rules)
    assert refused == []
    return invoices


def test_an_invoice_line_with_its_zeros_and_calendar_days() -> None:
    (invoice,) = mapped(line())
    assert invoice == RawInvoice(
        item_ref="1010/2026/1800000001/001", debtor_ref="0000000042", debtor_name="Ωmega <b>& Zonen</b>",
        number="2026-0815", kind=ItemKind.INVOICE, state=ItemState.OPEN, issued_on=dt.date(2026, 6, 1),
        due_on=dt.date(2026, 6, 1), currency="EUR", amount=Decimal("1000.00"), open_amount=Decimal("1000.00"),
        group_ref="1010", document_ref="0090000024", dunning_level=2,
    )  # fmt: skip


def test_x15_two_partial_payments_leave_half_of_the_invoice_and_name_it() -> None:
    """X15: 1000 - 300 - 200 is shown as 500 with both links."""
    names_it = {
        "InvoiceReference": "1800000001", "InvoiceReferenceFiscalYear": "2026", "InvoiceItemReference": "001",
    }  # fmt: skip
    items = mapped(
        line(), credit("-300.000", "1400000001", **names_it), credit("-200.000", "1400000002", **names_it)
    )
    assert sum(item.open_amount for item in items) == Decimal(500)
    assert [(item.kind, item.settles_ref) for item in items[1:]] == [
        (ItemKind.PAYMENT, "1010/2026/1800000001/001")
    ] * 2


def test_x15_a_residual_item_is_a_claim_of_its_own_and_the_old_one_is_paid() -> None:
    """X15: the payment cleared the invoice and posted what is left as a new line that names it."""
    cleared = {"IsCleared": True, "ClearingAccountingDocument": "1400000009", "ClearingDocFiscalYear": "2026"}
    old, payment, residual = mapped(
        line(**cleared),
        credit("-700.000", "1400000009", **cleared),
        line(AccountingDocument="1400000009", AccountingDocumentItem="002", PostingKey="06", BillingDocument="",
             AmountInTransactionCurrency="300.000", InvoiceReference="1800000001",
             InvoiceReferenceFiscalYear="2026", InvoiceItemReference="001"),
    )  # fmt: skip
    assert (old.state, old.open_amount, old.amount) == (ItemState.PAID, Decimal(0), Decimal("1000.00"))
    assert (payment.kind, payment.open_amount) == (ItemKind.PAYMENT, Decimal(0))
    assert (residual.kind, residual.open_amount, residual.settles_ref) == (ItemKind.INVOICE, Decimal(300), "")


def test_x16_instalments_are_items_of_their_own() -> None:
    """X16: one document, three due dates."""
    days = ["/Date(1780272000000)/", "/Date(1782864000000)/", "/Date(1785542400000)/"]
    items = mapped(
        *[line(AccountingDocumentItem=f"{n:03d}", NetDueDate=day) for n, day in enumerate(days, 1)]
    )
    assert len({item.item_ref for item in items}) == 3
    assert [item.due_on for item in items] == [dt.date(2026, 6, 1), dt.date(2026, 7, 1), dt.date(2026, 8, 1)]
    assert {item.number for item in items} == {"2026-0815"}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"IsReversed": True, "IsCleared": True}, ItemState.CANCELLED),
        ({"IsReversal": True, "IsCleared": True}, ItemState.CANCELLED),
        ({"IsCleared": True, "ClearingAccountingDocument": "1400000009"}, ItemState.PAID),
        ({}, ItemState.OPEN),
    ],
)
def test_why_a_line_is_not_open_any_more(changes: dict[str, Any], state: ItemState) -> None:
    (invoice,) = mapped(line(**changes))
    assert invoice.state is state
    assert bool(invoice.open_amount) is (state is ItemState.OPEN)


def test_only_a_clearing_by_credit_memos_alone_is_a_credit() -> None:
    def cleared(document: str) -> dict[str, Any]:
        return {"IsCleared": True, "ClearingAccountingDocument": document, "ClearingDocFiscalYear": "2026"}

    items = mapped(
        line(AccountingDocument="A", **cleared("1")),
        credit("-1000.000", "B", "DG", **cleared("1")),
        line(AccountingDocument="C", **cleared("2")),
        credit("-400.000", "D", "DG", **cleared("2")),
        credit("-600.000", "E", "DZ", **cleared("2")),
        line(AccountingDocument="F", **cleared("3")),
    )
    assert {item.item_ref.split("/")[2]: item.state for item in items if item.kind is ItemKind.INVOICE} == {
        "A": ItemState.CREDITED, "C": ItemState.PAID, "F": ItemState.PAID,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (credit("-5.000", "1", "DG"), ItemKind.CREDIT_NOTE),
        (credit("-5.000", "1", "DZ"), ItemKind.PAYMENT),
        (credit("-5.000", "1", "RV") | {"BillingDocument": "0090000099"}, ItemKind.CREDIT_NOTE),
        (credit("-5.000", "1", "AB"), ItemKind.PAYMENT),
    ],
)
def test_what_lowers_the_debt(row: dict[str, Any], kind: ItemKind) -> None:
    (item,) = mapped(row)
    assert (item.kind, item.open_amount, item.settles_ref) == (kind, Decimal(-5), "")


@pytest.mark.parametrize(
    "reference",
    [
        {"InvoiceReference": "V"},
        {"InvoiceReference": "1800000001", "InvoiceReferenceFiscalYear": "2026", "InvoiceItemReference": "000"},
        {"InvoiceReference": "1800000001", "InvoiceReferenceFiscalYear": "0000", "InvoiceItemReference": "001"},
    ],
)
def test_an_incomplete_reference_is_not_guessed(reference: dict[str, Any]) -> None:
    (item,) = mapped(credit("-5.000", "1", **reference))
    assert item.settles_ref == ""


def test_down_payments_count_and_noted_items_do_not() -> None:
    items = mapped(
        credit("-50.000", "1", SpecialGLCode="A", SpecialGLTransactionType="A"),
        line(AccountingDocument="2", SpecialGLCode="F", SpecialGLTransactionType="A"),
        credit("-50.000", "3", SpecialGLCode="W", SpecialGLTransactionType="W"),
    )
    assert [(item.item_ref.split("/")[2], item.kind, item.open_amount) for item in items] == [
        ("1", ItemKind.PAYMENT, Decimal(-50))
    ]


@pytest.mark.parametrize(
    ("currency", "text", "expected"),
    [("JPY", "98000.000", "98000"), ("KWD", "12.345", "12.345"), ("EUR", "10.010", "10.01"), ("EUR", "1", "1.00")],
)
def test_three_stored_decimals_become_those_of_the_currency(currency: str, text: str, expected: str) -> None:
    (item,) = mapped(line(TransactionCurrency=currency, AmountInTransactionCurrency=text))
    assert str(item.open_amount) == expected


def test_our_own_block_does_not_stop_us() -> None:
    theirs, ours = (line(DunningBlockingReason=reason) for reason in ("D", "C"))
    rules = RowRules(own_block="C")
    assert [item.is_blocked for item in mapped(theirs, ours, rules=rules)] == [True, False]
    assert [item.is_blocked for item in mapped(theirs, ours)] == [True, True]


BAD = [
    ({"NetDueDate": None}, "sap.due_date"),
    ({"NetDueDate": "00000000"}, "sap.due_date"),
    ({"NetDueDate": "/Date(99999999999999999)/"}, "sap.date"),
    ({"NetDueDate": "31.12.2026"}, "sap.date"),
    ({"TransactionCurrency": ""}, "sap.currency"),
    ({"TransactionCurrency": "eur"}, "sap.currency"),
    ({"DebitCreditCode": "H"}, "sap.sign"),
    ({"Customer": ""}, "sap.customer"),
    ({"AmountInTransactionCurrency": "NaN"}, "sap.amount"),
    ({"AmountInTransactionCurrency": "-Infinity", "IsCleared": True}, "sap.amount"),
    ({"AmountInTransactionCurrency": "-sNaN", "SpecialGLCode": "A", "DebitCreditCode": ""}, "sap.amount"),
    ({"AmountInTransactionCurrency": "1E+40"}, "sap.amount"),
    ({"AmountInTransactionCurrency": "12,50"}, "sap.shape"),
    ({"DunningLevel": "X"}, "sap.dunning_level"),
    ({"AmountInTransactionCurrency": "10.005"}, "sap.decimals"),
    ({"AmountInTransactionCurrency": "98000.500", "TransactionCurrency": "JPY"}, "sap.decimals"),
    ({"AccountingDocument": None}, "sap.shape"),
]


@pytest.mark.parametrize(("changes", "code"), BAD)
def test_a_bad_row_is_kept_with_its_bytes_and_its_neighbours_go_on(changes: dict[str, Any], code: str) -> None:
    bad = line(AccountingDocument="2", **changes) if "AccountingDocument" not in changes else line(**changes)
    page = read_page(answer(line(AccountingDocument="1"), bad, line(AccountingDocument="3")))
    invoices, refused, _ = map_rows(page, page.rows, RULES)
    assert [item.item_ref.split("/")[2] for item in invoices] == ["1", "3"]
    assert [row.code for row in refused] == [code]
    assert json.loads(refused[0].content) == bad
    assert page.size == 3


def test_a_refused_row_says_what_is_open_on_it() -> None:
    bad = line(NetDueDate=None)
    gone = line(AccountingDocument="2", Customer="", IsCleared=True)
    unknown = line(AccountingDocument="3", TransactionCurrency="")
    page = read_page(answer(bad, gone, unknown))
    _, refused, _ = map_rows(page, page.rows, RULES)
    assert [(row.currency, row.open_amount) for row in refused] == [("EUR", Decimal(1000)), ("", None), ("", None)]


def test_a_payment_without_terms_still_counts() -> None:
    (item,) = mapped(credit("-5.000", "1", NetDueDate=None))
    assert item.due_on == dt.date(2026, 6, 1)


def test_the_last_clearing_of_a_page_waits_for_the_next_page() -> None:
    rows = read_page(
        answer(*[line(AccountingDocumentItem=f"{n:03d}", ClearingAccountingDocument=c) for n, c in enumerate("1122")])
    ).rows
    assert [row.clearing for row in whole_clearings(rows)] == ["1", "1"]
    assert whole_clearings(rows[:2]) == rows[:2]


@pytest.mark.parametrize("text", ["/Date(1718409600000+0000)/", "2024-06-15T00:00:00", "/Date(1718409600000)/"])
def test_all_spellings_of_a_day(text: str) -> None:
    assert calendar_day(text) == dt.date(2024, 6, 15)


def test_every_column_exists_in_the_published_metadata(shared_data: Path) -> None:
    metadata = (shared_data / "erp/sap/API_OPLACCTGDOCITEMCUBE_SRV.edmx").read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f'<Property Name="{name}" ' not in metadata] == []


def test_seven_real_items_of_a_city(shared_data: Path) -> None:
    """The city's own reading of these items is the amount of the line itself, signed; all are blocked."""
    feed = json.loads((shared_data / "erp/sap/sample_open_items_atom_as_json.json").read_text(encoding="utf-8"))
    sources = [entry["content"]["properties"] for entry in feed["feed"]["entry"]]
    rows = [
        msgspec.convert(
            {
                **dict.fromkeys(("CompanyCode", "FiscalYear", "AccountingDocument", "Customer"), "9999"),
                "AccountingDocumentItem": f"{number:03d}",
                "AmountInTransactionCurrency": source["AmountInBalanceTransacCrcy"],
                "TransactionCurrency": "EUR",
                "DocumentDate": source["PostingDate"],
                **{name: source[name] for name in ("NetDueDate", "DunningLevel", "DunningBlockingReason")},
            },
            CubeRow,
        )
        for number, source in enumerate(sources, 1)
    ]
    items = [to_invoice(row, RULES) for row in rows]
    expected = ["1000.00", "230.00", "-16.00", "-12.10", "121.00", "-80.00", "343.00"]
    assert [str(item.open_amount) for item in items if item] == expected
    assert [item.dunning_level for item in items if item] == [0, 0, 0, 5, 0, 0, 0]
    assert all(item.is_blocked for item in items if item)
    assert items[4] is not None and items[4].due_on == dt.date(2023, 1, 31)


def test_mapping_a_row_takes_microseconds() -> None:
    """Guards the order of magnitude; the bench measures the figure."""
    (row,) = read_page(answer(line())).rows
    best = min(timeit.repeat(lambda: to_invoice(row, RULES), number=2000, repeat=5)) / 2000
    assert best < 20e-6


def test_an_unusable_row_says_why() -> None:
    (row,) = read_page(answer(line(NetDueDate=None))).rows
    with pytest.raises(UnusableRowError, match="no net due date"):
        to_invoice(row, RULES)
