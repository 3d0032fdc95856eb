"""OData V2 as SAP Gateway speaks it: literals, keys, key ranges and the JSON envelope. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Results(msgspec.Struct, Generic[T], gc=False):
    """The records of one answer. `count` is there when it was asked for, `next_link` when the gateway cut."""

    results: list[T]
    count: str | None = msgspec.field(name="__count", default=None)
    next_link: str | None = msgspec.field(name="__next", default=None)


class Answer(msgspec.Struct, Generic[T], gc=False):
    """The envelope around everything: `{"d": ...}`."""

    d: T


def literal(text: str) -> str:
    """A string literal.

    >>> literal("O'Neill")
    "'O''Neill'"
    """
    return "'" + text.replace("'", "''") + "'"


def day_literal(day: dt.date) -> str:
    """A date literal.

    >>> day_literal(dt.date(2026, 6, 15))
    "datetime'2026-06-15T00:00:00'"
    """
    return f"datetime'{day.isoformat()}T00:00:00'"


def equals(names: Sequence[str], values: Sequence[str]) -> str:
    """Condition that several string properties have these values.

    >>> equals(("CompanyCode", "FiscalYear"), ("1010", "2026"))
    "CompanyCode eq '1010' and FiscalYear eq '2026'"
    """
    return " and ".join(f"{name} eq {literal(value)}" for name, value in zip(names, values, strict=True))


def any_of(conditions: Iterable[str]) -> str:
    """Condition that holds when one of these does, bracketed.

    >>> any_of(["a eq '1'", "a eq '2'"])
    "((a eq '1') or (a eq '2'))"
    """
    return "(" + " or ".join(f"({condition})" for condition in conditions) + ")"


def after(names: Sequence[str], values: Sequence[str]) -> str:
    """Condition for the records that follow one in the order of `names`, for paging by key range.

    Unlike `$skip` it neither loses nor repeats a record when the set changes between two pages.

    >>> after(("A", "B"), ("1", "2"))
    "((A gt '1') or (A eq '1' and B gt '2'))"
    """
    steps = []
    for position, name in enumerate(names):
        greater = f"{name} gt {literal(values[position])}"
        same = equals(names[:position], values[:position])
        steps.append(f"{same} and {greater}" if same else greater)
    return any_of(steps)


def key(**values: str) -> str:
    """The key predicate of one record.

    >>> key(Customer="0000000042", DunningArea="")
    "(Customer='0000000042',DunningArea='')"
    """
    return "(" + ",".join(f"{name}={literal(value)}" for name, value in values.items()) + ")"


def refusal_in_header(header: str, limit: int = 300) -> str:
    """The text of a `sap-message` header that reports an error on an otherwise good answer; else empty.

    >>> refusal_in_header('{"code":"F5/263","message":"Locked","severity":"error"}')
    'F5/263 Locked'
    >>> refusal_in_header('{"code":"X","message":"Saved","severity":"info"}')
    ''
    """
    try:
        message: Any = msgspec.json.decode(header)
    except msgspec.DecodeError:
        return ""
    if not isinstance(message, dict) or message.get("severity") != "error":
        return ""
    return f"{message.get('code', '')} {message.get('message', '')}".strip()[:limit]
