"""CSV and XLSX in and out: every cell as text, every bad file named, no formula smuggled into a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Any, Final

from collecthub.errors import ConfigurationError, QuarantineError
from collecthub.wire.xml_prolog import PROLOG_CHARS_MAX, encoding_of, refuse_doctype

_DELIMITERS: Final = ",;\t"
_FORMULA_START: Final = re.compile(r"^[\s\x00]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")
_XLSX_BYTES_MAX: Final = 1_000_000_000
_FIELD_CHARS_MAX: Final = 1_000_000
_SPOOL_BYTES: Final = 32_000_000
_TITLE_LINES_MAX: Final = 30


@dataclass(frozen=True, slots=True)
class Row:
    """One data row. `line` is where a person finds it in the file (1 is the first line).

    `cells` maps header to text, empty text for an empty cell. `surplus` are cells beyond the last header: such a
    row is shifted, so its cells should not be believed.
    """

    line: int
    cells: dict[str, str]
    surplus: tuple[str, ...] = ()


def read_rows(
    content: bytes, name: str, *, headings: Collection[str] = (), max_rows: int = 1_000_000
) -> Iterator[Row]:
    """The rows below the header of a CSV (`,` `;` or tab; UTF-8, UTF-16 with mark, else Windows-1252) or XLSX.

    XLSX is told by its content, not by its name; its first sheet counts, formulas as their last values, dates as ISO
    8601, numbers without exponent. Empty lines are skipped. With `headings` the header is the first line that has all of
    them, so that a title above it does no harm; else, or when there is none near the top, it is the first line.

    Raises `QuarantineError`: `table.empty`, `table.header` (a header twice), `table.malformed`, `table.encoding`,
    `table.size`.
    """
    is_xlsx = content.startswith(b"PK\x03\x04")
    lines = _xlsx_lines(content, name) if is_xlsx else _csv_lines(content, name)
    filled: Iterator[tuple[int, list[str]]] = ((line, cells) for line, cells in lines if any(cells))
    above = list(islice(filled, _TITLE_LINES_MAX)) if headings else []
    place = next((at for at, (_, cells) in enumerate(above) if {cell.strip() for cell in cells}.issuperset(headings)), 0)
    filled = chain(above[place:], filled)
    header_line, header = next(filled, (0, []))
    headers = _checked_headers([cell.strip() for cell in header], name, header_line)
    for count, (line, cells) in enumerate(filled, 1):
        if count > max_rows:
            raise QuarantineError(
                f"The table {name} has more than {max_rows} rows.", code="table.size", cure="Split it."
            )
        padded = [*cells, *[""] * (len(headers) - len(cells))]
        yield Row(
            line=line,
            cells={header: cell for header, cell in zip(headers, padded, strict=False) if header},
            surplus=tuple(cell for cell in cells[len(headers) :] if cell),
        )


def _checked_headers(headers: list[str], name: str, line: int) -> list[str]:
    if not any(headers):
        raise QuarantineError(f"The table {name} is empty.", code="table.empty")
    while headers and not headers[-1]:
        headers.pop()
    named = [header for header in headers if header]
    twice = sorted({header for header in named if named.count(header) > 1})
    if twice:
        raise QuarantineError(
            f"The table {name} has the column {twice[0]!r} twice, in line {line}.",
            code="table.header",
            cure="Give each column its own name.",
        )
    return headers


def _csv_lines(content: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(content, name)
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    previous = 0
    try:
        for cells in reader:
            yield previous + 1, cells
            previous = reader.line_num
    except csv.Error as error:
        raise QuarantineError(
            f"The table {name} cannot be read from line {previous + 1} on: {error}.",
            code="table.malformed",
            cure="Check the quotes in that line.",
        ) from error


def _decoded(content: bytes, name: str) -> str:
    codecs = ("utf-16",) if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "cp1252")
    for codec in codecs:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise QuarantineError(
        f"The table {name} is not text in UTF-8 or Windows-1252.",
        code="table.encoding",
        cure="Save it as UTF-8.",
    )


def _delimiter(text: str) -> str:
    """The delimiter that is most frequent outside quotes in the first line that has one; a tab where lines have several,
    for nobody writes tabs in a title.
    """
    lines = text[:_FIELD_CHARS_MAX].splitlines()[:_TITLE_LINES_MAX]
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines]
    if any(line.count("\t") > 1 for line in bare):
        return "\t"
    first = next((line for line in bare if any(one in line for one in _DELIMITERS)), "")
    return max(_DELIMITERS, key=first.count)


def _xlsx_lines(content: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    openpyxl = _openpyxl()
    try:
        with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as checked:
            _copy_checked(content, name, checked)
            book = openpyxl.load_workbook(checked, read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # the size that the file claims is not to be believed
            for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                yield line, [_text(cell) for cell in cells]
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        SyntaxError,
    ) as error:
        raise QuarantineError(
            f"The workbook {name} cannot be read: {error}.",
            code="table.malformed",
            cure="Save it again as XLSX.",
        ) from error


def _openpyxl() -> Any:
    """XLSX needs the extra `files`; CSV does not."""
    try:
        import openpyxl
    except ImportError as error:
        raise ConfigurationError(
            "XLSX needs an extra package.", cure="Install collecthub[files], or use CSV."
        ) from error
    return openpyxl


def _copy_checked(content: bytes, name: str, copy: IO[bytes]) -> None:
    """Write what openpyxl may read: parts as large as they say, none with a DOCTYPE.

    It inflates whole parts into memory whatever size they declare, so it is never given the original.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(copy, "w") as target:
            entries = source.infolist()
            total = sum(entry.file_size for entry in entries)
            if total > min(_XLSX_BYTES_MAX, max(len(content) * 200, 10_000_000)) or len(entries) > 10_000:
                raise QuarantineError(f"The workbook {name} is larger than it may be.", code="table.size")
            for entry in entries:
                with source.open(entry) as part, target.open(entry.filename, "w") as kept:
                    head = part.read(PROLOG_CHARS_MAX)
                    if entry.filename.endswith((".xml", ".rels", ".vml")):
                        refuse_doctype(head.decode(encoding_of(head[:400]), "replace"))
                    kept.write(head)
                    shutil.copyfileobj(part, kept)
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
    ) as error:
        raise QuarantineError(f"The workbook {name} is damaged: {error}.", code="table.malformed") from error
    copy.seek(0)


