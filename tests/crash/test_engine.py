"""The engine under workers that die: takeover, jobs that stumble, jobs that wait in line once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import sqlalchemy as sa

from collecthub.config import load_settings
from collecthub.engine.case_work import open_task
from collecthub.engine.context import Hub
from collecthub.engine.durable_queue import DurableQueue
from collecthub.hub import open_client
from collecthub.store import tables as t
from collecthub.store.facts import read_fact
from crash.worker_process import DEAD_AFTER_SECONDS, STUMBLES, runs, start_worker

PATIENCE_SECONDS = 120.0  # a busy machine is no defect of the engine
pytestmark = pytest.mark.chaos


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


class Office:
    """A hub's client and its worker processes, which end with the test."""

    def __init__(self, hub: Hub, folder: Path, url: str) -> None:
        self.hub, self.folder, self._url = hub, folder, url
        self._workers: list[BaseProcess] = []

    def hire(self, home: Path) -> BaseProcess:
        worker, ready = start_worker(home, self._url)
        self._workers.append(worker)
        assert ready.wait(PATIENCE_SECONDS), "the worker did not start"
        return worker

    def wake(self, job: str) -> None:
        with self.hub.work() as work:
            work.wake(job, str(self.folder))

    def runs(self) -> list[list[str]]:
        return runs(self.folder)

    def moments(self) -> dict[int, float]:
        """Process id to the moment of its last heartbeat."""
        with self.hub.database.read() as conn:
            rows = conn.execute(sa.select(t.workers.c.pid, t.workers.c.beat_at)).all()
        return {row.pid: row.beat_at.timestamp() for row in rows}

    def idle(self) -> bool:
        queue = self.hub.queue
        assert isinstance(queue, DurableQueue)
        return queue.unfinished() == 0

    def close(self) -> None:
        (self.folder / "go").touch()
        for worker in self._workers:
            worker.kill()
            worker.join()


def _opened(tmp_path: Path, url: str) -> Iterator[Office]:
    with closing(open_client(load_settings({}, home=tmp_path, database_url=url))) as hub:
        office = Office(hub, tmp_path, url)
        try:
            yield office
        finally:
            office.close()


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[Office]:
    yield from _opened(tmp_path, database_url)


@pytest.fixture
def pg_office(tmp_path: Path, pg_url: str) -> Iterator[Office]:
    yield from _opened(tmp_path, pg_url)


@pytest.mark.parametrize("other_home", [False, True], ids=["same home", "another host"])
def test_a_killed_worker_loses_its_job_to_another_and_a_living_one_does_not(
    pg_office: Office, tmp_path: Path, other_home: bool
) -> None:
    first = pg_office.hire(tmp_path)
    pg_office.wake("linger")
    until(lambda: pg_office.runs() == [["linger", str(first.pid)]], "the first worker has the job")
    second = pg_office.hire(tmp_path / "elsewhere" if other_home else tmp_path)
    assert second.pid is not None
    pid = second.pid
    since = pg_office.moments()[pid]
    until(
        lambda: pg_office.moments()[pid] > since + 2 * DEAD_AFTER_SECONDS,
        "the second worker has looked around for longer than a dead one is waited for",
    )
    assert pg_office.runs() == [["linger", str(first.pid)]], "a living worker was robbed"

    first.kill()
    first.join()
    until(lambda: len(pg_office.runs()) == 2, "the second worker has the job")
    assert pg_office.runs()[1] == ["linger", str(second.pid)]
    (tmp_path / "go").touch()
    until(pg_office.idle, "the job is done")
    assert set(pg_office.moments()) == {second.pid}, "the dead worker is off the list"


def test_a_worker_killed_in_a_job_takes_it_up_when_it_comes_back(office: Office, tmp_path: Path) -> None:
    first = office.hire(tmp_path)
    office.wake("linger")
    until(lambda: len(office.runs()) == 1, "the job runs")
    first.kill()
    first.join()
    second = office.hire(tmp_path)
    until(lambda: office.runs() == [["linger", str(first.pid)], ["linger", str(second.pid)]], "the job runs again")
    (tmp_path / "go").touch()
    until(office.idle, "the job is done")


