"""Webhooks in the portal, as a partner's person uses them: set up, test, log, replay, secrets, rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from standardwebhooks.webhooks import Webhook
from web.office import BASE, PASSWORD, Office

import collecthub_creditor_webhook
from collecthub.model.ids import new_id
from collecthub.store import accounts
from collecthub.store.queries.scope import Role
from partner.agency_office import AGENCY, placed_case
from partner.endpoint import Endpoint, listening


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with listening() as found:
        yield found


def log_in(office: Office) -> TestClient:
    user = accounts.User(user_id=new_id(), email="ana@agency.example", name="Ana", role=Role.PARTNER, partner_id=AGENCY)
    with office.hub.database.write() as conn:
        accounts.add_user(conn, user, PASSWORD, office.hub.now())
    client = office.client()
    client.post("/login", data={"email": user.email, "password": PASSWORD, "next": "/"}, headers={"Origin": BASE})
    return client


def press(client: TestClient, path: str, **data: str) -> Any:
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/webhooks").text)
    assert csrf is not None
    return client.post(path, data={"csrf": csrf.group(1), **data}, headers={"Origin": BASE})


def test_a_webhook_from_setting_up_to_sending_again(office: Office, agency: TestClient, endpoint: Endpoint) -> None:
    office.hub.plugins.add("creditor_webhook", collecthub_creditor_webhook)
    client = log_in(office)
    inside = press(client, "/webhooks", url="https://10.0.0.1/hook")
    assert inside.status_code == 422 and "10.0.0.1" in inside.text
    made = press(client, "/webhooks", url=endpoint.url, name="Our system")
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", made.text)
    webhook_id = re.search(r"/webhooks/([0-9a-f]{32})/test", made.text)
    assert made.status_code == 200 and secret is not None and webhook_id is not None
    path = f"/webhooks/{webhook_id.group(1)}"
    assert "Test call" in press(client, f"{path}/test").text
    placed_case(office)
    ping, told = endpoint.calls
    assert Webhook(secret.group(0)).verify(told.body, told.headers)["type"] == "case.case_sent"
    assert Webhook(secret.group(0)).verify(ping.body, ping.headers)["type"] == "test.ping"
    page = client.get(path).text
    assert secret.group(0) not in page and "Delivered" in page and told.headers["webhook-id"] in page
    day = office.hub.business_date().isoformat()
    assert "in line again" in press(client, f"{path}/replay", from_on=day, to_on=day).text
    office.run()
    assert endpoint.calls[2].headers["webhook-id"] == told.headers["webhook-id"]
    renewed = re.search(r"whsec_[A-Za-z0-9+/=]+", press(client, f"{path}/secret").text)
    assert renewed is not None and renewed.group(0) != secret.group(0)
    assert "Only the new secret" in press(client, f"{path}/retire").text
    assert "Nothing is sent until" in press(client, f"{path}/stop").text
    assert "It goes on" in press(client, f"{path}/resume").text
    assert client.get(f"/webhooks/{new_id()}").status_code == 404
