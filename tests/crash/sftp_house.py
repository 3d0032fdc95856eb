"""A hub whose cases wait in line for one bailiff by SFTP, and the process that sends them and is killed."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import msgspec
import sqlalchemy as sa
from walk.scripted import ScriptedPlugin, World
from web.office import TODAY, connection
from wire.sftp_peers import SftpPeer

import collecthub_sftp_batch
from collecthub.bundled import routes
from collecthub.config import load_settings
from collecthub.engine import durable
from collecthub.engine.context import Hub
from collecthub.engine.doors import connect
from collecthub.engine.sending import dispatch_connection
from collecthub.engine.sending_line import OPEN_STATES
from collecthub.formats import plugin as formats_plugin
from collecthub.hub import open_hub
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Party, PartyKind
from collecthub.plugins import PluginSet
from collecthub.store import tables as t
from collecthub.store.connections import (
    CreditorRow,
    Playbook,
    add_connection,
    change_connection,
    write_creditor,
    write_partner,
)
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.testing.inline import InlineQueue, run_until_idle
from collecthub.wire.crypto import Identity, generate_identity
from crash.hub_process import server

LINE = "line"


def open_house(home: Path, world: World | None = None) -> Hub:
    """The hub on its home; every process has its own."""
    settings = load_settings({}, home=home, database_url=f"sqlite:///{home / 'hub.sqlite'}", business_date=TODAY, allow_loopback=True)
    plugins = PluginSet()
    for name, plugin in (("formats", formats_plugin), ("routes", routes), ("sftp_batch", collecthub_sftp_batch),
                         ("scripted", ScriptedPlugin(world or World()))):  # fmt: skip
        plugins.add(name, plugin)
    hub = open_hub(settings, plugins=plugins)
    hub.queue = InlineQueue()  # the test says when which job runs
    return hub


class Desk(msgspec.Struct, frozen=True):
    """A partner that gets the cases of one country by SFTP; its name is also its connection's."""

    name: str
    country: str
    peer: SftpPeer
    login_key: bytes = b""  # another than the server knows


def furnish(hub: Hub, desks: Sequence[Desk]) -> None:
    """A creditor with an ERP, and these partners, each case in a file of its own."""
    now = hub.now()
    own = generate_identity("hub", bits=2048)
    with hub.database.write() as conn:
        party = Party(name="Brouwerij De Kroon", country="BE")
        write_creditor(conn, CreditorRow(creditor_id="kroon", name=party.name, party=party, playbook=Playbook()), now)
        for desk in desks:
            role = "bailiff" if desk.country == "BE" else "agency"
            write_partner(conn, PartnerProfile(partner_id=desk.name, name=desk.name, role=role, countries=(desk.country,)), now)
        add_connection(conn, connection("books", "scripted_erp", "erp", "kroon", None, now))
    with hub.work() as work:
        for desk in desks:
            connect(
                hub, work, LOCAL_OPERATOR, kind="sftp_batch", name=desk.name, settings=_settings(desk, own),
                partner_id=desk.name, connection_id=desk.name,
            )


def _settings(desk: Desk, own: Identity) -> dict[str, object]:
    return {
        "host": "127.0.0.1", "port": desk.peer.port, "username": desk.peer.username,
        "private_key": (desk.login_key or desk.peer.login_key).decode(),
        "host_key_fingerprints": [desk.peer.fingerprint], "own_key": own.private_key_pem.decode(),
        "own_certificate": own.certificate_pem.decode(), "partner_certificate": own.certificate_pem.decode(),
        "one_file_per_case": True,
    }  # fmt: skip


def line_up(hub: Hub, world: World, desks: Sequence[Desk], cases: int) -> None:
    """So many cases in line for each partner; nothing leaves."""
    with hub.work() as work:
        for desk in desks:
            change_connection(work.conn, desk.name, cause="person")  # somebody holds the line until all wait in it
        work.wake("pull", "books")
    for debtor, country in ((f"{desk.country}-{number:05}", desk.country) for desk in desks for number in range(cases)):
        world.parties[debtor] = Party(name=f"Debtor {debtor}", country=country, kind=PartyKind.COMPANY)
        world.invoice(debtor, debtor, "2026-05-01", "100.00")
    run_until_idle(hub)
    with hub.work() as work:
        for desk in desks:
            change_connection(work.conn, desk.name, cause="")


def start_sender(home: Path) -> tuple[BaseProcess, Event]:
    """A process that sends what waits; the event tells that it begins to."""
    context = server()
    begun = context.Event()
    process = context.Process(target=_send, args=(home, begun), daemon=True)
    process.start()
    return process, begun


def _send(home: Path, begun: Event) -> None:
    with contextlib.closing(open_house(home)) as hub:
        begun.set()
        while waiting(hub):
            dispatch_connection(hub, LINE)
            with hub.database.write() as conn:  # the time for the next try has come
                conn.execute(sa.update(t.envelopes).values(next_attempt_at=None))


def start_engine(home: Path) -> BaseProcess:
    """A process with the hub's real engine, four jobs at a time."""
    context = server()
    ready = context.Event()
    process = context.Process(target=_work, args=(home, ready), daemon=True)
    process.start()
    assert ready.wait(60), "the engine did not start"
    return process


def _work(home: Path, ready: Event) -> None:
    hub = open_house(home)
    with contextlib.closing(hub), durable.running(hub):
        ready.set()
        threading.Event().wait()  # until it is killed


def waiting(hub: Hub) -> int:
    """How many messages and envelopes are not done."""
    with hub.database.read() as conn:
        in_line = conn.scalar(sa.select(sa.func.count()).select_from(t.messages).where(t.messages.c.state == "queued"))
        under_way = conn.scalar(sa.select(sa.func.count()).select_from(t.envelopes).where(t.envelopes.c.state.in_(OPEN_STATES)))
    return (in_line or 0) + (under_way or 0)


@dataclass
class Greedy:
    """A receiver that leaves no trace: what it took, in order, and how old each was by then."""

    taken: list[tuple[str, str]] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)

    def take(self, folder: Path) -> None:
        """Everything there that has no temporary name."""
        for path in [path for path in folder.iterdir() if not path.name.startswith(".")]:
            self.ages.append(time.time() - path.stat().st_ctime)
            self.taken.append((path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
            path.unlink()


@contextlib.contextmanager
def greedy(folder: Path) -> Iterator[Greedy]:
    """Looks every two milliseconds."""
    receiver, is_over = Greedy(), threading.Event()

    def watch() -> None:
        while not is_over.wait(0.002):
            receiver.take(folder)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield receiver
    finally:
        is_over.set()
        thread.join()
        receiver.take(folder)
