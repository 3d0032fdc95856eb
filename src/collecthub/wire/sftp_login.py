"""The way into an SFTP server: addresses, acceptable algorithms, the approved host key, the login, in this order."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from paramiko.ssh_exception import IncompatiblePeer

from collecthub.errors import ConfigurationError, RetryableError
from collecthub.wire.crypto import read_login_key
from collecthub.wire.sftp_pipeline import PipelinedSftp
from collecthub.wire.target import Network, connect, networks

LOST: Final = (
    EOFError,
    paramiko.SSHException,
    paramiko.SFTPError,
    TimeoutError,
    ConnectionError,
    UnicodeError,
)
_CIPHERS: Final = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)


@dataclass(frozen=True, slots=True)
class SftpAddress:
    """Where and as whom to log in. `host_key_fingerprints` are the approved ones, as `ssh-keygen -l` shows them.

    The login uses the first that is set: `private_key_pem` (OpenSSH or PEM, opened with `key_passphrase`), the keys
    of the running SSH agent (`uses_agent`; a hardware token speaks that protocol), `password`. A partner who wants a
    key and a password (two-factor, `publickey,password`) gets both.
    """

    host: str
    port: int
    username: str
    host_key_fingerprints: tuple[str, ...]
    private_key_pem: bytes | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    key_passphrase: str | None = field(default=None, repr=False)
    uses_agent: bool = False


def seen_fingerprint(
    host: str,
    port: int = 22,
    *,
    connect_seconds: float = 10,
    allow_loopback: bool = False,
    allow_networks: tuple[str, ...] = (),
) -> str:
    """The fingerprint (`SHA256:...`) that a host shows now, for a person to compare and approve. No login.

    Raises `RetryableError` when nobody answers, `ConfigurationError` when it is no acceptable SSH server.
    """
    transport = handshake(
        host,
        port,
        seconds=connect_seconds,
        allow_loopback=allow_loopback,
        allow_networks=networks(allow_networks),
    )
    try:
        return fingerprint(transport)
    finally:
        transport.close()


def handshake(
    host: str, port: int, *, seconds: float, allow_loopback: bool, allow_networks: Sequence[Network]
) -> paramiko.Transport:
    """Connect and exchange keys, nothing more: the host is not trusted yet."""
    opened = connect(
        host, port, seconds=seconds, allow_loopback=allow_loopback, allow_networks=allow_networks
    )
    transport = paramiko.Transport(opened)
    options = transport.get_security_options()
    options.ciphers = _CIPHERS
    options.digests = [name for name in options.digests if name.startswith("hmac-sha2")]
    transport.banner_timeout = transport.auth_timeout = seconds
    transport.handshake_timeout = transport.channel_timeout = seconds
    try:
        transport.start_client(timeout=seconds)
        transport.get_remote_server_key()  # raises when the time ran out, which the call before does not
    except IncompatiblePeer as error:
        transport.close()
        raise ConfigurationError(
            f"The SFTP server {host} offers only outdated algorithms: {error}.",
            cure="Ask the partner to update its server (AES-GCM or AES-CTR, SHA-2, no ssh-rsa).", reference=host,
        ) from error  # fmt: skip
    except (*LOST, OSError) as error:
        transport.close()
        raise RetryableError(
            f"No SSH handshake with {host} port {port}: {error or type(error).__name__}.", reference=host
        ) from error
    return transport


def fingerprint(transport: paramiko.Transport) -> str:
    """The host key's SHA-256 as OpenSSH writes it."""
    return str(transport.get_remote_server_key().fingerprint)


def refuse_stranger(address: SftpAddress, seen: str) -> None:
    """Called before any login, so that a stranger learns neither user name nor password."""
    if seen not in address.host_key_fingerprints:
        raise ConfigurationError(
            f"The SFTP server {address.host} shows the host key {seen}, which nobody approved.",
            cure="Ask the partner for its fingerprint; approve this one only if it is the same.",
            reference=address.host,
        )


def log_in(transport: paramiko.Transport, address: SftpAddress) -> None:
    """Log in as the address says. Raises `ConfigurationError` when the server says no."""
    try:
        wanted = _first_factor(transport, address)
        if wanted and "password" in wanted and address.password is not None:
            wanted = transport.auth_password(address.username, address.password, fallback=False)
        if wanted:
            raise paramiko.AuthenticationException(f"the server also wants {', '.join(wanted)}")
    except paramiko.AuthenticationException as error:
        if not transport.is_active() or "timeout" in str(error).lower():
            raise  # the connection broke; that says nothing about the credentials
        raise ConfigurationError(
            f"The SFTP server {address.host} refused the login of {address.username}.",
            cure="Check user name and key with the partner; the account may be locked.", reference=address.host,
        ) from error  # fmt: skip


def _first_factor(transport: paramiko.Transport, address: SftpAddress) -> list[str]:
    """Offer the first credential that is set; returns what the server wants beside it, usually nothing."""
    if address.private_key_pem is not None:
        key = _login_key(address.private_key_pem, address.key_passphrase)
        return transport.auth_publickey(address.username, key)
    if address.uses_agent:
        return _agent_factor(transport, address)
    return transport.auth_password(address.username, address.password or "", fallback=False)


def _agent_factor(transport: paramiko.Transport, address: SftpAddress) -> list[str]:
    """Offer the agent's keys one after the other, as `ssh` does."""
    agent = paramiko.Agent()
    try:
        keys = agent.get_keys()
        if not keys:
            raise ConfigurationError(
                "No SSH agent answers, or it holds no key.",
                cure="Start the agent, add the key, and let the hub see SSH_AUTH_SOCK.", reference=address.host,
            )  # fmt: skip
        for key in keys[:-1]:
            try:
                return transport.auth_publickey(address.username, key)
            except paramiko.AuthenticationException:
                if not transport.is_active():
                    raise
        return transport.auth_publickey(address.username, keys[-1])
    finally:
        agent.close()


def _login_key(pem: bytes, passphrase: str | None) -> paramiko.PKey:
    key = read_login_key(pem, passphrase)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()
    kinds: dict[Any, Any] = {
        ed25519.Ed25519PrivateKey: paramiko.Ed25519Key,
        ec.EllipticCurvePrivateKey: paramiko.ECDSAKey,
    }
    kind = next((kinds[known] for known in kinds if isinstance(key, known)), paramiko.RSAKey)
    loaded: paramiko.PKey = kind.from_private_key(io.StringIO(text))
    return loaded


def open_session(transport: paramiko.Transport, operation_seconds: float) -> PipelinedSftp:
    """Start SFTP on a logged-in connection; no answer may take longer than `operation_seconds`."""
    session = PipelinedSftp.from_transport(transport)
    channel = session.get_channel() if session else None
    if not isinstance(session, PipelinedSftp) or channel is None:
        raise paramiko.SSHException("no SFTP session was opened")
    channel.settimeout(operation_seconds)
    return session
