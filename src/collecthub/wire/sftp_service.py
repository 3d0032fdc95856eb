"""An SFTP server for accounts that see a tree of their own making: no shell, no tunnel, no password, no disk behind it.

Whoever opens the service says who may come in and what he sees (`Tree`). Every request of the protocol is answered here
or refused here: nothing reaches a file system, whatever path a client sends. It runs in a thread with a loop of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
import stat
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Protocol, Self, TypeVar

import asyncssh

from collecthub.errors import CollecthubError, ConfigurationError, RetryableError

R = TypeVar("R")

_START_SECONDS: Final = 15.0
_LOGIN_SECONDS: Final = 20
_IDLE_SECONDS: Final = 30
_CLOSE_SECONDS: Final = 5
CONNECTIONS_MOST: Final = 200  # of all accounts and strangers together
HANDLES_MOST: Final = 64  # files that an account has open, over all its connections
OPEN_BYTES_MOST: Final = 250_000_000  # of files that an account reads: they lie in memory
READ_BYTES_MOST: Final = 262_144  # one answer; whoever asks for more gets this much, as the protocol allows
UNREAD_BYTES_MOST: Final = 4_000_000  # answers that a client did not take yet; it gets no further ones meanwhile
_LOOK_AGAIN_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder. `size` in bytes; `mtime` in seconds since 1970."""

    name: str
    is_folder: bool = False
    size: int = 0
    mtime: int = 0


class Tree(Protocol):
    """What one account sees; paths begin with `/` and have no `..`. Methods may block, and raise `OSError` as `os` does."""

    def entries(self, folder: str) -> Sequence[Entry]:
        """The names in a folder. Raises `FileNotFoundError`."""
        ...

    def read(self, path: str) -> bytes:
        """A whole file. Raises `FileNotFoundError`."""
        ...

    def staged(self, path: str) -> Path:
        """Where a file that the account writes lies until it is renamed. Raises `PermissionError`."""
        ...

    def limit(self, path: str) -> int:
        """How many bytes such a file may have."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Raises `FileNotFoundError`, `FileExistsError`, `PermissionError`."""
        ...

    def remove(self, path: str) -> None:
        """Raises `FileNotFoundError`, `PermissionError`."""
        ...


Admit = Callable[[str, str], Tree | None]  # user name and public key line to what he sees; None for a stranger


class SftpService:
    """The server, for the length of a block. `port` 0 takes a free one."""

    def __init__(self, host: str, port: int, host_key_pem: bytes, admit: Admit) -> None:
        self._host = host
        self.port = port
        self._key = asyncssh.import_private_key(host_key_pem)
        self._admit = admit
        self._doors: set[_Door] = set()
        self._shares: dict[str, _Share] = {}
        self._acceptor: asyncssh.SSHAcceptor | None = None

    @property
    def fingerprint(self) -> str:
        """The host key as `ssh-keygen -l` shows it: what partners pin."""
        return self._key.get_fingerprint()

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
        self._thread.start()
        try:
            self._acceptor = self._in_loop(self._listen())
        except OSError as error:
            self._stop()
            raise ConfigurationError(
                f"nobody can listen on {self._host} port {self.port} ({error.strerror})",
                cure="Choose another port for SFTP.",
            ) from error
        self.port = self._acceptor.get_port()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._acceptor is not None:
            self._in_loop(self._close(self._acceptor))
        self._stop()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            self._host, self.port, server_host_keys=[self._key], server_factory=lambda: _Door(self._admit, self._doors, self._shares),
            sftp_factory=_Files, sftp_version=3, allow_pty=False, agent_forwarding=False, reuse_address=True,
            login_timeout=_LOGIN_SECONDS, keepalive_interval=_IDLE_SECONDS, password_auth=False, kbdint_auth=False,
        )

    async def _close(self, acceptor: asyncssh.SSHAcceptor) -> None:
        """Hang up on everybody, and let what they were at come to its end."""
        acceptor.close()
        for door in tuple(self._doors):
            if door.connection is not None:
                door.connection.abort()
        await acceptor.wait_closed()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if rest:
            await asyncio.wait(rest, timeout=_CLOSE_SECONDS)

    def _in_loop(self, work: Coroutine[Any, Any, R]) -> R:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_SECONDS)
        except TimeoutError as error:
            raise RetryableError("the SFTP service did not answer in time", cure="Start it again.") from error

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@dataclass(slots=True)
class _Share:
    """What an account has open now, over all its connections."""

    handles: int = 0
    bytes: int = 0

    def take(self, size: int) -> None:
        """Raises `SFTPFailure` when the account has too much open."""
        if self.handles >= HANDLES_MOST or self.bytes + size > OPEN_BYTES_MOST:
            raise asyncssh.SFTPFailure("too many files are open: close some first")
        self.handles += 1
        self.bytes += size

    def give_back(self, size: int) -> None:
        """A file was closed."""
        self.handles -= 1
        self.bytes -= size


