"""Routes, papers and transfers over the API, on a hub with one bailiff."""

from __future__ import annotations

from walk.scripted import World

from web.office import Office, change


def test_routes_of_a_case_are_compared(office: Office, world: World) -> None:
    opened = office.open_case()
    office.run()
    client = office.client("kroon")
    path = f"/api/v1/cases/{opened['case_id']}/routes"
    told = client.get(path).json()
    assert told["routes"][0]["is_chosen"] and told["routes"][0]["partner_id"] == "bailiff"
    assert {one["standing"] for one in told["routes"]} <= {"possible", "unknown", "rejected"}
    assert all(one["reason"] for one in told["routes"]) and told["routes"][-1]["route"] == "none"


def test_a_creditor_signs_his_own_power_and_nothing_else(office: Office, world: World) -> None:
    body = {"kind": "power_of_attorney", "partner_id": "bailiff", "creditor_id": "kroon", "signed_by": "Jan", "form": "original"}
    made = office.client("kroon").post("/api/v1/mandates", json=body, headers=change())
    assert made.status_code == 201
    again = office.client("kroon").post("/api/v1/mandates", json=body, headers=change())
    assert again.json() == made.json()
    for changed in ({"kind": "agreement"}, {"creditor_id": "other"}, {"creditor_id": None}):
        refused = office.client("kroon").post("/api/v1/mandates", json={**body, **changed}, headers=change())
        assert refused.status_code in (404, 409, 422), (changed, refused.text)
    (paper,) = office.client("kroon").get("/api/v1/mandates").json()["items"]
    assert paper["state"] == "valid" and paper["mandate"]["signed_by"] == "Jan"
    assert office.client("other").get("/api/v1/mandates").json()["items"] == []
    sheet = office.client("operator").get("/api/v1/partners/bailiff").json()
    assert sheet["tier"] == "quote" and len(sheet["papers"]) == 1 and sheet["profile"]["is_demo"] is False
    assert office.client("kroon").get("/api/v1/partners/bailiff").status_code == 403


def test_a_chosen_partner_gets_the_case_when_the_first_has_stopped(office: Office, world: World) -> None:
    opened = office.open_case()
    office.run()
    path = f"/api/v1/cases/{opened['case_id']}/transfer"
    answer = office.client("kroon").post(path, json={"reason": "recalled", "text": "slow"}, headers=change())
    assert (answer.status_code, answer.json()["status"]) == (200, "recalling")
    again = office.client("kroon").post(path, json={}, headers=change())
    assert again.status_code in (409, 422)
    unknown = office.client("kroon").post(path, json={"partner_id": "nobody"}, headers=change())
    assert unknown.status_code == 404
