"""The partner's REST API: what it posts becomes the events that the same words over SFTP or SOAP become."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from web.office import Office, change, once

from collecthub.engine.inward import record_connection
from partner.agency_office import AGENCY, add_agency, case_file_of, placed_case, post

AT = "2026-06-15T00:00:00Z"


def facts(office: Office, case_id: str, kind: str) -> list[dict[str, Any]]:
    items = office.client("operator").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    return [{"actor": item["actor"], **item["fact"]} for item in items if item["kind"] == kind]


def accepted(office: Office, agency: TestClient, **changes: Any) -> str:
    case_id = str(placed_case(office, **changes)["case_id"])
    response = post(agency, f"cases/{case_id}/acceptance", {"holder_ref": "UY-7"})
    assert response.status_code == 202, response.text
    office.run()
    return case_id


def test_a_case_is_listed_fetched_and_accepted(both_office: Office, both_agency: TestClient) -> None:
    case_id = placed_case(both_office)["case_id"]
    (line,) = both_agency.get("/api/v1/partner/cases", params={"asked": "acceptance"}).json()["items"]
    assert (line["case_id"], line["demanded"], line["asked"]) == (case_id, "120.50", "acceptance")
    file = case_file_of(both_agency, case_id)
    assert (file.principal, file.creditor.name, len(file.claims)) == (Decimal("120.50"), "Brouwerij De Kroon", 1)
    response = post(both_agency, f"cases/{case_id}/acceptance", {"holder_ref": "UY-7"})
    assert (response.status_code, response.json()["state"]) == (202, "received")
    both_office.run()
    state = both_agency.get(f"/api/v1/partner/reports/{response.json()['report_id']}").json()
    assert state["state"] == "recorded"
    (fact,) = facts(both_office, case_id, "case_accepted")
    assert (fact["holder_ref"], fact["actor"]) == ("UY-7", f"partner:{AGENCY}")
    again = post(both_agency, f"cases/{case_id}/acceptance", {"holder_ref": "UY-8"})
    assert (again.status_code, again.json()["code"]) == (422, "refused")
    assert both_agency.get("/api/v1/partner/cases", params={"asked": "acceptance"}).json()["items"] == []


def test_a_refusal_frees_the_case_with_its_reason(office: Office, agency: TestClient) -> None:
    case_id = placed_case(office)["case_id"]
    post(agency, f"cases/{case_id}/refusal", {"reason_code": "no_capacity", "reason": "Full until August"})
    office.run()
    (fact,) = facts(office, case_id, "case_refused")
    assert (fact["code"], fact["reason"]) == ("no_capacity", "Full until August")
    assert office.client("operator").get(f"/api/v1/cases/{case_id}").json()["status"] != "accepted"


REPORTS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "questions": ({"text": "Which VAT number?"}, "instruction_received", {"code": "question", "text": "Which VAT number?"}),
    "status-reports": (
        {"status_code": "contact_made", "occurred_at": AT}, "status_reported", {"meaning": "contact_made"},
    ),
    "costs": (
        {"cost_ref": "c1", "cost_type": "court_fee", "currency": "EUR", "amount": "30.00", "tax_amount": "6.30",
         "bearer": "debtor", "occurred_on": "2026-06-14"},
        "cost_reported", {"amount": "30.00", "tax_amount": "6.30", "bearer": "debtor"},
    ),
    "receipts": (
        {"payment_ref": "p1", "currency": "EUR", "amount": "20.50", "received_on": "2026-06-14"},
        "payment_reported", {"amount": "20.50", "payment_ref": "p1"},
    ),
    "plans": (
        {"currency": "EUR", "instalments": [{"due_on": "2026-07-01", "amount": "60.25"}, {"due_on": "2026-08-01", "amount": "60.25"}],
         "is_agreed": True, "occurred_at": AT},
        "status_reported", {"meaning": "plan_agreed", "next_deadline_on": "2026-07-01"},
    ),
    "disputes": (
        {"text": "Goods were broken", "currency": "EUR", "disputed_amount": "50.00", "occurred_at": AT},
        "status_reported", {"meaning": "dispute_raised", "text": "50.00 EUR: Goods were broken"},
    ),
    "return": (
        {"close_code": "untraceable", "currency": "EUR", "remaining": "120.50", "occurred_on": "2026-06-15"},
        "case_returned", {"outcome": "untraceable", "remaining": "120.50"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REPORTS)
def test_every_report_becomes_its_event_once(office: Office, agency: TestClient, what: str) -> None:
    case_id = accepted(office, agency)
    body, kind, wanted = REPORTS[what]
    first = post(agency, f"cases/{case_id}/{what}", body, key="k1")
    again = post(agency, f"cases/{case_id}/{what}", body, key="k1")
    assert (first.status_code, first.content) == (202, again.content), first.text
    assert again.headers["idempotent-replayed"] == "true"
    changed = post(agency, f"cases/{case_id}/{what}", {**body, **({"amount": "1.00"} if "amount" in body else {"text": "other"})}, key="k1")
    assert (changed.status_code, changed.json()["code"]) == (422, "idempotency-key-reused")
    office.run()
    (fact,) = facts(office, case_id, kind)
    assert {name: fact[name] for name in wanted} == wanted
    assert fact["actor"] == f"partner:{AGENCY}"


def test_a_code_nobody_knows_is_parked_and_the_rest_goes_on(office: Office, agency: TestClient) -> None:
    case_id = accepted(office, agency)
    parked = post(agency, f"cases/{case_id}/status-reports", {"status_code": "fax_sent", "occurred_at": AT}).json()
    post(agency, f"cases/{case_id}/status-reports", {"status_code": "site_visit", "occurred_at": AT})
    office.run()
    state = agency.get(f"/api/v1/partner/reports/{parked['report_id']}").json()
    assert "status.unknown" in state["problem"]
    assert [fact["meaning"] for fact in facts(office, case_id, "status_reported")] == ["site_visit"]
    (entry,) = office.client("operator").get("/api/v1/quarantine").json()["items"]
    assert entry["code"] == "status.unknown"


def test_a_fault_in_a_message_names_its_place_once(office: Office, agency: TestClient) -> None:
    told = exchange(accepted(office, agency))
    told["messages"][0]["next_deadline_on"] = "2026-02-30"
    post(agency, "exchanges", told)
    office.run()
    (entry,) = office.client("operator").get("/api/v1/quarantine").json()["items"]
    assert entry["reason"].count("messages[0].next_deadline_on") == 1, entry["reason"]


def test_a_late_report_is_kept_and_moves_nothing(office: Office, agency: TestClient) -> None:
    case_id = accepted(office, agency)
    for code, at in (("judgment_given", "2026-06-14T12:00:00Z"), ("summons_served", "2026-06-10T12:00:00Z")):
        post(agency, f"cases/{case_id}/status-reports", {"status_code": code, "occurred_at": at})
    office.run()
    assert [fact["is_late"] for fact in facts(office, case_id, "status_reported")] == [False, True]


def test_a_recall_is_confirmed(office: Office, agency: TestClient) -> None:
    case_id = accepted(office, agency)
    office.client("kroon").post(f"/api/v1/cases/{case_id}/withdraw", json={"text": "settled"}, headers=change())
    office.run()
    (line,) = agency.get("/api/v1/partner/cases", params={"asked": "recall"}).json()["items"]
    assert line["case_id"] == case_id
    assert post(agency, f"cases/{case_id}/confirmation", {}).status_code == 202
    office.run()
    (fact,) = facts(office, case_id, "amendment_acknowledged")
    assert fact["code"] == "recall"


def test_a_document_is_added_once(office: Office, agency: TestClient) -> None:
    case_id = accepted(office, agency)
    path = f"/api/v1/partner/cases/{case_id}/documents"
    for _ in range(2):
        made = agency.post(path, params={"name": "letter.pdf", "kind": "correspondence"}, content=b"%PDF-", headers=once())
        assert made.status_code == 201, made.text
    (document,) = office.client("kroon").get(f"/api/v1/cases/{case_id}/documents").json()["items"]
    assert (document["name"], document["added_by"]) == ("letter.pdf", f"partner:{AGENCY}")


def exchange(case_id: str, code: str = "contact_made", sender: str = AGENCY) -> dict[str, Any]:
    message = {
        "type": "case_status_update", "message_id": f"m-{case_id}-{code}", "case_id": case_id, "sequence": 1,
        "status_code": code, "occurred_at": AT,
    }  # fmt: skip
    return {
        "exchange_id": f"x-{case_id}"[:60], "version": "1.0", "sender_ref": sender, "receiver_ref": "collecthub",
        "created_at": AT, "message_count": 1, "messages": [message],
    }  # fmt: skip


def test_many_reports_in_one_exchange(office: Office, agency: TestClient) -> None:
    case_id = accepted(office, agency)
    body = exchange(case_id)
    body["messages"].append({**body["messages"][0], "message_id": "m-bad", "sequence": "no number"})
    body["message_count"] = 2
    told = post(agency, "exchanges", body).json()
    office.run()
    state = agency.get(f"/api/v1/partner/reports/{told['report_id']}").json()
    assert state["state"] == "recorded" and "sequence" in state["problem"]
    assert len(facts(office, case_id, "status_reported")) == 1
    foreign = post(agency, "exchanges", exchange(case_id, sender="somebody"))
    assert foreign.status_code == 422


def test_a_report_that_came_before_its_case_counts_when_the_case_is_there(office: Office, agency: TestClient) -> None:
    stranger = add_agency(office, "agency-cl", "CL")
    case_id = str(office.open_case(debtor={"name": "Viña", "country": "UY"})["case_id"])
    for client, sender in ((agency, AGENCY), (stranger, "agency-cl")):
        told = post(client, "exchanges", exchange(case_id, sender=sender))
        assert told.status_code == 202
    record_connection(office.hub, f"box-{AGENCY}")
    record_connection(office.hub, "box-agency-cl")
    entries = office.client("operator").get("/api/v1/quarantine").json()["items"]
    assert {entry["code"] for entry in entries} == {"record.unknown_case"}
    office.run()
    (fact,) = facts(office, case_id, "status_reported")
    assert fact["actor"] == f"partner:{AGENCY}"
    still = office.client("operator").get("/api/v1/quarantine").json()["items"]
    assert [entry["connection_id"] for entry in still] == ["box-agency-cl"]
