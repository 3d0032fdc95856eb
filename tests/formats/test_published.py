"""The published contracts say what the code does: drift, values, records, and the copies that partners download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import zeep
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from collecthub.formats import published, scalars
from collecthub.formats.json import JsonFormat
from collecthub.formats.scalars import Scalar
from collecthub.formats.shape import MESSAGES, ExchangeHead, Field, Record, fields_of
from collecthub.formats.xml import XmlFormat
from collecthub.formats.xml_reading import NAMESPACE
from collecthub.model.exchange import AccountLine, DocumentItem, Exchange
from formats.exchanges import ACCOUNTS, EXCHANGES, case_file, exchange, generated, payment

CHECKOUT = Path(__file__).parents[2]
XS = "{http://www.w3.org/2001/XMLSchema}"
XSD_PATH = published.schema_folder() / published.XSD
XSD_TREE = etree.parse(XSD_PATH)
XSD = etree.XMLSchema(XSD_TREE)
XSD_NAMES = {"AckVerdict": "Verdict", "CostBearer": "Bearer", "Decimal": "Amount"}
JSON_SCHEMA = json.loads(published.files()[published.JSON_SCHEMA])


def definition(name: str) -> jsonschema_rs.Draft202012Validator:
    """An independent validator (Rust) for one definition of the published JSON Schema."""
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/$defs/{name}", "$defs": JSON_SCHEMA["$defs"]}, validate_formats=True
    )


@pytest.mark.parametrize("name", published.files())
def test_the_files_are_what_the_code_generates(name: str) -> None:
    generated = published.files()[name]
    assert (published.schema_folder() / name).read_bytes() == generated, "python -m collecthub.formats.published"
    assert (CHECKOUT / "schemas" / name).read_bytes() == generated, "python -m collecthub.formats.published schemas"


# --- records ----------------------------------------------------------------------------------------------------


def all_records() -> set[type[Record]]:
    found: set[type[Record]] = set()
    waiting: list[type[Record]] = [*MESSAGES, AccountLine, ExchangeHead]
    while waiting:
        record = waiting.pop()
        found.add(record)
        waiting += [field.record for field in fields_of(record) if field.record and field.record not in found]
    return found


def xsd_type(record: type[Record]) -> str:
    name = "Exchange" if record is ExchangeHead else record.__name__.removesuffix("Item")
    return f"{name}Type"


def expected_row(field: Field) -> tuple[str, str, str, str]:
    """Element, type, minOccurs and maxOccurs that the model asks for."""
    name = xsd_type(field.record) if field.record else field.scalar.type_name if field.scalar else ""
    least = str(field.minimum) if field.is_many else str(int(field.is_required))
    return field.element, f"c:{XSD_NAMES.get(name, name)}", least, "unbounded" if field.is_many else "1"


@pytest.mark.parametrize("record", sorted(all_records(), key=lambda record: record.__name__))
def test_the_xsd_lists_the_fields_of_the_model_in_their_order(record: type[Record]) -> None:
    sequence = XSD_TREE.find(f"{XS}complexType[@name='{xsd_type(record)}']/{XS}sequence")
    assert sequence is not None
    rows = [
        (row.get("name"), row.get("type"), row.get("minOccurs", "1"), row.get("maxOccurs", "1"))
        for row in sequence.iterfind(f"{XS}element")
    ]
    if record is ExchangeHead:
        assert rows.pop() == ("Messages", "c:MessagesType", "1", "1")
    expected = [expected_row(field) for field in fields_of(record)]
    if record is DocumentItem:
        assert expected.pop()[0] == "Content"  # stands in a choice with Href
    assert rows == expected


def test_the_xsd_lists_every_message() -> None:
    choice = XSD_TREE.find(f"{XS}complexType[@name='MessagesType']/{XS}choice")
    assert choice is not None
    assert [row.get("ref") for row in choice] == [f"c:{message.__name__}" for message in MESSAGES]


def test_code_lists_of_the_exchange_are_those_of_the_model() -> None:
    found = [field.scalar for record in all_records() for field in fields_of(record) if field.scalar]
    lists = {scalar.type_name: scalar for scalar in found if scalar.choices}
    compared = 0
    for scalar in lists.values():
        name = XSD_NAMES.get(scalar.type_name, scalar.type_name)
        values = XSD_TREE.findall(f"{XS}simpleType[@name='{name}']/{XS}restriction/{XS}enumeration")
        assert tuple(value.get("value") for value in values) == scalar.choices
        compared += 1
    assert compared == 7


# --- values -----------------------------------------------------------------------------------------------------

VALUES = {
    scalar.type_name: scalar
    for scalar in vars(scalars).values()
    if isinstance(scalar, Scalar) and scalar is not scalars.BASE64
}


@pytest.fixture(scope="module")
def probe() -> etree.XMLSchema:
    """A schema with one root element for every simple type of the contract."""
    elements = "".join(f'<xs:element name="{name}" type="c:{name}"/>' for name in VALUES)
    source = (
        f'<xs:schema xmlns:xs="{XS[1:-1]}" xmlns:c="{NAMESPACE}"><xs:import namespace="{NAMESPACE}" '
        f'schemaLocation="{XSD_PATH.name}"/>{elements}</xs:schema>'
    )
    return etree.XMLSchema(etree.fromstring(source, base_url=(XSD_PATH.parent / "probe.xsd").as_uri()))


def is_read(scalar: Scalar, text: str) -> bool:
    try:
        scalar.read(text)
    except ValueError:
        return False
    return True


XML_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff"), max_size=5)
TRICKY = st.sampled_from(
    [
        "", "0", "-0", "+5", "00", "12.50", "12.", ".5", "1e9", "1E9", "1,5", "٣", "１２", "123456789012345",
        "1234567890123456", "0.123456", "0.1234567", "NaN", "INF", "true", "TRUE", "1", "false", "99", "100", "-1",
        "1000001", "9223372036854775807", "9223372036854775808", "2026-02-28", "2026-02-29", "2024-02-29", "2026-13-01",
        "0000-01-01", "2026-01-01Z", "20260101", "2026-1-1", "2026-06-15T10:00:00Z", "2026-06-15T10:00:00",
        "2026-06-15T24:00:00Z", "2026-06-15T10:00:60Z", "2026-06-15T10:00:00.1234567Z", "2026-06-15T10:00:00.5+14:00",
        "2026-06-15T10:00:00+14:01", "2026-06-15T10:00:00-13:59", "2026-06-15 10:00:00Z", "2026-06-31T10:00:00Z",
        "a", "A", "a" * 64, "a" * 65, "a" * 140, "a" * 141, "a" * 300, "a" * 301, "𠮷" * 140, "𠮷" * 141, "a b", "a\tb",
        "a\nb", "é", "ab/cd:e-f._1", "EUR", "eur", "EU", "EURO", "BE", "be", "nl", "nl-BE", "NL", "n", "zh-Hant-TW",
        "application/pdf", "application/", "text/plain; charset=x", "a" * 64 + "0", "0123456789abcdef" * 4, "1.0", "1.1",
    ]
)  # fmt: skip


@settings(generated, max_examples=400)
@given(name=st.sampled_from(sorted(VALUES)), text=TRICKY | XML_TEXTS)
def test_code_xsd_and_json_schema_take_the_same_values(probe: etree.XMLSchema, name: str, text: str) -> None:
    scalar = VALUES[name]
    element = etree.Element(name)
    element.text = text
    assert probe.validate(element) == is_read(scalar, text), probe.error_log
    if scalar.json_type == "string":
        value = published.value_schema(scalar)
        validator = jsonschema_rs.Draft202012Validator(value, validate_formats=True)
        is_year_zero = text.startswith("0000")  # JSON Schema's own date format knows it, the calendar does not
        assert validator.is_valid(text) == is_read(scalar, text) or is_year_zero


# --- whole documents --------------------------------------------------------------------------------------------


@generated
@given(sent=EXCHANGES)
def test_whatever_is_written_is_valid(sent: Exchange) -> None:
    root = etree.fromstring(XmlFormat().encode(sent))
    assert XSD.validate(root), XSD.error_log
    beside = etree.fromstring(XmlFormat().encode_with_files(sent)[0])
    assert XSD.validate(beside), XSD.error_log
    definition("Exchange").validate(json.loads(JsonFormat().encode(sent)))


@generated
@given(lines=ACCOUNTS)
def test_books_are_valid(lines: tuple[AccountLine, ...]) -> None:
    assert XSD.validate(etree.fromstring(XmlFormat().encode_accounts(lines))), XSD.error_log
    definition("Accounts").validate(json.loads(JsonFormat().encode_accounts(lines)))


def test_a_soap_client_built_from_the_wsdl_carries_an_exchange_unchanged() -> None:
    """zeep loads the contract from the published copies alone and writes a body that the XSD accepts."""
    client = zeep.Client(str(CHECKOUT / "schemas" / published.WSDL))
    sent = XmlFormat().encode(exchange(case_file(), payment()))
    value = client.get_element(f"{{{NAMESPACE}}}Exchange").parse(etree.fromstring(sent), client.wsdl.types)
    body = client.create_message(client.service, "SubmitExchange", Exchange=value)
    carried = body.find(f".//{{{NAMESPACE}}}Exchange")
    assert XSD.validate(carried), XSD.error_log
    assert XmlFormat().read(etree.tostring(carried)) == XmlFormat().read(sent)
    operations = {"SubmitExchange", "GetExchangeState", "FetchExchanges", "AcknowledgeExchange", "GetAccounts"}
    assert {name for name in dir(client.service) if not name.startswith("_")} == operations


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_the_openapi_document_is_closed_and_its_schemas_compile() -> None:
    document = json.loads(published.files()[published.OPENAPI])
    for reference in references(document):
        target = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
    schemas = document["components"]["schemas"]
    rooted = {"$defs": schemas, "$ref": "#/$defs/Outbox"}
    validator = jsonschema_rs.Draft202012Validator(json.loads(json.dumps(rooted).replace("#/components/schemas/", "#/$defs/")))
    sent = json.loads(JsonFormat().encode(exchange(case_file(), payment())))
    validator.validate({"items": [{"cursor": "1", "exchange": sent}], "next_cursor": None})
    assert not validator.is_valid({"items": [{"cursor": "1", "exchange": sent | {"message_count": "2"}}], "next_cursor": None})
    assert set(document["paths"]) == {
        "/exchange/v1/exchanges", "/exchange/v1/exchanges/{exchange_id}", "/exchange/v1/outbox",
        "/exchange/v1/verdicts", "/exchange/v1/accounts",
    }  # fmt: skip
