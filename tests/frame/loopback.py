"""No test of this process reaches beyond this machine.

An audit hook sees every connection that Python opens, whichever library asks. It raises a RuntimeError, which no
transport takes for an ordinary network failure, so a test that dials out fails instead of passing by accident. Names
resolve as on a machine without DNS.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any


class OutsideReachedError(RuntimeError):
    """A test tried to talk to something that is not on this machine."""


def _is_here(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host in {"", "localhost", "localhost.localdomain", socket.gethostname()}
    return address.is_loopback or address.is_unspecified


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        if isinstance(address, tuple) and not _is_here(str(address[0])):
            raise OutsideReachedError(f"a test tried to reach {address[0]}; use a counterparty on 127.0.0.1")
    elif event == "socket.getaddrinfo" and arguments[0]:
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0])
        if not _is_address(host) and not _is_here(host):
            raise socket.gaierror(socket.EAI_NONAME, f"{host} is not known: tests run without DNS")


sys.addaudithook(_guard)
