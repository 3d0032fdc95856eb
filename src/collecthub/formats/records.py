"""Records to trees and back. A tree is what JSON would hold: objects, lists, texts, whole numbers, flags.

XML and JSON differ only in how they spell a tree, so every rule about a value is checked here, once, for both
spellings and both directions. Optional fields with nothing to say are left out of a tree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import msgspec

from collecthub.errors import PermanentError
from collecthub.formats.promises import broken_promises
from collecthub.formats.scalars import Scalar
from collecthub.formats.shape import Field, Record, fields_of

Tree = dict[str, Any]
Path = tuple[str | int, ...]


class Problem(msgspec.Struct, frozen=True):
    """Something in a tree that cannot be taken: a short code, where, and why in words."""

    code: str
    path: Path
    reason: str


class RepeatedKeys(dict[str, Any]):
    """A JSON object in which a key stood twice, so that two readers could see two different things."""


class Inexact(str):
    """A JSON number with a fraction, an exponent or too many digits, as written. Never a value here."""


def record_of(kind: type[Record], tree: Any, path: Path = ()) -> tuple[Record | None, list[Problem]]:
    """Read a record. It is None when there is a problem; all problems are told, not only the first."""
    if not isinstance(tree, dict):
        return None, [Problem("value", path, "an object is expected here")]
    problems = _unknown_keys(kind, tree, path)
    values: dict[str, Any] = {}
    for field in fields_of(kind):
        if field.name in tree:
            values[field.name] = _read_field(field, tree[field.name], (*path, field.name), problems)
        elif field.is_required:
            problems.append(Problem("missing", (*path, field.name), f"{field.name} is missing"))
    if problems:
        return None, problems
    record = kind(**values)
    problems = [Problem("contradiction", path, reason) for reason in broken_promises(record)]
    return (None if problems else record), problems


def _unknown_keys(kind: type[Record], tree: Tree, path: Path) -> list[Problem]:
    known = {field.name for field in fields_of(kind)}
    problems = [
        Problem("unknown", (*path, key[:64]), f"{key[:64]!r} does not belong here")
        for key in tree
        if key not in known
    ]
    if isinstance(tree, RepeatedKeys):
        problems.append(Problem("repeated", path, "a field stands twice in the same object"))
    return problems


def _read_field(field: Field, value: Any, path: Path, problems: list[Problem]) -> Any:
    if not field.is_many:
        if value is None and field.default is None and not field.is_required:
            return None
        return _read_one(field, value, path, problems)
    if not isinstance(value, list):
        problems.append(Problem("value", path, "a list is expected here"))
        return ()
    if len(value) < field.minimum:
        problems.append(Problem("missing", path, f"{field.name} needs at least {field.minimum} entry"))
    return tuple(_read_one(field, entry, (*path, place), problems) for place, entry in enumerate(value))


def _read_one(field: Field, value: Any, path: Path, problems: list[Problem]) -> Any:
    if field.record is not None:
        record, found = record_of(field.record, value, path)
        problems.extend(found)
        return record
    assert field.scalar is not None
    try:
        return field.scalar.read(_as_text(field.scalar, value))
    except ValueError as error:
        problems.append(Problem(field.scalar.code, path, f"{field.name}: {error}"))
        return None


def _as_text(scalar: Scalar, value: Any) -> str:
    """The text behind a JSON value of the right type; raises ValueError for any other."""
    if scalar.json_type == "boolean" and isinstance(value, bool):
        return "true" if value else "false"
    if scalar.json_type == "integer" and type(value) is int:
        return str(value)
    if scalar.json_type == "string" and type(value) is str:
        return value
    if isinstance(value, Inexact | int) and scalar.json_type == "string":
        raise ValueError(f"{str(value)[:40]} is a bare number; write it as text in quotes: {scalar.describe}")
    raise ValueError(f"this is not {scalar.describe}")


def tree_of(record: Record, path: Path = ()) -> Tree:
    """Write a record. Raises `PermanentError` naming the field whose value the exchange cannot carry."""
    tree: Tree = {}
    for field, name, write in _writers(type(record)):
        value = getattr(record, name)
        if value == field.default and not field.is_required:
            continue
        if field.is_many:
            if len(value) < field.minimum:
                raise _unfit((*path, name), f"needs at least {field.minimum} entry")
            tree[name] = [_write_one(field, write, entry, (*path, name, place)) for place, entry in enumerate(value)]
        else:
            tree[name] = _write_one(field, write, value, path, name)
    for reason in broken_promises(record):
        raise _unfit(path, reason)
    return tree


@cache
def _writers(kind: type[Record]) -> tuple[tuple[Field, str, Callable[[Any], str] | None], ...]:
    """Each field with its name and what writes its value, looked up once: this loop is most of what writing costs."""
    return tuple((field, field.name, field.scalar.write if field.scalar else None) for field in fields_of(kind))


def _write_one(field: Field, write: Callable[[Any], str] | None, value: Any, path: Path, *step: str) -> Any:
    if write is None:
        return tree_of(value, (*path, *step))
    try:
        text = write(value)
    except ValueError as error:
        raise _unfit((*path, *step), str(error)) from None
    return text if field.is_text else value


def _unfit(path: Path, reason: str) -> PermanentError:
    return PermanentError(
        f"The case exchange cannot carry {dotted(path) or 'this message'}: {reason}",
        cure="Correct the value in the case, then send again.",
    )


def dotted(path: Sequence[str | int]) -> str:
    """A path as people write it in JSON.

    >>> dotted(("claims", 2, "due_on"))
    'claims[2].due_on'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
