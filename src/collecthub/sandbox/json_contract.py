"""A partner's own reader of the published JSON contract: strict JSON, checked by the schemas of the OpenAPI file.

Only the keywords that the contract uses are known; a contract that uses others is refused when it is loaded, so that
nothing goes unchecked.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from collecthub.sandbox.contract import SCHEMAS, ContractBreach

OPENAPI = SCHEMAS / "exchange-rest-1.0.openapi.json"
_NOTES = {"title", "description", "default", "oneOf"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None),
}  # fmt: skip
Check = Callable[[Any, Any, str], Iterator[str]]


def read_json(content: bytes) -> Any:
    """JSON without repeated names, NaN or broken UTF-8. Raises `ContractBreach` (`json.malformed`)."""
    try:
        return json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ContractBreach("json.malformed", f"{error}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return dict(pairs)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


class JsonContract:
    """The schemas of the contract by name."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self._checks: dict[str, Check] = {
            "$ref": self._ref, "type": _type, "enum": _enum, "pattern": _pattern, "format": _format,
            "contentEncoding": _encoding, "minimum": _minimum, "maximum": _maximum, "minLength": _min_length,
            "maxLength": _max_length, "minItems": _min_items, "items": self._items, "properties": self._properties,
            "required": _required, "additionalProperties": lambda rule, value, path: iter(()),
            "anyOf": self._any, "discriminator": self._discriminated,
        }  # fmt: skip
        for schema in schemas.values():
            self._refuse_unknown(schema)

    def check(self, name: str, value: Any) -> None:
        """Raise `ContractBreach` (`json.schema`) unless `value` is a valid `name`."""
        fault = next(self._faults({"$ref": f"/{name}"}, value, "$"), None)
        if fault is not None:
            raise ContractBreach("json.schema", fault)

    def _refuse_unknown(self, schema: dict[str, Any]) -> None:
        unknown = set(schema) - set(self._checks) - _NOTES
        if unknown or ("oneOf" in schema and "discriminator" not in schema):
            raise ValueError(f"The contract uses keywords that this reader does not know: {sorted(unknown)}")
        below = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
        for child in below + ([schema["items"]] if "items" in schema else []):
            self._refuse_unknown(child)

    def _faults(self, schema: dict[str, Any], value: Any, path: str) -> Iterator[str]:
        for keyword, rule in schema.items():
            if keyword not in _NOTES:
                yield from self._checks[keyword](rule, value, path)
        if schema.get("additionalProperties") is False and isinstance(value, dict):
            for name in value.keys() - schema.get("properties", {}).keys():
                yield f"{path}.{name} is not in the contract"

    def _ref(self, rule: str, value: Any, path: str) -> Iterator[str]:
        return self._faults(self._schemas[rule.rpartition("/")[2]], value, path)

    def _items(self, rule: dict[str, Any], value: Any, path: str) -> Iterator[str]:
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from self._faults(rule, item, f"{path}[{index}]")

    def _properties(self, rule: dict[str, Any], value: Any, path: str) -> Iterator[str]:
        for name, schema in rule.items():
            if isinstance(value, dict) and name in value:
                yield from self._faults(schema, value[name], f"{path}.{name}")

    def _any(self, rule: list[dict[str, Any]], value: Any, path: str) -> Iterator[str]:
        faults = [next(self._faults(schema, value, path), "") for schema in rule]
        if all(faults):
            yield faults[0]

    def _discriminated(self, rule: dict[str, Any], value: Any, path: str) -> Iterator[str]:
        """Stands for `oneOf`, which in this contract always says by which name its alternatives differ."""
        name = value.get(rule["propertyName"]) if isinstance(value, dict) else None
        if name in rule["mapping"]:
            yield from self._ref(rule["mapping"][name], value, path)
        else:
            yield f"{path}.{rule['propertyName']} is none of {', '.join(rule['mapping'])}"


def _type(rule: str | list[str], value: Any, path: str) -> Iterator[str]:
    names = [rule] if isinstance(rule, str) else rule
    is_right = any(
        isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool)) for name in names
    )
    if not is_right:
        yield f"{path} is not of type {' or '.join(names)}"


def _required(rule: list[str], value: Any, path: str) -> Iterator[str]:
    for name in rule:
        if isinstance(value, dict) and name not in value:
            yield f"{path}.{name} is missing"


def _enum(rule: list[Any], value: Any, path: str) -> Iterator[str]:
    if value not in rule:
        yield f"{path} is none of {', '.join(map(str, rule))}"


def _pattern(rule: str, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str) and re.fullmatch(rule, value) is None:
        yield f"{path} does not have the form {rule}"


def _format(rule: str, value: Any, path: str) -> Iterator[str]:
    read = {"date": dt.date.fromisoformat, "date-time": dt.datetime.fromisoformat}[rule]
    if isinstance(value, str):
        try:
            read(value)
        except ValueError as error:
            yield f"{path} is no {rule}: {error}"


def _encoding(rule: str, value: Any, path: str) -> Iterator[str]:
    try:
        base64.b64decode(value if isinstance(value, str) else "", validate=True)
    except binascii.Error as error:
        yield f"{path} is not {rule}: {error}"


def _minimum(rule: int, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, int) and value < rule:
        yield f"{path} is below {rule}"


def _maximum(rule: int, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, int) and value > rule:
        yield f"{path} is above {rule}"


def _min_length(rule: int, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str) and len(value) < rule:
        yield f"{path} is shorter than {rule}"


def _max_length(rule: int, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str) and len(value) > rule:
        yield f"{path} is longer than {rule}"


def _min_items(rule: int, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list) and len(value) < rule:
        yield f"{path} has fewer than {rule} items"


@cache
def published_contract() -> JsonContract:
    """The contract as it lies in the published OpenAPI file."""
    return JsonContract(json.loads(OPENAPI.read_text(encoding="utf-8"))["components"]["schemas"])
