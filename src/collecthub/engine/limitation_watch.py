"""Limitation alarms: once a business day, the claims that will be lost soon become tasks, ahead of the day.

Every open case is looked at when it is new or changed and on the day of its next alarm; the table remembers which.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from collecthub.engine.case_law import law_on_claims
from collecthub.engine.case_work import close_tasks, open_task
from collecthub.engine.context import Hub, Work
from collecthub.law.of_claims import ClaimLaw
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_histories
from collecthub.store.facts import read_fact, write_fact
from collecthub.store.money_tables import limitation_watch as watch

TASK, NATURE_TASK = "limitation_near", "claim_nature"
CASES_AT_ONCE = 200
_LOOKED = "limitation_looked"
_FOREVER = 2**31 - 1
_CONSUMER = "B2C"


def watch_limitation(hub: Hub) -> None:
    """The clock's part: once on every business day."""
    today = hub.business_date()
    with hub.database.read() as conn:
        if read_fact(conn, _LOOKED) == today.isoformat():
            return
    look_at_limitation(hub, today)
    with hub.database.write() as conn:
        write_fact(conn, _LOOKED, today.isoformat())


def look_at_limitation(hub: Hub, today: dt.date) -> int:
    """Look at every case whose alarm is due or that changed since; returns how many alarms are open."""
    after, alarms = "", 0
    while True:
        with hub.work() as work:
            ids = [str(case_id) for case_id in work.conn.scalars(_waiting(today, after))]
            if not ids:
                return alarms
            after = ids[-1]
            alarms += _look(hub, work, ids, today)


def _look(hub: Hub, work: Work, ids: Sequence[str], today: dt.date) -> int:
    histories = read_histories(work.conn, ids, _FOREVER)
    before = {row.case_id: row for row in work.conn.execute(sa.select(watch).where(watch.c.case_id.in_(ids)))}
    alarms = 0
    for case in read_cases(work.conn, t.cases.c.case_id.in_(ids)):
        found = law_on_claims(hub, work.conn, case, today, histories.get(case.case_id, []))
        alarms += _note(work, case, found.claims if found else (), today, before.get(case.case_id))
    return alarms


def _waiting(today: dt.date, after: str) -> sa.Select[tuple[str]]:
    is_new = sa.or_(watch.c.case_id.is_(None), watch.c.version != t.cases.c.version, watch.c.next_on <= today)
    return (
        sa.select(t.cases.c.case_id)
        .outerjoin(watch, watch.c.case_id == t.cases.c.case_id)
        .where(t.cases.c.case_id > after, t.cases.c.status != Status.CLOSED.value, is_new)
        .order_by(t.cases.c.case_id)
        .limit(CASES_AT_ONCE)
    )


def _note(work: Work, case: Case, claims: Sequence[ClaimLaw], today: dt.date, before: Any) -> bool:
    """Remember the case and open or close its alarm; one that a person ticked off comes back with the next alarm's day.

    Returns whether a claim is near its last day, or past it.
    """
    open_claims = [claim for claim in claims if claim.principal > 0 and claim.limitation_on]
    ahead = sorted(alarm.due_on for claim in open_claims for alarm in claim.alarms if alarm.due_on > today)
    last_day = min((claim.limitation_on for claim in open_claims if claim.limitation_on), default=None)
    values = {"version": case.version, "next_on": ahead[0] if ahead else None, "limitation_on": last_day}
    work.put(watch, {"case_id": case.case_id, **values})
    near = [claim for claim in open_claims if claim.is_barred or any(alarm.due_on <= today for alarm in claim.alarms)]
    is_news = before is None or before.limitation_on != last_day or (before.next_on is not None and before.next_on <= today)
    if not near:
        close_tasks(work, done_by="hub", case_id=case.case_id, kind=TASK)
    elif is_news:
        open_task(
            work, kind=TASK, title=f"case {case.number}: {_title(near, today)}", creditor_id=case.creditor_id, case_id=case.case_id,
            detail=_detail(near),
        )
    _ask_nature(work, case, near, is_news=is_news)
    return bool(near)


def _title(near: Iterable[ClaimLaw], today: dt.date) -> str:
    first = min(claim.limitation_on for claim in near if claim.limitation_on)
    return f"a claim was lost on {first}" if first < today else f"a claim is lost after {first}"


def _detail(near: Iterable[ClaimLaw]) -> str:
    rows = (f"invoice {claim.number}: last day {claim.limitation_on} by the law of {claim.limitation_country}" for claim in near)
    return f"{'; '.join(rows)}. Only an act that interrupts limitation moves it: see `collecthub law limitation`."


def _ask_nature(work: Work, case: Case, near: Sequence[ClaimLaw], *, is_news: bool) -> None:
    """A consumer's claim whose kind nobody said and that may be lost by it: ask, because the period hangs on it."""
    is_open = case.segment == _CONSUMER and any(not case.nature_of(claim.claim_id) for claim in near)
    if not is_open:
        close_tasks(work, done_by="hub", case_id=case.case_id, kind=NATURE_TASK)
    elif is_news:
        open_task(
            work, kind=NATURE_TASK, title=f"case {case.number}: what kind of claim is it?", owner="creditor",
            creditor_id=case.creditor_id, case_id=case.case_id,
            detail="Medical, utilities, consumer goods, ...: limitation and tariff hang on it. Say it on the case's page.",
        )
