"""The partner's page of one case, and of the money that it passes on, in its language and currency."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from fastapi.testclient import TestClient
from web.office import Office, change, once

from collecthub.engine.contracting import enter_contract
from collecthub.model.contract import GridRow, Side, Terms
from collecthub.store.queries.scope import LOCAL_OPERATOR
from partner.agency_office import AGENCY, post
from partner.test_partner_api import accepted, facts
from partner.test_partner_page import Page

INVOICE = b"%PDF-1.4 invoice\n%%EOF"


def test_a_case_is_read_before_it_is_accepted_with_its_papers_and_what_was_said(office: Office, agency: TestClient) -> None:
    debtor = {
        "name": "Estancia UY", "country": "UY", "address_lines": ["Calle Sol 1"], "postcode": "11000", "city": "Montevideo",
        "email": "caja@estancia.example",
    }  # fmt: skip
    case_id = str(office.open_case(debtor=debtor)["case_id"])
    kept = office.client("kroon").post(
        f"/api/v1/cases/{case_id}/documents", params={"name": "factura.pdf", "kind": "invoice"}, content=INVOICE, headers=once()
    )
    assert kept.status_code == 201, kept.text
    office.run()
    page = Page(office).enter()
    assert f"{page.path}/cases/{case_id}" in page.get()
    text = page.get(f"/cases/{case_id}")
    for told in ("Calle Sol 1", "11000 Montevideo", "Uruguay", "caja@estancia.example", "Facturas", "120,50", "factura.pdf"):
        assert told in text, told
    link = re.search(rf'href="{page.path}(/cases/{case_id}/documents/[^"]+)"', text)
    assert link is not None and page.client.get(page.path + link.group(1)).content == INVOICE
    page.post(f"/offers/{case_id}", {"answer": "info", "words": "¿RUT?"})
    office.run()
    office.client("kroon").post(f"/api/v1/cases/{case_id}/answers", json={"text": "RUT 21 123"}, headers=change())
    office.run()
    assert "RUT 21 123" in page.get(f"/cases/{case_id}"), "an answer is read where the question was asked"
    foreign = office.open_case()["case_id"]
    office.run()
    assert page.client.get(f"{page.path}/cases/{foreign}").status_code == 404
    other = page.client.get(f"{page.path}/cases/{foreign}/documents/{link.group(1).rsplit('/', 1)[1]}")
    assert other.status_code == 404, "a document is read in its own case only"


def test_money_is_passed_on_from_the_page_with_rate_charges_and_fee(office: Office, agency: TestClient) -> None:
    """20.50 EUR x 46.00 = 943.00 UYU, less 13.00 charges and 94.30 fee (10 percent) = 835.70 UYU."""
    with office.hub.work() as work:
        terms = Terms(valid_from=dt.date(2026, 1, 1), grid=(GridRow(percent=Decimal(10)),))
        enter_contract(work, LOCAL_OPERATOR, Side.PARTNER, AGENCY, terms)
    ids = [accepted(office, agency) for _ in range(2)]
    for case_id, amount in zip(ids, ("20.50", "7.00"), strict=True):
        money = {"payment_ref": f"p {amount}", "currency": "EUR", "amount": amount, "received_on": "2026-06-14"}
        post(agency, f"cases/{case_id}/receipts", money)
    office.run()
    page = Page(office).enter()
    text = page.get("/remittances")
    assert "27,50" in text and "Sus honorarios acordados" in text and "2,75" in text
    said = {
        "line": f"{ids[0]} p 20.50", "remittance_ref": "TR-1", "case_currency": "EUR", "currency": "uyu", "amount": "853,70",
        "paid_on": "2026-06-15", "rate": "46", "rate_on": "2026-06-14", "bank_charges": "13", "fee": "94,30",
    }  # fmt: skip
    wrong = page.post("/remittances", said)
    assert wrong.status_code == 422 and "835,70" in wrong.text and 'value="853,70"' in wrong.text
    said["amount"] = "835,70"
    for _ in range(2):
        assert page.post("/remittances", said).status_code == 200, "sent twice, it counts once"
    text = page.get("/remittances")
    assert "7,00" in text and "27,50" not in text, "what was passed on is no longer held"
    for told in ("TR-1", "46 UYU / EUR", "14 jun 2026", "13,00", "94,30", "Anunciado"):
        assert told in text, told
    assert "revisa" not in text, "rate, charges and the agreed fee add up"
    (kept,) = agency.get("/api/v1/partner/remittances").json()["items"]
    assert (kept["remittance"]["amount"], kept["remittance"]["fee"], kept["finding"]) == ("835.70", "94.30", "")
    again = page.post("/remittances", {**said, "remittance_ref": "TR-2"})
    assert again.status_code == 422 and "no se hayan transferido" in again.text, "one payment is passed on once"
    strange = page.post("/remittances", {**said, "line": f"{ids[1]} nothing", "remittance_ref": "TR-3"})
    assert strange.status_code == 422
    for changes in ({"case_currency": "USD"}, {"currency": "U"}, {"rate": "0"}, {"paid_on": "2026-06-16"}):
        bent = page.post("/remittances", {**said, "line": f"{ids[1]} p 7.00", "remittance_ref": "TR-4", **changes})
        assert bent.status_code == 422, changes
    assert facts(office, ids[0], "payment_reported")


def test_what_was_taken_back_is_not_asked_for(office: Office, agency: TestClient) -> None:
    case_id = placed_and_paid(office, agency)
    page = Page(office, "nl").enter()
    assert "20,50" in page.get("/remittances")
    back = {"payment_ref": "p2", "reverses_ref": "p1", "currency": "EUR", "amount": "-20.50", "received_on": "2026-06-15"}
    taken = post(agency, f"cases/{case_id}/receipts", back)
    assert taken.status_code == 202, taken.text
    office.run()
    assert "U houdt geen geld" in page.get("/remittances")


def placed_and_paid(office: Office, agency: TestClient) -> str:
    case_id = accepted(office, agency)
    money = {"payment_ref": "p1", "currency": "EUR", "amount": "20.50", "received_on": "2026-06-14"}
    post(agency, f"cases/{case_id}/receipts", money)
    office.run()
    return case_id

