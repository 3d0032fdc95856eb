"""The pages of who a debtor is: a pair is compared and decided, one debtor is worked with everybody, and nobody else sees him."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from web.office import PASSWORD, Office

from collecthub.engine.identity import identify
from collecthub.store.queries.scope import Role
from human.test_identity import debtor_of, opened


def person(office: Office, role: Role, creditor_id: str | None = None) -> TestClient:
    email = f"{role.value}-{creditor_id}@example.org"
    office.add_user(email, role, creditor_id)
    client = office.client()
    assert client.post("/login", data={"email": email, "password": PASSWORD}).status_code == 200
    return client


def send(client: TestClient, place: str, path: str, **form: str) -> str:
    """Fill in a form of a page; returns the page that follows."""
    page = client.get(place)
    assert page.status_code == 200, page.text[:300]
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token is not None
    return client.post(path, data={"csrf": token.group(1), **form}).text


def test_a_pair_is_decided_and_the_debtor_worked(office: Office) -> None:
    ours = opened(office, "kroon", "100", name="Bloemen <b>Roos</b>")
    opened(office, "kroon", "200", vat_ref="", name="Bloemen <b>Roos</b>")
    theirs = opened(office, "other", "7", name="Bloemen b Roos b")
    for creditor_id in ("kroon", "other"):
        identify(office.hub, creditor_id)
    clerk = person(office, Role.CREDITOR, "kroon")
    listed = clerk.get("/twins").text
    assert "&lt;b&gt;Roos" in listed and "<b>Roos" not in listed and "same e-mail" in listed
    path = re.search(r'action="(/twins/[^"]+)"', listed)
    assert path is not None
    assert "not the same" in listed.casefold()
    after = send(clerk, "/twins", path.group(1), verdict="same", reason="one shop")
    assert "They are one debtor" in after or "one debtor now" in after
    identity_id = debtor_of(office, ours)["identity_id"]
    for place in (f"/cases/{ours}/debtor", f"/debtors/{identity_id}"):
        assert clerk.get(place).status_code in (403, 404), "one debtor with everybody is the operator's alone"
    desk = person(office, Role.OPERATOR)
    page = desk.get(f"/cases/{ours}/debtor")
    assert page.status_code == 200 and "Other SA" in page.text and "361.50" in page.text
    place = f"/debtors/{identity_id}"
    assert "100.00" in send(desk, place, f"{place}/capacity", amount="100.00", currency="EUR")
    assert "proposed in every case" in send(desk, place, f"{place}/plan", currency="EUR")
    assert "holds in every case" in send(desk, place, f"{place}/agree")
    paid = send(desk, place, f"{place}/payment", amount="60.00", currency="EUR", paid_on="2026-06-15")
    assert "divided over the cases" in paid and "301.50" in paid
    assert "cannot be divided" in send(desk, place, f"{place}/payment", amount="9999.00", currency="EUR", paid_on="2026-06-15")
    assert debtor_of(office, theirs)["owed"] == {"EUR": "301.50"}


@pytest.mark.parametrize("path", ["/twins", "/debtors/nobody"])
def test_nobody_without_a_login_sees_them(office: Office, path: str) -> None:
    assert "/login" in str(office.client().get(path).url)
