"""The counterparties of the crash tests: about 200 invoices of the bundled portfolio, twins that can be killed."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from collecthub.cli.demo.portfolio import CreditorPlan, Plan, bundled
from collecthub.cli.demo.town import ERPS, OFFICES, Town, opened
from collecthub.sandbox.twin import RunningTwin

ABROAD = ("DE", "FR", "GB", "JP")
ITEMS_PER_LEDGER = 70
START_SECONDS = 30.0


@cache
def cut_plan() -> Plan:
    """Every ledger with the debtors of four countries abroad and so many at home that it has 70 items."""
    whole = bundled()
    return replace(whole, creditors=tuple(_cut(creditor) for creditor in whole.creditors))


def _cut(creditor: CreditorPlan) -> CreditorPlan:
    counts: dict[str, int] = {}
    for item in creditor.items:
        counts[item.customer_ref] = counts.get(item.customer_ref, 0) + 1
    kept: set[str] = set()
    total = 0
    for customer in sorted(creditor.customers, key=lambda one: one.country not in ABROAD):
        count = counts.get(customer.customer_ref, 0)
        if customer.country in (*ABROAD, creditor.country) and total + count <= ITEMS_PER_LEDGER:
            kept.add(customer.customer_ref)
            total += count
    return replace(
        creditor,
        customers=tuple(one for one in creditor.customers if one.customer_ref in kept),
        items=tuple(item for item in creditor.items if item.customer_ref in kept),
    )


class NearbyTown(Town):
    """The town as a process sees it that did not start it: every twin by the ready file it wrote last."""

    def __getitem__(self, name: str) -> RunningTwin:
        home = self.home / name
        facts = json.loads((home / f"{name}.json").read_text(encoding="utf-8"))
        return RunningTwin(name, home, facts["url"], facts["pid"], facts, cast("subprocess.Popen[bytes]", None))

    def to_noon(self, day: dt.date) -> None:
        """Put every calendar to this day."""
        noon = dt.datetime.combine(day, dt.time(12), dt.UTC).isoformat()
        for name in (*ERPS, *OFFICES):
            self[name].control("clock", {"now": noon})


class MortalTown(NearbyTown):
    """The town in the hands of the test: twins die by SIGKILL and come back on their books."""

    def __init__(self, started: Town) -> None:
        super().__init__(started.home, ())
        self._started = started
        self._revived: dict[str, subprocess.Popen[bytes]] = {}

    def kill(self, name: str) -> None:
        """End a twin as a power cut would."""
        process = self._revived.get(name) or self._started[name].process
        process.kill()
        process.wait()

    def revive(self, name: str) -> None:
        """Start a dead twin as it was started before; it is not waited for."""
        self._revived[name] = subprocess.Popen(
            cast("list[str]", self._started[name].process.args),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def await_ready(self) -> None:
        """Wait until every revived twin listens."""
        deadline = time.monotonic() + START_SECONDS
        for name, process in self._revived.items():
            while self[name].pid != process.pid:
                assert process.poll() is None, f"the {name} twin did not come back"
                assert time.monotonic() < deadline, f"the {name} twin is not ready"
                time.sleep(0.02)

    def end(self) -> None:
        """Stop what was revived."""
        for process in self._revived.values():
            process.kill()
            process.wait()


@contextlib.contextmanager
def mortal_town(home: Path) -> Iterator[MortalTown]:
    """A town with the plan's open items in the ERPs' books."""
    plan = cut_plan()
    with opened(Town(home, plan.agency_countries)) as started:
        town = MortalTown(started)
        try:
            town.to_noon(plan.as_of)
            for creditor in plan.creditors:
                town.load(creditor.erp, creditor.customers, creditor.items)
            yield town
        finally:
            town.end()


def settle_in_erp(town: Town, creditor: CreditorPlan, item_refs: set[str], how: str) -> int:
    """Pay or credit those items of a creditor's ERP that are still open there; nobody tells the holder but the hub."""
    items: list[dict[str, Any]] = town[creditor.erp].control("books")["items"]
    ref_of = _exact_ref if creditor.erp == "exact" else _sap_ref
    numbers = [item["number"] for item in items if ref_of(item) in item_refs]
    for number in numbers:
        order = {"number": number} | ({"credit_number": f"CN-{number}"} if how == "credit" else {})
        town[creditor.erp].control(how, order)
    return len(numbers)


def _exact_ref(item: dict[str, Any]) -> str:
    return f"{item['division']}:{item['ID']}"


def _sap_ref(item: dict[str, Any]) -> str:
    return "/".join(item["key"])
