"""Pulls many payment terms with cuts at random pages, resumes, and compares the end state row by row.

    python plugins/erp_exact/tests/pull_volume.py --rows 100000 --cuts 1 --kills 0

The pull runs in a process of its own, which keeps each page and its checkpoint in one transaction. At random pages it
is cut off from the vendor within an answer, or killed, and another one follows. While they read, items change; after
each page the process waits until that is done, so that a seed tells one story only. What changes after the last page
of terms was read is no concern of that pull: one more, during which nothing changes, has to bring it. Prints JSON
with what differs from the twin's books (nothing should) and the peak memory after ten pages and at the end. Exit code
1 when anything differs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import sqlite3
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from collecthub.errors import RetryableError
from collecthub.sandbox.exact import CLIENT_ID, CLIENT_SECRET, DEFAULT_DIVISION, REDIRECT_URI
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.testing.fakes import FolderVault, context
from collecthub_erp_exact.connector import ExactConnector
from collecthub_erp_exact.settings import ExactSettings

_NOW = datetime(2026, 6, 15, 8, tzinfo=UTC)
_CHUNK = 5_000
_PATIENCE_SECONDS = 120
_TERMS = f"/api/v1/{DEFAULT_DIVISION}/sync/Cashflow"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def connector(home: Path, url: str) -> ExactConnector:
    settings = ExactSettings(
        base_url=url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uri=REDIRECT_URI,
        divisions=(DEFAULT_DIVISION,), compare_daily=False,
    )  # fmt: skip
    return ExactConnector(context(settings, vault=FolderVault(home / "vault"), now=lambda: _NOW))


def consent(home: Path, url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    mine = connector(home, url)
    try:
        opener.open(mine.begin_consent("s"), timeout=10)
    except urllib.error.HTTPError as redirect:
        with redirect:
            mine.finish_consent(parse_qs(urlsplit(redirect.headers["Location"]).query)["code"][0])


def load(twin: RunningTwin, rows: int) -> None:
    people = [{"customer_ref": f"C{index}", "name": f"Debtor {index}", "country": "BE"} for index in range(500)]
    twin.control("load", {"customers": people, "items": []})
    for start in range(0, rows, _CHUNK):
        items = []
        for index in range(start, min(start + _CHUNK, rows)):
            amount = str(Decimal(index % 9973) + Decimal(index % 97) / 100 + Decimal("0.01"))
            items.append(
                {
                    "kind": "invoice", "settles": "", "issue_on": "2026-01-05", "due_on": "2026-02-04",
                    "currency": "EUR", "customer_ref": f"C{index % 500}", "number": str(100_000 + index),
                    "amount": amount, "open_amount": amount,
                }
            )  # fmt: skip
        twin.control("load", {"customers": [], "items": items})


def pull(home: Path, url: str, line: Connection) -> None:
    """One process: from the kept checkpoint to the end, or to the cut; tells how far and how large it became."""
    books = sqlite3.connect(home / "kept.sqlite", isolation_level=None)
    books.execute("PRAGMA journal_mode = WAL")
    books.execute("CREATE TABLE IF NOT EXISTS item (ref TEXT PRIMARY KEY, amount TEXT)")
    books.execute("CREATE TABLE IF NOT EXISTS checkpoint (one INTEGER PRIMARY KEY, text TEXT)")
    checkpoint = books.execute("SELECT text FROM checkpoint").fetchone()
    pages, early, is_whole = 0, 0.0, True
    try:
        for page in connector(home, url).pull(checkpoint[0] if checkpoint else ""):
            books.execute("BEGIN")
            rows = [(row.item_ref, str(row.open_amount)) for row in page.rows]
            books.executemany("INSERT OR REPLACE INTO item VALUES (?, ?)", rows)
            books.execute("INSERT OR REPLACE INTO checkpoint VALUES (1, ?)", (page.checkpoint,))
            books.execute("COMMIT")
            early = _peak_mb() if pages < 10 else early
            if rows:
                pages += 1
                line.send(("page", pages))
                line.recv()
    except RetryableError:
        is_whole = False
    books.close()
    line.send(("end", {"pages": pages, "early_mb": early, "peak_mb": _peak_mb(), "is_whole": is_whole}))


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


@dataclass(frozen=True)
class Fate:
    """How the life of one pulling process ends: after page `at` the connection breaks within the next answer, after
    `drop_at` bytes; or the process is killed while it reads or keeps the next page, `kill_after` seconds later."""

    at: int = 0
    drop_at: int = 0
    kill_after: float = 0.0


def lived(home: Path, twin: RunningTwin, fate: Fate, changes: Iterator[str]) -> dict[str, Any]:
    """Run one pulling process to its end; at every fifth page, and before its fate, an item is paid."""
    processes = multiprocessing.get_context("fork")  # nothing else runs in this one, and nothing is imported again
    here, there = processes.Pipe()
    process = processes.Process(target=pull, args=(home, twin.url, there))
    process.start()
    there.close()
    while True:
        assert here.poll(_PATIENCE_SECONDS), "the pulling process says nothing"
        kind, value = here.recv()
        if kind == "end":
            process.join(30)
            return dict(value)
        if value % 5 == 0 or value == fate.at:
            for number in islice(changes, 1):
                twin.control("pay", {"number": number})
        if value == fate.at and fate.drop_at:
            twin.control("faults", {"path": _TERMS, "drop_after_bytes": fate.drop_at})
        here.send(None)
        if value == fate.at and fate.kill_after:
            process.join(fate.kill_after)
            process.kill()
            process.join(30)
            return {"pages": value, "early_mb": 0.0, "peak_mb": 0.0, "is_whole": False}


def difference(home: Path, twin: RunningTwin) -> int:
    """How many items are not the same in the kept books and in the vendor's."""
    books = sqlite3.connect(home / "kept.sqlite")
    kept = {ref: Decimal(amount) for ref, amount in books.execute("SELECT * FROM item") if Decimal(amount)}
    books.close()
    theirs = {
        f"{item['division']}:{item['ID']}": Decimal(item["open_amount"])
        for item in twin.control("books")["items"]
    }
    return sum(kept.get(ref) != theirs.get(ref) for ref in kept.keys() | theirs.keys())


