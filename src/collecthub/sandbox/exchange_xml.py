"""A partner's own reader and writer of the published XML contract, written from the XSD and WSDL alone.

Elements become objects in the JSON spelling (`CaseId` is `case_id`), checked against the XSD first.
"""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any

from lxml import etree

from collecthub.sandbox.contract import SCHEMAS, ContractBreach
from collecthub.sandbox.office_books import Json

NS = "urn:collecthub:case-exchange:1.0"
SERVICE_NS = f"{NS}:service"
XSD = SCHEMAS / "case-exchange-1.0.xsd"
WSDL = SCHEMAS / "case-exchange-1.0.wsdl"

_LISTS = {
    "Debtor": "debtors", "Claim": "claims", "Document": "documents", "Contact": "contacts", "Line": "lines",
    "Title": "titles", "Order": "orders", "DunningStep": "dunning_steps", "Fault": "faults",
}  # fmt: skip
_NESTED_LISTS = {
    ("Claim", "Interest"): "interest", ("Title", "ClaimId"): "claim_ids", ("Claim", "RelatedClaimId"): "related_claim_ids",
}  # fmt: skip
_NUMBERS = {"sequence", "dunning_level", "level"}
_AMOUNTS = {"amount", "tax_amount", "remaining", "principal", "paid", "costs"}
_DEFAULT: dict[Any, str] = {None: NS}
_XS = "{http://www.w3.org/2001/XMLSchema}"


def parse(content: bytes) -> etree._Element:
    """Read XML from outside. Raises `ContractBreach`: `xml.malformed` or `xml.doctype`."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise ContractBreach("xml.malformed", str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise ContractBreach("xml.doctype", "A DOCTYPE is not accepted.")
    return root


@cache
def _schema(service: bool) -> etree.XMLSchema:
    if not service:
        return etree.XMLSchema(etree.parse(XSD))
    schema = etree.parse(WSDL).getroot().find(f".//{_XS}schema")
    assert schema is not None
    alone = etree.fromstring(etree.tostring(schema), base_url=str(WSDL))
    for imported in alone.iter(f"{_XS}import"):
        imported.set("schemaLocation", (SCHEMAS / str(imported.get("schemaLocation"))).as_uri())
    return etree.XMLSchema(alone)


def check(element: etree._Element, *, service: bool = False) -> None:
    """Raise `ContractBreach` (`xml.schema`) unless the element is valid by the XSD, or by the WSDL's types."""
    try:
        _schema(service).assertValid(copy.deepcopy(element))
    except etree.DocumentInvalid as error:
        raise ContractBreach("xml.schema", str(error)) from error


def read_exchange(element: etree._Element) -> Json:
    """A valid `Exchange` element as an object. Raises `ContractBreach` (`count`) when messages are missing."""
    fields = {_snake(_name(child)): child for child in element}
    messages = fields["messages"]
    if int(_text(fields["message_count"])) != len(messages):
        raise ContractBreach("count", f"MessageCount says {_text(fields['message_count'])}, there are {len(messages)}.")
    return {
        **{name: _text(child) for name, child in fields.items() if not len(child)},
        "is_test": "is_test" in fields and _text(fields["is_test"]) == "true",
        "messages": [{"type": _snake(_name(message)), **_object(message)} for message in messages],
    }


def write_exchange(exchange: Json) -> etree._Element:
    """An object of this office as an `Exchange` element; what it holds is written as it stands, right or wrong."""
    root = etree.Element(f"{{{NS}}}Exchange", nsmap=_DEFAULT)
    head = {name: value for name, value in exchange.items() if name != "messages"}
    _write_fields(root, head, "")
    messages = etree.SubElement(root, f"{{{NS}}}Messages")
    for message in exchange["messages"]:
        element = etree.SubElement(messages, f"{{{NS}}}{_camel(message['type'])}")
        _write_fields(element, {name: value for name, value in message.items() if name != "type"}, message["type"])
    return root


def write_accounts(lines: list[Json]) -> etree._Element:
    """Account lines as an `Accounts` element."""
    root = etree.Element(f"{{{NS}}}Accounts", nsmap=_DEFAULT)
    for line in lines:
        _write_fields(etree.SubElement(root, f"{{{NS}}}AccountLine"), line, "account_line")
    return root


def to_bytes(element: etree._Element) -> bytes:
    """UTF-8 with a declaration."""
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8")


def _write_fields(parent: etree._Element, values: Json, kind: str) -> None:
    for name, value in values.items():
        if value == "" and name != "holder_ref":
            continue
        child = etree.SubElement(parent, f"{{{NS}}}{_camel(name)}")
        child.text = str(value).lower() if isinstance(value, bool) else str(value)
        if kind and name in _AMOUNTS:
            child.set("currencyID", values["currency"])


def _object(element: etree._Element) -> Json:
    values: dict[str, Any] = {}
    for child in element:
        name = _name(child)
        listed = _LISTS.get(name) or _NESTED_LISTS.get((_name(element), name))
        if listed:
            values.setdefault(listed, []).append(_value(child, name))
        else:
            values[_snake(name)] = _value(child, _snake(name))
    return values


def _value(element: etree._Element, name: str) -> Any:
    if len(element):
        return _object(element)
    return int(_text(element)) if name in _NUMBERS else _text(element)


def _text(element: etree._Element) -> str:
    return element.text or ""


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
