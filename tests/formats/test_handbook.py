"""The handbook's examples are valid, mean the same in both spellings, and are read alike by a parser that is not ours."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import jsonschema_rs
import pytest
from lxml import etree

from collecthub.formats import published
from collecthub.formats.json import JsonFormat
from collecthub.formats.xml import XmlFormat
from collecthub.formats.xml_reading import NAMESPACE
from collecthub.model.exchange import CaseFile, PaymentReport

HANDBOOK = Path(__file__).parents[2] / "docs" / "handbook"
EXAMPLES = HANDBOOK / "examples"
SCHEMAS = HANDBOOK.parents[1] / "schemas"
EXCHANGES = ["hand-over", "amendments", "reports"]


def xsd() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMAS / published.XSD))


def rust_validator(name: str) -> jsonschema_rs.Draft202012Validator:
    document = json.loads((SCHEMAS / published.JSON_SCHEMA).read_bytes())
    return jsonschema_rs.Draft202012Validator(document | {"$ref": f"#/$defs/{name}"}, validate_formats=True)


@pytest.mark.parametrize("name", [*EXCHANGES, "accounts"])
def test_an_example_is_valid_by_independent_validators(name: str) -> None:
    schema = xsd()
    assert schema.validate(etree.parse(EXAMPLES / f"{name}.xml")), schema.error_log
    validator = rust_validator("Accounts" if name == "accounts" else "Exchange")
    validator.validate(json.loads((EXAMPLES / f"{name}.json").read_bytes()))


@pytest.mark.parametrize("name", EXCHANGES)
def test_both_spellings_of_an_example_mean_the_same(name: str) -> None:
    from_xml = XmlFormat().read((EXAMPLES / f"{name}.xml").read_bytes())
    from_json = JsonFormat().read((EXAMPLES / f"{name}.json").read_bytes())
    assert from_xml.faults == from_json.faults == ()
    assert from_xml.exchange == from_json.exchange


def test_the_books_mean_the_same_in_both_spellings() -> None:
    lines = XmlFormat().decode_accounts((EXAMPLES / "accounts.xml").read_bytes())
    assert lines == JsonFormat().decode_accounts((EXAMPLES / "accounts.json").read_bytes())
    assert len(lines) == 2


def test_a_second_parser_reads_the_same_money_and_names() -> None:
    """Expat knows nothing of our code: it must find what our reader found."""
    tree = ElementTree.parse(EXAMPLES / "hand-over.xml")
    space = {"c": NAMESPACE}
    (message,) = XmlFormat().decode((EXAMPLES / "hand-over.xml").read_bytes()).messages
    assert isinstance(message, CaseFile)
    amounts = [Decimal(found.text or "") for found in tree.iterfind(".//c:OpenAmount", space)]
    assert amounts == [claim.open_amount for claim in message.claims]
    assert sum(amounts) - Decimal(tree.findtext(".//c:Credits", "", space)) == message.principal
    assert tree.findtext(".//c:Debtor/c:Name", "", space) == message.debtors[0].name == "Bakkerij Šimić & Zoon"


def test_every_kind_of_message_is_shown() -> None:
    shown = {
        element.tag
        for name in EXCHANGES
        for element in ElementTree.parse(EXAMPLES / f"{name}.xml").find(f"{{{NAMESPACE}}}Messages") or ()
    }
    assert len(shown) == 8
    reports = XmlFormat().decode((EXAMPLES / "reports.xml").read_bytes()).messages
    assert sum(message.amount for message in reports if isinstance(message, PaymentReport)) == 0


def test_the_soap_example_fits_the_wsdl() -> None:
    """The schema inside the WSDL, compiled on its own, accepts the body."""
    wsdl = etree.parse(SCHEMAS / published.WSDL)
    types = wsdl.find("{http://schemas.xmlsoap.org/wsdl/}types/{http://www.w3.org/2001/XMLSchema}schema")
    assert types is not None
    text = etree.tostring(types)
    schema = etree.XMLSchema(etree.fromstring(text, base_url=(SCHEMAS / "types.xsd").as_uri()))
    body = etree.parse(EXAMPLES / "submit-exchange.soap.xml").find("{http://schemas.xmlsoap.org/soap/envelope/}Body")
    assert body is not None
    assert schema.validate(body[0]), schema.error_log
    body[0].append(etree.Element("surprise"))
    assert not schema.validate(body[0])


@pytest.mark.parametrize("verdict", ["ack", "nak"])
def test_receipts_have_the_four_fields(verdict: str) -> None:
    receipt = json.loads((EXAMPLES / f"receipt.{verdict}.json").read_bytes())
    assert list(receipt) == ["file", "code", "reason", "recorded_at"]


def test_every_link_of_the_handbook_leads_somewhere() -> None:
    page = (HANDBOOK / "case-exchange.md").read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", page) if "://" not in target]
    assert len(targets) > 10
    assert [target for target in targets if not (HANDBOOK / target).exists()] == []
    shown = {Path(target).name for target in targets if target.startswith("examples/")}
    assert shown == {path.name for path in EXAMPLES.iterdir()}


def test_every_test_that_the_acceptance_page_names_exists() -> None:
    page = (HANDBOOK / "acceptance.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", page)
    assert len(named) > 40
    missing = [f"{path}::{name}" for path, name in named if f"def {name}(" not in (HANDBOOK.parents[1] / path).read_text(encoding="utf-8")]
    assert missing == []
    assert len(re.findall(r"^\| \d+ \|", page, re.MULTILINE)) == 15
