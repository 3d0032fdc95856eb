"""Which addresses the hub may call, and the one way to open a connection to them.

A connection setting or a partner's answer may name any host, so a name is resolved once, every address is
checked, and the socket is opened to a checked address: an answer that changes between check and connect has
no effect. Addresses written as odd numbers (`0x7f000001`, `127.1`) are read as what they are.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Sequence

from collecthub.errors import ConfigurationError, PermanentError, RetryableError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# What Python calls global although nobody outside answers there (IANA special-purpose registries).
_SPECIAL = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "3fff::/20",
    )
)  # fmt: skip
_UNICAST_6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")


class TargetBlockedError(PermanentError):
    """An outbound call named an address that the hub must not reach. `code` is stable, for problem answers."""

    code = "outbound-target-blocked"


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside a mapped, NAT64, 6to4 or IPv4-compatible one; else the address itself.

    >>> unwrapped(ipaddress.ip_address("64:ff9b::7f00:1"))
    IPv4Address('127.0.0.1')
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    embeds = address in _NAT64 or (address in _COMPATIBLE and int(address) > 1)
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if embeds else address


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, IPv4 inside IPv6 included.

    >>> is_public(ipaddress.ip_address("100.64.0.1")), is_public(ipaddress.ip_address("9.9.9.9"))
    (False, True)
    """
    inner = unwrapped(address)
    if inner.version == 6 and inner not in _UNICAST_6:
        return False
    is_special = any(inner.version == network.version and inner in network for network in _SPECIAL)
    return inner.is_global and not inner.is_multicast and not is_special


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Read private networks that an operator allows, such as `10.20.0.0/16`.

    Raises `ConfigurationError` for text that is no network.
    """
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise ConfigurationError(
            f"An allowed network is not written as a network: {error}.",
            cure="Write it as address and length, for example 10.20.0.0/16.",
        ) from error


def may_reach(address: Address, *, allow_loopback: bool, allow_networks: Sequence[Network] = ()) -> bool:
    """Whether a connection may go to this address. Loopback needs its own permission; nothing else follows from it."""
    if address.is_loopback:
        return allow_loopback
    inner = unwrapped(address)
    if inner.is_loopback:
        return False
    return is_public(address) or any(
        inner.version == network.version and inner in network for network in allow_networks
    )


def _plain(host: str) -> str:
    """An IPv4 address in the usual four numbers for `127.1`, `0x7f000001` and the like; else the host itself."""
    try:
        return str(ipaddress.IPv4Address(socket.inet_aton(host)))
    except OSError:
        return host


def resolve(
    host: str, port: int, *, allow_loopback: bool, allow_networks: Sequence[Network] = ()
) -> list[tuple[socket.AddressFamily, str]]:
    """Resolve a host once and return the addresses to try, each checked.

    Raises `TargetBlockedError` when any of them is not allowed, `RetryableError` when the name is not known now.
    """
    try:
        answers = socket.getaddrinfo(_plain(host), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RetryableError(
            f"The host {host} cannot be resolved.", cure="Check the host name and this machine's DNS."
        ) from error
    found: dict[tuple[socket.AddressFamily, str], None] = {
        (each[0], str(each[4][0])): None for each in answers
    }
    for _, text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        if not may_reach(address, allow_loopback=allow_loopback, allow_networks=allow_networks):
            raise TargetBlockedError(
                f"The host {host} leads to {text}, an address that the hub does not call.",
                cure="Use a public address, or let an operator allow that private network for this connection.",
                reference=host,
            )
    return list(found)


def connect(
    host: str,
    port: int,
    *,
    seconds: float,
    allow_loopback: bool,
    allow_networks: Sequence[Network] = (),
    socket_type: type[socket.socket] = socket.socket,
) -> socket.socket:
    """Open a TCP connection to a checked address of `host`, trying each until `seconds` have passed.

    Raises `TargetBlockedError`, or `RetryableError` when nobody answers; nothing was sent in either case.
    """
    deadline = time.monotonic() + seconds
    failure: OSError = TimeoutError(f"no answer within {seconds:g} seconds")
    for family, address in resolve(host, port, allow_loopback=allow_loopback, allow_networks=allow_networks):
        opened = socket_type(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(max(deadline - time.monotonic(), 0.001))
            opened.connect((address, port))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            opened.close()
            failure = error
        else:
            opened.settimeout(seconds)
            return opened
    raise RetryableError(
        f"No connection to {host} port {port}: {failure.strerror or failure}.",
        cure="Check that the other side is up and that the host and port are right.",
        reference=host,
    ) from failure
