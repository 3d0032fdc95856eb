"""Statements of account as papers and tables: every word in every language, the same figures in every form."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import re
import tomllib
from decimal import Decimal
from importlib.resources import files

import msgspec
import openpyxl
import pypdfium2
import pytest

from collecthub.errors import PermanentError
from collecthub.formats.bank.epc_code import epc_code_svg
from collecthub.model.ledger import LineKind
from collecthub.paper.statement import FORMATS, Claimed, Grew, Moved, Settled, Statement, languages

ON = dt.date(2026, 6, 15)
REFERENCE = "+++785/8606/64332+++"


def example(language: str = "en", **changes: object) -> Statement:
    code = epc_code_svg(beneficiary="De Kroon", account="BE68539007547034", amount=Decimal("9258.63"), reference=REFERENCE)
    made = Statement(
        language=language, case_number="CH-1", creditor="De Kroon", debtor="<b>Łódź & Söhne</b>", currency="EUR", until=ON,
        made_on=ON, total=Decimal("9258.63"), parts=(("principal", Decimal("9258.63")),),
        claims=(
            Claimed(
                number="F-1", due_on=dt.date(2026, 3, 31), principal=Decimal("10000.00"), interest=Decimal("218.63"),
                compensation=Decimal("40.00"), open_amount=Decimal("9258.63"),
            ),
        ),
        moved=(
            Moved(on=ON, kind="principal", detail="=F-1", amount=Decimal("10000.00"), owed_after=Decimal("10000.00")),
            Moved(on=ON, kind="payment", amount=Decimal("-1000.00"), owed_after=Decimal("9000.00"), is_reversed=True),
            Moved(on=ON, kind="interest", amount=Decimal("218.63"), owed_after=Decimal("9218.63"), is_grown=True),
            Moved(on=ON, kind="compensation", amount=Decimal("40.00"), owed_after=Decimal("9258.63"), is_for_creditor=True),
        ),
        grew=(
            Grew(
                number="F-1", from_on=dt.date(2026, 4, 1), to_on=ON, days=76, base=Decimal("10000.00"),
                rate_percent=Decimal("10.5"), amount=Decimal("218.63"),
            ),
        ),
        settled=(Settled(on=ON, paid=Decimal("1000.00"), part="interest", number="F-1", amount=Decimal("218.63")),),
        reference=REFERENCE, account="BE68539007547034", beneficiary="De Kroon", code_svg=code, per_day=Decimal("2.66"),
        country="BE", order=("costs", "compensation", "interest", "principal"), rule="Civil Code 5.210", sources=("art. 5",),
        sides=(("erp", (("principal", Decimal("10000.00")),)),),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def test_every_language_has_every_word() -> None:
    tables = tomllib.loads((files("collecthub.paper") / "words" / "statement.toml").read_text(encoding="utf-8"))
    assert set(tables) == set(languages()) == {"nl", "fr", "de", "en"}
    assert {frozenset(table) for table in tables.values()} == {frozenset(tables["en"])}
    assert {kind.value for kind in LineKind} <= set(tables["en"])
    places = {name: set(re.findall(r"{(\w+)}", text)) for name, text in tables["en"].items()}
    for table in tables.values():
        assert all(table.values()) and {name: set(re.findall(r"{(\w+)}", text)) for name, text in table.items()} == places


@pytest.mark.parametrize(
    ("language", "amount", "day", "word"),
    [
        ("nl", "€ 9.258,63", "15 jun 2026", "Verschuldigd"), ("fr", "9 258,63 €", "15 juin 2026", "Dû"),
        ("de", "9.258,63 €", "15. Juni 2026", "Geschuldet"), ("en", "€9,258.63", "15 Jun 2026", "Owed"),
    ],
)  # fmt: skip
def test_a_statement_reads_as_its_language_writes(language: str, amount: str, day: str, word: str) -> None:
    page = " ".join(FORMATS["html"](example(language)).decode().split())
    assert amount in page and day in page and word in page and REFERENCE in page
    assert "&lt;b&gt;Łódź &amp; Söhne&lt;/b&gt;" in page and "<script" not in page
    svg = base64.b64decode(re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page)[0])
    assert svg == example().code_svg.encode()


def test_a_printed_statement_holds_the_figures_and_the_code() -> None:
    document = pypdfium2.PdfDocument(FORMATS["pdf"](example("nl")))
    text = " ".join(" ".join(document[number].get_textpage().get_text_bounded().split()) for number in range(len(document)))
    for said in ("Rekeningoverzicht", "9.258,63", "218,63", "10,5 %", REFERENCE, "BE68539007547034", "Civil Code 5.210"):
        assert said in text
    assert FORMATS["pdf"](example("nl")) == FORMATS["pdf"](example("nl"))  # the same facts give the same bytes


def test_tables_hold_numbers_and_no_formulas() -> None:
    rows = list(csv.reader(io.StringIO(FORMATS["csv"](example()).decode("utf-8-sig"))))
    assert [row[3] for row in rows[1:]] == ["10000.00", "-1000.00", "218.63", "40.00", ""]
    assert rows[-1][4] == "9258.63" and rows[1][2] == "Principal =F-1"
    sheet = openpyxl.load_workbook(io.BytesIO(FORMATS["xlsx"](example("de")))).active
    assert sheet is not None and sheet.title == "Forderungsaufstellung"
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
    assert not any(cell.data_type == "f" for cell in cells)
    assert [cell.value for cell in sheet["D"]][1:3] == [10000, -1000]


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(PermanentError, match="no statement in 'xx'"):
        FORMATS["html"](example("xx"))
