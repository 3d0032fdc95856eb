"""The partner's folders: put a file in so that it is whole or absent, and take files out."""

from __future__ import annotations

import enum
from collections.abc import Iterator

import msgspec

from collecthub.sdk import InDoubtError, PermanentError, RawMessage, RetryableError
from collecthub.wire.crypto import sha256_hex
from collecthub.wire.sftp import RemoteFile, SftpAddress, SftpClient
from collecthub_sftp_batch.settings import SftpBatchSettings

FILE_BYTES_MAX = 100_000_000
CONTAINER = "application/pkcs7-mime"
NOTE = "application/vnd.collecthub.unread+json"


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
    """`in`, `out`, `out/done` and `receipt` at one partner; paths are relative to the folder in the settings."""

    def __init__(self, settings: SftpBatchSettings, *, allow_loopback: bool) -> None:
        self._prefix = f"{settings.folder}/" if settings.folder else ""
        self._account = f"{settings.username} at {settings.host} port {settings.port}"
        address = SftpAddress(
            host=settings.host,
            port=settings.port,
            username=settings.username,
            host_key_fingerprints=settings.host_key_fingerprints,
            private_key_pem=settings.private_key.get_secret_value().encode(),
        )
        self._sftp = SftpClient(address, allow_loopback=allow_loopback)

    def close(self) -> None:
        """Give the connection back."""
        self._sftp.close()

    def log_in(self) -> str:
        """Open the connection and look around; returns who was let in where."""
        self._sftp.list(".", limit=1)
        return self._account

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

        Servers were seen to cut a file on a full disk without an error, hence the look back.
        """
        if self.presence(path, content) is Presence.SAME:
            return
        self._sftp.upload(self._prefix + path, content)
        if self.presence(path, content) is not Presence.SAME:
            raise RetryableError(
                f"{path} did not arrive whole at the partner",
                cure="Ask the partner whether its disk is full; the upload is tried again by itself.",
                reference=path,
            )

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

    # --- partner to hub ---------------------------------------------------------------------------

    def waiting(self) -> Iterator[RemoteFile | UnreadNote]:
        """What lies in `out`, by name: files, and notes for names that cannot be touched safely."""
        listing = self._sftp.list(f"{self._prefix}out")
        for name in listing.refused:
            yield UnreadNote(file=name.shown, code=name.code, reason=f"its name {name.reason}")
        for file in listing:
            if not file.name.startswith(".") and file.name != "done":
                yield file

    def read(self, file: RemoteFile) -> bytes | UnreadNote | None:
        """A file's bytes; None while the partner still writes it or took it away; a note when it is refused."""
        if not file.is_regular:
            return UnreadNote(file=file.name, code="file.type", reason="it is not a regular file")
        if file.size > FILE_BYTES_MAX:
            reason = f"it has {file.size} bytes, {FILE_BYTES_MAX} are allowed"
            return UnreadNote(file=file.name, code="file.size", reason=reason)
        path = f"{self._prefix}out/{file.name}"
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
        """Move a file from `out` to `out/done`, if it still holds these bytes: newer ones must be read first."""
        source = f"out/{name}"
        if self.presence(source, content) is not Presence.SAME:
            return None
        for target in (f"out/done/{name}", f"out/done/{sha256_hex(content)[:16]}-{name}"):
            found = self.presence(target, content)
            if found is Presence.ABSENT:
                return self._sftp.rename(self._prefix + source, self._prefix + target)
            if found is Presence.SAME:
                return self._sftp.remove(self._prefix + source)
        raise PermanentError(
            f"{name} cannot be set aside: out/done holds other files under its names",
            cure="Ask the partner to clear its out/done folder.",
            reference=name,
        )
