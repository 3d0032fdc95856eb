"""The directory and the papers in the portal, in a browser without scripts."""

from __future__ import annotations

import html
import re

import pytest
from web.office import Office

from partner.forms import filled
from partner.test_act_pages import Desk


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


def send(desk: Desk, path: str, button: str, wanted: int = 200, **fields: str | bool) -> str:
    """Fill in the form of a page; fields are named by their labels, with _ for a space."""
    action, values = filled(desk.get(path), button, {name.replace("_", " "): value for name, value in fields.items()})
    return html.unescape(desk.post(action, values, wanted=wanted))


def test_papers_are_recorded_and_end(desk: Desk) -> None:
    wrong = send(desk, "/mandates", "Keep it", 422, Paper="identity_check", Signed_or_checked_by="Nora Claes")
    assert "names a partner" in wrong
    kept = send(desk, "/mandates", "Keep it", Paper="identity_check", Signed_or_checked_by="Nora Claes", Partner="bailiff")
    assert "The paper is kept" in kept and "Identity check of a partner" in kept and "Nora Claes" in kept
    assert "Revoked" in send(desk, "/mandates", "Revoke")


def test_a_partner_is_shown_with_price_licence_and_papers(desk: Desk) -> None:
    assert re.search("On request|Agreed price", desk.get("/partners"))
    said = {"Licence_number": "L-77", "Licence_of": "NL", "Licence_until": "2027-01-31", "Agreement_with_a_partner": False}
    send(desk, "/partners/bailiff", "Save", **said)
    page = desk.get("/partners/bailiff")
    assert "L-77" in page and "Netherlands" in page


def test_an_invitation_opens_the_partners_page_until_it_is_ended(office: Office, desk: Desk) -> None:
    said = send(desk, "/partners/bailiff", "Invite", Language="es", Time_zone="America/Montevideo")
    path, code = re.search(r"(/p/[\w-]+)", said), re.search(r"code is\D*(\d{8})", said)
    assert path and code, said
    partner = office.client()
    assert "código" in partner.get(path[1]).text
    assert partner.post(f"{path[1]}/code", data={"code": code[1]}).status_code == 200
    assert "ended" in send(desk, "/partners/bailiff", "End it")
    assert partner.get(path[1]).status_code == 404
