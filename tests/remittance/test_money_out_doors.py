"""Money out through the API and the pages: the operator acts, a creditor sees his own, nobody sees more."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from lxml import html
from payments.bank_samples import paid
from web.office import PASSWORD, once

from collecthub.engine.contracting import read_terms
from collecthub.store.queries.scope import Role
from remittance.conftest import TERMS, Till


def visitor(till: Till, role: Role) -> TestClient:
    till.office.add_user(f"{role.value}@example.org", role, "kroon" if role is Role.CREDITOR else None)
    client = till.office.client()
    client.post("/login", data={"email": f"{role.value}@example.org", "password": PASSWORD})
    return client


def words(client: TestClient, path: str) -> str:
    found = client.get(path)
    assert found.status_code == 200, found.text
    return re.sub(r"\s+", " ", html.fromstring(found.text).find(".//main").text_content())


def submit(client: TestClient, path: str, action: str, files: Any = None, **fields: str) -> str:
    page = html.fromstring(client.get(path).text)
    form = next(form for form in page.forms if form.action == action)
    answer = client.post(action, data={**dict(form.form_values()), **fields}, files=files)
    return re.sub(r"\s+", " ", answer.text)


def post(till: Till, who: str, path: str, body: Any, wanted: int = 200, **more: Any) -> Any:
    given = {"content": body} if isinstance(body, bytes) else {"json": body}
    response = till.office.client(who).post(f"/api/v1{path}", headers=once(), **given, **more)
    assert response.status_code == wanted, response.text
    return response.json()


def test_by_the_api(till: Till) -> None:
    case = till.case("100.00")
    terms = json.dumps({**TERMS, "minimum_fee": "0.00"}).encode()
    party = {"side": "creditor", "party_id": "kroon"}
    post(till, "kroon", "/contracts", terms, wanted=403, params=party)
    assert post(till, "operator", "/contracts", terms, params=party)["version"] == 1
    receipt = {
        "case_id": case["case_id"], "amount": "40.00", "means": "cash", "place": "counter", "received_on": "2026-06-12",
        "received_by": "Ann",
    }  # fmt: skip
    assert post(till, "operator", "/receipts", receipt)["number"] == "RC-2026-000001"
    post(till, "kroon", "/receipts", receipt, wanted=403)
    till.bank(paid("60.00", text=case["number"]))
    run = post(till, "operator", "/remittances", {})
    assert [(one["gross"], one["fee"], one["vat"], one["net"]) for one in run["made"]] == [("100.00", "10.00", "2.10", "87.90")]
    order = post(till, "operator", "/payment-orders", {})["order"]
    found = till.office.client("operator").get("/api/v1/payment-orders/file", params={"order": order["order_id"]})
    assert b"<InstdAmt Ccy=\"EUR\">87.90</InstdAmt>" in found.content
    mine = till.office.client("kroon")
    (listed,) = mine.get("/api/v1/remittances").json()["items"]
    detail = mine.get(f"/api/v1/remittances/{listed['remittance_id']}").json()
    assert [(item["source"], item["amount"]) for item in detail["items"]] == [("payment", "60.00"), ("receipt", "40.00")]
    assert till.office.client("other").get("/api/v1/remittances").json()["items"] == []
    assert till.office.client("other").get(f"/api/v1/remittances/{listed['remittance_id']}").status_code == 404
    assert till.office.client("bailiff").get("/api/v1/remittances").status_code == 403
    (money,) = till.office.client("operator").get("/api/v1/client-money").json()["items"]
    assert (money["difference"], money["figures"]["under_way"]) == ("0.00", "87.90")
    assert mine.get("/api/v1/client-money").status_code == 403


def test_the_cost_statement_names_every_line_and_its_bearer(till: Till) -> None:
    till.agree(minimum_fee="0.00")
    one, two = till.case("100.00"), till.case("200.00")
    till.bank(paid("100.00", text=one["number"]), paid("200.00", text=two["number"]))
    post(till, "operator", "/remittances", {})
    mine = till.office.client("kroon")
    found = mine.get("/api/v1/cost-statement", params={"from_on": "2026-06-01", "until": "2026-06-30"}).json()
    told = sorted((line["kind"], line["amount"], line["bearer"], line["settled_by"]) for line in found["lines"])
    assert told == [
        ("fee", "10.00", "creditor", "RM-2026-000001"), ("fee", "20.00", "creditor", "RM-2026-000001"),
        ("vat", "2.10", "creditor", "RM-2026-000001"), ("vat", "4.20", "creditor", "RM-2026-000001"),
    ]  # fmt: skip
    assert found["sums"] == [{"bearer": "creditor", "currency": "EUR", "amount": "36.30"}]
    assert len(mine.get("/api/v1/cost-statement", params={"case_id": one["case_id"]}).json()["lines"]) == 2
    assert mine.get("/api/v1/cost-statement", params={"to_invoice": True}).json()["lines"] == []
    assert till.office.client("other").get("/api/v1/cost-statement").json()["lines"] == []
    table = mine.get("/api/v1/cost-statement/file", params={"from_on": "2026-06-01", "until": "2026-06-30"}).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table), delimiter=";"))
    assert sorted(row["amount"] for row in rows) == ["10.00", "2.10", "20.00", "4.20"]
    assert {row["rule"].partition(" (")[0] for row in rows} == {"10 % of 100.00 EUR", "10 % of 200.00 EUR"}


def test_fees_that_are_not_withheld_are_invoiced(till: Till) -> None:
    till.agree(minimum_fee="0.00", is_withheld=False)
    till.bank(paid("100.00", text=till.case("100.00")["number"]))
    (made,) = post(till, "operator", "/remittances", {})["made"]
    assert (made["net"], made["fee"]) == ("100.00", "0.00")
    found = till.office.client("kroon").get("/api/v1/cost-statement", params={"to_invoice": True}).json()
    assert [(line["kind"], line["amount"]) for line in found["lines"]] == [("fee", "10.00"), ("vat", "2.10")]


def test_by_the_pages(till: Till) -> None:
    client = visitor(till, Role.OPERATOR)
    case = till.case("100.00")
    till.bank(paid("100.00", text=case["number"], bank_ref="B1"))
    assert "Brouwerij De Kroon" in words(client, "/remittances")
    assert "no contract was in force on 2026-06-10" in submit(client, "/remittances", "/remittances")
    wrong = submit(client, "/contracts", "/contracts", files={"file": ("t.json", b"{}")}, party="creditor:kroon")
    assert "the document is not what is expected here" in wrong
    terms = json.dumps({**TERMS, "minimum_fee": "0.00"}).encode()
    assert "The contract is entered." in submit(client, "/contracts", "/contracts", files={"file": ("t.json", terms)}, party="creditor:kroon")
    shown = words(client, "/contracts")
    assert "version 1 In force" in shown and "below 1000; debtor in BE10 %" in shown and "All others25 %" in shown
    assert "RM-2026-000001: 87.90 EUR for Brouwerij De Kroon." in submit(client, "/remittances", "/remittances")
    assert "<InstdAmt" in submit(client, "/remittances", "/payment-orders")
    assert "At the bank" in words(client, "/remittances")
    assert "no difference" in words(client, "/client-money")
    assert "10.00 % of" not in words(client, "/costs") and "10 % of 100.00 EUR" in words(client, "/costs")
    assert client.get("/costs", params={"as_csv": "1"}).headers["content-disposition"].startswith("attachment")
    creditor = visitor(till, Role.CREDITOR)
    link = html.fromstring(creditor.get("/remittances").text).xpath("//a[starts-with(@href, '/remittances/')]/@href")[0]
    assert "grid row 2" in words(creditor, link)
    assert "Remit all" not in words(creditor, "/remittances")
    assert creditor.get("/client-money").status_code == 403


def test_a_contract_by_its_form_and_the_next_one_beginning_with_it(till: Till) -> None:
    """The form states the same terms as the document; a figure that is no plain decimal is refused at this door too."""
    client = visitor(till, Role.OPERATOR)
    first = {
        "party": "partner:bailiff", "valid_from": "2026-01-01", "minimum_fee": "5,00", "minimum_currency": "EUR", "vat_percent": "21",
        "grid-0-percent": "12,5", "grid-0-amount_below": "1000", "grid-0-countries": "be, NL", "grid-1-percent": "7.5",
        "costs-0-cost_type": "bailiff_act", "costs-0-currency": "EUR", "costs-0-amount_most": "50.00", "costs-0-bearer": "creditor",
    }  # fmt: skip
    for wrong in ("1e3", "\u0661\u0662", "0x10", "1_000"):
        assert "is not an amount" in submit(client, "/contracts", "/contracts", **{**first, "minimum_fee": wrong})
    assert "The contract is entered." in submit(client, "/contracts", "/contracts", **first)
    (view,) = till.office.client("operator").get("/api/v1/contracts").json()["items"]
    terms = read_terms(json.dumps({
        "valid_from": "2026-01-01", "minimum_fee": "5.00", "vat_percent": "21", "is_withheld": True,
        "grid": [{"percent": "12.5", "amount_below": "1000", "countries": ["BE", "NL"]}, {"percent": "7.5"}],
        "costs": [{"cost_type": "bailiff_act", "currency": "EUR", "amount_most": "50.00", "bearer": "creditor"}],
    }).encode())  # fmt: skip
    assert view["contract"]["side"] == "partner" and view["contract"]["terms"] == json.loads(msgspec.json.encode(terms))
    again = html.fromstring(client.get("/contracts", params={"party": "partner:bailiff"}).text)
    (form,) = [one for one in again.forms if one.action == "/contracts"]
    assert (form.fields["grid-0-percent"], form.fields["grid-0-countries"], form.fields["valid_from"]) == ("12.5", "BE NL", "")


def test_a_partners_invoice_by_page_and_api(till: Till) -> None:
    client, api = visitor(till, Role.OPERATOR), till.office.client("operator")
    case = till.case("100.00")
    till.office.run()
    line = {"case": case["number"], "kind": "fee", "reference": "P-9", "amount": "10.00"}
    invoice = {"number": "I-1", "issued_on": "2026-06-15", "currency": "EUR", "lines": [line]}
    content = json.dumps(invoice).encode()
    assert "Choose both." in submit(client, "/partner-invoices", "/partner-invoices", partner_id="bailiff")
    shown = submit(client, "/partner-invoices", "/partner-invoices", files={"file": ("i.json", content)}, partner_id="bailiff")
    assert "The invoice is checked." in shown and "P-9 was never reported in this case" in shown
    (one,) = api.get("/api/v1/partner-invoices").json()["items"]
    assert (one["partner_id"], one["checked"]["stated"], one["checked"]["expected"]) == ("bailiff", "10.00", "0")
    assert post(till, "operator", "/partner-invoices", content, params={"partner_id": "bailiff"}) == one["checked"]
    other = json.dumps({**invoice, "issued_on": "2026-06-14"}).encode()
    post(till, "operator", "/partner-invoices", other, wanted=422, params={"partner_id": "bailiff"})
    for who in ("kroon", "bailiff"):
        assert till.office.client(who).get("/api/v1/partner-invoices").status_code == 403


@pytest.mark.parametrize("who", ["kroon", "bailiff"])
def test_only_the_operator_pays(till: Till, who: str) -> None:
    for path, body in (("/remittances", {}), ("/payment-orders", {}), ("/payment-orders/answers", b"<x/>")):
        post(till, who, path, body, wanted=403)
