"""The vendor's OData V2 spelling: query strings, literals, and the five JSON shapes of an answer.

The shapes are `{"d":{"results":[...],"__next":"..."}}`, `{"d":[...]}`, `{"d":{...}}` for one record, and inside a
record `{"__deferred":{"uri":"..."}}` and `{"results":[...]}` for navigation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from collecthub.sdk import QuarantineError
from collecthub.wire.decoders import decoder

T = TypeVar("T")
_PLAIN = ",()'/:$"


class _Deferred(msgspec.Struct, frozen=True):
    uri: str = ""


class _Body(msgspec.Struct, Generic[T], frozen=True):
    results: list[T] | msgspec.UnsetType = msgspec.UNSET
    next_url: str | None = msgspec.field(name="__next", default=None)
    deferred: _Deferred | None = msgspec.field(name="__deferred", default=None)


class _Answer(msgspec.Struct, Generic[T], frozen=True):
    d: _Body[T] | list[T]


class _Single(msgspec.Struct, Generic[T], frozen=True):
    d: T


class Records(msgspec.Struct, Generic[T], frozen=True):
    """The records of one answer and, when there are more, where they are."""

    rows: list[T]
    next_url: str = ""


def read_records(content: bytes, row_type: type[T]) -> Records[T]:
    """Read an answer in any of the shapes.

    Raises `msgspec.ValidationError` when a record does not fit `row_type`, `QuarantineError` when the bytes are
    not an answer at all (an HTML page, a cut body).

    >>> read_records(b'{"d":{"results":[1,2],"__next":"https://h/n"}}', int)
    Records(rows=[1, 2], next_url='https://h/n')
    >>> read_records(b'{"d":[1]}', int).rows, read_records(b'{"d":{"A":1}}', dict).rows
    ([1], [{'A': 1}])
    """
    row: Any = row_type
    try:
        answer = decoder(_Answer[row]).decode(content).d
        if isinstance(answer, list):
            return Records(answer)
        if isinstance(answer.results, list):
            return Records(answer.results, answer.next_url or "")
        if answer.deferred is not None:
            return Records([], answer.deferred.uri)
        return Records([decoder(_Single[row]).decode(content).d])
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        raise QuarantineError(
            f"The answer of Exact Online is not JSON: {error}.", code="exact.json", cure="Pull again later."
        ) from error


def navigation(value: bytes, row_type: type[T]) -> Records[T]:
    """Read a navigation property: expanded (a list, or an object with `results`) or only named by its address.

    >>> navigation(b'{"results":[1]}', int).rows, navigation(b'{"__deferred":{"uri":"https://h/x"}}', int).next_url
    ([1], 'https://h/x')
    """
    return read_records(b'{"d":' + value + b"}", row_type)


@cache
def columns(row_type: type[msgspec.Struct]) -> str:
    """The `$select` list of a record type: exactly the columns that it reads."""
    return ",".join(field.encode_name for field in msgspec.structs.fields(row_type))


def guid(value: str) -> str:
    """A guid literal.

    >>> guid("2b5a7b99-e210-46ee-9511-3cac0b66405d")
    "guid'2b5a7b99-e210-46ee-9511-3cac0b66405d'"
    """
    return f"guid'{value}'"


def text(value: str) -> str:
    """A string literal, quotes doubled.

    >>> text("O'Neill")
    "'O''Neill'"
    """
    return "'" + value.replace("'", "''") + "'"


def any_of(column: str, literals: Iterable[str]) -> str:
    """A filter that a column has one of these values.

    >>> any_of("ID", [guid("a"), guid("b")])
    "ID eq guid'a' or ID eq guid'b'"
    """
    return " or ".join(f"{column} eq {literal}" for literal in literals)


def address(path: str, query: Mapping[str, str] | None = None) -> str:
    """Path and query, spaces as %20: a plus sign is not a space to every server.

    >>> address("current/Me", {"$select": "A,B", "$filter": "A eq 1"})
    'current/Me?$select=A,B&$filter=A%20eq%201'
    """
    if not query:
        return path
    return path + "?" + "&".join(f"{name}={quote(value, safe=_PLAIN)}" for name, value in query.items())
