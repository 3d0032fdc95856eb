"""The partner's folders: put a file in so that it is whole or absent, and take files out."""

from __future__ import annotations

import enum
import time
from collections.abc import Iterator, Sequence

import msgspec

from collecthub.sdk import CollecthubError, InDoubtError, PermanentError, RawMessage, RetryableError
from collecthub.wire.crypto import sha256_hex
from collecthub.wire.sftp import RemoteFile, SftpAddress, SftpClient
from collecthub_sftp_batch.settings import SftpBatchSettings

FILE_BYTES_MAX = 100_000_000
NOTE = "application/vnd.collecthub.unread+json"
DONE_SUFFIX = ".done"


class Presence(enum.Enum):
    """Whether a name holds given bytes."""

    ABSENT = "absent"
    SAME = "same"
    OTHER = "other"


class UnreadNote(msgspec.Struct, frozen=True):
    """Stands for a remote file that must not or cannot be read, and says why."""

    file: str
    code: str
    reason: str

    def message(self) -> RawMessage:
        """The note as a message; a name that is unfit for a path is replaced by one made from it."""
        is_fit = not self.code.startswith("name.")
        reference = self.file if is_fit else f"unread-{sha256_hex(self.file.encode())[:16]}"
        return RawMessage(remote_ref=reference, media_type=NOTE, content=msgspec.json.encode(self))

    @classmethod
    def read(cls, content: bytes) -> UnreadNote:
        """The note that `message` wrote."""
        return msgspec.json.decode(content, type=cls)


