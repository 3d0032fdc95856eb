"""Run the web application beside other work, or as the main work of a process."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import uvicorn
from fastapi import FastAPI

from collecthub.errors import RetryableError

if TYPE_CHECKING:
    from collecthub.engine.context import Hub
    from collecthub.wire.sftp_service import SftpService

_START_SECONDS = 15.0


def mailbox_service(hub: Hub, host: str) -> SftpService:
    """The SFTP side of the hub, not yet listening. Its host key is made once and lies in the home, for nobody else to read."""
    from collecthub.engine.mailbox_files import admit
    from collecthub.wire.sftp_service import SftpService

    key = _host_key(hub.settings.home / "keys" / "sftp_host_key")
    return SftpService(host, hub.settings.sftp_port, key, lambda username, line: admit(hub, username, line))


def _host_key(path: Path) -> bytes:
    from collecthub.wire.crypto import generate_login_key

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(generate_login_key())
    return path.read_bytes()


class BackgroundServer:
    """A web server in a thread of this process, on 127.0.0.1, for the length of a block."""

    def __init__(self, app: FastAPI, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, server_header=False)
        )
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RetryableError("the web server did not start", cure="Look whether its port is taken.")
            time.sleep(0.02)
        host, port = self._server.servers[0].sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(10)
