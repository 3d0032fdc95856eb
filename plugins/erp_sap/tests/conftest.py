"""Strict twins over real HTTP, and a ledger or a company in them that belongs to one test."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.sdk import Vault
from collecthub.testing.fakes import MemoryVault, context, utc_now
from collecthub_erp_sap.business_one.connector import BusinessOneConnector
from collecthub_erp_sap.business_one.settings import BusinessOneSettings
from collecthub_erp_sap.connector import S4Connector
from collecthub_erp_sap.settings import S4Settings

TODAY = dt.date(2026, 6, 15)
EVENING = "2026-06-15T20:00:00+00:00"
_companies = itertools.count(1)


@dataclass
class Ledger:
    """One company code of the twin, with one customer and items that are numbered for this test alone."""

    twin: RunningTwin
    company: str
    vault: Vault = field(default_factory=MemoryVault)

    @property
    def customer(self) -> str:
        return f"00000{self.company}0"

    def number(self, name: object) -> str:
        return f"{self.company}-{name}"

    def load(self, names: list[Any], **changes: Any) -> None:
        """Load invoices of 1000.00 EUR that fell due in April, changed as asked."""
        self.load_each([{"number": self.number(name), **changes} for name in names])

    def load_instalments(self, count: int) -> None:
        """Load one document of so many instalments, due from April on, month by month."""
        plan = {"kind": "instalment", "settles": self.number("plan")}
        self.load_each(
            [{**plan, "number": self.number(f"i{n}"), "due_on": f"2026-{n + 4:02d}-01"} for n in range(count)]
        )

    def load_each(self, changes: list[dict[str, Any]]) -> None:
        item = {
            "kind": "invoice", "settles": "", "customer_ref": self.customer, "issue_on": "2026-03-01",
            "due_on": "2026-04-01", "amount": "1000.00", "currency": "EUR", "dunning_level": 1,
        }  # fmt: skip
        items = [{**item, **one} for one in changes]
        items = [{"open_amount": one["amount"], **one} for one in items]
        customers = [{"customer_ref": self.customer, "name": "Ωmega & Zonen", "kind": "company", "country": "BE"}]
        self.twin.control("load", {"company_code": self.company, "customers": customers, "items": items})

    def do(self, action: str, name: object, **more: Any) -> Any:
        return self.twin.control(action, {"number": self.number(name), **more})

    def connector(
        self, business_date: dt.date = TODAY, now: Callable[[], dt.datetime] = utc_now, **settings: Any
    ) -> S4Connector:
        given = {
            "base_url": self.twin.url, "sap_client": "100", "company_codes": (self.company,),
            "username": "COLLECTHUB", "password": "sandbox-password", "page_size": 1000, **settings,
        }  # fmt: skip
        made = context(S4Settings(**given), business_date=business_date, now=now, vault=self.vault)
        return S4Connector(made)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    beside = Path(os.environ.get("COLLECTHUB_SHARED") or Path(__file__).parents[4] / "shared") / "data"
    home = tmp_path_factory.mktemp("sap")
    running = start_twin("sap", home, shared=beside if beside.is_dir() else None, settings={"change_seconds": "0.3"})
    running.control("clock", {"now": EVENING, "frozen": False})
    yield running
    running.stop()


@pytest.fixture
def ledger(twin: RunningTwin) -> Iterator[Ledger]:
    yield Ledger(twin, f"{next(_companies):04d}")
    twin.control("faults", {})
    twin.control("clock", {"now": EVENING, "frozen": False})
    twin.control("services", {"inactive": [], "forbidden": [], "message_next": "", "page_size": 0, "missing": []})
    twin.control("logon", {"unlock": True})


@pytest.fixture
def cube_path() -> str:
    return "/sap/opu/odata/sap/API_OPLACCTGDOCITEMCUBE_SRV/A_OperationalAcctgDocItemCube"


@dataclass
class Company:
    """A company database that belongs to one test."""

    twin: RunningTwin
    vault: Vault = field(default_factory=MemoryVault)

    def load(self, *items: dict[str, Any], customers: Iterable[dict[str, Any]] = ()) -> None:
        blank = {
            "kind": "invoice", "settles": "", "customer_ref": "C1", "issue_on": "2026-03-01", "due_on": "2026-04-01",
            "amount": "1000.00", "currency": "EUR", "dunning_level": 1,
        }  # fmt: skip
        given = [{**blank, **item} for item in items]
        given = [{"open_amount": item["amount"], **item} for item in given]
        people = [{"customer_ref": "C1", "name": "Ωmega & Zonen", "country": "BE"}, *customers]
        self.twin.control("load", {"customers": people, "items": given})

    def do(self, action: str, number: str, **more: Any) -> Any:
        return self.twin.control(action, {"number": number, **more})

    def connector(self, business_date: dt.date = TODAY, **settings: Any) -> BusinessOneConnector:
        given = {
            "base_url": self.twin.url, "company_db": "SBODEMO", "username": "collecthub",
            "password": "sandbox-password", **settings,
        }  # fmt: skip
        made = context(BusinessOneSettings(**given), business_date=business_date, vault=self.vault)
        return BusinessOneConnector(made)

    def books(self) -> dict[str, str]:
        """What the company itself says is open, by the identity that the connector gives it."""
        return {"/".join(item["key"]): item["open_amount"] for item in self.twin.control("books")["items"]}


@pytest.fixture(scope="module")
def b1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    running = start_twin("b1", tmp_path_factory.mktemp("b1"))
    yield running
    running.stop()


@pytest.fixture(params=["v1", "v2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def company(b1: RunningTwin) -> Company:
    b1.control("wipe", {})
    b1.control("clock", {"now": "2026-06-15T10:00:00+00:00", "frozen": False})
    b1.control("faults", {})
    b1.control("sessions", {"expire": True, "unlock": True})
    b1.control("service", {
        "drops_filter": True, "ignores_page_size": False, "moves_update_date": True, "tells_open_transactions": True,
    })  # fmt: skip
    return Company(b1)
