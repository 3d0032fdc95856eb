"""SFTP servers of other makers: asyncssh in a thread, made hostile where a test says so, and OpenSSH's own."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from collecthub.wire.crypto import generate_login_key, login_public_key
from collecthub.wire.sftp import SftpAddress, SftpClient


@dataclass
class SftpPeer:
    """A running server: its port, host key fingerprint and files; `logins` are the names that tried to log in."""

    port: int
    fingerprint: str
    folder: Path
    login_key: bytes
    username: str = "hub"
    pid: int = 0  # of a server that is a process of its own
    logins: list[str] = field(default_factory=list)
    connections: list[Any] = field(default_factory=list)

    def address(self, **changes: Any) -> SftpAddress:
        given = {
            "host": "127.0.0.1", "port": self.port, "username": self.username,
            "host_key_fingerprints": (self.fingerprint,), "private_key_pem": self.login_key,
        }  # fmt: skip
        return SftpAddress(**{**given, **changes})

    def client(self, **options: Any) -> SftpClient:
        return SftpClient(self.address(), allow_loopback=True, **options)


@dataclass
class Mischief:
    """What a hostile server does."""

    names: tuple[bytes, ...] = ()
    truncate_after: int | None = None
    fail_write_after: int | None = None
    die_at: str = ""  # where a session is cut once: `lookup`, `rename` (before it happens) or `renamed` (before its answer)
    freeze: bool = False
    frozen: int = 0  # how many questions wait for an answer that does not come
    password: str | None = None
    offsets: list[int] = field(default_factory=list)  # where writes began, as they came


class _Logins(asyncssh.SSHServer):
    def __init__(self, peer: SftpPeer, mischief: Mischief) -> None:
        self._peer, self._mischief = peer, mischief

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._peer.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        self._peer.logins.append(username)
        return True

    def password_auth_supported(self) -> bool:
        return self._mischief.password is not None

    def validate_password(self, username: str, password: str) -> bool:
        return password == self._mischief.password


class _Hostile(asyncssh.SFTPServer):
    def __init__(self, channel: Any, folder: Path, mischief: Mischief) -> None:
        super().__init__(channel, chroot=str(folder))
        self._channel, self._mischief = channel, mischief
        self._written = 0

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        async for entry in super().scandir(path):
            yield entry
        for name in self._mischief.names:
            yield asyncssh.SFTPName(name, b"", asyncssh.SFTPAttrs(size=1, permissions=0o100644))

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        self._mischief.offsets.append(offset)
        limit = self._mischief.fail_write_after
        if limit is not None and offset >= limit:
            raise asyncssh.SFTPFailure("No space left on device")
        kept = data
        if self._mischief.truncate_after is not None:
            kept = data[: max(0, self._mischief.truncate_after - offset)]
        super().write(file_obj, offset, kept)
        return len(data)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        if not await self._dies("rename"):
            super().rename(oldpath, newpath)
            await self._dies("renamed")

    async def _dies(self, moment: str) -> bool:
        if self._mischief.die_at != moment:
            return False
        self._mischief.die_at = ""
        self._channel.get_extra_info("connection").abort()
        await asyncio.sleep(0)
        return True

    async def lstat(self, path: bytes) -> Any:
        await self._dies("lookup")
        if self._mischief.freeze:
            self._mischief.frozen += 1
            await asyncio.sleep(3600)
        return super().lstat(path)


@contextlib.contextmanager
def asyncssh_peer(folder: Path, mischief: Mischief | None = None, **options: Any) -> Iterator[SftpPeer]:
    """An asyncssh server over `folder`; `options` go to `asyncssh.listen`."""
    mischief = mischief or Mischief()
    login_key, host_key = generate_login_key(), asyncssh.generate_private_key("ssh-ed25519")
    peer = SftpPeer(0, host_key.get_fingerprint(), folder, login_key)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            options.pop("port", 0),
            **{
                "server_host_keys": [host_key],
                "authorized_client_keys": asyncssh.import_authorized_keys(login_public_key(login_key)),
                "server_factory": lambda: _Logins(peer, mischief),
                "sftp_factory": lambda channel: _Hostile(channel, folder, mischief),
                **options,
            },
        )

    async def settle(acceptor: asyncssh.SSHAcceptor) -> None:
        acceptor.close()
        for connection in peer.connections:
            connection.abort()
        for connection in peer.connections:
            await connection.wait_closed()
        await acceptor.wait_closed()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    acceptor = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    peer.port = acceptor.get_port()
    try:
        yield peer
    finally:
        asyncio.run_coroutine_threadsafe(settle(acceptor), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.contextmanager
def openssh_peer(folder: Path) -> Iterator[SftpPeer]:
    """OpenSSH's server as the user who runs the tests; skips where it is not installed."""
    sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    keygen = shutil.which("ssh-keygen")
    if not sshd or not keygen:
        pytest.skip("openssh-server is not installed")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it separates privileges; made at boot elsewhere
    home = folder.parent / "sshd"
    home.mkdir()
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", home / "host"], check=True)
    login_key = generate_login_key()
    (home / "authorized").write_text(login_public_key(login_key))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (home / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host\nPidFile none\n"
        f"AuthorizedKeysFile {home}/authorized\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
        f"PasswordAuthentication no\nSubsystem sftp internal-sftp -d {folder}\n"
    )
    server = subprocess.Popen([sshd, "-D", "-e", "-f", home / "config"], stderr=subprocess.PIPE)
    assert server.stderr is not None
    try:
        for line in server.stderr:
            if b"listening on" in line:
                break
        shown = subprocess.run(
            [keygen, "-l", "-f", home / "host.pub"], check=True, capture_output=True
        ).stdout
        yield SftpPeer(port, shown.split()[1].decode(), folder, login_key, username=getpass.getuser(), pid=server.pid)
    finally:
        server.terminate()
        server.stderr.close()
        server.wait()
