"""What a form or a dialogue needs to know of each field of a connector's settings, read from the model itself.

The model says everything: title and help (`title`, `description`), what must be given, what may be chosen
(`Literal`), examples to pick from (`examples`), and texts of many lines (`json_schema_extra` with
`contentMediaType`, as for PEM files).
"""

from __future__ import annotations

import enum
import re
import types
import typing
from collections.abc import Mapping
from typing import Any

import msgspec
from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo


class FieldKind(enum.StrEnum):
    """How a field is asked for."""

    TEXT = "text"
    LINES = "lines"  # a text of many lines, such as a certificate
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    MANY = "many"  # several texts, one a line
    JSON = "json"  # anything else: as the model takes it


class SettingField(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a connector's settings, ready to be asked for. `default` is what is used when nothing is given."""

    name: str
    title: str
    help: str
    kind: FieldKind
    is_required: bool
    is_secret: bool
    default: str = ""
    choices: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


def setting_fields(model: type[BaseModel]) -> tuple[SettingField, ...]:
    """The fields of a settings model, in its order."""
    return tuple(_field(name, info) for name, info in model.model_fields.items())


def is_secret(field: FieldInfo) -> bool:
    """Whether a field holds secrets, alone or in a list."""
    return _mentions(field.annotation, (SecretStr, SecretBytes))


def value_of(info: FieldInfo, text: str) -> object:
    """A text that a person typed, as the model takes it. Raises `ValueError` for what should be JSON and is not."""
    kind, choices = _kind(info.annotation)
    if kind is FieldKind.FLAG:
        return text
    if kind is FieldKind.CHOICE and text in choices:
        bare = _without_none(info.annotation)
        return dict(zip(choices, typing.get_args(bare), strict=True))[text] if typing.get_args(bare) else text
    if kind is FieldKind.JSON or (kind is FieldKind.MANY and text.startswith("[")):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise ValueError(f"write it as JSON: {error}") from error
    if kind is FieldKind.MANY:
        return [part for part in (piece.strip() for piece in re.split(r"[,\n]", text)) if part]
    return text


def shown_values(fields: tuple[SettingField, ...], values: Mapping[str, object]) -> dict[str, str]:
    """Values as a form shows them; secrets are never among them."""
    return {field.name: _shown(field, values.get(field.name)) for field in fields if not field.is_secret}


def _field(name: str, info: FieldInfo) -> SettingField:
    kind, choices = _kind(info.annotation)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    if kind is FieldKind.TEXT and "contentMediaType" in extra:
        kind = FieldKind.LINES
    secret = is_secret(info)
    default = None if secret else info.get_default(call_default_factory=True, validated_data={})
    field = SettingField(
        name=name, title=info.title or _title(name), help=info.description or "", kind=kind,
        is_required=info.is_required(), is_secret=secret, choices=choices,
        examples=tuple(map(str, info.examples or ())),
    )
    return msgspec.structs.replace(field, default=_shown(field, None if info.is_required() else default))


_WORDS = {"url": "address", "uri": "address", "id": "ID"}


def _title(name: str) -> str:
    """A field's name as people read it.

    >>> [_title(name) for name in ("client_id", "redirect_uri", "folder")]
    ['Client ID', 'Redirect address', 'Folder']
    """
    words = " ".join(_WORDS.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def _kind(annotation: Any) -> tuple[FieldKind, tuple[str, ...]]:
    """How a type is asked for, with the values of a closed list."""
    bare = _without_none(annotation)
    origin = typing.get_origin(bare)
    if origin is typing.Literal:
        return FieldKind.CHOICE, tuple(map(str, typing.get_args(bare)))
    if isinstance(bare, type) and issubclass(bare, enum.Enum):
        return FieldKind.CHOICE, tuple(str(member.value) for member in bare)
    if bare is bool:
        return FieldKind.FLAG, ()
    if bare is int:
        return FieldKind.NUMBER, ()
    if origin in (tuple, list, frozenset, set) and _kind(typing.get_args(bare)[0])[0] is not FieldKind.JSON:
        return FieldKind.MANY, ()
    is_plain = isinstance(bare, type) and not issubclass(bare, BaseModel) and origin is None and bare is not dict
    return (FieldKind.TEXT if is_plain else FieldKind.JSON), ()


def _without_none(annotation: Any) -> Any:
    """The type behind `Annotated[...]` and `... | None`."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _without_none(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(annotation) if part is not types.NoneType]
        return _without_none(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _shown(field: SettingField, value: object) -> str:
    if value is None:
        return ""
    match field.kind:
        case FieldKind.FLAG:
            return "yes" if value else ""
        case FieldKind.MANY if isinstance(value, list | tuple):
            return "\n".join(map(str, value))
        case FieldKind.JSON:
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)


def _mentions(annotation: Any, wanted: tuple[type, ...]) -> bool:
    return annotation in wanted or any(_mentions(part, wanted) for part in typing.get_args(annotation))
