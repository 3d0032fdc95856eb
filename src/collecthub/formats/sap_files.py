"""What an SAP ECC system can drop as a file, as rows for the mapped file intake: FIDCCP02 IDocs and the FBL5N list.

Source: the segments of IDoc type FIDCCP02 (E1FIKPF the document, E1FISEG a line, E1FINBU its sub-ledger part,
E1FISEC a one-time customer) with the field names of tables BKPF and BSEG; DEBMAS' E1KNA1M for names. FBL5N saved as
an unconverted text list has its columns between bars and the customer above each table.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from collecthub.errors import PermanentError
from collecthub.model.money import parse_amount
from collecthub.wire.tabular import Row, read_rows
from collecthub.wire.xml import Element, parse

IDOC_COLUMNS: Mapping[str, str] = {
    name: name
    for name in (
        "debtor_ref", "debtor_name", "country", "vat_ref", "street", "postcode", "city", "language", "currency", "number",
        "issued_on", "due_on", "amount", "open_amount",
    )
}  # fmt: skip
"""The mapping that reads the rows of an IDoc: its columns carry the names of the intake's fields."""
_NO_DATE = frozenset({"", "00000000"})
_RULE = re.compile(r"[-|\s]*-{5,}[-|\s]*")
_CAPTION = re.compile(r"(\S[^|]*?)\s{2,}(\S.*?)\s*")
_TOTAL = re.compile(r"\|\s*\*+\s*\|")
_LIST_START = 8_000
_UTF_16_MARKS = frozenset({b"\xff\xfe", b"\xfe\xff"})
_ZERO = Decimal(0)


def read_table(content: bytes, name: str, headings: Collection[str] = ()) -> Iterator[Row]:
    """The rows of a file: an IDoc, an SAP list, or a CSV or XLSX table, whose header has these `headings`.

    Raises `QuarantineError` when the file as a whole cannot be read.
    """
    if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        yield from idoc_rows(content)
    elif _is_list(content):
        yield from list_rows(content)
    else:
        yield from read_rows(content, name, headings=headings)


# --- IDoc -----------------------------------------------------------------------------------------


@dataclass
class _Line:
    """A customer line of a document. `amount` is None when its text is none; `left` is what is still asked."""

    key: tuple[str, ...]
    settles: tuple[str, ...]
    source_line: int
    cells: dict[str, str]
    amount: Decimal | None
    left: Decimal


def idoc_rows(content: bytes) -> Iterator[Row]:
    """One row per open customer line of the accounting documents in an IDoc file.

    A payment or credit memo that names an invoice of the file lowers what is open on it and is no row of its own;
    without one it is a row with a negative amount. Cleared lines and noted items (special G/L debits) are left out.
    A line that cannot be read keeps its texts, so that the intake refuses it with its reason.
    """
    root = parse(content)
    names = {_text(one, "KUNNR"): one for one in root.iter("E1KNA1M")}
    lines = [line for head in root.iter("E1FIKPF") for line in _lines(head, names)]
    by_key = {line.key: line for line in lines if line.amount is not None and line.amount > 0}
    for line in lines:
        target = by_key.get(line.settles) if line.amount is not None and line.amount < 0 else None
        if target is not None:
            part = min(-line.left, target.left)
            target.left -= part
            line.left += part
    for line in lines:
        if line.amount is None or line.left:
            yield _row(line)


def _row(line: _Line) -> Row:
    known = {} if line.amount is None else {"amount": str(line.amount), "open_amount": str(line.left)}
    if line.amount is not None and line.amount < 0:
        known["amount"] = str(line.left)
    return Row(line=line.source_line, cells={**line.cells, **known})


def _lines(head: Element, names: Mapping[str, Element]) -> Iterator[_Line]:
    once = next(iter(head.iter("E1FISEC")), None)
    for segment in head.iter("E1FISEG"):
        texts = {**_texts(segment), **{k: v for part in segment.iter("E1FINBU") for k, v in _texts(part).items()}}
        customer = texts.get("KUNNR", "")
        is_customer = texts.get("KOART", "D") == "D" and bool(customer)
        if is_customer and not texts.get("AUGBL") and texts.get("AUGDT", "") in _NO_DATE:
            line = _line(head, segment, texts, names.get(customer, once))
            if not (texts.get("UMSKZ") and (line.amount is None or line.amount > 0)):
                yield line


