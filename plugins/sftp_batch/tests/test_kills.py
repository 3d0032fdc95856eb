"""kill -9 at any moment of sending: nothing lost, nothing twice.

`COLLECTHUB_KILLS` and `COLLECTHUB_KILL_FILES` make it a longer run.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from collecthub.wire.crypto import Identity

KILLS, FILES = int(os.environ.get("COLLECTHUB_KILLS", "3")), int(os.environ.get("COLLECTHUB_KILL_FILES", "20"))


@pytest.mark.slow
@pytest.mark.chaos
def test_killed_senders_deliver_each_file_once(connect, office, exchange, hub_identity: Identity, tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    (folder / "envelopes").mkdir(parents=True)
    (folder / "journal").mkdir()
    connector = connect()
    cases = set()
    for number in range(FILES):
        sent = exchange(1, number)
        cases.add(sent.messages[0].case_id)
        content = msgspec.msgpack.encode(connector.prepare(sent))
        (folder / "envelopes" / f"{number:05}.msgpack").write_bytes(content)
    facts, key = office.twin.facts, hub_identity.private_key_pem.decode()
    connection = {
        "host": facts["sftp_host"], "port": facts["sftp_port"], "username": facts["username"], "private_key": key,
        "own_key": key, "own_certificate": hub_identity.certificate_pem.decode(),
        "partner_certificate": facts["certificate_pem"], "host_key_fingerprints": [facts["host_key_fingerprint"]],
    }  # fmt: skip
    (folder / "connection.json").write_text(json.dumps(connection))
    command = [sys.executable, str(Path(__file__).parent / "sending_process.py"), str(folder)]
    chance, killed = random.Random(7), 0
    while killed < KILLS:
        started = sent_files(folder)
        with subprocess.Popen(command) as process:
            await_progress(process, folder, started + 1)
            try:
                process.wait(chance.uniform(0.0, 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
            else:
                break
    subprocess.run(command, check=True, timeout=60)
    books = office.await_exchanges(FILES)
    assert killed > 0
    assert {one["case_id"] for one in books["cases"]} == cases
    assert (books["exchanges_in"], books["duplicates"]["exchanges"], books["refused"]) == (FILES, 0, [])


def sent_files(folder: Path) -> int:
    """How many files are known to be sent."""
    return sum(path.read_text().endswith("sent\n") for path in (folder / "journal").iterdir())


def await_progress(process: subprocess.Popen[bytes], folder: Path, count: int) -> None:
    """Return when so many files are sent, or the process is done."""
    while process.poll() is None and sent_files(folder) < count:
        time.sleep(0.002)
