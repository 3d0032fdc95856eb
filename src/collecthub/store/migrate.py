"""Bring a database to the current schema. Resumable; refuses a database that a newer version wrote."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from collecthub.errors import ConfigurationError
from collecthub.store.database import Database

_LOCK_KEY = 8_420_001  # one process migrates a PostgreSQL database at a time


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def schema_version(database: Database) -> str | None:
    """The revision the database is at, or None when it is empty."""
    with database.read() as conn:
        return MigrationContext.configure(conn).get_current_revision()


def is_current(database: Database) -> bool:
    """Whether the database has exactly this version's schema."""
    return schema_version(database) == ScriptDirectory.from_config(_config()).get_current_head()


def upgrade(database: Database) -> None:
    """Apply what is missing. Raises `ConfigurationError` for a schema this version does not know."""
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    found = schema_version(database)
    if found == scripts.get_current_head():
        return
    known = {script.revision for script in scripts.walk_revisions()}
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
