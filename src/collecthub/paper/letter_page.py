"""A message to a debtor as a letter on paper, for a window envelope."""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from collecthub.model.party import Party
from collecthub.paper.letter_text import Words
from collecthub.paper.pdf import print_pdf
from collecthub.paper.written import day, locale_of


class _Letter(msgspec.Struct, frozen=True, kw_only=True):
    language: str
    sender: str
    sender_line: str
    address: tuple[str, ...]
    date: str
    number: str
    subject: str
    paragraphs: tuple[str, ...]
    slip: tuple[str, ...]
    code: str
    code_alt: str


def letter_pdf(
    words: Words, *, sender: Party, recipient: Party, number: str, today: dt.date, printed_at: dt.datetime, code: str = ""
) -> bytes:
    """The letter as PDF/A. `code` is the SVG of a payment code. Raises `PermanentError` as `print_pdf` does."""
    letter = _Letter(
        language=words.language, sender=sender.name, sender_line=", ".join((sender.name, *address_lines(sender, words.language, recipient.address.country))),
        address=(recipient.name, *address_lines(recipient, words.language, sender.address.country)),
        date=day(today, words.language), number=number, subject=words.subject,
        paragraphs=tuple(words.text.strip().split("\n\n")), slip=words.slip, code=code, code_alt=words.subject,
    )  # fmt: skip
    return print_pdf(_template(), letter, printed_at)


def address_lines(party: Party, language: str, seen_from: str) -> tuple[str, ...]:
    """A postal address as it is written on an envelope; the country by its name, last, and only when it is another one."""
    address = party.address
    town = " ".join(filter(None, (address.postcode, address.city)))
    abroad = address.country if address.country != seen_from else ""
    country = locale_of(language).territories.get(abroad, abroad).upper() if abroad else ""
    return tuple(filter(None, (*address.lines, town, country)))


@cache
def _template() -> bytes:
    return (Path(str(files("collecthub.paper"))) / "templates" / "letter.typ").read_bytes()
