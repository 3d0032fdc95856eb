"""What SAP ECC drops as a file: read as rows, netted, and imported through the mapped intake."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from collecthub.engine.intake_file import FileMapping, preview_file
from collecthub.errors import QuarantineError
from collecthub.formats.sap_files import IDOC_COLUMNS, idoc_rows, list_rows, read_table

IDOC = FileMapping(name="idoc", columns=IDOC_COLUMNS)
LIST = """
Customer                 10001
Company Code             1000
Name                     Ωmega & Zonen
-----------------------------------------------------------------------
|St|Assignment|DocumentNo|Type|Doc. Date |Net due dt|  Amt in DC|Curr.|
-----------------------------------------------------------------------
|  |F26000001 |1800000001|RV  |01.03.2026|31.03.2026|   1.000,00|EUR  |
|  |F26000002 |1800000002|RV  |01.03.2026|31.03.2026|    soon   |EUR  |
|  |F26000003 |1400000001|DZ  |05.04.2026|05.04.2026|     300,00-|EUR  |
-----------------------------------------------------------------------
|* |          |          |    |          |          |     700,00|EUR  |
-----------------------------------------------------------------------

Customer                 10002
Company Code             1000
-----------------------------------------------------------------------
|St|Assignment|DocumentNo|Type|Doc. Date |Net due dt|  Amt in DC|Curr.|
-----------------------------------------------------------------------
|  |F26000009 |1800000009|RV  |01.03.2026|31.03.2026|      12,345|KWD  |
-----------------------------------------------------------------------
|**|          |          |    |          |          |     712,35|     |
-----------------------------------------------------------------------
"""


def line(item: str, side: str, amount: str, customer: str = "0000010001", **more: str) -> str:
    """A line of a document; what is not a field of E1FISEG goes below it, as SAP does."""
    above = {"BUZEI": item, "KOART": "D", "SHKZG": side, "WRBTR": f" {amount}", "AUGDT": "00000000", "UMSKZ": ""}
    below = {"KUNNR": customer, "ZFBDT": "20260301", "ZBD1T": "30", "ZBD2T": "0", "ZBD3T": "0"}
    for name, value in more.items():
        (above if name in ("KOART", "UMSKZ", "AUGBL", "AUGDT") else below)[name] = value
    outer, inner = ("".join(f"<{name}>{text}</{name}>" for name, text in part.items()) for part in (above, below))
    return f'<E1FISEG SEGMENT="1">{outer}<E1FINBU SEGMENT="1">{inner}</E1FINBU></E1FISEG>'


def document(number: str, *lines: str, currency: str = "EUR", reference: str = "", extra: str = "") -> str:
    head = f"<BUKRS>1000</BUKRS><BELNR>{number}</BELNR><GJAHR>2026</GJAHR><BLDAT>20260301</BLDAT>"
    body = "\n".join(lines)
    return f"<E1FIKPF>{head}<XBLNR>{reference}</XBLNR><WAERS>{currency}</WAERS>\n{body}{extra}</E1FIKPF>"


def idoc(*documents: str) -> bytes:
    control = "<EDI_DC40><IDOCTYP>FIDCCP02</IDOCTYP></EDI_DC40>"
    return f'<?xml version="1.0"?>\n<FIDCCP02><IDOC BEGIN="1">{control}{"".join(documents)}</IDOC></FIDCCP02>'.encode()


def seen(content: bytes) -> dict[str, dict[str, Any]]:
    return {row.cells["number"]: dict(row.cells) for row in read_table(content, "drop.xml")}


def test_partial_payments_are_netted_and_the_net_due_date_is_computed() -> None:
    names = {"REBZG": "1800000001", "REBZJ": "2026", "REBZZ": "001"}
    rows = seen(
        idoc(
            document("1800000001", line("001", "S", "1000.00"), line("002", "S", "5.00", KOART="S"), reference="F1"),
            document("1400000001", line("001", "H", "300.00", **names)),
            document("1400000002", line("001", "H", "200.00", **names)),
            document("1800000002", line("001", "S", "98000", ZBD2T="45", ZBD3T="60"), currency="JPY"),
        )
    )
    assert set(rows) == {"F1", "1800000002"}
    assert (rows["F1"]["amount"], rows["F1"]["open_amount"]) == ("1000.00", "500.00")
    assert (rows["F1"]["due_on"], rows["F1"]["issued_on"]) == ("2026-03-31", "2026-03-01")
    assert (rows["1800000002"]["due_on"], rows["1800000002"]["currency"]) == ("2026-04-30", "JPY")


def test_credits_without_an_invoice_stay_credits_and_overpaid_ones_leave_the_rest() -> None:
    names = {"REBZG": "1800000001", "REBZJ": "2026", "REBZZ": "001"}
    rows = seen(
        idoc(
            document("1800000001", line("001", "S", "100.00")),
            document("1400000001", line("001", "H", "130.00", **names)),
            document("1600000001", line("001", "H", "20.00")),
        )
    )
    assert {number: row["open_amount"] for number, row in rows.items()} == {
        "1400000001": "-30.00", "1600000001": "-20.00",
    }  # fmt: skip


def test_cleared_and_noted_lines_are_left_out() -> None:
    rows = seen(
        idoc(
            document("1", line("001", "S", "10.00", AUGBL="1400000009")),
            document("2", line("001", "S", "10.00", AUGDT="20260401")),
            document("3", line("001", "S", "10.00", UMSKZ="F")),
            document("4", line("001", "H", "10.00", UMSKZ="A")),
            document("5", line("001", "S", "10.00", KOART="K")),
        )
    )
    assert set(rows) == {"4"}


def test_names_come_from_the_same_file_or_the_number_stands_for_them() -> None:
    master = "<E1KNA1M><KUNNR>0000010001</KUNNR><NAME1>Ωmega &amp; Zonen</NAME1><LAND1>BE</LAND1><STRAS>Kaai 1</STRAS>"
    master += "<PSTLZ>9000</PSTLZ><ORT01>Gent</ORT01><SPRAS_ISO>NL</SPRAS_ISO></E1KNA1M>"
    once = "<E1FISEC><NAME1>Eenmalig</NAME1><ORT01>Aalst</ORT01><LAND1>BE</LAND1></E1FISEC>"
    rows = seen(
        idoc(
            master,
            document("1", line("001", "S", "10.00")),
            document("2", line("001", "S", "10.00", customer="CPD"), extra=once),
            document("3", line("001", "S", "10.00", customer="0000010003")),
        )
    )
    assert [rows[n]["debtor_name"] for n in "123"] == ["Ωmega & Zonen", "Eenmalig", "0000010003"]
    assert (rows["1"]["language"], rows["1"]["city"], rows["2"]["city"]) == ("nl", "Gent", "Aalst")


def test_one_bad_line_never_stops_the_file() -> None:
    content = idoc(
        document("1", line("001", "S", "10.00")),
        document("2", line("001", "S", "a lot")),
        document("3", line("001", "X", "10.00")),
        document("4", line("001", "S", "10.00", ZFBDT="00000000")),
        document("5", line("001", "S", "10.00", ZFBDT="soon")),
        document("6", line("001", "S", "10.005")),
    )
    shown = {row.line: row for row in preview_file(content, "drop.xml", IDOC)}
    assert len(shown) == 6
    errors = [[(error.field, error.reason) for error in row.errors] for row in shown.values()]
    assert errors[0] == errors[5] == []  # too many decimals are refused when the case is opened
    assert errors[1][0] == ("amount", "is not an amount with '.' as decimal mark")
    assert errors[3] == [("due_on", "is empty")]
    assert errors[4] == [("due_on", "is not a date written YYYY-MM-DD")]
    assert errors[2] == [("amount", "is not an amount with '.' as decimal mark")]


@pytest.mark.parametrize("content", [b"<FIDCCP02><IDOC>", b"<!DOCTYPE x><FIDCCP02/>"])
def test_a_file_that_is_no_xml_is_refused_whole(content: bytes) -> None:
    with pytest.raises(QuarantineError):
        list(read_table(content, "drop.xml"))


def test_a_list_of_line_items_with_its_captions() -> None:
    rows = list(list_rows(LIST.encode("utf-8")))
    assert [(row.cells["Customer"], row.cells["DocumentNo"]) for row in rows] == [
        ("10001", "1800000001"), ("10001", "1800000002"), ("10001", "1400000001"), ("10002", "1800000009"),
    ]  # fmt: skip
    assert rows[0].cells["Name"] == "Ωmega & Zonen"
    assert "Name" not in rows[3].cells  # one customer's caption is not the next one's
    mapping = FileMapping(
        name="FBL5N", date_format="DD.MM.YYYY", decimal_mark=",",
        columns={"debtor_ref": "Customer", "debtor_name": "Customer", "number": "Assignment", "amount": "Amt in DC",
                 "issued_on": "Doc. Date", "due_on": "Net due dt", "currency": "Curr."},
    )  # fmt: skip
    shown = preview_file(LIST.encode("cp1252", errors="replace"), "fbl5n.txt", mapping)
    assert [row.amount for row in shown] == [Decimal("1000.00"), None, Decimal("-300.00"), Decimal("12.345")]
    assert shown[1].errors[0].field == "Amt in DC"


def test_a_spreadsheet_of_line_items_has_numbers_and_days() -> None:
    """Amounts and dates are cells of their own kind there; a subtotal has no document and is refused as a row."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Account", "Document Number", "Net due date", "Amount in doc. curr.", "Document currency"])
    sheet.append(["10001", "1800000001", dt.date(2026, 3, 31), 1000.5, "EUR"])
    sheet.append(["10001", "1400000001", dt.date(2026, 4, 5), -300, "EUR"])
    sheet.append(["10001", None, None, 700.5, "EUR"])
    content = io.BytesIO()
    book.save(content)
    mapping = FileMapping(
        name="FBL5N", columns={
            "debtor_ref": "Account", "debtor_name": "Account", "number": "Document Number", "due_on": "Net due date",
            "amount": "Amount in doc. curr.", "currency": "Document currency",
        },
    )  # fmt: skip
    rows = preview_file(content.getvalue(), "fbl5n.xlsx", mapping)
    assert [(row.amount, row.due_on) for row in rows[:2]] == [
        (Decimal("1000.5"), dt.date(2026, 3, 31)), (Decimal(-300), dt.date(2026, 4, 5)),
    ]  # fmt: skip
    assert {error.field for error in rows[2].errors} == {"Document Number", "Net due date"}


