"""`collecthub invoice import`: electronic invoices open cases with their files as evidence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Run

EXAMPLES = "formats/en16931/ubl-examples"


def imported(run: Run, *words: str, wanted: int = 0) -> list[dict[str, Any]]:
    rules = () if "--rules" in words else ("--no-rules",)
    result = run("invoice", "import", *words, *rules, "--json", wanted=wanted)
    items: list[dict[str, Any]] = json.loads(result.stdout)["items"]
    return items


def invoice_file(shared_data: Path, folder: Path, name: str, *edits: tuple[str, str], source: str = "") -> str:
    """A copy of an example with other values; every edit must hit."""
    text = (shared_data / (source or f"{EXAMPLES}/ubl-tc434-example2.xml")).read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def _home(home: Path) -> None:
    """Every test has its own hub."""


def test_an_invoice_becomes_a_case_with_its_file_as_evidence(run: Run, shared_data: Path, tmp_path: Path) -> None:
    path = invoice_file(shared_data, tmp_path, "a.xml")
    (item,) = imported(run, path)
    assert (item["number"], item["amount"], item["currency"], item["due_on"]) == ("TOSL108", "801.78", "NOK", "2013-07-20")
    shown = json.loads(run("case", "show", item["case_number"], "--json").stdout)
    assert shown["debtor"]["name"] == "The Buyercompany"
    (claim,) = shown["claims"]
    assert (claim["number"], claim["original_amount"], claim["open_amount"]) == ("TOSL108", "1801.78", "801.78")
    (document,) = shown["documents"]
    assert (document["name"], document["media_type"]) == ("a.xml", "application/xml")
    assert document["sha256"] == hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_the_same_file_again_opens_nothing(run: Run, shared_data: Path, tmp_path: Path) -> None:
    path = invoice_file(shared_data, tmp_path, "a.xml")
    (first,) = imported(run, path)
    (again,) = imported(run, path, wanted=1)
    assert (again["is_duplicate"], again["case_id"]) == (True, first["case_id"])
    assert len(json.loads(run("case", "list", "--json").stdout)["items"]) == 1
    assert json.loads(run("quarantine", "list", "--json").stdout)["items"] == []


def test_a_new_invoice_does_not_share_the_fate_of_a_known_one(run: Run, shared_data: Path, tmp_path: Path) -> None:
    one = invoice_file(shared_data, tmp_path, "one.xml")
    two = invoice_file(shared_data, tmp_path, "two.xml", ("TOSL108", "TOSL109"))
    (first,) = imported(run, one)
    known, new = imported(run, one, two, wanted=1)
    assert (known["is_duplicate"], known["case_id"]) == (True, first["case_id"])
    assert (new["is_duplicate"], new["errors"], new["case_id"] != first["case_id"]) == (False, [], True)
    assert [item["is_duplicate"] for item in imported(run, one, two, wanted=1)] == [True, True]


def test_invoices_of_one_debtor_become_one_case_and_a_credit_note_lowers_the_one_it_names(
    run: Run, shared_data: Path, tmp_path: Path
) -> None:
    one = invoice_file(shared_data, tmp_path, "one.xml")
    two = invoice_file(shared_data, tmp_path, "two.xml", ("TOSL108", "TOSL109"), (">801.78<", ">100.00<"))
    credit_edits = (
        (">Snippet1<", ">TOSL109<"), (">1656.25<", ">40.00<"), ("EUR", "NOK"), ("Buyer Official Name", "The Buyercompany"),
        ("SE4598375937", "NO987654321MVA"),
    )  # fmt: skip
    note = invoice_file(
        shared_data, tmp_path, "note.xml", *credit_edits,
        source="formats/peppol-bis3/examples/base-creditnote-correction.xml",
    )  # fmt: skip
    items = imported(run, one, two, note)
    assert len({item["case_id"] for item in items}) == 1
    assert [item["is_credit"] for item in items] == [False, False, True]
    shown = json.loads(run("case", "show", items[0]["case_number"], "--json").stdout)
    assert {claim["number"]: claim["open_amount"] for claim in shown["claims"]} == {"TOSL108": "801.78", "TOSL109": "60.00"}
    assert len(shown["documents"]) == 3


def test_bad_files_are_answered_with_reasons_kept_and_do_not_stop_the_others(
    run: Run, shared_data: Path, tmp_path: Path
) -> None:
    good = invoice_file(shared_data, tmp_path, "good.xml")
    paid = invoice_file(shared_data, tmp_path, "paid.xml", (">801.78<", ">0.00<"), ("TOSL108", "P1"))
    undated = invoice_file(
        shared_data, tmp_path, "undated.xml", ("<cbc:DueDate>2013-07-20</cbc:DueDate>", ""), ("TOSL108", "U1")
    )
    hostile = tmp_path / "hostile.xml"
    hostile.write_text("<!DOCTYPE x><x/>")
    items = imported(run, good, paid, undated, str(hostile), wanted=1)
    reasons = {item["file"]: [error["field"] for error in item["errors"]] for item in items}
    assert reasons == {
        "good.xml": [], "paid.xml": ["payable"], "undated.xml": ["due_on"], "hostile.xml": ["xml.doctype"],
    }  # fmt: skip
    assert items[0]["case_id"]
    kept = json.loads(run("quarantine", "list", "--json").stdout)["items"]
    assert len(kept) == 3
    (second,) = imported(run, undated, "--due-days", "30")
    assert second["due_on"] == "2013-07-30"  # issued 2013-06-30


def test_an_invoice_that_is_not_due_yet_waits(run: Run, shared_data: Path, tmp_path: Path) -> None:
    path = invoice_file(shared_data, tmp_path, "early.xml", ("2013-07-20", "2099-01-01"))
    (item,) = imported(run, path, wanted=1)
    assert [(error["field"], "not overdue" in error["reason"]) for error in item["errors"]] == [("due_on", True)]


def test_the_schema_warns_or_refuses_when_strict(run: Run, shared_data: Path, tmp_path: Path) -> None:
    path = invoice_file(shared_data, tmp_path, "odd.xml", ("<cbc:IssueDate>", "<cbc:Odd>1</cbc:Odd><cbc:IssueDate>"))
    (strict,) = imported(run, path, "--strict", wanted=1)
    assert {error["field"] for error in strict["errors"]} == {"document"}
    (item,) = imported(run, path)
    assert item["case_id"]
    assert any("Odd" in warning and "line" in warning for warning in item["warnings"])


def test_broken_business_rules_warn_or_refuse_when_strict(run: Run, shared_data: Path) -> None:
    """22 findings, as the norm's own compiled rules count them."""
    path = str(shared_data / "formats/ubl-2.1/samples/UBL-Invoice-2.1-Example-Trivial.xml")
    (strict,) = imported(run, path, "--rules", "--strict", "--due-days", "30", wanted=1)
    assert len([error for error in strict["errors"] if error["field"] == "document"]) == 22
    (item,) = imported(run, path, "--rules", "--due-days", "30")
    assert item["case_id"]
    assert len(item["warnings"]) == 22


def test_an_invoice_of_another_seller_is_refused(run: Run, shared_data: Path, tmp_path: Path) -> None:
    run("creditor", "add", "Seller AS", "--country", "NO", "--id", "seller", "--vat", "NO123456789MVA")
    path = invoice_file(shared_data, tmp_path, "a.xml")
    run("invoice", "import", path, wanted=2)  # two creditors now: say which
    other = invoice_file(shared_data, tmp_path, "b.xml", ("NO123456789MVA", "NO111111111MVA"))
    (refused,) = imported(run, other, "--creditor", "seller", wanted=1)
    assert [error["field"] for error in refused["errors"]] == ["seller"]
    (taken,) = imported(run, path, "--creditor", "seller")
    assert taken["case_id"]


def test_without_json_a_person_reads_a_table(run: Run, shared_data: Path, tmp_path: Path) -> None:
    result = run("invoice", "import", invoice_file(shared_data, tmp_path, "a.xml"), "--no-rules")
    assert "TOSL108" in result.stdout
    assert "1 cases opened" in result.stderr
