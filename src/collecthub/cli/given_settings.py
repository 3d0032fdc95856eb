"""A connection's settings as a person gives them: on the command line, from files, or typed unseen for secrets."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import typer
from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

Ask = Callable[[str], str]


def read_settings(
    model: type[BaseModel], given: Iterable[str], secret_files: Iterable[str], ask: Ask | None
) -> dict[str, object]:
    """Field values for a settings model; `@path` reads a value from a file, required secrets are asked for.

    Raises `typer.BadParameter` for a field that the model does not have, for a secret on the command line, and
    for a missing secret when nobody can be asked.
    """
    values: dict[str, object] = {}
    for text in given:
        name, value = _pair(model, text, "--set")
        if is_secret(model.model_fields[name]):
            raise typer.BadParameter(f"{name} is a secret: others can read a command line. Use --secret-file {name}=FILE")
        values[name] = _value(model.model_fields[name], _read(value[1:]) if value.startswith("@") else value)
    for text in secret_files:
        name, path = _pair(model, text, "--secret-file")
        values[name] = _value(model.model_fields[name], _read(path))
    for name, field in model.model_fields.items():
        if name not in values and is_secret(field) and field.is_required():
            if ask is None:
                raise typer.BadParameter(f"the secret {name} is missing. Use --secret-file {name}=FILE")
            values[name] = _value(field, ask(f"{name} ({field.description or 'secret'})"))
    return values


def is_secret(field: FieldInfo) -> bool:
    """Whether a field holds secrets, alone or in a list."""
    return _mentions(field.annotation, (SecretStr, SecretBytes))


def _mentions(annotation: Any, wanted: tuple[type, ...]) -> bool:
    return annotation in wanted or any(_mentions(part, wanted) for part in typing.get_args(annotation))


def _pair(model: type[BaseModel], text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{option} takes FIELD=VALUE")
    if name not in model.model_fields:
        raise typer.BadParameter(f"there is no field {name[:40]!r}; there are {', '.join(model.model_fields)}")
    return name, value


def _value(field: FieldInfo, text: str) -> object:
    """A list is JSON or comma-separated; every other value is left to the model to read."""
    if text.startswith(("[", "{")):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise typer.BadParameter(f"a value that begins with {text[0]} must be JSON: {error}") from error
    if typing.get_origin(field.annotation) in (tuple, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _read(path: str) -> str:
    return Path(path).expanduser().read_text(encoding="utf-8").removesuffix("\n")
