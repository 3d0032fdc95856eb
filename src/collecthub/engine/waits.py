"""Calls that wait for somebody who does not answer: a job that only waits keeps no worker from the others.

A frozen partner costs a call its whole time limit. The first such calls of several partners may fall into one moment and take every
worker of a process before anybody knows that there is trouble; so the engine takes a further job for each that waits too long.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

LONG_SECONDS = 2.0  # a partner who is well has answered by then, or sent something
SPARE_MOST = 16  # further jobs at a time: each may cost a thread and a connection


class Waits:
    """What the jobs of this process wait for outside, by thread and moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: set[int] = set()
        self._since: dict[int, float] = {}

    @contextlib.contextmanager
    def job(self) -> Iterator[None]:
        """For the length of a job in this thread; what other threads ask outside holds no worker."""
        with self._lock:
            self._jobs.add(threading.get_ident())
        try:
            yield
        finally:
            with self._lock:
                self._jobs.discard(threading.get_ident())

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        """For the length of one outward call."""
        with self._lock:
            self._since[threading.get_ident()] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._since[threading.get_ident()]

    def spare(self) -> int:
        """How many further jobs may run now: one for each that has waited for long, `SPARE_MOST` at the most."""
        limit = time.monotonic() - LONG_SECONDS
        with self._lock:
            return min(SPARE_MOST, sum(since < limit for thread, since in self._since.items() if thread in self._jobs))
