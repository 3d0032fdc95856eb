"""`python -m bench`: every row of the table, printed and kept in `bench/results.json`."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from bench import (
    bank_files,
    case_list,
    casework,
    exchange,
    nightly,
    pulling,
    routing,
    sap_pull,
    sftp_delivery,
)
from bench.findings import Finding, show
from bench.places import STATE, BenchError, NewDatabase, postgres_server, serving, sqlite_files


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    items: int = 100_000
    times: int = 3
    debtors: int = 5_000
    cases: int = 100_000
    list_seconds: float = 4
    memory: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    case_files: int = 100_000
    exchange_times: int = 1  # minutes a turn
    batch_megabytes: int = 100
    deliveries: int = 2_000
    far_deliveries: int = 200  # the client waits a fifth of a second for each
    transactions: int = 100_000
    transactions_memory: tuple[int, ...] = (10_000, 200_000)
    nightly: int = 100_000
    sap_items: int = 100_000
    sap_memory: tuple[int, ...] = (100_000, 1_000_000)
    databases: tuple[str, ...] = ("SQLite", "PostgreSQL")


QUICK = Sizes(
    items=2_000, times=1, debtors=40, cases=400, nightly=300, list_seconds=0.3, memory=(1_000,), case_files=200, batch_megabytes=10, deliveries=10, far_deliveries=3,
    transactions=500, transactions_memory=(), sap_items=6_000, sap_memory=(), databases=("SQLite",)
)  # fmt: skip
Part = Callable[[Path, str, Mapping[str, NewDatabase], Sizes], Iterator[Finding]]

PARTS: dict[str, Part] = {
    "pull": lambda folder, server, databases, sizes: pulling.beside_bare(
        folder, server, databases, sizes.items, sizes.times
    ),
    "dlt": lambda folder, server, databases, sizes: pulling.beside_dlt(
        folder, server, databases["SQLite"], sizes.items, sizes.times
    ),
    "cases": lambda folder, _, databases, sizes: casework.rows(folder, databases, sizes.debtors),
    "routing": lambda folder, _, databases, sizes: routing.rows(folder, databases, sizes.cases),
    "list": lambda folder, _, databases, sizes: case_list.rows(folder, databases, sizes.cases, sizes.list_seconds),
    "sap_pull": lambda folder, _, databases, sizes: sap_pull.rows(
        folder, databases, sizes.sap_items, sizes.times, sizes.sap_memory
    ),
    "exchange": lambda folder, _, databases, sizes: chain(
        exchange.beside_bare(sizes.case_files, sizes.exchange_times), exchange.flat(sizes.batch_megabytes)
    ),
    "sftp_delivery": lambda folder, _, databases, sizes: sftp_delivery.rows(
        folder, {0: sizes.deliveries, 20: sizes.far_deliveries}, sizes.times
    ),
    "memory": lambda folder, server, databases, sizes: pulling.memory(
        folder, server, databases["SQLite"], sizes.memory
    ),
    "nightly": lambda folder, _, databases, sizes: nightly.rows(folder, databases, sizes.nightly),
    "bank_files": lambda folder, _, databases, sizes: bank_files.rows(
        folder, databases, sizes.transactions, sizes.transactions_memory
    ),
}

NOT_QUICK = ("dlt", "sap_pull", "exchange", "sftp_delivery")  # of a smoke run, unless they are named


class Measured(msgspec.Struct, frozen=True):
    """What one part found, and how many seconds it took by the clock, its preparations included."""

    part: str
    findings: list[Finding]
    seconds: float


def measure(parts: list[str], sizes: Sizes) -> Iterator[Measured]:
    """Every wanted part; one that fails ends in a row that says why, and the others go on."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)))
        databases = {"SQLite": sqlite_files(folder / "sqlite")}
        if "PostgreSQL" in sizes.databases:
            databases["PostgreSQL"] = stack.enter_context(postgres_server(folder / "pg"))
        server = stack.enter_context(serving("server", sizes.items))
        for name in parts:
            started = time.perf_counter()
            found = list(_measured(name, folder, server, databases, sizes))
            yield Measured(name, found, round(time.perf_counter() - started, 1))


def _measured(
    name: str, folder: Path, server: str, databases: Mapping[str, NewDatabase], sizes: Sizes
) -> Iterator[Finding]:
    try:
        yield from PARTS[name](folder, server, databases, sizes)
    except BenchError as reason:
        yield Finding(name=name, left_out=str(reason))
    except Exception as error:  # noqa: BLE001  # a fault of one part must not cost the work of the others
        yield Finding(name=name, left_out=f"{type(error).__name__}: {error}")


def keep(output: Path, part: str, found: dict[str, Any]) -> None:
    """Replace one part of the results; the others stay, each with the machine and moment it was measured on."""
    results = msgspec.json.decode(output.read_bytes()) if output.exists() else {}
    results[part] = found
    output.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")


def machine() -> dict[str, Any]:
    """Where and when this was measured; `load` is the machine's average over its last minute, the bench included."""
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def main() -> int:
    """Measure, print, keep. Exit code 1 when something was left out or fell short."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: seconds, and figures that mean nothing")
    parser.add_argument("--only", default="", help=f"parts to run, by comma: {', '.join(PARTS)}")
    parser.add_argument("--output", type=Path, help="where to write the findings as JSON")
    given = parser.parse_args()
    parts = given.only.split(",") if given.only else [name for name in PARTS if not (given.quick and name in NOT_QUICK)]
    if unknown := [name for name in parts if name not in PARTS]:
        parser.error(f"unknown part {unknown[0]}; choose from {', '.join(PARTS)}")
    STATE.mkdir(exist_ok=True)
    sizes = QUICK if given.quick else Sizes()
    output = given.output or (STATE / "quick.json" if given.quick else STATE.parent / "results.json")
    findings: list[Finding] = []
    took: dict[str, float] = {}
    for one in measure(parts, sizes):
        rows = one.findings
        if given.quick:  # fixed costs are all there is to see in so little work
            rows = [msgspec.structs.replace(row, at_least=None, at_most=None) for row in rows]
        findings += rows
        took[one.part] = one.seconds
        told = [{**msgspec.structs.asdict(row), "verdict": row.verdict} for row in rows]
        keep(output, one.part, {"machine": machine(), "sizes": sizes, "seconds": one.seconds, "findings": told})
        print(f"{one.part}: {one.seconds:.0f} s", file=sys.stderr)
    show(findings)
    shares = ", ".join(f"{name} {seconds:.0f}" for name, seconds in took.items())
    print(f"{sum(took.values()) / 60:.1f} minutes in all; seconds by part: {shares}")
    return int(any(row.left_out or row.verdict == "short" for row in findings))


if __name__ == "__main__":
    sys.exit(main())
