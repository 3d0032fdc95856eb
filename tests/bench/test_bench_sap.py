"""The SAP part of the bench runs, and all of its programs find the same items."""

from __future__ import annotations

from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(300)  # six programs start one after the other, on a busy machine slowly
def test_a_small_run_measures_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(CHECKOUT))
    from bench.places import sqlite_files
    from bench.sap_pull import rows

    databases = {"SQLite": sqlite_files(tmp_path / "sqlite")}
    found = list(rows(tmp_path, databases, items=6_000))
    assert not [row.left_out for row in found if row.left_out]
    names = " ".join(row.name for row in found)
    for part in ("first load", "identical re-pull", "pyodata", "with a cut"):
        assert part in names
    (cut,) = (row for row in found if "with a cut" in row.name)
    assert cut.verdict == "met"
