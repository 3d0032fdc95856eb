"""A master key that is not there: never replaced in silence while the database holds something sealed with it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import sqlalchemy as sa

from collecthub.errors import ConfigurationError
from collecthub.store.contact_tables import debtor_links
from collecthub.store.database import Database
from collecthub.store.secrets import MasterKey
from collecthub.store.tables import secrets

FORGET = "collecthub db forget-secrets"
DEBTOR_LINK = "debtor_link"  # what the address and code of a debtor's page are bound to, beside their case


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be read any more and was given up: secrets as `connection/name`, and addresses of debtors' pages."""

    secrets: tuple[str, ...]
    debtor_pages: int


def master_key(path: Path, database: Database) -> MasterKey:
    """The key in its file; made for a hub that has sealed nothing yet.

    Raises `ConfigurationError` when the file is missing although the database holds what was sealed with it.
    """
    if not path.exists():
        with database.read() as conn:
            sealed = _sealed(conn)
        if sealed:
            raise ConfigurationError(
                f"the master key file {path} is missing, and {sealed} secrets and debtors' addresses in the database are sealed with it",
                cure=f"Put the original key file back; if it is lost, run `{FORGET}` and enter the secrets anew.",
            )
    return MasterKey(path)


def _sealed(conn: sa.Connection) -> int:
    there = set(sa.inspect(conn).get_table_names())  # none of them in a database that is made just now
    return sum(
        int(conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
        for table in (secrets, debtor_links)
        if table.name in there
    )


def forget_unreadable(conn: sa.Connection, path: Path) -> Forgotten:
    """Give up what the key in this file cannot read, which is everything when there is no file; what it reads stays."""
    key = MasterKey(path) if path.exists() else None
    lost = [
        row
        for row in conn.execute(sa.select(secrets).order_by(secrets.c.connection_id, secrets.c.name))
        if not _is_read(key, row.sealed, row.connection_id, row.name)
    ]
    pages = [
        row.case_id
        for row in conn.execute(sa.select(debtor_links.c.case_id, debtor_links.c.sealed))
        if not _is_read(key, row.sealed, DEBTOR_LINK, row.case_id)
    ]
    for row in lost:
        conn.execute(
            sa.delete(secrets).where(secrets.c.connection_id == row.connection_id, secrets.c.name == row.name)
        )
    for case_id in pages:
        conn.execute(sa.delete(debtor_links).where(debtor_links.c.case_id == case_id))
    return Forgotten(secrets=tuple(f"{row.connection_id}/{row.name}" for row in lost), debtor_pages=len(pages))


def _is_read(key: MasterKey | None, sealed: bytes, *bound_to: str) -> bool:
    if key is None:
        return False
    try:
        key.unseal(sealed, *bound_to)
    except ConfigurationError:
        return False
    return True
