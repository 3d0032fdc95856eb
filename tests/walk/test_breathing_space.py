"""A debtor's breathing space stops what waits to leave; its end lets it go on; the history names the messages of both."""

from __future__ import annotations

from pathlib import Path

from lxml import etree
from walk.conftest import House
from walk.test_walk import accept, hear, only_case, pull

from collecthub.corridor.record import Words, record
from collecthub.engine.case_work import change_case, locked_case
from collecthub.formats.sdt_claim import SdtFormat
from collecthub.formats.sdt_particulars import request_id
from collecthub.model.case import Case
from collecthub.model.event import HoldReleased, HoldSet
from collecthub.store.case_log import read_events
from collecthub.testing.inline import run_until_idle

SDT = "http://ws.sdt.moj.gov.uk/2013/"
SPACE = f"{SDT}mcol/BreathingSpaceSchema"
FEEDBACK = f"{SDT}sdt/BulkFeedbackResponseSchema"


def court_says(house: House, shared_data: Path, code: str) -> Case:
    """The court's notice, valid by its published schema, read by its format and by its table, as a fact of the case."""
    notice = (
        f'<b:mcolBreathingSpace xmlns:b="{SPACE}"><b:claimNumber>77QX0001</b:claimNumber><b:defendantId>1</b:defendantId>'
        f"<b:breathingSpaceNotificationType>{code}</b:breathingSpaceNotificationType></b:mcolBreathingSpace>"
    )
    schema = etree.XMLSchema(etree.parse(shared_data / "formats/hmcts-sdt/xsd/RootXSDs/BreathingSpace.xsd"))
    assert schema.validate(etree.fromstring(notice)), schema.error_log
    request = request_id(only_case(house).case_id, code)
    reply = (
        f'<f:bulkFeedbackResponse xmlns:f="{FEEDBACK}"><f:responses><f:response requestId="{request}" requestType="mcolClaim">'
        f'<f:responseDetail>{notice}</f:responseDetail><f:status code="Accepted"/></f:response></f:responses></f:bulkFeedbackResponse>'
    )
    words = Words(house.hub.plugins.codes, ("sdt",))
    for message in SdtFormat("mcolClaim").decode(reply.encode()).messages:
        with house.hub.work() as work:
            case = locked_case(work, message.case_id)
            change_case(house.hub, work, case, record(case, message, words), actor="partner:court")
    run_until_idle(house.hub)
    return only_case(house)


def test_a_breathing_space_holds_what_waits_and_its_end_releases_it(house: House, shared_data: Path) -> None:
    house.world.closed_seconds = 3600.0  # the case file waits for the office to open
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    held = court_says(house, shared_data, "BS")
    assert held.held_for("moratorium")
    house.world.closed_seconds = None
    house.wake("dispatch", "line")
    run_until_idle(house.hub)
    assert house.world.delivered == {}
    released = court_says(house, shared_data, "BC")
    assert not released.held_for("moratorium")
    assert len(house.world.delivered) == 1
    with house.hub.database.read() as conn:
        facts = [event.fact for event in read_events(conn, released.case_id)]
    notes = [fact.note for fact in facts if isinstance(fact, HoldSet | HoldReleased)]
    named = [f"notice {code} to request {request_id(released.case_id, code)}: claim 77QX0001, defendant 1" for code in ("BS", "BC")]
    assert [notes[0], notes[-1]] == named


def test_a_second_breathing_space_on_the_same_request_holds_again(house: House, shared_data: Path) -> None:
    """The debtor is granted another one after the first has ended, the court names the same request: it counts like the first."""
    house.world.closed_seconds = 3600.0
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    standing = [court_says(house, shared_data, code).held_for("moratorium") for code in ("BS", "BS", "BC", "BS")]
    assert standing == [True, True, False, True]
    house.world.closed_seconds = None
    house.wake("dispatch", "line")
    run_until_idle(house.hub)
    assert house.world.delivered == {}
    assert not court_says(house, shared_data, "BC").holds and len(house.world.delivered) == 1


def test_an_end_without_a_beginning_changes_nothing(house: House, shared_data: Path) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    accept(house)
    hear(house)
    assert court_says(house, shared_data, "MC").holds == ()
