"""A way before a court, chosen by a person: approval of its cost, proceeding, and the case with whoever files it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from web.office import Office, change, once

from collecthub.bundled import jurisdictions, solvency
from partner.agency_office import add_agency, case_file_of
from partner.test_act_pages import Desk
from partner.test_partner_api import facts

GERMAN = {
    "name": "Langsam GmbH", "country": "DE", "email": "x@example.org",
    "address_lines": ["Ring 1"], "postcode": "50667", "city": "Köln",
}  # fmt: skip
COSTS = {"route": "epo", "estimate": "300.00", "cap": "450.00", "text": "the contract has no clause on courts"}


@pytest.fixture
def court(office: Office) -> Office:
    office.hub.plugins.add("jurisdictions", jurisdictions)
    return office


def opened(office: Office) -> str:
    found = str(office.open_case(debtor=GERMAN)["case_id"])
    office.run()
    return found


def choose(office: Office, case_id: str, who: str = "operator", **body: Any) -> Any:
    return office.client(who).post(f"/api/v1/cases/{case_id}/transfer", json=body, headers=change())


def allow(office: Office, case_id: str, **body: Any) -> Any:
    path = f"/api/v1/cases/{case_id}/proceedings/approval-decisions"
    answer = office.client("kroon").post(path, json={"is_given": True, **body}, headers=change())
    assert answer.status_code == 200, answer.text
    office.run()
    return office.client("kroon").get(f"/api/v1/cases/{case_id}").json()


def tasks(office: Office, case_id: str) -> list[str]:
    found = office.client("operator").get("/api/v1/tasks").json()["items"]
    return [task["kind"] for task in found if task["case_id"] == case_id]


def told(client: TestClient) -> list[dict[str, Any]]:
    return [item["message"] for item in client.get("/api/v1/partner/messages").json()["items"]]


def test_a_chosen_court_way_is_allowed_opened_and_filed_by_its_holder(court: Office) -> None:
    court.hub.plugins.add("solvency", solvency)
    lawyer = add_agency(court, "lawyer-de", "DE", role="lawyer")
    case_id = opened(court)
    assert choose(court, case_id, **COSTS).json()["status"] != "sending"
    assert "approval" in tasks(court, case_id) and told(lawyer) == [], "nothing leaves before the creditor's yes"
    (chosen,) = facts(court, case_id, "court_way_chosen")
    assert (chosen["way"], chosen["partner_id"]) == ("epo", "lawyer-de") and len(chosen["options"]) >= 8
    case = allow(court, case_id, cap="400.00")
    assert (case["placement"]["route"], case["placement"]["partner_id"]) == ("epo", "lawyer-de"), case
    (begun,) = court.client("kroon").get(f"/api/v1/cases/{case_id}/proceedings").json()["proceedings"]
    assert (begun["proceeding"]["kind"], begun["proceeding"]["cost_cap"]) == ("judicial", "400.00")
    assert case_file_of(lawyer, case_id).procedure == "judicial"
    (file,) = told(lawyer)
    (order,) = file["orders"]
    assert order["text"] == "Europäischer Zahlungsbefehl. Der Gläubiger hat Kosten bis 400,00\xa0€ genehmigt.", "in its language"
    assert case["phase"] == "judicial" and {"approval", "court_way"}.isdisjoint(tasks(court, case_id))


def test_what_stands_against_a_chosen_way_is_said_and_it_begins_when_it_is_gone(court: Office) -> None:
    add_agency(court, "lawyer-de", "DE", role="lawyer")
    case_id = opened(court)
    assert "contract chooses a court" in choose(court, case_id, **{**COSTS, "text": ""}).json()["detail"], "not known, not looked at"
    assert "is in no data" in choose(court, case_id, route="epo", text="looked at").json()["detail"]
    assert "no judgment" in choose(court, case_id, **{**COSTS, "route": "eeo"}).json()["detail"], "a rejected way stays closed"
    assert choose(court, case_id, **COSTS, partner_id="bailiff").status_code == 422, "it files nothing there"
    assert choose(court, case_id, route="moonlight", partner_id="lawyer-de").status_code == 422
    assert choose(court, case_id, "kroon", **COSTS).status_code == 200
    court.run()
    (given,) = court.client("kroon").get(f"/api/v1/cases/{case_id}/proceedings").json()["approvals"]
    assert (given["is_given"], given["cap"]) == (True, "450.00"), "he who would be asked has said it himself"
    case = court.client("operator").get(f"/api/v1/cases/{case_id}").json()
    assert case["placement"] is None and "court_way" in tasks(court, case_id), "nobody looked into solvency"
    court.hub.plugins.add("solvency", solvency)
    assert choose(court, case_id, route="epo").status_code == 200
    court.run()
    case = court.client("operator").get(f"/api/v1/cases/{case_id}").json()
    assert case["placement"]["route"] == "epo" and "court_way" not in tasks(court, case_id)
    routes = court.client("operator").get(f"/api/v1/cases/{case_id}/routes").json()["routes"]
    assert [one["route"] for one in routes if one["is_chosen"]] == ["epo"]


def test_a_holder_that_files_itself_is_told_and_without_any_a_person_files(court: Office) -> None:
    court.hub.plugins.add("solvency", solvency)
    agency = add_agency(court, "agency-de", "DE")
    case_id = opened(court)
    desk = Desk(court)
    page = desk.get(f"/cases/{case_id}/routes")
    assert "Ask for its cost" in page and "nobody there is known" in page
    form = {"route": "epo", "estimate": "300,00", "cap": "30", "reason": "no clause"}
    assert "cannot be approved" in desk.post(f"/cases/{case_id}/routes", form, wanted=422)
    assert "It begins when its cost is allowed" in desk.post(f"/cases/{case_id}/routes", {**form, "cap": "300"})
    allow(court, case_id)
    assert "file_court_way" in tasks(court, case_id) and len(told(agency)) == 1, "the amicable holder keeps it"
    other = opened(court)
    lawyer = add_agency(court, "lawyer-de", "DE", role="lawyer")
    sent = court.client("operator").post(
        f"/api/v1/cases/{other}/transfer", json={"partner_id": "lawyer-de", "route": "lawyer"}, headers=change()
    )
    assert sent.status_code == 200, sent.text
    stop = {"headers": once(), "json": {}}
    court.run()
    agency.post(f"/api/v1/partner/cases/{other}/confirmation", **stop)
    court.run()
    assert [one["type"] for one in told(lawyer)] == ["case_file"], "its letters first"
    assert choose(court, other, **COSTS).status_code == 200
    allow(court, other)
    assert [one["type"] for one in told(lawyer)] == ["case_file", "case_instruction"]
    assert told(lawyer)[-1]["text"].startswith("Bitte leiten Sie") and "Europäischer Zahlungsbefehl" in told(lawyer)[-1]["text"]
    assert "450,00" in told(lawyer)[-1]["text"], "in its language"


def left(office: Office, case_id: str, agency: TestClient) -> None:
    """Nobody acts any more: the holder is recalled and confirms."""
    answer = choose(office, case_id, "kroon", route="none", text="the company has no assets left")
    assert answer.status_code == 200, answer.text
    office.run()
    assert [one["type"] for one in told(agency)][-1] == "case_amendment"
    agency.post(f"/api/v1/partner/cases/{case_id}/confirmation", json={}, headers=once())
    office.run()


def test_none_is_a_choice_that_is_kept_and_a_person_decides_on_the_write_off(office: Office) -> None:
    agency = add_agency(office, "agency-de", "DE")
    case_id = opened(office)
    assert "nobody said why" in choose(office, case_id, route="none").json()["detail"]
    left(office, case_id, agency)
    (chosen,) = facts(office, case_id, "transfer_asked")
    assert (chosen["route"], chosen["text"]) == ("none", "the company has no assets left")
    assert {"agency", "epo", "local_suit", "none"} <= {one["route"] for one in chosen["options"]}
    case = office.client("operator").get(f"/api/v1/cases/{case_id}").json()
    assert [hold["reason"] for hold in case["holds"]] == ["left"] and case["status"] == "ready", "nobody gets it again"
    assert "write_off" in tasks(office, case_id)
    routes = office.client("operator").get(f"/api/v1/cases/{case_id}/routes").json()["routes"]
    assert [one["route"] for one in routes if one["is_chosen"]] == ["none"]
    desk = Desk(office)
    assert "Write it off on the account page" in desk.get(f"/cases/{case_id}/routes")
    assert "whether the claim is written off is to be decided" in desk.get(f"/cases/{case_id}")
    given_up = office.client("kroon").post(
        f"/api/v1/cases/{case_id}/write-offs", json={"reason": "the company has no assets left"}, headers=change()
    )
    assert given_up.status_code == 200, given_up.text
    office.run()
    assert office.client("operator").get(f"/api/v1/cases/{case_id}").json()["status"] == "closed"
    assert "write_off" not in tasks(office, case_id)


def test_a_case_that_was_left_is_taken_up_again_by_another_choice(office: Office) -> None:
    agency = add_agency(office, "agency-de", "DE")
    case_id = opened(office)
    left(office, case_id, agency)
    page = Desk(office).post(f"/cases/{case_id}/routes", {"route": "none", "reason": "twice"}, wanted=422)
    assert "is left already" in page
    assert choose(office, case_id, partner_id="agency-de", route="agency").status_code == 200
    office.run()
    case = office.client("operator").get(f"/api/v1/cases/{case_id}").json()
    assert case["holds"] == [] and case["placement"]["partner_id"] == "agency-de" and "write_off" not in tasks(office, case_id)
