"""One folder of letters: each a PDF beside a small JSON that names it, whole or not there."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from collecthub.sdk import (
    Attachment,
    Channel,
    CheckStep,
    ConnectorContext,
    DebtorMessage,
    Journal,
    PermanentError,
    Receipt,
    RetryableError,
)
from collecthub_contact_print.settings import ContactPrintSettings

PDF = "application/pdf"


class ContactPrintConnector:
    """Satisfies `Messenger` and `Checkable`.

    Promise: once. A letter's name follows from its contact, so a repetition replaces the same letter by the same bytes
    and a mail house that has taken it sees a name it knows.
    """

    channel = Channel.LETTER
    repeats_safely = True

    def __init__(self, ctx: ConnectorContext) -> None:
        self._settings: ContactPrintSettings = ctx.settings

    def deliver(self, message: DebtorMessage, journal: Journal) -> Receipt:
        """Put the letter into the folder; the JSON comes last and says that the PDF is whole."""
        letter = page_of(message)
        journal.mark("printing")
        name = f"{message.contact_id}.pdf"
        about = about_letter(message, name, letter.content)
        try:
            self._settings.folder.mkdir(parents=True, exist_ok=True)
            _write(self._settings.folder / name, letter.content)
            _write(self._settings.folder / f"{message.contact_id}.json", json.dumps(about, ensure_ascii=False).encode())
        except OSError as error:
            raise RetryableError(
                f"the folder of letters cannot be written ({error.strerror})", cure="Make room, or correct its rights."
            ) from error
        return Receipt(reference=name)

    def check(self) -> Sequence[CheckStep]:
        """Whether the folder can be written."""
        folder = self._settings.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return (CheckStep(name="folder", is_ok=False, detail=str(error.strerror), cure="Correct the path."),)
        is_ok = os.access(folder, os.W_OK)
        return (CheckStep(name="folder", is_ok=is_ok, detail=str(folder), cure="" if is_ok else "Correct its rights."),)


def page_of(message: DebtorMessage) -> Attachment:
    """The letter itself. Raises `PermanentError` where there is none."""
    letter = next((one for one in message.attachments if one.media_type == PDF), None)
    if letter is None:
        raise PermanentError("the letter has no page to print", cure="Report it to the makers of the hub.")
    return letter


def about_letter(message: DebtorMessage, name: str, content: bytes) -> dict[str, str | int]:
    """What a printer is told of a letter beside its pages."""
    return {
        "file": name, "recipient": message.recipient, "country": message.address.country, "language": message.language,
        "bytes": len(content),
    }  # fmt: skip


def _write(path: Path, content: bytes) -> None:
    """The file whole and durable, or not there."""
    hidden = path.with_name(f".{path.name}.tmp")
    with hidden.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
