"""kill -9 of the sender and of sshd's sessions while the hub sends: nothing lost, nothing twice, nothing cut.

Both kinds of kill fall into one run, in turn, at moments drawn evenly over what each sender lives. What sends is the
hub's own runner with its ledger of envelopes and attempts on a database that syncs; what receives is OpenSSH's server, emptied every
two milliseconds by somebody who leaves no trace, so only the protocol can tell what arrived. The short form runs always; `make kills`
is the requirement's: `COLLECTHUB_SFTP_FILES=12000 COLLECTHUB_SFTP_KILLS=200` (of each kind).
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from walk.scripted import World
from wire.sftp_peers import openssh_peer

from collecthub.engine.context import Hub
from collecthub.model.codes import Status
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from crash.sftp_house import LINE, Desk, Greedy, furnish, greedy, line_up, open_house, start_sender, waiting

KILLS, FILES = int(os.environ.get("COLLECTHUB_SFTP_KILLS") or 2), int(os.environ.get("COLLECTHUB_SFTP_FILES") or 24)
FIRST_SECONDS_PER_FILE = 0.05  # until it has been seen how long one takes here
FOLDERS = ("in", "out", "out/done", "receipt")
pytestmark = [pytest.mark.slow, pytest.mark.chaos, pytest.mark.timeout(7_200 if KILLS > 20 else 300)]


class Killer:
    """Draws the moments, evenly over the time that a sender has for its share of the files."""

    def __init__(self, server: int, receiver: Greedy) -> None:
        self._server = psutil.Process(server)
        self._receiver = receiver
        self._chance = random.Random(7)
        self._worked_seconds = 0.0
        self.senders = self.sessions = 0

    @property
    def left(self) -> int:
        return 2 * KILLS - self.senders - self.sessions

    def visit(self, process: BaseProcess) -> None:
        """Wait for one moment, or for the sender's end, and kill: sessions and senders in turn."""
        started, seen = time.monotonic(), len(self._receiver.taken)
        if not seen:
            self._await_first(process)
        process.join(self._chance.uniform(0, 1) * self._share_seconds() if seen else 0)
        self._worked_seconds += time.monotonic() - started
        if not process.is_alive():
            return
        if self.senders > self.sessions:
            self.sessions += self._kill_sessions()
        else:
            process.kill()
            process.join()
            self.senders += 1

    def _share_seconds(self) -> float:
        taken = len(self._receiver.taken)
        seconds = self._worked_seconds / taken if taken else FIRST_SECONDS_PER_FILE
        return max(0.0, 0.9 * FILES - taken) / (self.left + 1) * seconds  # the last tenth is for kills that are still owed

    def _await_first(self, process: BaseProcess) -> None:
        """The first kill comes with the first file, so that there is one on the fastest machine."""
        while process.is_alive() and not self._receiver.taken:
            time.sleep(0.001)

    def _kill_sessions(self) -> int:
        """Every process that serves a connection; 1 if there was one."""
        sessions = self._server.children(recursive=True)
        for session in sessions:
            try:
                session.kill()
            except psutil.NoSuchProcess:
                continue
        return min(1, len(sessions))


def test_every_file_arrives_once_whoever_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = tmp_path / "files"
    for name in FOLDERS:
        (files / name).mkdir(parents=True)
    started = time.monotonic()
    with openssh_peer(files) as peer:
        world = World()
        hub = open_house(tmp_path / "hub", world)
        desks = [Desk(LINE, "BE", peer)]
        furnish(hub, desks)
        line_up(hub, world, desks, FILES)
        furnished = time.monotonic()
        with greedy(files / "in") as receiver:
            killer = Killer(peer.pid, receiver)
            while waiting(hub):
                process, begun = start_sender(tmp_path / "hub")
                begun.wait(60)
                while killer.left and process.is_alive():
                    killer.visit(process)
                process.join()
    with capsys.disabled():
        print(f"\n{killer.senders} senders and {killer.sessions} sessions killed over {FILES} dispatches: {account(hub, receiver)}; "
              f"set up in {furnished - started:.0f} s, sent in {time.monotonic() - furnished:.0f} s")  # fmt: skip
    assert killer.senders >= (KILLS if KILLS > 20 else 1)
    assert killer.sessions >= (KILLS if KILLS > 20 else 0)
    assert sorted(receiver.taken) == sorted(wanted(hub))
    with hub.database.read() as conn:
        cases = read_cases(conn, sa.true())
    assert Counter(case.status for case in cases) == {Status.SENT: FILES}  # the hub's own books say the same
    hub.close()


def wanted(hub: Hub) -> list[tuple[str, str]]:
    """Name and SHA-256 of what the hub says it sent: one envelope for every case."""
    with hub.database.read() as conn:
        query = (
            sa.select(t.envelopes.c.name, t.envelopes.c.sha256, t.messages.c.case_id)
            .join(t.messages, t.messages.c.envelope_id == t.envelopes.c.envelope_id)
            .where(t.envelopes.c.state == "sent")
        )
        rows = conn.execute(query).all()
    assert len({row.case_id for row in rows}) == len(rows) == FILES
    return [(row.name, hashlib.sha256(hub.evidence.read(row.sha256)).hexdigest()) for row in rows]


def account(hub: Hub, receiver: Greedy) -> str:
    """What the receiver got, in the words of the requirement, and how soon he took it."""
    sent, counts = dict(wanted(hub)), Counter(name for name, _ in receiver.taken)
    ages = sorted(receiver.ages)
    return (
        f"{len(sent.keys() - counts.keys())} lost, {sum(count - 1 for count in counts.values())} duplicate, "
        f"{sum(sent.get(name) != digest for name, digest in receiver.taken)} corrupt; taken after "
        f"{1000 * ages[len(ages) // 2]:.1f} ms (median), {1000 * ages[len(ages) * 99 // 100]:.1f} ms (99 of 100)"
    )
