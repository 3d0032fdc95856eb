"""Connections in trouble wait for answers that do not come: together they never hold more than half of the workers.

A frozen partner costs each call its whole time limit. Without this, four of them would hold all four workers for minutes, and
partners who are well would wait behind them.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

from collecthub.engine.context import Hub
from collecthub.store.connections import ConnectionRow, change_connection

LOOK_AGAIN = dt.timedelta(seconds=5)
TROUBLE = "waiting"


class Bulkhead:
    """Counts the jobs of troubled connections in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0

    def run(self, hub: Hub, row: ConnectionRow, job: Callable[[Hub, str], object], *, is_periodic: bool = False) -> None:
        """Run a connection's job; one in trouble that finds no room is left to the clock, which wakes it again.

        The clock sees by itself what waits to be sent; `is_periodic` is said of what it has just put off to the next period.
        """
        if row.status != TROUBLE:
            job(hub, row.connection_id)
        elif self._takes(hub.settings.worker_concurrency):
            try:
                job(hub, row.connection_id)
            finally:
                self._leave()
        elif is_periodic:
            with hub.work() as work:
                change_connection(work.conn, row.connection_id, next_due_at=work.now + LOOK_AGAIN)

    def _takes(self, workers: int) -> bool:
        with self._lock:
            has_room = self._running < max(1, workers // 2)
            self._running += has_room
            return has_room

    def _leave(self) -> None:
        with self._lock:
            self._running -= 1
