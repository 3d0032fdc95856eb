"""The account of a case and the comparison of the books in the portal, and the kind of a claim by page, API and command."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient
from lxml import html
from web.office import PASSWORD, Office, change

from collecthub.store.queries.scope import Role

COMPANY = {"name": "Garage <b>Nord</b>", "country": "BE", "kind": "company"}
CLAIM = {"number": "F-1", "due_on": "2026-03-31", "amount": "10000.00"}


def visitor(office: Office, role: Role = Role.CREDITOR) -> TestClient:
    office.add_user(f"{role.value}@example.org", role, "kroon" if role is Role.CREDITOR else None)
    client = office.client()
    done = client.post("/login", data={"email": f"{role.value}@example.org", "password": PASSWORD}, follow_redirects=False)
    assert done.status_code == 303, done.text
    return client


def page(client: TestClient, path: str, wanted: int = 200) -> html.HtmlElement:
    found = client.get(path)
    assert found.status_code == wanted, found.text
    return html.fromstring(found.text)


def words(found: html.HtmlElement) -> str:
    return re.sub(r"\s+", " ", found.find(".//main").text_content())


def form(client: TestClient, on: html.HtmlElement, action: str, **fields: str) -> html.HtmlElement:
    found = next(one for one in on.forms if one.action.endswith(action))
    answer = client.post(found.action, data={**dict(found.form_values()), **fields})
    return html.fromstring(answer.text)


def test_the_account_says_what_is_owed_on_a_day_and_by_which_rule(office: Office) -> None:
    case_id = office.open_case(debtor=COMPANY, claims=[CLAIM], currency="EUR")["case_id"]
    client = visitor(office)
    shown = words(page(client, f"/cases/{case_id}/account"))
    for said in ("10,258.63 EUR", "218.63", "10.50 %", "76 days", "be.interest.b2b.2013", "Civil Code 5.210", "Rome I, art. 4"):
        assert said in shown
    assert "2036-03-31" in shown  # the last day
    earlier = words(page(client, f"/cases/{case_id}/account?at=2026-06-14"))
    assert "The ledger begins later than this day" in earlier
    assert "about 2.8767 EUR come on top a day" in words(page(client, f"/cases/{case_id}"))
    page(client, f"/cases/{case_id}/account?at=never", wanted=422)


def test_a_statement_is_saved_from_the_page(office: Office) -> None:
    case_id = office.open_case(debtor=COMPANY, claims=[CLAIM], currency="EUR")["case_id"]
    client = visitor(office)
    on = page(client, f"/cases/{case_id}/account")
    saved = next(one for one in on.forms if one.action.endswith("/statement"))
    answer = client.get(saved.action, params={**dict(saved.form_values()), "format": "html", "language": "de"})
    assert answer.headers["content-disposition"].startswith("attachment") and "Forderungsaufstellung" in answer.text
    assert "&lt;b&gt;Nord" in answer.text


def test_the_kind_of_a_claim_is_said_by_page_and_api(office: Office) -> None:
    person = {"name": "Jan Peeters", "country": "BE", "kind": "person"}
    case_id = office.open_case(debtor=person, claims=[{**CLAIM, "due_on": "2025-03-31"}], currency="EUR")["case_id"]
    client = visitor(office)
    on = page(client, f"/cases/{case_id}/account")
    assert "2026-12-31" in words(on) and "Nobody said" in words(on)
    after = form(client, on, "/nature", nature="utilities")
    assert "The kind of claim is noted." in words(after) and "2030-03-31" in words(after)
    api = office.client("kroon")
    said = api.post(f"/api/v1/cases/{case_id}/nature", json={"nature": "medical", "numbers": ["F-1"]}, headers=change())
    assert said.status_code == 200, said.text
    assert "2027-03-31" in words(page(client, f"/cases/{case_id}/account"))  # two years from the month's end
    wrong = api.post(f"/api/v1/cases/{case_id}/nature", json={"nature": "magic"}, headers=change())
    assert wrong.status_code == 422 and "utilities" in wrong.json()["cure"]
    none = api.post(f"/api/v1/cases/{case_id}/nature", json={"nature": "medical", "numbers": ["F-9"]}, headers=change())
    assert none.status_code == 422 and "no invoice F-9" in none.json()["detail"]


def test_the_operator_compares_the_books(office: Office) -> None:
    client = visitor(office, Role.OPERATOR)
    assert "Nothing was compared yet" in words(page(client, "/reconciliation"))
    assert "The books are compared" in words(form(client, page(client, "/reconciliation"), "/reconciliation"))
    office.run()
    assert "All sides agree" in words(page(client, "/reconciliation"))
    page(visitor(office), "/reconciliation", wanted=403)


def test_a_part_is_written_off_on_the_page(office: Office) -> None:
    case_id = office.open_case(debtor=COMPANY, claims=[CLAIM], currency="EUR")["case_id"]
    client = visitor(office)
    after = words(form(client, page(client, f"/cases/{case_id}/account"), "/write-off", amount="258,63", reason="<i>goodwill</i>"))
    assert "It is written off." in after and "10,000.00 EUR" in after and "written off: <i>goodwill</i>" in after
    too_much = words(form(client, page(client, f"/cases/{case_id}/account"), "/write-off", amount="1e9", reason="n"))
    assert "Something in the form is not right" in too_much
