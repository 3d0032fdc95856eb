"""What paramiko's SFTP client lacks: names as bytes, pipelined writes whose errors are seen, and fsync.

Its own listing raises on the first name that is not UTF-8, and its own pipelining never reads the answers, so a
full disk at the partner looks like success. This uses the request layer below, which has no public name; the
tests against real servers cover it.
"""

from __future__ import annotations

from typing import Any, Final

import paramiko
from paramiko import sftp as protocol
from paramiko.sftp_attr import SFTPAttributes

_CHUNK: Final = 32_768  # what every server accepts in one request
_IN_FLIGHT: Final = 64
_WRITE_NEW: Final = protocol.SFTP_FLAG_WRITE | protocol.SFTP_FLAG_CREATE | protocol.SFTP_FLAG_TRUNC
_WRITE_ON: Final = protocol.SFTP_FLAG_WRITE
_ENTRY_BYTES_MIN: Final = 12


class _Answers:
    """Collects the answers to requests under way, in whatever order they come."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._awaited = 0
        self._failure: Exception | None = None

    def request(self, kind: int, *arguments: Any) -> None:
        self._client._async_request(self, kind, *arguments)
        self._awaited += 1
        self.settle(_IN_FLIGHT)

    def settle(self, most: int = 0) -> None:
        """Read answers until at most this many are awaited; raise the first refusal."""
        while self._awaited > most:
            self._client._read_response()
        if self._failure:
            raise self._failure

    def _async_response(self, kind: int, message: Any, number: int) -> None:
        self._awaited -= 1
        try:
            self._client._convert_status(message)
        except (OSError, EOFError) as error:
            self._failure = self._failure or error


class PipelinedSftp(paramiko.SFTPClient):
    """An SFTP session on an open channel."""

    def list_bytes(self, folder: str, limit: int) -> list[tuple[bytes, SFTPAttributes]]:
        """At most `limit` entries of a folder, names as the server sent them."""
        client: Any = self
        handle = client._request(protocol.CMD_OPENDIR, folder.encode())[1].get_binary()
        found: list[tuple[bytes, SFTPAttributes]] = []
        try:
            while len(found) < limit:
                message = client._request(protocol.CMD_READDIR, handle)[1]
                announced = message.get_int()
                for _ in range(min(announced, len(message.asbytes()) // _ENTRY_BYTES_MIN)):
                    name = message.get_string()
                    message.get_string()  # the line as `ls -l` shows it
                    found.append((name, SFTPAttributes._from_msg(message)))  # type: ignore[attr-defined]
        except EOFError:  # the server's way to say that it was the last entry
            pass
        client._request(protocol.CMD_CLOSE, handle)
        return found[:limit]

    def write_whole(self, path: str, content: bytes, start_at: int = 0) -> None:
        """Create or overwrite a file and have it synced to disk where the server offers that.

        With `start_at` the bytes before it are left as they lie there: the rest of a cut upload.
        """
        client: Any = self
        flags = _WRITE_ON if start_at else _WRITE_NEW
        kind, message = client._request(protocol.CMD_OPEN, path.encode(), flags, SFTPAttributes())
        if kind != protocol.CMD_HANDLE:
            raise paramiko.SFTPError("the server did not open the file")
        handle = message.get_binary()
        answers = _Answers(self)
        try:
            for start in range(start_at, len(content), _CHUNK):
                chunk = content[start : start + _CHUNK]
                answers.request(protocol.CMD_WRITE, handle, protocol.int64(start), chunk)
            answers.settle()
            self._sync(handle)
        finally:
            client._request(protocol.CMD_CLOSE, handle)

    def _sync(self, handle: bytes) -> None:
        client: Any = self
        try:
            client._request(protocol.CMD_EXTENDED, b"fsync@openssh.com", handle)
        except OSError as error:
            if error.errno is not None or "nsupported" not in str(error):
                raise
