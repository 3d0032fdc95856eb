"""Against the Debitura twin, in a hub: its flow, close codes and events expressed through the partner plugin."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from web.office import Office, change, once
from web.server import served

import collecthub_partner_network
from collecthub.engine.inward import receive_connection
from collecthub.model.partner import PartnerProfile
from collecthub.model.status_tables import status_tables
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.store.connections import write_partner
from partner.test_partner_api import facts

SECRET = "a-shared-secret-of-the-network"


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    found = start_twin("debitura", tmp_path_factory.mktemp("debitura"))
    yield found
    found.stop()


@pytest.fixture
def line(office: Office, twin: RunningTwin) -> str:
    """The network as the partner for Chile; its connection."""
    office.hub.plugins.add("partner_network", collecthub_partner_network)
    now = office.hub.now()
    with office.hub.database.write() as conn:
        write_partner(conn, PartnerProfile(partner_id="debitura", name="Debitura", role="agency", countries=("CL",)), now)
    body = {
        "kind": "debitura", "name": "Debitura", "partner_id": "debitura",
        "settings": {"base_url": twin.url, "token": twin.facts["token"], "hook_secret": SECRET},
    }  # fmt: skip
    made = office.client("operator").post("/api/v1/connections", json=body, headers=once())
    assert made.status_code == 201, made.text
    return str(made.json()["connection_id"])


def placed(office: Office, twin: RunningTwin) -> tuple[str, str]:
    """A case with the network: our id and theirs."""
    case_id = str(office.open_case(debtor={"name": "Viña Ñandú", "country": "CL"})["case_id"])
    office.run()
    (theirs,) = [key for key, case in twin.control("books")["cases"].items() if case["reference"] == case_id]
    return case_id, theirs


def hear(office: Office, line: str) -> None:
    receive_connection(office.hub, line)
    office.run()


def case_of(office: Office, case_id: str) -> Any:
    return office.client("operator").get(f"/api/v1/cases/{case_id}").json()


def raw_post(twin: RunningTwin, path: str, body: bytes, key: str) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {twin.facts['token']}", "Idempotency-Key": key}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{twin.url}/{path}", body, headers)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_the_twin_replays_a_key_and_refuses_another_body(twin: RunningTwin) -> None:
    body = b'{"reference":"r","debtor":{"name":"x"},"amount":"1.00","currency":"EUR"}'
    first, again = raw_post(twin, "cases", body, "k1"), raw_post(twin, "cases", body, "k1")
    assert first == again and first[0] == 201
    assert raw_post(twin, "cases", body.replace(b"1.00", b"2.00"), "k1")[0] == 422


def test_a_case_from_signature_to_payment(office: Office, twin: RunningTwin, line: str) -> None:
    case_id, theirs = placed(office, twin)
    hear(office, line)
    placement = case_of(office, case_id)["placement"]
    assert placement["holder_ref"] == theirs and placement["accepted_at"] is None
    (asked,) = facts(office, case_id, "instruction_received")
    assert "signed" in asked["text"] and f"/contracts/{theirs}/sign" in asked["text"]
    assert raw_post(twin, f"contracts/{theirs}/sign", b"{}", f"sign-{theirs}")[0] == 200
    twin.control("advance", {"case": theirs, "status": "NeedsAdditionalDetails", "text": "Which tax number?"})
    hear(office, line)
    assert case_of(office, case_id)["placement"]["accepted_at"] is not None
    assert facts(office, case_id, "instruction_received")[-1]["text"] == "Which tax number?"
    office.client("kroon").post(f"/api/v1/cases/{case_id}/answers", json={"text": "CL 76.123"}, headers=change())
    office.run()
    theirs_now = twin.control("books")["cases"][theirs]
    assert theirs_now["status"] == "Active" and theirs_now["notes"] == [{"kind": "details", "text": "CL 76.123"}]
    paid = {"case": theirs, "amount": "50.00", "currency": "EUR", "on": "2026-06-14"}
    number = twin.control("pay", paid)["payment"]
    twin.control("pay", {**paid, "amount": "10.00", "recipient": "creditor"})
    twin.control("chat", {"case": theirs, "text": "May we settle at half?"})
    hear(office, line)
    assert [fact["amount"] for fact in facts(office, case_id, "payment_reported")] == ["50.00"]
    assert facts(office, case_id, "status_reported")[-1]["meaning"] == "payment_direct"
    assert facts(office, case_id, "instruction_received")[-1]["text"] == "May we settle at half?"
    twin.control("unpay", {"case": theirs, "payment": number})
    hear(office, line)
    assert [fact["amount"] for fact in facts(office, case_id, "payment_reported")] == ["50.00", "-50.00"]


def test_a_recall_closes_the_case_there(office: Office, twin: RunningTwin, line: str) -> None:
    case_id, theirs = placed(office, twin)
    hear(office, line)
    office.client("kroon").post(f"/api/v1/cases/{case_id}/withdraw", json={"text": "paid in cash"}, headers=change())
    office.run()
    assert twin.control("books")["cases"][theirs]["closeCode"] == "Withdrawn by Client"
    assert facts(office, case_id, "amendment_acknowledged")[0]["code"] == "recall"


def test_close_codes_end_the_case_or_wait_for_a_person_with_the_reason(office: Office, twin: RunningTwin, line: str) -> None:
    table = status_tables()["debitura"]
    codes = [code for code, row in table.codes.items() if row.outcome] + [
        code for code in table.ambiguous if code != "PendingVerification"
    ]
    chosen = [*codes[:4], *[code for code in codes if code in table.ambiguous]]
    closing = {code: placed(office, twin) for code in chosen}
    for code, (_, theirs) in closing.items():
        twin.control("close", {"case": theirs, "code": code})
    hear(office, line)
    parked = {entry["case_id"]: entry for entry in office.client("operator").get("/api/v1/quarantine").json()["items"]}
    for code, (case_id, _) in closing.items():
        if code in table.ambiguous:
            assert table.ambiguous[code].reason in parked[case_id]["reason"]
            assert all(candidate in parked[case_id]["reason"] for candidate in table.ambiguous[code].candidates)
        else:
            wanted = table.codes[code].outcome
            assert [fact["outcome"] for fact in facts(office, case_id, "case_returned")] == [wanted], code


def test_a_push_counts_once_and_only_within_five_minutes(office: Office, twin: RunningTwin, line: str) -> None:
    case_id, theirs = placed(office, twin)
    with served(office.app) as url:
        twin.control("hook", {"hook_url": f"{url}/hooks/{line}", "secret": SECRET})
        assert twin.control("push", {"skew_seconds": -301})["statuses"] == [401]
        assert twin.control("push", {"secret": "another"})["statuses"] == [401]
        assert set(twin.control("push", {})["statuses"]) == {200}
        twin.control("advance", {"case": theirs, "status": "Active"})
        assert twin.control("push", {})["statuses"] == [200]
    office.run()
    hear(office, line)  # the log shows the same events again
    assert len(facts(office, case_id, "case_accepted")) == 1
