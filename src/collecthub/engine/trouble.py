"""When a connection is in trouble: say so honestly, come back at the right time, tell a person once."""

from __future__ import annotations

import datetime as dt

from collecthub.engine.case_work import close_tasks, open_task
from collecthub.engine.context import Hub
from collecthub.errors import CollecthubError, ConsentError, RetryableError
from collecthub.store.connections import (
    BY_CONSENT,
    BY_PERSON,
    BY_TROUBLE,
    ConnectionRow,
    change_connection,
    read_connection,
)

FIRST_WAIT, LONGEST_WAIT = 2.0, 900.0


def backoff(attempt: int) -> dt.timedelta:
    """How long to wait before attempt number `attempt` + 1: doubling from two seconds to a quarter of an hour.

    >>> [backoff(n).total_seconds() for n in (1, 2, 3, 20)]
    [2.0, 4.0, 8.0, 900.0]
    """
    return dt.timedelta(seconds=min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempt - 1, 16)))


def connection_trouble(hub: Hub, connection_id: str, error: CollecthubError, job: str) -> None:
    """Note trouble. What may pass is tried again by itself; anything else waits for a person."""
    passing = isinstance(error, RetryableError)
    seconds = getattr(error, "retry_after_seconds", None)
    wait = dt.timedelta(seconds=seconds) if seconds is not None else dt.timedelta(seconds=30)
    cause = "" if passing else BY_CONSENT if isinstance(error, ConsentError) else BY_TROUBLE
    with hub.work() as work:
        row = read_connection(work.conn, connection_id)
        if row is None or row.cause == BY_PERSON:
            return
        until = work.now + max(wait, dt.timedelta(seconds=1)) if passing else None
        change_connection(
            work.conn, connection_id, status="waiting" if passing else "stopped",
            status_detail=f"{error.message} {error.cure}".strip(), status_until=until, next_due_at=until, cause=cause,
        )
        if not passing:
            open_task(
                work, kind="connection", title=f"connection {row.name} stopped in {job}",
                detail=f"{error.message} {error.cure}".strip(), creditor_id=row.creditor_id,
                connection_id=connection_id,
            )


def connection_well(hub: Hub, row: ConnectionRow) -> None:
    """Note that a connection works again, if it had trouble when the job that now ends well read it."""
    if row.status == "ok":
        return
    with hub.work() as work:
        now = read_connection(work.conn, row.connection_id)
        if now is None or now.cause == BY_PERSON:
            return
        change_connection(work.conn, row.connection_id, status="ok", status_detail="", status_until=None, cause="")
        close_tasks(work, done_by="hub", connection_id=row.connection_id, kind="connection")
