"""How commands come to the hub: as clients beside a running one, or as the one that works."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from collecthub.errors import RetryableError

if TYPE_CHECKING:
    from collecthub.config import HubSettings
    from collecthub.engine.context import Hub
    from collecthub.engine.durable import Engine


@contextlib.contextmanager
def client() -> Iterator[Hub]:
    """The hub for a command: reads, changes and enqueues; never works or recovers."""
    from collecthub.hub import open_client

    hub = open_client()
    try:
        yield hub
    finally:
        hub.close()


@contextlib.contextmanager
def at_work(hub: Hub, *, ticking: bool) -> Iterator[Engine]:
    """The running engine of a hub, with its clock if `ticking`; finishes what runs at the end of the block."""
    from collecthub.engine.durable import running

    with only_worker(hub.settings), running(hub) as engine:
        if ticking:
            threading.Thread(target=engine.tick_forever, name="clock", daemon=True).start()
        yield engine


@contextlib.contextmanager
def only_worker(settings: HubSettings) -> Iterator[None]:
    """On SQLite one process works at a time. Raises `RetryableError` while another one does."""
    if not settings.is_sqlite:
        yield
        return
    path = settings.home / "worker.lock"
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RetryableError(
                f"process {_holder(path)} already works on the hub in {settings.home}",
                cure="Stop it first, or let it do the work: `collecthub sync` wakes it.",
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _holder(path: Path) -> str:
    return path.read_text(encoding="ascii").strip() or "?"
