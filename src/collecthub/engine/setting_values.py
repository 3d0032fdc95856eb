"""A connector's settings taken apart: what is stored as it is, and what is sealed."""

from __future__ import annotations

from pydantic import BaseModel, SecretBytes, SecretStr


def parted(settings: BaseModel) -> tuple[dict[str, object], dict[str, object]]:
    """Settings without secrets as JSON values, and the secret fields with their secrets revealed."""
    plain: dict[str, object] = settings.model_dump(mode="json")
    sealed: dict[str, object] = {}
    for field in type(settings).model_fields:
        value = getattr(settings, field)
        if _holds_secret(value):
            sealed[field] = _revealed(value)
            del plain[field]
    return plain, sealed


def _holds_secret(value: object) -> bool:
    if isinstance(value, tuple | list):
        return any(_holds_secret(part) for part in value)
    return isinstance(value, SecretStr | SecretBytes)


def _revealed(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_revealed(part) for part in value]
    if isinstance(value, SecretBytes):
        return value.get_secret_value().decode()
    return value.get_secret_value() if isinstance(value, SecretStr) else value
