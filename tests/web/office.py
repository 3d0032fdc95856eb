"""A hub with two creditors, a partner and their credentials, behind a real HTTP client."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from frame.databases import new_sqlite

from collecthub.bundled import intake, routes
from collecthub.config import load_settings
from collecthub.engine.context import Hub
from collecthub.formats import plugin as formats_plugin
from collecthub.model.ids import new_id
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Party
from collecthub.plugins import PluginSet
from collecthub.store import accounts
from collecthub.store.connections import (
    RELEASED,
    SHADOW,
    ConnectionRow,
    CreditorRow,
    Exclusions,
    Playbook,
    add_connection,
    write_creditor,
    write_partner,
)
from collecthub.store.migrate import upgrade
from collecthub.store.queries.scope import Role
from collecthub.testing.inline import InlineQueue, run_until_idle
from collecthub.web.app import create_app

TODAY = dt.date(2026, 6, 15)
BASE = "http://127.0.0.1"
PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


class Office:
    """The hub, its queue, its app and a key per role."""

    def __init__(self, hub: Hub, queue: InlineQueue) -> None:
        self.hub = hub
        self.queue = queue
        self.app = create_app(hub)
        with hub.database.write() as conn:
            make = {"now": dt.datetime.now(dt.UTC), "name": "test"}
            self.keys = {
                "operator": accounts.add_api_key(conn, role=Role.OPERATOR, **make)[0],
                "kroon": accounts.add_api_key(conn, role=Role.CREDITOR, creditor_id="kroon", **make)[0],
                "other": accounts.add_api_key(conn, role=Role.CREDITOR, creditor_id="other", **make)[0],
                "bailiff": accounts.add_api_key(conn, role=Role.PARTNER, partner_id="bailiff", **make)[0],
                "stranger": accounts.add_api_key(conn, role=Role.PARTNER, partner_id="stranger", **make)[0],
            }

    def client(self, who: str = "", **more: Any) -> TestClient:
        """A client with somebody's key, or without any."""
        headers = {"Authorization": f"Bearer {self.keys[who]}"} if who else {}
        return TestClient(self.app, base_url=BASE, headers=headers, raise_server_exceptions=False, **more)

    def add_user(self, email: str, role: Role, creditor_id: str | None = None) -> accounts.User:
        user = accounts.User(user_id=new_id(), email=email, name="Ann", role=role, creditor_id=creditor_id)
        with self.hub.database.write() as conn:
            accounts.add_user(conn, user, PASSWORD, dt.datetime.now(dt.UTC))
        return user

    def open_case(self, who: str = "kroon", **changes: Any) -> dict[str, Any]:
        """A new case by API; returns the confirmation."""
        response = self.client(who).post("/api/v1/cases", json=case_body(**changes), headers=once())
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.json()
        return found

    def run(self) -> None:
        """Do every job that waits."""
        run_until_idle(self.hub)


def once() -> dict[str, str]:
    """A new Idempotency-Key."""
    return {"Idempotency-Key": f"key-{next(_numbers)}"}


def change(version: int | str = "*") -> dict[str, str]:
    """Headers of a change to a case as it was seen."""
    return {**once(), "If-Match": "*" if version == "*" else f'"v{version}"'}


def case_body(**changes: Any) -> dict[str, Any]:
    number = next(_numbers)
    body: dict[str, Any] = {
        "debtor": {"name": f"Café Zoé {number}", "country": "BE", "email": f"zoe{number}@example.org"},
        "currency": "EUR",
        "claims": [{"number": f"F-{number}", "due_on": "2026-05-01", "amount": "120.50"}],
    }
    return {**body, **changes}


def make_hub(home: Any, database_url: str, *plugins: tuple[str, object]) -> tuple[Hub, InlineQueue]:
    """A hub on an empty database with the bundled plugins and these."""
    settings = load_settings({}, home=home, database_url=database_url, business_date=TODAY, allow_loopback=True)
    loaded = PluginSet()
    for name, module in (("formats", formats_plugin), ("routes", routes), ("intake", intake), *plugins):
        loaded.add(name, module)
    if database_url.startswith("sqlite:///"):
        new_sqlite(Path(database_url.removeprefix("sqlite:///")))  # before the hub, which looks into its database
    hub = Hub(settings, loaded)
    upgrade(hub.database)
    queue = InlineQueue()
    hub.queue = queue
    hub.now()
    return hub, queue


def furnish(hub: Hub) -> None:
    """Two creditors, a bailiff and a stranger; an ERP and a partner line of the scripted plugin."""
    now = hub.now()
    with hub.database.write() as conn:
        for creditor_id, name in (("kroon", "Brouwerij De Kroon"), ("other", "Other SA")):
            party = Party(name=name, country="BE")
            row = CreditorRow(creditor_id=creditor_id, name=name, party=party, playbook=Playbook())
            write_creditor(conn, row, now)
        for partner_id, countries in (("bailiff", ("BE",)), ("stranger", ("UY",))):
            profile = PartnerProfile(partner_id=partner_id, name=partner_id, role="bailiff", countries=countries)
            write_partner(conn, profile, now)
        add_connection(conn, connection("books", "scripted_erp", "erp", "kroon", None, now, SHADOW))
        add_connection(conn, connection("line", "scripted_partner", "partner", None, "bailiff", now))


def connection(
    connection_id: str, kind: str, role: str, creditor_id: str | None, partner_id: str | None, now: dt.datetime,
    mode: str = RELEASED,
) -> ConnectionRow:
    return ConnectionRow(
        connection_id=connection_id, kind=kind, role=role, name=connection_id, creditor_id=creditor_id,
        partner_id=partner_id, settings="{}", mode=mode, release=Exclusions(), checkpoint="", status="ok",
        status_detail="", status_until=None, created_at=now, last_complete_at=None, next_due_at=None,
    )
