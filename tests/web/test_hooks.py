"""Webhooks: kept before read, once, and only with the right signature."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store import tables as t
from collecthub.store.connections import add_connection
from web import hooked
from web.office import Office, connection


def test_a_push_is_kept_once_and_wakes_its_reader(both_office: Office) -> None:
    hub = both_office.hub
    hub.plugins.add("hooked", hooked)
    with hub.database.write() as conn:
        add_connection(conn, connection("push", "pushing", "partner", None, "stranger", hub.now()))
    client = both_office.client()
    good = {"X-Word": "sesame", "X-Id": "m-1"}
    for _ in range(2):
        response = client.post("/hooks/push", content=b"\x00\xffraw", headers=good)
        assert (response.status_code, response.text) == (202, "thanks")
    with hub.database.read() as conn:
        rows = conn.execute(sa.select(t.inbox)).all()
    assert [(row.remote_ref, row.state) for row in rows] == [("m-1", "stored")]
    assert hub.evidence.read(rows[0].sha256) == b"\x00\xffraw"
    assert list(both_office.queue.waiting) == [("record", "push")]
    client.post("/hooks/push", content=b"news", headers=good)
    assert ("receive", "push") in both_office.queue.waiting
    bad = client.post("/hooks/push", content=b"x", headers={"X-Word": "wrong", "X-Id": "m-2"})
    assert (bad.status_code, bad.json()["code"]) == (401, "invalid-signature")
    unknown = client.post("/hooks/none", content=b"x", headers=good)
    deaf = client.post("/hooks/line", content=b"x", headers=good)
    assert (unknown.status_code, unknown.content) == (deaf.status_code, deaf.content)
    assert unknown.status_code == 404
