"""The durable-execution engine: DBOS on the business database, which takes jobs from `durable_queue` and does them.

Why DBOS, and which of its defaults are dangerous, is `docs/adr/0001-durable-engine.md`. Jobs are coarse (a
connection, a creditor), so the engine's cost per job does not matter; jobs of one target run one after the other.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig

from collecthub.engine.case_work import open_task
from collecthub.engine.context import Hub
from collecthub.engine.durable_queue import ANY_RELEASE, APPLICATION, QUEUE, DurableQueue, JsonText
from collecthub.engine.jobs import JOBS
from collecthub.engine.known_types import learn_types
from collecthub.engine.lifelines import Lifelines
from collecthub.engine.memory import give_back, share_arenas, spare_what_is_there, walk_seldom
from collecthub.errors import CollecthubError, ConfigurationError, RetryableError
from collecthub.model.ids import new_id
from collecthub.store import tables as t
from collecthub.store.database import Database

log = logging.getLogger(__name__)

TICK_SECONDS, BEAT_SECONDS, DEAD_AFTER_SECONDS = 1.0, 5.0, 30.0
LISTEN_SECONDS = 0.1  # how often the engine's listener wakes; it has nothing to ask for, but its end is waited for
STOP_SECONDS = 20.0
# A writer holds the database while it waits to run again after every statement; with Python's default of 5 ms
# the other threads would make each transaction ten times as long as its work.
SWITCH_SECONDS = 0.0005
KEEP_FINISHED = dt.timedelta(days=7)
KEEP_ANSWERS = dt.timedelta(days=2)  # how long a repeated Idempotency-Key is answered as before
_current: Hub | None = None  # DBOS calls module-level workflows; the process has one hub


@DBOS.workflow(name="run_job")
def run_job(job: str, target: str) -> str:
    """One job. It never raises: what went wrong is in the business tables, where people look."""
    hub = _current
    if hub is None:
        raise ConfigurationError("no hub is running in this process", cure="Start it with `collecthub worker`.")
    started = time.monotonic()
    try:
        with hub.database.write() as conn:  # from here on whoever wakes this job again gets another one
            conn.execute(sa.delete(t.wakes).where(t.wakes.c.job == job, t.wakes.c.target == target))
        with hub.waits.job():
            _do(hub, job, target)
    except RetryableError as error:  # somebody else changed the same case, or the database was busy
        log.info("job %s %s is looked at again: %s", job, target, error.message)
        with contextlib.suppress(CollecthubError), hub.work() as work:
            work.wake(job, target)
        return "again"
    except CollecthubError as error:
        log.error("job %s %s: %s", job, target, error.message)
        return "failed"
    except Exception as error:  # noqa: BLE001  # a fault of ours: a person hears of it, the other jobs go on
        _broke_off(hub, job, target, error)
        return "failed"
    finally:
        log.debug("job %s %s took %.3f s", job, target, time.monotonic() - started)
    return "done"


def _do(hub: Hub, job: str, target: str) -> None:
    """Do a job. Two that write the same row at one moment are a race: the second one finds it there when it looks again."""
    try:
        JOBS[job](hub, target)
    except sa.exc.IntegrityError:
        log.info("job %s %s met another one and is looked at again", job, target)
        JOBS[job](hub, target)


def _broke_off(hub: Hub, job: str, target: str, error: Exception) -> None:
    """Tell the operator what nobody foresaw, by its kind alone: its text may hold a debtor's data."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None and "collecthub" in where.tb_next.tb_frame.f_code.co_filename:
        where = where.tb_next
    place = f"{Path(where.tb_frame.f_code.co_filename).name}:{where.tb_lineno}" if where else "an unknown place"
    said = f"{type(error).__name__} at {place}"
    log.error("job %s %s broke off: %s", job, target, said)
    with contextlib.suppress(CollecthubError, sa.exc.SQLAlchemyError), hub.work() as work:
        open_task(
            work, kind="job_broke_off", title=f"The work {job!r} broke off",
            detail=f"{job} of {target or 'the hub'}: {said}. It is done again when something new comes for it; report it as a fault.",
        )


