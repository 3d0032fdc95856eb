"""wire.tabular: what spreadsheets really send, and what they must not be sent."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import tracemalloc
import zipfile
from decimal import Decimal

import openpyxl
import pytest

from collecthub.errors import QuarantineError
from collecthub.wire.tabular import read_rows, write_csv, write_xlsx


def cells(content: bytes, name: str = "x.csv") -> list[dict[str, str]]:
    return [row.cells for row in read_rows(content, name)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiter_and_encoding_are_found_out(delimiter: str, codec: str) -> None:
    text = 'name,amount,note\r\n"Müller, €\nKG",12.50,"a ""b"" c"\r\n\r\nX,,\r\n'.replace(",", delimiter)
    rows = list(read_rows(text.encode(codec), "x.csv"))
    assert [row.cells for row in rows] == [
        {"name": f"Müller{delimiter} €\nKG", "amount": "12.50", "note": 'a "b" c'},
        {"name": "X", "amount": "", "note": ""},
    ]
    assert [row.line for row in rows] == [2, 5], "the lines that an editor shows"


def test_scripts_beyond_one_byte_survive() -> None:
    assert cells("name\n\u05e9\u05dc\u05d5\u05dd\n\u4e2d\u6587\n\u0416\n".encode()) == [
        {"name": "\u05e9\u05dc\u05d5\u05dd"}, {"name": "\u4e2d\u6587"}, {"name": "\u0416"},
    ]  # fmt: skip


def test_a_short_row_is_filled_and_a_long_one_is_marked() -> None:
    rows = list(read_rows(b"a,b\n1\n1,2,3\n1,2,\n", "x.csv"))
    assert [(row.cells, row.surplus) for row in rows] == [
        ({"a": "1", "b": ""}, ()), ({"a": "1", "b": "2"}, ("3",)), ({"a": "1", "b": "2"}, ()),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "table.empty"), (b"\n\n  \n", "table.empty"), (b"a,b,a\n1,2,3\n", "table.header"),
        (b'a\n1\n"open', "table.malformed"), (b'a\n"x"y\n', "table.malformed"), (b"a\n\0\n", "table.encoding"),
        (b"a\n\x81\n", "table.encoding"), (b"a\n" + b"1\n" * 11, "table.size"), (b"PK\x03\x04", "table.malformed"),
    ],
)  # fmt: skip
def test_a_bad_table_has_its_reason(content: bytes, code: str) -> None:
    with pytest.raises(QuarantineError) as refused:
        list(read_rows(content, "x.csv", max_rows=10))
    assert refused.value.code == code


def test_the_rows_before_a_broken_one_are_not_lost() -> None:
    rows = read_rows(b'a\n1\n2\n"open', "x.csv")
    assert [next(rows).cells["a"], next(rows).cells["a"]] == ["1", "2"]
    with pytest.raises(QuarantineError, match="line 4"):
        next(rows)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["number", "amount", "due", "paid", "note", None])
    sheet.append([17, 1234.5, dt.date(2026, 6, 15), True, "=SUM(A2:B2)", None])
    sheet.append([None] * 5)
    sheet.append(["0017", 1e16, dt.datetime.fromisoformat("2026-06-15T12:30"), False, 0.1 + 0.2, "over"])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_a_workbook_reads_like_a_table() -> None:
    first, second = read_rows(workbook(), "x.xlsx")
    assert (first.line, second.line) == (2, 4)
    assert first.cells == {
        "number": "17",
        "amount": "1234.5",
        "due": "2026-06-15",
        "paid": "true",
        "note": "",
    }
    assert second.cells["number"] == "0017"
    assert second.cells["amount"] == "10000000000000000"
    assert second.cells["due"] == "2026-06-15T12:30:00"
    assert second.cells["note"] == "0.3"
    assert second.surplus == ("over",)


def with_part(name: str, content: bytes) -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for entry in source.infolist():
            copy.writestr(entry.filename, content if entry.filename == name else source.read(entry))
    return target.getvalue()


def test_a_hostile_workbook_is_refused_in_small_memory() -> None:
    sheet = "xl/worksheets/sheet1.xml"
    bomb = with_part(sheet, b"<worksheet>" + b" " * 50_000_000)
    lying = bomb.replace((50_000_011).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != bomb
    laughs = with_part(sheet, b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet>&a;</worksheet>')
    for content, code in [(bomb, "table.size"), (lying, "table.malformed"), (laughs, "xml.doctype")]:
        tracemalloc.start()
        with pytest.raises(QuarantineError) as refused:
            list(read_rows(content, "x.xlsx"))
        assert refused.value.code == code
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
        tracemalloc.stop()
    for content in (
        with_part(sheet, b"<worksheet>"),
        workbook()[:-40],
        workbook()[:3000],
        with_part("xl/workbook.xml", b""),
    ):
        with pytest.raises(QuarantineError):
            list(read_rows(content, "x.xlsx"))


ATTACKS = [
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
    "\n=1",
]


def test_a_name_is_never_a_formula() -> None:
    harmless = ["Müller; KG", 'He said "no"', "a=b", "12.50", "x\ny"]
    rows = [[text, Decimal("-12.50"), 3, None, dt.date(2026, 6, 15)] for text in ATTACKS + harmless]
    content = write_csv(["name", "amount", "count", "empty", "on"], rows)
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row[0] for row in read[1:]] == [f"'{text}" for text in ATTACKS] + harmless
    assert {tuple(row[1:]) for row in read[1:]} == {("-12.50", "3", "", "2026-06-15")}
    assert re.search(rb"[^\r]\n", content.replace(b"x\ny", b"").replace(b"'\n=1", b"")) is None

    book = openpyxl.load_workbook(io.BytesIO(write_xlsx(["name", "amount", "count", "empty", "on"], rows)))
    shown = list(book.active.iter_rows(min_row=2))
    assert [row[0].data_type for row in shown] == ["s"] * len(rows)
    assert [row[1].value for row in shown] == [-12.5] * len(rows)
    assert all(str(row[0].value).startswith("'") for row in shown[: len(ATTACKS)])


def test_a_control_character_does_not_break_a_workbook() -> None:
    content = write_xlsx(["name"], [["a\x00b\x0b\ud800"]])
    assert [row.cells for row in read_rows(content, "x.xlsx")] == [{"name": "a\ufffdb\ufffd\ufffd"}]


def test_what_is_written_is_read_again() -> None:
    rows = [['\u4e2d, ;\t"x"', Decimal("0.10")], ["", Decimal("1234567.89")]]
    for content in (write_csv(["a", "b"], rows), write_xlsx(["a", "b"], rows)):
        read = cells(content)
        assert [row["a"] for row in read] == ['\u4e2d, ;\t"x"', ""]
        assert [Decimal(row["b"]) for row in read] == [Decimal("0.10"), Decimal("1234567.89")]
