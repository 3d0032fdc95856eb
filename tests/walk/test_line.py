"""The line to one partner: what is stuck holds up its own case only, and nobody is told of a stop before he was told of the case."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa
from walk.conftest import House
from walk.test_ladder import let_pass
from walk.test_walk import NOON, cases, hear, pull

from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.exchange import (
    AckVerdict,
    AmendmentCode,
    CaseAcknowledgement,
    CaseAmendment,
    CaseFile,
)
from collecthub.store import tables as t
from collecthub.testing.inline import run_until_idle


def of(house: House, debtor: str) -> Case:
    return next(case for case in cases(house) if case.debtor_ref == debtor)


def invoice(house: House, debtor: str, *, is_paid: bool = False) -> None:
    more = {"open_amount": Decimal(0)} if is_paid else {}
    house.world.invoice(debtor, debtor, "2026-05-01", "100.00", **more)


def accepted(house: House, debtor: str) -> Case:
    """A case that the partner holds."""
    invoice(house, debtor)
    pull(house)
    case = of(house, debtor)
    assert case.placement is not None
    assert case.placement.sent_at is not None
    house.world.say(
        f"ack-{debtor}",
        CaseAcknowledgement(
            message_id=f"ack-{debtor}", case_id=case.case_id, in_reply_to=case.placement.message_id,
            verdict=AckVerdict.ACCEPTED, occurred_at=NOON,
        ),
    )  # fmt: skip
    hear(house)
    return of(house, debtor)


def pay(house: House, *debtors: str) -> None:
    for debtor in debtors:
        invoice(house, debtor, is_paid=True)
    pull(house)


def told(house: House) -> list[tuple[str, str]]:
    """What has reached the partner, in order: the debtor, and case file or the kind of change."""
    names = {case.case_id: case.debtor_ref for case in cases(house)}
    return [
        (names[one.case_id], one.code.value if isinstance(one, CaseAmendment) else "file")
        for one in house.world.messages
        if isinstance(one, CaseFile | CaseAmendment)
    ]


def let_wait(house: House) -> None:
    """What waits for its next try waits an hour, however slow this machine is."""
    with house.hub.database.write() as conn:
        later = house.hub.now() + dt.timedelta(hours=1)
        conn.execute(sa.update(t.envelopes).where(t.envelopes.c.next_attempt_at.is_not(None)).values(next_attempt_at=later))


def test_recalls_leave_while_the_office_is_closed_and_new_cases_wait_for_its_opening(house: House) -> None:
    accepted(house, "A")
    house.world.closed_seconds = 3600.0
    invoice(house, "B")
    pay(house, "A")
    assert told(house) == [("A", "file"), ("A", "recall")]
    let_pass(house, minutes=59)
    assert len(told(house)) >= 2
    assert ("B", "file") not in told(house)
    house.world.closed_seconds = None
    let_pass(house, minutes=2)
    assert told(house)[-1] == ("B", "file")
    with house.hub.database.read() as conn:
        assert conn.scalar(sa.select(t.connections.c.status).where(t.connections.c.connection_id == "line")) == "ok"


def test_an_envelope_of_new_cases_that_met_a_closed_office_holds_back_no_recall(house: House) -> None:
    accepted(house, "A")
    house.world.refuse_connections = 1
    invoice(house, "B")
    pull(house)  # composed and prepared before the office closed
    house.world.closed_seconds = 3600.0
    let_pass(house, minutes=1)
    pay(house, "A")
    assert told(house)[-1] == ("A", "recall")
    house.world.closed_seconds = None
    let_pass(house, minutes=61)
    assert ("B", "file") in told(house)


def test_a_recall_that_must_wait_for_a_name_holds_back_nobody_else(house: House) -> None:
    first = accepted(house, "A")
    accepted(house, "B")
    house.world.unnamed.add(first.case_id)
    pay(house, "A", "B")
    invoice(house, "C")
    pull(house)
    assert told(house)[2:] == [("B", "recall"), ("C", "file")]
    house.world.unnamed.clear()
    let_pass(house, minutes=2)
    assert ("A", "recall") in told(house)


def test_a_doubt_about_one_case_holds_back_its_own_changes_only(house: House) -> None:
    accepted(house, "A")
    house.world.lose_receipts = 1
    invoice(house, "B")
    pull(house)
    let_wait(house)
    pay(house, "A", "B")  # B is paid while nobody knows whether its case file arrived
    assert told(house) == [("A", "file"), ("B", "file"), ("A", "recall")]
    let_pass(house, minutes=61)
    assert ("B", "recall") in told(house)  # as soon as the probe has found the file
    assert of(house, "B").placement is not None


def test_what_a_format_cannot_carry_fails_alone_and_its_neighbours_leave(house: House) -> None:
    with house.hub.database.write() as conn:  # all are in line together
        conn.execute(sa.update(t.connections).where(t.connections.c.connection_id == "line").values(cause="person"))
    for debtor in ("A", "B", "C"):
        invoice(house, debtor)
    pull(house)
    house.world.unfit.add(of(house, "B").case_id)
    with house.hub.database.write() as conn:
        conn.execute(sa.update(t.connections).where(t.connections.c.connection_id == "line").values(cause=""))
    house.wake("dispatch", "line")
    run_until_idle(house.hub)
    assert sorted(told(house)) == [("A", "file"), ("C", "file")]
    assert of(house, "B").status is Status.NEEDS_INFO
    with house.hub.database.read() as conn:
        (task,) = conn.execute(sa.select(t.tasks).where(t.tasks.c.kind == "dispatch_failed")).all()
    assert "no word for this" in task.detail
    assert task.case_id == of(house, "B").case_id


def test_a_broken_line_is_tried_once_and_not_once_for_each_message(house: House) -> None:
    for debtor in ("A", "B", "C"):
        accepted(house, debtor)
    house.world.refuse_connections = 100
    pay(house, "A")
    let_wait(house)
    before = house.world.refuse_connections
    pay(house, "B", "C")
    house.wake("dispatch", "line")
    run_until_idle(house.hub)
    assert before - house.world.refuse_connections == 0
    house.world.refuse_connections = 0
    let_pass(house, minutes=61)
    recalled = [one.code for one in house.world.messages if isinstance(one, CaseAmendment)]
    assert recalled == [AmendmentCode.RECALL] * 3


def test_a_case_that_is_paid_before_it_leaves_is_neither_sent_nor_recalled(house: House) -> None:
    house.world.closed_seconds = 3600.0
    invoice(house, "A")
    pull(house)
    pay(house, "A")
    house.world.closed_seconds = None
    let_pass(house, minutes=61)
    assert told(house) == []
    assert of(house, "A").status is Status.CLOSED
