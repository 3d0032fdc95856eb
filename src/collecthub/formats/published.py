"""The published contracts: where they lie, and how those that follow from the model are generated.

`files()` holds the bytes of every contract by name. XSD and WSDL are written by hand and are the package's own
data; JSON Schema and OpenAPI are generated. `python -m collecthub.formats.published FOLDER...` writes all of
them to folders; the checkout keeps copies in `schemas/`.
"""

from __future__ import annotations

import sys
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import msgspec

from collecthub.formats.rest_contract import openapi
from collecthub.formats.scalars import Scalar
from collecthub.formats.shape import MESSAGES, ExchangeHead, Field, Record, fields_of
from collecthub.model.exchange import AccountLine

XSD = "case-exchange-1.0.xsd"
WSDL = "case-exchange-1.0.wsdl"
JSON_SCHEMA = "case-exchange-1.0.schema.json"
OPENAPI = "exchange-rest-1.0.openapi.json"
_REF = "#/$defs/{name}"
_FORMATS = {
    "Date": {"format": "date"},
    "Moment": {"format": "date-time"},
    "Base64": {"contentEncoding": "base64"},
}


def schema_folder() -> Path:
    """The folder of the published contracts, in a checkout and in an installed wheel."""
    return Path(str(package_files("collecthub.formats"))) / "schemas"


def files() -> dict[str, bytes]:
    """Every published contract by file name, the generated ones freshly generated."""
    definitions = exchange_definitions()
    return {
        XSD: (schema_folder() / XSD).read_bytes(),
        WSDL: (schema_folder() / WSDL).read_bytes(),
        JSON_SCHEMA: _json(json_schema(definitions)),
        OPENAPI: _json(openapi(definitions)),
    }


def json_schema(definitions: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of an exchange; the books of a holder are `#/$defs/Accounts`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:collecthub:case-exchange:1.0:json",
        "title": "Case exchange 1.0",
        "description": "Same content as the XML of urn:collecthub:case-exchange:1.0; money and dates are strings.",
        "$ref": _REF.format(name="Exchange"),
        "$defs": definitions,
    }


def exchange_definitions() -> dict[str, Any]:
    """Every record of the exchange as JSON Schema, from the model and the table of values."""
    roots: tuple[type[Record], ...] = (*MESSAGES, AccountLine, ExchangeHead)
    _, found = msgspec.json.schema_components(roots, ref_template=_REF)
    records = _records({kind.__name__: kind for kind in roots})
    definitions = {name: _tightened(found[name], records[name]) for name in sorted(records)}
    exchange = definitions.pop("ExchangeHead")
    exchange["title"] = "Exchange"
    exchange["description"] = "One envelope: messages of one sender for one receiver, in order."
    exchange["properties"]["messages"] = {"type": "array", "items": {"$ref": _REF.format(name="Message")}}
    exchange["required"].append("messages")
    tags = {str(kind.__struct_config__.tag): _REF.format(name=kind.__name__) for kind in MESSAGES}
    return definitions | {
        "Exchange": exchange,
        "Message": {
            "oneOf": [{"$ref": reference} for reference in tags.values()],
            "discriminator": {"propertyName": "type", "mapping": tags},
        },
        "Accounts": _accounts(),
    }


def _accounts() -> dict[str, Any]:
    return {
        "title": "Accounts",
        "description": "The sender's own books on the cases it holds.",
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": _REF.format(name="AccountLine")}},
            "next_cursor": {"type": ["string", "null"]},
        },
        "required": ["items", "next_cursor"],
        "additionalProperties": False,
    }


def _records(kinds: dict[str, type[Record]]) -> dict[str, type[Record]]:
    """The given records and every record nested in them, by name."""
    fields = [field for kind in kinds.values() for field in fields_of(kind)]
    nested = {field.record.__name__: field.record for field in fields if field.record}
    return kinds if nested.keys() <= kinds.keys() else _records(nested | kinds)


def _tightened(schema: dict[str, Any], kind: type[Record]) -> dict[str, Any]:
    """The schema that msgspec derives from the types, with the limits of each value."""
    for field in fields_of(kind):
        schema["properties"][field.name] = _property(schema["properties"][field.name], field)
        if field.is_required and field.name not in schema["required"]:
            schema["required"].append(field.name)
    return schema | {"additionalProperties": False}


def _property(derived: dict[str, Any], field: Field) -> dict[str, Any]:
    if field.is_many:
        items = derived["items"] if field.scalar is None else value_schema(field.scalar)
        return {"type": "array", "items": items} | ({"minItems": field.minimum} if field.minimum else {})
    is_nullable = field.default is None and not field.is_required
    if field.record is not None:
        reference = {"$ref": _REF.format(name=field.record.__name__)}
        return {"anyOf": [reference, {"type": "null"}]} if is_nullable else reference
    assert field.scalar is not None
    value = (
        {"anyOf": [value_schema(field.scalar), {"type": "null"}]}
        if is_nullable
        else value_schema(field.scalar)
    )
    default = {"default": derived["default"]} if "default" in derived and not field.is_required else {}
    return value | default


def value_schema(scalar: Scalar) -> dict[str, Any]:
    """What one value may be, as JSON Schema."""
    if scalar.choices:
        return {"type": "string", "enum": list(scalar.choices)}
    pattern = {"pattern": f"^(?:{scalar.pattern})$"} if scalar.pattern else {}
    return {"type": scalar.json_type, **pattern, **scalar.limits, **_FORMATS.get(scalar.type_name, {})}


def _json(document: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def write(folder: Path) -> None:
    """Write every published contract to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    for target in sys.argv[1:] or [str(schema_folder())]:
        write(Path(target))
