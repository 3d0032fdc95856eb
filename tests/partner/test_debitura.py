"""Against the Debitura twin, in a hub: its flow, close codes and events expressed through the partner plugin."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web.office import Office, change, once
from web.server import served

import collecthub_partner_network
from collecthub.engine.inward import receive_connection
from collecthub.model.partner import PartnerProfile
from collecthub.model.status_tables import status_tables
from collecthub.sandbox.agency_debitura import STATUSES
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.store.connections import write_partner
from collecthub_partner_network.debitura_mapping import _EVENTS
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


# What the network publishes, and what the hub makes of it; docs/connectors/debitura.md shows the same. Of states: the fact in the
# history and what it says; of close codes: the outcome, or None where a person decides between the candidates.
STATES = {
    "PendingContractSigning": ("instruction_received", "signed"), "PendingVerificationInternal": ("case_acknowledged", ""),
    "PendingVerification": ("", "the partner is still looking"), "NeedsAdditionalDetails": ("instruction_received", "details"),
    "Leads": ("case_acknowledged", ""), "LeadsQuoteGiven": ("status_reported", "quote_given"), "Active": ("case_accepted", ""),
    "Paused": ("status_reported", "hold_set"), "Closed": ("status_reported", "closed"), "Merged": ("status_reported", "merged"),
}  # fmt: skip
CLOSE_CODES = {
    "Paid": "paid_full", "Partially paid": "paid_partial", "Debtor Untraceable": "untraceable",
    "Disputed – Legal Action Declined by Client": "disputed_no_action", "Withdrawn by Client": "withdrawn",
    "Statute of Limitations Expired": "statute_barred", "Settlement Rejected by Client": "settlement_rejected",
    "Unresponsive Client": "creditor_unresponsive", "Uneconomical to Pursue": "uneconomical", "Other": "other",
    "Invalid Case Data": "invalid_data", "No Quotes Received": "no_quote", "Quotes Expired – Not Accepted": "no_quote",
    "Debtor Insolvent/Bankrupt": None, "Pre-Legal Exhausted – No Payment": None, "Pre-Legal Exhausted": None,
    "Case never started": None,
}  # fmt: skip
EVENTS = {  # and the test below that sends it
    "case.created": "test_a_case_from_signature_to_payment", "case.updated": "test_every_state_of_the_flow_is_said",
    "case.closed": "test_every_close_code_ends_the_case_or_waits_for_a_person",
    "payment.created": "test_a_case_from_signature_to_payment", "payment.deleted": "test_a_case_from_signature_to_payment",
    "chat.created": "test_a_case_from_signature_to_payment",
}  # fmt: skip


def opened(office: Office, twin: RunningTwin, count: int) -> list[tuple[str, str]]:
    """So many cases with the network, sent at once: our ids and theirs."""
    ours = [str(office.open_case(debtor={"name": f"Viña {number}", "country": "CL"})["case_id"]) for number in range(count)]
    office.run()
    theirs = {case["reference"]: key for key, case in twin.control("books")["cases"].items()}
    return [(case_id, theirs[case_id]) for case_id in ours]


def parked(office: Office) -> dict[str, str]:
    return {entry["case_id"]: entry["reason"] for entry in office.client("operator").get("/api/v1/quarantine").json()["items"]}


def test_every_state_of_the_flow_is_said(office: Office, twin: RunningTwin, line: str) -> None:
    cases = dict(zip(STATES, opened(office, twin, len(STATES)), strict=True))
    for state, (_, theirs) in cases.items():
        twin.control("advance", {"case": theirs, "status": state, "text": "Which details?"})
    hear(office, line)
    doubts = parked(office)
    for state, (kind, says) in STATES.items():
        case_id = cases[state][0]
        if not kind:
            assert says in doubts[case_id], state
            continue
        heard = facts(office, case_id, kind)
        assert heard and says in str(heard[-1]), (state, heard)
    assert "partner_pause" in {hold["reason"] for hold in case_of(office, cases["Paused"][0])["holds"]}
    assert set(doubts) & {ours for ours, _ in cases.values()} == {cases["PendingVerification"][0]}


def test_every_close_code_ends_the_case_or_waits_for_a_person(office: Office, twin: RunningTwin, line: str) -> None:
    table = status_tables()["debitura"]
    cases = dict(zip(CLOSE_CODES, opened(office, twin, len(CLOSE_CODES)), strict=True))
    for code, (_, theirs) in cases.items():
        twin.control("close", {"case": theirs, "code": code})
    hear(office, line)
    doubts = parked(office)
    for code, outcome in CLOSE_CODES.items():
        case_id = cases[code][0]
        if outcome is not None:
            assert [fact["outcome"] for fact in facts(office, case_id, "case_returned")] == [outcome], code
        else:
            assert table.ambiguous[code].reason in doubts[case_id]
            assert all(candidate in doubts[case_id] for candidate in table.ambiguous[code].candidates)


def test_the_page_and_the_twin_know_the_same_states_codes_and_events() -> None:
    page = (Path(__file__).parents[2] / "docs" / "connectors" / "debitura.md").read_text(encoding="utf-8")
    named = {row.split("|")[1].strip().strip("`") for row in page.splitlines() if row.startswith("| `")}
    assert named == {*STATES, *CLOSE_CODES, *EVENTS}
    assert set(STATES) == set(STATUSES) and set(EVENTS) == set(_EVENTS)
    assert all(f"`{name}`" in page and name in globals() for name in EVENTS.values())
    table = status_tables()["debitura"]
    coded = {code for code, row in table.codes.items() if row.outcome} | {*table.ambiguous} - {"PendingVerification"}
    assert set(CLOSE_CODES) == coded


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
