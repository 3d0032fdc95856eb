"""Who gets in, how guessing is slowed, what a browser must bring, what stands on every answer."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest
import sqlalchemy as sa
from frame.passwords import as_in_the_product

from collecthub.store import accounts
from collecthub.store import tables as t
from collecthub.store.audit import verify_audit
from collecthub.store.queries.scope import Role
from web.office import BASE, PASSWORD, Office, case_body, once


def test_nobody_gets_in_without_a_live_credential(office: Office) -> None:
    for headers in ({}, {"Authorization": "Bearer ch_operator_x"}, {"Authorization": "Basic eDp5"},
                    {"Authorization": "Bearer"}, {"Cookie": "collecthub=x"}):  # fmt: skip
        response = office.client().get("/api/v1/cases", headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert office.client("operator").get("/api/v1/me").json()["role"] == "operator"
    made = office.client("operator").post(
        "/api/v1/keys", json={"name": "x", "role": "creditor", "creditor_id": "kroon"}
    ).json()  # fmt: skip
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert office.client().get("/api/v1/me", headers=headers).json()["creditor_id"] == "kroon"
    lost = office.client("operator").post("/api/v1/keys", json={"name": "x", "role": "partner", "partner_id": "nobody"})
    assert (lost.status_code, lost.json()["detail"]) == (422, "there is no partner 'nobody'")
    office.client("operator").delete(f"/api/v1/keys/{made['key']['key_id']}")
    assert office.client().get("/api/v1/me", headers=headers).status_code == 401
    assert made["secret"] not in office.client("operator").get("/api/v1/keys").text


def test_a_browser_logs_in_changes_with_its_token_and_logs_out(office: Office) -> None:
    office.add_user("ann@example.org", Role.CREDITOR, "kroon")
    client = office.client()
    login = client.post("/api/v1/session", json={"email": "Ann@example.org", "password": PASSWORD})
    assert login.status_code == 200, login.text
    cookie = login.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    csrf = {"X-CSRF-Token": login.json()["csrf"]}
    refused = client.post("/api/v1/cases", json=case_body(), headers=once())
    assert (refused.status_code, refused.json()["code"]) == (403, "invalid-csrf")
    foreign = {**csrf, **once(), "Origin": "https://evil.example"}
    assert client.post("/api/v1/cases", json=case_body(), headers=foreign).status_code == 403
    assert client.post("/api/v1/cases", json=case_body(), headers={**csrf, **once()}).status_code == 201
    token = client.cookies["collecthub"]
    assert client.delete("/api/v1/session", headers=csrf).status_code == 200
    reused = office.client().get("/api/v1/me", headers={"Cookie": f"collecthub={token}"})
    assert reused.status_code == 401
    with office.hub.database.read() as conn:
        stored = conn.scalars(sa.select(t.sessions.c.session_hash)).all()
        assert token not in stored
        assert verify_audit(conn) == ""


def test_a_password_is_kept_as_rfc_9106_recommends() -> None:
    with as_in_the_product():
        kept = accounts.hash_password(PASSWORD)
    assert argon2.extract_parameters(kept) == argon2.profiles.RFC_9106_LOW_MEMORY
    assert accounts.password_fits(kept, PASSWORD) and not accounts.password_fits(kept, f"{PASSWORD}x")


def test_guessing_is_slowed_alike_for_known_and_unknown_users(office: Office) -> None:
    office.add_user("ann@example.org", Role.OPERATOR)
    answers = {}
    for email in ("ann@example.org", "nobody@example.org"):
        client = office.client(client=("192.0.2.1", 1) if email[0] == "a" else ("192.0.2.2", 1))
        tries = [client.post("/api/v1/session", json={"email": email, "password": "wrong"}) for _ in range(9)]
        answers[email] = [(response.status_code, response.content) for response in tries]
        assert [response.status_code for response in tries[:5]] == [401] * 5
        refused = [response for response in tries[5:] if response.status_code == 429]  # a slow machine waits a guess out
        assert refused and int(refused[0].headers["retry-after"]) >= 1
    assert answers["ann@example.org"][:5] == answers["nobody@example.org"][:5]
    # Somebody else's guesses do not keep her out: from her own address she enters at once.
    at_home = office.client(client=("192.0.2.3", 1))
    assert at_home.post("/api/v1/session", json={"email": "ann@example.org", "password": PASSWORD}).status_code == 200


def test_parallel_guesses_are_counted_too(both_office: Office) -> None:
    now = dt.datetime.now(dt.UTC)

    def guess(_number: int) -> int:
        with both_office.hub.database.write() as conn:
            return accounts.count_try(conn, "ann@example.org", "192.0.2.9", now)

    guess(0)
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(guess, range(40)))
    assert sum(wait == 0 for wait in waits) <= 4


def test_waiting_always_ends(office: Office) -> None:
    now = dt.datetime.now(dt.UTC)
    with office.hub.database.write() as conn:
        for _ in range(1000):
            wait = accounts.count_try(conn, "ann@example.org", "192.0.2.9", now)
            now += dt.timedelta(seconds=wait)
            assert wait <= 15 * 60 + 1


def test_a_changed_audit_entry_is_found(both_office: Office) -> None:
    for _ in range(3):
        key = {"name": "x", "role": "operator"}
        assert both_office.client("operator").post("/api/v1/keys", json=key).status_code == 201
    with both_office.hub.database.write() as conn:
        assert verify_audit(conn) == ""
        conn.execute(sa.update(t.audit).where(t.audit.c.position == 2).values(actor="user:nobody"))
        assert verify_audit(conn) == "audit entry 2 was changed"
        conn.execute(sa.delete(t.audit).where(t.audit.c.position >= 2))
        assert verify_audit(conn) == "audit entry 2 and later ones are missing"


@pytest.mark.parametrize("host", ["a/admin?x=", "evil.example", "127.0.0.1@evil.example", "", "127.0.0.1:x"])
def test_a_strange_host_is_refused(office: Office, host: str) -> None:
    response = office.client("operator").get("/api/v1/me", headers={"Host": host})
    assert (response.status_code, response.json()["code"]) == (400, "bad-host")


def test_every_answer_carries_the_security_headers(office: Office) -> None:
    for path in ("/healthz", "/api/v1/me", "/nowhere", "/api/v1/cases"):
        headers = office.client().get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
    assert office.client().get("/healthz").text == "ok"


def test_strange_bodies_are_refused_by_name(office: Office) -> None:
    client, path = office.client("kroon"), "/api/v1/cases"
    bodies: list[tuple[bytes, int, str]] = [
        (b'{"a":1,"a":2}', 400, "malformed-json"),
        (b'{"currency":NaN}', 400, "malformed-json"),
        (b"\xef\xbb\xbf{}", 400, "malformed-json"),
        ("{}".encode("utf-16"), 400, "malformed-json"),
        (b"[" * 100_000, 400, "malformed-json"),
        (b'{"debtor_ref":"\\ud800"}', 422, "validation"),
        (b'{"debtor_ref":"a\\u0000b"}', 422, "validation"),
        (b'{"tenant_id":"x"}', 422, "validation"),
        (b"9" * 30, 400, "malformed-json"),
        (b'"' + b"x" * 1_000_001 + b'"', 413, "too-large"),
    ]
    for body, status, code in bodies:
        response = client.post(path, content=body, headers={**once(), "Content-Type": "application/json"})
        assert (response.status_code, response.json()["code"]) == (status, code), body[:40]
    xml = client.post(path, content=b"<a/>", headers={**once(), "Content-Type": "application/xml"})
    assert (xml.status_code, xml.json()["code"]) == (415, "unsupported-media-type")
    assert client.get(path, headers={"Accept": "image/png"}).status_code == 406
    file = "/api/v1/cost-statement/file?from_on=2026-01-01&until=2026-06-15"
    assert client.get(file, headers={"Accept": "text/csv"}).status_code == 200
    wrong = client.put(path, json={})
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method-not-allowed")
    assert wrong.headers["allow"] == "GET, POST"
    assert all(problem.json()["cure"] for problem in (xml, wrong, office.client().get(path), client.get("/api/v1/x")))
    extra = case_body(status="closed")
    assert client.post(path, json=extra, headers=once()).json()["errors"][0]["field"] == "status"


def test_an_endless_body_is_cut(office: Office) -> None:
    def chunks() -> object:
        for _ in range(30):
            yield b"x" * 100_000

    response = office.client("kroon").post(
        "/api/v1/cases", content=chunks(), headers={**once(), "Content-Type": "application/json"}
    )
    assert (response.status_code, response.json()["code"]) == (413, "too-large")


def test_the_description_is_for_operators(office: Office) -> None:
    assert office.client().get("/api/v1/openapi.json").status_code == 401
    assert office.client("kroon").get("/api/docs").status_code == 403
    page = office.client("operator").get("/api/docs")
    assert page.status_code == 200
    assert "/api/v1/cases/{case_id}" in page.text
    assert BASE not in page.text