GERMAN = FileMapping(
    name="FBL5N", date_format="DD.MM.YYYY", decimal_mark=",", defaults={"currency": "EUR"},
    columns={"debtor_ref": "Debitor", "debtor_name": "Name 1", "number": "Belegnr", "due_on": "Nettofäll.",
             "amount": "Betrag in HW"},
)  # fmt: skip
TABBED = """Dynamische Listenausgabe, 22.11.2026\t\t\t\t\t1

\tDebitor\tName 1\tBelegnr\tNettofäll.\tBetrag in HW

\t10001\tMüller & Söhne\t1800000001\t31.03.2026\t 1.000,00
\t10001\tMüller & Söhne\t1800000002\t31.02.2026\t 50,00
\t10001\tMüller & Söhne\t1400000001\t05.04.2026\t 300,00-
*\t10001\t\t\t\t 750,00
"""


@pytest.mark.parametrize("codec", ["utf-8-sig", "cp1252", "utf-16"])
def test_a_tabbed_export_is_read_below_its_title(codec: str) -> None:
    """SAP calls it a spreadsheet and `.xls`; it is text with tabs, a title and an empty first column."""
    rows = preview_file(TABBED.encode(codec), "export.xls", GERMAN)
    assert [(row.debtor_name, row.amount) for row in rows[:3]] == [
        ("Müller & Söhne", Decimal("1000.00")), ("Müller & Söhne", None), ("Müller & Söhne", Decimal("-300.00")),
    ]  # fmt: skip
    assert [error.field for error in rows[1].errors] == ["Nettofäll."]
    assert {error.field for error in rows[3].errors} == {"Name 1", "Belegnr", "Nettofäll."}  # the subtotal


