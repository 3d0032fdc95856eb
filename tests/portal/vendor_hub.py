"""A hub with the real Exact plugin beside the Exact twin: what a person sees who connects an ERP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import sqlalchemy as sa

from collecthub.cli.serving import BackgroundServer
from collecthub.config import load_settings
from collecthub.engine.connection_settings import choose_divisions
from collecthub.engine.consent import ConsentAnswer, begin_consent, finish_consent
from collecthub.engine.context import Hub
from collecthub.engine.doors import await_consent, connect
from collecthub.hub import open_hub
from collecthub.model.party import Party
from collecthub.sandbox.exact import CLIENT_ID, CLIENT_SECRET
from collecthub.sandbox.exact_books import DEFAULT_DIVISION
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.store import tables as t
from collecthub.store.accounts import User, add_user
from collecthub.store.connections import ConnectionRow, CreditorRow, Playbook, read_connection, write_creditor
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role
from collecthub.testing.inline import InlineQueue, run_until_idle
from collecthub.web.app import create_app
from portal.town import PASSWORD

# Every test of a module draws on the vendor's one minute: the real 60 calls would be used up by whoever came before.
ROOMY = {"a_minute": 6_000, "a_day": 500_000, "token_calls_a_day": 20_000}


@dataclass
class VendorHub:
    """The hub as served, and the vendor's twin beside it."""

    hub: Hub
    url: str
    exact: RunningTwin

    @property
    def callback(self) -> str:
        return f"{self.url}/oauth/callback"

    @property
    def exact_values(self) -> dict[str, Any]:
        """Settings of a connection to the twin, without its divisions."""
        return {
            "base_url": self.exact.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
            "redirect_uri": self.callback,
        }  # fmt: skip

    def row(self, connection_id: str) -> ConnectionRow:
        with self.hub.database.read() as conn:
            found = read_connection(conn, connection_id)
        assert found is not None
        return found

    def work(self) -> None:
        """Do every job that waits."""
        run_until_idle(self.hub)

    def pull(self, connection_id: str) -> None:
        with self.hub.work() as work:
            work.wake("pull", connection_id)
        self.work()

    def connect(self, name: str = "Exact of De Kroon", **changes: str) -> str:
        """An Exact connection whose vendor was not asked for consent yet."""
        with self.hub.work() as work:
            connection_id = connect(
                self.hub, work, LOCAL_OPERATOR, kind="erp_exact", name=name, creditor_id="kroon",
                settings={**self.exact_values, **changes},
            )
        await_consent(self.hub, connection_id)
        return connection_id

    def consent(self, connection_id: str) -> None:
        """Consent and divisions without a browser, as the sandbox user who has agreed before."""
        self.exact.control("consent", {"page": "agree"})
        begun = begin_consent(self.hub, LOCAL_OPERATOR, connection_id)
        answer = requests.get(begun.url, allow_redirects=False, timeout=10)
        given = parse_qs(urlsplit(answer.headers["location"]).query)
        finish_consent(self.hub, ConsentAnswer(state=given["state"][0], code=given["code"][0]))
        choose_divisions(self.hub, LOCAL_OPERATOR, connection_id, [str(DEFAULT_DIVISION)])

    def expire_consents(self) -> None:
        """The quarter of an hour is over."""
        with self.hub.database.write() as conn:
            past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
            conn.execute(sa.update(t.consents).where(t.consents.c.ended_at.is_(None)).values(expires_at=past))

    def owe(self, number: str, customer: str, amount: str, *, division: str = str(DEFAULT_DIVISION), **more: str) -> None:
        """An open invoice in the twin's books, long overdue."""
        person = {
            "customer_ref": customer, "name": f"Klant {customer}", "kind": "company", "country": "BE",
            "email": f"{customer}@example.org",
        }  # fmt: skip
        item = {
            "customer_ref": customer, "number": number, "issue_on": "2026-01-05", "due_on": "2026-02-04",
            "amount": amount, "open_amount": amount, "currency": "EUR", "kind": "invoice", "settles": "", **more,
        }  # fmt: skip
        self.exact.control("load", {"division": int(division), "customers": [person], "items": [item]})


@contextmanager
def open_vendor_hub(home: Path, business_date: dt.date | None = None) -> Iterator[VendorHub]:
    """Everything running on an empty home, with an operator and a creditor who may log in."""
    hub = open_hub(load_settings({}, home=home / "hub", allow_loopback=True, business_date=business_date))
    hub.queue = InlineQueue()
    now = hub.now()
    with hub.database.write() as conn:
        party = Party(name="Brouwerij De Kroon", country="BE")
        write_creditor(conn, CreditorRow(creditor_id="kroon", name=party.name, party=party, playbook=Playbook()), now)
        for name, role, tenant in (("operator", Role.OPERATOR, {}), ("kroon", Role.CREDITOR, {"creditor_id": "kroon"})):
            user = User(user_id=f"u-{name}", email=f"{name}@town.example", name=f"{name.title()} Desk", role=role, **tenant)
            add_user(conn, user, PASSWORD, now)
    with BackgroundServer(create_app(hub)) as server:
        twin = start_twin("exact", home / "exact", settings={"redirect_uri": f"{server.url}/oauth/callback"})
        twin.control("limits", ROOMY)
        try:
            yield VendorHub(hub, server.url, twin)
        finally:
            twin.stop()
    hub.close()
