"""Partners whose servers are frozen, full or refuse the login keep nobody else waiting: the real engine and its queue, real servers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from walk.scripted import World
from wire.sftp_peers import Mischief, SftpPeer, asyncssh_peer

from collecthub.engine.context import Hub
from collecthub.engine.desk import record_payment
from collecthub.engine.durable_queue import DurableQueue
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from collecthub.store.connections import change_connection
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.testing.inline import InlineQueue
from collecthub.wire.crypto import generate_login_key
from crash.sftp_house import Desk, furnish, line_up, open_house, start_engine

PATIENCE_SECONDS = 50.0  # less than an operation's limit, after which a frozen server is given up
FROZEN = ("frozen-1", "frozen-2", "frozen-3", "frozen-4")  # as many as there are workers
COUNTRIES = {"well": "UY", "full": "AR", "locked": "PY"} | dict(zip(FROZEN, ("CL", "PE", "EC", "CO"), strict=True))
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


@dataclass
class Street:
    """One hub, partners who are well and partners who are not."""

    hub: Hub
    peers: dict[str, SftpPeer]
    mischief: dict[str, Mischief]

    def wake(self, job: str, *names: str) -> None:
        with self.hub.work() as work:
            for name in names:
                work.wake(job, name)

    def pay(self, name: str) -> None:
        """A debtor whose case this partner has pays the creditor everything."""
        with self.hub.work() as work:
            case = read_cases(work.conn, t.cases.c.partner_id == name, 1)[0]
            record_payment(
                self.hub, work, LOCAL_OPERATOR, case.case_id, amount=case.balance.total, paid_on=self.hub.business_date()
            )

    def arrived(self, name: str) -> int:
        """Files under their final names."""
        return sum(not path.name.startswith(".") for path in (self.peers[name].folder / "in").iterdir())

    def frozen(self) -> int:
        return sum(one.frozen for one in self.mischief.values())

    def status(self, name: str) -> str:
        with self.hub.database.read() as conn:
            return str(conn.scalar(sa.select(t.connections.c.status).where(t.connections.c.connection_id == name)))

    def tasks(self, name: str) -> list[str]:
        query = sa.select(t.tasks.c.title).where(t.tasks.c.connection_id == name, t.tasks.c.state == "open")
        with self.hub.database.read() as conn:
            return list(conn.scalars(query))


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    """Two cases in line for each partner, and the engine at work; nothing has been asked of it yet."""
    mischief = {name: Mischief(freeze=name in FROZEN, fail_write_after=0 if name == "full" else None) for name in COUNTRIES}
    with contextlib.ExitStack() as stack:
        peers = {}
        for name in COUNTRIES:
            for folder in ("in", "out/done", "receipt"):
                (tmp_path / name / folder).mkdir(parents=True)
            peers[name] = stack.enter_context(asyncssh_peer(tmp_path / name, mischief[name]))
        hub = stack.enter_context(contextlib.closing(open_house(tmp_path / "hub", world := World())))
        stranger = generate_login_key()
        desks = [Desk(name, country, peers[name], stranger if name == "locked" else b"") for name, country in COUNTRIES.items()]
        furnish(hub, desks)
        line_up(hub, world, desks, 2)
        assert isinstance(hub.queue, InlineQueue)
        assert not hub.queue.waiting
        hub.queue = DurableQueue(hub.database)
        worker = start_engine(tmp_path / "hub")
        yield Street(hub, peers, mischief)
        worker.kill()
        worker.join()


def test_one_dead_partner_of_each_kind_delays_nobody(street: Street) -> None:
    street.wake("dispatch", "frozen-1", "full", "locked")
    street.wake("receive", "frozen-1")
    until(lambda: street.frozen() >= 1, "the frozen server was asked")
    until(lambda: street.status("locked") == "stopped", "the refused login stopped its connection")
    until(lambda: street.status("full") == "waiting", "the full disk was noticed")
    street.wake("dispatch", "well")
    until(lambda: street.arrived("well") == 2, "the files of the one who is well arrived")
    assert street.status("frozen-1") == "ok", "the frozen server was given up before the others were served"
    assert [street.arrived(name) for name in ("frozen-1", "full", "locked")] == [0, 0, 0]
    assert [len(street.tasks(name)) for name in ("full", "locked")] == [0, 1]  # what passes is tried again, the rest is a person's
    assert list((street.peers["full"].folder / "in").iterdir()) == []  # nothing is left on the full disk
    street.mischief["full"].fail_write_after = None
    with street.hub.database.write() as conn:  # the time for the next try has come
        conn.execute(sa.update(t.envelopes).where(t.envelopes.c.connection_id == "full").values(next_attempt_at=None))
    street.wake("dispatch", "full")
    until(lambda: street.arrived("full") == 2, "a disk with room again got its files")


def test_many_partners_in_trouble_leave_half_of_the_workers_to_the_others(street: Street) -> None:
    with street.hub.database.write() as conn:
        for name in FROZEN:
            change_connection(conn, name, status="waiting")
    for job in ("dispatch", "receive"):
        street.wake(job, *FROZEN)
    until(lambda: street.frozen() >= 2, "the frozen servers were asked")
    street.wake("dispatch", "well")
    until(lambda: street.arrived("well") == 2, "the files of the one who is well arrived")
    street.pay("well")
    until(lambda: street.arrived("well") == 3, "the recall of the paid case arrived, within a minute")
    assert street.frozen() == 2, "half of four workers may wait for those who do not answer"


def test_partners_that_freeze_at_one_moment_keep_nobody_waiting(street: Street) -> None:
    street.wake("dispatch", *FROZEN)  # nobody knows yet that they are in trouble
    until(lambda: street.frozen() == len(FROZEN), "every worker waited for a frozen server")
    street.wake("dispatch", "well")
    until(lambda: street.arrived("well") == 2, "the files of the one who is well arrived")
    street.pay("well")
    until(lambda: street.arrived("well") == 3, "the recall of the paid case arrived")
    assert {street.status(name) for name in FROZEN} == {"ok"}, "a frozen server was given up before the others were served"
