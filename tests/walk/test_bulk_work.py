"""Work that is done in bulk keeps what was promised for each single piece of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa
from walk.conftest import House
from walk.test_walk import NOON, accept, cases, only_case, pull

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.telling import AT_ONCE
from collecthub.errors import RetryableError
from collecthub.model.event import CreditSeen, NoteAdded
from collecthub.model.exchange import CaseStatusUpdate
from collecthub.store import tables as t
from collecthub.store.case_log import read_case, read_events, replay
from collecthub.store.connections import read_connection
from collecthub.testing.inline import run_until_idle


def test_many_changes_of_one_case_are_written_once_and_read_back_whole(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    before = only_case(house)
    with house.hub.work() as work:
        for number in range(5):
            case = locked_case(work, before.case_id)
            change_case(house.hub, work, case, [NoteAdded(text=f"call {number}")], actor="user:1")
        seen = work.conn.scalar(sa.select(t.cases.c.version).where(t.cases.c.case_id == before.case_id))
        assert seen == before.version + 5, "the connection must show what was noted so far"
    case = only_case(house)
    with house.hub.database.read() as conn:
        history = read_events(conn, case.case_id)
    assert [getattr(event.fact, "text", "") for event in history[-5:]] == [f"call {number}" for number in range(5)]
    folded = replay(history)
    assert folded is not None and (folded.version, folded.last_hash, folded.balance) == (
        case.version, case.last_hash, case.balance,
    )  # fmt: skip


def test_who_decided_on_an_old_state_changes_nothing(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    house.world.invoice("2", "B", "2026-05-01", "100.00")
    pull(house)
    old, other = cases(house)
    with house.hub.work() as work:
        change_case(house.hub, work, locked_case(work, old.case_id), [NoteAdded(text="first")], actor="user:1")
    paid = CreditSeen(claim_id=old.claims[0].claim_id, amount=Decimal("100.00"), reason="credit_note")
    with pytest.raises(RetryableError, match="changed by somebody else"), house.hub.work() as work:
        change_case(house.hub, work, other, [NoteAdded(text="beside it")], actor="user:2")
        change_case(house.hub, work, old, [paid], actor="user:2")
    with house.hub.database.read() as conn:
        stored = read_case(conn, old.case_id)
        assert stored is not None and stored.balance.total == Decimal("100.00")
        assert read_case(conn, other.case_id) == other, "nothing of a refused transaction may stay"


def test_who_cannot_be_told_is_left_alone_and_told_everything_later_in_order(house: House) -> None:
    for number in range(3 * AT_ONCE):
        house.world.invoice(str(number), f"D{number:02}", "2026-05-01", "100.00")
    house.world.deaf = True
    pull(house)
    assert house.world.asked_to_hear <= AT_ONCE, "after the first refusal nobody else tries"
    house.world.deaf = False
    with house.hub.database.write() as conn:
        conn.execute(sa.update(t.reports).values(next_attempt_at=None))
    house.wake("report", "books")
    run_until_idle(house.hub)
    told = [(report.debtor_ref, report.event.seq) for report in house.world.reports]
    assert {debtor for debtor, _ in told} == {f"D{number:02}" for number in range(3 * AT_ONCE)}
    assert len(told) == len(set(told))
    for debtor in {debtor for debtor, _ in told}:
        mine = [seq for who, seq in told if who == debtor]
        assert mine == sorted(mine)


def test_what_was_fetched_before_the_line_broke_is_kept_with_its_place(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = accept(house)
    house.world.outbox.clear()
    for number in range(5):
        house.world.say(
            f"m{number}",
            CaseStatusUpdate(
                message_id=f"s{number}", case_id=case.case_id, sequence=number + 1, status_code="contact_made",
                occurred_at=NOON + dt.timedelta(minutes=number),
            ),
        )  # fmt: skip
    house.world.fetch_breaks_after = 3
    house.wake("receive", "line")
    run_until_idle(house.hub)
    with house.hub.database.read() as conn:
        row = read_connection(conn, "line")
        refs = set(conn.scalars(sa.select(t.inbox.c.remote_ref).where(t.inbox.c.remote_ref.like("m%"))))
    assert row is not None and row.checkpoint == "m2"
    assert refs == {"m0", "m1", "m2"}
