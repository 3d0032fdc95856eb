"""Cases that nobody could take are offered again once somebody can: a new partner, a new licence, a line, room again.

Each is decided as placing would, without a trace; only where that ends with a partner does the case go on. What a person
chose for it, nobody included, is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks
from collecthub.engine.checking import TASK
from collecthub.engine.context import Hub, Work
from collecthub.engine.placing import decisions
from collecthub.engine.routing import Ground
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.event import Fact, HoldSet, InformationSupplied, RouteChosen
from collecthub.model.history_human import APPROVAL_HOLD
from collecthub.model.partner_jobs import EVERYWHERE
from collecthub.store import tables as t

CASES_PER_CHUNK = 100


def try_again(hub: Hub, country: str) -> None:
    """Job: every stopped case with a debtor in one country, or in all."""
    wanted = _STOPPED if country == EVERYWHERE else _STOPPED.where(t.cases.c.debtor_country == country)
    after = ""
    while True:
        with hub.work() as work:
            found = list(work.conn.scalars(wanted, {"after": after}))
            work.hold(found)
            _offer(hub, work, found, [case for case in map(work.book.held, found) if case is not None and _waits(case)])
        if len(found) < CASES_PER_CHUNK:
            return
        after = found[-1]


_STOPPED = (
    sa.select(t.cases.c.case_id)
    .where(t.cases.c.status == Status.NEEDS_INFO.value, t.cases.c.holds == "", t.cases.c.case_id > sa.bindparam("after"))
    .order_by(t.cases.c.case_id)
    .limit(CASES_PER_CHUNK)
)


def _waits(case: Case) -> bool:
    wish = case.transfer
    is_chosen = wish is not None and bool(wish.partner_id or wish.route)
    return case.status is Status.NEEDS_INFO and not case.holds and not is_chosen and case.court_way is None


def _offer(hub: Hub, work: Work, case_ids: Iterable[str], cases: list[Case]) -> None:
    if not cases:
        return
    ground = Ground(work.conn, tuple(case_ids), hub.business_date())
    for case, end in zip(cases, decisions(hub, ground, cases), strict=True):
        if news := _news(end):
            for kind in ("unroutable", TASK):
                close_tasks(work, done_by="hub", case_id=case.case_id, kind=kind)
            change_case(hub, work, case, [InformationSupplied(text=news)], actor="hub")


def _news(end: Fact) -> str:
    """What lets a stopped case go on: somebody who can take it, be it after the creditor allowed its cost."""
    if isinstance(end, RouteChosen):
        return f"{end.partner_name} can take it now"
    return "it can go on once its cost is allowed" if isinstance(end, HoldSet) and end.reason == APPROVAL_HOLD else ""
