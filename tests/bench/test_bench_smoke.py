"""The bench runs, and what it compares is comparable."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from collecthub.store.tables import invoices

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(CHECKOUT))


def test_the_bare_loop_stores_the_same_columns_and_indices() -> None:
    from bench.bare import COLUMNS, SCHEMA

    assert [column.name for column in invoices.columns] == COLUMNS
    assert {index.name for index in invoices.indexes} == {text.split()[2] for text in SCHEMA[1:]}


@pytest.mark.slow
def test_a_quick_run_measures_every_part(tmp_path: Path) -> None:
    output = tmp_path / "findings.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--output", output], cwd=CHECKOUT, capture_output=True, text=True,
        timeout=290, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    found = [row for part in json.loads(output.read_bytes()).values() for row in part["findings"]]
    assert not [row["left_out"] for row in found if row["left_out"]]
    names = " ".join(row["name"] for row in found)
    for part in ("pull", "open cases", "route cases", "API list", "peak memory"):
        assert part in names
