"""The sockets below `wire.http`: opened to checked addresses, and bound by one deadline per call."""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from collecthub.errors import ConfigurationError, RetryableError
from collecthub.wire.target import Network, connect


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one client allows: seconds to connect, between two reads and for a whole call; reachable addresses."""

    connect_seconds: float
    read_seconds: float
    total_seconds: float
    allow_loopback: bool
    allow_networks: Sequence[Network]


class Clock:
    """The deadline of the call that a connection serves now."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.restart()

    def restart(self) -> None:
        """A new call begins."""
        self._ends = time.monotonic() + self._limits.total_seconds

    def seconds(self, wanted: float) -> float:
        """At most `wanted` seconds, and not more than the call has left; raises TimeoutError when it has none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"the call took longer than {self._limits.total_seconds:g} seconds")
        return min(wanted, left)

    def read_seconds(self) -> float:
        """How long the next read may wait."""
        return self.seconds(self._limits.read_seconds)

    def write_seconds(self) -> float:
        """How long the next write may wait: as long as the call, for a large body on a slow line."""
        return self.seconds(self._limits.total_seconds)


logging.getLogger("urllib3").setLevel(logging.ERROR)  # below that it writes URLs and headers into the log

if TYPE_CHECKING:
    from socket import socket as _Socket

    from urllib3.connection import HTTPConnection as _Connection
else:
    _Socket = _Connection = object  # mixins: what they extend follows in the class that is made of them


class _Clocked(_Socket):
    """Every read and write obeys the call's clock, once there is one (not during the TLS handshake)."""

    clock: Clock | None = None

    def recv_into(self, *arguments: Any) -> int:
        if self.clock:
            self.settimeout(self.clock.read_seconds())
        return super().recv_into(*arguments)

    def send(self, *arguments: Any) -> int:
        if self.clock:
            self.settimeout(self.clock.write_seconds())
        return super().send(*arguments)

    def sendall(self, *arguments: Any) -> None:
        if self.clock:
            self.settimeout(self.clock.write_seconds())
        super().sendall(*arguments)


class _ClockedSocket(_Clocked, socket.socket):
    pass


class _ClockedTlsSocket(_Clocked, ssl.SSLSocket):
    pass


class _LastLine:
    """Stands before a response's file while its headers are read and remembers the last line."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.line = b""

    def readline(self, limit: int = -1) -> bytes:
        self.line = self._file.readline(limit)
        return self.line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _WholeHeaders(http.client.HTTPResponse):
    """Refuses an answer that breaks off within its headers; the standard library takes it for an empty one."""

    def begin(self) -> None:
        plain: Any = self.fp
        watched: Any = _LastLine(plain)
        self.fp = watched
        super().begin()
        if self.fp is watched:
            self.fp = plain
        if watched.line not in {b"\r\n", b"\n"}:
            raise http.client.RemoteDisconnected("the connection ended within the headers")


class _Checked(_Connection):
    """A connection that opens only to checked addresses; a failure here proves that nothing was sent."""

    response_class = _WholeHeaders

    def __init__(self, *arguments: Any, limits: Limits, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limits = limits
        self._clock = Clock(limits)

    def _new_conn(self) -> socket.socket:
        return connect(
            self._dns_host,
            self.port,
            seconds=self._limits.connect_seconds,
            allow_loopback=self._limits.allow_loopback,
            allow_networks=self._limits.allow_networks,
            socket_type=_ClockedSocket,
        )

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, HTTPError) as error:
            raise _not_connected(self.host, error) from error
        self._clock.restart()
        if isinstance(self.sock, _Clocked):
            self.sock.clock = self._clock

    def request(self, *arguments: Any, **options: Any) -> None:
        self._clock.restart()
        super().request(*arguments, **options)


class _HttpConnection(_Checked, HTTPConnection):
    pass


class _HttpsConnection(_Checked, HTTPSConnection):
    pass


def _not_connected(host: str, error: Exception) -> ConfigurationError | RetryableError:
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ConfigurationError(
            f"The certificate of {host} is not trusted: {cause.verify_message}.",
            cure="Ask the other side which authority signed it and set the path of that CA bundle.",
            reference=host,
        )
    return RetryableError(f"No secured connection to {host}: {cause}.", reference=host)


class SafeAdapter(HTTPAdapter):
    """The `requests` adapter whose connections keep the limits. It never retries by itself."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        super().__init__(max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Build the pools with our connections and TLS 1.2 or newer."""
        context = create_urllib3_context(ssl_minimum_version=ssl.TLSVersion.TLSv1_2)
        context.sslsocket_class = _ClockedTlsSocket
        super().init_poolmanager(*arguments, ssl_context=context, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_pool, HTTPConnectionPool, _HttpConnection, self._limits),
            "https": partial(_pool, HTTPSConnectionPool, _HttpsConnection, self._limits),
        }


def _pool(
    pool_type: type[HTTPConnectionPool],
    connection_type: type[_Checked],
    limits: Limits,
    *place: Any,
    **options: Any,
) -> HTTPConnectionPool:
    pool = pool_type(*place, **options)
    pool.ConnectionCls = partial(connection_type, limits=limits)  # type: ignore[assignment]  # any callable serves
    return pool