def _line(head: Element, segment: Element, texts: Mapping[str, str], party: Element | None) -> _Line:
    company, year, document = (_text(head, name) for name in ("BUKRS", "GJAHR", "BELNR"))
    amount, place = _signed(texts), segment.sourceline
    unread = f"{texts.get('WRBTR', '')} {texts.get('SHKZG', '')}".strip() if amount is None else ""
    settles = (company, texts.get("REBZJ", ""), texts.get("REBZG", ""), texts.get("REBZZ", ""))
    cells = {
        "debtor_ref": texts["KUNNR"], "debtor_name": _text(party, "NAME1") or texts["KUNNR"],
        "country": _text(party, "LAND1"), "vat_ref": _text(party, "STCEG"), "street": _text(party, "STRAS"),
        "postcode": _text(party, "PSTLZ"), "city": _text(party, "ORT01"), "language": _text(party, "SPRAS_ISO").lower(),
        "currency": _text(head, "WAERS"), "number": _text(head, "XBLNR") or document,
        "issued_on": _day(_text(head, "BLDAT")), "due_on": _due(texts), "amount": unread, "open_amount": "",
    }  # fmt: skip
    return _Line(
        key=(company, year, document, texts.get("BUZEI", "")), settles=settles, source_line=place if isinstance(place, int) else 0,
        cells=cells, amount=amount, left=amount or _ZERO,
    )  # fmt: skip


def _signed(texts: Mapping[str, str]) -> Decimal | None:
    """The amount of a line, negative on the credit side; None when it cannot be read."""
    text = texts.get("WRBTR", "")
    sign = {"S": 1, "H": -1}.get(texts.get("SHKZG", ""))
    try:
        amount = parse_amount(text)
    except PermanentError:
        return None
    return amount * sign if sign and amount > 0 else None


def _due(texts: Mapping[str, str]) -> str:
    """The net due date: the baseline date and the days of the last of the three terms that is given."""
    start = texts.get("ZFBDT", "")
    days = next((texts[name] for name in ("ZBD3T", "ZBD2T", "ZBD1T") if texts.get(name, "").strip("0")), "0")
    day = _day(start)
    try:
        return (dt.date.fromisoformat(day) + dt.timedelta(days=int(Decimal(days)))).isoformat() if day else ""
    except (ValueError, ArithmeticError):
        return start


def _day(text: str) -> str:
    """`20261231` as `2026-12-31`, nothing as nothing, and what is no date as it stands.

    >>> _day("20260615"), _day("00000000"), _day("soon")
    ('2026-06-15', '', 'soon')
    """
    if text in _NO_DATE:
        return ""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdecimal() else text


def _texts(segment: Element) -> dict[str, str]:
    return {str(one.tag): (one.text or "").strip() for one in segment if len(one) == 0}


def _text(segment: Element | None, name: str) -> str:
    return "" if segment is None else (segment.findtext(name) or "").strip()


# --- list -----------------------------------------------------------------------------------------


def _is_list(content: bytes) -> bool:
    """Whether a text has a table between rules of dashes, as SAP's list output has."""
    lines = _decoded(content[:_LIST_START], errors="replace").splitlines()
    return any(
        _RULE.fullmatch(line) and index + 1 < len(lines) and lines[index + 1].lstrip().startswith("|")
        for index, line in enumerate(lines)
    )


def list_rows(content: bytes) -> Iterator[Row]:
    """The rows of FBL5N's unconverted list. What stands above a table (`Customer  10001`) is in each of its rows.

    Totals and the headings of further pages are left out. The columns have the list's own headings, in the language of whoever saved it.
    """
    captions: dict[str, str] = {}
    headings: list[str] = []
    is_above = True
    for number, line in enumerate(_decoded(content).splitlines(), 1):
        if _RULE.fullmatch(line):
            continue
        if not line.lstrip().startswith("|"):
            found = _CAPTION.fullmatch(line.strip())
            captions = {} if not is_above else captions
            is_above, headings = True, []
            if found:
                captions[found[1].rstrip(":")] = found[2]
            continue
        is_above = False
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not headings:
            headings = cells
        elif cells != headings and not _TOTAL.match(line.lstrip()) and any(cells):
            own = {name: cell for name, cell in zip(headings, cells, strict=False) if name}
            yield Row(line=number, cells={**captions, **own}, surplus=tuple(cells[len(headings) :]))


def _decoded(content: bytes, errors: str = "strict") -> str:
    """UTF-16 with its mark, UTF-8 or Windows-1252; `errors` says what becomes of a text that was cut."""
    if content[:2] in _UTF_16_MARKS:
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig", errors=errors)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
