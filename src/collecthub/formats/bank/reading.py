"""Which bank file is it? Told by its content, never by its name; then read by its own reader."""

from __future__ import annotations

from typing import IO

from collecthub.formats.bank.camt import read_camt
from collecthub.formats.bank.coda import read_coda
from collecthub.formats.bank.csv_rows import CsvLayout, read_csv
from collecthub.formats.bank.mt940 import read_mt940
from collecthub.formats.bank.statement import Parts, refuse

_LOOK = 4096
_TABLE_MAX = 200_000_000


def bank_format(head: bytes) -> str:
    """`camt`, `coda`, `mt940` or `csv`, by the first bytes of the file.

    >>> bank_format(b'<?xml version="1.0"?>'), bank_format(b":20:STARTUMS"), bank_format(b"date;amount")
    ('camt', 'mt940', 'csv')
    """
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<") or head[:2] in {b"\xff\xfe", b"\xfe\xff"} and b"<\0" in head[:8]:
        return "camt"
    first = text.split(b"\n", 1)[0].rstrip(b"\r")
    if first.startswith(b"0000") and len(first) >= 100 and first[14:16] == b"05":
        return "coda"
    if b":20:" in text and (b":25:" in text or b":28" in text) or text.startswith((b":20:", b":940:")):
        return "mt940"
    return "csv"


def read_bank_file(stream: IO[bytes], name: str, layout: CsvLayout | None = None) -> Parts:
    """The transactions and statements of a bank file, as a stream.

    Raises `QuarantineError` as soon as something is wrong: whoever books must have come to the end first. A table
    needs a layout.
    """
    head = stream.read(_LOOK)
    stream.seek(0)
    if not head.strip():
        raise refuse("empty", "the file is empty", "")
    match bank_format(head):
        case "camt":
            return read_camt(stream)
        case "coda":
            return read_coda(stream)
        case "mt940":
            return read_mt940(stream)
    if layout is None:
        raise refuse(
            "format", "the file is none of camt.052, camt.053, camt.054, CODA and MT940", "line 1",
            cure="Send one of these, or say how the columns of the table are read.",
        )
    return read_csv(stream.read(_TABLE_MAX), name, layout)
