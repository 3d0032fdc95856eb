"""Countries, coverage and feasibility by API: what is known, who may see it, and how fast one case is answered."""

from __future__ import annotations

import time
from typing import Any

import pytest
from walk.scripted import World

from web.office import Office, change

MILLISECONDS_FOR_ONE_CASE = 50  # issue 7


def test_everyone_who_is_known_reads_countries(office: Office) -> None:
    for who in ("operator", "kroon", "bailiff"):
        listed = office.client(who).get("/api/v1/countries").json()
        assert len(listed["items"]) == 249 and listed["next_cursor"] is None
        one = office.client(who).get("/api/v1/countries/UY", params={"as_of": "2024-10-01"}).json()
        assert (one["name"], one["instruments"]["hague_judgments_2019"]["standing"]) == ("Uruguay", "in_force")
        assert one["facts"]["licence_duty"]["evidence"] == "unknown"
    assert office.client().get("/api/v1/countries").status_code == 401
    linked = office.client("kroon").get("/api/v1/instruments", params={"one": "BE", "other": "UY", "as_of": "2026-06-15"})
    assert linked.json()["shared"]["judgment"] == ["hague_judgments_2019"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/instruments?one=BE&other=XX", 422), ("/instruments?one=BE", 422), ("/countries/XX", 404), ("/countries/uy", 404), ("/countries/UY?as_of=0001-01-01", 422), ("/countries?as_of=x", 422)],
)
def test_wrong_questions_are_problems(office: Office, path: str, status: int) -> None:
    response = office.client("kroon").get(f"/api/v1{path}")
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


def test_a_case_is_told_what_stands_against_it(office: Office) -> None:
    opened = office.open_case()
    path = f"/api/v1/cases/{opened['case_id']}/feasibility"
    amicable = office.client("kroon").get(path).json()
    assert (amicable["case_id"], amicable["procedure"], amicable["is_feasible"]) == (opened["case_id"], "amicable", True)
    assert len(amicable["verdicts"]) == 33
    judicial = office.client("kroon").get(path, params={"procedure": "judicial", "instrument": "epo"}).json()
    told: dict[str, Any] = {one["id"]: one for one in judicial["findings"]}
    assert not judicial["is_feasible"]
    assert told["DOC-01"]["is_blocking"] and told["DOC-01"]["owner"] == "creditor" and told["DOC-01"]["deadline_on"]
    assert told["INS-01"]["verdict"] == "found" and "cross-border" in told["INS-01"]["evidence"]
    assert told["SAN-01"]["verdict"] == "unknown" and not told["SAN-01"]["is_blocking"]
    office.client("kroon").post(
        f"/api/v1/cases/{opened['case_id']}/documents", params={"name": "c.pdf", "kind": "contract"}, content=b"x",
        headers=change(),
    )  # fmt: skip
    after = office.client("kroon").get(path, params={"procedure": "judicial"}).json()
    (proof,) = (one for one in after["findings"] if one["id"] == "DOC-01")
    assert "contract or order" not in proof["evidence"], "the data changed, so the finding did"
    assert office.client("kroon").get(path, params={"procedure": "duel"}).status_code == 422
    assert office.client("bailiff").get(path).status_code == 403


def test_one_case_is_answered_at_once(office: Office) -> None:
    opened = office.open_case()
    client = office.client("kroon")
    client.get(f"/api/v1/cases/{opened['case_id']}/feasibility")  # reads the data files
    spent = []
    for _ in range(15):
        began = time.process_time()  # what it costs, whoever else uses the machine
        assert client.get(f"/api/v1/cases/{opened['case_id']}/feasibility").status_code == 200
        spent.append((time.process_time() - began) * 1000)
    assert min(spent) < MILLISECONDS_FOR_ONE_CASE, spent


def test_coverage_is_the_operators(office: Office, world: World) -> None:
    office.open_case()
    world_now = office.client("operator").get("/api/v1/coverage").json()
    belgium = next(item for item in world_now["items"] if item["country"] == "BE")
    assert (belgium["tier"], belgium["partners"], belgium["open_cases"]) == ("quote", ["bailiff"], 1)
    assert world_now["covered"] >= 1 and len(world_now["items"]) == 250
    for who in ("kroon", "bailiff"):
        assert office.client(who).get("/api/v1/coverage").status_code == 403
