"""Changing and watching a connection over HTTP, and what unknown addresses answer to whom."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from walk.scripted import World

from collecthub.store import tables as t
from collecthub.store.audit import verify_audit
from web.office import Office

BOOKS = "/api/v1/connections/books"


def test_a_connection_that_a_person_stopped_rests_until_it_is_resumed(office: Office, world: World) -> None:
    world.invoice("1", "A", "2026-04-01", "500.00")
    client = office.client("kroon")
    stopped = client.post(f"{BOOKS}/stop").json()["connection"]
    assert (stopped["status"], stopped["cause"]) == ("stopped", "person")
    assert "Stopped by test" in stopped["status_detail"]
    refused = client.post(f"{BOOKS}/sync")
    assert (refused.status_code, refused.json()["cure"]) == (422, "Resume it first.")
    with office.hub.work() as work:
        work.wake("pull", "books")  # as a webhook of the ERP would
    office.run()
    assert client.get(f"{BOOKS}/runs").json()["items"] == []
    assert client.post(f"{BOOKS}/check").status_code == 200  # a person may look, it goes on resting
    assert client.post(f"{BOOKS}/stop").json()["connection"]["cause"] == "person"
    resumed = client.post(f"{BOOKS}/resume").json()["connection"]
    assert (resumed["status"], resumed["cause"], resumed["status_detail"]) == ("ok", "", "")
    office.run()
    (run,) = client.get(f"{BOOKS}/runs").json()["items"]
    assert run["outcomes"] == [{"outcome": "new", "currency": "EUR", "rows": 1, "amount": "500.00"}]
    with office.hub.database.read() as conn:
        assert verify_audit(conn) == ""
        actions = list(conn.scalars(sa.select(t.audit.c.action)))
    assert [action for action in actions if action.startswith("connection.")] == [
        "connection.stopped", "connection.resumed",
    ]  # fmt: skip


def test_a_partner_that_rests_gets_its_cases_when_it_is_resumed(office: Office, world: World) -> None:
    operator = office.client("operator")
    operator.post("/api/v1/connections/line/stop")
    office.open_case()
    office.run()
    assert not world.delivered
    operator.post("/api/v1/connections/line/resume")
    office.run()
    assert len(world.delivered) == 1


def test_runs_are_paged_and_nobody_elses(office: Office, world: World) -> None:
    client = office.client("kroon")
    for _ in range(3):
        client.post(f"{BOOKS}/sync")
        office.run()
    first = client.get(f"{BOOKS}/runs", params={"limit": 2}).json()
    second = client.get(f"{BOOKS}/runs", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    ids = [run["run_id"] for run in (*first["items"], *second["items"])]
    assert (len(ids), len(set(ids)), second["next_cursor"]) == (3, 3, None)
    assert office.client("other").get(f"{BOOKS}/runs").status_code == 404


@pytest.mark.parametrize("path", ["consent", "divisions"])
def test_what_a_kind_does_not_know_is_refused_in_words(office: Office, path: str) -> None:
    body = {"division_refs": ["1"]} if path == "divisions" else None
    method = "PUT" if path == "divisions" else "POST"
    answer = office.client("operator").request(method, f"{BOOKS}/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "refused")


def test_only_the_operator_changes_settings(office: Office) -> None:
    assert office.client("kroon").patch(BOOKS, json={"name": "Mine"}).status_code == 403
    changed = office.client("operator").patch(BOOKS, json={"name": "Books of the brewery"})
    assert changed.json()["connection"]["name"] == "Books of the brewery"


@pytest.mark.parametrize(
    ("path", "accept", "wanted"),
    [
        ("/nowhere", "text/html,application/xhtml+xml;q=0.9", "text/html"),
        ("/nowhere", "*/*", "application/problem+json"),
        ("/nowhere", "application/json", "application/problem+json"),
        ("/api/v1/nowhere", "text/html", "application/problem+json"),
        ("/hooks/x/y", "text/html", "application/problem+json"),
    ],
)
def test_an_unknown_address_answers_a_page_to_a_browser_and_a_document_to_programs(
    office: Office, path: str, accept: str, wanted: str
) -> None:
    answer = office.client().get(path, headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.headers["content-type"].partition(";")[0] == wanted
    if wanted == "text/html":
        assert "This address leads nowhere." in answer.text
        assert "/login" in answer.text
    else:
        assert answer.json()["code"] == "not-found"


def test_a_form_address_opened_in_a_browser_says_so(office: Office) -> None:
    answer = office.client().get("/logout", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (405, "text/html")
