"""A worker process's lifeline: a locked file in the hub's home that the kernel lets go when the process ends.

Whoever shares the home sees at once that a process is gone, however it ended; others wait for its heartbeat to stop.
"""

from __future__ import annotations

import contextlib
import fcntl
from pathlib import Path
from typing import TextIO

from collecthub.errors import RetryableError


class Lifelines:
    """The lifelines of the workers that share one home."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "workers"
        self._held: TextIO | None = None

    def hold(self, executor_id: str) -> None:
        """Take this process's own line; it is let go with `release` or by the end of the process.

        Raises `RetryableError` when a living process works under that name.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        line = self._path(executor_id).open("w", encoding="ascii")
        try:
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            line.close()
            raise RetryableError(
                f"another process works on the hub in {self._folder.parent} already",
                cure="Stop it first, or let it do the work: `collecthub sync` wakes it.",
            ) from error
        self._held = line

    def is_cut(self, executor_id: str) -> bool:
        """Whether that process is certainly gone. False also when it lives on another home, where nobody can tell."""
        try:
            with self._path(executor_id).open(encoding="ascii") as line:
                fcntl.flock(line, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:  # it is held, or it is not here
            return False
        return True

    def forget(self, executor_id: str) -> None:
        """Remove the line of a process whose work is taken over."""
        with contextlib.suppress(FileNotFoundError):
            self._path(executor_id).unlink()

    def release(self, executor_id: str) -> None:
        """Let the own line go."""
        if self._held is not None:
            self._held.close()
            self._held = None
        self.forget(executor_id)

    def _path(self, executor_id: str) -> Path:
        return self._folder / f"{executor_id}.lock"
