"""The bailiff twin in its own process, a connector to it, and exchanges to send."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from collecthub.formats.xml import XmlFormat
from collecthub.model.exchange import Exchange, Procedure
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.testing.exchanges import case_file, exchange_of
from collecthub.testing.fakes import context, utc_now
from collecthub.wire.crypto import Identity, generate_identity
from collecthub_sftp_batch.connector import SftpBatchConnector
from collecthub_sftp_batch.settings import SftpBatchSettings

FOLDERS = ("in", "out", "out/done", "receipt")


@pytest.fixture(scope="session")
def hub_identity() -> Identity:
    """The hub's key and certificate; the key also logs in."""
    return generate_identity("hub", bits=2048)


@dataclass
class Office:
    """A running bailiff's office, seen from its own disk. Counts are since `since`, its books at the start."""

    twin: RunningTwin
    since: Any

    @property
    def files(self) -> Path:
        """The folder that the hub sees as its root."""
        return self.twin.home / "sftp"

    def books(self) -> Any:
        """The office's books; `exchanges_in` and `refused` are those of this test alone."""
        books = self.twin.control("books")
        for name in ("exchanges_in", "refused"):
            before = self.since[name]
            books[name] = books[name] - before if isinstance(before, int) else books[name][len(before) :]
        return books

    def await_exchanges(self, count: int) -> Any:
        """The office's books once it has read so many exchanges, good or bad."""
        deadline = time.monotonic() + 10
        while True:
            books = self.books()
            if books["exchanges_in"] + len(books["refused"]) >= count:
                return books
            assert time.monotonic() < deadline, f"the office read {books['exchanges_in']} of {count}"
            time.sleep(0.01)

    def quiet(self) -> Path:
        """Folders in which no clerk of the office works, as `folder="quiet"`; empty."""
        shutil.rmtree(self.files / "quiet", ignore_errors=True)
        for name in FOLDERS:
            (self.files / "quiet" / name).mkdir(parents=True, exist_ok=True)
        return self.files / "quiet"


def open_office(home: Path, hub: Identity, **settings: str) -> RunningTwin:
    """Start an office that knows the hub and decides at once."""
    twin = start_twin("bailiff", home, settings={"auto": "1", "seed": "t", **settings})
    key = serialization.load_pem_private_key(hub.private_key_pem, None).public_key()
    public = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    pem = hub.certificate_pem.decode()
    twin.control("hub", {"certificate_pem": pem, "ssh_public_key": public, "sender_ref": "collecthub"})
    return twin


@pytest.fixture(scope="session")
def open_twin(tmp_path_factory: pytest.TempPathFactory, hub_identity: Identity) -> Iterator[RunningTwin]:
    """An office for all tests that leave it running."""
    twin = open_office(tmp_path_factory.mktemp("bailiff"), hub_identity)
    yield twin
    twin.stop()


SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory, hub_identity: Identity) -> Iterator[dict[str, Any]]:
    """A server on a free port that lets this user in by key, into a folder with our four."""
    if SSHD is None:
        pytest.skip("no OpenSSH server is installed")
    home = tmp_path_factory.mktemp("sshd")
    for name in ("in", "out", "out/done", "receipt"):
        (home / "files" / name).mkdir(parents=True)
    key = serialization.load_pem_private_key(hub_identity.private_key_pem, None).public_key()
    public = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    (home / "authorized_keys").write_bytes(public + b"\n")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / "host_key")], check=True)
    shown = subprocess.run(["ssh-keygen", "-lf", str(home / "host_key.pub")], check=True, capture_output=True, text=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (home / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host_key\nPidFile {home}/pid\n"
        f"AuthorizedKeysFile {home}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        f"PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\nForceCommand internal-sftp -d {home}/files\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with subprocess.Popen([SSHD, "-D", "-e", "-f", str(home / "config")], stderr=subprocess.DEVNULL) as server:
        await_port(server, port)
        yield {"pid": server.pid, "port": port, "fingerprint": shown.stdout.split()[1], "files": home / "files"}
        server.terminate()


def await_port(server: subprocess.Popen[bytes], port: int) -> None:
    """Return when somebody listens there."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail("sshd did not start")


@pytest.fixture
def office(
    request: pytest.FixtureRequest, tmp_path: Path, hub_identity: Identity
) -> Iterator[Office]:
    """The office with empty folders; a test marked `chaos` gets one of its own, to kill."""
    if request.node.get_closest_marker("chaos"):
        settings = getattr(request, "param", {})
        own = Office(open_office(tmp_path / "bailiff", hub_identity, **settings), {"exchanges_in": 0, "refused": []})
        yield own
        own.twin.kill()
        return
    twin: RunningTwin = request.getfixturevalue("open_twin")
    for folder in FOLDERS:
        for path in (twin.home / "sftp" / folder).iterdir():
            if path.is_file():
                path.unlink()
    yield Office(twin, twin.control("books"))


@pytest.fixture
def connect(office: Office, hub_identity: Identity) -> Iterator[Callable[..., SftpBatchConnector]]:
    """Build connectors to the office; they are closed at the end."""
    made: list[SftpBatchConnector] = []
    facts = office.twin.facts

    def build(now: Callable[[], dt.datetime] = utc_now, **more: Any) -> SftpBatchConnector:
        values = {
            "host": facts["sftp_host"], "port": facts["sftp_port"], "username": facts["username"],
            "private_key": hub_identity.private_key_pem.decode(), "own_key": hub_identity.private_key_pem.decode(),
            "own_certificate": hub_identity.certificate_pem.decode(), "partner_certificate": facts["certificate_pem"],
            "host_key_fingerprints": (facts["host_key_fingerprint"],), **more,
        }  # fmt: skip
        made.append(
            SftpBatchConnector(
                context(
                    SftpBatchSettings.model_validate(values), formats={"case-exchange-xml": XmlFormat()},
                    sender_ref="collecthub", receiver_ref=facts["partner_ref"], now=now,
                )
            )
        )  # fmt: skip
        return made[-1]

    yield build
    for connector in made:
        connector.close()


@pytest.fixture
def exchange(office: Office) -> Callable[..., Exchange]:
    """Make exchanges of so many cases from this hub to the office."""

    def make(count: int = 1, start: int = 1) -> Exchange:
        cases = (case_file(start + place, Procedure.ENFORCEMENT) for place in range(count))
        return exchange_of(*cases, receiver_ref=office.twin.facts["partner_ref"])

    return make
