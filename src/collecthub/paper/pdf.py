"""Prints PDF/A from a Typst template and facts. Sheets, statements and letters all go through `print_pdf`.

Typst comes as one wheel and needs nothing of the system. Fonts: Noto Sans (Latin, Greek, Cyrillic) and Noto Sans Arabic
come as wheels under the Open Font License; a character that neither has is looked for in the fonts of this machine
(Debian: fonts-noto-cjk for Chinese, Japanese, Korean). A paper with a box instead of a character is never printed.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec
import typst

from collecthub.errors import PermanentError
from collecthub.paper.sheet import Sheet

_FONT_PACKAGES = ("fontpkg_noto_sans", "fontpkg_noto_sans_arabic")
_STANDARD: Literal["a-2a"] = "a-2a"  # archivable, with tags for screen readers; a glyph that no font has is an error
_NO_GLYPH = re.compile('could not be displayed')
_LACKING = re.compile(r'the text [`"]+([^`"]+)[`"]+ could not be displayed')
_SHOWN = 10


def print_pdf(template: bytes, facts: object, printed_at: dt.datetime) -> bytes:
    """A PDF/A-2a from a template that reads its facts with `json(bytes(sys.inputs.facts))`.

    Facts are data and never markup. The same template, facts and moment (with zone) give the same bytes. Raises
    `PermanentError` naming the characters for which no font is installed.
    """
    inputs = {"facts": msgspec.json.encode(facts).decode()}
    try:
        return _compiled(template, inputs, printed_at, with_system_fonts=False)
    except typst.TypstError as error:
        if not _NO_GLYPH.search(str(error)):
            raise
    try:
        return _compiled(template, inputs, printed_at, with_system_fonts=True)
    except typst.TypstError as error:
        lacking = sorted(set(_LACKING.findall(f"{error} {error.diagnostic}")))
        if not _NO_GLYPH.search(str(error)):
            raise
        raise PermanentError(
            f"no font on this machine has {' '.join(lacking[:_SHOWN])}",
            cure="Install a font for this script (Debian: fonts-noto-cjk), or take HTML instead of PDF.",
        ) from None


def sheet_pdf(sheet: Sheet, printed_at: dt.datetime) -> bytes:
    """A sheet as PDF. Raises `PermanentError` as `print_pdf` does."""
    return print_pdf(_sheet_template(), sheet, printed_at)


def _compiled(template: bytes, inputs: dict[str, str], at: dt.datetime, *, with_system_fonts: bool) -> bytes:
    return typst.compile(
        template, format="pdf", sys_inputs=inputs, font_paths=_fonts(with_system_fonts), pdf_standards=_STANDARD,
        timestamp=int(at.timestamp()),
    )  # fmt: skip


@cache
def _fonts(with_system_fonts: bool) -> typst.Fonts:
    folders = [Path(str(files(package))) / "files" for package in _FONT_PACKAGES]
    return typst.Fonts(with_system_fonts, False, folders)


@cache
def _sheet_template() -> bytes:
    return (Path(str(files("collecthub.paper"))) / "templates" / "sheet.typ").read_bytes()