class PartnerFolders:
    """The folders at one partner; paths are relative to the folder in the settings."""

    def __init__(self, settings: SftpBatchSettings, *, allow_loopback: bool) -> None:
        self._settings = settings
        self._prefix = f"{settings.folder}/" if settings.folder else ""
        self._account = f"{settings.username} at {settings.host} port {settings.port}"
        self._sftp = SftpClient(_address(settings), allow_loopback=allow_loopback)
        self._unchanged = Patience()

    def close(self) -> None:
        """Give the connection back."""
        self._sftp.close()

    def log_in(self) -> str:
        """Open the connection and look around; returns who was let in where."""
        self._sftp.list(".", limit=1)
        return self._account

    @property
    def wanted(self) -> tuple[str, ...]:
        """The folders that must be there."""
        given = self._settings
        sending = [path.format(name="x").rpartition("/")[0] for path in (given.final_path, given.temporary_path)]
        folders = (*sending, given.inbox_folder, f"{given.inbox_folder}/done", "receipt")
        return tuple(dict.fromkeys(folder for folder in folders if folder))

    def exists(self, path: str) -> bool:
        """Whether there is something under this name."""
        return self._sftp.size(self._prefix + path) is not None

    def presence(self, path: str, content: bytes) -> Presence:
        """Compare a remote file with the bytes that should be there: size first, then hash."""
        size = self._sftp.size(self._prefix + path)
        if size is None:
            return Presence.ABSENT
        is_same = size == len(content) and self._sftp.sha256(self._prefix + path) == sha256_hex(content)
        return Presence.SAME if is_same else Presence.OTHER

    # --- hub to partner ---------------------------------------------------------------------------

    def upload_checked(self, path: str, content: bytes) -> None:
        """Write a temporary file, unless it is there already, and prove that the partner's disk holds all of it.

        Servers were seen to cut a file on a full disk without an error, hence the look back. What a cut left behind
        is gone on with; when that does not give our bytes, the whole is written anew.
        """
        if self.presence(path, content) is Presence.SAME:
            return
        self._sftp.upload(self._prefix + path, content)
        if self.presence(path, content) is Presence.SAME:
            return
        self._sftp.remove(self._prefix + path)
        self._sftp.upload(self._prefix + path, content)
        if self.presence(path, content) is not Presence.SAME:
            self._sftp.remove(self._prefix + path)
            raise RetryableError(
                f"{path} did not arrive whole at the partner",
                cure="Ask the partner whether its disk is full; the upload is tried again by itself.",
                reference=path,
            )

    def upload_many(self, files: Sequence[tuple[str, bytes]]) -> Sequence[RetryableError | None]:
        """Small temporary files, many in flight, each read back."""
        return self._sftp.upload_many([(self._prefix + path, content) for path, content in files])

    def publish_many(self, names: Sequence[tuple[str, str]]) -> Sequence[CollecthubError | None]:
        """Give many files their final names, many in flight; never over an existing one."""
        return self._sftp.rename_many([(self._prefix + old, self._prefix + new) for old, new in names])

    def publish(self, temporary: str, final: str) -> None:
        """Give an uploaded file its final name; never over an existing one.

        Raises `InDoubtError` when the temporary name is gone: somebody may have renamed it.
        """
        try:
            self._sftp.rename(self._prefix + temporary, self._prefix + final)
        except PermanentError as error:
            if self.exists(temporary):
                raise
            raise InDoubtError(
                f"{temporary} is gone, so {final} may have been delivered by somebody else",
                cure="The hub looks where the file is before anything is sent again.",
                reference=final,
            ) from error

    def say_done(self, path: str, name: str, content: bytes) -> None:
        """Write the done-file: the line that `sha256sum --check` reads. Again it changes nothing."""
        self.upload_checked(path, f"{sha256_hex(content)}  {name}\n".encode())

    # --- partner to hub ---------------------------------------------------------------------------

    def waiting(self) -> Iterator[RemoteFile | UnreadNote]:
        """What lies in the inbox, by name: whole files, and notes for what cannot be touched safely."""
        listing = self._sftp.list(f"{self._prefix}{self._settings.inbox_folder}")
        for refused in listing.refused:
            yield UnreadNote(file=refused.shown, code=refused.code, reason=f"its name {refused.reason}")
        names = {file.name for file in listing}
        self._unchanged.forget_all_but(names)
        for file in listing:
            if file.name.startswith(".") or file.name == "done" or self._is_done_file(file.name, names):
                continue
            found = self._whole(file, names)
            if found is not None:
                yield found

    def _is_done_file(self, name: str, names: set[str]) -> bool:
        return self._settings.arrival == "done_file" and name.endswith(DONE_SUFFIX)

    def _whole(self, file: RemoteFile, names: set[str]) -> RemoteFile | UnreadNote | None:
        """The file when the partner's rule says that it is whole; a note when it has been cut off for too long."""
        if self._settings.arrival == "rename" or not file.is_regular:
            return file
        if self._settings.arrival == "done_file" and f"{file.name}{DONE_SUFFIX}" in names:
            return file
        stillness, age = self._unchanged.of(file)
        if self._settings.arrival == "stable" and stillness >= self._settings.stable_seconds:
            return file
        if age < self._settings.stalled_minutes * 60:
            return None
        return UnreadNote(file=file.name, code="file.stalled", reason="the partner has not finished writing it")

    def read(self, file: RemoteFile) -> bytes | UnreadNote | None:
        """A file's bytes; None while the partner still writes it or took it away; a note when it is refused."""
        if not file.is_regular:
            return UnreadNote(file=file.name, code="file.type", reason="it is not a regular file")
        if file.size > FILE_BYTES_MAX:
            reason = f"it has {file.size} bytes, {FILE_BYTES_MAX} are allowed"
            return UnreadNote(file=file.name, code="file.size", reason=reason)
        path = f"{self._prefix}{self._settings.inbox_folder}/{file.name}"
        try:
            content = self._sftp.read(path, FILE_BYTES_MAX)
        except (RetryableError, PermanentError):
            if self._sftp.size(path) == file.size:
                raise
            return None  # it grew or went away between listing and reading
        return content if len(content) == file.size == self._sftp.size(path) else None

    def put_receipt(self, name: str, content: bytes) -> None:
        """Write a receipt under a temporary name and rename it; a receipt of that name is replaced."""
        temporary, final = f"receipt/.{name}.part", f"receipt/{name}"
        self.upload_checked(temporary, content)
        if self.exists(final):
            self._sftp.remove(self._prefix + final)
        self._sftp.rename(self._prefix + temporary, self._prefix + final)

    def set_aside(self, name: str, content: bytes) -> None:
        """Move a file out of the inbox, if it still holds these bytes: newer ones must be read first."""
        inbox = self._settings.inbox_folder
        source = f"{inbox}/{name}"
        if self.presence(source, content) is not Presence.SAME:
            return
        for target in (f"{inbox}/done/{name}", f"{inbox}/done/{sha256_hex(content)[:16]}-{name}"):
            found = self.presence(target, content)
            if found is Presence.OTHER:
                continue
            if found is Presence.ABSENT:
                self._sftp.rename(self._prefix + source, self._prefix + target)
            else:
                self._sftp.remove(self._prefix + source)
            if self._settings.arrival == "done_file":
                self._sftp.remove(f"{self._prefix}{source}{DONE_SUFFIX}")
            return
        raise PermanentError(
            f"{name} cannot be set aside: {inbox}/done holds other files under its names",
            cure="Ask the partner to clear that folder.",
            reference=name,
        )


def _address(settings: SftpBatchSettings) -> SftpAddress:
    key, passphrase, password = (
        secret.get_secret_value() if secret is not None else None
        for secret in (settings.private_key, settings.key_passphrase, settings.password)
    )
    return SftpAddress(
        host=settings.host, port=settings.port, username=settings.username,
        host_key_fingerprints=settings.host_key_fingerprints, private_key_pem=key.encode() if key else None,
        key_passphrase=passphrase, password=password, uses_agent=settings.uses_agent,
    )


class Patience:
    """How long files of the inbox have not changed, and how long they have been there, in this process."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int, float, float]] = {}  # size, mtime, unchanged since, there since

    def of(self, file: RemoteFile) -> tuple[float, float]:
        """Seconds without a change, and seconds since it was first seen."""
        now = time.monotonic()
        size, mtime, since, first = self._seen.get(file.name, (file.size, file.mtime, now, now))
        if (size, mtime) != (file.size, file.mtime):
            since = now
        self._seen[file.name] = (file.size, file.mtime, since, first)
        return now - since, now - first

    def forget_all_but(self, names: set[str]) -> None:
        """Drop what is no longer there."""
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}
