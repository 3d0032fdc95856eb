"""One letter to a debtor with several creditors: under the operator's name, each case its own part, no creditor learns of another."""

from __future__ import annotations

import io
import re

import pytest
from human.test_identity import ask
from pypdf import PdfReader
from web.office import PASSWORD, Office

from collecthub.engine.identity import identify
from collecthub.engine.one_letter import write_one_letter
from collecthub.store.queries.debtors import identity_of
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role
from contact.test_course import case_of

ROSE = {"name": "Bloemen Roos", "country": "BE", "registration_ref": "0403.170.701", "language": "nl", "email": "roos@example.org",
        "address_lines": ["Markt 1"], "postcode": "9000", "city": "Gent"}  # fmt: skip


def two_cases(office: Office, **debtor: str) -> dict[str, str]:
    cases = {}
    for who, amount in (("kroon", "120.50"), ("other", "80.25")):
        claims = [{"number": f"{who}-1", "issued_on": "2026-05-01", "due_on": "2026-06-14", "amount": amount}]
        cases[who] = str(office.open_case(who, debtor=ROSE | debtor, debtor_ref=f"{who}-7", claims=claims)["case_id"])
        identify(office.hub, who)
    return cases


def test_one_letter_to_a_person_says_for_whom_his_data_are_kept(office: Office) -> None:
    cases = two_cases(office, kind="person", name="Roos Bloem", registration_ref="")
    [pair] = ask(office, "twins")["items"]
    ask(office, f"twins/{pair['twin_id']}/decision", is_same=True, reason="one address, one mailbox")
    with office.hub.work() as work:
        person = identity_of(work.conn, LOCAL_OPERATOR, cases["kroon"])
        letter = write_one_letter(office.hub, work, LOCAL_OPERATOR, person, currency="EUR", account="BE68539007547034")
    words = " ".join("".join(one.extract_text() for one in PdfReader(io.BytesIO(letter.content)).pages).split())
    assert "bewaart uw gegevens in dit dossier voor Brouwerij De Kroon, Other SA." in words
    assert case_of(office, cases["kroon"]).told_on == office.hub.business_date()


def test_one_letter_takes_each_cases_step_and_tells_no_creditor_of_the_other(office: Office) -> None:
    cases = two_cases(office)
    office.add_user("desk@example.org", Role.OPERATOR, None)
    desk = office.client()
    assert desk.post("/login", data={"email": "desk@example.org", "password": PASSWORD}).status_code == 200
    page = desk.get(f"/cases/{cases['kroon']}/debtor")
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token is not None and "Other SA" in page.text, page.text[:500]
    form = {"csrf": token[1], "currency": "EUR", "tone": "friendly", "account": "BE68539007547034"}
    path = f"{page.url.path}/letter"
    assert desk.post(path, data={**form, "account": ""}).status_code == 422
    letter = desk.post(path, data=form)
    assert letter.status_code == 200, letter.text[:500]
    words = "".join(one.extract_text() for one in PdfReader(io.BytesIO(letter.content)).pages)
    assert "kroon-1" in words and "other-1" in words and "200,75" in words  # 120.50 and 80.25
    assert "BE68539007547034" in words and "+++" in words
    assert "bewaart uw gegevens" not in words, "a company is no person"
    taken = case_of(office, cases["kroon"]).contact
    assert taken is not None and taken.taken == 1  # reminder 1 is behind; none of its own follows today
    for who, stranger in (("kroon", "Other SA"), ("other", "Kroon")):
        client = office.client(who)
        for part in ("", "/timeline", "/documents"):
            said = client.get(f"/api/v1/cases/{cases[who]}{part}").text
            assert stranger not in said and "200.75" not in said and ("other-1" if who == "kroon" else "kroon-1") not in said
    assert desk.post(path, data=form).status_code in (200, 422)


@pytest.mark.parametrize("who", [Role.CREDITOR])
def test_no_creditor_writes_it(office: Office, who: Role) -> None:
    office.add_user("ann@kroon.example", who, "kroon")
    client = office.client()
    client.post("/login", data={"email": "ann@kroon.example", "password": PASSWORD})
    token = re.search(r'name="csrf" value="([^"]+)"', client.get("/agenda").text)
    assert token is not None
    assert client.post("/debtors/nobody/letter", data={"csrf": token[1], "account": "x", "tone": "firm"}).status_code == 404
