"""A long pull that is cut off, killed and resumed ends in the vendor's books, in flat memory (scenario X8)."""

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


def test_x8_a_pull_cut_at_a_random_page_ends_in_the_books() -> None:
    found = volume("--rows", "5000")
    assert found["was_cut"] == 1 and found["differences"] == 0, found
    assert found["pages"] in (5, 6, 7), found  # five, and what changed meanwhile; no page is kept twice


def test_x8_a_payment_at_the_last_page_of_a_pull_comes_with_the_next_one() -> None:
    # Five pages: the payment at the fifth falls between the reading of the terms and the end of the pull.
    found = volume("--rows", "5000", "--cuts", "0")
    assert found["was_cut"] == 0 and found["differences"] == 0, found
    assert found["pages"] == 6, found


@pytest.mark.crash
@pytest.mark.timeout(1200)
def test_x8_a_hundred_thousand_terms_in_flat_memory() -> None:
    found = volume("--rows", "100000")
    print(found)
    assert found["was_cut"] and found["differences"] == 0, found
    assert found["pages"] >= 100
    assert found["peak_rss_mb"] < found["mb_after_ten_pages"] + 10, found


@pytest.mark.crash
@pytest.mark.timeout(1200)
def test_x8_no_row_is_lost_when_the_pull_is_cut_and_killed_again_and_again() -> None:
    found = volume("--rows", "40000", "--cuts", "6", "--kills", "6")
    print(found)
    assert found["was_cut"] >= 6 and found["differences"] == 0, found
