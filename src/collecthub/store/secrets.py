"""Secrets at rest: AES-256-GCM under a master key that lies outside the database.

The additional data binds each secret to its connection and name, so that rows cannot be swapped.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from collecthub.errors import ConfigurationError, RetryableError
from collecthub.model.ids import new_id
from collecthub.store.database import Database
from collecthub.store.tables import leases, secrets
from collecthub.store.upsert import put

_NONCE = 12


class MasterKey:
    """The key file. Made when it is not there, readable by its owner only; a hub asks `lost_key.master_key` for it."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(AESGCM.generate_key(256))
                    file.flush()
                    os.fsync(file.fileno())
        try:
            self._cipher = AESGCM(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"the master key file {path} cannot be used ({error})",
                cure="Put the original key file back; without it stored secrets are lost and must be entered anew.",
            ) from error

    def seal(self, plain: str, *bound_to: str) -> bytes:
        """Encrypt a text, bound to what it belongs to."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain.encode(), "\x1f".join(bound_to).encode())

    def unseal(self, sealed: bytes, *bound_to: str) -> str:
        """Decrypt. Raises `ConfigurationError` when key or binding is another one."""
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], "\x1f".join(bound_to).encode())
        except InvalidTag as error:
            raise ConfigurationError(
                f"the secret {'/'.join(bound_to)} cannot be decrypted",
                cure="The master key is not the one it was written with: put the right key file in place.",
            ) from error
        return plain.decode()


_SEALED = sa.select(secrets.c.sealed).where(
    secrets.c.connection_id == sa.bindparam("of"), secrets.c.name == sa.bindparam("name")
)


class ConnectionVault:
    """The secrets of one connection; satisfies the `Vault` port."""

    def __init__(self, database: Database, key: MasterKey, connection_id: str) -> None:
        self._database = database
        self._key = key
        self._connection_id = connection_id

    def read(self, name: str) -> str | None:
        """The secret, or None."""
        with self._database.read() as conn:
            sealed = conn.scalar(_SEALED, {"of": self._connection_id, "name": name})
        return None if sealed is None else self._key.unseal(sealed, self._connection_id, name)

    def write(self, name: str, value: str) -> None:
        """Store durably; replaces an earlier value."""
        with self._database.write() as conn:
            write_secret(conn, self._key, self._connection_id, name, value)

    @contextlib.contextmanager
    def exclusive(self, name: str, seconds: int) -> Iterator[None]:
        """A lease across processes and hosts. Ends by itself when its holder dies."""
        lease, holder = f"{self._connection_id}/{name}", new_id()
        with self._database.write() as conn:
            taken = _take_lease(conn, lease, holder, seconds)
        if not taken:
            raise RetryableError(
                f"another worker is busy with {name} of this connection",
                cure="Nothing to do; it is tried again.",
                retry_after_seconds=1,
            )
        try:
            yield
        finally:
            with self._database.write() as conn:
                conn.execute(sa.delete(leases).where(leases.c.name == lease, leases.c.holder == holder))


def write_secret(conn: sa.Connection, key: MasterKey, connection_id: str, name: str, value: str) -> None:
    """Store one secret inside the caller's transaction."""
    values: dict[str, object] = {
        "connection_id": connection_id, "name": name, "sealed": key.seal(value, connection_id, name),
        "changed_at": dt.datetime.now(dt.UTC),
    }
    put(conn, secrets, values)


def delete_secret(conn: sa.Connection, connection_id: str, name: str) -> None:
    """Forget one secret inside the caller's transaction."""
    conn.execute(sa.delete(secrets).where(secrets.c.connection_id == connection_id, secrets.c.name == name))


def secret_names(conn: sa.Connection, connection_id: str) -> frozenset[str]:
    """Which secrets of a connection are stored; never what they are."""
    return frozenset(conn.scalars(sa.select(secrets.c.name).where(secrets.c.connection_id == connection_id)))


def _take_lease(conn: sa.Connection, name: str, holder: str, seconds: int) -> bool:
    now = dt.datetime.now(dt.UTC)
    conn.execute(sa.delete(leases).where(leases.c.name == name, leases.c.until_at < now))
    if conn.dialect.name == "sqlite":
        insert = sa.text("INSERT OR IGNORE INTO leases (name, holder, until_at) VALUES (:n, :h, :u)")
    else:
        insert = sa.text(
            "INSERT INTO leases (name, holder, until_at) VALUES (:n, :h, :u) ON CONFLICT DO NOTHING"
        )
    bound = insert.bindparams(sa.bindparam("u", type_=leases.c.until_at.type))
    until = now + dt.timedelta(seconds=seconds)
    return conn.execute(bound, {"n": name, "h": holder, "u": until}).rowcount == 1
