"""The line of jobs: DBOS on the business database, behind the `JobQueue` port. Who only puts a job in line, as most commands
do, loads nothing of what does it; that is `durable`.
"""

from __future__ import annotations

import importlib.metadata

import msgspec
import sqlalchemy as sa
from dbos import DBOS, DBOSClient, Serializer

from collecthub.model.ids import new_id
from collecthub.store.database import Database
from collecthub.store.facts import read_fact, write_fact

APPLICATION, QUEUE = "collecthub", "work"
# The engine gives a job only to the version that put it in line. A job is a name and a target, and reads all else when it
# runs, so every release does those of every other: with the release's own number an upgrade would leave them lying.
ANY_RELEASE = "1"
POLL_SECONDS = 0.15
_WAIT_ONCE = sa.text("INSERT INTO wakes (job, target) VALUES (:job, :target) ON CONFLICT DO NOTHING")


class JsonText(Serializer):
    """Arguments and results as JSON text; the engine's default is pickle, which runs what it reads."""

    def serialize(self, data: object) -> str:
        if isinstance(data, BaseException):
            data = {"error": f"{type(data).__name__}: {data}"}
        return msgspec.json.encode(data, enc_hook=str).decode()

    def deserialize(self, serialized_data: str) -> object:
        return msgspec.json.decode(serialized_data)

    def name(self) -> str:
        return "collecthub-json"


def prepare(database: Database) -> None:
    """Create or migrate the engine's own tables beside the business tables."""
    version = importlib.metadata.version("dbos")
    with database.read() as conn:
        if read_fact(conn, "engine_schema") == version:
            return
    DBOS.migrate(database.url.render_as_string(hide_password=False))
    with database.write() as conn:
        write_fact(conn, "engine_schema", version)


class DurableQueue:
    """Enqueues jobs inside the caller's transaction; satisfies the `JobQueue` port."""

    def __init__(self, database: Database) -> None:
        self._client = DBOSClient(
            system_database_engine=database.engine, serializer=JsonText(), application_name=APPLICATION
        )

    def register(self, concurrency: int) -> None:
        """Say how this queue is worked through: so many jobs at once in a process, one of each target."""
        self._client.register_queue(
            QUEUE, worker_concurrency=concurrency, partition_concurrency=1, polling_interval_sec=POLL_SECONDS
        )

    def enqueue(self, conn: sa.Connection, job: str, target: str) -> None:
        """A job that waits already is not put in line twice; one that runs gets a successor.

        Time-ordered ids keep the order within a target even where the clock has whole seconds.
        """
        if conn.execute(_WAIT_ONCE, {"job": job, "target": target}).rowcount == 0:
            return
        self._client.enqueue_in_transaction(
            conn,
            {
                "queue_name": QUEUE, "workflow_name": "run_job", "workflow_id": new_id(),
                "queue_partition_key": f"{job}:{target}", "app_version": ANY_RELEASE,
            },
            job,
            target,
        )

    def unfinished(self) -> int:
        """Some number of jobs that wait or run, zero when there are none; not a count, which would cost more."""
        found = self._client.list_workflows(
            status=["ENQUEUED", "PENDING", "DELAYED"], limit=1, load_input=False, load_output=False
        )
        return len(found)

    def has_unfinished(self, executor_id: str) -> bool:
        """Whether that process has jobs in its hand."""
        return bool(
            self._client.list_workflows(
                status="PENDING", executor_id=executor_id, app_version=ANY_RELEASE, limit=1, load_input=False,
                load_output=False,
            )
        )
