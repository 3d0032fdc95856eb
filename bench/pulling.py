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


def beside_dlt(folder: Path, server: str, new_database: NewDatabase, items: int, times: int) -> Iterator[Finding]:
    """dlt's rest_api source appends the same pages to a SQLite file, in turns with ours."""
    title = f"pull {items:,}: first load, beside dlt"

    def theirs() -> Told:
        with tempfile.TemporaryDirectory(prefix="dlt-", dir=folder) as pipelines:
            return run("peer_dlt", server, new_database(), items, pipelines, seconds=240, python=str(python))

    def mine() -> Told:
        return ours(folder, server, new_database(), items, "load")

    try:
        python = dlt_python()
        pairs: list[tuple[Told, Told]] = []
        for turn in range(times):
            if turn % 2:
                hub, peer = mine(), theirs()
            else:
                peer, hub = theirs(), mine()
            pairs.append((hub, peer))
    except BenchError as reason:
        yield Finding(name=title, database="SQLite", at_least=5, left_out=str(reason))
        return
    version = pairs[0][1]["version"]
    for clock in ("wall", "cpu"):
        spent = [(hub["load"][clock], peer["load"][clock]) for hub, peer in pairs]
        ratios = [peer / hub for hub, peer in spent]
        yield Finding(
            name=f"{title}, {clock}", database="SQLite",
            ours=f"{median([hub for hub, _ in spent]):.2f} s, {max(hub['peak_mb'] for hub, _ in pairs):.0f} MB",
            beside=f"dlt {version} {median([peer for _, peer in spent]):.2f} s{spread(ratios)},"
            f" {max(peer['peak_mb'] for _, peer in pairs):.0f} MB",
            ratio=round(median(ratios), 2), at_least=5,
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
