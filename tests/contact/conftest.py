"""An office at ten in the morning whose creditor agreed to three e-mails before a hand-over, and a real mail server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from walk.scripted import ScriptedPlugin, World
from web.office import Office, furnish, make_hub

import collecthub_contact_print
import collecthub_contact_sms
import collecthub_contact_smtp
from collecthub.bundled import jurisdictions
from collecthub.config import load_settings
from collecthub.engine.clock import tick
from collecthub.engine.doors import connect
from collecthub.engine.intake import intake_connection_id, ready_intake
from collecthub.model.contact import Channel, ContactPolicy, ContactStep, Tone
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.store.connections import (
    Exclusions,
    Playbook,
    change_connection,
    read_connection,
    read_creditor,
    write_creditor,
)
from collecthub.store.queries.scope import LOCAL_OPERATOR

MONDAY_TEN = dt.datetime(2026, 6, 15, 10, tzinfo=dt.UTC)
STEPS = tuple(
    ContactStep(name=name, after_days=days, channel=Channel.EMAIL, tone=tone)
    for name, days, tone in (("reminder 1", 3, Tone.FRIENDLY), ("reminder 2", 10, Tone.FIRM), ("last word", 20, Tone.FINAL))
)
THREE_MAILS = ContactPolicy(name="three mails", steps=STEPS, handover_after_days=31)


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    """The mail server, which keeps what it gets."""
    twin = start_twin("mail", tmp_path_factory.mktemp("post"))
    yield twin
    twin.stop()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    """The gateway of text messages."""
    twin = start_twin("sms", tmp_path_factory.mktemp("gateway"))
    yield twin
    twin.stop()


@pytest.fixture
def office(tmp_path: Path, post: RunningTwin) -> Iterator[Office]:
    yield from contact_office(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite3'}", post)


@pytest.fixture
def both_office(tmp_path: Path, database_url: str, post: RunningTwin) -> Iterator[Office]:
    yield from contact_office(tmp_path, database_url, post)


def contact_plugins() -> tuple[tuple[str, object], ...]:
    """Every channel that is shipped, and a scripted ERP."""
    return (
        ("jurisdictions", jurisdictions), ("scripted", ScriptedPlugin(World())), ("smtp", collecthub_contact_smtp),
        ("sms", collecthub_contact_sms), ("print", collecthub_contact_print),
    )  # fmt: skip


def gateway_settings(gateway: RunningTwin) -> dict[str, object]:
    return {
        "base_url": f"{gateway.url}{gateway.facts['base_path']}", "token": gateway.facts["token"],
        "sender": gateway.facts["sender"],
    }  # fmt: skip


def agree(hub: Any, *policies: ContactPolicy) -> None:
    """What De Kroon agreed to, from now on."""
    with hub.work() as work:
        creditor = read_creditor(work.conn, "kroon")
        assert creditor is not None
        playbook = Playbook(contact=policies, payment_account="BE68539007547034")
        write_creditor(work.conn, msgspec.structs.replace(creditor, playbook=playbook), work.now)


def contact_office(home: Path, database_url: str, post: RunningTwin) -> Iterator[Office]:
    url = load_settings({}, home=home, database_url=database_url).database
    hub, queue = make_hub(home, url, *contact_plugins())
    furnish(hub)
    at(hub, MONDAY_TEN)
    ready_intake(hub, LOCAL_OPERATOR, "kroon")
    agree(hub, THREE_MAILS)
    with hub.work() as work:
        change_connection(work.conn, intake_connection_id("kroon"), release=Exclusions(reminders_by="hub"))
        connect(
            hub, work, LOCAL_OPERATOR, kind="contact_smtp", name="Mail of De Kroon", creditor_id="kroon",
            settings=server_settings(post), connection_id="post",
        )
    yield Office(hub, queue)
    hub.close()


def server_settings(post: RunningTwin) -> dict[str, object]:
    return {
        "host": post.facts["smtp_host"], "port": post.facts["smtp_port"], "security": "none",
        "sender": "reminders@kroon.example",
    }  # fmt: skip


def at(hub: Any, moment: dt.datetime) -> None:
    """Set the business clock; it goes on from there."""
    hub._day_offset = moment - dt.datetime.now(dt.UTC)


Later = Callable[[Office, int], None]


@pytest.fixture
def later() -> Later:
    """Let days pass, one after the other, with the clock's tick on each at ten in the morning and every job done."""

    def move(office: Office, days: int) -> None:
        for _ in range(days):
            at(office.hub, office.hub.now().replace(hour=10, minute=0) + dt.timedelta(days=1))
            tick(office.hub)
            office.run()

    return move


@pytest.fixture
def mails(post: RunningTwin) -> Callable[[str], list[dict[str, Any]]]:
    """What the server got for an address."""
    return lambda to: post.control("messages", {"to": to})["items"]


def row_of(hub: Any, connection_id: str) -> Any:
    with hub.database.read() as conn:
        return read_connection(conn, connection_id)
