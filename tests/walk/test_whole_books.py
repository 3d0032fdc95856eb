"""What an incomplete pull may do to cases: nothing. And how a run accounts for every row, on both databases."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa
from walk.conftest import House
from walk.test_walk import accept, cases, only_case, pull

from collecthub.model.codes import Outcome, Status
from collecthub.model.ids import new_id
from collecthub.sdk import ControlTotal, ItemState
from collecthub.store import tables as t
from collecthub.store.connections import read_connection
from collecthub.store.queries.doors import RunView, connection_detail
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.store.runs import RUNS_KEPT

OVERDUE = "2026-05-01"


def runs(house: House) -> list[RunView]:
    """Newest first."""
    with house.hub.database.read() as conn:
        return list(connection_detail(conn, LOCAL_OPERATOR, "books").runs)


def outcomes(house: House) -> dict[tuple[str, str], tuple[int, Decimal]]:
    return {(str(part.outcome), part.currency): (part.rows, part.amount) for part in runs(house)[0].outcomes}


def tasks(house: House) -> list[str]:
    with house.hub.database.read() as conn:
        open_ones = sa.select(t.tasks.c.title).where(t.tasks.c.kind == "pull_incomplete", t.tasks.c.state == "open")
        return list(conn.scalars(open_ones))


def owed(house: House) -> dict[str, Decimal]:
    """What the open cases ask for, by debtor."""
    return {case.debtor_ref: case.balance.open_principal for case in cases(house) if case.is_open}


def listed(count: int, amount: str, currency: str = "EUR") -> ControlTotal:
    return ControlTotal(currency=currency, count=count, amount=Decimal(amount))


def pay(house: House, ref: str) -> None:
    house.world.invoice(ref, "A", OVERDUE, "100.00", open_amount=Decimal(0), state=ItemState.PAID)


def test_a_pull_that_breaks_off_opens_no_case(house: House) -> None:
    house.world.invoice("1", "A", OVERDUE, "100.00")
    house.world.broken_off = 1
    pull(house)
    with house.hub.database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(t.invoices)) == 1  # the row itself is kept
        assert conn.scalar(sa.select(sa.func.count()).select_from(t.cases)) == 0
    assert (runs(house)[0].state, runs(house)[0].problem) == ("incomplete", "the ERP fell silent")
    pull(house)
    assert only_case(house).status is Status.SENT


def test_money_seen_in_a_pull_that_breaks_off_pauses_the_case_and_a_whole_pull_decides(house: House) -> None:
    house.world.invoice("1", "A", OVERDUE, "100.00")
    pull(house)
    before = accept(house)
    told = len(house.world.messages)
    pay(house, "1")
    house.world.broken_off = 2
    pull(house)
    pull(house)
    case = only_case(house)
    assert case.status is before.status
    assert case.balance.open_principal == Decimal("100.00")
    assert [hold.reason for hold in case.holds] == ["payment_unconfirmed"]
    assert len(house.world.messages) == told  # nobody was told anything on a guess
    pull(house)
    case = only_case(house)
    assert case.status is Status.RECALLING
    assert case.holds == ()


def test_money_that_was_a_mistake_of_the_broken_pull_leaves_no_trace(house: House) -> None:
    house.world.invoice("1", "A", OVERDUE, "100.00")
    pull(house)
    accept(house)
    pay(house, "1")
    house.world.broken_off = 1
    pull(house)
    house.world.invoice("1", "A", OVERDUE, "100.00")
    pull(house)
    case = only_case(house)
    assert (case.balance.open_principal, case.holds) == (Decimal("100.00"), ())


def test_totals_that_differ_close_nothing_and_everything_is_read_anew_once(house: House) -> None:
    house.world.invoice("1", "A", OVERDUE, "100.00")
    house.world.invoice("2", "B", OVERDUE, "40.00")
    house.world.control = [listed(2, "140.00")]
    pull(house)
    assert (runs(house)[0].state, runs(house)[0].control) == ("complete", "agreed")
    pay(house, "1")
    house.world.control = [listed(2, "90.00")]  # the list holds an item that the pages never brought
    house.world.pulled_from.clear()
    pull(house)
    assert house.world.pulled_from == ["1", ""]  # from the cursor, then once from the beginning
    latest = runs(house)[0]
    assert (latest.state, latest.control) == ("incomplete", "differs")
    assert latest.problem == "The ERP lists 2 items with 90.00 EUR as open, the hub holds 1 item with 40.00."
    assert tasks(house) == ["books was read anew and still does not add up"]
    assert owed(house) == {"A": Decimal("100.00"), "B": Decimal("40.00")}
    house.world.control = None  # later pulls of the same day compare nothing, and the difference stands
    pull(house)
    assert (runs(house)[0].state, runs(house)[0].control) == ("incomplete", "differs")
    house.world.control = [listed(1, "40.00")]
    pull(house)
    assert runs(house)[0].state == "complete"
    assert tasks(house) == []
    assert owed(house) == {"A": Decimal(0), "B": Decimal("40.00")}


def test_new_debts_are_opened_although_totals_differ(house: House) -> None:
    house.world.invoice("1", "A", OVERDUE, "100.00")
    house.world.control = [listed(7, "700.00")]
    pull(house)
    assert only_case(house).status is Status.SENT


def test_the_same_amount_in_other_currencies_or_pieces_does_not_agree(house: House) -> None:
    house.world.invoice("1", "A", OVERDUE, "100.00")
    for control in ([listed(1, "100.00", "USD")], [listed(2, "100.00")], []):
        house.world.control = control
        pull(house)
        assert runs(house)[0].control == "differs"


def test_every_row_is_accounted_for_by_outcome_and_currency(house: House) -> None:
    house.world.invoice("1", "A", OVERDUE, "100.00")
    house.world.invoice("2", "A", OVERDUE, "50.00")
    house.world.invoice("3", "B", OVERDUE, "1200", currency="JPY")
    house.world.invoice("4", "B", OVERDUE, "7.00")
    pull(house)
    assert outcomes(house) == {("new", "EUR"): (3, Decimal("157.00")), ("new", "JPY"): (1, Decimal(1200))}
    pay(house, "1")
    house.world.invoice("2", "A", OVERDUE, "50.00", open_amount=Decimal("20.00"))
    house.world.invoice("5", "C", OVERDUE, "-3.00")  # an open invoice that asks for less than nothing
    gone = house.world.invoice("4", "", OVERDUE, "7.00", state=ItemState.CANCELLED)
    assert gone.debtor_ref == ""
    pull(house)
    assert outcomes(house) == {
        ("changed", "EUR"): (1, Decimal("20.00")), ("settled", "EUR"): (1, Decimal("100.00")),
        ("deleted", "EUR"): (1, Decimal("7.00")), ("refused", "EUR"): (1, Decimal("-3.00")),
        ("unchanged", "JPY"): (1, Decimal(1200)),
    }  # fmt: skip
    latest = runs(house)[0]
    assert (latest.rows, latest.changed, latest.refused) == (5, 3, 1)


def test_a_refused_row_counts_in_the_comparison_until_it_is_understood(house: House) -> None:
    house.world.invoice("1", "A", OVERDUE, "100.00")
    house.world.invoice("bad", "A", OVERDUE, "-3.00")
    house.world.control = [listed(2, "97.00")]
    pull(house)
    pull(house)  # refused again, counted once
    assert runs(house)[0].state == "complete"
    house.world.invoice("bad", "A", OVERDUE, "3.00")
    house.world.control = [listed(2, "103.00")]
    pull(house)
    assert runs(house)[0].state == "complete"
    with house.hub.database.read() as conn:
        assert list(conn.scalars(sa.select(t.quarantine.c.state))) == ["resolved"]
    house.world.invoice("bad", "A", OVERDUE, "-3.00")
    house.world.control = [listed(2, "97.00")]
    pull(house)
    with house.hub.database.read() as conn:
        assert list(conn.scalars(sa.select(t.quarantine.c.state))) == ["open"]


def test_old_runs_are_forgotten_and_a_run_that_was_cut_off_is_said_so(house: House) -> None:
    start = house.hub.now() - dt.timedelta(days=90)
    old = [
        {"run_id": new_id(), "connection_id": "books", "started_at": start + dt.timedelta(minutes=n), "state": "complete"}
        for n in range(RUNS_KEPT + 20)
    ]
    with house.hub.database.write() as conn:
        conn.execute(sa.insert(t.runs), old)
        killed = {"run_id": "killed", "connection_id": "books", "started_at": house.hub.now(), "state": "running"}
        conn.execute(sa.insert(t.runs), [killed])
    pull(house)
    with house.hub.database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(t.runs)) == RUNS_KEPT
        row = read_connection(conn, "books")
    assert row is not None
    assert row.last_complete_at is not None
    newest, cut = runs(house)[:2]
    assert newest.state == "complete"
    assert (cut.run_id, cut.state) == ("killed", "incomplete")
    assert "ended before the pull did" in cut.problem


def test_a_case_whose_debtor_paid_before_anybody_was_asked_closes_in_a_whole_pull_only(house: House) -> None:
    with house.hub.database.write() as conn:
        conn.execute(sa.update(t.connections).values(mode="shadow"))
    house.world.invoice("1", "A", OVERDUE, "100.00")
    pull(house)
    pay(house, "1")
    house.world.broken_off = 1
    pull(house)
    assert only_case(house).is_open
    pull(house)
    assert only_case(house).outcome is Outcome.PAID_BEFORE_HANDOVER
