"""What a partner can see at all: every GET route of the app, API and portal, read with its key and its login.

Everything that is not for it carries a mark; no answer may hold one. The routes come from the app, so that a new one is
read on the day it is added, and one whose address needs an id that nobody made here fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from walk.scripted import World

from collecthub.engine import desk
from collecthub.engine.identity import start_identities
from collecthub.model.ids import new_id
from collecthub.store import accounts
from collecthub.store import tables as t
from collecthub.store.human_tables import identity_members
from collecthub.store.queries.debtors import identity_of
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role
from web.office import BASE, PASSWORD, Office, change, once
from web.test_tenants import an_act, kroons_things

# Stands in every text of kroon's that the bailiff has no purpose for; part of no word and no id.
MARK = "zq9mark"
# Open to everybody or not about cases: no id of a case, a party or a document stands in their address.
NEEDS_NO_ID = frozenset({"country", "name", "kind", "code", "vocabulary"})


def get_routes(app: FastAPI) -> Iterator[str]:
    """The address of every GET route, however deep its router lies."""
    for route in app.routes:
        inside = getattr(route, "effective_route_contexts", None)
        for one in inside() if inside is not None else [route]:
            if "GET" in (getattr(one, "methods", None) or ()):
                yield str(one.path)


def marked_things(office: Office, world: World) -> dict[str, str]:
    """Kroon's case that the bailiff holds, with marks on what is not for him, and a second case that he does not hold."""
    ids = kroons_things(office, world)
    with office.hub.work() as work:
        case_id = ids["case_id"]
        desk.add_note(office.hub, work, LOCAL_OPERATOR, case_id, text=f"{MARK} he lies")
        desk.assign_owner(office.hub, work, LOCAL_OPERATOR, case_id, owner=f"{MARK} Ann")
        desk.set_hold(office.hub, work, LOCAL_OPERATOR, case_id, reason="complaint", note=f"{MARK} angry")
    claims = [{"number": f"F-{MARK}", "due_on": "2026-05-01", "amount": "77.77"}]
    other = office.open_case(debtor={"name": f"Debtor {MARK}", "country": "UY"}, claims=claims)
    path = f"/api/v1/cases/{other['case_id']}/documents"
    office.client("kroon").post(path, params={"name": f"{MARK}.txt"}, content=MARK.encode(), headers=change())
    office.run()
    return {
        **ids, "act_id": an_act(office, "stranger", f"Addressee {MARK}"),
        "identity_id": an_identity(office, other["case_id"]),
    }  # fmt: skip


def an_identity(office: Office, case_id: str) -> str:
    """The debtor of a case as one debtor above the books."""
    with office.hub.work() as work:
        found = identity_of(work.conn, LOCAL_OPERATOR, case_id)
        if found:
            return found
        row = work.conn.execute(sa.select(t.cases).where(t.cases.c.case_id == case_id)).one()
        identity_id = new_id()
        start_identities(work, [identity_id])
        work.conn.execute(
            sa.insert(identity_members).values(
                connection_id=row.connection_id, debtor_ref=row.debtor_ref, creditor_id=row.creditor_id,
                identity_id=identity_id, digest="0" * 64, evidence="", compared_at=work.now,
            )
        )
        return identity_id


def filled(path: str, ids: dict[str, str]) -> str:
    """The path with ids of kroon's things; a name that stands for no such thing gets a harmless word."""
    def value(match: re.Match[str]) -> str:
        name = match.group(1).partition(":")[0]
        return "x" if name in NEEDS_NO_ID else ids[name]

    return re.sub(r"\{([^}]+)\}", value, path)


@pytest.fixture
def ids(office: Office, world: World) -> dict[str, str]:
    found = marked_things(office, world)
    return {
        **found, "creditor_id": "kroon", "token": "x", "name": "x", "exchange_id": found["envelope_id"], "job": "x",
    }  # fmt: skip


def test_no_route_shows_a_partner_what_was_not_placed_with_it(office: Office, ids: dict[str, str]) -> None:
    paths = sorted(set(get_routes(office.app)))
    assert len(paths) > 100
    assert MARK in office.client("operator").get(f"/api/v1/cases/{ids['case_id']}/timeline").text, "the marks are there"
    user = accounts.User(user_id=new_id(), email="b@bailiff.example", name="B", role=Role.PARTNER, partner_id="bailiff")
    with office.hub.database.write() as conn:
        accounts.add_user(conn, user, PASSWORD, office.hub.now())
    browser = office.client()
    browser.post("/login", data={"email": user.email, "password": PASSWORD, "next": "/"}, headers={"Origin": BASE})
    assert MARK in office.client("operator").get(f"/api/v1/debtors/{ids['identity_id']}").text, "and on the debtor"
    read = 0
    for path in paths:
        for client in (office.client("bailiff"), browser):
            response = client.get(filled(path, ids), headers=once(), follow_redirects=False)
            assert response.status_code < 500, (path, response.text)
            assert MARK not in response.text, path
            read += response.status_code == 200
    assert read >= 15, "some routes are for partners"


def test_a_route_whose_ids_nobody_made_fails(ids: dict[str, str]) -> None:
    """So that a new kind of thing cannot be forgotten above."""
    with pytest.raises(KeyError, match="thing_id"):
        filled("/api/v1/things/{thing_id}", ids)
