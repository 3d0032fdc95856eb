"""What a piece of work took in this process: wall seconds, CPU seconds, peak memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Run it; wall and CPU seconds (user and system, all threads of this process, no other process)."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def peak_mb() -> float:
    """Highest resident memory of this process so far, in MB.

    From /proc where there is one: `ru_maxrss` of a young process also counts the parent that it was forked from.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
