"""One partner's SFTP account: put batches in, take status files out, compare books."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence

from collecthub.sdk import (
    AccountLine,
    CheckStep,
    CollecthubError,
    ConnectorContext,
    Decoded,
    DeliveryState,
    Envelope,
    Exchange,
    InDoubtError,
    Journal,
    KeyEnd,
    PermanentError,
    ProfileLine,
    QuarantineError,
    RawMessage,
    Receipt,
    RetryableError,
    Verdict,
)
from collecthub_sftp_batch.check import check_connection
from collecthub_sftp_batch.client import NOTE, PartnerFolders, Presence, UnreadNote
from collecthub_sftp_batch.hours import next_opening
from collecthub_sftp_batch.keys import key_ends
from collecthub_sftp_batch.mapping import CHANGES_ONLY, CONTAINER, Sealing
from collecthub_sftp_batch.profile import profile_lines
from collecthub_sftp_batch.settings import SftpBatchSettings

_BOOKS = "accounts-"
SMALL_BYTES = 1_000_000


class SftpBatchConnector:
    """Satisfies `Dispatcher`, `KeepsHours`, `SendsMany`, `StatusSource`, `PartnerBooks` and `Checkable` for one partner.

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
        return self._settings.messages_most

    # --- Dispatcher -------------------------------------------------------------------------------

    def prepare(self, exchange: Exchange) -> Envelope:
        """The exchange in the partner's format, signed, packed with its documents and encrypted for it.

        Raises `PermanentError` for what the partner cannot take: it names element and limit, or the level it lacks.
        """
        return self._sealing.envelope(exchange)

    def _paths(self, envelope: Envelope) -> tuple[str, str]:
        """Temporary and final path."""
        return self._settings.temporary_path.format(name=envelope.name), self._settings.final_path.format(
            name=envelope.name
        )

    def closed_seconds(self) -> float | None:
        """Seconds until new cases may leave again; None when they may leave now."""
        now = self._ctx.now()
        opening = next_opening(self._settings, now)
        return None if opening is None else (opening - now).total_seconds()

    def opens_at(self, envelope: Envelope) -> float | None:
        """Seconds until this envelope may leave; None when it may leave now."""
        return None if envelope.media_type == CHANGES_ONLY else self.closed_seconds()

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        """Upload under a temporary name, prove that it is whole, store the intent, rename, say done.

        Called again after a crash it goes on from the temporary file that is there. Outside the office's hours a file
        with new cases waits (`RetryableError` with the time until then).
        """
        self._refuse_closed(envelope)
        temporary, final = self._paths(envelope)
        present = self._folders.presence(final, envelope.payload)
        if present is Presence.OTHER:
            raise PermanentError(
                f"the partner's folder holds another file named {envelope.name}",
                cure="Ask the partner where it comes from; nothing was overwritten.",
                reference=envelope.name,
            )
        if present is Presence.ABSENT:
            self._folders.upload_checked(temporary, envelope.payload)
            journal.mark("renaming")
            self._folders.publish(temporary, final)
        self._say_done(envelope)
        return _receipt(envelope, "was there already" if present is Presence.SAME else "")

    def deliver_many(self, work: Sequence[tuple[Envelope, Journal]]) -> list[Receipt | CollecthubError]:
        """The same promise for many envelopes at once, the small ones all in flight on one connection.

        Each gets its receipt or its error in its place; no intent is stored for a file that is not whole.
        """
        small = [place for place, (envelope, _) in enumerate(work) if len(envelope.payload) <= SMALL_BYTES]
        outcomes: dict[int, Receipt | CollecthubError] = {}
        ready = self._uploaded(work, small, outcomes)
        self._published(work, ready, outcomes)
        for place, (envelope, journal) in enumerate(work):
            if place not in outcomes:
                outcomes[place] = self._alone(envelope, journal)
        return [outcomes[place] for place in range(len(work))]

    def _uploaded(
        self, work: Sequence[tuple[Envelope, Journal]], places: Sequence[int], outcomes: dict[int, Receipt | CollecthubError]
    ) -> list[int]:
        """Those whose temporary file is whole and whose intent is stored."""
        opened = [place for place in places if self.opens_at(work[place][0]) is None]
        try:
            found = self._folders.upload_many([(self._paths(work[p][0])[0], work[p][0].payload) for p in opened])
        except CollecthubError as error:
            outcomes.update(dict.fromkeys(opened, error))
            return []
        ready = []
        for place, problem in zip(opened, found, strict=True):
            try:
                if problem is not None:
                    raise problem
                work[place][1].mark("renaming")
                ready.append(place)
            except CollecthubError as error:
                outcomes[place] = error
        return ready

    def _published(
        self, work: Sequence[tuple[Envelope, Journal]], places: Sequence[int], outcomes: dict[int, Receipt | CollecthubError]
    ) -> None:
        """Rename what is ready. A name that is taken is left open: the slow way finds out by whom."""
        try:
            found = self._folders.publish_many([self._paths(work[place][0]) for place in places])
        except CollecthubError as error:
            outcomes.update(dict.fromkeys(places, error))
            return
        for place, problem in zip(places, found, strict=True):
            envelope = work[place][0]
            try:
                if problem is None:
                    self._say_done(envelope)
                    outcomes[place] = _receipt(envelope)
                elif isinstance(problem, PermanentError) and not self._folders.exists(self._paths(envelope)[0]):
                    raise InDoubtError(f"the temporary file of {envelope.name} is gone", reference=envelope.name)
                elif not isinstance(problem, PermanentError):
                    raise problem
            except CollecthubError as error:
                outcomes[place] = error

    def _alone(self, envelope: Envelope, journal: Journal) -> Receipt | CollecthubError:
        try:
            return self.deliver(envelope, journal)
        except CollecthubError as error:
            return error

    def _refuse_closed(self, envelope: Envelope) -> None:
        seconds = self.opens_at(envelope)
        if seconds is not None:
            raise RetryableError(
                f"the partner takes new cases again in {math.ceil(seconds / 60)} minutes",
                cure="It is sent by itself when the office opens.",
                reference=envelope.name, retry_after_seconds=seconds,
            )

    def _say_done(self, envelope: Envelope) -> None:
        if self._settings.done_file:
            path = self._settings.done_file.format(name=envelope.name)
            self._folders.say_done(path, envelope.name, envelope.payload)

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        """Look where the file is. A temporary name that is gone after the intent proves the rename, if promised."""
        if not intent:
            return DeliveryState.NOT_ARRIVED
        temporary, final = self._paths(envelope)
        if self._folders.presence(final, envelope.payload) is Presence.SAME:
            is_said = not self._settings.done_file or self._folders.exists(
                self._settings.done_file.format(name=envelope.name)
            )
            return DeliveryState.ARRIVED if is_said else DeliveryState.NOT_ARRIVED
        if self._folders.exists(temporary):
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
        names = [file for file in books if file.name.startswith(_BOOKS) and file.name.endswith(self._settings.suffix)]
        content = self._folders.read(names[-1]) if names else None
        if isinstance(content, bytes):
            yield from self._sealing.open_accounts(content)

    def check(self) -> Sequence[CheckStep]:
        """Format, keys, host key, login and folders, each with what to do about it."""
        return check_connection(self._ctx, self._settings, self._folders, self._sealing)

    # --- Profiled and KeyHolder -------------------------------------------------------------------

    def profile(self) -> Sequence[ProfileLine]:
        """What happens with this partner, in plain words."""
        return profile_lines(self._settings, self._ctx.now())

    def key_ends(self) -> Sequence[KeyEnd]:
        """When the keys of this profile end."""
        return tuple(key_ends(self._settings))


def _receipt(envelope: Envelope, detail: str = "") -> Receipt:
    said = detail or f"{len(envelope.payload)} bytes, sha256 {envelope.sha256}"
    return Receipt(reference=envelope.name, detail=said)
