"""Alarms ahead of the last day: once a day, for new and changed cases and for those whose next alarm is due."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from web.office import Office

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.limitation_watch import look_at_limitation, watch_limitation
from collecthub.model.facts_money import ClaimNatureSet
from collecthub.store import tables as t
from collecthub.store.money_tables import limitation_watch

PERSON = {"name": "Jan Peeters", "country": "BE", "kind": "person"}
COMPANY = {"name": "Garage Nord", "country": "BE", "kind": "company"}


def opened(office: Office, due_on: str, debtor: dict[str, Any] = COMPANY) -> str:
    claim = {"number": f"F-{due_on}", "due_on": due_on, "amount": "100.00"}
    return str(office.open_case(debtor=debtor, claims=[claim], currency="EUR")["case_id"])


def tasks(office: Office, case_id: str, kind: str = "limitation_near") -> list[str]:
    with office.hub.database.read() as conn:
        query = sa.select(t.tasks.c.title).where(
            t.tasks.c.case_id == case_id, t.tasks.c.kind == kind, t.tasks.c.state == "open"
        )
        return list(conn.scalars(query))


def test_a_claim_that_is_lost_soon_becomes_a_task_and_one_with_time_does_not(office: Office) -> None:
    soon, late, far = opened(office, "2016-08-01"), opened(office, "2016-05-01"), opened(office, "2026-03-01")
    watch_limitation(office.hub)
    assert tasks(office, soon)[0].endswith("a claim is lost after 2026-08-01")  # ten years (old Civil Code 2262bis)
    assert tasks(office, late)[0].endswith("a claim was lost on 2026-05-01")
    assert tasks(office, far) == []
    with office.hub.database.read() as conn:
        rows = {row.case_id: row for row in conn.execute(sa.select(limitation_watch))}
    # 30 days before the 1st of August is a Thursday; 180 days before the 1st of March 2036 is a Monday.
    assert (rows[soon].next_on, rows[far].next_on) == (dt.date(2026, 7, 2), dt.date(2035, 9, 3))
    watch_limitation(office.hub)  # once a day
    assert len(tasks(office, soon)) == 1


def test_the_next_alarm_comes_on_its_day_and_nobody_else_is_looked_at(office: Office) -> None:
    case_id = opened(office, "2016-08-01")
    assert look_at_limitation(office.hub, dt.date(2025, 6, 15)) == 0
    assert look_at_limitation(office.hub, dt.date(2025, 12, 1)) == 0
    assert look_at_limitation(office.hub, dt.date(2026, 2, 2)) == 1
    assert len(tasks(office, case_id)) == 1


def test_the_kind_of_a_consumers_claim_is_asked_for_where_the_period_hangs_on_it(office: Office) -> None:
    case_id = opened(office, "2025-03-01", PERSON)  # goods to a consumer: one year from the year's end
    day = dt.date(2026, 7, 10)
    look_at_limitation(office.hub, day)
    assert tasks(office, case_id) and tasks(office, case_id, "claim_nature")
    with office.hub.work() as work:
        case = locked_case(work, case_id)
        change_case(office.hub, work, case, [ClaimNatureSet(nature="utilities")], actor="user:local")
    look_at_limitation(office.hub, day)
    assert tasks(office, case_id, "claim_nature") == [] and tasks(office, case_id) == []  # five years