def test_a_list_in_another_encoding_whose_headings_come_again_on_each_page() -> None:
    rule, heads, *lines = (line for line in LIST.splitlines()[4:])
    page = f"{rule}\n{heads}\n{rule}"
    text = LIST.replace(lines[1], f"{lines[1]}\n{page}", 1)
    rows = list(read_table(text.encode("utf-16"), "list.txt"))
    assert [row.cells["DocumentNo"] for row in rows] == ["1800000001", "1800000002", "1400000001", "1800000009"]
    assert rows[0].cells["Name"] == "Ωmega & Zonen"


@pytest.mark.parametrize(
    ("text", "mark", "amount"),
    [
        ("1.234.567,89-", ",", "-1234567.89"), ("1 234 567,89", ",", "1234567.89"), ("1\u00a0234,50", ",", "1234.50"),
        ("1\u202f234,50-", ",", "-1234.50"), ("1'234.50", ".", "1234.50"), ("1\u2019234.50-", ".", "-1234.50"),
        ("\u22121,234.50", ".", "-1234.50"), ("1.23.4,5", ",", None), ("1,234.50", ",", None), ("--5,00", ",", None),
    ],
)  # fmt: skip
def test_amounts_as_users_of_sap_have_them_written(text: str, mark: str, amount: str | None) -> None:
    mapping = FileMapping(
        name="x", decimal_mark=mark, defaults={"currency": "EUR", "due_on": "2026-03-31", "debtor_name": "A"},
        columns={"number": "n", "amount": "a"},
    )  # fmt: skip
    (row,) = preview_file(f"n;a\n1;{text}\n".encode(), "x.csv", mapping)
    assert row.amount == (Decimal(amount) if amount else None)


def test_other_tables_are_read_as_before() -> None:
    (row,) = read_table(b"a;b\n1;2\n", "x.csv")
    assert row.cells == {"a": "1", "b": "2"}
    assert list(idoc_rows(b"<FIDCCP02/>")) == []
