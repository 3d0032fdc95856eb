"""Which side lacks what: the ERP's lines against the hub's copy, the partner's books against what it was told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from cli.restored_house import furnish, hub_on, settings_for
from walk.scripted import World

from collecthub.bundled import jurisdictions
from collecthub.engine.book_comparison import compare_books, last_comparison, watch_books
from collecthub.engine.context import Hub
from collecthub.engine.reconcile import reconcile
from collecthub.engine.writing_off import write_off
from collecthub.errors import RetryableError
from collecthub.model.charging import ChargePolicy, Charging
from collecthub.model.invoice import ItemKind
from collecthub.store import tables as t
from collecthub.store.case_log import read_case
from collecthub.store.connections import read_creditor, write_creditor
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.testing.inline import InlineQueue, run_until_idle


@pytest.fixture
def hub(tmp_path: Path, world: World) -> Iterator[Hub]:
    """A hub whose ERP and partner show their books, with two cases handed over."""
    made = hub_on(settings_for(tmp_path / "home"), world)
    furnish(made)
    world.invoice("1", "A", "2026-05-01", "100.00")
    world.invoice("2", "B", "2026-05-01", "50.00")
    with made.work() as work:
        work.wake("pull", "books")
    run_until_idle(made)
    yield made
    made.close()


def test_a_line_of_the_erp_that_the_hub_never_pulled_or_heard_of(hub: Hub, world: World) -> None:
    assert reconcile(hub).differences == ()
    world.invoice("3", "C", "2026-05-01", "7.00")
    world.rows = [msgspec.structs.replace(row, open_amount=Decimal("40.00")) if row.item_ref == "1" else row for row in world.rows]
    world.rows = [row for row in world.rows if row.item_ref != "2"]
    by_debtor = {one.subject: one for one in reconcile(hub).differences}
    told = {name: (str(one.theirs), str(one.ours), one.items[0].reason) for name, one in by_debtor.items()}
    assert told == {
        "A": ("40.00", "100.00", "the ERP shows 40.00, the hub last read 100.00"),
        "B": ("0", "50.00", "the hub has not heard that 50.00 was cleared"),
        "C": ("7.00", "0", "the hub has not pulled this line"),
    }
    assert {one.missing_at for one in by_debtor.values()} == {"hub"}
    assert by_debtor["A"].number.startswith("CH-") and by_debtor["C"].number == ""


def test_a_partner_that_lacks_a_case_or_was_told_otherwise(hub: Hub, world: World) -> None:
    world.delivered.clear()
    found = reconcile(hub).differences
    assert {(one.what, one.missing_at, one.reason) for one in found} == {
        ("principal", "partner", "the partner has no such case in its books")
    }
    assert len(found) == 2 and all(one.case_id and one.number.startswith("CH-") for one in found)


def test_interest_and_surcharges_are_compared_on_the_day_that_the_partner_states(hub: Hub, world: World) -> None:
    """100.00 since 2 May at 10.5%: 45 days until 15 June are 1.2945; 50.00 are 0.6473; 40.00 lump sum an invoice."""
    hub.plugins.add("jurisdictions", jurisdictions)
    world.grown = {"interest": Decimal("1.29"), "surcharges": Decimal("40.00")}
    assert reconcile(hub).differences == ()  # without a day nothing can be said of what grows
    world.grown["as_of_on"] = dt.date(2026, 6, 15)
    found = {(one.what, one.theirs, one.ours) for one in reconcile(hub).differences}
    assert found == {("interest", Decimal("1.29"), Decimal(0)), ("surcharges", Decimal("40.00"), Decimal(0))}  # nobody told it to
    with hub.database.write() as conn:
        creditor = read_creditor(conn, "kroon")
        assert creditor is not None
        charges = ChargePolicy(charging=Charging.BOOKED)
        playbook = msgspec.structs.replace(creditor.playbook, charges=charges)
        write_creditor(conn, msgspec.structs.replace(creditor, playbook=playbook), hub.now())
    (one,) = reconcile(hub).differences
    assert (one.what, one.theirs, one.ours, one.missing_at) == ("interest", Decimal("1.29"), Decimal("0.65"), "partner")
    assert one.reason == "the partner counts 0.64 more interest than the account of that day"


def test_a_comparison_is_kept_and_its_task_closes_when_the_books_agree_again(hub: Hub, world: World) -> None:
    rows = list(world.rows)
    world.invoice("3", "C", "2026-05-01", "7.00")
    assert compare_books(hub, "user:local").differences == 1
    assert tasks(hub) == ["the books differ in 1 figures"]
    with hub.database.read() as conn:
        found = last_comparison(conn)
    assert found is not None and found.outcome.differences[0].theirs == Decimal("7.00")
    world.rows = rows
    assert compare_books(hub, "user:local").differences == 0
    assert tasks(hub) == []


def test_the_clock_asks_once_for_every_new_business_day(hub: Hub, world: World) -> None:
    watch_books(hub)
    watch_books(hub)
    queue = hub.queue
    assert isinstance(queue, InlineQueue)
    assert ("reconcile", "clock") not in queue.waiting  # on its first day a hub has nothing to compare yet
    with hub.database.write() as conn:
        conn.execute(sa.update(t.facts).where(t.facts.c.name == "books_compared").values(value="2026-06-14"))
    watch_books(hub)
    assert list(queue.waiting).count(("reconcile", "clock")) == 1


def test_a_side_that_is_away_is_a_task_and_no_difference(hub: Hub, world: World) -> None:

    class Away(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            raise RetryableError("the ERP is down for maintenance", cure="Wait.")

    world.rows = Away()
    found = compare_books(hub, "clock")
    assert tasks(hub) == ["the books of books could not be compared"]
    assert (found.differences, found.cases) == (0, 2), "the partner was compared all the same"
    assert [side.cure for side in found.outcome.unheard] == ["Wait."]
    world.rows = []
    compare_books(hub, "clock")
    assert not any("could not be compared" in title for title in tasks(hub))


def tasks(hub: Hub) -> list[str]:
    query = sa.select(t.tasks.c.title).where(t.tasks.c.kind == "books_differ", t.tasks.c.state == "open")
    with hub.database.read() as conn:
        return list(conn.scalars(query))


def test_the_moment_of_a_comparison_has_a_zone(hub: Hub) -> None:
    assert compare_books(hub, "x").compared_at.utcoffset() == dt.timedelta(0)


@pytest.mark.parametrize("shown_as", ["payment", "credit note"])
def test_what_was_written_off_here_counts_once_when_the_erp_shows_it(hub: Hub, world: World, shown_as: str) -> None:
    with hub.work() as work:
        (case_id,) = work.conn.scalars(sa.select(t.cases.c.case_id).where(t.cases.c.debtor_ref == "A"))
        write_off(hub, work, LOCAL_OPERATOR, case_id, amount=Decimal("30.00"), reason="goodwill")
    run_until_idle(hub)
    assert [one for one in reconcile(hub).differences if one.what == "open amount"] == []  # the ERP still shows 100.00
    if shown_as == "payment":
        world.rows = [msgspec.structs.replace(row, open_amount=Decimal("70.00")) if row.item_ref == "1" else row for row in world.rows]
    else:
        world.invoice("9", "A", "2026-05-01", "-30.00", kind=ItemKind.CREDIT_NOTE, settles_ref="1")
    with hub.work() as work:
        work.wake("pull", "books")
    run_until_idle(hub)
    with hub.database.read() as conn:
        case = read_case(conn, case_id)
    assert case is not None and (case.balance.write_offs, case.balance.credits, case.unmatched) == (Decimal("30.00"), 0, ())
    assert case.owed_here == case.erp_open == Decimal("70.00")
    assert [one for one in reconcile(hub).differences if one.what == "open amount"] == []
