"""What becomes of reports that the ERP takes slowly or not at all."""

from __future__ import annotations

import sqlalchemy as sa
from walk.conftest import House
from walk.test_walk import cases, pull

from collecthub.model.case import Case
from collecthub.store import tables as t
from collecthub.testing.inline import run_until_idle


def case_of(house: House, debtor: str) -> Case:
    return next(case for case in cases(house) if case.debtor_ref == debtor)


def tell_again(house: House) -> None:
    with house.hub.database.write() as conn:
        conn.execute(sa.update(t.reports).values(next_attempt_at=None))
    house.wake("report", "books")
    run_until_idle(house.hub)


def test_a_report_that_takes_its_time_keeps_nobody_else_waiting(house: House) -> None:
    for debtor in "ABC":
        house.world.invoice(debtor, debtor, "2026-05-01", "100.00")
    house.world.takes_time = {"B"}
    pull(house)
    assert {report.debtor_ref for report in house.world.reports} == {"A", "C"}
    with house.hub.database.read() as conn:
        assert conn.scalar(sa.select(t.connections.c.status).where(t.connections.c.connection_id == "books")) == "ok"
        waits = conn.execute(sa.select(t.reports).where(t.reports.c.state == "queued")).one()
    assert (waits.next_attempt_at - house.hub.now()).total_seconds() > 800
    house.world.takes_time = set()
    tell_again(house)
    assert [report.debtor_ref for report in house.world.reports].count("B") == 1


def test_what_follows_in_a_case_waits_for_what_comes_before_it(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    house.world.takes_time = {"A"}
    pull(house)
    case = case_of(house, "A")
    with house.hub.database.write() as conn:  # a later event of the case, due at once
        row = conn.execute(sa.select(t.reports)).one()._mapping
        conn.execute(
            sa.insert(t.reports).values({**row, "report_id": "later", "seq": case.version, "next_attempt_at": None})
        )
    house.world.takes_time = set()
    house.wake("report", "books")
    run_until_idle(house.hub)
    assert house.world.reports == []
    tell_again(house)
    assert [report.event.seq for report in house.world.reports] == [row["seq"], case.version]


def test_an_erp_that_cannot_be_told_leaves_the_case_on_hold_and_a_task(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    house.world.refuses_to_hear = {"A"}
    pull(house)
    case = case_of(house, "A")
    assert [(hold.reason, hold.note) for hold in case.holds] == [("erp_not_told", "the block had no effect")]
    with house.hub.database.read() as conn:
        task = conn.execute(sa.select(t.tasks).where(t.tasks.c.kind == "report_failed")).one()
    assert task.case_id == case.case_id
    assert "Set it by hand." in task.detail
