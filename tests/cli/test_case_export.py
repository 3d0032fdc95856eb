"""`collecthub case export`: one case in every format; a court's format is judged by the court's own schema."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from cli.conftest import Run
from collecthub.cli.demo.court_files import lay_out, ready_to_file
from collecthub.cli.hub_access import client

EXAMPLES = Path(__file__).parents[2] / "docs" / "formats" / "examples"
INVOICE = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:ID>2026-0001</cbc:ID><cbc:IssueDate>2026-01-30</cbc:IssueDate><cbc:DueDate>2026-03-01</cbc:DueDate>
<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode><cbc:DocumentCurrencyCode>GBP</cbc:DocumentCurrencyCode>
<cac:AccountingSupplierParty><cac:Party><cac:PartyLegalEntity><cbc:RegistrationName>Kingston Textiles Ltd</cbc:RegistrationName>
</cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cac:PostalAddress><cbc:StreetName>10 High Street</cbc:StreetName>
<cbc:CityName>London</cbc:CityName><cbc:PostalZone>SW1A 2AA</cbc:PostalZone>
<cac:Country><cbc:IdentificationCode>GB</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
<cac:PartyLegalEntity><cbc:RegistrationName>Smith and Daughters Ltd</cbc:RegistrationName></cac:PartyLegalEntity>
</cac:Party></cac:AccountingCustomerParty>
<cac:LegalMonetaryTotal><cbc:TaxInclusiveAmount currencyID="GBP">500.00</cbc:TaxInclusiveAmount>
<cbc:PayableAmount currencyID="GBP">500.00</cbc:PayableAmount></cac:LegalMonetaryTotal></Invoice>"""


@pytest.fixture
def number(home: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A case on an English debtor, and a lawyer who could take it."""
    monkeypatch.setenv("COLLECTHUB_BUSINESS_DATE", "2026-06-15")
    run("partner", "add", "chambers", "--name", "Chambers", "--role", "lawyer", "--countries", "GB")
    path = tmp_path / "invoice.xml"
    path.write_text(INVOICE, encoding="utf-8")
    items = json.loads(run("invoice", "import", str(path), "--json").stdout)["items"]
    return str(items[0]["case_number"])


def exported(run: Run, number: str, word: str, *more: str, wanted: int = 0) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(
        run("case", "export", number, "--format", word, "--json", *more, wanted=wanted).stdout
    )
    return answer


def test_a_claim_is_what_the_courts_schema_accepts(number: str, run: Run, tmp_path: Path, shared_data: Path) -> None:
    target = tmp_path / "claim.xml"
    given = EXAMPLES / "sdt-claim.toml"
    text = given.read_text(encoding="utf-8") + "\n"
    own = tmp_path / "own.toml"
    own.write_text(text.replace('signatory = "Jane Doe"', 'signatory = "Jane Doe"\nwith_claimant = false'), encoding="utf-8")
    answer = exported(run, number, "sdt-claim", "--particulars", str(own), "--output", str(target))
    content = target.read_bytes()
    assert (answer["is_written"], answer["size"]) == (True, len(content))
    assert answer["sha256"] == hashlib.sha256(content).hexdigest()
    assert {one["element"] for one in answer["not_carried"]} >= {"documents", "language"}
    schema = etree.XMLSchema(
        etree.parse(shared_data / "formats/hmcts-sdt/xsd/BulkRequestResponse/BulkSubmitRequest.xsd")
    )
    assert schema.validate(etree.fromstring(content)), schema.error_log
    assert json.loads(run("exchange", "validate", str(target), "--json").stdout)["is_valid"] is True


def test_a_case_that_does_not_fit_is_refused_with_every_reason_and_nothing_is_written(
    number: str, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "claim.xml"
    answer = exported(run, number, "epu-claim", "--output", str(target), wanted=1)
    assert (answer["is_written"], target.exists()) == (False, False)
    elements = {one["element"] for one in answer["objections"]}
    assert {"debtors[0].address.country", "particulars.court", "particulars.case.value_pln"} <= elements
    shown = run("case", "export", number, "--format", "epu-claim", wanted=1)
    assert "particulars.court" in shown.stdout
    assert "cannot be written as epu-claim" in shown.stderr


def test_people_read_html_and_pdf(number: str, run: Run) -> None:
    page = exported(run, number, "html")
    assert "Smith and Daughters Ltd" in page["content"]
    paper = exported(run, number, "pdf")
    assert base64.b64decode(paper["content_base64"]).startswith(b"%PDF-")


def test_a_wrong_format_or_wrong_particulars_is_a_usage_error(number: str, run: Run, tmp_path: Path) -> None:
    assert "xjustiz-2600003" in run("case", "export", number, "--format", "fax", wanted=2).output
    broken = tmp_path / "broken.toml"
    broken.write_text("=", encoding="utf-8")
    run("case", "export", number, "--format", "sdt-claim", "--particulars", str(broken), wanted=2)
    run("case", "export", number, "--format", "html", "--particulars", str(EXAMPLES / "sdt-claim.toml"), wanted=2)
    slip = tmp_path / "slip.json"
    slip.write_text('{"signatury": "Jane"}', encoding="utf-8")
    refused = run("case", "export", number, "--format", "sdt-claim", "--particulars", str(slip), wanted=3)
    assert "signatury" in refused.stderr


def test_a_court_gets_the_case_as_it_is_now_and_the_same_case_the_same_ids(
    number: str, run: Run, tmp_path: Path
) -> None:
    given = tmp_path / "given.toml"
    given.write_text('sdt_customer_id = "12345678"\nsignatory = "Jane Doe"\nwith_claimant = false\n', encoding="utf-8")
    first = exported(run, number, "sdt-claim", "--particulars", str(given))
    assert exported(run, number, "sdt-claim", "--particulars", str(given))["content"] == first["content"]
    assert "<clm:claimAmount>50000</clm:claimAmount>" in first["content"]


@pytest.mark.parametrize(("name", "number_text"), [("a.toml", "7.3"), ("a.json", "7.3")])
def test_a_number_in_the_particulars_stays_exact(
    name: str, number_text: str, number: str, run: Run, tmp_path: Path
) -> None:
    """500.00 at 7.3 % is exactly 10 pence a day; half a penny more or less would show a float."""
    terms = {"annual_percent": 7.3, "owed_from": "2026-03-02", "claim_on": "2026-06-15"}
    tree = {"sdt_customer_id": "12345678", "signatory": "J", "with_claimant": False, "case": {"interest": terms}}
    path = tmp_path / name
    toml = (
        'sdt_customer_id = "12345678"\nsignatory = "J"\nwith_claimant = false\n[case.interest]\n'
        f"annual_percent = {number_text}\nowed_from = 2026-03-02\nclaim_on = 2026-06-15\n"
    )
    path.write_text(toml if name.endswith("toml") else json.dumps(tree), encoding="utf-8")
    answer = exported(run, number, "sdt-claim", "--particulars", str(path))
    assert "<clm:dailyAmount>10</clm:dailyAmount>" in answer["content"]


def test_what_a_house_gives_with_every_case_is_kept_in_its_home(number: str, home: Path, run: Run) -> None:
    """As in the demo: nothing but case and format has to be said."""
    lay_out(home)
    answer = exported(run, number, "sdt-claim")
    assert "<bul:sdtCustomerId>12345678</bul:sdtCustomerId>" in answer["content"].replace("ns0:", "bul:")
    with client() as hub:
        assert [(one["country"], one["number"]) for one in ready_to_file(hub)] == [("GB", number)]
