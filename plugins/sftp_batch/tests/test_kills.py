"""kill -9 at any moment of sending, and of the server's sessions: nothing lost, nothing twice, nothing cut.

The short form runs always. The figures of the requirement are `COLLECTHUB_KILLS=200 COLLECTHUB_KILL_FILES=12000` for killed
senders and `COLLECTHUB_SESSION_KILLS=200` for killed sshd sessions; the receiver takes files away within two milliseconds.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from collecthub.ports import Envelope
from collecthub.wire.crypto import Identity, sha256_hex

KILLS, FILES = int(os.environ.get("COLLECTHUB_KILLS", "3")), int(os.environ.get("COLLECTHUB_KILL_FILES", "20"))
SESSION_KILLS = int(os.environ.get("COLLECTHUB_SESSION_KILLS", "3"))
SEND = str(Path(__file__).parent / "sending_process.py")
pytestmark = [pytest.mark.slow, pytest.mark.chaos, pytest.mark.timeout(10_800 if KILLS > 20 else 300)]


def test_killed_senders_deliver_each_file_once(connect, office, exchange, hub_identity: Identity, tmp_path: Path) -> None:
    connector = connect()
    cases, envelopes = set(), []
    for number in range(min(FILES, 200)):  # the office decrypts and verifies each of them
        sent = exchange(1, number)
        cases.add(sent.messages[0].case_id)
        envelopes.append(connector.prepare(sent))
    facts = office.twin.facts
    folder = prepared(tmp_path / "hub", envelopes, settings(hub_identity, facts["certificate_pem"], facts))
    killed = kill_senders(folder, min(KILLS, 20))
    books = office.await_exchanges(len(envelopes))
    assert killed > 0
    assert {one["case_id"] for one in books["cases"]} == cases
    assert (books["exchanges_in"], books["duplicates"]["exchanges"], books["refused"]) == (len(envelopes), 0, [])


def test_a_greedy_receiver_gets_every_file_once_whoever_is_killed(sshd: dict[str, Any], hub_identity: Identity, tmp_path: Path) -> None:
    """A real OpenSSH server; the receiver leaves no trace of what it took, so only the protocol can tell."""
    envelopes = [blank(number) for number in range(FILES)]
    facts = {"sftp_host": "127.0.0.1", "sftp_port": sshd["port"], "username": getpass.getuser(),
             "host_key_fingerprint": sshd["fingerprint"]}  # fmt: skip
    folder = prepared(tmp_path / "hub", envelopes, settings(hub_identity, hub_identity.certificate_pem.decode(), facts))
    with greedy(sshd["files"] / "in") as taken:
        killed = kill_senders(folder, KILLS)
        wait_until(lambda: len(taken) >= len(envelopes))
    counts = Counter(name for name, _ in taken)
    print(f"{killed} senders killed over {len(envelopes)} files: {account(envelopes, taken)}")
    assert killed >= (KILLS if KILLS > 20 else 1)
    assert {name for name, count in counts.items() if count > 1} == set()  # no duplicate
    assert set(counts) == {envelope.name for envelope in envelopes}  # none lost
    assert dict(taken) == {envelope.name: envelope.sha256 for envelope in envelopes}  # none corrupt


def test_killed_sessions_of_the_server_lose_and_double_nothing(sshd: dict[str, Any], hub_identity: Identity, tmp_path: Path) -> None:
    envelopes = [blank(number) for number in range(max(FILES, 10 * SESSION_KILLS))]
    facts = {"sftp_host": "127.0.0.1", "sftp_port": sshd["port"], "username": getpass.getuser(),
             "host_key_fingerprint": sshd["fingerprint"]}  # fmt: skip
    folder = prepared(tmp_path / "hub", envelopes, settings(hub_identity, hub_identity.certificate_pem.decode(), facts))
    killed = 0
    with greedy(sshd["files"] / "in") as taken:
        is_done = False
        while not is_done:
            started = notes(folder)
            with subprocess.Popen([sys.executable, SEND, str(folder)], stderr=subprocess.DEVNULL) as process:
                while killed < SESSION_KILLS and process.poll() is None:
                    await_progress(process, folder, started + 1)
                    killed += kill_sessions(sshd["pid"])
                    started = notes(folder)
                is_done = process.wait(1200) == 0
        wait_until(lambda: len(taken) >= len(envelopes))
    print(f"{killed} sessions killed over {len(envelopes)} files: {account(envelopes, taken)}")
    assert killed > 0
    assert sorted(taken) == sorted((envelope.name, envelope.sha256) for envelope in envelopes)


def account(envelopes: list[Envelope], taken: list[tuple[str, str]]) -> str:
    """What the receiver got, in the words of the requirement."""
    wanted, counts = {envelope.name: envelope.sha256 for envelope in envelopes}, Counter(name for name, _ in taken)
    return (
        f"{len(wanted.keys() - counts.keys())} lost, {sum(count - 1 for count in counts.values())} duplicate, "
        f"{sum(wanted.get(name) != digest for name, digest in taken)} corrupt"
    )


# --- means --------------------------------------------------------------------------------------------------------


def blank(number: int) -> Envelope:
    """A file of 4 KB; what is in it is nobody's business here."""
    payload = random.Random(number).randbytes(4_096)
    return Envelope(
        envelope_id=f"{number:05}", name=f"bailiff-{number:05}.zip.p7m", media_type="application/pkcs7-mime",
        payload=payload, sha256=sha256_hex(payload), message_ids=(),
    )


