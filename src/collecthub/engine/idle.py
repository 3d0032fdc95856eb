"""Work until nothing is left to do: for `collecthub run`, the demo and tests on the real engine."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub
from collecthub.engine.durable import DurableQueue, Engine
from collecthub.ports import HookReceiver
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, read_connections

_LOOK_SECONDS = 0.2


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """What still waits: work of ours, and work that waits for an outside that does not answer."""

    jobs: int
    messages: int
    envelopes: int
    inbox: int
    reports: int

    @property
    def total(self) -> int:
        return self.jobs + self.messages + self.envelopes + self.inbox + self.reports


def leftover(hub: Hub) -> Leftover:
    """Count what is not done."""
    queue = hub.queue
    jobs = queue.unfinished() if isinstance(queue, DurableQueue) else 0

    def count(conn: sa.Connection, column: sa.Column[str], states: list[str]) -> int:
        return int(conn.scalar(sa.select(sa.func.count()).where(column.in_(states))) or 0)

    with hub.database.read() as conn:
        return Leftover(
            jobs=jobs,
            messages=count(conn, t.messages.c.state, ["queued"]),
            envelopes=count(conn, t.envelopes.c.state, ["composed", "prepared", "attempting", "in_doubt"]),
            inbox=int(conn.scalar(sa.select(sa.func.count()).where(t.inbox.c.answered_at.is_(None))) or 0),
            reports=count(conn, t.reports.c.state, ["queued"]),
        )


def received(hub: Hub) -> int:
    """How many inbound messages the hub holds."""
    with hub.database.read() as conn:
        return int(conn.scalar(sa.select(sa.func.count()).select_from(t.inbox)) or 0)


def wake_outsides(hub: Hub, *, pull: bool, listen: bool, pushers: bool = True) -> None:
    """Ask for one pull of every ERP and one look at every partner; without `pushers` only at those that never call."""
    with hub.work() as work:
        for row in read_connections(work.conn, t.connections.c.status != "stopped"):
            if pull and row.role == ConnectorRole.ERP.value and row.kind != "intake":
                work.wake("pull", row.connection_id)
            if listen and row.role == ConnectorRole.PARTNER.value and (pushers or not _pushes(hub, row)):
                work.wake("receive", row.connection_id)


def _pushes(hub: Hub, row: ConnectionRow) -> bool:
    return isinstance(hub.connector_for(row), HookReceiver)


def work_until_idle(
    hub: Hub,
    engine: Engine,
    *,
    seconds: float,
    watch: Callable[[Leftover], None] | None = None,
    outside_is_quiet: Callable[[], bool] = lambda: True,
) -> Leftover:
    """Listen and work until a whole round brings nothing new. Returns what is left when the time is over."""
    deadline = time.monotonic() + seconds
    before = -1
    while True:
        left = _drain(hub, engine, deadline, watch)
        if left.total or time.monotonic() > deadline:
            return left
        count = received(hub)
        if count == before and outside_is_quiet():
            return left
        wake_outsides(hub, pull=False, listen=True, pushers=before < 0)
        before = count


def _drain(
    hub: Hub, engine: Engine, deadline: float, watch: Callable[[Leftover], None] | None
) -> Leftover:
    last_tick = time.monotonic()
    while True:
        left = leftover(hub)
        if watch is not None:
            watch(left)
        if left.total == 0 or time.monotonic() > deadline:
            return left
        if left.jobs == 0 or time.monotonic() - last_tick > 1:
            engine.tick()
            last_tick = time.monotonic()
        time.sleep(_LOOK_SECONDS)
