"""A whole portfolio checked and routed in memory-flat chunks, on one core. `python -m bench.routing HOME DATABASE CASES`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import sqlalchemy as sa
from fastapi.testclient import TestClient

from bench.findings import Finding
from bench.house import BOOKS, CREDITOR, furnished
from bench.places import BenchError, NewDatabase, run
from bench.usage import measured, peak_mb
from collecthub.engine.context import Hub
from collecthub.engine.feasibility import dry_run
from collecthub.engine.opening import open_cases
from collecthub.engine.placing import decisions
from collecthub.engine.routing import Ground
from collecthub.model.event import RouteChosen
from collecthub.store import accounts
from collecthub.store import tables as t
from collecthub.store.case_log import case_row, read_cases
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role
from collecthub.web.app import create_app

SECONDS_FOR_100_000 = 120
FLAT_MB = 40  # what the second half of a portfolio may add
TEMPLATES = 40  # cases are opened once and then copied under other ids
CHUNK = 100  # as placing does
REQUESTS = 50
MILLISECONDS_FOR_ONE = 50


def rows(folder: Path, databases: Mapping[str, NewDatabase], cases: int) -> Iterator[Finding]:
    """Check and route every case, on every database; the ratio is CPU seconds to what the issue allows."""
    for name, new_database in databases.items():
        told = run("routing", folder / f"routing-home-{name}", new_database(), cases, seconds=1800)
        if told["routed"] != cases or told["checked"] != cases:
            raise BenchError(f"on {name} {told['checked']} cases were checked and {told['routed']} routed, not {cases}")
        spent = told["route"]["cpu"] + told["check"]["cpu"]
        allowed = SECONDS_FOR_100_000 * cases / 100_000
        yield Finding(
            name=f"check and route {cases:,} cases, one core", database=name,
            ours=f"{spent:.1f} s CPU: dry run {told['check']['cpu']:.1f} s, routes {told['route']['cpu']:.1f} s",
            beside=f"allowed {allowed:.0f} s; memory {told['half_mb']:.0f} MB at half, {told['peak_mb']:.0f} MB at the end",
            ratio=round(spent / allowed, 2), at_most=1.0,
        )  # fmt: skip
        yield Finding(
            name="feasibility and routes of one case by API", database=name,
            ours=f"{told['feasibility_ms']:.1f} and {told['routes_ms']:.1f} ms CPU, the client's included",
            beside=f"allowed {MILLISECONDS_FOR_ONE} ms each",
            ratio=round(max(told["feasibility_ms"], told["routes_ms"]) / MILLISECONDS_FOR_ONE, 2), at_most=1.0,
        )  # fmt: skip


def by_api(hub: Hub) -> dict[str, float]:
    """CPU milliseconds of a request for one case, by the mean of many on a warm application."""
    with hub.database.write() as conn:
        secret, _ = accounts.add_api_key(conn, name="bench", role=Role.OPERATOR, now=hub.now())
    client = TestClient(create_app(hub), headers={"Authorization": f"Bearer {secret}"}, base_url="http://127.0.0.1")

    return {f"{what}_ms": _milliseconds(client, what) for what in ("feasibility", "routes")}


def _milliseconds(client: TestClient, what: str) -> float:
    def ask(times: int) -> None:
        for number in range(times):
            if client.get(f"/api/v1/cases/copy-{TEMPLATES + number:08}/{what}").status_code != 200:
                raise BenchError(f"the API did not answer {what}")

    ask(1)
    return measured(lambda: ask(REQUESTS))["cpu"] / REQUESTS * 1000


def fill(hub: Hub, cases: int) -> None:
    """A portfolio of copies; what is measured is checking and routing, not opening."""
    open_cases(hub, BOOKS)
    with hub.database.read() as conn:
        found = read_cases(conn, t.cases.c.creditor_id == CREDITOR)
    with hub.database.write() as conn:
        for start in range(len(found), cases, CHUNK):
            numbers = range(start, min(start + CHUNK, cases))
            copies = (
                msgspec.structs.replace(found[number % len(found)], case_id=f"copy-{number:08}", number=f"CP-{number:08}")
                for number in numbers
            )
            conn.execute(sa.insert(t.cases), [case_row(copy) for copy in copies])


def route_all(hub: Hub, told: dict[str, object], cases: int) -> None:
    """Decide every case's route as `place` would, and change nothing."""
    after, seen, routed = "", 0, 0
    chances = None
    while True:
        with hub.database.read() as conn:
            found = read_cases(conn, (t.cases.c.creditor_id == CREDITOR) & (t.cases.c.case_id > after), CHUNK)
            if not found:
                break
            ground = Ground(conn, [case.case_id for case in found], hub.business_date(), chances)
            chances = ground.chances
            routed += sum(isinstance(fact, RouteChosen) for fact in decisions(hub, ground, found))
        seen += len(found)
        if "half_mb" not in told and seen >= cases // 2:
            told["half_mb"] = peak_mb()
        after = found[-1].case_id
    told["routed"] = routed


def main(home: str, database: str, cases: int) -> None:
    """Fill (not measured), check all, route all, and say what it took."""
    hub = furnished(Path(home), database, min(TEMPLATES, cases))
    fill(hub, cases)
    told: dict[str, object] = {}

    def check() -> None:
        with hub.database.read() as conn:
            told["checked"] = dry_run(hub, conn, LOCAL_OPERATOR, "", hub.business_date()).cases

    told["check"] = measured(check)
    told["route"] = measured(lambda: route_all(hub, told, cases))
    print(json.dumps({**told, "peak_mb": peak_mb(), **by_api(hub)}))
    hub.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
