"""The bundled status tables: the hub's own vocabulary and crosswalks from partners' codes.

Each table is a TOML file in `tables/`, named after its vocabulary, with its source and the date on which that
was read. A code that could mean several of our words stands under `ambiguous` with those words; one whose meaning
is not stated by its owner, or for which we have no word, stands under `unmapped`; both with the reason.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from collecthub.errors import ConfigurationError
from collecthub.model.codes import StatusCode

OWN_VOCABULARY = "collecthub"


class Ambiguity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code that could be any of `candidates` (codes of our own table), and why it cannot be decided here."""

    candidates: tuple[str, ...]
    reason: str


class StatusTable(msgspec.Struct, frozen=True, kw_only=True):
    """One vocabulary: what its codes mean here, which could mean several things, and which have no meaning here."""

    vocabulary: str
    title: str
    source: str
    as_of: dt.date
    codes: Mapping[str, StatusCode]
    ambiguous: Mapping[str, Ambiguity]
    unmapped: Mapping[str, str]


class _Sheet(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    source: str
    as_of: dt.date
    codes: tuple[StatusCode, ...]
    ambiguous: dict[str, Ambiguity] = {}
    unmapped: dict[str, str] = {}


def read_table(vocabulary: str, text: str) -> StatusTable:
    """A table from its TOML text. Raises `ConfigurationError` when it is damaged or says two things of a code."""
    try:
        sheet = msgspec.convert(tomllib.loads(text), _Sheet)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"The status table {vocabulary} cannot be read: {error}", cure="Correct its TOML file."
        ) from error
    codes = {row.code: row for row in sheet.codes}
    listed = [*(row.code for row in sheet.codes), *sheet.ambiguous, *sheet.unmapped]
    if len(set(listed)) != len(listed):
        raise ConfigurationError(
            f"The status table {vocabulary} lists a code twice.", cure="Keep one line for each code."
        )
    return StatusTable(
        vocabulary=vocabulary,
        title=sheet.title,
        source=sheet.source,
        as_of=sheet.as_of,
        codes=codes,
        ambiguous=sheet.ambiguous,
        unmapped=sheet.unmapped,
    )


@cache
def status_tables() -> Mapping[str, StatusTable]:
    """Every bundled table by the name of its vocabulary."""
    folder = files("collecthub.model") / "tables"
    texts = {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }
    return {name: read_table(name, texts[name]) for name in sorted(texts)}
