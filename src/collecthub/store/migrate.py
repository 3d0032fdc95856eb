"""Bring a database to the current schema. Resumable; refuses a database that a newer version wrote.

Alembic is imported only when there is something to migrate: a start on a current database does not pay for it.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from collecthub.errors import ConfigurationError
from collecthub.store.database import Database

HEAD = "0023"  # the newest file below migrations/versions; a test compares them
_LOCK_KEY = 8_420_001  # one process migrates a PostgreSQL database at a time


def schema_version(database: Database) -> str | None:
    """The revision the database is at, or None when it is empty."""
    with database.read() as conn:
        if not sa.inspect(conn).has_table("alembic_version"):
            return None
        found = conn.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return None if found is None else str(found)


def is_current(database: Database) -> bool:
    """Whether the database has exactly this version's schema."""
    return schema_version(database) == HEAD


def upgrade(database: Database) -> None:
    """Apply what is missing. Raises `ConfigurationError` for a schema this version does not know."""
    found = schema_version(database)
    if found == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigurationError(
            f"the database has schema {found}, which this version of collecthub does not know",
            cure="Start the newer version that wrote it, or restore a backup made before.",
        )
    with database.write() as conn:
        if not database.is_sqlite:
            conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
