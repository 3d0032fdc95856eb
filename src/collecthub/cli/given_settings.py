"""A connection's settings as a person gives them on the command line or from files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from collecthub.engine.setting_fields import is_secret, value_of


def read_settings(
    model: type[BaseModel], given: Iterable[str], secret_files: Iterable[str], *, is_partial: bool
) -> dict[str, object]:
    """Field values for a settings model; `@path` reads a value from a file.

    Raises `typer.BadParameter` for a field that the model does not have, for a secret on the command line, and,
    unless the values are only a part of all, for a missing secret.
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
        if name not in values and is_secret(field) and field.is_required() and not is_partial:
            raise typer.BadParameter(f"the secret {name} is missing. Use --secret-file {name}=FILE")
    return values


def _pair(model: type[BaseModel], text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{option} takes FIELD=VALUE")
    if name not in model.model_fields:
        raise typer.BadParameter(f"there is no field {name[:40]!r}; there are {', '.join(model.model_fields)}")
    return name, value


def _value(field: FieldInfo, text: str) -> object:
    """As the model takes it: a list is JSON or comma-separated."""
    try:
        return value_of(field, text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _read(path: str) -> str:
    return Path(path).expanduser().read_text(encoding="utf-8").removesuffix("\n")
