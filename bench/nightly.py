"""The nightly decision run: 100,000 open cases on one core. `python -m bench.nightly HOME DATABASE CASES`."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.findings import Finding
from bench.house import CREDITOR
from bench.places import BenchError, NewDatabase, run
from bench.usage import measured, peak_mb
from collecthub.config import load_settings
from collecthub.engine.case_work import change_case
from collecthub.engine.context import Hub
from collecthub.engine.nightly import NightlyRun, decide_all
from collecthub.hub import open_hub
from collecthub.model.event import CaseOpened, Claim, Fact, HoldSet
from collecthub.model.facts_human import PlanAgreed, PlanProposed
from collecthub.model.party import Party
from collecthub.model.plan import split
from collecthub.store import tables as t
from collecthub.store.connections import CreditorRow, Playbook, write_creditor
from collecthub.testing.inline import InlineQueue

MOST_SECONDS, MOST_GROWN_MB = 60.0, 50.0
TODAY = dt.date(2026, 6, 15)
_CHUNK = 1_000


def rows(folder: Path, databases: Mapping[str, NewDatabase], cases: int) -> Iterator[Finding]:
    """One run over cases of which nothing is due, as on most nights."""
    for name, new_database in databases.items():
        told = run("nightly", folder / f"nightly-home-{name}", new_database(), cases, seconds=900)
        if told["looked"] != cases:
            raise BenchError(f"on {name} {told['looked']} cases were looked at, not {cases}")
        quiet = told["quiet"]
        yield Finding(
            name=f"nightly decision run, {cases:,} open cases, CPU seconds of one core", database=name,
            ours=f"{quiet['cpu']:.1f} s CPU, {quiet['wall']:.1f} s by the clock", ratio=round(quiet["cpu"], 1),
            at_most=MOST_SECONDS,
        )  # fmt: skip
        yield Finding(
            name=f"memory that the run of {cases:,} cases added, MB", database=name, ours=f"peak {told['peak_mb']:.0f} MB",
            ratio=round(told["grown_mb"], 1), at_most=MOST_GROWN_MB,
        )  # fmt: skip


def _furnish(hub: Hub, cases: int) -> None:
    """Two cases by the front door, with their waits; the others are copies of their rows under other ids."""
    with hub.database.write() as conn:
        party = Party(name="Kroon", country="BE")
        write_creditor(conn, CreditorRow(creditor_id=CREDITOR, name="Kroon", party=party, playbook=Playbook()), hub.now())
    ids = [f"{number:032x}" for number in range(cases)]
    with hub.work() as work:
        for number in (0, 1):
            debtor = Party(name=f"Debtor {number}", country="BE")
            change_case(hub, work, None, _history(number), actor="bench", case_id=ids[number], debtor=debtor)
    with hub.database.write() as conn:
        firsts = [dict(row) for row in conn.execute(sa.select(t.cases).order_by(t.cases.c.case_id)).mappings()]
        waits = [dict(row) for row in conn.execute(sa.select(t.timers)).mappings()]
        for start in range(2, cases, _CHUNK):
            numbers = range(start, min(start + _CHUNK, cases))
            conn.execute(sa.insert(t.cases), [_copied(firsts[n % 2], ids[n], n) for n in numbers])
            copied = [{**one, "case_id": ids[n]} for n in numbers for one in waits if one["case_id"] == ids[n % 2]]
            if copied:
                conn.execute(sa.insert(t.timers), copied)


def _copied(first: dict[str, Any], case_id: str, number: int) -> dict[str, Any]:
    doc = first["doc"].replace(first["case_id"], case_id).replace(f'"{first["number"]}"', f'"B-{number}"')
    return {**first, "case_id": case_id, "number": f"B-{number}", "debtor_ref": str(number), "doc": doc}


def _history(number: int) -> list[Fact]:
    """A case of two claims with a plan (every second one) or a hold."""
    claims = tuple(
        Claim(
            claim_id=f"{number}-{one}", number=f"F-{number}-{one}", issued_on=None, due_on=dt.date(2026, 4, 1 + one),
            original_amount=Decimal("150.00"), open_amount=Decimal("150.00"),
        )
        for one in (1, 2)
    )  # fmt: skip
    opened = CaseOpened(
        number=f"B-{number}", creditor_id=CREDITOR, connection_id="books", debtor_ref=str(number), debtor_digest="x",
        currency="EUR", segment="B2C", claims=claims,
    )  # fmt: skip
    if number % 2:
        return [opened, HoldSet(reason="dispute")]
    parts = split(Decimal("300.00"), 6, dt.date(2026, 7, 1), "EUR")
    return [
        opened, PlanProposed(plan_id=f"p{number}", proposed_by="creditor", instalments=parts),
        PlanAgreed(plan_id=f"p{number}", agreements=()),
    ]  # fmt: skip


def main(home: str, database: str, cases: int) -> None:
    """Furnish (not measured), run, and say what it took."""
    Path(home).mkdir(parents=True, exist_ok=True)
    hub = open_hub(load_settings({}, home=Path(home), database_url=database, business_date=TODAY))
    hub.queue = InlineQueue()
    _furnish(hub, cases)
    before, found = peak_mb(), list[NightlyRun]()
    told: dict[str, object] = {"quiet": measured(lambda: found.append(decide_all(hub)))}
    told |= {"looked": found[0].looked, "acted": found[0].acted, "peak_mb": peak_mb(), "grown_mb": peak_mb() - before}
    print(json.dumps(told))
    hub.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
