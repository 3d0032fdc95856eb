"""Row 3: cases opened and routed per second. `python -m bench.casework HOME DATABASE DEBTORS`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import sqlalchemy as sa

from bench.findings import Finding
from bench.house import BOOKS, CREDITOR, INVOICES_EACH, furnished
from bench.places import BenchError, NewDatabase, run
from bench.usage import measured, peak_mb
from collecthub.engine.opening import open_cases
from collecthub.engine.placing import place_cases
from collecthub.store import tables as t


def rows(folder: Path, databases: Mapping[str, NewDatabase], debtors: int) -> Iterator[Finding]:
    """Open and route, on every database."""
    for name, new_database in databases.items():
        told = run("casework", folder / f"case-home-{name}", new_database(), debtors, seconds=400)
        if (told["opened"], told["routed"]) != (debtors, debtors):
            raise BenchError(f"on {name} {told['opened']} cases were opened and {told['routed']} routed, not {debtors}")
        for step, words in (("open", f"open cases, {debtors * INVOICES_EACH:,} invoices"), ("place", "route cases")):
            wall, cpu = told[step]["wall"], told[step]["cpu"]
            yield Finding(
                name=words, database=name, ours=f"{debtors / wall:,.0f} cases/s, {wall:.1f} s",
                beside=f"{cpu / debtors * 1000:.2f} ms CPU a case",
            )


def main(home: str, database: str, debtors: int) -> None:
    """Pull (not measured), open, route, and say what it took."""
    hub = furnished(Path(home), database, debtors)
    told: dict[str, object] = {
        "open": measured(lambda: open_cases(hub, BOOKS)),
        "place": measured(lambda: place_cases(hub, CREDITOR)),
    }
    with hub.database.read() as conn:
        told["opened"] = conn.scalar(sa.select(sa.func.count()).select_from(t.cases))
        told["routed"] = conn.scalar(sa.select(sa.func.count()).select_from(t.cases).where(t.cases.c.partner_id != ""))
    print(json.dumps({**told, "peak_mb": peak_mb()}))
    hub.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
