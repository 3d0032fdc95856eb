"""The directory and the papers in the portal, in a browser without scripts."""

from __future__ import annotations

import html
import re

import pytest
from web.office import Office

from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from partner.agency_office import add_agency, placed_case
from partner.forms import filled
from partner.test_act_pages import Desk
from partner.test_partner_page import Page


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


def test_the_office_of_a_partner_for_several_countries_decides_on_its_days_off(office: Office, desk: Desk) -> None:
    add_agency(office, "agency-plata", "UY")
    send(desk, "/partners/agency-plata", "Save", Acts_in="AR, UY")
    page = Page(office, "nl", "agency-plata").enter()
    assert "not known: no day off" in desk.get("/partners/agency-plata") and "Wij weten niet in welk land" in page.get("/papers")
    send(desk, "/partners/agency-plata", "Save", Licence_number="R-1", Licence_of="UY")
    assert "Uruguay: geen van uw termijnen" in page.get("/papers"), "the first country where a register knows it"
    assert "two letters" in send(desk, "/partners/agency-plata", "Save", 422, Its_office_is_in="XX").lower()
    send(desk, "/partners/agency-plata", "Save", Its_office_is_in="ar")
    assert "Argentinië: geen van uw termijnen" in page.get("/papers"), "its own word comes first"
    case_id = placed_case(office)["case_id"]
    with office.hub.database.read() as conn:
        (case,) = read_cases(conn, t.cases.c.case_id == case_id)
    assert case.placement is not None and case.placement.country == "AR", "its deadlines are those of the office"


def test_an_invitation_opens_the_partners_page_until_it_is_ended(office: Office, desk: Desk) -> None:
    said = send(desk, "/partners/bailiff", "Invite", Language="es", Time_zone="America/Montevideo")
    path, code = re.search(r"(/p/[\w-]+)", said), re.search(r"code is\D*(\d{8})", said)
    assert path and code, said
    partner = office.client()
    assert "código" in partner.get(path[1]).text
    assert partner.post(f"{path[1]}/code", data={"code": code[1]}).status_code == 200
    assert "ended" in send(desk, "/partners/bailiff", "End it")
    assert partner.get(path[1]).status_code == 404
