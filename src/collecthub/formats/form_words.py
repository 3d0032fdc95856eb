"""The partner's form in his language: its headings, what may be written into it, and what is wrong with a row."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from collecthub.errors import PermanentError

_BY_TABLE = {
    "answer": "values", "status_code": "values", "close_code": "values", "cost_type": "values", "cost_bearer": "bearers",
}  # fmt: skip


class FormError(PermanentError):
    """A part of a form that cannot be read. `word` names the kind of mistake, `value` is what was written."""

    def __init__(self, word: str, value: str, message: str, *, cure: str) -> None:
        super().__init__(message, cure=cure)
        self.word, self.value = word, value


@cache
def _words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return tomllib.loads((files("collecthub.formats") / "form_words.toml").read_text(encoding="utf-8"))


def heading(column: str, language: str) -> str:
    """The heading of a column.

    >>> heading("holder_ref", "es"), heading("holder_ref", "en")
    ('Su número de expediente', 'holder_ref')
    """
    return _words()["columns"].get(column, {}).get(language, column)


def column_named(written: str) -> str:
    """The column of a heading in whatever language, or as it stands.

    >>> column_named("Su número de expediente"), column_named("Holder-Ref"), column_named("Notes")
    ('holder_ref', 'holder_ref', 'notes')
    """
    plain = _plain(written)
    return _columns().get(plain, plain)


def value_meant(column: str, written: str) -> str:
    """What a word of a form means, or the word itself: a person may have to look at it.

    >>> value_meant("answer", "Aceptar"), value_meant("status_code", "Deudor contactado"), value_meant("reason", "Otro")
    ('accept', 'contact_made', 'Otro')
    """
    return _meanings(_BY_TABLE.get(column, "")).get(_plain(written), written)


def asked_in(language: str, asked: str) -> str:
    """What the hub waits for, for a reader: a word, or words before a text of its own.

    >>> asked_in("es", "confirm: recall"), asked_in("en", "acceptance")
    ('confirmar: retirada', 'acceptance')
    """
    if language == "en":
        return asked
    known = {**_words()["values"], **_words()["asked"]}
    return ": ".join(known.get(part, {}).get(language, part) for part in asked.split(": ", 1))


def codes_in(language: str) -> Mapping[str, str]:
    """The words for what a partner reports, by their codes."""
    return {code: texts[language] for code, texts in _words()["values"].items()}


def said_in_form(language: str, key: str, **values: object) -> str:
    """A text around the form."""
    return _words()["said"][key][language].format(**values)


def told(error: PermanentError, language: str) -> str:
    """What is wrong, and what to write instead."""
    texts = _words()["faults"].get(error.word, {}) if isinstance(error, FormError) else {}
    if language not in texts or not isinstance(error, FormError):
        return f"{error.message}. {error.cure}"
    return texts[language].format(value=repr(error.value) if error.value else "")


def _plain(written: str) -> str:
    return " ".join(written.casefold().replace("’", "'").replace("_", " ").replace("-", " ").split()).replace(" ", "_")


@cache
def _columns() -> Mapping[str, str]:
    return {_plain(text): column for column, texts in _words()["columns"].items() for text in texts.values()}


@cache
def _meanings(table: str) -> Mapping[str, str]:
    return {_plain(text): code for code, texts in _words().get(table, {}).items() for text in texts.values()}