class Engine:
    """The running engine of this process: workers, heartbeat, ticks and the takeover of dead hosts."""

    def __init__(self, hub: Hub, *, executor_id: str = "") -> None:
        global _current
        _current = hub
        self._hub = hub
        self._engine_db = Database(hub.settings.database)  # its own pool, so that workers never starve it
        # On SQLite there is one worker process; a fixed id lets it take up its own work after a crash at once.
        self.executor_id = executor_id or ("local" if hub.settings.is_sqlite else f"{socket.gethostname()}-{os.getpid()}-{new_id()[:8]}")
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_engine": self._engine_db.engine,
            "application_version": ANY_RELEASE,
            "executor_id": self.executor_id,
            "serializer": JsonText(),
            "use_listen_notify": False,
            "log_level": "ERROR",
            "run_migrations": False,  # `prepare` did it, on a connection that begins transactions its own way
            "notification_listener_polling_interval_sec": LISTEN_SECONDS,
        }
        self._dbos = DBOS(config=config)
        self._stopping = threading.Event()
        self._lifelines = Lifelines(hub.settings.home)

    def start(self) -> None:
        """Begin to work: recover what a crash interrupted, then take jobs from the queue."""
        sys.setswitchinterval(SWITCH_SECONDS)
        share_arenas()
        walk_seldom()
        spare_what_is_there()
        learn_types()
        self._lifelines.hold(self.executor_id)
        self._sign(dt.datetime.now(dt.UTC))  # before the first job is taken: whoever is not on the list has no heir
        queue = DurableQueue(self._hub.database)
        queue.register(self._hub.settings.worker_concurrency)  # before the launch, which looks for queues once a second
        DBOS.launch()
        self._hub.queue = queue
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        threading.Thread(target=self._make_room, args=(queue,), name="room", daemon=True).start()

    def stop(self) -> None:
        """Finish what runs, take nothing new. A job that does not end in time stays with this process's name on the list
        of workers: whoever finds the process gone takes it over.
        """
        self._stopping.set()
        self._come_to_rest()
        DBOS.destroy()
        if not self._has_unfinished():
            with contextlib.suppress(CollecthubError), self._hub.database.write() as conn:
                conn.execute(sa.delete(t.workers).where(t.workers.c.executor_id == self.executor_id))
            self._lifelines.release(self.executor_id)
        self._engine_db.close()

    def _come_to_rest(self) -> None:
        """Take no more jobs and wait for those that run. The engine's own way sleeps a whole second before it looks."""
        deadline = time.monotonic() + STOP_SECONDS
        for event in self._dbos.background_thread_stop_events:
            event.set()
        for thread in threading.enumerate():
            if thread.name.startswith("queue-worker-"):  # one may have a job in its hand
                thread.join(STOP_SECONDS)
        while self._has_unfinished() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _has_unfinished(self) -> bool:
        """Whether a job of this process is not at its end; also when the database does not say."""
        queue = self._hub.queue
        if not isinstance(queue, DurableQueue):
            return False
        try:
            return queue.has_unfinished(self.executor_id)
        except sa.exc.SQLAlchemyError:
            return True

    def tick_forever(self) -> None:
        """Tick until stopped. Several processes may tick: a tick only wakes jobs, and those queue per target."""
        while not self._stopping.wait(TICK_SECONDS):
            self.tick()

    def tick(self) -> None:
        """One tick, in this thread."""
        try:
            _do(self._hub, "tick", "")
        except CollecthubError as error:
            log.warning("the clock could not tick: %s", error.message)
        except Exception as error:  # noqa: BLE001  # the clock goes on, or every later deadline would be missed
            _broke_off(self._hub, "tick", "", error)

    def _make_room(self, queue: DurableQueue) -> None:
        """Let one more job begin for each that only waits for somebody outside.

        The engine keeps one number for all processes: who needs more room says it again every second, because another process
        may have just taken its own back.
        """
        room = workers = self._hub.settings.worker_concurrency
        while not self._stopping.wait(TICK_SECONDS):
            wanted = workers + self._hub.waits.spare()
            if wanted == room == workers:
                continue
            try:
                queue.register(wanted)
                room = wanted
            except sa.exc.SQLAlchemyError as error:
                log.warning("room for more jobs could not be made: %s", type(error).__name__)

    def _beat(self) -> None:
        while not self._stopping.is_set():
            try:
                self._beat_once()
            except CollecthubError as error:
                log.warning("heartbeat: %s", error.message)
            give_back()
            self._stopping.wait(BEAT_SECONDS)

    def _beat_once(self) -> None:
        """Say that this process lives; take over the work of processes that no longer do; drop old records."""
        now = dt.datetime.now(dt.UTC)
        self._sign(now)
        with self._hub.database.read() as conn:
            others = conn.execute(
                sa.select(t.workers.c.executor_id, t.workers.c.beat_at).where(t.workers.c.executor_id != self.executor_id)
            ).all()
        limit = now - dt.timedelta(seconds=DEAD_AFTER_SECONDS)
        for executor_id, beat_at in others:
            if (beat_at < limit or self._lifelines.is_cut(executor_id)) and self._may_take_over(executor_id, beat_at, now):
                self._take_over(executor_id)
        self._forget_finished(now)
        with self._hub.database.write() as conn:
            conn.execute(sa.delete(t.idempotency).where(t.idempotency.c.created_at < now - KEEP_ANSWERS))

    def _sign(self, now: dt.datetime) -> None:
        """Put this process on the list of workers, or its newest moment."""
        with self._hub.database.write() as conn:
            mine = t.workers.c.executor_id == self.executor_id
            entry = {"host": socket.gethostname(), "pid": os.getpid(), "beat_at": now}
            if conn.execute(sa.update(t.workers).where(mine).values(entry)).rowcount == 0:
                conn.execute(sa.insert(t.workers).values(executor_id=self.executor_id, **entry))

    def _may_take_over(self, executor_id: str, beat_at: dt.datetime, now: dt.datetime) -> bool:
        """Whether this process is the one that takes over: two that did would start the same jobs twice.

        Should it die over that, the moment it wrote grows old as well, and the next process tries.
        """
        as_seen = (t.workers.c.executor_id == executor_id) & (t.workers.c.beat_at == beat_at)
        with self._hub.database.write() as conn:
            return conn.execute(sa.update(t.workers).where(as_seen).values(beat_at=now)).rowcount == 1

    def _take_over(self, executor_id: str) -> None:
        pending = DBOS.list_workflows(status="PENDING", executor_id=executor_id, load_input=False, load_output=False)
        if pending:
            log.warning("taking over %d jobs of %s, which is silent", len(pending), executor_id)
            DBOS.resume_workflows([workflow.workflow_id for workflow in pending], queue_name=QUEUE)
        with self._hub.database.write() as conn:
            conn.execute(sa.delete(t.workers).where(t.workers.c.executor_id == executor_id))
        self._lifelines.forget(executor_id)

    def _forget_finished(self, now: dt.datetime) -> None:
        before = (now - KEEP_FINISHED).isoformat()
        old = DBOS.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED"], end_time=before, limit=500, load_input=False, load_output=False
        )
        if old:
            DBOS.delete_workflows([workflow.workflow_id for workflow in old])


@contextlib.contextmanager
def running(hub: Hub) -> Iterator[Engine]:
    """The engine of a hub for the length of a block."""
    engine = Engine(hub)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()
