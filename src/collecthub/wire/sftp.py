"""One SFTP connection to one partner, kept open, to a host whose key a person approved.

Nothing is renamed over an existing file, nothing uploaded is trusted before its size was looked up, and names
from a listing reach nobody before they were found harmless.
"""

from __future__ import annotations

import hashlib
import logging
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import paramiko

from collecthub.errors import (
    CollecthubError,
    ConfigurationError,
    InDoubtError,
    PermanentError,
    QuarantineError,
    RetryableError,
)
from collecthub.wire.names import name_problem
from collecthub.wire.sftp_login import (
    LOST,
    SftpAddress,
    fingerprint,
    handshake,
    log_in,
    open_session,
    refuse_stranger,
    seen_fingerprint,
)
from collecthub.wire.sftp_many import rename_unless_there, upload_checked, walk_all
from collecthub.wire.sftp_pipeline import PipelinedSftp
from collecthub.wire.target import networks

logging.getLogger("paramiko").setLevel(
    logging.CRITICAL
)  # it logs file names, and errors that are raised here

__all__ = ["Listing", "RefusedName", "RemoteFile", "SftpAddress", "SftpClient", "seen_fingerprint"]

_PREFETCH: Final = 64
_BLOCK: Final = 32_768
_REWRITTEN: Final = 524_288  # bytes written again behind a cut


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An entry with a harmless name. `size` in bytes; `mtime` in seconds since 1970, 0 when not told."""

    name: str
    size: int
    mtime: int
    is_regular: bool


@dataclass(frozen=True, slots=True)
class RefusedName:
    """An entry whose name is not used. `shown` is safe to print; `code` is `name.unsafe` or `name.encoding`."""

    shown: str
    code: str
    reason: str


class Listing(list[RemoteFile]):
    """The entries of a folder by name, and beside them those whose name was refused."""

    def __init__(self, files: list[RemoteFile], refused: list[RefusedName]) -> None:
        super().__init__(files)
        self.refused = refused


class SftpClient:
    """Connects at first use and again after a loss; calls from several threads wait for each other.

    Errors of every method: `RetryableError` when the connection fails or the server says no for an unnamed
    reason; `ConfigurationError` for a host key that was not approved, a refused login or a refused permission;
    `PermanentError` for a file that is not there.
    """

    def __init__(
        self,
        address: SftpAddress,
        *,
        connect_seconds: float = 10,
        operation_seconds: float = 60,
        allow_loopback: bool = False,
        allow_networks: tuple[str, ...] = (),
    ) -> None:
        self._address = address
        self._connect_seconds = connect_seconds
        self._operation_seconds = operation_seconds
        self._allow_loopback = allow_loopback
        self._allow_networks = networks(allow_networks)
        self._lock = threading.RLock()
        self._session: PipelinedSftp | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        with self._lock:
            session, self._session = self._session, None
            if session is not None:
                channel = session.get_channel()
                if channel is not None:
                    channel.get_transport().close()

    def list(self, folder: str, *, limit: int = 10_000) -> Listing:
        """At most `limit` entries of a folder. Names that are unsafe or not UTF-8 are in `.refused`."""
        with self._operation("list", folder) as session:
            entries = session.list_bytes(folder, limit)
        files: list[RemoteFile] = []
        refused: list[RefusedName] = []
        for raw, attributes in entries:
            if raw in {b".", b".."}:
                continue
            problem = _refused_name(raw)
            if problem:
                refused.append(problem)
            else:
                files.append(_remote_file(raw.decode(), attributes))
        return Listing(sorted(files, key=lambda file: file.name), refused)

    def read(self, path: str, max_bytes: int) -> bytes:
        """A whole file. Raises `QuarantineError`: `file.type` for a link, folder or pipe, `file.size` above the cap."""
        with self._operation("read", path) as session:
            size = _regular_size(session, path)
            if size > max_bytes:
                raise QuarantineError(
                    f"The file {path} has {size} bytes; at most {max_bytes} are accepted.",
                    code="file.size", reference=path,
                )  # fmt: skip
            content = b"".join(_blocks(session, path, size))
        if len(content) != size:
            raise RetryableError(f"The file {path} changed while it was read.", reference=path)
        return content

    def upload(self, path: str, content: bytes) -> None:
        """Write a file (use a temporary name), have it synced where the server can, and look its size up.

        A cut upload of a big file goes on half a megabyte before its end, where a server may have lost the last
        blocks; whoever calls compares the whole afterwards, because the first part may be somebody else's.
        Raises `RetryableError` when less arrived than was sent, for example because the disk there is full; what lies
        there then is taken away.
        """
        with self._operation("upload", path) as session:
            try:
                session.write_whole(path, content, _resume_at(_size_or_none(session, path), len(content)))
                arrived = session.stat(path).st_size
            except OSError as error:
                if error.errno is None and not isinstance(error, LOST):  # the server refused to go on; the line is well
                    _take_away(session, path)
                raise
            if arrived != len(content):
                _take_away(session, path)
        if arrived != len(content):
            raise RetryableError(
                f"Of {len(content)} bytes for {path} the server kept {arrived}.",
                cure="Ask the partner whether its disk is full.", reference=path,
            )  # fmt: skip

    def upload_many(self, files: Sequence[tuple[str, bytes]]) -> Sequence[RetryableError | None]:
        """Write small files under temporary names, many in flight, and read each back; an error in its place.

        Raises `RetryableError` when the connection is lost: then nothing is known of any of them, and nothing has left.
        """
        if not files:
            return []
        with self._operation("upload", f"{len(files)} files from {files[0][0]} on") as session:
            found = walk_all(session, ((len(content), upload_checked(path, content)) for path, content in files))
        return [
            None if error is None else RetryableError(
                f"{path} did not arrive whole at the partner: {error}.",
                cure="Ask the partner whether its disk is full.", reference=path,
            )
            for (path, _), error in zip(files, found, strict=True)
        ]  # fmt: skip

    def rename_many(self, names: Sequence[tuple[str, str]]) -> Sequence[CollecthubError | None]:
        """Give many files their final names, never over an existing one; an error in its place.

        Raises `InDoubtError` when the connection is lost: some of them may have their names.
        """
        if not names:
            return []
        what = f"{len(names)} files from {names[0][0]} on"
        with self._operation("rename", what, is_doubtful=True) as session:
            found = walk_all(session, ((0, rename_unless_there(old, new)) for old, new in names))
        return [
            None if error is None else _rename_refusal(old, new, error)
            for (old, new), error in zip(names, found, strict=True)
        ]

    def size(self, path: str) -> int | None:
        """The size of a file in bytes, or None when there is none. A link is not followed."""
        with self._operation("look up", path) as session:
            return _size_or_none(session, path)

    def sha256(self, path: str) -> str:
        """Read a file back and return its SHA-256 in hex; memory stays flat."""
        digest = hashlib.sha256()
        with self._operation("read back", path) as session:
            size = _regular_size(session, path)
            for block in _blocks(session, path, size):
                digest.update(block)
        return digest.hexdigest()

    def rename(self, old: str, new: str) -> None:
        """Give a file its final name, never over an existing one.

        Raises `PermanentError` when `new` exists or `old` does not, `InDoubtError` when the answer got lost.
        """
        with self._operation("look up", new) as session:
            if _size_or_none(session, new) is not None:
                raise _exists(new)
        with self._operation("rename", old, is_doubtful=True) as session:
            try:
                session.rename(old, new)
            except OSError as error:
                if error.errno is None and not isinstance(error, LOST) and _is_open(session):
                    raise _not_renamed(session, old, new) from error
                raise

    def remove(self, path: str) -> None:
        """Delete a file; one that is already gone is fine."""
        with self._operation("remove", path) as session:
            try:
                session.remove(path)
            except FileNotFoundError:
                return

    def mkdir(self, path: str) -> None:
        """Create a folder unless it is there."""
        with self._operation("create folder", path) as session:
            if _size_or_none(session, path) is None:
                session.mkdir(path)

    @contextmanager
    def _operation(self, what: str, path: str, *, is_doubtful: bool = False) -> Iterator[PipelinedSftp]:
        with self._lock:
            session = self._connected()
            try:
                yield session
            except FileNotFoundError as error:
                raise PermanentError(f"Cannot {what} {path}: it does not exist.", reference=path) from error
            except PermissionError as error:
                raise ConfigurationError(
                    f"The SFTP server does not let {self._address.username} {what} {path}.",
                    cure="Ask the partner for the permission, or correct the folder.", reference=path,
                ) from error  # fmt: skip
            except (*LOST, OSError) as error:
                if not isinstance(error, LOST) and _is_open(session):
                    raise RetryableError(
                        f"Cannot {what} {path}: the server says {error}.", reference=path
                    ) from error
                self.close()
                kind = InDoubtError if is_doubtful else RetryableError
                raise kind(f"The SFTP connection broke during {what} {path}.", reference=path) from error

    def _connected(self) -> PipelinedSftp:
        session = self._session
        if session is not None and _is_open(session):
            return session
        self.close()
        self._session = self._open()
        return self._session

    def _open(self) -> PipelinedSftp:
        address = self._address
        transport = handshake(
            address.host,
            address.port,
            seconds=self._connect_seconds,
            allow_loopback=self._allow_loopback,
            allow_networks=self._allow_networks,
        )
        try:
            refuse_stranger(address, fingerprint(transport))
            log_in(transport, address)
            transport.set_keepalive(30)
            return open_session(transport, self._operation_seconds)
        except (*LOST, OSError) as error:
            transport.close()
            raise RetryableError(
                f"The SFTP server {address.host} broke off: {error or type(error).__name__}.",
                reference=address.host,
            ) from error
        except CollecthubError:
            transport.close()
            raise


def _regular_size(session: PipelinedSftp, path: str) -> int:
    attributes = session.lstat(path)
    if attributes.st_mode is not None and not stat.S_ISREG(attributes.st_mode):
        raise QuarantineError(f"{path} is not a regular file.", code="file.type", reference=path)
    return attributes.st_size or 0


def _blocks(session: PipelinedSftp, path: str, size: int) -> Iterator[bytes]:
    """The content in blocks, asked for ahead; one block more than `size` when the file has grown since."""
    with session.open(path, "rb") as file:
        file.prefetch(size, _PREFETCH)
        seen = 0
        while seen <= size and (block := file.read(_BLOCK)):
            seen += len(block)
            yield block


def _size_or_none(session: PipelinedSftp, path: str) -> int | None:
    try:
        return session.lstat(path).st_size or 0
    except FileNotFoundError:
        return None


def _take_away(session: PipelinedSftp, path: str) -> None:
    """Remove the rest of a failed upload, as far as the server lets us."""
    with suppress(OSError):
        session.remove(path)


def _resume_at(there: int | None, wanted: int) -> int:
    """Where to go on with a file of which `there` bytes lie at the partner; 0 to begin anew.

    >>> _resume_at(None, 9_000_000), _resume_at(5_000_000, 9_000_000), _resume_at(9_000_001, 9_000_000)
    (0, 4475712, 0)
    """
    return max(0, there - _REWRITTEN) if there is not None and there < wanted else 0


def _is_open(session: PipelinedSftp) -> bool:
    channel = session.get_channel()
    return channel is not None and not channel.closed and channel.get_transport().is_active()


def _not_renamed(session: PipelinedSftp, old: str, new: str) -> PermanentError | RetryableError:
    """The server answered no to a rename, so it did not happen; tell why."""
    if _size_or_none(session, new) is not None:
        return _exists(new)
    return RetryableError(f"The server refused to rename {old} to {new}.", reference=new)


def _exists(path: str) -> PermanentError:
    return PermanentError(
        f"{path} already exists at the partner and is not overwritten.",
        cure="Compare the two files; if they are the same, the sending is done.", reference=path,
    )  # fmt: skip


def _rename_refusal(old: str, new: str, error: Exception) -> CollecthubError:
    if isinstance(error, FileExistsError):
        return _exists(new)
    if isinstance(error, FileNotFoundError):
        return PermanentError(f"Cannot rename {old}: it does not exist.", reference=old)
    return RetryableError(f"The server refused to rename {old} to {new}: {error}.", reference=new)


def _refused_name(raw: bytes) -> RefusedName | None:
    shown = raw[:300].decode("utf-8", "backslashreplace").encode("unicode_escape").decode("ascii")
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        return RefusedName(shown, "name.encoding", "is not UTF-8")
    problem = name_problem(name)
    return RefusedName(shown, "name.unsafe", problem) if problem else None


def _remote_file(name: str, attributes: paramiko.SFTPAttributes) -> RemoteFile:
    mode = attributes.st_mode
    return RemoteFile(
        name=name,
        size=attributes.st_size or 0,
        mtime=attributes.st_mtime or 0,
        is_regular=mode is None or stat.S_ISREG(mode),
    )
