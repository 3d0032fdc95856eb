"""A worker process with jobs of the test's own beside the product's: they linger, stumble, collide and break off.

Every run of a job adds a line `job pid` to `runs` in the folder that the job's target names.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import sqlalchemy as sa

from collecthub.config import load_settings
from collecthub.engine import durable
from collecthub.engine.context import Hub
from collecthub.engine.jobs import JOBS
from collecthub.errors import RetryableError
from collecthub.hub import open_hub
from collecthub.store import tables as t
from collecthub.store.facts import read_fact, write_fact
from crash.hub_process import server

BEAT_SECONDS, DEAD_AFTER_SECONDS, STOP_SECONDS = 0.2, 1.5, 0.3
STUMBLES = 2


def runs(folder: Path) -> list[list[str]]:
    """The runs so far, oldest first: job and process id."""
    file = folder / "runs"
    return [line.split() for line in file.read_text(encoding="ascii").splitlines()] if file.exists() else []


def _note(job: str, target: str) -> None:
    with (Path(target) / "runs").open("a", encoding="ascii") as file:
        file.write(f"{job} {os.getpid()}\n")


def linger(hub: Hub, target: str) -> None:
    """Run until the file `go` is there."""
    _note("linger", target)
    while not (Path(target) / "go").exists():
        time.sleep(0.02)


def stumble(hub: Hub, target: str) -> None:
    """Ask to be run again, twice."""
    _note("stumble", target)
    if len(runs(Path(target))) <= STUMBLES:
        raise RetryableError("somebody else changed the same case", cure="Nothing to do; it is read again.")


def collide(hub: Hub, target: str) -> None:
    """Write a row that somebody else wrote at this moment; the next look finds it there. For databases with many writers."""
    _note("collide", target)
    with hub.database.write() as conn:
        if read_fact(conn, "met") is None:
            with hub.database.write() as other:
                write_fact(other, "met", "first")
            conn.execute(sa.insert(t.facts).values(name="met", value="second"))


def fault(hub: Hub, target: str) -> None:
    """Break off as a mistake in the code would, with a debtor's name in the text of the error."""
    _note("fault", target)
    raise KeyError("Jeanne Peeters")


JOBS |= {"linger": linger, "stumble": stumble, "collide": collide, "fault": fault}


def start_worker(home: Path, database_url: str) -> tuple[BaseProcess, Event]:
    """A worker that runs until SIGTERM; the event tells that it takes jobs."""
    context = server()
    ready = context.Event()
    process = context.Process(target=_work, args=(home, database_url, ready), daemon=True)
    process.start()
    return process, ready


def _work(home: Path, database_url: str, ready: Event) -> None:
    durable.BEAT_SECONDS, durable.DEAD_AFTER_SECONDS, durable.STOP_SECONDS = BEAT_SECONDS, DEAD_AFTER_SECONDS, STOP_SECONDS
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    hub = open_hub(load_settings({}, home=home, database_url=database_url))
    with contextlib.closing(hub), durable.running(hub):
        ready.set()
        stopped.wait()
    os._exit(0)  # as a supervisor ends what does not end by itself