class _Door(asyncssh.SSHServer):
    """Lets accounts in by their key; everything else that SSH offers stays refused, as it is by default."""

    def __init__(self, admit: Admit, doors: set[_Door], shares: dict[str, _Share]) -> None:
        self._admit = admit
        self._doors = doors
        self._shares = shares
        self.share = _Share()
        self.connection: asyncssh.SSHServerConnection | None = None
        self.tree: Tree | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.connection = conn
        if len(self._doors) >= CONNECTIONS_MOST:
            conn.abort()
        else:
            self._doors.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._doors.discard(self)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        line = key.export_public_key("openssh").decode().strip()
        try:
            self.tree = await asyncio.to_thread(self._admit, username, line)
        except CollecthubError:
            self.tree = None
        if self.tree is None:
            return False
        self.share = self._shares.setdefault(username, _Share())
        return True


class _Reading:
    """A file that is read: whole in memory from its opening on."""

    def __init__(self, content: bytes, size: int) -> None:
        self.content = content
        self.size = size


class _Writing:
    """A file that is written, on disk."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self.file = file
        self.most = most


def _refuse(*_: object) -> None:
    raise asyncssh.SFTPOpUnsupported("this is a mailbox: files are put in, taken out and renamed, nothing else")


_REFUSED: Any = _refuse


class _Files(asyncssh.SFTPServer):
    """Answers requests from the account's tree. What is not answered is refused: no base method touches the disk."""

    def __init__(self, chan: asyncssh.SSHServerChannel[Any]) -> None:
        super().__init__(chan)
        owner = chan.get_connection().get_owner()
        assert isinstance(owner, _Door) and owner.tree is not None, "nobody comes this far without an account"
        self._tree = owner.tree
        self._share = owner.share
        self._channel = chan

    async def _taken(self) -> None:
        """Return when the client has taken enough of its answers: one who only asks must not fill the memory."""
        while self._channel.get_write_buffer_size() > UNREAD_BYTES_MOST and not self._channel.is_closing():
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    # --- looking ----------------------------------------------------------------------------------

    def realpath(self, path: bytes) -> bytes:
        return _clean(path).encode()

    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return _attributes(await self._found(_clean(path)))

    async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return await self.stat(path)

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        if isinstance(file_obj, _Writing):
            file_obj.file.flush()
            return _attributes(Entry("", size=Path(file_obj.file.name).stat().st_size))
        assert isinstance(file_obj, _Reading)
        return _attributes(Entry("", size=len(file_obj.content)))

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        await self._taken()
        here = [Entry(".", is_folder=True), Entry("..", is_folder=True)]
        for entry in [*here, *await _asked(self._tree.entries, _clean(path))]:
            yield asyncssh.SFTPName(entry.name.encode(), attrs=_attributes(entry))

    async def _found(self, path: str) -> Entry:
        if path == "/":
            return Entry("/", is_folder=True)
        folder, name = posixpath.split(path)
        found = next((entry for entry in await _asked(self._tree.entries, folder) if entry.name == name), None)
        if found is None:
            raise asyncssh.SFTPNoSuchFile(f"there is no {path}")
        return found

    # --- files ------------------------------------------------------------------------------------

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        name = _clean(path)
        if pflags & (asyncssh.FXF_WRITE | asyncssh.FXF_APPEND):
            return await self._begun(name, pflags)
        size = (await self._found(name)).size
        self._share.take(size)  # before the content is in memory
        try:
            return _Reading(await _asked(self._tree.read, name), size)
        except BaseException:
            self._share.give_back(size)
            raise

    async def _begun(self, name: str, pflags: int) -> _Writing:
        place = await _asked(self._tree.staged, name)
        if pflags & asyncssh.FXF_EXCL and place.exists():
            raise asyncssh.SFTPFailure(f"{name} is there already")
        if not pflags & asyncssh.FXF_CREAT and not place.exists():
            raise asyncssh.SFTPNoSuchFile(f"there is no {name}")
        if pflags & asyncssh.FXF_TRUNC or not place.exists():
            place.write_bytes(b"")
        self._share.take(0)
        return _Writing(place.open("r+b"), self._tree.limit(name))

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        if not isinstance(file_obj, _Reading):
            raise asyncssh.SFTPFailure("the file was opened to be written")
        await self._taken()
        return file_obj.content[offset : offset + min(size, READ_BYTES_MOST)]

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        if not isinstance(file_obj, _Writing):
            raise asyncssh.SFTPFailure("the file was opened to be read")
        if offset + len(data) > file_obj.most:
            raise asyncssh.SFTPFailure(f"a file may have {file_obj.most} bytes")
        file_obj.file.seek(offset)
        return file_obj.file.write(data)

    def close(self, file_obj: object) -> None:
        self._share.give_back(file_obj.size if isinstance(file_obj, _Reading) else 0)
        if isinstance(file_obj, _Writing):
            file_obj.file.close()

    def fsync(self, file_obj: object) -> None:
        if isinstance(file_obj, _Writing):
            file_obj.file.flush()

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        await _asked(self._tree.rename, _clean(oldpath), _clean(newpath))

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        await self.rename(oldpath, newpath)

    async def remove(self, path: bytes) -> None:
        await _asked(self._tree.remove, _clean(path))

    # --- what clients send along, and may: times and modes mean nothing here -------------------------

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        return None

    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        return None

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        if attrs.size is not None and isinstance(file_obj, _Writing):
            file_obj.file.truncate(min(attrs.size, file_obj.most))

    # --- refused --------------------------------------------------------------------------------------

    open56 = mkdir = rmdir = readlink = symlink = link = lock = unlock = statvfs = fstatvfs = _REFUSED
    map_path = reverse_map_path = _REFUSED


