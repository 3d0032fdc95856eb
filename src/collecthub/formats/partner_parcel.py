"""A form with the documents of its cases, as one file: they arrive together or not at all.

A zip with the form, a folder of documents and a list that says which belongs to which case and what its SHA-256 is. What a
partner sends back as a document names its case in its file's name, by the number or the id that the form shows.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from collecthub.errors import QuarantineError
from collecthub.formats.form_words import heading
from collecthub.model.exchange import BroughtPaper, CaseFile, Decoded, DocumentItem, Message
from collecthub.model.ids import derived_id
from collecthub.wire.container import pack
from collecthub.wire.crypto import sha256_hex
from collecthub.wire.names import name_problem
from collecthub.wire.tabular import write_csv

MEDIA_TYPE = "application/zip"
LIST = "documents.csv"
_COLUMNS = ("case_id", "case_number", "document", "sha256")
_CASE = re.compile(r"CH-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{2}|\b[0-9A-F]{32}\b", re.IGNORECASE)


def write_parcel(messages: Sequence[Message], form_name: str, form: bytes, language: str) -> bytes:
    """The form with the documents of its cases, or empty bytes when they have none."""
    found = list(_documents(messages))
    if not found:
        return b""
    rows = [(case.case_id, case.case_number, path, sha256_hex(paper.content)) for case, path, paper in found]
    listed = write_csv([heading(name, language) for name in _COLUMNS], rows)
    return pack({form_name: form, LIST: listed, **{path: paper.content for _, path, paper in found}})


def _documents(messages: Sequence[Message]) -> Iterator[tuple[CaseFile, str, DocumentItem]]:
    for case in (one for one in messages if isinstance(one, CaseFile)):
        for place, paper in enumerate(case.documents, 1):
            if paper.content:
                name = f"{case.case_number} {place:02} {paper.name}"
                known = name if not name_problem(name) else f"{case.case_number} {place:02} {paper.kind}"
                yield case, f"documents/{known}", paper


def case_named(name: str) -> str:
    """The number or id of a case in a file's name; empty where there is none or more than one.

    >>> case_named("ch-0zgp-s42g-hw recibo.pdf"), case_named("recibo.pdf")
    ('CH-0ZGP-S42G-HW', '')
    """
    found = {match.upper() if match.upper().startswith("CH-") else match.lower() for match in _CASE.findall(name)}
    return found.pop() if len(found) == 1 else ""


def brought(partner_id: str, name: str, content: bytes, about: str = "") -> BroughtPaper:
    """A document as a partner brought it, for the case that its name says, else for `about`."""
    message_id = derived_id("paper", partner_id, name, sha256_hex(content))
    return BroughtPaper(message_id=message_id, about=case_named(name) or about, name=name, content=content)


def read_paper(content: bytes, name: str, partner_id: str, now: dt.datetime) -> Decoded:
    """A file that is a document alone. Raises `QuarantineError`: `document.case` when its name says no case."""
    paper = brought(partner_id, name, content)
    if not paper.about:
        raise QuarantineError(
            f"the name of {name} has no case number, so it fits no case", code="document.case",
            cure="Look at it, add it to its case, and ask the partner to begin the names of files with the case number.",
        )
    return Decoded(exchange_id=derived_id("paper", partner_id, name), sender_ref=partner_id, papers=(paper,))
