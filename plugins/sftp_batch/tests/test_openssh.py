"""The same promises at a real OpenSSH server."""

from __future__ import annotations

import contextlib
import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from collecthub.errors import InDoubtError, PermanentError, QuarantineError, RetryableError
from collecthub.model.exchange import Exchange
from collecthub.ports import DeliveryState, Verdict
from collecthub.testing.fakes import ListJournal


@pytest.fixture
def connect_real(connect: Callable[..., Any], sshd: dict[str, Any]) -> Callable[[], Any]:
    """Connectors to the real server."""
    return lambda: connect(
        port=sshd["port"], username=getpass.getuser(), host_key_fingerprints=(sshd["fingerprint"],)
    )


class DyingJournal(ListJournal):
    """Dies as a killed process would, right after the note is durable."""

    def mark(self, intent: str) -> None:
        super().mark(intent)
        raise KeyboardInterrupt


def test_a_crash_before_the_rename_ends_with_one_whole_file(
    connect_real, sshd: dict[str, Any], exchange: Callable[..., Exchange]
) -> None:
    assert all(step.is_ok for step in connect_real().check())
    envelope = connect_real().prepare(exchange())
    with pytest.raises(KeyboardInterrupt):
        connect_real().deliver(envelope, DyingJournal())
    after = connect_real()
    assert after.probe(envelope, "renaming") is DeliveryState.NOT_ARRIVED
    after.deliver(envelope, ListJournal())
    assert after.probe(envelope, "renaming") is DeliveryState.ARRIVED
    assert [(path.name, path.read_bytes()) for path in (sshd["files"] / "in").iterdir()] == [
        (envelope.name, envelope.payload)
    ]


def test_a_session_that_dies_before_the_rename_gets_the_file_once(
    connect_real, sshd: dict[str, Any], exchange: Callable[..., Exchange]
) -> None:
    connector = connect_real()
    envelope = connector.prepare(exchange())

    class Killer(ListJournal):
        def mark(self, intent: str) -> None:
            super().mark(intent)
            for session in psutil.Process(sshd["pid"]).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):  # one of an earlier connection, just ending
                    session.kill()

    try:  # a death that is noticed in time is made good by a new session
        connector.deliver(envelope, Killer())
    except (RetryableError, InDoubtError):
        assert connector.probe(envelope, "renaming") is DeliveryState.NOT_ARRIVED
        connector.deliver(envelope, ListJournal())
    names = [path.name for path in (sshd["files"] / "in").iterdir() if envelope.name in path.name]
    assert names == [envelope.name]


def test_no_file_is_replaced(connect_real, sshd: dict[str, Any], exchange: Callable[..., Exchange]) -> None:
    envelope = connect_real().prepare(exchange())
    final = sshd["files"] / "in" / envelope.name

    class Intruder(ListJournal):
        def mark(self, intent: str) -> None:
            super().mark(intent)
            final.write_bytes(b"somebody else's")

    with pytest.raises(PermanentError):
        connect_real().deliver(envelope, Intruder())
    assert final.read_bytes() == b"somebody else's"


def test_good_files_come_through_beside_strange_ones(connect_real, sshd: dict[str, Any]) -> None:
    connector, out = connect_real(), sshd["files"] / "out"
    (out / "good.zip.p7m").write_bytes(b"good")
    (out / "link.zip.p7m").symlink_to("/etc/hostname")
    Path(os.fsdecode(bytes(out) + b"/\xff\xfe.zip.p7m")).write_bytes(b"x")
    fetched = [raw for raw, _ in connector.fetch("")]
    (good,) = [raw for raw in fetched if raw.content == b"good"]
    codes = set()
    for raw in fetched:
        with pytest.raises(QuarantineError) as caught:
            connector.decode(raw)
        codes.add(caught.value.code)
    assert codes == {"crypto.undecryptable", "file.type", "name.encoding"}
    for _ in range(2):
        connector.acknowledge(good, Verdict(is_accepted=False, code="crypto.undecryptable"))
    assert (out / "done" / "good.zip.p7m").read_bytes() == b"good"
    assert [path.name for path in (sshd["files"] / "receipt").iterdir()] == ["good.zip.p7m.nak.json"]
