"""Any file that travels between parties gets a verdict: what it is, and each finding with line and element."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collecthub.errors import ConfigurationError
from collecthub.formats.bundled_schemas import KINDS, bundled_schema
from collecthub.formats.json import JsonFormat
from collecthub.formats.verdict import Verdict, judge
from collecthub.formats.xml import XmlFormat
from collecthub.wire.container import pack
from formats.exchanges import case_file, exchange, payment

NEIGHBOURS = exchange(payment(1), payment(2))


def sdt(shared_data: Path, name: str) -> Verdict:
    return judge((shared_data / "formats/hmcts-sdt/samples" / name).read_bytes())


@pytest.mark.parametrize("spelling", [XmlFormat(), JsonFormat()], ids=["xml", "json"])
def test_an_exchange_of_ours_is_named_and_valid(spelling: XmlFormat | JsonFormat) -> None:
    verdict = judge(spelling.encode(NEIGHBOURS))
    assert (verdict.is_valid, verdict.findings) == (True, ())
    assert verdict.kind.startswith("case exchange 1.0")
    assert [(one.message_id, one.type) for one in verdict.messages] == [("m-1", "payment_report"), ("m-2", "payment_report")]


def test_a_bad_message_is_a_finding_with_line_and_element() -> None:
    content = XmlFormat().encode(NEIGHBOURS).replace(b"><PaymentReport>", b">\n<PaymentReport>").replace(b"2026-06-12", b"2026-02-30", 1)
    verdict = judge(content)
    (finding,) = verdict.findings
    line = 1 + content.split(b"2026-02-30")[0].count(b"\n")
    assert (finding.code, finding.element, finding.line) == (
        "message.date", "/Exchange/Messages/PaymentReport[1]/ReceivedOn", line,
    )  # fmt: skip
    assert (verdict.is_valid, [one.message_id for one in verdict.messages]) == (False, ["m-2"])


def test_books_of_a_holder_are_judged_as_well() -> None:
    assert judge(XmlFormat().encode_accounts(())).is_valid


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("e2e/SubmitBulkTest.testValid.request.xml", "HMCTS SDT bulk request"),
        ("e2e/SubmitBulkTest.testCountMismatch.response.xml", "HMCTS SDT bulk response"),
        ("e2e/UpdateItemTest.testUpdateItemRejected.request.xml", "HMCTS SDT update request"),
        ("services/testIndividualUpdateRequest.xml", "HMCTS SDT update request"),
        ("services/testIndividualResponse.xml", "HMCTS SDT response of the court's system"),
    ],
)
def test_a_partners_message_is_named_and_valid_also_inside_soap(name: str, kind: str, shared_data: Path) -> None:
    assert sdt(shared_data, name) == Verdict(kind=kind, is_valid=True)


def test_a_wrong_count_is_found_as_the_court_would_find_it(shared_data: Path) -> None:
    (finding,) = sdt(shared_data, "e2e/SubmitBulkTest.testCountMismatch.request.xml").findings
    assert finding.code == "REQ_COUNT_MISMATCH"
    assert (finding.element, finding.line > 1) == ("/bulkRequest/header/requestCount", True)
    assert "announces 2 requests, the file holds 1" in finding.reason


def test_a_request_that_is_named_twice_is_found(shared_data: Path) -> None:
    content = (shared_data / "formats/hmcts-sdt/samples/e2e/SubmitBulkTest.testValid.request.xml").read_text()
    start, end = content.index("<bul:request "), content.index("</bul:request>") + len("</bul:request>")
    twice = content[:end] + content[start:end] + content[end:]
    codes = [finding.code for finding in judge(twice.encode()).findings]
    assert codes == ["REQ_COUNT_MISMATCH", "DUPLD_CUST_REQID"]


def test_samples_without_namespaces_are_not_judged_and_not_valid(shared_data: Path) -> None:
    verdict = sdt(shared_data, "v2/BulkSubmitRequest.xml")
    assert (verdict.is_valid, [finding.code for finding in verdict.findings]) == (False, ["document.unjudged"])


@pytest.mark.parametrize(("name", "count"), [("", 72), ("-Trivial", 22)])
def test_an_invoice_is_judged_by_schema_and_business_rules(name: str, count: int, shared_data: Path) -> None:
    """The counts are those that the norm's own compiled rules gave in another program (the folder's README)."""
    path = shared_data / f"formats/ubl-2.1/samples/UBL-Invoice-2.1-Example{name}.xml"
    verdict = judge(path.read_bytes())
    assert (verdict.kind, verdict.is_valid, len(verdict.findings)) == ("UBL 2.1 Invoice", False, count)
    assert all(finding.line and finding.element.startswith("/Invoice") for finding in verdict.findings)
    assert {finding.code.partition("-")[0] for finding in verdict.findings} == {"BR", "UBL"}
    if not name:  # an allowance is judged as one and a charge as one: XPath 1 would take both for charges
        lines = {finding.code: finding.line for finding in verdict.findings if finding.code in ("BR-32", "BR-37")}
        assert lines == {"BR-37": 196, "BR-32": 201}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("formats/en16931/cii-examples/CII_example3.xml", "UN/CEFACT CII D16B"),
        ("formats/en16931/ubl-examples/ubl-tc434-example3.xml", "UBL 2.1 Invoice"),
        ("formats/en16931/ubl-examples/ubl-tc434-creditnote1.xml", "UBL 2.1 CreditNote"),
    ],
)
def test_an_example_of_the_norm_breaks_no_rule(path: str, kind: str, shared_data: Path) -> None:
    assert judge((shared_data / path).read_bytes()) == Verdict(kind=kind, is_valid=True)


def test_the_polish_sample_has_eight_findings_when_its_schemas_are_given(shared_data: Path) -> None:
    folder = shared_data / "formats/epu-poland"
    content = (folder / "samples/PrzykladowaPaczkaPozwow.xml").read_bytes()
    verdict = judge(content, folder / "xsd")
    assert (verdict.kind, len(verdict.findings)) == ("EPU Pozwy", 8)
    assert all(finding.line and finding.element.startswith("/Pozwy/PozewEPU") for finding in verdict.findings)
    (unjudged,) = judge(content).findings
    assert "name the folder with the court's schemas" in unjudged.reason
    with pytest.raises(ConfigurationError, match="holds no schema"):
        judge(content, folder / "samples")


def test_a_container_is_judged_with_the_documents_in_it() -> None:
    content, documents = XmlFormat().encode_with_files(exchange(case_file()))
    whole = judge(pack({"exchange.xml": content, **documents}))
    assert (whole.is_valid, [one.type for one in whole.messages]) == (True, ["case_file"])
    assert [(one.code, one.is_warning) for one in whole.findings] == [("signature.unchecked", True)]
    lacking = judge(pack({"exchange.xml": content}))
    assert (lacking.is_valid, [one.code for one in lacking.findings]) == (False, ["message.document", "signature.unchecked"])
    assert judge(pack({"other.xml": content})).findings[0].code == "archive.content"
    assert judge(pack({"exchange.xml": content, **documents})[:-40]).is_valid is False


HOSTILE = {
    "xml.doctype": b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
    "xml.malformed": b"<x><y></x>",
    "xml.limit": b"<x>" * 100 + b"</x>" * 100,
    "xml.encoding": b'<?xml version="1.0" encoding="utf-16"?><x/>',
    "json.malformed": b"{",
    "pdf.malformed": b"%PDF-1.7",
}


@pytest.mark.parametrize("code", HOSTILE)
def test_hostile_and_damaged_files_get_a_verdict_and_no_stack_trace(code: str) -> None:
    verdict = judge(HOSTILE[code])
    assert (verdict.kind, verdict.is_valid, [finding.code for finding in verdict.findings]) == ("unknown", False, [code])


def test_every_bundled_schema_compiles() -> None:
    """Whatever kind of document is known can be judged."""
    for kind in KINDS.values():
        assert bundled_schema(kind.folder, kind.path).check is not None


def test_a_verdict_is_json_without_surprises() -> None:
    import msgspec

    tree = json.loads(msgspec.json.encode(judge(HOSTILE["xml.malformed"])))
    assert tree["findings"][0]["code"] == "xml.malformed"
    assert set(tree) == {"kind", "is_valid", "findings", "exchange_id", "sender_ref", "messages"}
