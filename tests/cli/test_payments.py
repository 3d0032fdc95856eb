"""`collecthub payment`: files in, list, assign, reference; exit codes and JSON as promised."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from payments.bank_samples import IBAN, camt, coda, paid

from cli.conftest import Run


@pytest.fixture(autouse=True)
def _home(home: Path) -> None:
    """Every test has its own hub."""


def said(run: Run, *words: str, wanted: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*words, "--json", wanted=wanted).stdout)
    return found


def opened(run: Run, shared_data: Path) -> dict[str, Any]:
    """A case from an electronic invoice of 801.78 NOK."""
    path = shared_data / "formats/en16931/ubl-examples/ubl-tc434-example2.xml"
    (item,) = said(run, "invoice", "import", str(path), "--no-rules")["items"]
    return dict(item)


def test_a_statement_books_and_what_is_unsure_is_assigned(run: Run, shared_data: Path, tmp_path: Path) -> None:
    case = opened(run, shared_data)
    reference = said(run, "payment", "reference", case["case_number"])
    assert reference["reference"].startswith("RF") and (reference["owed"], reference["currency"]) == ("801.78", "NOK")
    first, second = tmp_path / "a.xml", tmp_path / "b.xml"
    first.write_bytes(camt("camt.053", [paid("100.00", ref=reference["reference"]), paid("50.00", text="?")], currency="NOK"))
    found = said(run, "payment", "import", str(first), "--creditor", "kroon")
    assert found["items"][0]["accounts"] == [IBAN]
    assert found["match"] == {"booked": 1, "known": 0, "returned": 0, "waiting": 1}
    (waiting,) = said(run, "payment", "list")["items"]
    settled = said(run, "payment", "assign", waiting["payment_id"], case["case_number"], "--amount", "20.00")
    assert (settled["state"], settled["remaining"]) == ("open", "30.00")
    run("payment", "set-aside", waiting["payment_id"], "--note", "a gift")
    balance = said(run, "case", "balance", case["case_number"])["balance"]
    assert (balance["payments"], balance["total"]) == ("120.00", "681.78")
    second.write_bytes(first.read_bytes())
    assert said(run, "payment", "import", str(second))["items"][0]["is_duplicate"] is True
    assert len(said(run, "payment", "list", "--case", case["case_number"])["items"]) == 2


def test_a_refused_file_is_a_finding_and_the_next_one_enters(run: Run, shared_data: Path, tmp_path: Path) -> None:
    wrong = shared_data / "formats/coda/Coda_v2_3_faulty_globalisation.txt"
    good = tmp_path / "good.cod"
    good.write_bytes(coda([paid("5.00")]))
    refused, taken = said(run, "payment", "import", str(wrong), str(good), "--client-account", wanted=1)["items"]
    assert (refused["state"], refused["place"], taken["fresh"]) == ("refused", "line 7", 1)
    (listed,) = said(run, "payment", "files", "--state", "refused")["items"]
    assert "movement 0003 begins a globalisation" in listed["problem"]
    run("payment", "import", str(good), "--client-account", "--creditor", "kroon", wanted=2)


def test_a_table_is_read_by_the_columns_that_are_named(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "juni.csv"
    table.write_text("Datum;Bedrag;Naam\n10/06/2026;-5,00;Bank\n11/06/2026;1.005,50;Zoé\n", encoding="utf-8")
    words = ("payment", "import", str(table), "--creditor", "kroon", "--account", IBAN, "--currency", "EUR")
    layout = ("--column", "booked_on=Datum", "--column", "amount=Bedrag", "--column", "payer_name=Naam")
    assert said(run, *words, *layout, wanted=1)["items"][0]["place"] == "line 2"  # its dates are not ISO dates
    found = said(run, *words, *layout, "--date-format", "DD/MM/YYYY", "--decimal-mark", ",")
    assert (found["items"][0]["transactions"], found["match"]["waiting"]) == (2, 1)
    (waiting,) = said(run, "payment", "list")["items"]
    assert (waiting["amount"], waiting["payer_name"], waiting["booked_on"]) == ("1005.50", "Zoé", "2026-06-11")
