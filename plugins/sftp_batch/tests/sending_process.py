"""Sends stored envelopes, many at once as the hub does, in a process that may be killed at any moment.

Usage: sending_process.py FOLDER, which holds `connection.json` (settings), `envelopes/*.msgpack` and a journal of marks
and receipts. On start it goes on where the last process was killed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import msgspec

from collecthub.ports import DeliveryState, Envelope, Receipt
from collecthub.testing.fakes import context
from collecthub_sftp_batch.connector import SftpBatchConnector
from collecthub_sftp_batch.settings import SftpBatchSettings

AT_ONCE = 50  # as the hub's engine does


class FileJournal:
    """Marks as lines of a file, on disk before `mark` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def mark(self, intent: str) -> None:
        with self._path.open("a") as file:
            file.write(intent + "\n")
            file.flush()
            os.fsync(file.fileno())
        with (self._path.parent.parent / "progress").open("ab") as progress:
            progress.write(b".")

    def last(self) -> str:
        """The last whole line; a kill between making the file and writing into it leaves none."""
        lines = self._path.read_text().split("\n") if self._path.exists() else []
        return lines[-2] if len(lines) > 1 else ""


def main(folder: Path) -> None:
    values = json.loads((folder / "connection.json").read_bytes())
    connector = SftpBatchConnector(context(SftpBatchSettings.model_validate(values), receiver_ref="bailiff"))
    waiting = [(path, FileJournal(folder / "journal" / path.name)) for path in sorted((folder / "envelopes").iterdir())]
    waiting = [(path, journal) for path, journal in waiting if journal.last() != "sent"]
    for start in range(0, len(waiting), AT_ONCE):
        work = [
            (msgspec.msgpack.decode(path.read_bytes(), type=Envelope), journal)
            for path, journal in waiting[start : start + AT_ONCE]
        ]
        for envelope, journal in work:  # what was begun is asked about first
            if journal.last() and connector.probe(envelope, journal.last()) is DeliveryState.ARRIVED:
                journal.mark("sent")
        fresh = [(envelope, journal) for envelope, journal in work if journal.last() != "sent"]
        outcomes = connector.deliver_many(fresh)
        for (_, journal), outcome in zip(fresh, outcomes, strict=True):
            if isinstance(outcome, Receipt):
                journal.mark("sent")
        problems = [outcome for outcome in outcomes if not isinstance(outcome, Receipt)]
        if problems:
            raise problems[0]  # the next process goes on


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # the connection's thread would otherwise be waited for