def _text(value: Any) -> str:
    """A cell as text. Midnight is how a spreadsheet stores a plain date.

    >>> _text(1234.5), _text(1e16), _text(dt.datetime(2026, 6, 15))
    ('1234.5', '10000000000000000', '2026-06-15')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float):
        exact = Decimal(repr(value))
        return format(exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact, "f")
    return str(value)


def _harmless(cell: object) -> object:
    """A text that a spreadsheet would run as a formula gets a leading quote; numbers are written as numbers.

    >>> _harmless("=1+1"), _harmless(Decimal("-12.50"))
    ("'=1+1", Decimal('-12.50'))
    """
    if isinstance(cell, str):
        return f"'{cell}" if _FORMULA_START.search(cell) else cell
    return "" if cell is None else cell


def write_csv(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """RFC 4180 with a UTF-8 mark, so that a spreadsheet shows every script. Give numbers as `Decimal` or `int`."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    for row in (headers, *rows):
        writer.writerow([_harmless(cell) for cell in row])
    return target.getvalue().encode("utf-8-sig")


def write_xlsx(headers: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "Sheet1") -> bytes:
    """A workbook with one sheet; texts stay texts. Give numbers as `Decimal` or `int`."""
    openpyxl = _openpyxl()
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    for row in (headers, *rows):
        sheet.append([_xlsx_cell(cell) for cell in row])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


_ILLEGAL_IN_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _xlsx_cell(cell: object) -> object:
    harmless = _harmless(cell)
    return _ILLEGAL_IN_XML.sub("\ufffd", harmless) if isinstance(harmless, str) else harmless
