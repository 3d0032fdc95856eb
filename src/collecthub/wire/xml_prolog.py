"""What can be refused in an XML document before any parser sees it: its encoding and its DOCTYPE.

A parser told not to resolve entities still accepts a document with a DOCTYPE and silently drops the entity's
text, so every DOCTYPE is refused. The bytes are decoded here, by the encodings that partners really use, so
that what was looked at is what the parser reads. Needs no XML library.
"""

from __future__ import annotations

import codecs
import re

from collecthub.errors import QuarantineError

PROLOG_CHARS_MAX = 65_536
_ENCODINGS = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii",
    "iso-8859-1": "latin-1", "iso-8859-15": "iso8859-15", "windows-1252": "cp1252", "windows-1250": "cp1250",
    "iso-8859-2": "iso8859-2",
}  # fmt: skip
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DECLARED = re.compile(rb"""\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([^"']{1,40})["']""")
_BEFORE_ROOT = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)


def encoding_of(start: bytes) -> str:
    """The codec for a document that begins with these bytes: its byte order mark, else its declaration, else UTF-8.

    Raises `QuarantineError` (`xml.encoding`) for UTF-7, UTF-16 without a mark and everything else unusual.
    """
    for mark, codec in _MARKS:
        if start.startswith(mark):
            return codec
    declared = _DECLARED.match(start)
    name = declared.group(1).decode("ascii", "replace").lower() if declared else "utf-8"
    if name not in _ENCODINGS:
        raise QuarantineError(
            f"The XML says that it is written in {name!r}, which is not accepted or not true.",
            code="xml.encoding", cure="Ask the sender for UTF-8.",
        )  # fmt: skip
    return _ENCODINGS[name]


def refuse_doctype(text: str) -> None:
    """Look at everything before the root element.

    Raises `QuarantineError`: `xml.doctype`, or `xml.limit` when no root element begins within 64k characters.
    """
    head = text[:PROLOG_CHARS_MAX]
    match = _BEFORE_ROOT.match(head)
    rest = head[match.end() :] if match else head
    if rest[:9].upper() == "<!DOCTYPE":
        raise QuarantineError(
            "The XML carries a DOCTYPE, which can read files and exhaust memory; it is refused unread.",
            code="xml.doctype", cure="Ask the sender for XML without a DOCTYPE.",
        )  # fmt: skip
    if len(text) >= PROLOG_CHARS_MAX and (not rest or rest.startswith(("<!", "<?"))):
        raise QuarantineError(
            f"The XML has no element within its first {PROLOG_CHARS_MAX} characters.", code="xml.limit"
        )


def bad_encoding(error: UnicodeDecodeError) -> QuarantineError:
    """The refusal for bytes that are not in the encoding that the document declares."""
    return QuarantineError(
        f"The XML is not in the encoding that it declares: byte {error.start} ({error.reason}).",
        code="xml.encoding", cure="Ask the sender for UTF-8.",
    )  # fmt: skip


def refuse_nul(text: str) -> None:
    """Raise `QuarantineError` (`xml.encoding`) for a NUL character: UTF-16 or UTF-32 in disguise, or damage."""
    if "\0" in text:
        raise QuarantineError("The XML contains NUL characters.", code="xml.encoding", cure="Ask for UTF-8.")
