"""The desk's pages over HTTP: calls and their outcome, previews, earlier reminders, notices, absence and the two queues."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from web.office import BASE, PASSWORD, Office

from collecthub.model.contact import Channel
from collecthub.sandbox.twin import RunningTwin
from collecthub.store.queries.contacts import read_contacts
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role
from contact.conftest import THREE_MAILS, Later, agree, contact_office
from contact.test_course import case_of

PHONED = msgspec.structs.replace(
    THREE_MAILS, steps=(msgspec.structs.replace(THREE_MAILS.steps[0], channel=Channel.PHONE), *THREE_MAILS.steps[1:])
)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, post: RunningTwin) -> Iterator[Office]:
    home = tmp_path_factory.mktemp("house")
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{home / 'hub.sqlite3'}" if is_sqlite else str(request.getfixturevalue("module_pg_url"))
    yield from contact_office(home, url, post)


@pytest.fixture(scope="module")
def ann(house: Office) -> TestClient:
    """A handler of the creditor, logged in."""
    house.add_user("ann@kroon.example", Role.CREDITOR, "kroon")
    client = TestClient(house.app, base_url=BASE, follow_redirects=True)
    data = {"email": "ann@kroon.example", "password": PASSWORD, "csrf": ""}
    assert client.post("/login", data=data).status_code == 200
    return client


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def post(client: TestClient, path: str, files: Any = None, **fields: Any) -> Any:
    return client.post(path, data={"csrf": csrf(client.get("/agenda").text), **fields}, files=files)


def opened(house: Office, name: str, country: str = "BE") -> str:
    debtor = {"name": name, "country": country, "email": "x@example.org", "phone": "+32470123456", "language": "fr"}
    return str(house.open_case(debtor=debtor, debtor_ref=name)["case_id"])


def test_a_call_is_worked_off_on_its_page_and_words_are_previewed(house: Office, ann: TestClient, later: Later) -> None:
    agree(house.hub, PHONED)
    case_id = opened(house, "Called")
    later(house, 4)
    with house.hub.database.read() as conn:
        [row] = read_contacts(conn, LOCAL_OPERATOR, state="with_person", case_id=case_id)
    path = f"/cases/{case_id}/contact"
    shown = ann.get(path).text
    assert "Call: <bdi>reminder 1</bdi>" in shown and "+32470123456" in shown
    refused = post(ann, f"{path}/{row.contact_id}/outcome", outcome="promised", note="after payday")
    assert refused.status_code == 422 and "needs a day" in refused.text
    noted = post(ann, f"{path}/{row.contact_id}/outcome", outcome="promised", on="2026-06-30", note="after payday")
    assert noted.status_code == 200 and "It is noted" in noted.text
    assert [hold.reason for hold in case_of(house, case_id).holds if hold.until_on] == ["promise"]
    other = opened(house, "Other")
    assert post(ann, f"/cases/{other}/contact/{row.contact_id}/outcome", outcome="spoke").status_code == 404
    french = ann.get(f"{path}/preview", params={"tone": "firm", "language": ""}).text
    assert 'lang="fr"' in french and "Deuxième" in french or "rappel" in french
    paper = ann.get(f"{path}/preview", params={"tone": "final", "language": "de", "paper": "yes"})
    assert paper.content.startswith(b"%PDF-")
    assert ann.get(f"{path}/preview", params={"tone": "rude"}).status_code in (409, 422)


def test_earlier_reminders_are_uploaded_on_the_case(house: Office, ann: TestClient) -> None:
    case_id = opened(house, "Reminded")
    number = case_of(house, case_id).claims[0].number
    file = {"file": ("sent.csv", f"invoice,sent_on,channel,fee\n{number},2026-06-12,letter,0\nF-X,2026-06-12,,\n".encode(), "text/csv")}
    shown = post(ann, f"/cases/{case_id}/reminders/imports", files=file)
    assert shown.status_code == 200 and "1 kept, 1 refused" in shown.text and "is in no open case" in shown.text
    assert "letter" in ann.get(f"/cases/{case_id}/reminders").text
    assert post(ann, f"/cases/{case_id}/reminders/imports").status_code == 422
    assert ann.get("/notices").status_code == 200


def test_who_is_away_is_covered_until_he_is_back_and_foreign_debtors_have_a_queue(house: Office, ann: TestClient) -> None:
    mine, foreign = opened(house, "Mine AG"), opened(house, "Foreign GmbH", "DE")
    client = house.client("kroon")
    for case_id in (mine, foreign):
        path = f"/api/v1/cases/{case_id}"
        text = {"ground": "wrong goods"}
        answer = client.post(f"{path}/objections/raise-dispute", json=text, headers={"Idempotency-Key": case_id, "If-Match": "*"})
        assert answer.status_code == 200, answer.text
    tasks = client.get("/api/v1/tasks").json()["items"]
    ids = [one["task_id"] for one in tasks if one["case_id"] in (mine, foreign)]
    assert post(ann, "/agenda/owner", task=ids, owner="Bea").status_code == 200
    assert {case_of(house, one).owner for one in (mine, foreign)} == {"Bea"}
    assert "Mine AG" not in ann.get("/agenda", params={"owner": "Carl"}).text
    assert post(ann, "/agenda/absence", owner="Bea", covered_by="Bea", until_on="2026-07-01").status_code == 422
    covered = post(ann, "/agenda/absence", owner="Bea", covered_by="Carl", until_on="2026-07-01")
    assert covered.url.path == "/agenda" and "Mine AG" in covered.text and "is away until" in covered.text
    circle = post(ann, "/agenda/absence", owner="Carl", covered_by="Bea", until_on="2026-07-01")
    assert circle.status_code == 422 and "looks after the cases of" in circle.text
    abroad = ann.get("/agenda", params={"queue": "international"}).text
    assert "Foreign GmbH" in abroad and "Mine AG" not in abroad
    at_home = ann.get("/agenda", params={"queue": "domestic"}).text
    assert "Foreign GmbH" not in at_home and "Mine AG" in at_home
    assert post(ann, "/agenda/absence", owner="Bea", back="yes").status_code == 200
    assert "Mine AG" not in ann.get("/agenda", params={"owner": "Carl"}).text
