"""A mail house behind an SFTP server: letters as PDF, a manifest per batch, and what became of each letter.

`letters/ID.pdf` lies beside `letters/ID.json`, which comes last and says that it is whole. A batch is `batches/NAME.csv`,
a manifest of the letters since the one before; it is written when the hub looks for answers, and its letters are marked
by `letters/ID.listed.json`. The mail house leaves manifests and letters in place until it has answered. It answers in
`answers/NAME.csv` with the columns file, state (posted, refused, returned) and reason.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence

from collecthub.sdk import (
    CameBack,
    Channel,
    CheckStep,
    ConnectorContext,
    DebtorMessage,
    Journal,
    QuarantineError,
    Receipt,
    RetryableError,
    try_reach,
)
from collecthub.wire.sftp import SftpAddress, SftpClient
from collecthub.wire.tabular import Row, read_rows, write_csv
from collecthub_contact_print.connector import about_letter, page_of
from collecthub_contact_print.settings import ContactMailHouseSettings

LETTERS, BATCHES, ANSWERS = "letters", "batches", "answers"
COLUMNS = ("file", "recipient", "country", "language", "bytes", "sha256")
_SMALL, _LARGEST = 100_000, 5_000_000
_LISTED = ".listed.json"


class ContactMailHouseConnector:
    """Satisfies `Messenger`, `HearsBack` and `Checkable`.

    Promise: once. A letter's name follows from its contact; one that lies there is compared and never written again,
    and stands in one manifest only.
    """

    channel = Channel.LETTER
    repeats_safely = True

    def __init__(self, ctx: ConnectorContext) -> None:
        self._settings: ContactMailHouseSettings = ctx.settings
        self._now = ctx.now
        self._sftp = SftpClient(_address(self._settings), allow_loopback=ctx.allow_loopback)

    def close(self) -> None:
        """Give the connection back."""
        self._sftp.close()

    # --- Messenger --------------------------------------------------------------------------------

    def deliver(self, message: DebtorMessage, journal: Journal) -> Receipt:
        """Lay the letter down; the JSON comes last and says that the PDF is whole."""
        letter = page_of(message)
        journal.mark("printing")
        name = f"{message.contact_id}.pdf"
        if self._sftp.size(self._path(LETTERS, f"{message.contact_id}{_LISTED}")) is None:
            sha256 = hashlib.sha256(letter.content).hexdigest()
            self._put(LETTERS, name, letter.content)
            about = {**about_letter(message, name, letter.content), "sha256": sha256}
            self._put(LETTERS, f"{message.contact_id}.json", json.dumps(about, ensure_ascii=False).encode())
        return Receipt(reference=name)

    def _put(self, folder: str, name: str, content: bytes) -> None:
        """The file whole under its name. One that is there already is the same letter of an earlier try and is kept."""
        final = self._path(folder, name)
        if self._sftp.size(final) is not None:
            return
        hidden = self._path(folder, f".{name}.part")
        self._sftp.remove(hidden)
        self._sftp.upload(hidden, content)
        if self._sftp.sha256(hidden) != hashlib.sha256(content).hexdigest():
            raise RetryableError(f"{name} did not arrive whole at the mail house", cure="It is tried again.")
        self._sftp.rename(hidden, final)

    def _path(self, *parts: str) -> str:
        return "/".join(filter(None, (self._settings.folder, *parts)))

    # --- batches ----------------------------------------------------------------------------------

    def _close_batch(self) -> None:
        """A manifest of every letter that stands in none. One that was cut off before its marks is finished first."""
        listed = {row.cells["file"] for batch in self._names(BATCHES, ".csv") for row in self._rows(BATCHES, batch)}
        fresh = []
        for name in self._names(LETTERS, ".json"):
            if name.endswith(_LISTED):
                continue
            about = json.loads(self._sftp.read(self._path(LETTERS, name), _SMALL))
            if about["file"] not in listed:
                fresh.append((name, about))
            else:
                self._mark(name)
        if fresh:
            manifest = write_csv(COLUMNS, ([about[column] for column in COLUMNS] for _, about in fresh))
            self._put(BATCHES, f"{self._now():%Y%m%dT%H%M%SZ}-{hashlib.sha256(manifest).hexdigest()[:8]}.csv", manifest)
            for name, _ in fresh:
                self._mark(name)

    def _mark(self, name: str) -> None:
        listed = f"{name.removesuffix('.json')}{_LISTED}"
        self._sftp.rename(self._path(LETTERS, name), self._path(LETTERS, listed))

    def _names(self, folder: str, ending: str) -> list[str]:
        found = self._sftp.list(self._path(folder))
        return sorted(one.name for one in found if one.name.endswith(ending) and not one.name.startswith("."))

    def _rows(self, folder: str, name: str) -> Iterator[Row]:
        return read_rows(self._sftp.read(self._path(folder, name), _LARGEST), name)

    # --- HearsBack --------------------------------------------------------------------------------

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Close the batch, then bring each row of the answers; the last row of a file lets go of it."""
        self._close_batch()
        for name in self._names(ANSWERS, ".csv"):
            content = self._sftp.read(self._path(ANSWERS, name), _LARGEST)
            try:
                rows = [row.cells for row in read_rows(content, name)]
            except QuarantineError:  # no table: kept whole, and a person reads it
                rows = []
            if not rows:
                yield name, content
            for place, cells in enumerate(rows, 1):
                yield name if place == len(rows) else f"{name}#{place}", write_csv(tuple(cells), [tuple(cells.values())])

    def understand(self, content: bytes) -> CameBack | None:
        """What a row says about a letter of ours."""
        try:
            row = next(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))), None)
        except (UnicodeDecodeError, csv.Error):
            return None
        file, state = (row or {}).get("file") or "", ((row or {}).get("state") or "").strip().lower()
        if not file.endswith(".pdf") or state not in ("posted", "refused", "returned"):
            return None
        reason = f"the mail house says {state}: {(row or {}).get('reason') or 'no reason given'}"[:300]
        kind = "note" if state == "posted" else "bounce"
        return CameBack(contact_id=file.removesuffix(".pdf"), kind=kind, reason=reason)

    def take(self, name: str) -> None:
        """The whole file was recorded when its last row was."""
        if "#" not in name:
            self._sftp.remove(self._path(ANSWERS, name))

    def check(self) -> Sequence[CheckStep]:
        """Reach the server, log in and see the three folders."""
        return try_reach(self._see_folders, "reach", "login", "folders")

    def _see_folders(self) -> None:
        for folder in (LETTERS, BATCHES, ANSWERS):
            self._sftp.mkdir(self._path(folder))
            self._sftp.list(self._path(folder), limit=1)


def _address(settings: ContactMailHouseSettings) -> SftpAddress:
    key, password = settings.private_key, settings.password
    return SftpAddress(
        host=settings.host, port=settings.port, username=settings.username,
        host_key_fingerprints=settings.host_key_fingerprints, private_key_pem=key.get_secret_value().encode() if key else None,
        password=password.get_secret_value() if password else None,
    )  # fmt: skip