def test_a_job_that_outlives_its_worker_is_not_left_behind(office: Office, tmp_path: Path) -> None:
    first = office.hire(tmp_path)
    office.wake("linger")
    until(lambda: len(office.runs()) == 1, "the job runs")
    first.terminate()  # asked to end in order, which the job does not let it
    first.join(PATIENCE_SECONDS)
    assert first.exitcode == 0
    second = office.hire(tmp_path)
    until(lambda: office.runs() == [["linger", str(first.pid)], ["linger", str(second.pid)]], "the job runs again")
    (tmp_path / "go").touch()
    until(office.idle, "the job is done")
    assert set(office.moments()) == {second.pid}


def test_a_job_that_meets_somebody_else_is_looked_at_again(office: Office, tmp_path: Path) -> None:
    office.wake("stumble")
    office.hire(tmp_path)
    until(lambda: len(office.runs()) == STUMBLES + 1, "the job came through")
    until(office.idle, "nothing waits")
    assert len(office.runs()) == STUMBLES + 1


def test_a_job_waits_in_line_once_and_one_that_runs_gets_one_successor(office: Office, tmp_path: Path) -> None:
    for _ in range(5):
        office.wake("linger")
    office.hire(tmp_path)
    until(lambda: len(office.runs()) == 1, "the job runs")
    for _ in range(5):
        office.wake("linger")
    (tmp_path / "go").touch()
    until(office.idle, "nothing waits")
    assert len(office.runs()) == 2


def test_a_job_that_another_release_put_in_line_is_done(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade finds in line what the release before it left there."""
    for place in ("collecthub.__version__", "collecthub.engine.durable_queue.__version__"):
        monkeypatch.setattr(place, "0.0.0", raising=False)
    office.wake("linger")
    (tmp_path / "go").touch()
    office.hire(tmp_path)
    until(office.idle, "nothing waits")
    assert len(office.runs()) == 1


def test_two_jobs_that_write_the_same_row_at_once_are_both_done(pg_office: Office, tmp_path: Path) -> None:
    pg_office.wake("collide")
    pg_office.hire(tmp_path)
    until(lambda: len(pg_office.runs()) == 2, "the one that came second looked again")
    until(pg_office.idle, "nothing waits")
    with pg_office.hub.database.read() as conn:
        assert read_fact(conn, "met") == "first"
        assert conn.scalar(sa.select(sa.func.count()).select_from(t.tasks)) == 0, "no person is bothered with a race"


def test_two_who_miss_the_same_thing_at_once_open_one_task(pg_office: Office) -> None:
    hub, meet = pg_office.hub, threading.Barrier(2)

    def ask() -> None:
        with hub.work() as work:
            meet.wait()
            open_task(work, kind="mandate", title="The agreement is missing", detail="agreement of agency-FI")

    with ThreadPoolExecutor(2) as people:
        for asked in [people.submit(ask) for _ in range(2)]:
            asked.result(PATIENCE_SECONDS)
    with hub.database.read() as conn:
        assert conn.scalars(sa.select(t.tasks.c.state)).all() == ["open"]


def test_a_fault_is_put_on_a_persons_list_without_anybodys_data_and_the_worker_goes_on(office: Office, tmp_path: Path) -> None:
    office.wake("fault")
    worker = office.hire(tmp_path)
    until(lambda: len(office.runs()) == 1, "the job ran")
    until(office.idle, "nothing waits")
    (tmp_path / "go").touch()
    office.wake("linger")
    until(lambda: office.runs()[-1] == ["linger", str(worker.pid)], "the same worker does the next job")
    with office.hub.database.read() as conn:
        task = conn.execute(sa.select(t.tasks.c.kind, t.tasks.c.owner, t.tasks.c.detail)).one()
    assert (task.kind, task.owner) == ("job_broke_off", "operator")
    assert "KeyError" in task.detail and "Peeters" not in task.detail
