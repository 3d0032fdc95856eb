"""One database, SQLite or PostgreSQL, behind one SQLAlchemy engine.

SQLite runs in WAL with synchronous=FULL, because an outward act may follow a commit and must not be forgotten
by a power cut. Every transaction begins with BEGIN IMMEDIATE, so that two writers queue instead of failing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from collecthub.errors import ConfigurationError, RetryableError

BUSY_SECONDS = 30


class Database:
    """The engine and its transactions. `read()` for queries, `write()` for changes."""

    def __init__(self, url: str) -> None:
        self.url = _address(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgres_engine(self.url)
        self._turn = _writer_lock(str(self.url.database)) if self.is_sqlite else contextlib.nullcontext()

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that commits at the end of the block and rolls back on an error."""
        # The turn is taken before a connection is, so that waiting writers leave the pool to those who work.
        with _translated(self.url), self._turn, self.engine.begin() as conn:
            yield conn

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for queries; sees one consistent state."""
        with _translated(self.url), self.engine.connect() as conn:
            if self.is_sqlite:
                conn = conn.execution_options(collecthub_read=True)
            yield conn

    def close(self) -> None:
        self.engine.dispose()


def _address(url: str) -> sa.URL:
    """Taken apart; what cannot be is not shown, since it may hold a password."""
    try:
        return sa.make_url(url)
    except (ValueError, sa.exc.ArgumentError) as error:
        raise ConfigurationError(
            "the setting database_url is no address of a database",
            cure="Use sqlite:///path/to/file or postgresql://user:password@host:5432/database.",
        ) from error


@contextlib.contextmanager
def _translated(url: sa.URL) -> Iterator[None]:
    try:
        yield
    except sa.exc.OperationalError as error:
        raise RetryableError(
            f"the database {url.render_as_string(hide_password=True)} did not answer: {error.orig}",
            cure="Check that it runs and that there is space on its disk; the hub tries again.",
        ) from error


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, pool_size=20, max_overflow=-1, pool_use_lifo=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-16000")
        # Random keys touch most pages again and again; the default would write them back every 4 MB, this every 64.
        connection.execute("PRAGMA wal_autocheckpoint=16000")
        if sqlite3.sqlite_version_info < (3, 42):
            _teach_subsec(connection)

    _queue_writers(engine, str(url.database))
    return engine


_writer_locks: dict[str, threading.RLock] = {}


def _writer_lock(path: str) -> threading.RLock:
    """One per file: the engines of a process share SQLite's single write lock."""
    return _writer_locks.setdefault(path, threading.RLock())


def _queue_writers(engine: sa.Engine, path: str) -> None:
    """Begin transactions: readers at once, writers one after the other.

    SQLite's own waiting is polling with growing sleeps; a lock in front of it makes writers of this process
    wait exactly as long as they must. Other processes still meet in SQLite's busy timeout.
    """
    lock = _writer_lock(path)

    @event.listens_for(engine, "begin")
    def begin(conn: sa.Connection) -> None:
        if conn.get_execution_options().get("collecthub_read"):
            _say(conn, "BEGIN DEFERRED")
            return
        lock.acquire()
        conn.info["collecthub_writes"] = True
        try:
            _say(conn, "BEGIN IMMEDIATE")
        except BaseException:
            release(conn)
            raise

    def release(conn: sa.Connection) -> None:
        if conn.info.pop("collecthub_writes", False):
            lock.release()

    event.listen(engine, "commit", release)
    event.listen(engine, "rollback", release)


def _say(conn: sa.Connection, words: str) -> None:
    """Tell SQLite itself: through the layers above it, beginning a transaction costs more than most queries in it."""
    driver = conn.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection), "this is the engine of an SQLite file"
    try:
        driver.execute(words)
    except sqlite3.Error as error:
        raise sa.exc.OperationalError(words, None, error) from error


def _teach_subsec(connection: sqlite3.Connection) -> None:
    """SQLite before 3.42 has no `unixepoch('subsec')`, which the engine's tables use as a default."""

    def unixepoch(*arguments: Any) -> float | int:
        now = dt.datetime.now(dt.UTC).timestamp()
        return now if "subsec" in arguments or "subsecond" in arguments else int(now)

    connection.create_function("unixepoch", -1, unixepoch)


def _postgres_engine(url: sa.URL) -> sa.Engine:
    if url.drivername != "postgresql+psycopg":
        raise ConfigurationError(
            f"the database driver {url.drivername} is not known", cure="Use sqlite:/// or postgresql://."
        )
    return sa.create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True, pool_recycle=1800)
