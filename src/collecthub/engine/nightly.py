"""The nightly decision run: every open case is looked at once, in one walk with flat memory.

What a case needs follows after each change at once; this run finds what no change woke: a rule that is new since the
last version, a wait that got lost with a restore, a moment that passed while the hub was down. It reads case by
case, decides purely, and writes only where something is due, so that asked twice it does nothing the second time.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from collecthub.corridor.act import act
from collecthub.corridor.decide import decide, timers
from collecthub.engine.case_work import change_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.solvency import NEW_CASES, score_new
from collecthub.model.case import Case
from collecthub.model.clock import Place, Timer
from collecthub.model.codes import Status
from collecthub.model.partner_jobs import EVERYWHERE, TRY_AGAIN
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from collecthub.store.facts import read_fact, write_fact

CASES_PER_LOOK = 500
JOB = "nightly"
_DONE = "nightly_done_on"


class NightlyRun(msgspec.Struct, frozen=True, kw_only=True):
    """What one run looked at and found."""

    looked: int
    acted: int  # cases for which something followed
    renewed: int  # cases whose waits were set again
    placeable: int
    seconds: float


def decide_all(hub: Hub) -> NightlyRun:
    """Look at every open case of every creditor."""
    started = time.monotonic()
    looked = acted = renewed = placeable = 0
    after = ""
    while True:
        with hub.database.read() as conn:
            is_next = (t.cases.c.case_id > after) & (t.cases.c.status != Status.CLOSED.value)
            cases = read_cases(conn, is_next, CASES_PER_LOOK)
            stored = _stored(conn, cases)
        now = hub.now()
        due = [case for case in cases if _follows(case, now)]
        lost = [case for case in cases if _waits(case, now) - stored.get(case.case_id, frozenset())]
        ready = {case.creditor_id for case in cases if any(isinstance(step, Place) for step in decide(case))}
        if due or lost or ready:
            with hub.work() as work:
                acted += _act(hub, work, due)
                renewed += _renew(work, lost)
                for creditor_id in ready:
                    work.wake("place", creditor_id)
        looked += len(cases)
        placeable += len(ready)
        if len(cases) < CASES_PER_LOOK:
            return NightlyRun(
                looked=looked, acted=acted, renewed=renewed, placeable=placeable, seconds=time.monotonic() - started
            )
        after = cases[-1].case_id


_STORED = sa.select(t.timers.c.case_id, t.timers.c.kind, t.timers.c.due_at).where(
    t.timers.c.case_id >= sa.bindparam("first"), t.timers.c.case_id <= sa.bindparam("last")
)
Wait = tuple[str, dt.datetime]


def _stored(conn: sa.Connection, cases: Sequence[Case]) -> dict[str, frozenset[Wait]]:
    if not cases:
        return {}
    found: dict[str, set[Wait]] = {}
    for row in conn.execute(_STORED, {"first": cases[0].case_id, "last": cases[-1].case_id}):
        found.setdefault(row.case_id, set()).add((row.kind, row.due_at))
    return {case_id: frozenset(waits) for case_id, waits in found.items()}


def _waits(case: Case, now: dt.datetime) -> set[Wait]:
    """The waits that lie ahead; one that is over has had its effect or its task."""
    return {(timer.kind, timer.due_at) for timer in timers(case) if timer.due_at > now}


def _over(case: Case, now: dt.datetime) -> Timer | None:
    """A wait that is over and whose end is a fact that the case does not have yet."""
    return next((timer for timer in timers(case) if timer.due_at <= now and act(case, timer, "")), None)


def _follows(case: Case, now: dt.datetime) -> bool:
    return any(not isinstance(step, Place) for step in decide(case)) or _over(case, now) is not None


def _act(hub: Hub, work: Work, found: Sequence[Case]) -> int:
    """Record what is due, on the cases as they stand now that they are locked."""
    work.hold([case.case_id for case in found])
    done = 0
    for seen in found:
        case = work.book.held(seen.case_id)
        if case is None or not case.is_open or not _follows(case, work.now):
            continue
        over = _over(case, work.now)
        change_case(hub, work, case, act(case, over, "") if over else (), actor="hub")
        done += 1
    return done


def _renew(work: Work, found: Sequence[Case]) -> int:
    """Set the waits that lie ahead again, where the case has not changed meanwhile."""
    work.hold([case.case_id for case in found])
    done = 0
    for seen in found:
        case = work.book.held(seen.case_id)
        if case is None or case.version != seen.version:
            continue  # a change set its waits
        work.timers[case.case_id] = [
            {
                "case_id": case.case_id, "kind": timer.kind, "creditor_id": case.creditor_id, "owner": timer.owner,
                "due_at": timer.due_at,
            }
            for timer in timers(case) if timer.due_at > work.now
        ]  # fmt: skip
        done += 1
    return done


def decide_nightly(hub: Hub, _target: str = "") -> None:
    """Job: the run of a business day, once."""
    today = hub.business_date().isoformat()
    with hub.database.read() as conn:
        if read_fact(conn, _DONE) == today:
            return
    decide_all(hub)
    score_new(hub, hub.now() - NEW_CASES)
    with hub.work() as work:
        write_fact(work.conn, _DONE, today)
        work.wake(TRY_AGAIN, EVERYWHERE)  # a full partner may have room again, a price or paper may have begun


def watch_night(hub: Hub) -> None:
    """Wake the run of a business day that has not been made."""
    with hub.database.read() as conn:
        done_on = read_fact(conn, _DONE)
    if done_on != hub.business_date().isoformat():
        with hub.work() as work:
            work.wake(JOB, "")