def settings(hub: Identity, certificate: str, facts: Any) -> dict[str, Any]:
    key = hub.private_key_pem.decode()
    return {
        "host": facts["sftp_host"], "port": facts["sftp_port"], "username": facts["username"], "private_key": key,
        "own_key": key, "own_certificate": hub.certificate_pem.decode(), "partner_certificate": certificate,
        "host_key_fingerprints": [facts["host_key_fingerprint"]],
    }  # fmt: skip


def prepared(folder: Path, envelopes: list[Envelope], connection: dict[str, Any]) -> Path:
    """What the sending process works from."""
    (folder / "envelopes").mkdir(parents=True)
    (folder / "journal").mkdir()
    for number, envelope in enumerate(envelopes):
        (folder / "envelopes" / f"{number:05}.msgpack").write_bytes(msgspec.msgpack.encode(envelope))
    (folder / "connection.json").write_text(json.dumps(connection))
    return folder


def kill_senders(folder: Path, kills: int) -> int:
    """Start senders and kill them soon after their first note, then let one finish; returns how many were killed."""
    command = [sys.executable, SEND, str(folder)]
    chance, killed = random.Random(7), 0
    while killed < kills:
        started = notes(folder)
        with subprocess.Popen(command) as process:
            await_progress(process, folder, started + 1)
            try:
                process.wait(chance.uniform(0.0, 0.1) if killed else 0.0)  # the first at once, so that one always is
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
            else:
                break
    subprocess.run(command, check=True, timeout=1200)
    return killed


def kill_sessions(server: int) -> int:
    """kill -9 to every process that serves one connection of the server; returns how many there were."""
    sessions = psutil.Process(server).children(recursive=True)
    for session in sessions:
        try:
            session.kill()
        except psutil.NoSuchProcess:
            continue
    return len(sessions)


@contextmanager
def greedy(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """A receiver that looks every two milliseconds and takes what has no temporary name: (name, SHA-256), in order."""
    taken: list[tuple[str, str]] = []
    is_over = threading.Event()

    def take() -> None:
        while not is_over.wait(0.002):
            for path in list(folder.iterdir()):
                if not path.name.startswith("."):
                    taken.append((path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
                    path.unlink()

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield taken
    finally:
        is_over.set()
        thread.join()


def wait_until(is_so: Any) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def notes(folder: Path) -> int:
    """About how many notes the senders made: two for each file, one before and one after its rename."""
    progress = folder / "progress"
    return progress.stat().st_size if progress.exists() else 0


def await_progress(process: subprocess.Popen[bytes], folder: Path, count: int) -> None:
    """Return when so many notes are made, or the process is done."""
    while process.poll() is None and notes(folder) < count:
        time.sleep(0.002)
