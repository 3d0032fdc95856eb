"""A hub whose cases wait in line for one bailiff by SFTP, and the process that sends them and is killed."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import sqlalchemy as sa
from walk.scripted import ScriptedPlugin, World
from web.office import TODAY, connection
from wire.sftp_peers import SftpPeer

import collecthub_sftp_batch
from collecthub.bundled import routes
from collecthub.config import load_settings
from collecthub.engine.context import Hub
from collecthub.engine.doors import connect
from collecthub.engine.sending import dispatch_connection
from collecthub.engine.sending_line import OPEN_STATES
from collecthub.formats import plugin as formats_plugin
from collecthub.hub import open_hub
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Party
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
from collecthub.wire.crypto import generate_identity
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


def furnish(hub: Hub, world: World, peer: SftpPeer, cases: int) -> None:
    """So many cases, each in line for a file of its own; nothing has left."""
    now = hub.now()
    own = generate_identity("hub", bits=2048)
    with hub.database.write() as conn:
        party = Party(name="Brouwerij De Kroon", country="BE")
        write_creditor(conn, CreditorRow(creditor_id="kroon", name=party.name, party=party, playbook=Playbook()), now)
        write_partner(conn, PartnerProfile(partner_id="office", name="Office Peeters", role="bailiff", countries=("BE",)), now)
        add_connection(conn, connection("books", "scripted_erp", "erp", "kroon", None, now))
    given = {
        "host": "127.0.0.1", "port": peer.port, "username": peer.username, "private_key": peer.login_key.decode(),
        "host_key_fingerprints": [peer.fingerprint], "own_key": own.private_key_pem.decode(),
        "own_certificate": own.certificate_pem.decode(), "partner_certificate": own.certificate_pem.decode(),
        "one_file_per_case": True,
    }  # fmt: skip
    with hub.work() as work:
        connect(hub, work, LOCAL_OPERATOR, kind="sftp_batch", name=LINE, settings=given, partner_id="office", connection_id=LINE)
        change_connection(work.conn, LINE, cause="person")  # somebody holds the line until all wait in it
        work.wake("pull", "books")
    for number in range(cases):
        world.invoice(f"{number}", f"D{number:05}", "2026-05-01", "100.00")
    run_until_idle(hub)
    with hub.work() as work:
        change_connection(work.conn, LINE, cause="")


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
