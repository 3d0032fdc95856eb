"""Rows 1, 2 and 5: pull to store beside the bare loop and dlt, and what memory does as the pull grows."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.findings import Finding, median, spread
from bench.peers import dlt_python
from bench.places import BenchError, NewDatabase, run

Told = dict[str, Any]
_homes = itertools.count(1)
_PHASES = {"load": "first load", "again": "identical re-pull"}


def ours(folder: Path, server: str, database: str, items: int, phases: str = "load,again") -> Told:
    """One process that pulls with the hub."""
    return run("ours", folder / f"home-{next(_homes)}", server, database, items, phases)


def beside_bare(
    folder: Path, server: str, databases: Mapping[str, NewDatabase], items: int, times: int
) -> Iterator[Finding]:
    """Ours and the bare loop take turns; the two must have stored the same."""
    for name, new_database in databases.items():
        pairs: list[tuple[Told, Told]] = []
        for turn in range(times):
            if turn % 2:
                bare, hub = run("bare", server, new_database(), items), ours(folder, server, new_database(), items)
            else:
                hub, bare = ours(folder, server, new_database(), items), run("bare", server, new_database(), items)
            if (hub["rows"], hub["open_minor"]) != (bare["rows"], bare["open_minor"]) or hub["rows"] != items:
                raise BenchError(f"on {name} the two stored different things: {hub} {bare}")
            pairs.append((hub, bare))
        for phase, words in _PHASES.items():
            for clock in ("wall", "cpu"):
                yield _compared(f"pull {items:,}: {words}, {clock}", name, pairs, phase, clock, items)


def _compared(
    title: str, database: str, pairs: Sequence[tuple[Told, Told]], phase: str, clock: str, items: int
) -> Finding:
    mine = [hub[phase][clock] for hub, _ in pairs]
    bares = [bare[phase][clock] for _, bare in pairs]
    ratios = [bare / hub for hub, bare in zip(mine, bares, strict=True)]
    return Finding(
        name=title, database=database,
        ours=f"{median(mine):.2f} s, {items / median(mine):,.0f}/s",
        beside=f"bare loop {median(bares):.2f} s{spread(ratios)}",
        ratio=round(median(ratios), 2), at_least=0.6,
    )  # fmt: skip


def beside_dlt(folder: Path, server: str, new_database: NewDatabase, items: int) -> Iterator[Finding]:
    """dlt's rest_api source appends the same pages to a SQLite file; ours pulls them right after."""
    title = f"pull {items:,}: first load, beside dlt"
    try:
        python = dlt_python()
        with tempfile.TemporaryDirectory(prefix="dlt-", dir=folder) as pipelines:
            peer = run("peer_dlt", server, new_database(), items, pipelines, seconds=240, python=str(python))
    except BenchError as reason:
        yield Finding(name=title, database="SQLite", at_least=5, left_out=str(reason))
        return
    hub = ours(folder, server, new_database(), items, "load")
    for clock in ("wall", "cpu"):
        mine, theirs = hub["load"][clock], peer["load"][clock]
        yield Finding(
            name=f"{title}, {clock}", database="SQLite", ours=f"{mine:.2f} s, {hub['peak_mb']:.0f} MB",
            beside=f"dlt {peer['version']} {theirs:.2f} s, {peer['peak_mb']:.0f} MB",
            ratio=round(theirs / mine, 2), at_least=5,
        )  # fmt: skip


def memory(folder: Path, server: str, new_database: NewDatabase, counts: Sequence[int]) -> Iterator[Finding]:
    """Peak memory of the pulling process as the pull grows; the ratio is to the smallest pull."""
    smallest = 0.0
    for items in counts:
        peak = float(ours(folder, server, new_database(), items, "load")["peak_mb"])
        smallest = smallest or peak
        yield Finding(
            name=f"peak memory, {items:,} items", database="SQLite", ours=f"{peak:.0f} MB",
            ratio=round(peak / smallest, 2), at_most=1.2,
        )  # fmt: skip
