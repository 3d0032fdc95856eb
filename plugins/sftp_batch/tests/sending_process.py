"""Sends stored envelopes one after the other, as the hub does, in a process that may be killed at any moment.

Usage: sending_process.py FOLDER, which holds `connection.json` (settings), `envelopes/*.msgpack` and a journal of marks
and receipts. On start it goes on where the last process was killed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import msgspec

from collecthub.ports import DeliveryState, Envelope
from collecthub.testing.fakes import context
from collecthub_sftp_batch.connector import SftpBatchConnector
from collecthub_sftp_batch.settings import SftpBatchSettings


class FileJournal:
    """Marks as lines of a file, on disk before `mark` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def mark(self, intent: str) -> None:
        with self._path.open("a") as file:
            file.write(intent + "\n")
            file.flush()
            os.fsync(file.fileno())

    def last(self) -> str:
        """The last whole line; a kill between making the file and writing into it leaves none."""
        lines = self._path.read_text().split("\n") if self._path.exists() else []
        return lines[-2] if len(lines) > 1 else ""


def main(folder: Path) -> None:
    values = json.loads((folder / "connection.json").read_bytes())
    connector = SftpBatchConnector(context(SftpBatchSettings.model_validate(values), receiver_ref="bailiff"))
    for path in sorted((folder / "envelopes").iterdir()):
        journal = FileJournal(folder / "journal" / path.name)
        if journal.last() == "sent":
            continue
        envelope = msgspec.msgpack.decode(path.read_bytes(), type=Envelope)
        if connector.probe(envelope, journal.last()) is not DeliveryState.ARRIVED:
            connector.deliver(envelope, journal)
        journal.mark("sent")
        with (folder / "progress").open("ab") as progress:
            progress.write(b".")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # the connection's thread would otherwise be waited for
