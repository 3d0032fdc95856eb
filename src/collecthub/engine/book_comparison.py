"""The comparison of all books, kept: on demand, and once a night by the clock."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import close_tasks, open_task
from collecthub.engine.context import Hub
from collecthub.engine.reconcile import Reconciliation, reconcile
from collecthub.model.ids import new_id
from collecthub.store.facts import read_fact, write_fact
from collecthub.store.money_tables import reconciliations

JOB, TASK = "reconcile", "books_differ"
KEPT_DIFFERENCES = 500
_COMPARED = "books_compared"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison that was kept. `outcome` holds the first differences, `differences` counts them all."""

    reconciliation_id: str
    compared_at: dt.datetime
    asked_by: str
    debtors: int
    cases: int
    differences: int
    outcome: Reconciliation


def watch_books(hub: Hub) -> None:
    """The clock's part: a comparison is put in line once for every business day after the first."""
    today = hub.business_date().isoformat()
    with hub.database.read() as conn:
        known = read_fact(conn, _COMPARED)
    if known == today:
        return
    with hub.work() as work:
        write_fact(work.conn, _COMPARED, today)
        if known is not None:
            work.wake(JOB, "clock")


def compare_books(hub: Hub, asked_by: str) -> Comparison:
    """Compare now and keep the outcome."""
    return keep_comparison(hub, reconcile(hub), asked_by)


def keep_comparison(hub: Hub, outcome: Reconciliation, asked_by: str) -> Comparison:
    """Keep what was compared. Differences become one task, which closes when they are gone.

    A side that gave no answer is no difference: it becomes a task of its own, and the next night asks again.
    """
    kept = msgspec.structs.replace(
        outcome, differences=outcome.differences[:KEPT_DIFFERENCES], awaited=outcome.awaited[:KEPT_DIFFERENCES]
    )
    with hub.work() as work:
        found = Comparison(
            reconciliation_id=new_id(), compared_at=work.now, asked_by=asked_by, debtors=outcome.debtors_compared,
            cases=outcome.cases_compared, differences=len(outcome.differences), outcome=kept,
        )
        work.conn.execute(
            sa.insert(reconciliations).values(
                **{name: getattr(found, name) for name in _COLUMNS}, doc=msgspec.json.encode(kept).decode()
            )
        )
        close_tasks(work, done_by="hub", kind=TASK)
        if outcome.differences:
            open_task(
                work, kind=TASK, title=f"the books differ in {len(outcome.differences)} figures",
                detail="See Reconciliation in the portal, or `collecthub reconcile`.",
            )
        for side in outcome.unheard:
            open_task(
                work, kind=TASK, title=f"the books of {side.between} could not be compared",
                detail=f"{side.problem} {side.cure}", connection_id=side.between,
            )  # fmt: skip
    return found


_COLUMNS = ("reconciliation_id", "compared_at", "asked_by", "debtors", "cases", "differences")


def last_comparison(conn: sa.Connection) -> Comparison | None:
    """The newest comparison, or None."""
    row = conn.execute(
        sa.select(reconciliations).order_by(reconciliations.c.compared_at.desc(), reconciliations.c.reconciliation_id.desc()).limit(1)
    ).first()
    if row is None:
        return None
    known = {name: getattr(row, name) for name in _COLUMNS}
    return Comparison(**known, outcome=msgspec.json.decode(row.doc, type=Reconciliation))
