"""The bundled status tables: the hub's own vocabulary and crosswalks from partners' codes.

Each table is a TOML file in `tables/`, named after its vocabulary, with its source and the date on which that
was read. A code whose meaning is not stated by its owner stands under `unmapped` with the reason.
"""

from __future__ import annotations

import datetime as dt
import difflib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from collecthub.errors import ConfigurationError, PermanentError
from collecthub.model.codes import StatusCode

OWN_VOCABULARY = "collecthub"


class StatusTable(msgspec.Struct, frozen=True, kw_only=True):
    """One vocabulary: what its codes mean here, and which of its codes have no stated meaning."""

    vocabulary: str
    title: str
    source: str
    as_of: dt.date
    codes: Mapping[str, StatusCode]
    unmapped: Mapping[str, str]


class _Sheet(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    source: str
    as_of: dt.date
    codes: tuple[StatusCode, ...]
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
    if len(codes) != len(sheet.codes) or codes.keys() & sheet.unmapped.keys():
        raise ConfigurationError(
            f"The status table {vocabulary} lists a code twice.", cure="Keep one line for each code."
        )
    return StatusTable(
        vocabulary=vocabulary,
        title=sheet.title,
        source=sheet.source,
        as_of=sheet.as_of,
        codes=codes,
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


def meaning_of(tables: Mapping[str, StatusTable], vocabulary: str, code: str) -> StatusCode:
    """What a partner's code means here (`collecthub status translate --from VOCABULARY CODE`).

    Raises `PermanentError` for an unknown vocabulary or code, and for a code without a stated meaning.

    >>> meaning_of(status_tables(), "riverty", "UNKNOWN_ADDRESS").outcome
    <Outcome.UNTRACEABLE: 'untraceable'>
    """
    table = tables.get(vocabulary)
    if table is None:
        raise PermanentError(
            f"There is no status table {vocabulary!r}.", cure=f"Choose one of: {', '.join(sorted(tables))}."
        )
    if code in table.codes:
        return table.codes[code]
    if code in table.unmapped:
        raise PermanentError(
            f"{vocabulary} has the code {code!r}, but it has no translation: {table.unmapped[code]}.",
            cure="Let a person decide what it means for the case at hand.",
        )
    near = difflib.get_close_matches(code, table.codes, n=3)
    raise PermanentError(
        f"The status table {vocabulary} does not know the code {code!r}.",
        cure=f"Did you mean {', '.join(near)}?"
        if near
        else "Ask the partner what it means, then add it to a table.",
    )
