"""Stand-ins for what the hub gives a connector: vaults, a journal, a clock and a ready-made context.

For tests of plugins only. Each keeps the promises of the Protocol it stands in for, so that a connector that
works here meets no surprise in the hub; none of them stands in for a counterparty, that is what the twins are for.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from collecthub.errors import PermanentError, RetryableError
from collecthub.ports import CaseFormat, ConnectorContext, Vault


class MemoryVault:
    """Secrets in memory, for one process. Leases exclude other threads and run out like the hub's."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values: dict[str, str] = dict(values or {})
        self._lease_ends: dict[str, float] = {}
        self._guard = threading.Lock()

    def read(self, name: str) -> str | None:
        """The value, or None when it was never written."""
        return self.values.get(name)

    def write(self, name: str, value: str) -> None:
        """Keep the value for as long as this object lives."""
        self.values[name] = value

    @contextmanager
    def exclusive(self, name: str, seconds: int) -> Iterator[None]:
        """Hold a lease; raises `RetryableError` at once while another holder's lease runs."""
        ends_at = time.monotonic() + seconds
        with self._guard:
            if self._lease_ends.get(name, 0.0) > time.monotonic():
                raise _lease_taken(name)
            self._lease_ends[name] = ends_at
        try:
            yield
        finally:
            with self._guard:
                if self._lease_ends.get(name) == ends_at:
                    del self._lease_ends[name]


class FolderVault:
    """Secrets as files of one folder, durable and shared by processes: for tests that kill or race them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, name: str) -> str | None:
        """The value last written by any process, or None."""
        path = self._folder / name
        return str(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def write(self, name: str, value: str) -> None:
        """Replace the value in one step; it is on disk when this returns."""
        temporary = self._folder / f"{name}.{os.getpid()}.{threading.get_ident()}.new"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / name)

    @contextmanager
    def exclusive(self, name: str, seconds: int) -> Iterator[None]:
        """Hold a file lock, which ends with the process; raises `RetryableError` at once when it is held."""
        with (self._folder / f"{name}.lease").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as taken:
                raise _lease_taken(name) from taken
            yield


def _lease_taken(name: str) -> RetryableError:
    return RetryableError(f"The lease on {name} is taken.", cure="Try again shortly.", retry_after_seconds=1)


class ListJournal:
    """A journal that keeps its marks in a list. When `withdrawn`, it refuses the point of no return."""

    def __init__(self, *, withdrawn: bool = False) -> None:
        self.marks: list[str] = []
        self.withdrawn = withdrawn

    def mark(self, intent: str) -> None:
        """Note the intent; raises `PermanentError` when the sending was withdrawn."""
        if self.withdrawn:
            raise PermanentError("This sending was withdrawn.", cure="Do not send it.")
        self.marks.append(intent)


class HandClock:
    """A clock that moves only when told. Call it for the moment (aware, UTC)."""

    def __init__(self, start: dt.datetime) -> None:
        self.moment = start.astimezone(dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds."""
        self.moment += dt.timedelta(seconds=seconds)


def utc_now() -> dt.datetime:
    """The machine's moment in UTC."""
    return dt.datetime.now(dt.UTC)


def context(
    settings: BaseModel,
    *,
    vault: Vault | None = None,
    now: Callable[[], dt.datetime] = utc_now,
    business_date: dt.date | None = None,
    formats: Mapping[str, CaseFormat] | None = None,
    connection_id: str = "conn-test",
    sender_ref: str = "collecthub-test",
    receiver_ref: str = "",
    allow_loopback: bool = True,
) -> ConnectorContext:
    """What a connector is built with, ready for a test against twins on 127.0.0.1.

    The business date follows `now` unless it is given.
    """
    return ConnectorContext(
        connection_id=connection_id,
        settings=settings,
        vault=vault or MemoryVault(),
        formats=formats or {},
        now=now,
        business_date=lambda: business_date or now().date(),
        sender_ref=sender_ref,
        receiver_ref=receiver_ref,
        allow_loopback=allow_loopback,
    )
