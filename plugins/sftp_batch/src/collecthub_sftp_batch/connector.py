"""One partner's SFTP account: put batches in, take status files out, compare books."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from collecthub.sdk import (
    AccountLine,
    CheckStep,
    ConnectorContext,
    Decoded,
    DeliveryState,
    Envelope,
    Exchange,
    Journal,
    PermanentError,
    QuarantineError,
    RawMessage,
    Receipt,
    Verdict,
)
from collecthub.wire.crypto import sha256_hex
from collecthub_sftp_batch.check import check_connection
from collecthub_sftp_batch.client import CONTAINER, NOTE, PartnerFolders, Presence, UnreadNote
from collecthub_sftp_batch.mapping import Sealing
from collecthub_sftp_batch.settings import SftpBatchSettings

_SUFFIX = ".zip.p7m"
_BOOKS = "accounts-"


class SftpBatchConnector:
    """Satisfies `Dispatcher`, `StatusSource`, `PartnerBooks` and `Checkable` for one partner.

    Promise: exactly once, as long as nothing at the partner touches names that begin with a dot. A file is written
    under such a name, compared with what was sent, and renamed after the intent to do so was stored.
    """

    def __init__(self, ctx: ConnectorContext) -> None:
        self._ctx = ctx
        self._settings: SftpBatchSettings = ctx.settings
        self._folders = PartnerFolders(self._settings, allow_loopback=ctx.allow_loopback)
        self._sealing = Sealing(ctx, self._settings)

    def close(self) -> None:
        """Give the connection back."""
        self._folders.close()

    @property
    def batch_limit(self) -> int:
        """How many messages one file may carry."""
        return self._settings.batch_limit

    # --- Dispatcher -------------------------------------------------------------------------------

    def prepare(self, exchange: Exchange) -> Envelope:
        """The exchange as XML, signed, packed with its documents and encrypted for the partner."""
        payload = self._sealing.seal(exchange)
        return Envelope(
            envelope_id=exchange.exchange_id,
            name=f"{self._ctx.receiver_ref}-{exchange.exchange_id}{_SUFFIX}",
            media_type=CONTAINER,
            payload=payload,
            sha256=sha256_hex(payload),
            message_ids=tuple(message.message_id for message in exchange.messages),
        )

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        """Upload under a temporary name, prove that it is whole, store the intent, rename.

        Called again after a crash it goes on from the temporary file that is there.
        """
        final, temporary = f"in/{envelope.name}", f"in/.{envelope.name}.part"
        present = self._folders.presence(final, envelope.payload)
        if present is Presence.SAME:
            return Receipt(reference=envelope.name, detail="was there already")
        if present is Presence.OTHER:
            raise PermanentError(
                f"the partner's folder holds another file named {envelope.name}",
                cure="Ask the partner where it comes from; nothing was overwritten.",
                reference=envelope.name,
            )
        self._folders.upload_checked(temporary, envelope.payload)
        journal.mark("renaming")
        self._folders.publish(temporary, final)
        return Receipt(reference=envelope.name, detail=f"{len(envelope.payload)} bytes, sha256 {envelope.sha256}")

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        """Look where the file is. A temporary name that is gone after the intent proves the rename, if promised."""
        if not intent:
            return DeliveryState.NOT_ARRIVED
        if self._folders.presence(f"in/{envelope.name}", envelope.payload) is Presence.SAME:
            return DeliveryState.ARRIVED
        if self._folders.exists(f"in/.{envelope.name}.part"):
            return DeliveryState.NOT_ARRIVED
        return DeliveryState.ARRIVED if self._settings.promises_not_to_touch_tmp else DeliveryState.UNKNOWN

    # --- StatusSource -----------------------------------------------------------------------------

    def fetch(self, checkpoint: str) -> Iterator[tuple[RawMessage, str]]:
        """The files that wait in `out`. There is no checkpoint: what was acknowledged has left the folder."""
        for file in self._folders.waiting():
            if isinstance(file, UnreadNote):
                yield file.message(), ""
            elif not file.name.startswith(_BOOKS):
                content = self._folders.read(file)
                if isinstance(content, UnreadNote):
                    yield content.message(), ""
                elif content is not None:
                    yield RawMessage(remote_ref=file.name, media_type=CONTAINER, content=content), ""

    def decode(self, raw: RawMessage) -> Decoded:
        """Decrypt, unpack, verify the partner's signature, and read only what is signed."""
        if raw.media_type == NOTE:
            note = UnreadNote.read(raw.content)
            raise QuarantineError(
                f"{note.file} in the partner's out folder was not read: {note.reason}",
                code=note.code,
                cure="Ask the partner to put plain files there.",
                reference=note.file,
            )
        return self._sealing.open(raw.content)

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        """Write the receipt, then move the file to `out/done`; done again it changes nothing."""
        outcome = "ack" if verdict.is_accepted else "nak"
        is_note = raw.media_type == NOTE
        receipt = {
            "file": UnreadNote.read(raw.content).file if is_note else raw.remote_ref,
            "code": verdict.code,
            "reason": verdict.reason,
            "recorded_at": self._ctx.now().isoformat(),
        }
        self._folders.put_receipt(f"{raw.remote_ref}.{outcome}.json", json.dumps(receipt, ensure_ascii=False).encode())
        if not is_note:
            self._folders.set_aside(raw.remote_ref, raw.content)

    # --- PartnerBooks and Checkable ---------------------------------------------------------------

    def accounts(self) -> Iterator[AccountLine]:
        """The newest books that the partner put into `out`; nothing when it never did."""
        books = [file for file in self._folders.waiting() if not isinstance(file, UnreadNote)]
        names = [file for file in books if file.name.startswith(_BOOKS) and file.name.endswith(_SUFFIX)]
        content = self._folders.read(names[-1]) if names else None
        if isinstance(content, bytes):
            yield from self._sealing.open_accounts(content)

    def check(self) -> Sequence[CheckStep]:
        """Certificates, host key, login and folders, each with what to do about it."""
        return check_connection(self._ctx, self._settings, self._folders)