def _clean(path: bytes) -> str:
    """The path from the account's root, without `.` and `..`: nobody climbs above his own tree."""
    try:
        return "/" + posixpath.normpath("/" + path.decode()).lstrip("/")
    except UnicodeDecodeError:
        raise asyncssh.SFTPNoSuchFile("names are written in UTF-8") from None


def _attributes(entry: Entry) -> asyncssh.SFTPAttrs:
    mode = stat.S_IFDIR | 0o700 if entry.is_folder else stat.S_IFREG | 0o600
    return asyncssh.SFTPAttrs(
        permissions=mode, size=entry.size, uid=0, gid=0, mtime=entry.mtime, atime=entry.mtime, nlink=1
    )


async def _asked(act: Callable[..., R], *arguments: str) -> R:
    """Ask the tree beside the loop; what it objects goes to the client as a status of the protocol, with its words."""
    try:
        return await asyncio.to_thread(act, *arguments)
    except FileNotFoundError as error:
        raise asyncssh.SFTPNoSuchFile(_words(error)) from error
    except PermissionError as error:
        raise asyncssh.SFTPPermissionDenied(_words(error)) from error
    except OSError as error:
        raise asyncssh.SFTPFailure(_words(error)) from error
    except CollecthubError as error:
        raise asyncssh.SFTPFailure(f"{error.message}. {error.cure}") from error


def _words(error: OSError) -> str:
    with contextlib.suppress(IndexError):
        return str(error.args[-1])
    return "refused"
