"""The same promises at a real OpenSSH server, and at one whose sessions die at a given moment."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wire.sftp_peers import Mischief, asyncssh_peer

from collecthub.errors import CollecthubError, InDoubtError, PermanentError, QuarantineError, RetryableError
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


@pytest.mark.parametrize(
    ("moment", "error", "found"),
    [
        ("lookup", RetryableError, DeliveryState.NOT_ARRIVED),  # nothing was asked for yet
        ("rename", InDoubtError, DeliveryState.NOT_ARRIVED),
        ("renamed", InDoubtError, DeliveryState.ARRIVED),
    ],
)
def test_a_session_that_dies_around_the_rename_gets_the_file_once(
    connect, exchange: Callable[..., Exchange], tmp_path: Path, moment: str, error: type[CollecthubError], found: DeliveryState
) -> None:
    mischief, files = Mischief(), tmp_path / "files"
    (files / "in").mkdir(parents=True)

    class Armed(ListJournal):
        def mark(self, intent: str) -> None:
            super().mark(intent)
            mischief.die_at = moment

    with asyncssh_peer(files, mischief) as peer:
        connector = connect(
            host="127.0.0.1", port=peer.port, username=peer.username, private_key=peer.login_key.decode(),
            host_key_fingerprints=(peer.fingerprint,),
        )  # fmt: skip
        envelope = connector.prepare(exchange())
        with pytest.raises(error) as caught:
            connector.deliver(envelope, Armed())
        assert type(caught.value) is error
        assert connector.probe(envelope, "renaming") is found
        connector.deliver(envelope, ListJournal())
        connector.close()
    assert [(path.name, path.read_bytes()) for path in (files / "in").iterdir()] == [(envelope.name, envelope.payload)]


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
