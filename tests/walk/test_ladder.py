"""Every rung of a sending has its clock, its owner and its alarm; what a partner refuses and changes that cross."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa
from walk.conftest import House
from walk.test_walk import NOON, accept, hear, only_case, pull

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.clock import tick
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.event import Fact, HoldReleased, HoldSet
from collecthub.model.exchange import (
    AckVerdict,
    AmendmentCode,
    CaseAcknowledgement,
    CaseAmendment,
    CaseStatusUpdate,
)
from collecthub.model.partner import PartnerProfile
from collecthub.model.rungs import RungClocks
from collecthub.store import tables as t
from collecthub.store.connections import write_partner
from collecthub.store.queries.case_file import case_detail
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.testing.inline import run_until_idle

OPERATOR, PARTNER = "operator", "partner"


def timers(house: House) -> dict[str, tuple[dt.datetime, str]]:
    with house.hub.database.read() as conn:
        return {row.kind: (row.due_at, row.owner) for row in conn.execute(sa.select(t.timers))}


def let_pass(house: House, **time: float) -> None:
    """Let time pass for the hub, and look at the clock."""
    house.hub.now()
    assert house.hub._day_offset is not None
    house.hub._day_offset += dt.timedelta(**time)
    tick(house.hub)
    run_until_idle(house.hub)


def open_tasks(house: House) -> list[tuple[str, str]]:
    with house.hub.database.read() as conn:
        query = sa.select(t.tasks.c.kind, t.tasks.c.owner).where(t.tasks.c.state == "open").order_by(t.tasks.c.kind)
        return [(row.kind, row.owner) for row in conn.execute(query)]


def answer(house: House, name: str, verdict: AckVerdict, **more: str) -> Case:
    case = only_case(house)
    assert case.placement is not None
    about = more.pop("about", case.placement.message_id)
    house.world.say(
        name,
        CaseAcknowledgement(
            message_id=name, case_id=case.case_id, in_reply_to=about, verdict=verdict, occurred_at=NOON, **more
        ),
    )
    hear(house)
    return only_case(house)


def change(house: House, *facts: Fact) -> Case:
    with house.hub.work() as work:
        case = locked_case(work, only_case(house).case_id)
        change_case(house.hub, work, case, facts, actor="user:anna")
    run_until_idle(house.hub)
    return only_case(house)


def said(house: House) -> list[tuple[AmendmentCode, str]]:
    return [(one.code, one.message_id) for one in house.world.messages if isinstance(one, CaseAmendment)]


def test_each_rung_has_a_clock_and_an_owner_and_the_next_takes_over(house: House) -> None:
    house.world.refuse_connections = 1
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    waits = [{kind: owner for kind, (_, owner) in timers(house).items()}]
    with house.hub.database.write() as conn:
        conn.execute(sa.update(t.envelopes).values(next_attempt_at=None))
    house.wake("dispatch", "line")
    run_until_idle(house.hub)
    waits.append({kind: owner for kind, (_, owner) in timers(house).items()})
    for name, verdict in (("a", AckVerdict.RECEIVED), ("b", AckVerdict.VALIDATED), ("c", AckVerdict.ACCEPTED)):
        answer(house, name, verdict)
        waits.append({kind: owner for kind, (_, owner) in timers(house).items()})
    case = only_case(house)
    house.world.say("d", CaseStatusUpdate(message_id="d", case_id=case.case_id, sequence=1, status_code="contact_made",
                                          occurred_at=NOON))  # fmt: skip
    hear(house)
    waits.append({kind: owner for kind, (_, owner) in timers(house).items()})
    assert waits == [
        {"no_receipt": OPERATOR}, {"no_acknowledgement": OPERATOR}, {"no_decision": PARTNER}, {"no_decision": PARTNER},
        {"no_act": PARTNER, "no_result": OPERATOR}, {"no_result": OPERATOR, "no_status": PARTNER},
    ]  # fmt: skip


def test_an_alarm_names_what_is_missing_and_ends_when_it_comes(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    let_pass(house, hours=25)
    assert open_tasks(house) == [("no_acknowledgement", OPERATOR)]
    with house.hub.database.read() as conn:
        assert conn.scalar(sa.select(t.tasks.c.title)).endswith("Office Peeters has not acknowledged the case file")
    accept(house)
    assert open_tasks(house) == []


def test_the_partners_profile_and_the_playbook_set_the_clocks(house: House) -> None:
    agreed = RungClocks(received_hours=4, validated_hours=8)
    with house.hub.database.write() as conn:
        write_partner(
            conn, PartnerProfile(partner_id="office", name="Office Peeters", role="bailiff", countries=("BE",), clocks=agreed),
            house.hub.now(),
        )
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = only_case(house)
    assert case.placement is not None
    assert case.placement.sent_at is not None
    assert timers(house)["no_acknowledgement"][0] == case.placement.sent_at + dt.timedelta(hours=4)
    answer(house, "a", AckVerdict.RECEIVED)
    assert set(timers(house)) == {"no_validation"}


def test_the_case_detail_shows_the_ladder(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    answer(house, "a", AckVerdict.RECEIVED)
    with house.hub.database.read() as conn:
        view = case_detail(conn, LOCAL_OPERATOR, only_case(house).case_id, house.hub.now())
    states = {rung.name: rung.state for rung in view.ladder}
    assert states == {
        "prepared": "done", "sent": "done", "received": "done", "validated": "open", "accepted": "now", "acted": "open",
        "result": "open",
    }  # fmt: skip
    due = next(rung for rung in view.ladder if rung.name == "accepted")
    heard = next(rung for rung in view.ladder if rung.name == "received").at
    assert heard is not None
    assert (due.due_at, due.owner) == (heard + dt.timedelta(hours=72), PARTNER)


def test_a_dispute_pauses_the_holder_and_its_end_lets_it_go_on(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    accept(house)
    change(house, HoldSet(reason="dispute"))
    (pause,) = said(house)
    assert pause[0] is AmendmentCode.SUSPEND
    case = answer(house, "p", AckVerdict.ACCEPTED, about=pause[1])
    assert case.placement is not None
    assert case.placement.asking == ()
    change(house, HoldReleased(reason="dispute"))
    assert [code for code, _ in said(house)] == [AmendmentCode.SUSPEND, AmendmentCode.RESUME]


def test_a_pause_and_a_new_balance_do_not_replace_each_other(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    accept(house)
    house.world.invoice("1", "A", "2026-05-01", "100.00", open_amount=Decimal("40.00"))
    pull(house)
    change(house, HoldSet(reason="dispute"))
    case = only_case(house)
    assert case.placement is not None
    assert [asked.code for asked in case.placement.asking] == [AmendmentCode.BALANCE, AmendmentCode.SUSPEND]
    assert [code for code, _ in said(house)] == [AmendmentCode.BALANCE, AmendmentCode.SUSPEND]


def test_a_holders_own_report_of_a_dispute_does_not_echo(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = accept(house)
    house.world.say("d", CaseStatusUpdate(message_id="d", case_id=case.case_id, sequence=1, status_code="dispute_raised",
                                          occurred_at=NOON))  # fmt: skip
    hear(house)
    assert only_case(house).held_for("dispute")
    assert said(house) == []


def withdrawn(house: House) -> Case:
    """A case that the partner holds and that was paid meanwhile."""
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    accept(house)
    house.world.invoice("1", "A", "2026-05-01", "100.00", open_amount=Decimal(0))
    pull(house)
    return only_case(house)


def test_a_recall_is_repeated_under_its_id_until_it_is_confirmed(house: House) -> None:
    withdrawn(house)
    for minutes in (6, 16, 61, 241, 1441):
        let_pass(house, minutes=minutes)
    assert ("no_stop", OPERATOR) in open_tasks(house)
    assert len(said(house)) == 6
    assert len(set(said(house))) == 1
    case = answer(house, "stopped", AckVerdict.ACCEPTED, about=said(house)[0][1])
    assert case.status is Status.CLOSED
    let_pass(house, days=3)
    assert len(said(house)) == 6
    assert open_tasks(house) == []


@pytest.mark.parametrize("verdict", [AckVerdict.RECEIVED, AckVerdict.VALIDATED])
def test_received_is_not_stopped(house: House, verdict: AckVerdict) -> None:
    withdrawn(house)
    case = answer(house, "r", verdict, about=said(house)[0][1])
    assert case.status is Status.RECALLING
    assert case.placement is not None
    assert case.placement.stopped_at is None


def test_a_refused_recall_is_a_persons_at_once_and_is_not_said_again(house: House) -> None:
    withdrawn(house)
    answer(house, "no", AckVerdict.REFUSED, about=said(house)[0][1], reason_code="act_done", reason="Served this morning.")
    tick(house.hub)
    assert open_tasks(house) == [("no_stop_refused", OPERATOR)]
    let_pass(house, days=3)
    assert len(said(house)) == 1


def test_the_case_says_how_long_it_took_until_everyone_stopped(house: House) -> None:
    case = withdrawn(house)
    with house.hub.database.read() as conn:
        waiting = case_detail(conn, LOCAL_OPERATOR, case.case_id, house.hub.now() + dt.timedelta(seconds=90))
    assert waiting.stop is not None
    assert (waiting.stop.is_over, waiting.stop.waits_for) == (False, "Office Peeters")
    assert waiting.stop.seconds >= 90
    answer(house, "stopped", AckVerdict.ACCEPTED, about=said(house)[0][1])
    case = only_case(house)
    assert case.placement is not None
    assert case.placement.recall_asked_at is not None
    assert case.placement.stopped_at is not None
    with house.hub.database.read() as conn:
        over = case_detail(conn, LOCAL_OPERATOR, case.case_id, house.hub.now() + dt.timedelta(days=1))
    assert over.stop is not None
    took = case.placement.stopped_at - case.placement.recall_asked_at
    assert (over.stop.is_over, over.stop.seconds) == (True, int(took.total_seconds()))
