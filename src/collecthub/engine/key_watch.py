"""The alarm ahead of a key's end: once a day, a task for a person 30 and 7 days before and on the day itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import sqlalchemy as sa

from collecthub.engine.case_work import close_tasks, open_task
from collecthub.engine.context import Hub, Work
from collecthub.errors import CollecthubError
from collecthub.exchange_ports import KeyEnd, KeyHolder
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, read_connections
from collecthub.store.facts import read_fact, write_fact

KIND = "key_ends"
STAGES = (30, 7, 0)  # days before the end
_WATCHED = "keys_watched_on"


def watch_keys(hub: Hub) -> None:
    """Look at the keys of every partner, once on each day; a key that was changed takes its alarm with it."""
    today = hub.now().date().isoformat()
    with hub.database.read() as conn:
        if read_fact(conn, _WATCHED) == today:
            return
        rows = read_connections(conn, t.connections.c.role == ConnectorRole.PARTNER.value)
    wanted = [(row, *alarm) for row in rows for alarm in _alarms(hub, row)]
    with hub.work() as work:
        for row, detail, end in wanted:
            if not _is_known(work, row, detail):
                title = f"{row.name}: the {end.key} ends on {end.ends_at:%Y-%m-%d}"
                open_task(
                    work, kind=KIND, title=title, detail=detail, connection_id=row.connection_id, due_at=end.ends_at
                )
        _forget(work, {(row.connection_id, detail) for row, detail, _ in wanted})
        write_fact(work.conn, _WATCHED, today)


def _alarms(hub: Hub, row: ConnectionRow) -> Iterator[tuple[str, KeyEnd]]:
    """The words of the alarm that is due for each key of a line; a line that cannot be built has alarms of its own."""
    try:
        connector = hub.connector_for(row)
        if not isinstance(connector, KeyHolder):
            return
        ends = hub.call(connector.key_ends, what=f"{row.kind}.key_ends", connection_id=row.connection_id)
    except CollecthubError:
        return
    for end in ends:
        stage = due_stage(end.ends_at, hub.now())
        if stage is not None:
            when = "today or has ended" if stage == 0 else f"in {stage} days or less"
            yield f"{end.key} of {end.ends_at:%Y-%m-%d} ends {when}. {end.cure}", end


def due_stage(ends_at: dt.datetime, now: dt.datetime) -> int | None:
    """The nearest stage that has come; None while the end is far.

    >>> now = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
    >>> [due_stage(now + dt.timedelta(days=days), now) for days in (40, 30, 8, 7, 1, -3)]
    [None, 30, 30, 7, 7, 0]
    """
    days = (ends_at - now).total_seconds() / 86_400
    return min((stage for stage in STAGES if days <= stage), default=None)


def _is_known(work: Work, row: ConnectionRow, detail: str) -> bool:
    """Also when a person has ticked it off: only the next stage says it again."""
    mine = (t.tasks.c.kind == KIND) & (t.tasks.c.connection_id == row.connection_id) & (t.tasks.c.detail == detail)
    return work.conn.execute(sa.select(t.tasks.c.task_id).where(mine)).first() is not None


def _forget(work: Work, wanted: set[tuple[str, str]]) -> None:
    """Take alarms off the list whose key was changed, or which a later stage replaced."""
    open_ones = sa.select(t.tasks.c.connection_id, t.tasks.c.detail).where(t.tasks.c.kind == KIND, t.tasks.c.state == "open")
    for connection_id, detail in work.conn.execute(open_ones).all():
        if (connection_id, detail) not in wanted:
            close_tasks(work, done_by="hub", kind=KIND, connection_id=connection_id, detail=detail)
