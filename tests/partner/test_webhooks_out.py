"""Webhooks to creditors and partners, checked with the reference library of Standard Webhooks."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from web.office import Office, once

import collecthub_creditor_webhook
from collecthub.engine.webhook_schedule import webhook_wait
from collecthub.store import tables as t
from partner.agency_office import placed_case, post
from partner.endpoint import Call, Endpoint, listening


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with listening() as found:
        yield found


def subscribe(office: Office, client: TestClient, url: str, **more: Any) -> dict[str, str]:
    if "partner_webhook" not in office.hub.plugins.connectors:
        office.hub.plugins.add("creditor_webhook", collecthub_creditor_webhook)
    response = client.post("/api/v1/webhooks", json={"url": url, **more}, headers=once())
    assert response.status_code == 201, response.text
    found: dict[str, str] = response.json()
    return found


def due_now(office: Office) -> None:
    """As if the waits were over."""
    with office.hub.work() as work:
        work.conn.execute(sa.update(t.reports).values(next_attempt_at=None))
        for row in work.conn.execute(sa.select(t.connections.c.connection_id).where(t.connections.c.role == "reporter")):
            work.wake("report", row.connection_id)
    office.run()


def deliveries(client: TestClient, webhook_id: str, **params: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/api/v1/webhooks/{webhook_id}/deliveries", params=params).json()["items"]
    return items


def test_a_partner_hears_of_its_case_and_of_nothing_else(office: Office, agency: TestClient, endpoint: Endpoint) -> None:
    secret = subscribe(office, agency, endpoint.url)["secret"]
    case_id = placed_case(office)["case_id"]
    placed_case(office, country="BE")  # goes to the bailiff
    (call,) = endpoint.calls
    event = Webhook(secret).verify(call.body, call.headers)
    assert (event["type"], event["data"]["case_id"]) == ("case.case_sent", case_id)
    assert not {"debtor_ref", "outcome"} & event["data"].keys()
    assert b"zoe" not in call.body and b"kroon" not in call.body


def test_a_plugin_that_is_off_stops_no_case_and_what_it_wanted_is_told_later(
    office: Office, agency: TestClient, endpoint: Endpoint
) -> None:
    made = subscribe(office, agency, endpoint.url)
    kind = office.hub.plugins.connectors.pop("partner_webhook")
    case_id = placed_case(office)["case_id"]
    noted = office.client("kroon").post(f"/api/v1/cases/{case_id}/notes", json={"text": "wanted by nobody"}, headers=once())
    assert noted.status_code == 200, "the case goes on"
    assert office.client("operator").get(f"/api/v1/connections/{made['webhook_id']}").json()["connection"]["status"] == "stopped"
    assert endpoint.calls == []
    office.hub.plugins.connectors["partner_webhook"] = kind
    assert agency.post(f"/api/v1/webhooks/{made['webhook_id']}/resume").status_code == 200
    office.run()
    (call,) = endpoint.calls
    assert Webhook(made["secret"]).verify(call.body, call.headers)["type"] == "case.case_sent"
    assert [one["kind"] for one in deliveries(agency, made["webhook_id"])] == ["case_sent"]


@pytest.mark.parametrize(
    ("events", "code"),
    [(["case_opened"], "configuration"), (["hold_set", "case_sent"], "configuration"), (["case.case_sent"], "refused")],
)
def test_a_partner_cannot_ask_for_what_is_not_its(
    office: Office, agency: TestClient, events: list[str], code: str
) -> None:
    office.hub.plugins.add("creditor_webhook", collecthub_creditor_webhook)
    response = agency.post("/api/v1/webhooks", json={"url": "https://9.9.9.9/", "events": events}, headers=once())
    assert (response.status_code, response.json()["code"]) == (422, code)


def test_two_keys_are_live_while_one_replaces_the_other(office: Office, agency: TestClient, endpoint: Endpoint) -> None:
    made = subscribe(office, agency, endpoint.url)
    path = f"/api/v1/webhooks/{made['webhook_id']}"
    newer = agency.post(f"{path}/secret", headers=once()).json()["secret"]
    placed_case(office)
    for secret in (made["secret"], newer):
        Webhook(secret).verify(endpoint.calls[0].body, endpoint.calls[0].headers)
    assert agency.post(f"{path}/secret/retire").status_code == 200
    placed_case(office)
    Webhook(newer).verify(endpoint.calls[1].body, endpoint.calls[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(endpoint.calls[1].body, endpoint.calls[1].headers)


def test_one_case_that_is_not_taken_keeps_no_other_waiting_and_keeps_its_order(
    office: Office, agency: TestClient, endpoint: Endpoint
) -> None:
    made = subscribe(office, agency, endpoint.url, events=["case_sent", "case_accepted", "payment_reported"])
    stuck = placed_case(office)["case_id"]
    endpoint.calls.clear()

    def answer(call: Call) -> int:
        return 500 if call.event["data"].get("case_id") == stuck else 204

    endpoint.answer = answer
    others = {office.open_case(debtor={"name": f"Estancia {number}", "country": "UY"})["case_id"] for number in range(3)}
    post(agency, f"cases/{stuck}/acceptance", {"holder_ref": "A"})
    office.run()
    assert {call.event["data"]["case_id"] for call in endpoint.taken} == others
    (waiting,) = deliveries(agency, made["webhook_id"], state="queued")
    assert (waiting["case_id"], len(waiting["tries"])) == (stuck, 1)
    assert "500" in waiting["tries"][0]["detail"]
    money = {"payment_ref": "p", "currency": "EUR", "amount": "20.50", "received_on": "2026-06-14"}
    post(agency, f"cases/{stuck}/receipts", money)
    office.run()
    assert "case.payment_reported" not in {call.event["type"] for call in endpoint.calls}, "it waits behind what came first"
    endpoint.answer = lambda _call: 204
    due_now(office)
    told = [call.event["type"] for call in endpoint.calls if call.event["data"]["case_id"] == stuck]
    assert told[-2:] == ["case.case_accepted", "case.payment_reported"] and deliveries(agency, made["webhook_id"], state="queued") == []


def test_gone_ends_it_and_resuming_sends_what_waited(office: Office, agency: TestClient, endpoint: Endpoint) -> None:
    made = subscribe(office, agency, endpoint.url)
    endpoint.answer = lambda _call: 410
    placed_case(office)
    assert len(endpoint.calls) == 1
    (view,) = agency.get("/api/v1/webhooks").json()["items"]
    assert (view["status"], view["cause"]) == ("stopped", "them")
    due_now(office)
    placed_case(office)
    assert len(endpoint.calls) == 1, "nothing more is sent"
    endpoint.answer = lambda _call: 204
    assert agency.post(f"/api/v1/webhooks/{made['webhook_id']}/resume").status_code == 200
    office.run()
    assert len(endpoint.calls) == 3
    assert deliveries(agency, made["webhook_id"], state="queued") == []


def test_a_range_is_sent_again_under_the_same_ids(office: Office, agency: TestClient, endpoint: Endpoint) -> None:
    made = subscribe(office, agency, endpoint.url)
    for _ in range(3):
        placed_case(office)
    first = [call.headers["webhook-id"] for call in endpoint.calls]
    log = deliveries(agency, made["webhook_id"])
    moments = sorted(entry["queued_at"] for entry in log)
    response = agency.post(
        f"/api/v1/webhooks/{made['webhook_id']}/replay", json={"from_at": moments[1], "to_at": moments[2]}, headers=once()
    )
    assert response.json() == {"deliveries": 2}
    office.run()
    assert [call.headers["webhook-id"] for call in endpoint.calls[3:]] == first[1:]
    assert [call.body for call in endpoint.calls[3:]] == [call.body for call in endpoint.calls[1:3]]
    assert [len(entry["tries"]) for entry in deliveries(agency, made["webhook_id"])] == [2, 2, 1]


def test_a_test_call_is_signed_and_names_no_case(office: Office, agency: TestClient, endpoint: Endpoint) -> None:
    made = subscribe(office, agency, endpoint.url)
    assert agency.post(f"/api/v1/webhooks/{made['webhook_id']}/test").json()["is_ok"] is True
    event = Webhook(made["secret"]).verify(endpoint.calls[0].body, endpoint.calls[0].headers)
    assert (event["type"], event["data"]) == ("test.ping", {})


def test_the_schedule_lasts_75_hours_and_is_spread() -> None:
    totals = set()
    for number in range(50):
        waits = []
        while (wait := webhook_wait(f"r{number}", len(waits) + 1)) is not None:
            waits.append(wait)
        assert waits == sorted(waits)
        totals.add(sum(waits, dt.timedelta()))
    assert min(totals) >= dt.timedelta(hours=75) and max(totals) <= dt.timedelta(hours=84)
    assert len(totals) == 50


@pytest.mark.parametrize(
    "url",
    ["https://10.1.2.3/h", "https://169.254.169.254/latest", "https://[fd00::1]/", "https://[::ffff:10.0.0.1]/",
     "https://0x0a000001/", "https://100.64.0.1/", "https://192.168.1.1:8443/"],
)  # fmt: skip
def test_inside_addresses_are_refused(office: Office, agency: TestClient, url: str) -> None:
    office.hub.plugins.add("creditor_webhook", collecthub_creditor_webhook)
    response = agency.post("/api/v1/webhooks", json={"url": url}, headers=once())
    assert (response.status_code, response.json()["code"]) == (422, "refused")
    assert agency.get("/api/v1/webhooks").json()["items"] == []


def test_a_name_that_turns_inside_after_it_was_checked_is_refused(
    office: Office, agency: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        address = "9.9.9.9" if len(asked) == 1 else "10.0.0.5"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    made = subscribe(office, agency, "https://hook.example/")
    placed_case(office)
    (entry,) = deliveries(agency, made["webhook_id"])
    assert entry["state"] == "failed" and "10.0.0.5" in entry["problem"]
    assert asked == ["hook.example", "hook.example"], "resolved once a call, and connected to nothing else"
