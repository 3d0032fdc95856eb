"""No pair is lost, however many processes ask at once and whoever of them is killed (scenarios X1 and X2).

`make storm` runs the same with ten thousand requests and prints the count.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
    assert counts["killed"] > 0 and counts["unanswered"] == 0
