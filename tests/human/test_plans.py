"""A plan in the hub: API, hold, matched payments, tasks, settlement by law."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from web.office import Office, change

from collecthub.store import tables as t
from human.conftest import Later


def post(office: Office, path: str, wanted: int = 200, **body: Any) -> dict[str, Any]:
    response = office.client("kroon").post(f"/api/v1/cases/{path}", json=body, headers=change())
    assert response.status_code == wanted, response.text
    found: dict[str, Any] = response.json()
    return found


def case(office: Office, case_id: str) -> dict[str, Any]:
    found: dict[str, Any] = office.client("kroon").get(f"/api/v1/cases/{case_id}").json()
    return found


def plan(office: Office, case_id: str) -> dict[str, Any]:
    found: dict[str, Any] = office.client("kroon").get(f"/api/v1/cases/{case_id}/plan").json()["plan"]
    return found


def tasks(office: Office, case_id: str) -> set[str]:
    with office.hub.database.read() as conn:
        return set(conn.scalars(sa.select(t.tasks.c.kind).where(t.tasks.c.case_id == case_id, t.tasks.c.state == "open")))


def agreed(office: Office, **body: Any) -> str:
    case_id = str(office.open_case()["case_id"])
    post(office, f"{case_id}/plan/propose", **(body or {"instalments": 3, "first_on": "2026-07-01"}))
    post(office, f"{case_id}/plan/agree")
    return case_id


def test_a_plan_holds_the_case_and_ends_with_the_last_instalment(both_office: Office, later: Later) -> None:
    office = both_office
    case_id = agreed(office)
    office.run()
    held = case(office, case_id)
    assert [hold["reason"] for hold in held["holds"]] == ["plan"] and held["placement"] is None, "nobody was sent after him"
    found = plan(office, case_id)
    assert [one["amount"] for one in found["instalments"]] == ["40.16", "40.16", "40.18"] and found["state"] == "agreed"
    assert "free of charge" in " ".join(found["agreements"])
    later(office, 10)
    post(office, f"{case_id}/payments", amount="40.16", paid_on="2026-06-24")
    post(office, f"{case_id}/payments", amount="40.16", paid_on="2026-06-25")
    assert [one["is_met"] for one in plan(office, case_id)["instalments"]] == [True, True, False]
    assert "plan_encouragement" in tasks(office, case_id)
    post(office, f"{case_id}/payments", amount="40.18", paid_on="2026-06-25")
    assert plan(office, case_id)["state"] == "completed"
    assert case(office, case_id)["outcome"] == "paid_before_handover"


def test_a_missed_instalment_goes_from_free_reminder_to_the_handler_to_collection(office: Office, later: Later) -> None:
    case_id = agreed(office)
    later(office, 21)
    assert plan(office, case_id)["state"] == "late" and "plan_reminder" in tasks(office, case_id)
    assert case(office, case_id)["balance"]["total"] == "120.50", "the reminder is free"
    later(office, 15)
    assert plan(office, case_id)["state"] == "broken" and "plan_broken" in tasks(office, case_id)
    assert case(office, case_id)["placement"] is None
    post(office, f"{case_id}/plan/end", reason="he does not answer")
    office.run()
    assert case(office, case_id)["placement"]["partner_id"] == "bailiff"
    assert "plan_broken" not in tasks(office, case_id)


def test_beyond_the_limits_a_person_says_why(office: Office) -> None:
    case_id = str(office.open_case()["case_id"])
    post(office, f"{case_id}/plan/propose", capacity="5.00", is_by_debtor=True)
    assert "plan_proposed" in tasks(office, case_id)
    assert any("12 months" in why for why in plan(office, case_id)["exceeded"])
    assert "beyond" in post(office, f"{case_id}/plan/agree", wanted=422)["detail"]
    post(office, f"{case_id}/plan/agree", reason="ill, and back at work in autumn")
    assert plan(office, case_id)["state"] == "agreed" and "plan_proposed" not in tasks(office, case_id)


def test_what_somebody_can_pay_is_never_guessed(office: Office) -> None:
    case_id = str(office.open_case()["case_id"])
    assert "nobody knows" in post(office, f"{case_id}/plan/propose", wanted=422)["detail"]
    post(office, f"{case_id}/plan/propose", instalments=2)
    post(office, f"{case_id}/plan/refuse", reason="he can pay at once")
    assert plan(office, case_id)["state"] == "refused"
    assert post(office, f"{case_id}/plan/agree", wanted=422)["detail"]


def test_the_settlement_adds_up_and_its_interest_is_the_laws(office: Office) -> None:
    """120.50 EUR between companies in Belgium, due on 1 May 2026: 10.5 % a year until 30 June, by hand."""
    case_id = agreed(office)
    post(office, f"{case_id}/payments", amount="60.25", paid_on="2026-06-15")
    found = office.client("kroon").get(f"/api/v1/cases/{case_id}/plan/settlement", params={"until": "2026-06-30"}).json()
    (claim,) = found["claims"]
    assert (claim["principal"], claim["paid"], claim["open"], found["open"]) == ("120.50", "60.25", "60.25", "60.25")
    law = office.client("kroon").get("/api/v1/cases/" + case_id).json()["segment"]
    assert law in ("B2B", "B2C") and claim["interest_until"] == "2026-06-30"
    assert found["received"] == [["2026-06-15", "60.25", found["received"][0][2]]]


def test_whoever_has_the_case_is_told_to_pause_and_to_go_on(office: Office, later: Later) -> None:
    case_id = str(office.open_case()["case_id"])
    office.run()
    assert case(office, case_id)["placement"]["partner_id"] == "bailiff"
    post(office, f"{case_id}/plan/propose", instalments=3)
    post(office, f"{case_id}/plan/agree")
    office.run()
    told = [one["fact"]["code"] for one in timeline(office, case_id) if one["kind"] == "amendment_queued"]
    assert told == ["suspend"]
    post(office, f"{case_id}/plan/end", reason="he asked for it")
    office.run()
    told = [one["fact"]["code"] for one in timeline(office, case_id) if one["kind"] == "amendment_queued"]
    assert told == ["suspend", "resume"]


def timeline(office: Office, case_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.client("kroon").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    return found


def test_two_of_four_parts_are_half_though_the_last_carries_the_cents(office: Office, later: Later) -> None:
    case_id = agreed(office, instalments=4, first_on="2026-07-01")
    assert [one["amount"] for one in plan(office, case_id)["instalments"]] == ["30.12", "30.12", "30.12", "30.14"]
    later(office, 1)
    post(office, f"{case_id}/payments", amount="60.23", paid_on="2026-06-16")
    assert "plan_encouragement" not in tasks(office, case_id), "a cent of the second part lacks"
    post(office, f"{case_id}/payments", amount="0.01", paid_on="2026-06-16")
    assert "plan_encouragement" in tasks(office, case_id), "60.24 of 120.50"
