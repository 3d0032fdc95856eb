"""Acts asked from elsewhere, in browsers without scripts: the partner asks behind its link, the operator prices and certifies."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from web.office import PASSWORD, TODAY, Office

from collecthub.bundled import jurisdictions
from collecthub.store.queries.scope import Role
from partner.agency_office import add_agency
from partner.test_acts import CERTIFICATE, LAWYER, WRIT
from partner.test_partner_page import Page

FORM = {
    "kind": "service", "reference": "M-7", "on_behalf_of": "Société Z", "from_country": "fr", "addressee": "An Peeters",
    "is_person": "yes", "street": "Kouter 1", "postcode": "9000", "city": "Gent", "country": "be", "amount": "1500,00",
    "currency": "eur", "due_on": "2026-03-01", "language": "fr", "manner": "in person",
}  # fmt: skip


class Desk:
    """The operator in the portal."""

    def __init__(self, office: Office) -> None:
        office.add_user("operator@example.org", Role.OPERATOR)
        self.client = office.client()
        self.client.post("/login", data={"email": "operator@example.org", "password": PASSWORD})

    def get(self, path: str) -> str:
        found = self.client.get(path)
        assert found.status_code == 200, found.text
        return str(found.text)

    def post(self, path: str, data: dict[str, str], wanted: int = 200, **more: Any) -> str:
        csrf = re.search(r'name="csrf" value="([^"]+)"', self.get("/tasks"))
        assert csrf is not None
        done = self.client.post(path, data={"csrf": csrf[1], **data}, **more)
        assert done.status_code == wanted, done.text
        return str(done.text)


@pytest.fixture
def desk(office: Office) -> Desk:
    office.hub.plugins.add("jurisdictions", jurisdictions)
    return Desk(office)


@pytest.fixture
def lawyer(office: Office, desk: Desk) -> Page:
    add_agency(office, LAWYER, "FR")
    return Page(office, "fr", LAWYER).enter()


def ask(lawyer: Page, changes: dict[str, str] | None = None, content: bytes = WRIT, wanted: int = 200) -> str:
    response = lawyer.post("/acts", {**FORM, **(changes or {})}, files={"file": ("assignation.pdf", content)})
    assert response.status_code == wanted, response.text
    text: str = response.text
    return text


def act_path(desk: Desk) -> str:
    found = re.search(r'href="(/acts/[0-9a-f-]+)"', desk.get("/acts"))
    assert found is not None
    return found[1]


def open_tasks(office: Office) -> list[str]:
    return [task["title"] for task in office.client("operator").get("/api/v1/tasks").json()["items"]]


def test_from_the_form_to_the_certificate(office: Office, desk: Desk, lawyer: Page) -> None:
    assert "Nous examinons le prix" in ask(lawyer)
    ask(lawyer)
    assert open_tasks(office) == [f"{LAWYER} asks for service in BE"], "sent twice, it counts once"
    assert "Price the act or refuse it." in desk.get("/agenda")
    path = act_path(desk)
    shown = desk.get(path)
    for text in ("Regulation (EU) 2020/1784", "art. 8, 12, 14, 15", "Royal Decree", "125.00", "General knowledge", "An Peeters"):
        assert text in shown, text
    assert desk.client.get(f"{path}/documents/1").content == WRIT
    assert desk.client.get(f"{path}/documents/2").status_code == 404
    assert "151.25" in desk.post(f"{path}/quote", {})
    assert open_tasks(office) == []
    offered = lawyer.get("/acts")
    assert "151,25" in offered and "Commander" in offered
    quote = re.search(r'name="quote" value="([^"]+)"', offered)
    assert quote is not None
    where = path.removeprefix("/acts")
    assert lawyer.post(f"/acts{where}", {"answer": "yes", "quote": "of yesterday"}).status_code == 409
    assert "Commandé" in lawyer.post(f"/acts{where}", {"answer": "yes", "quote": quote[1]}).text
    assert lawyer.post(f"/acts{where}", {"answer": "no", "quote": quote[1]}).status_code == 409, "it was answered"
    assert open_tasks(office) == [f"{LAWYER} ordered service in BE"]
    said = {"served": "yes", "done_on": str(TODAY), "text": "handed to her in person"}
    refused = desk.post(f"{path}/certificate", said, 422, files={"file": ("k.pdf", b"MZ no paper")})
    assert "handed to her in person" in refused and "PDF" in refused
    desk.post(f"{path}/certificate", said, files={"file": ("form-k.pdf", CERTIFICATE)})
    assert open_tasks(office) == []
    assert "form-k.pdf" in lawyer.get("/acts")
    assert lawyer.client.get(f"{lawyer.path}/acts{where}/certificate").content == CERTIFICATE
    assert desk.client.get(f"{path}/certificate").content == CERTIFICATE


def test_a_refusal_is_read_with_its_reason_and_wrong_forms_send_nothing(office: Office, desk: Desk, lawyer: Page) -> None:
    for changes in ({"country": "xx"}, {"amount": "a lot"}, {"due_on": "soon"}, {"kind": "arrest"}, {"addressee": ""}):
        assert "Rien n&#39;est encore envoyé" in ask(lawyer, changes, wanted=422), changes
    assert 'value="Kouter 1"' in ask(lawyer, content=b"MZ", wanted=422), "what was typed is still there"
    assert open_tasks(office) == []
    ask(lawyer)
    path = act_path(desk)
    desk.post(f"{path}/refusal", {"reason": ""}, 422)
    assert "Refused by us" in desk.post(f"{path}/refusal", {"reason": "conflict of interest"})
    assert "conflict of interest" in lawyer.get("/acts")
    assert lawyer.client.get(f"{lawyer.path}{path}/certificate").status_code == 404


def test_where_no_tariff_is_known_a_person_enters_the_price(desk: Desk, lawyer: Page) -> None:
    ask(lawyer, {"country": "uy", "city": "Montevideo"})
    path = act_path(desk)
    assert "No tariff of Uruguay is in the data" in desk.get(path)
    assert "No instrument is known" in desk.get(path)
    desk.post(f"{path}/quote", {}, 422)
    desk.post(f"{path}/quote", {"amount": "300,00"}, 422)
    assert "300.00" in desk.post(f"{path}/quote", {"amount": "300,00", "note": "by a notary there"})


def test_nobody_else_reads_an_act(office: Office, desk: Desk, lawyer: Page) -> None:
    writ = WRIT + bytes(3_000_000)  # more than other doors take
    ask(lawyer, content=writ)
    path = act_path(desk)
    other = Page(office, "nl", "stranger").enter()
    assert "An Peeters" not in other.get("/acts")
    assert other.post(path, {"answer": "yes", "quote": "x"}).status_code == 404
    assert other.client.get(f"{other.path}{path}/certificate").status_code == 404
    stranger: TestClient = office.client("stranger")
    assert stranger.get(f"/api/v1{path}/documents/1").status_code == 404
    assert office.client("operator").get(f"/api/v1{path}/documents/1").content == writ
