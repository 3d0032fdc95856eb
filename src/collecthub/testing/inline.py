"""Run a hub's jobs in the calling thread, in order, until nothing is left: for tests that want no engine."""

from __future__ import annotations

from collections import deque

import sqlalchemy as sa

from collecthub.engine.context import Hub
from collecthub.engine.jobs import JOBS


class InlineQueue:
    """A `JobQueue` in memory. Jobs of rolled back transactions are not kept apart: use it where none roll back."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[str, str]] = deque()

    def enqueue(self, conn: sa.Connection, job: str, target: str) -> None:
        """Put the job in line unless it already waits."""
        if (job, target) not in self.waiting:
            self.waiting.append((job, target))


def run_until_idle(hub: Hub, *, most: int = 1000) -> int:
    """Run every waiting job and those they wake; returns how many ran. `most` guards against a loop."""
    queue = hub.queue
    assert isinstance(queue, InlineQueue), "give the hub an InlineQueue first"
    ran = 0
    while queue.waiting:
        job, target = queue.waiting.popleft()
        JOBS[job](hub, target)
        ran += 1
        assert ran < most, f"jobs wake each other without end: {job} {target}"
    return ran
