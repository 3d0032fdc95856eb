"""The nightly run: it finds what no change woke, and asked again it finds nothing."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from web.office import Office

from collecthub.engine.nightly import CASES_PER_LOOK, decide_all, decide_nightly
from collecthub.store import tables as t
from human.test_plans import agreed, plan, tasks


def waits(office: Office) -> set[tuple[str, str, dt.datetime]]:
    with office.hub.database.read() as conn:
        return {(row.case_id, row.kind, row.due_at) for row in conn.execute(sa.select(t.timers))}


def test_lost_waits_come_back_and_nothing_is_done_twice(both_office: Office) -> None:
    office = both_office
    case_ids = {agreed(office) for _ in range(3)}
    office.run()
    before = waits(office)
    assert len({case_id for case_id, _, _ in before}) == 3
    assert decide_all(office.hub).renewed == 0
    with office.hub.database.write() as conn:
        conn.execute(sa.delete(t.timers))
    found = decide_all(office.hub)
    assert (found.looked, found.acted, found.renewed) == (3, 0, 3)
    assert waits(office) == before and {case_id for case_id, _, _ in before} == case_ids
    again = decide_all(office.hub)
    assert (again.acted, again.renewed) == (0, 0)


def test_a_moment_that_passed_while_nobody_looked_has_its_effect(office: Office) -> None:
    """Three weeks without a clock, and the waits lost with them: the instalment of 1 July is late."""
    case_id = agreed(office)
    office.run()
    with office.hub.database.write() as conn:
        conn.execute(sa.delete(t.timers))
    assert office.hub._day_offset is not None
    office.hub._day_offset += dt.timedelta(days=21)
    decide_nightly(office.hub)
    assert plan(office, case_id)["state"] == "late" and "plan_reminder" in tasks(office, case_id)
    decide_nightly(office.hub)  # the run of this day was made
    assert decide_all(office.hub).acted == 0
    assert CASES_PER_LOOK >= 100
