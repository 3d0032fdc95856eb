"""A sheet: what a paper says, without saying how it looks. One sheet becomes HTML (`html`) or PDF (`pdf`)."""

from __future__ import annotations

import msgspec


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a table; amounts stand to the right. What is whole stays in one line, as a day or a case's number."""

    name: str
    is_amount: bool = False
    is_whole: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of texts below their columns. The last `sum_rows` of them are sums."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    sum_rows: int = 0


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a sheet: facts by their label, then a table, then paragraphs.

    `picture` is an SVG beside the facts, of our own making, and `picture_text` says the same in words.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    table: Table | None = None
    paragraphs: tuple[str, ...] = ()
    picture: str = ""
    picture_text: str = ""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A whole paper. Every text comes as it is and is only ever text. `language` is BCP 47, of the labels.

    `banner` stands across the top and cannot be overlooked (a test, a copy); `footer` on every page.
    """

    title: str
    subtitle: str = ""
    banner: str = ""
    footer: str = ""
    language: str = "en"
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()
