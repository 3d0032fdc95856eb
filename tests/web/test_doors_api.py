"""Connections from shadow to release, quarantine, doubt and tasks, over HTTP."""

from __future__ import annotations

import sqlalchemy as sa
from walk.scripted import World

from collecthub.sdk import CaseInstruction, CaseStatusUpdate, InstructionCode, StatusCode
from collecthub.store import tables as t
from collecthub.store.audit import verify_audit
from web.office import Office, change, once

WAVE = "/api/v1/connections/books/first-wave"


def _pulled(office: Office, world: World) -> None:
    for number, (debtor, amount) in enumerate([("A", "500.00"), ("B", "30.00"), ("C", "70.00"), ("X", "90.00")], 1):
        world.invoice(str(number), debtor, "2026-04-01", amount)
    world.invoice("9", "A", "2026-12-01", "1.00")  # not overdue
    world.parties["X"] = type(world.parties["X"])(name="No partner there", country="JP")
    assert office.client("kroon").post("/api/v1/connections/books/sync").status_code == 202
    office.run()


def test_nothing_leaves_before_a_person_has_seen_it(both_office: Office, world: World) -> None:
    _pulled(both_office, world)
    client = both_office.client("operator")
    assert not world.delivered
    wave = client.get(WAVE).json()
    assert (wave["pulled"], wave["mode"]) == (5, "shadow")
    assert wave["overdue"] == [{"currency": "EUR", "count": 4, "amount": "690.00"}]
    assert wave["leaving"] == [
        {"route": "bailiff", "partner_name": "bailiff", "country": "BE", "currency": "EUR", "cases": 3, "amount": "600.00"}
    ]
    assert [held["cases"] for held in wave["held"]] == [1]
    rules = {"debtor_refs": ["A"], "minimum_amount": "50.00"}
    tried = client.post(WAVE, json=rules).json()
    assert [(line["cases"], line["amount"]) for line in tried["leaving"]] == [(1, "70.00")]
    assert client.get(WAVE).json() == wave  # trying changes nothing
    assert both_office.client("kroon").post("/api/v1/connections/books/release", json={}).status_code == 403
    released = client.post("/api/v1/connections/books/release", json=rules).json()
    assert released["cases"] == 2
    both_office.run()
    assert [message.debtors[0].name for message in world.messages] == ["Debtor C"]
    holds = {item["debtor_ref"]: item["holds"] for item in client.get("/api/v1/cases").json()["items"]}
    assert (holds["A"], holds["B"], holds["C"]) == (["excluded"], ["excluded"], [])
    client.post("/api/v1/connections/books/release", json={})  # decided anew
    both_office.run()
    assert len(world.messages) == 3
    with both_office.hub.database.read() as conn:
        assert verify_audit(conn) == ""
        actions = list(conn.scalars(sa.select(t.audit.c.action)))
    assert actions.count("connection.released") == 2


def test_a_customer_is_left_out_by_the_number_that_people_know_and_a_slip_is_said(office: Office, world: World) -> None:
    """Exact Online's references are guids; nobody types those."""
    _pulled(office, world)
    client = office.client("operator")
    rules = {"debtor_refs": ["00a7", "B7", "A77"], "group_refs": ["wholesale"]}
    tried = client.post(WAVE, json=rules).json()
    assert [(line["cases"], line["amount"]) for line in tried["leaving"]] == [(1, "70.00")]
    assert tried["unknown"] == ["A77", "wholesale"]
    client.post("/api/v1/connections/books/release", json=rules)
    world.invoice("11", "B", "2026-05-01", "5.00", currency="USD")
    office.client("kroon").post("/api/v1/connections/books/sync")
    office.run()
    assert [message.debtors[0].name for message in world.messages] == ["Debtor C"], "what comes later stays too"


def test_a_case_that_runs_elsewhere_is_followed_and_not_sent(office: Office, world: World) -> None:
    _pulled(office, world)
    client = office.client("operator")
    items = client.get("/api/v1/cases", params={"debtor": "C"}).json()["items"]
    body = {"holder_name": "Old Office", "holder_ref": "OO-1", "balance": "70.00"}
    path = f"/api/v1/cases/{items[0]['case_id']}/take-over"
    assert client.post(path, json=body, headers=change(items[0]["version"])).status_code == 200
    client.post("/api/v1/connections/books/release", json={})
    office.run()
    assert sorted(message.debtors[0].name for message in world.messages) == ["Debtor A", "Debtor B"]


def test_quarantine_is_shown_retried_and_resolved(office: Office, world: World) -> None:
    world.say("bad", {"type": "case_status_update", "message_id": "m"})
    world.outbox[-1] = ("bad", b"{truncated")
    client = office.client("operator")
    assert client.post("/api/v1/connections/line/sync").status_code == 202
    office.run()
    (entry,) = client.get("/api/v1/quarantine").json()["items"]
    assert entry["code"] == "json.malformed"
    path = f"/api/v1/quarantine/{entry['quarantine_id']}"
    saved = client.get(f"{path}/content")
    assert (saved.content, saved.headers["content-disposition"][:10]) == (b"{truncated", "attachment")
    assert client.post(f"{path}/retry").status_code == 200
    with office.hub.database.read() as conn:
        assert conn.scalar(sa.select(t.inbox.c.state)) == "stored"
    assert ("record", "line") in office.queue.waiting
    assert client.post(f"{path}/resolve", json={"note": "asked them"}).status_code == 200
    resolved = client.get(path).json()
    assert (resolved["state"], resolved["resolution"]) == ("resolved", "asked them")
    assert client.post(f"{path}/retry").status_code == 422


