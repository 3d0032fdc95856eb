"""Before You Collect: a friendly notice of what falls due soon, over real mail; once, and to nobody who paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from walk.scripted import ScriptedPlugin, World
from web.office import Office, furnish, make_hub

import collecthub_contact_smtp
from collecthub.bundled import jurisdictions
from collecthub.config import load_settings
from collecthub.engine.clock import tick
from collecthub.engine.doors import connect
from collecthub.law.contact_trial import PastItem, try_policy
from collecthub.model.contact import Channel, ContactStep, Tone
from collecthub.model.invoice import ItemKind, ItemState
from collecthub.model.party import Contact, Party, PartyKind
from collecthub.sandbox.twin import RunningTwin
from collecthub.store.connections import RELEASED, Exclusions, change_connection
from collecthub.store.notice_tables import due_notices
from collecthub.store.queries.notices import read_notices
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role, Scope
from contact.conftest import MONDAY_TEN, THREE_MAILS, Later, agree, at, server_settings

Mails = Callable[[str], list[dict[str, Any]]]
BEFORE = tuple(
    ContactStep(name=name, after_days=days, channel=Channel.EMAIL, tone=Tone.COURTESY, cost=Decimal("0.05"))
    for name, days in (("a week ahead", -7), ("nearly due", -2))
)
WITH_NOTICES = msgspec.structs.replace(THREE_MAILS, before=BEFORE)


class Shop(Office):
    """De Kroon with an ERP of its own, whose rows a test writes."""

    world: World

    def customer(self, ref: str, *, language: str = "nl") -> str:
        email = f"{ref.lower()}@example.org"
        self.world.parties[ref] = Party(
            name=f"Customer {ref}", country="BE", language=language, kind=PartyKind.COMPANY, contacts=(Contact(email=email),)
        )
        return email

    def states(self, ref: str) -> list[str]:
        query = sa.select(due_notices.c.state).where(due_notices.c.debtor_ref == ref).order_by(due_notices.c.queued_at)
        with self.hub.database.read() as conn:
            return list(conn.scalars(query))


@pytest.fixture
def shop(tmp_path: Path, post: RunningTwin) -> Iterator[Shop]:
    world = World()
    url = load_settings({}, home=tmp_path, database_url=f"sqlite:///{tmp_path / 'hub.sqlite3'}").database
    plugins = (("jurisdictions", jurisdictions), ("scripted", ScriptedPlugin(world)), ("smtp", collecthub_contact_smtp))
    hub, queue = make_hub(tmp_path, url, *plugins)
    furnish(hub)
    at(hub, MONDAY_TEN)
    agree(hub, WITH_NOTICES)
    with hub.work() as work:
        change_connection(work.conn, "books", release=Exclusions(reminders_by="hub"), mode=RELEASED)
        connect(
            hub, work, LOCAL_OPERATOR, kind="contact_smtp", name="Mail of De Kroon", creditor_id="kroon",
            settings=server_settings(post), connection_id="post",
        )
    found = Shop(hub, queue)
    found.world = world
    yield found
    hub.close()


def test_a_debtor_hears_once_ahead_and_once_shortly_before_and_then_is_reminded(
    shop: Shop, later: Later, mails: Mails
) -> None:
    to, late, nobody = shop.customer("AHEAD"), shop.customer("LATE"), "NOWHERE"
    shop.world.invoice("1", "AHEAD", "2026-06-24", "100.00")
    shop.world.invoice("2", "AHEAD", "2026-06-23", "50.00")
    shop.world.invoice("3", "AHEAD", "2026-08-31", "70.00")  # far ahead
    shop.world.invoice("4", "AHEAD", "2026-06-24", "-20.00", kind=ItemKind.CREDIT_NOTE, settles_ref="1")
    shop.world.invoice("5", "LATE", "2026-06-10", "80.00")  # has a case: one voice
    shop.world.invoice("6", "LATE", "2026-06-24", "80.00")
    shop.world.invoice("7", nobody, "2026-06-24", "10.00")  # without any address
    said: list[tuple[dt.date, str]] = []
    for _ in range(14):  # until Monday 29 June
        later(shop, 1)
        said += [(shop.hub.business_date(), mail["subject"]) for mail in mails(to)[len(said):]]
    day = [on.day for on, _ in said]
    assert day == [16, 17, 22, 26]  # 7 ahead; 2 ahead of 23 is a Sunday, told on Monday with the other; reminder 1
    assert [subject.split(":")[0] for _, subject in said][:3] == ["Voor uw planning"] * 3
    second = mails(to)[1]["text"]
    assert "F-1" in second and "80,00" in second and "F-2" not in second  # the credit note is off; F-2 was told before
    together = mails(to)[2]["text"]
    assert "F-1" in together and "F-2" in together and "130,00" in together and "F-3" not in together
    assert "dossier" not in together and "BE68539007547034" in together
    assert not [mail for mail in mails(late) if "planning" in mail["subject"]]
    assert shop.states(nobody) == ["failed", "failed"]
    seen_by_other = Scope(role=Role.CREDITOR, creditor_id="other", subject="other")
    with shop.hub.database.read() as conn:
        assert [row.invoices for row in read_notices(conn, LOCAL_OPERATOR) if row.debtor_ref == "AHEAD"] == [2, 1, 1]
        assert read_notices(conn, seen_by_other) == []


def test_a_payment_between_the_line_and_the_sending_stops_it(shop: Shop, later: Later, mails: Mails) -> None:
    to = shop.customer("QUICK")
    row = shop.world.invoice("1", "QUICK", "2026-06-24", "100.00")
    later(shop, 1)
    at(shop.hub, dt.datetime(2026, 6, 17, 22, tzinfo=dt.UTC))  # at night nobody is written to
    tick(shop.hub)
    shop.run()
    assert (mails(to), shop.states("QUICK")) == ([], ["queued"])
    shop.world.rows = [msgspec.structs.replace(row, open_amount=Decimal(0), state=ItemState.PAID)]
    at(shop.hub, dt.datetime(2026, 6, 17, 23, 30, tzinfo=dt.UTC))  # the ERP is read each hour, by night too
    tick(shop.hub)
    shop.run()
    later(shop, 1)
    assert (mails(to), shop.states("QUICK")) == ([], ["withdrawn"])


def test_what_may_have_left_is_never_said_again_and_nothing_is_said_after_a_long_stop(
    shop: Shop, later: Later, mails: Mails
) -> None:
    doubt, stopped = shop.customer("DOUBT"), shop.customer("STOPPED")
    for ref, debtor in (("1", "DOUBT"), ("2", "STOPPED")):
        shop.world.invoice(ref, debtor, "2026-06-24", "100.00")
    later(shop, 1)
    at(shop.hub, dt.datetime(2026, 6, 17, 22, tzinfo=dt.UTC))
    tick(shop.hub)
    shop.run()
    with shop.hub.database.write() as conn:  # the process ended after its message had left
        mine = due_notices.c.debtor_ref == "DOUBT"
        conn.execute(sa.update(due_notices).where(mine).values(state="attempting", intent="mail", next_attempt_at=None))
    at(shop.hub, dt.datetime(2026, 6, 25, 10, tzinfo=dt.UTC))  # a week of standstill, past the due day
    tick(shop.hub)
    shop.run()
    assert (shop.states("DOUBT"), shop.states("STOPPED")) == (["in_doubt"], ["withdrawn"])
    assert mails(doubt) == [] and mails(stopped) == []


def test_the_dry_run_shows_the_notices_that_would_have_gone_out() -> None:
    d = dt.date
    items = [
        PastItem(debtor="A", due_on=d(2026, 1, 31), settled_on=d(2026, 1, 28), amount=Decimal(100)),  # paid after the first
        PastItem(debtor="B", due_on=d(2026, 1, 31), settled_on=None, amount=Decimal(40)),
        PastItem(debtor="B", due_on=d(2026, 2, 10), settled_on=None, amount=Decimal(60)),  # its days lie in B's case
    ]
    trial, taken = try_policy(WITH_NOTICES, items, d(2026, 2, 4), country="BE", segment="B2B")
    assert [(one.debtor, one.step, one.on, one.asked) for one in taken] == [
        ("A", "a week ahead", d(2026, 1, 24), Decimal(100)), ("B", "a week ahead", d(2026, 1, 24), Decimal(40)),
        ("B", "nearly due", d(2026, 1, 29), Decimal(40)), ("B", "reminder 1", d(2026, 2, 3), Decimal(40)),
    ]  # fmt: skip
    assert [(one.step, one.times) for one in trial.steps][:3] == [("a week ahead", 2), ("nearly due", 1), ("reminder 1", 1)]
    assert trial.cost == Decimal("0.15")
