"""Schema versions: the constant is the newest migration, and a newer database is refused with clear words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from collecthub.errors import ConfigurationError
from collecthub.store import migrate
from collecthub.store.database import Database
from collecthub.store.schema import metadata


def test_head_is_the_newest_migration_file() -> None:
    versions = Path(migrate.__file__).parent / "migrations" / "versions"
    newest = max(versions.glob("*.py"), key=lambda path: path.name)
    found = re.search(r'^revision = "(\w+)"', newest.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    assert found[1] == migrate.HEAD


def test_an_empty_database_gets_every_table_and_a_second_upgrade_changes_nothing(bare_database_url: str, tmp_path: Path) -> None:
    database = Database(bare_database_url.replace("postgresql://", "postgresql+psycopg://"))
    migrate.upgrade(database)
    migrate.upgrade(database)
    with database.read() as conn:
        there = set(sa.inspect(conn).get_table_names())
    assert set(metadata.tables) <= there
    assert migrate.is_current(database)
    database.close()


def test_a_database_of_a_newer_version_is_refused(bare_database_url: str) -> None:
    database = Database(bare_database_url.replace("postgresql://", "postgresql+psycopg://"))
    migrate.upgrade(database)
    with database.write() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="9999"):
        migrate.upgrade(database)
    database.close()


def test_a_database_of_the_first_schema_gets_what_later_ones_added(bare_database_url: str) -> None:
    """A hub that was set up by the first version holds the same tables and columns afterwards as a fresh one."""
    database = Database(bare_database_url.replace("postgresql://", "postgresql+psycopg://"))
    migrate.upgrade(database)
    fresh = _columns(database)
    with database.write() as conn:
        conn.execute(sa.text("DROP TABLE consents"))
        for table, column in (
            ("connections", "cause"), ("connections", "revision"), ("runs", "control"), ("quarantine", "currency"),
            ("quarantine", "open_minor"),
        ):  # fmt: skip
            conn.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        conn.execute(sa.text("INSERT INTO runs (run_id, connection_id, state) VALUES ('r', 'c', 'complete')"))
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    migrate.upgrade(database)
    assert _columns(database) == fresh
    with database.read() as conn:
        assert conn.scalar(sa.text("SELECT control FROM runs")) == ""
    database.close()


def _columns(database: Database) -> dict[str, set[str]]:
    with database.read() as conn:
        seen = sa.inspect(conn)
        return {table: {column["name"] for column in seen.get_columns(table)} for table in metadata.tables}
