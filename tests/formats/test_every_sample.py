"""Every sample that courts, norms and registers publish gets its verdict: what it is, right or wrong, and where."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collecthub.cli.exchange import app
from collecthub.formats.bundled_schemas import document_of, kind_of, schema_faults
from collecthub.formats.verdict import judge
from collecthub.wire.xml import parse

# What the folders' own pages say of their files: templates with empty references or dates, claim numbers of another length,
# a count that is wrong on purpose, invoices that keep the schema and break the norm's rules.
SDT_WRONG = """
consumers/ClaimStatusUpdate.xml consumers/Judgement.xml consumers/JudgementWarrantRequest.xml consumers/WarrantRequest.xml
e2e/RequestBulkFeedbackTest.testInvalidRequestBulkFeedback.request.xml
e2e/RequestBulkFeedbackTest.testValidRequestBulkFeedback.request.xml
e2e/RequestBulkFeedbackTest.testValidRequestBulkFeedback.response.xml
e2e/SubmitBulkForSystemTest.testConcurrentRequests.response.xml e2e/SubmitBulkTest.testConcurrentDuplicate.response.xml
e2e/SubmitBulkTest.testCountMismatch.request.xml e2e/SubmitBulkTest.testValid.response.xml e2e/SubmitQueryTest.testErrorResult.request.xml
services/testSubmitQueryResponseEmbeddedDefaultNamespace.xml services/testSubmitQueryResponseEmbeddedNamespace.xml
services/testXMLValid.xml services/testXMLValid2.xml services/testXMLValid3.xml
""".split()


def test_every_sample_of_the_english_court(shared_data: Path) -> None:
    """Each is named; what is wrong has a line; those without namespaces are not judged, and nothing passes unjudged."""
    folder = shared_data / "formats/hmcts-sdt/samples"
    verdicts = {str(path.relative_to(folder)): judge(path.read_bytes()) for path in sorted(folder.rglob("*.xml"))}
    assert len(verdicts) == 52
    unjudged = {name for name, verdict in verdicts.items() if verdict.kind == "unknown"}
    assert unjudged == {name for name in verdicts if name.startswith(("v2/", "consumers/Expected"))}
    wrong = {name for name, verdict in verdicts.items() if not verdict.is_valid} - unjudged
    assert wrong == set(SDT_WRONG)
    assert len(verdicts) - len(wrong) - len(unjudged) == 21
    assert all(finding.line for verdict in verdicts.values() for finding in verdict.findings)
    assert all(finding.element for name in wrong for finding in verdicts[name].findings)


def test_every_invoice_of_the_norm_and_of_peppol_keeps_its_schema(shared_data: Path) -> None:
    """10 CII, 9 UBL and 7 of Peppol; the business rules of the norm are asked of some of them in `test_verdict.py`."""
    formats = shared_data / "formats"
    kinds: Counter[str] = Counter()
    for path in [*formats.glob("en16931/*-examples/*.xml"), *formats.glob("peppol-bis3/examples/*.xml")]:
        root = document_of(parse(path.read_bytes()))
        kind = kind_of(root)
        assert kind is not None and schema_faults(root, kind) == [], path.name
        kinds[kind.name] += 1
    assert kinds == {"UN/CEFACT CII D16B": 10, "UBL 2.1 Invoice": 14, "UBL 2.1 CreditNote": 2}


@pytest.mark.parametrize(
    ("path", "kind", "code", "count"),
    [
        ("ubl-2.1/samples/UBL-Reminder-2.1-Example.xml", "UBL 2.1 Reminder", "", 0),
        ("ubl-2.1/samples/UBL-DebitNote-2.1-Example.xml", "unknown", "document.unjudged", 1),
        ("xjustiz-core/examples/mietrecht.xml", "XJustiz 3.6.2 message 0005005", "schema", 15),
        ("xjustiz-core/examples/erbrecht.json", "unknown", "exchange.head", 1),
        ("oasis-ecf4/samples/case_resp.xml", "unknown", "document.unjudged", 1),
        ("iso20022/samples/genkgo/camt053.v2.minimal.xml", "unknown", "document.unjudged", 1),
        ("coda/Coda_v2_3_single_statement.txt", "unknown", "document.unjudged", 1),
        ("mt940/abnamro.sta", "unknown", "document.unjudged", 1),
        ("norway-elan/begjaering-v0-enkel.json", "ELAN request for attachment (Norway)", "", 0),
        ("epu-poland/samples/PrzykladowaPaczkaPozwow.xml", "EPU", "document.unjudged", 1),
    ],
)
def test_samples_of_others(path: str, kind: str, code: str, count: int, shared_data: Path) -> None:
    """The unofficial German samples are wrong by the official schema, as their page says; a bank's file is sent to its own command."""
    verdict = judge((shared_data / "formats" / path).read_bytes())
    assert (verdict.kind, verdict.is_valid) == (kind, not count)
    assert [finding.code for finding in verdict.findings if not finding.is_warning] == [code] * count


@pytest.mark.parametrize(
    ("path", "code"),
    [("hmcts-sdt/samples/e2e/SubmitBulkTest.testValid.request.xml", 0), ("hmcts-sdt/samples/v2/BulkSubmitRequest.xml", 1)],
)
def test_the_exit_code_is_the_verdict(path: str, code: int, shared_data: Path) -> None:
    assert CliRunner().invoke(app, ["validate", str(shared_data / "formats" / path)]).exit_code == code
