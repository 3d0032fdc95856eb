"""S/4HANA: pull to store beside the bare loop and pyodata over the same pages, resume after a cut, peak memory.

`python -m bench.sap_pull [ITEMS [MEMORY_ITEMS...]]` prints the rows by itself, 20,000 items by default.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.findings import Finding, median, show, spread
from bench.places import BenchError, NewDatabase, run, serving, sqlite_files

Told = dict[str, Any]
ITEMS = 20_000
_homes = itertools.count(1)
_PHASES = {"load": "first load", "again": "identical re-pull"}


def rows(
    folder: Path, databases: Mapping[str, NewDatabase], items: int = ITEMS, times: int = 1, memory: Sequence[int] = ()
) -> Iterator[Finding]:
    """Every row of this part; the server of ready pages is its own."""
    with serving("sap_server", items) as server:
        for name, new_database in databases.items():
            pairs = list(_turns(folder, server, new_database, items, times))
            yield from _beside_bare(name, pairs, items)
            if name == "SQLite":
                yield from _beside_pyodata(server, pairs[-1][0], items)
        yield from _after_a_cut(folder, server, databases["SQLite"], items)
        yield from _memory(folder, server, databases["SQLite"], memory)


def _ours(folder: Path, server: str, database: str, items: int, phases: str = "load,again") -> Told:
    home = folder / f"sap-{next(_homes)}"
    return run("sap_ours", home, server, database, items, phases, seconds=1800)


def _checked(told: Told, other: Told, items: int) -> None:
    """What is compared must have done the same work."""
    if (told["rows"], told["open_minor"]) != (other["rows"], other["open_minor"]) or told["rows"] != items:
        raise BenchError(f"the two found different things: {told} {other}")


def _turns(
    folder: Path, server: str, new_database: NewDatabase, items: int, times: int
) -> Iterator[tuple[Told, Told]]:
    """Ours and the bare loop, taking turns; the two must have stored the same."""
    for turn in range(times):
        if turn % 2:
            bare = run("sap_bare", server, new_database(), items)
            hub = _ours(folder, server, new_database(), items)
        else:
            hub = _ours(folder, server, new_database(), items)
            bare = run("sap_bare", server, new_database(), items)
        _checked(hub, bare, items)
        yield hub, bare


def _beside_bare(name: str, pairs: Sequence[tuple[Told, Told]], items: int) -> Iterator[Finding]:
    for phase, words in _PHASES.items():
        for clock in ("wall", "cpu"):
            mine = [hub[phase][clock] for hub, _ in pairs]
            bares = [bare[phase][clock] for _, bare in pairs]
            ratios = [bare / hub for hub, bare in zip(mine, bares, strict=True)]
            yield Finding(
                name=f"SAP pull {items:,}: {words}, {clock}", database=name,
                ours=f"{median(mine):.2f} s, {items / median(mine):,.0f}/s",
                beside=f"bare loop {median(bares):.2f} s{spread(ratios)}",
                ratio=round(median(ratios), 2), at_least=0.6,
            )  # fmt: skip


def _beside_pyodata(server: str, hub: Told, items: int) -> Iterator[Finding]:
    """pyodata only reads; ours, in the last turn, read, checked and stored."""
    peer = run("sap_pyodata", server, items, seconds=900)
    _checked(hub, peer, items)
    for clock in ("wall", "cpu"):
        mine, theirs = hub["load"][clock], peer["load"][clock]
        yield Finding(
            name=f"SAP pull {items:,} beside pyodata's reading, {clock}", database="SQLite",
            ours=f"{mine:.2f} s, {hub['peak_mb']:.0f} MB",
            beside=f"pyodata {peer['version']} {theirs:.2f} s, {peer['peak_mb']:.0f} MB",
            ratio=round(theirs / mine, 2), at_least=1,
        )  # fmt: skip


def _after_a_cut(folder: Path, server: str, new_database: NewDatabase, items: int) -> Iterator[Finding]:
    """How much more is read when the connection breaks within the second page; all that was kept stays."""
    hub = _ours(folder, server, new_database(), items, "cut")
    if hub["rows"] != items:
        raise BenchError(f"after a cut there are {hub['rows']} of {items} items")
    yield Finding(
        name=f"SAP pull {items:,} with a cut: items committed by items there", database="SQLite",
        ours=f"{hub['read']:,} committed, {hub['rows']:,} there", ratio=round(hub["read"] / items, 2), at_most=1,
    )  # fmt: skip


def _memory(folder: Path, server: str, new_database: NewDatabase, counts: Sequence[int]) -> Iterator[Finding]:
    """Peak memory of the pulling process as the pull grows; the ratio is to the smallest pull."""
    smallest = 0.0
    for items in counts:
        hub = _ours(folder, server, new_database(), items, "load")
        smallest = smallest or float(hub["peak_mb"])
        yield Finding(
            name=f"SAP peak memory, {items:,} items", database="SQLite",
            ours=f"{hub['peak_mb']:.0f} MB, {items / hub['load']['wall']:,.0f}/s",
            ratio=round(hub["peak_mb"] / smallest, 2), at_most=1.2,
        )  # fmt: skip


def main(items: int, memory: Sequence[int]) -> None:
    """Print the rows of this part."""
    with tempfile.TemporaryDirectory(prefix="bench-sap-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        show(list(rows(folder, {"SQLite": sqlite_files(folder / "sqlite")}, items, memory=memory)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ITEMS, [int(count) for count in sys.argv[2:]])
