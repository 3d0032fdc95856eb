"""An Exact Online of its own for each test: a division and an app of the twin, a clock, and a connection."""

from __future__ import annotations

import datetime as dt
import itertools
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from collecthub.ports import Page, Vault
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.testing.fakes import HandClock, MemoryVault, context
from collecthub_erp_exact.connector import ExactConnector
from collecthub_erp_exact.settings import ExactSettings

REDIRECT = "https://hub.example.org/oauth/callback"
WEBHOOK_SECRET = "the app's webhook secret"
_NUMBERS = itertools.count(500_001)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())


@dataclass
class World:
    """What one test sees of the vendor, and its connection. Time moves only by `advance`, on both sides."""

    twin: RunningTwin
    division: int
    clock: HandClock
    vault: Vault = field(default_factory=MemoryVault)

    @property
    def client_id(self) -> str:
        return f"app-{self.division}"

    def settings(self, **changes: Any) -> ExactSettings:
        values = {
            "base_url": self.twin.url, "client_id": self.client_id, "client_secret": "secret",
            "redirect_uri": REDIRECT, "divisions": (self.division,), "webhook_secret": WEBHOOK_SECRET,
        }  # fmt: skip
        return ExactSettings(**{**values, **changes})

    def connector(self, **changes: Any) -> ExactConnector:
        """A new connector object on the same vault and clock, as another worker would build it."""
        return ExactConnector(context(self.settings(**changes), vault=self.vault, now=self.clock))

    def consent(self, connector: ExactConnector) -> None:
        """What a person's browser does: open the page, come back with the code."""
        code = self.code(connector)
        connector.finish_consent(code)

    def code(self, connector: ExactConnector) -> str:
        """The code of the redirect, decoded once."""
        try:
            _OPENER.open(connector.begin_consent("st-1"), timeout=10)
        except urllib.error.HTTPError as redirect:
            query = parse_qs(urlsplit(redirect.headers["Location"]).query)
            redirect.close()
            assert query["state"] == ["st-1"]
            return query["code"][0]
        raise AssertionError("the consent page did not redirect")

    def connected(self, **changes: Any) -> ExactConnector:
        connector = self.connector(**changes)
        self.consent(connector)
        return connector

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.set_vendor_clock()

    def set_vendor_clock(self) -> None:
        self.twin.control("clock", {"now": self.clock().isoformat(), "frozen": True})

    def control(self, path: str, **payload: Any) -> Any:
        """A control action of the twin, in this test's division."""
        return self.twin.control(path, {"division": self.division, **payload})

    def load(self, count: int, *, customers: int = 5, first: int = 1000, division: int = 0) -> None:
        """Post `count` open invoices with numbers from `first` on, over so many customers."""
        base = {
            "kind": "invoice",
            "settles": "",
            "issue_on": "2026-01-05",
            "due_on": "2026-02-04",
            "currency": "EUR",
        }
        items = []
        for index in range(count):
            amount = str(Decimal(100 + index) + Decimal("0.10"))
            name = {"customer_ref": f"C{index % customers}", "number": str(first + index)}
            items.append({**base, **name, "amount": amount, "open_amount": amount})
        people = [customer(index) for index in range(customers)]
        self.control("load", division=division or self.division, customers=people, items=items)

    def books(self) -> dict[str, Decimal]:
        """Open amount by item reference, as the vendor's own books say it."""
        items = self.twin.control("books")["items"]
        return {
            f"{item['division']}:{item['ID']}": Decimal(item["open_amount"])
            for item in items
            if item["division"] == self.division
        }

    @staticmethod
    def open_state(pages: list[Page]) -> dict[str, Decimal]:
        """What a hub that upserts by item reference holds as open after these pages."""
        state: dict[str, Decimal] = {}
        for page in pages:
            for row in page.rows:
                state[row.item_ref] = row.open_amount
        return {reference: amount for reference, amount in state.items() if amount}

    def token_calls(self) -> dict[str, int]:
        return dict(self.twin.control("tokens")["calls"])


def customer(index: int) -> dict[str, Any]:
    return {
        "customer_ref": f"C{index}", "name": f"Müller & Zoon <{index}>", "kind": "company", "country": "BE",
        "language": "nl", "vat_ref": "BE0403170701", "email": f"debtor{index}@example.org", "phone": "+32 2 000 00 00",
        "contact": "Jan Peeters", "street": "Dorpsstraat 1", "postcode": "1000", "city": "Brussel",
    }  # fmt: skip


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    """One Exact Online twin for all tests of a process, with the real limits."""
    twin = start_twin("exact", tmp_path_factory.mktemp("exact"), settings={"webhook_seconds": "0"})
    twin.control("clock", {"now": "2026-06-15T08:00:00+00:00", "frozen": True})
    yield twin
    twin.stop()


@pytest.fixture
def world(vendor: RunningTwin) -> World:
    """A division and an app that no other test uses, early on a new day."""
    division = next(_NUMBERS)
    now = dt.datetime.fromisoformat(vendor.control("clock")["now"])
    tomorrow = (now + dt.timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    created = World(vendor, division, HandClock(tomorrow))
    created.set_vendor_clock()
    vendor.control("faults", {})
    vendor.control("next_host", {"url": ""})
    vendor.control("scopes", {"revoked": []})
    vendor.control("limits", {"a_minute": 60, "a_day": 5000, "token_calls_a_day": 200})
    vendor.control(
        "app",
        {
            "client_id": created.client_id,
            "client_secret": "secret",
            "redirect_uri": REDIRECT,
            "webhook_secret": WEBHOOK_SECRET,
        },
    )
    created.control("load", customers=[], items=[])
    return created


@pytest.fixture
def vault_folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"
