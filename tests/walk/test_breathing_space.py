"""A debtor's breathing space stops what waits to leave; its end lets it go on; the history names the messages of both."""

from __future__ import annotations

import datetime as dt

from walk.conftest import House
from walk.test_walk import NOON, accept, hear, only_case, pull

from collecthub.corridor.record import Words, record
from collecthub.engine.case_work import change_case, locked_case
from collecthub.model.case import Case
from collecthub.model.event import HoldReleased, HoldSet
from collecthub.model.exchange import CaseStatusUpdate
from collecthub.store.case_log import read_events
from collecthub.testing.inline import run_until_idle


def court_says(house: House, code: str, number: int) -> Case:
    """The court's code, read by the court's own table, as a fact of the case."""
    message = CaseStatusUpdate(
        message_id=f"court-{number}", case_id=only_case(house).case_id, sequence=20 + number, status_code=code,
        occurred_at=NOON + dt.timedelta(minutes=number),
    )  # fmt: skip
    words = Words(house.hub.plugins.codes, ("sdt",))
    with house.hub.work() as work:
        case = locked_case(work, message.case_id)
        change_case(house.hub, work, case, record(case, message, words), actor="partner:court")
    run_until_idle(house.hub)
    return only_case(house)


def test_a_breathing_space_holds_what_waits_and_its_end_releases_it(house: House) -> None:
    house.world.closed_seconds = 3600.0  # the case file waits for the office to open
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    held = court_says(house, "BS", 1)
    assert held.held_for("moratorium")
    house.world.closed_seconds = None
    house.wake("dispatch", "line")
    run_until_idle(house.hub)
    assert house.world.delivered == {}
    released = court_says(house, "BC", 2)
    assert not released.held_for("moratorium")
    assert len(house.world.delivered) == 1
    with house.hub.database.read() as conn:
        facts = [event.fact for event in read_events(conn, released.case_id)]
    notes = [fact.note for fact in facts if isinstance(fact, HoldSet | HoldReleased)]
    assert ["court-1" in notes[0], "court-2" in notes[-1]] == [True, True]


def test_an_end_without_a_beginning_changes_nothing(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    accept(house)
    hear(house)
    assert court_says(house, "MC", 1).holds == ()
