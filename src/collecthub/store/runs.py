"""Pull runs: how far each came, what became of its rows, and whether the ERP's own totals agreed.

A run is `running`, `complete`, or `incomplete`: it broke off, or the ERP's own list adds up to something else.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.store.tables import runs

RUNNING, COMPLETE, INCOMPLETE = "running", "complete", "incomplete"
# What the ERP's own totals said: of this run, or of an earlier one whose difference is not settled yet.
AGREED, DIFFERS, UNSETTLED = "agreed", "differs", "unsettled"
RUNS_KEPT = 500  # per connection: three weeks of a pull an hour
CUT_OFF = "the process that pulled ended before the pull did; the next one goes on from the last page that was kept"


class Outcome(enum.StrEnum):
    """What became of a pulled row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SETTLED = "settled"  # asks for nothing any more: paid, credited, cancelled
    DELETED = "deleted"
    REFUSED = "refused"


class OutcomeSum(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one outcome in one currency and what they leave open; no currency where the row named none."""

    outcome: Outcome
    currency: str
    rows: int
    amount: Decimal


class Standing(enum.StrEnum):
    """How far the stored rows of a connection may be believed."""

    WHOLE = "whole"
    UNCOUNTED = "uncounted"  # read to the end, but the ERP's own totals are others
    CUT = "cut"  # the last pull broke off
    UNDER_WAY = "under_way"  # its pages are coming in


def begin_run(conn: sa.Connection, run_id: str, connection_id: str, now: dt.datetime) -> bool:
    """Write a run's row; returns whether the totals differed before and nothing has settled that.

    Pulls of a connection run one after the other, so a run that still seems to be under way was cut off.
    """
    mine = runs.c.connection_id == connection_id
    conn.execute(
        sa.update(runs)
        .where(mine, runs.c.state == RUNNING)
        .values(state=INCOMPLETE, problem=CUT_OFF, ended_at=now)
    )
    before = conn.scalar(sa.select(runs.c.control).where(mine).order_by(*_NEWEST).limit(1))
    control = UNSETTLED if before in (DIFFERS, UNSETTLED) else ""
    conn.execute(
        sa.insert(runs).values(
            run_id=run_id, connection_id=connection_id, started_at=now, state=RUNNING, control=control
        )
    )
    return control == UNSETTLED


def note_page(
    conn: sa.Connection, run_id: str, *, rows: int, changed: int, refused: int, outcomes: Iterable[OutcomeSum]
) -> None:
    """Count one page; `outcomes` are the sums of the whole run so far."""
    conn.execute(
        sa.update(runs)
        .where(runs.c.run_id == run_id)
        .values(
            pages=runs.c.pages + 1, rows=runs.c.rows + rows, changed=runs.c.changed + changed,
            refused=runs.c.refused + refused, amounts=msgspec.json.encode(list(outcomes)).decode(),
        )
    )


def end_run(
    conn: sa.Connection, run_id: str, connection_id: str, *, state: str, problem: str, now: dt.datetime, control: str | None
) -> None:
    """Close a run's row and forget the oldest ones. A run that broke off says nothing of totals (`control` None)."""
    values = {"state": state, "problem": problem, "ended_at": now} | ({} if control is None else {"control": control})
    conn.execute(sa.update(runs).where(runs.c.run_id == run_id).values(values))
    mine = runs.c.connection_id == connection_id
    oldest_kept = conn.scalar(
        sa.select(runs.c.started_at).where(mine).order_by(*_NEWEST).offset(RUNS_KEPT - 1).limit(1)
    )
    if oldest_kept is not None:
        conn.execute(sa.delete(runs).where(mine, runs.c.started_at < oldest_kept))


def standing(conn: sa.Connection, connection_id: str) -> Standing:
    """How far the rows of a connection may be believed now. One that never pulled (forms, files) is whole."""
    last = conn.execute(
        sa.select(runs.c.state, runs.c.control).where(runs.c.connection_id == connection_id).order_by(*_NEWEST).limit(1)
    ).first()
    if last is None or last.state == COMPLETE:
        return Standing.WHOLE
    if last.state == RUNNING:
        return Standing.UNDER_WAY
    is_read = last.control == DIFFERS
    return Standing.UNCOUNTED if is_read else Standing.CUT


def read_outcomes(amounts: str) -> tuple[OutcomeSum, ...]:
    """The sums of a run as stored; none for a run that has kept no page yet."""
    return msgspec.json.decode(amounts, type=tuple[OutcomeSum, ...]) if amounts else ()


_NEWEST = (runs.c.started_at.desc(), runs.c.run_id.desc())
