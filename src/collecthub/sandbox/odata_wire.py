"""How rows of the books look on the wire: OData V2 JSON values, and Atom for clients that do not ask for JSON."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import orjson

from collecthub.sandbox.odata import EntityType, write_literal
from collecthub.sandbox.odata_query import Page

Encoder = Callable[[Any], Any]
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ATOM = "http://www.w3.org/2005/Atom"
_DATA = "http://schemas.microsoft.com/ado/2007/08/dataservices"


@functools.lru_cache(maxsize=8192)
def date_ms(text: str) -> str:
    """ISO text without zone to the V2 form, in milliseconds as if it were UTC.

    >>> date_ms("2026-06-15T00:00:00")
    '/Date(1781481600000)/'
    """
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return f"/Date({(moment - _EPOCH) // dt.timedelta(milliseconds=1)})/"


def offset_ms(text: str) -> str:
    """As `date_ms`, for Edm.DateTimeOffset."""
    return date_ms(text).replace(")/", "+0000)/")


def number(text: Any) -> Any:
    """Decimal text as a JSON number, with no float in between."""
    return orjson.Fragment(str(text))


EXACT_VALUES: Mapping[str, Encoder] = {
    "DateTime": date_ms, "Double": number, "Int64": str, "Boolean": bool,
}  # fmt: skip
SAP_VALUES: Mapping[str, Encoder] = {
    "DateTime": date_ms, "DateTimeOffset": offset_ms, "Decimal": str, "Int64": str, "Boolean": bool,
}  # fmt: skip


def records(page: Page, entity: EntityType, encoders: Mapping[str, Encoder]) -> list[dict[str, Any]]:
    """The rows of a page as JSON objects of the selected properties; null stays null."""
    columns = [(name, encoders.get(entity.properties[name])) for name in page.names]
    return [
        {
            name: value if encode is None or value is None else encode(value)
            for (name, encode), value in zip(columns, row, strict=False)
        }
        for row in page.rows
    ]


def keys(page: Page, entity: EntityType) -> list[tuple[object, ...]]:
    """The key values of each row; they travel behind the selected columns."""
    places = [len(page.names) + page.order.index(name) for name in entity.key]
    return [tuple(row[place] for place in places) for row in page.rows]


def key_predicate(values: Sequence[object], entity: EntityType) -> str:
    """`(guid'…')` or `(A='…',B='…')`, as it stands in the address of an entity."""
    literals = [
        write_literal(value, entity.properties[name]) for name, value in zip(entity.key, values, strict=True)
    ]
    if len(literals) == 1:
        return f"({quote(literals[0], safe=_KEY_SAFE)})"
    pairs = (
        f"{name}={quote(literal, safe=_KEY_SAFE)}" for name, literal in zip(entity.key, literals, strict=True)
    )
    return f"({','.join(pairs)})"


_KEY_SAFE = "'-:"


def atom_feed(
    title: str, entity: EntityType, entries: Sequence[Mapping[str, Any]], next_link: str = ""
) -> bytes:
    """An Atom feed of the same records, as the services answer when JSON was not asked for."""
    link = f'<link rel="next" href="{escape(next_link, {_QUOTE: "&quot;"})}"/>' if next_link else ""
    body = "".join(_atom_entry(entity, entry) for entry in entries)
    return (
        f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="{_ATOM}" xmlns:d="{_DATA}" xmlns:m="{_DATA}/metadata">'
        f'<title type="text">{escape(title)}</title>{body}{link}</feed>'
    ).encode()


_QUOTE = '"'


def _atom_entry(entity: EntityType, entry: Mapping[str, Any]) -> str:
    properties = "".join(
        _atom_property(name, entity.properties[name], value)
        for name, value in entry.items()
        if name in entity.properties
    )
    uri = escape(str(entry.get("__metadata", {}).get("uri", "")))
    return (
        f'<entry><id>{uri}</id><title/><category term="{entity.name}"/><content type="application/xml">'
        f"<m:properties>{properties}</m:properties></content></entry>"
    )


def _atom_property(name: str, edm: str, value: Any) -> str:
    kind = "" if edm == "String" else f' m:type="Edm.{edm}"'
    if value is None:
        return f'<d:{name}{kind} m:null="true"/>'
    text = orjson.dumps(value).decode().strip('"') if not isinstance(value, str) else value
    if edm.startswith("DateTime") and text.startswith("/Date("):
        ms = int(text[6:].rstrip(")/").removesuffix("+0000"))
        text = (_EPOCH + dt.timedelta(milliseconds=ms)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"<d:{name}{kind}>{escape(text)}</d:{name}>"


def metadata_xml(
    namespace: str, container: str, sets: Mapping[str, EntityType], edm: str, version: str
) -> bytes:
    """A $metadata document made from the twin's own model, for when the vendor's file is not at hand."""
    types = "".join(_metadata_type(entity) for entity in {one.name: one for one in sets.values()}.values())
    entries = "".join(f'<EntitySet Name="{name}" EntityType="{one.name}"/>' for name, one in sets.items())
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">'
        f'<edmx:DataServices xmlns:m="{_DATA}/metadata" m:DataServiceVersion="{version}">'
        f'<Schema Namespace="{namespace}" xmlns="{edm}">{types}'
        f'<EntityContainer Name="{container}" m:IsDefaultEntityContainer="true">{entries}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    ).encode()


def _metadata_type(entity: EntityType) -> str:
    key = "".join(f'<PropertyRef Name="{name}"/>' for name in entity.key)
    properties = "".join(
        f'<Property Name="{name}" Type="Edm.{edm}" Nullable="{"false" if name in entity.key else "true"}"'
        + (' Precision="24" Scale="3"/>' if edm == "Decimal" else "/>")
        for name, edm in entity.properties.items()
        if edm != "Collection"
    )
    return f'<EntityType Name="{entity.name.rpartition(".")[2]}"><Key>{key}</Key>{properties}</EntityType>'