def test_a_retried_message_has_its_effect_once_its_code_is_known(office: Office, world: World) -> None:
    case_id = office.open_case()["case_id"]
    office.run()
    news = CaseStatusUpdate(
        message_id="s1", case_id=case_id, sequence=1, status_code="HOUSE-7", occurred_at=office.hub.now()
    )
    world.say("s", news)
    client = office.client("operator")
    client.post("/api/v1/connections/line/sync")
    office.run()
    (entry,) = client.get("/api/v1/quarantine").json()["items"]
    assert entry["code"] == "status.unknown"
    office.hub.plugins.codes["collecthub"]["HOUSE-7"] = StatusCode(code="HOUSE-7", meaning="contact_made")
    assert client.post(f"/api/v1/quarantine/{entry['quarantine_id']}/retry").status_code == 200
    office.run()
    timeline = client.get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    assert [item["fact"]["meaning"] for item in timeline if item["kind"] == "status_reported"] == ["contact_made"]


def test_a_sending_in_doubt_is_settled_by_a_person(office: Office, world: World) -> None:
    case_id = office.open_case()["case_id"]
    world.lose_receipts = 1
    office.run()
    client = office.client("operator")
    (doubt,) = client.get("/api/v1/dispatches", params={"state": "in_doubt"}).json()["items"]
    path = f"/api/v1/dispatches/{doubt['envelope_id']}"
    assert [step["outcome"] for step in client.get(path).json()["tries"]] == ["in_doubt"]
    assert client.post(f"{path}/settle", json={"verdict": "maybe"}, headers=once()).status_code == 422
    assert client.post(f"{path}/settle", json={"verdict": "arrived"}, headers=once()).status_code == 200
    assert client.post(f"{path}/settle", json={"verdict": "arrived"}, headers=once()).status_code == 422
    office.run()
    case = client.get(f"/api/v1/cases/{case_id}").json()
    assert (case["status"], len(world.delivered)) == ("sent", 1)
    (message,) = client.get(f"/api/v1/cases/{case_id}/messages").json()["items"]
    assert [step["name"] for step in message["ladder"]] == ["queued", "sent"]


def test_a_question_is_answered_and_the_answer_reaches_the_holder(office: Office, world: World) -> None:
    case_id = office.open_case()["case_id"]
    office.run()
    world.say("q", CaseInstruction(message_id="q1", case_id=case_id, code=InstructionCode.QUESTION, text="contract?"))
    office.client("operator").post("/api/v1/connections/line/sync")
    office.run()
    client = office.client("kroon")
    seen = client.get(f"/api/v1/cases/{case_id}").json()
    assert seen["holds"][0]["reason"] == "waiting_creditor"
    body, headers = {"text": "Here it is."}, change(seen["version"])
    assert client.post(f"/api/v1/cases/{case_id}/answers", json=body, headers=headers).status_code == 200
    assert client.post(f"/api/v1/cases/{case_id}/cost-decisions", json={"is_approved": True, "text": "up to 50"},
                       headers=change()).status_code == 200  # fmt: skip
    office.run()
    told = [(message.code, message.text) for message in world.messages if isinstance(message, CaseInstruction)]
    assert told == [(InstructionCode.ANSWER, "Here it is."), (InstructionCode.COST_APPROVED, "up to 50")]


def test_tasks_are_listed_and_done(office: Office, world: World) -> None:
    _pulled(office, world)
    client = office.client("operator")
    client.post("/api/v1/connections/books/release", json={})
    office.run()
    (task,) = client.get("/api/v1/tasks").json()["items"]
    assert task["kind"] == "unroutable"
    assert office.client("other").post(f"/api/v1/tasks/{task['task_id']}/complete").status_code == 404
    assert client.post(f"/api/v1/tasks/{task['task_id']}/complete").status_code == 200
    assert client.get("/api/v1/tasks").json()["items"] == []
    assert client.get("/api/v1/tasks", params={"state": "done"}).json()["items"][0]["done_by"].startswith("key:")


def test_a_connection_with_wrong_settings_is_refused_by_field(office: Office) -> None:
    body = {"kind": "nothing", "name": "n", "creditor_id": "kroon", "settings": {}}
    client = office.client("operator")
    unknown = client.post("/api/v1/connections", json=body, headers=once())
    assert (unknown.status_code, unknown.json()["code"]) == (422, "configuration")
    mixed = {**body, "kind": "scripted_erp", "partner_id": "bailiff"}
    assert client.post("/api/v1/connections", json=mixed, headers=once()).status_code == 422
    made = client.post("/api/v1/connections", json={**body, "kind": "scripted_erp"}, headers=once())
    assert made.json()["mode"] == "shadow"
    assert office.client("kroon").post("/api/v1/webhooks/books/test").status_code == 404  # an ERP


