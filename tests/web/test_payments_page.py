"""The worklist of payments in the portal: what a person sees and decides, with forms as the pages hold them."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient
from lxml import html
from payments.bank_samples import camt, paid

from collecthub.store.queries.scope import Role
from web.office import PASSWORD, Office


def visitor(office: Office, role: Role = Role.CREDITOR) -> TestClient:
    creditor = "kroon" if role is Role.CREDITOR else None
    office.add_user(f"{role.value}@example.org", role, creditor)
    client = office.client()
    done = client.post("/login", data={"email": f"{role.value}@example.org", "password": PASSWORD}, follow_redirects=False)
    assert done.status_code == 303, done.text
    return client


def page(client: TestClient, path: str, wanted: int = 200) -> html.HtmlElement:
    found = client.get(path)
    assert found.status_code == wanted, found.text
    return html.fromstring(found.text)


def send(client: TestClient, on: html.HtmlElement, action: str, **fields: str) -> html.HtmlElement:
    """Fill the form whose address ends so, with what it holds already, and follow where it leads."""
    form = next(form for form in on.forms if form.action.endswith(action))
    values = {**{name: value for name, value in form.form_values()}, **fields}
    files = {"file": ("june.xml", values.pop("content").encode())} if "content" in values else None
    answer = client.post(form.action, data=values, files=files)
    return html.fromstring(answer.text)


def words(found: html.HtmlElement) -> str:
    return re.sub(r"\s+", " ", found.find(".//main").text_content())


def test_a_person_uploads_chooses_and_sets_aside(office: Office) -> None:
    case, other = office.open_case(), office.open_case()
    client = visitor(office)
    start = page(client, "/payments")
    assert "No payment waits" in words(start)
    content = camt("camt.053", [
        paid("120.50", text=case["number"]), paid("500.00", text=f"<b>{other['number']}</b>".replace("<", "&lt;"), name="Zoé"),
        paid("12.00", name="Nobody", text="?"),
    ]).decode()  # fmt: skip
    after = send(client, start, "/payments/imports", content=content)
    assert "june.xml: 3 transactions, 3 of them new." in words(after)
    assert "is more than the 120.50 EUR that are owed" in words(after)
    assert "No case fits" in words(after)
    links = [link for _, _, link, _ in after.iterlinks() if re.fullmatch(r"/payments/[0-9a-f]{32}", link)]
    much, unknown = (page(client, link) for link in links)
    assert f"<b>{other['number']}" in words(much)  # shown as text, not as markup
    refused = send(client, much, f"{links[0]}/assign", case="CH-NONE", amount="1")
    assert "There is no such case." in words(refused)
    taken = send(client, page(client, links[0]), f"{links[0]}/assign", case=other["number"].lower(), amount="120.50")
    assert "The payment is booked." in words(taken)
    aside = send(client, unknown, f"{links[1]}/set-aside", note="a deposit")
    assert "The payment is set aside." in words(aside)
    assert [office.client("kroon").get(f"/api/v1/cases/{one['case_id']}").json()["status"] for one in (case, other)] == ["closed"] * 2
    assert "379.50" in words(page(client, links[0]))  # what is left of it


def test_a_refused_file_says_where_and_why(office: Office) -> None:
    client = visitor(office)
    content = camt("camt.053", [paid("1.00")]).decode().replace("CRDT</CdtDbtInd><Sts>", "CRTD</CdtDbtInd><Sts>")
    after = send(client, page(client, "/payments"), "/payments/imports", content=content)
    assert "entry 1, line 1: the direction (CdtDbtInd) is 'CRTD', not CRDT or DBIT" in words(after)


def test_the_operator_says_whose_account_it_is_and_undoes_by_a_return(office: Office) -> None:
    one, two = office.open_case(), office.open_case("other")
    client = visitor(office, Role.OPERATOR)
    money = [paid("50.00", text=one["number"], iban="BE71096123456769"), paid("50.00", text=two["number"], iban="BE71096123456769")]
    start = page(client, "/payments")
    assert "nobody has said whose account" in words(send(client, start, "/payments/imports", content=camt("camt.053", money).decode()))
    send(client, start, "/payments/imports", content=camt("camt.053", money).decode(), owner="client-account")
    back = camt("camt.053", [paid("50.00", iban="BE71096123456769", back=True, reason="AC04")], ident="S-2").decode()
    after = send(client, start, "/payments/imports", content=back)
    assert "The bank took money back; which payment was it?" in words(after)
    link = next(link for _, _, link, _ in after.iterlinks() if re.fullmatch(r"/payments/[0-9a-f]{32}", link))
    asked = page(client, link)
    assert "AC04" in words(asked) and one["number"] in words(asked) and two["number"] in words(asked)
    assert "The payment is undone" in words(send(client, asked, f"{link}/undo"))
    paid_sums = [office.client("operator").get(f"/api/v1/cases/{case['case_id']}").json()["balance"]["payments"] for case in (one, two)]
    assert paid_sums == ["0.00", "50.00"]
