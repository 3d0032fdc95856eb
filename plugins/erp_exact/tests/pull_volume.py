"""Pulls many payment terms with a cut at a random page, resumes, and compares the end state row by row.

    python plugins/erp_exact/tests/pull_volume.py --rows 100000

The pull runs in a process of its own, which keeps each page and its checkpoint in one transaction, is cut off from
the vendor at a random page, and is followed by another one. While they read, items change. Prints JSON with what
differs from the twin's books (nothing should) and the peak memory after ten pages and at the end. Exit code 1 when
anything differs.
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
from datetime import UTC, datetime
from decimal import Decimal
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


def pull(home: str, url: str, facts: Any) -> None:
    """One process: from the kept checkpoint to the end, or to the cut; tells how far and how large it became."""
    books = sqlite3.connect(Path(home) / "kept.sqlite", isolation_level=None)
    books.execute("PRAGMA journal_mode = WAL")
    books.execute("CREATE TABLE IF NOT EXISTS item (ref TEXT PRIMARY KEY, amount TEXT)")
    books.execute("CREATE TABLE IF NOT EXISTS checkpoint (one INTEGER PRIMARY KEY, text TEXT)")
    checkpoint = books.execute("SELECT text FROM checkpoint").fetchone()
    pages, early, is_whole = 0, 0, True
    try:
        for page in connector(Path(home), url).pull(checkpoint[0] if checkpoint else ""):
            books.execute("BEGIN")
            rows = [(row.item_ref, str(row.open_amount)) for row in page.rows]
            books.executemany("INSERT OR REPLACE INTO item VALUES (?, ?)", rows)
            books.execute("INSERT OR REPLACE INTO checkpoint VALUES (1, ?)", (page.checkpoint,))
            books.execute("COMMIT")
            pages += bool(rows)
            early = _peak_mb() if pages <= 10 else early
            facts.put(("page", pages))
    except RetryableError:
        is_whole = False
    books.close()
    facts.put(("end", {"pages": pages, "early_mb": early, "peak_mb": _peak_mb(), "is_whole": is_whole}))


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def followed(home: Path, twin: RunningTwin, cut_at: int, drop_at: int, paid: Iterator[int]) -> dict[str, Any]:
    """Run one pulling process; after page `cut_at` (0: never) the connection breaks within the next page, after
    `drop_at` bytes, and at every tenth page something changes."""
    processes = multiprocessing.get_context("spawn")
    facts = processes.Queue()
    process = processes.Process(target=pull, args=(str(home), twin.url, facts))
    process.start()
    while True:
        kind, value = facts.get(timeout=120)
        if kind == "end":
            process.join(30)
            return dict(value)
        if value == cut_at:
            twin.control("faults", {"path": _TERMS, "drop_after_bytes": drop_at})
        if value % 10 == 0:
            twin.control("pay", {"number": str(100_000 + next(paid))})


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


def run(home: Path, rows: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    twin = start_twin("exact", home / "twin", raised_limits=True)
    try:
        twin.control("clock", {"now": _NOW.isoformat(), "frozen": True})
        load(twin, rows)
        consent(home, twin.url)
        cut_at = chance.randrange(1, rows // 1000)
        started = time.monotonic()
        paid = iter(chance.sample(range(rows), rows // 1000))
        first = followed(home, twin, cut_at, chance.randrange(1, 200_000), paid)
        second = followed(home, twin, 0, 0, paid)
        seconds = time.monotonic() - started
        return {
            "rows": rows, "cut_at_page": cut_at, "was_cut": not first["is_whole"],
            "pages": first["pages"] + second["pages"], "differences": difference(home, twin),
            "mb_after_ten_pages": max(first["early_mb"], second["early_mb"]),
            "peak_rss_mb": max(first["peak_mb"], second["peak_mb"]), "seconds": round(seconds, 1),
            "seed": seed,
        }  # fmt: skip
    finally:
        twin.stop()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as home:
        found = run(Path(home), given.rows, given.seed)
    print(json.dumps(found))
    sys.exit(1 if found["differences"] or not found["was_cut"] else 0)


if __name__ == "__main__":
    main()
