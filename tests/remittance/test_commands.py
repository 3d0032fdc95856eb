"""The commands of money out: JSON alone on standard output, exit codes as promised, a file that the bank takes."""

from __future__ import annotations

import json
import os
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from payments.bank_samples import camt, paid
from typer.testing import CliRunner

from collecthub.cli.main import app
from collecthub.config import load_settings
from collecthub.engine.doors import create_creditor
from collecthub.engine.intake import Draft, DraftClaim, open_draft, ready_intake
from collecthub.hub import open_hub
from collecthub.model.party import Party
from collecthub.store.connections import Playbook
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.testing.inline import InlineQueue
from remittance.conftest import PAYEE, TERMS, on


@pytest.fixture
def number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A home with one creditor and one case of 500.00; its number."""
    monkeypatch.setenv("COLLECTHUB_HOME", str(tmp_path))
    monkeypatch.setenv("COLLECTHUB_BUSINESS_DATE", "2026-06-15")
    monkeypatch.chdir(tmp_path)
    hub = open_hub(load_settings())
    hub.queue = InlineQueue()
    create_creditor(hub, Party(name="De Kroon", country="BE"), Playbook(payment_account=PAYEE), creditor_id="kroon")
    ready_intake(hub, LOCAL_OPERATOR, "kroon")
    claim = DraftClaim(number="F1", due_on=on("2026-05-01"), amount=D("500.00"), open_amount=D("500.00"))
    draft = Draft(debtor=Party(name="Jan", country="BE"), currency="EUR", claims=(claim,))
    with hub.work() as work:
        found = open_draft(hub, work, LOCAL_OPERATOR, "kroon", draft, origin="api", key="1")
    hub.close()
    assert found.number, found
    return found.number


def run(*words: str, wanted: int = 0) -> Any:
    outcome = CliRunner().invoke(app, [*words, "--json"])
    assert outcome.exit_code == wanted, outcome.output
    return json.loads(outcome.stdout)


def test_from_the_contract_to_the_paid_remittance(number: str, tmp_path: Path) -> None:
    terms, bank = tmp_path / "terms.json", tmp_path / "bank.xml"
    terms.write_text(json.dumps({**TERMS, "minimum_fee": "0.00"}))
    bank.write_bytes(camt("camt.053", [paid("200.00", text=number)]))
    run("payment", "import", str(bank), "--client-account")
    assert run("receipt", "give", number, "--amount", "50.00", "--by", "Ann", "--output", "r.pdf")["number"] == "RC-2026-000001"
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
    (left,) = run("remittance", "create", wanted=1)["left"]
    assert (left["held"], left["creditor_id"]) == ("250.00", "kroon")
    assert run("contract", "add", "creditor", "kroon", str(terms))["version"] == 1
    assert len(run("contract", "list", "--at", "2026-06-15")["items"]) == 1
    assert run("contract", "list", "--at", "2025-06-15")["items"] == []
    (made,) = run("remittance", "create")["items"]
    assert (made["gross"], made["fee"], made["vat"], made["net"]) == ("250.00", "25.00", "5.25", "219.75")
    order = run("remittance", "export", "--output", "pay.xml")["order"]
    content = (tmp_path / "pay.xml").read_bytes()
    assert run("remittance", "export") is None
    run("remittance", "export", "--order", order["message_ref"], "--output", "again.xml")
    assert (tmp_path / "again.xml").read_bytes() == content
    inbox = tmp_path / "statements"
    inbox.mkdir()
    second = camt("camt.053", [paid("219.75", out=True, e2e=made["number"])], ident="S-2").decode()
    second = second.replace(">1000.00<", ">1200.00<").replace(">780.25<", ">980.25<")
    (inbox / "s2.xml").write_text(second)
    os.utime(inbox / "s2.xml", (0, 0))
    assert [one["state"] for one in run("payment", "inbox", str(inbox))["items"]] == ["imported"]
    assert run("remittance", "show", made["number"])["state"] == "paid"
    (money,) = run("client-money", "check")["items"]
    assert (money["there"], money["difference"], money["findings"]) == ("1030.25", "0.00", [])
    costs = run("contract", "costs", "--case", number, "--csv", "costs.csv")
    assert costs["sums"] == [{"bearer": "creditor", "currency": "EUR", "amount": "30.25"}]
    assert len((tmp_path / "costs.csv").read_text().splitlines()) == 3
    assert run("receipt", "reverse", "RC-2026-000001", "--reason", "given back")["reversed_on"] == "2026-06-15"