def run(home: Path, rows: int, cuts: int, kills: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    twin = start_twin("exact", home / "twin", raised_limits=True)
    try:
        twin.control("clock", {"now": _NOW.isoformat(), "frozen": True})
        load(twin, rows)
        consent(home, twin.url)
        started = time.monotonic()
        changes = (str(100_000 + index) for index in chance.sample(range(rows), rows // 1000))
        fates = [*_fates(chance, rows, cuts, kills), Fate()]
        lives = [lived(home, twin, fate, changes) for fate in fates]
        lives.append(lived(home, twin, Fate(), iter(())))
        seconds = time.monotonic() - started
        return {
            "rows": rows, "cut_at_pages": [fate.at for fate in fates if fate.drop_at],
            "killed_at_pages": [fate.at for fate in fates if fate.kill_after],
            "was_cut": sum(not life["is_whole"] for life in lives), "pages": sum(life["pages"] for life in lives),
            "differences": difference(home, twin),
            "mb_after_ten_pages": max(life["early_mb"] for life in lives),
            "peak_rss_mb": max(life["peak_mb"] for life in lives), "seconds": round(seconds, 1), "seed": seed,
        }  # fmt: skip
    finally:
        twin.stop()


def _fates(chance: random.Random, rows: int, cuts: int, kills: int) -> list[Fate]:
    """So many broken connections and killed processes in any order, all of them before the last page."""
    count = cuts + kills
    longest = max(1, (rows // 1000 - 1) // count) if count else 0
    are_cuts = chance.sample([True] * cuts + [False] * kills, count)
    return [
        Fate(chance.randint(1, longest), drop_at=chance.randrange(1, 200_000))
        if is_cut
        else Fate(chance.randint(1, longest), kill_after=chance.uniform(0.001, 0.2))
        for is_cut in are_cuts
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--cuts", type=int, default=1)
    options.add_argument("--kills", type=int, default=0)
    options.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as home:
        found = run(Path(home), given.rows, given.cuts, given.kills, given.seed)
    print(json.dumps(found))
    sys.exit(1 if found["differences"] or found["was_cut"] < given.cuts else 0)


if __name__ == "__main__":
    main()
