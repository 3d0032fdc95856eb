"""No pair is lost, however many processes ask at once and whoever of them is killed (scenarios X1 and X2)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_STORM = Path(__file__).with_name("refresh_storm.py")


def storm(*options: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, str(_STORM), *options], stdout=subprocess.PIPE, check=False)
    assert done.returncode in (0, 1)
    counts: dict[str, float] = json.loads(done.stdout)
    return counts


def test_no_pair_is_lost_when_processes_that_ask_are_killed() -> None:
    counts = storm("--requests", "16", "--together", "8", "--kills", "0.5")
    assert counts["lost_pairs"] == 0
    assert counts["refreshes"] == 2 and counts["requests"] == 16
    assert counts["killed"] > 0


@pytest.mark.crash
@pytest.mark.timeout(3600)
def test_ten_thousand_requests_lose_no_pair() -> None:
    counts = storm("--requests", "10000", "--together", "100", "--kills", "0.5")
    print(counts)
    assert counts["lost_pairs"] == 0 and counts["requests"] == 10_000
    assert counts["refreshes"] == 100 and counts["killed"] > 3000
