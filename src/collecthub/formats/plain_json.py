"""JSON that people and programs hand in about money: exactly the fields that are known, amounts as plain texts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

import msgspec

from collecthub.errors import PermanentError
from collecthub.model.money import parse_amount
from collecthub.wire.decoders import decoder

T = TypeVar("T", bound=msgspec.Struct)


def read_plain(content: bytes, of: type[T], amounts: frozenset[str]) -> T:
    """The record that a JSON document states. `amounts` names the fields that hold amounts or percentages.

    Raises `PermanentError` for anything else than the fields of the record, and for an amount that is no text of
    ASCII digits with a point (a JSON number may have lost its last digit on the way).
    """
    try:
        for name, value in _pairs(decoder(Any, float_hook=str).decode(content)):
            if name in amounts and value is not None:
                _check_amount(name, value)
        found: T = decoder(of).decode(content)
        return found
    except msgspec.DecodeError as error:
        raise PermanentError(
            f"the document is not what is expected here: {error}", cure="See the example in the documentation."
        ) from error


@cache
def amount_names(of: type[msgspec.Struct]) -> frozenset[str]:
    """The names of the fields of a record, and of the records in it, that hold amounts or percentages."""
    return frozenset(_amount_names(msgspec.inspect.type_info(of)))


def _amount_names(kind: msgspec.inspect.Type) -> Iterator[str]:
    match kind:
        case msgspec.inspect.StructType(fields=fields):
            for field in fields:
                parts = field.type.types if isinstance(field.type, msgspec.inspect.UnionType) else (field.type,)
                if any(isinstance(part, msgspec.inspect.DecimalType) for part in parts):
                    yield field.name
                yield from _amount_names(field.type)
        case msgspec.inspect.UnionType(types=types):
            for part in types:
                yield from _amount_names(part)
        case msgspec.inspect.VarTupleType(item_type=item) | msgspec.inspect.ListType(item_type=item):
            yield from _amount_names(item)


def check_texts(said: Any, of: type[msgspec.Struct]) -> None:
    """Refuse amounts that are written as texts and are no plain decimals. Raises `PermanentError` naming the field."""
    names = amount_names(of)
    for name, value in _pairs(said):
        if name in names and isinstance(value, str):
            _check_amount(name, value)


def _check_amount(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise PermanentError(f"{name} is not a text", cure='Write amounts as texts, for example "12.50".')
    try:
        parse_amount(value)
    except PermanentError as error:
        raise PermanentError(f"{name}: {error.message}", cure=error.cure) from error


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from _pairs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _pairs(inner)
