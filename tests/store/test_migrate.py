"""Schema versions: the constant is the newest migration, and a newer database is refused with clear words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from collecthub.errors import ConfigurationError
from collecthub.store import migrate
from collecthub.store.database import Database
from collecthub.store.tables import metadata


def test_head_is_the_newest_migration_file() -> None:
    versions = Path(migrate.__file__).parent / "migrations" / "versions"
    newest = max(versions.glob("*.py"), key=lambda path: path.name)
    found = re.search(r'^revision = "(\w+)"', newest.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    assert found[1] == migrate.HEAD


def test_an_empty_database_gets_every_table_and_a_second_upgrade_changes_nothing(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url.replace("postgresql://", "postgresql+psycopg://"))
    migrate.upgrade(database)
    migrate.upgrade(database)
    with database.read() as conn:
        there = set(sa.inspect(conn).get_table_names())
    assert set(metadata.tables) <= there
    assert migrate.is_current(database)
    database.close()


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    database = Database(database_url.replace("postgresql://", "postgresql+psycopg://"))
    migrate.upgrade(database)
    with database.write() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="9999"):
        migrate.upgrade(database)
    database.close()
