"""Work until nothing is left to do: for `collecthub run`, the demo and tests on the real engine."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub
from collecthub.engine.durable import Engine
from collecthub.engine.durable_queue import DurableQueue
from collecthub.engine.sending_line import OPEN_STATES
from collecthub.engine.stopped_lines import stopped_lines
from collecthub.ports import HookReceiver
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, read_connections

_LOOK_SECONDS, _AGAIN_SECONDS = 0.2, 2.0
_TICK_SECONDS, _BUSY_TICK_SECONDS = 1.0, 4.0  # while jobs wait there is no hurry to wake more of them


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """What still waits: work of ours, and work that waits for an outside that does not answer.

    `unheard` counts outsides whose last pull or look failed in passing and is to be tried again before the time is
    over: whatever they have to say is not here yet. `stopped` says how much of the rest waits for stopped connections.
    """

    jobs: int
    messages: int
    envelopes: int
    inbox: int
    reports: int
    unheard: int = 0
    stopped: int = 0

    @property
    def ours(self) -> int:
        """What the hub itself can work on now."""
        return self._waiting - self.stopped

    @property
    def total(self) -> int:
        return self._waiting + self.unheard

    @property
    def _waiting(self) -> int:
        return self.jobs + self.messages + self.envelopes + self.inbox + self.reports


def leftover(hub: Hub, *, exact: bool = False, within: float = 0.0) -> Leftover:
    """Count what is not done; unless `exact`, the engine is asked for running jobs only when nothing else is left.

    Outsides that will be asked again `within` so many seconds count as unheard.
    """
    with hub.database.read() as conn:
        wakes, messages, envelopes, inbox, reports = conn.execute(_LEFT).one()
        stopped = sum(line.waiting for line in stopped_lines(conn))
        unheard = int(conn.scalar(_UNHEARD, {"until": _again_by(hub, within)}) or 0) if within > 0 else 0
    jobs = wakes
    nothing_else = messages + envelopes + inbox + reports <= stopped
    if (exact or nothing_else) and not wakes and isinstance(hub.queue, DurableQueue):
        jobs = hub.queue.unfinished()
    return Leftover(
        jobs=jobs, messages=messages, envelopes=envelopes, inbox=inbox, reports=reports, unheard=unheard,
        stopped=stopped,
    )


def _again_by(hub: Hub, within: float) -> dt.datetime:
    """A throttled ERP that opens again tomorrow is not waited for; a partner whose line broke is."""
    return hub.now() + dt.timedelta(seconds=within)


def _how_many(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(table).where(*conditions).scalar_subquery()


_LEFT = sa.select(
    _how_many(t.wakes),
    _how_many(t.messages, t.messages.c.state == "queued"),
    _how_many(t.envelopes, t.envelopes.c.state.in_(OPEN_STATES)),
    _how_many(t.inbox, t.inbox.c.answered_at.is_(None)),
    _how_many(t.reports, t.reports.c.state == "queued"),
)


def _asked_again(until: sa.BindParameter[dt.datetime] | dt.datetime) -> sa.ColumnElement[bool]:
    return (t.connections.c.status == "waiting") & (t.connections.c.status_until <= until)


_UNHEARD = sa.select(sa.func.count()).select_from(t.connections).where(_asked_again(sa.bindparam("until", type_=t.connections.c.status_until.type)))


def received(hub: Hub) -> int:
    """How many inbound messages the hub holds."""
    with hub.database.read() as conn:
        return int(conn.scalar(sa.select(sa.func.count()).select_from(t.inbox)) or 0)


def wake_outsides(hub: Hub, *, pull: bool, listen: bool, pushers: bool = True) -> None:
    """Ask for one pull of every ERP and one look at every partner; without `pushers` only at those that never call."""
    with hub.work() as work:
        for row in read_connections(work.conn, t.connections.c.status != "stopped"):
            job = _hears(row)
            if (job == "pull" and pull) or (job == "receive" and listen and (pushers or not _pushes(hub, row))):
                work.wake(job, row.connection_id)


def _hears(row: ConnectionRow) -> str:
    """The job by which the hub hears what this outside has; empty when it has nothing to say."""
    if row.role == ConnectorRole.ERP.value:
        return "" if row.kind == "intake" else "pull"
    return "receive" if row.role == ConnectorRole.PARTNER.value else ""


def _pushes(hub: Hub, row: ConnectionRow) -> bool:
    return isinstance(hub.connector_for(row), HookReceiver)


def _ask_again(hub: Hub, within: float) -> None:
    """One more try with everybody whose last one failed in passing."""
    time.sleep(min(within, _AGAIN_SECONDS))
    with hub.work() as work:
        for row in read_connections(work.conn, _asked_again(_again_by(hub, within))):
            if job := _hears(row):
                work.wake(job, row.connection_id)


def work_until_idle(
    hub: Hub,
    engine: Engine,
    *,
    seconds: float,
    watch: Callable[[Leftover], None] | None = None,
    outside_is_quiet: Callable[[], bool] = lambda: True,
) -> Leftover:
    """Listen to those that never call and work until a whole round brings nothing new and nobody is left unheard.

    What waits for a stopped connection stays and is not waited for.
    Partners that push are asked by whoever begins (`wake_outsides`). Returns what is left when the time is over.
    """
    deadline = time.monotonic() + seconds
    before = -1
    while True:
        left = _drain(hub, engine, deadline, watch)
        if left.ours or time.monotonic() > deadline:
            return left
        if left.unheard:
            _ask_again(hub, max(0.0, deadline - time.monotonic()))
            continue
        count = received(hub)
        if count == before and outside_is_quiet():
            return left
        wake_outsides(hub, pull=False, listen=True, pushers=False)
        before = count


def _drain(
    hub: Hub, engine: Engine, deadline: float, watch: Callable[[Leftover], None] | None
) -> Leftover:
    last_tick = time.monotonic()
    while True:
        left = leftover(hub, within=max(0.0, deadline - time.monotonic()))
        if watch is not None:
            watch(left)
        if left.ours == 0 or time.monotonic() > deadline:
            return left
        if time.monotonic() - last_tick > (_BUSY_TICK_SECONDS if left.jobs else _TICK_SECONDS):
            engine.tick()
            last_tick = time.monotonic()
        time.sleep(_LOOK_SECONDS)
