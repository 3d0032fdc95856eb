"""A long pull that is cut off and resumed ends in the vendor's books, in flat memory (scenario X8)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_VOLUME = Path(__file__).with_name("pull_volume.py")


def volume(*options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(_VOLUME), *options], capture_output=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_pull_cut_at_a_random_page_ends_in_the_books() -> None:
    found = volume("--rows", "5000")
    assert found["was_cut"] and found["differences"] == 0, found
    assert found["pages"] == 5, found  # no page is kept twice


@pytest.mark.crash
@pytest.mark.timeout(1200)
def test_a_hundred_thousand_terms_in_flat_memory() -> None:
    found = volume("--rows", "100000")
    print(found)
    assert found["was_cut"] and found["differences"] == 0, found
    assert found["pages"] >= 100
    assert found["peak_rss_mb"] < found["mb_after_ten_pages"] + 10, found
