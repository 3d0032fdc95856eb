"""Bank files from a folder: taken over once, moved away; what is unknown stays, what is wrong is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from payments.bank_samples import IBAN, camt, coda, paid

from collecthub.engine.bank_inbox import read_inbox
from collecthub.engine.clock import tick
from collecthub.engine.payment_orders import export_remittances
from collecthub.engine.remitting import create_remittances
from collecthub.store.queries.scope import LOCAL_OPERATOR
from remittance.conftest import Till
from remittance.test_remittances import answer, states


def names(folder: Path) -> list[str]:
    return sorted(path.name[13:] if path.parent != folder else path.name for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def inbox(till: Till) -> Path:
    folder = till.hub.settings.home / "bank-inbox"
    folder.mkdir()
    return folder


def look(till: Till) -> list[tuple[str, str]]:
    found = read_inbox(till.hub, LOCAL_OPERATOR, settled_seconds=-5)
    return [(one.name, one.state) for one in found]


def test_the_same_payment_in_every_bank_format_counts_once(till: Till, inbox: Path) -> None:
    case = till.case("80.00")
    till.bank(paid("1.00"))  # makes the account known
    row = paid("30.00", text=case["number"], iban="BE71096123456769", e2e="E-1")
    (inbox / "1.xml").write_bytes(camt("camt.054", [row]))
    (inbox / "2.xml").write_bytes(camt("camt.053", [row], ident="S-9"))
    (inbox / "3.cod").write_bytes(coda([row]))
    (inbox / "half.xml.part").write_bytes(b"<Docu")
    assert look(till) == [("1.xml", "imported"), ("2.xml", "imported"), ("3.cod", "imported")]
    assert look(till) == []
    shown = till.office.client("kroon").get(f"/api/v1/cases/{case['case_id']}").json()
    assert shown["balance"]["payments"] == "30.00"
    assert names(inbox) == ["1.xml", "2.xml", "3.cod", "half.xml.part"] and len(list((inbox / "done").iterdir())) == 3


TABLE = "Datum;Bedrag;Mededeling\n10/06/2026;1.030,50;{}\n11/06/2026;-2,00;kosten\n"
COLUMNS = {"booked_on": "Datum", "amount": "Bedrag", "text": "Mededeling"}


def test_a_banks_table_is_read_by_the_layout_beside_it(till: Till, inbox: Path) -> None:
    """The longest name counts; one that cannot be read leaves the table where it is."""
    case = till.case("2000.00")
    till.bank(paid("1.00"))  # makes the account known
    layout = {"columns": COLUMNS, "account": IBAN, "currency": "EUR", "date_format": "DD/MM/YYYY", "decimal_mark": ","}
    (inbox / "k.layout.json").write_text("{")
    (inbox / "Kbc-June.csv").write_text(TABLE.format(case["number"]))
    assert look(till) == [("Kbc-June.csv", "stays")]
    (inbox / "kbc.layout.json").write_text(json.dumps(layout))
    assert look(till) == [("Kbc-June.csv", "imported")]
    shown = till.office.client("kroon").get(f"/api/v1/cases/{case['case_id']}").json()
    assert shown["balance"]["payments"] == "1030.50"
    assert names(inbox) == ["Kbc-June.csv", "k.layout.json", "kbc.layout.json"]


def test_unknown_accounts_stay_and_wrong_files_are_refused(till: Till, inbox: Path) -> None:
    (inbox / "a.xml").write_bytes(camt("camt.053", [paid("5.00")]))
    (inbox / "b.xml").write_bytes(camt("camt.053", [paid("5.00")]).replace(b"CRDT</CdtDbtInd><Sts>", b"CRTD</CdtDbtInd><Sts>"))
    assert look(till) == [("a.xml", "stays"), ("b.xml", "refused")]
    assert (inbox / "a.xml").exists() and [path.name[13:] for path in (inbox / "refused").iterdir()] == ["b.xml"]
    titles = [task["title"] for task in till.office.client("operator").get("/api/v1/tasks").json()["items"]]
    assert "bank file a.xml was not taken over" in titles


def test_the_banks_answer_comes_by_the_same_folder(till: Till, inbox: Path) -> None:
    till.agree()
    till.bank(paid("80.00", text=till.case("80.00")["number"]))
    (made,) = create_remittances(till.hub, LOCAL_OPERATOR).made
    order = export_remittances(till.hub, LOCAL_OPERATOR)
    assert order is not None
    path = inbox / "status.xml"
    path.write_bytes(answer(order.message_ref, "", (made.number, "ACSC")))
    os.utime(path, (0, 0))  # it was written long ago
    tick(till.hub)
    assert states(till) == {made.number: "paid"}
    assert not path.exists()
