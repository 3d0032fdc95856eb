"""The hub as its parts see it: one object that knows settings, database, evidence, plugins and connections.

Nothing here decides anything about a case. The runner in `collecthub.engine` drives the rooms with it, the doors
in `collecthub.web` and `collecthub.cli` read through it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

import msgspec
import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

from collecthub.config import HubSettings
from collecthub.engine.known_types import learn_types
from collecthub.engine.waits import Waits
from collecthub.errors import CollecthubError, ConfigurationError, PermanentError
from collecthub.model.case import Case
from collecthub.model.event import CaseEvent
from collecthub.plugins import PluginSet, call_port, load_factory
from collecthub.ports import ConnectorContext
from collecthub.registers import ConnectorSpec
from collecthub.store import tables as t
from collecthub.store.case_log import CaseBook
from collecthub.store.connections import ConnectionRow, connections_of, read_connection
from collecthub.store.database import Database
from collecthub.store.evidence import Evidence
from collecthub.store.facts import read_fact, write_fact
from collecthub.store.lost_key import master_key
from collecthub.store.secrets import ConnectionVault
from collecthub.store.upsert import putting

log = logging.getLogger(__name__)
T = TypeVar("T")

SECRET_PREFIX = "setting:"
CLOSE_SECONDS = 5


class JobQueue(Protocol):
    """Where work is put. Enqueued jobs start after the caller's transaction has committed, and only then."""

    def enqueue(self, conn: sa.Connection, job: str, target: str) -> None:
        """Put one job in line; jobs with the same name and target run one after the other."""
        ...


class NoQueue:
    """For readers: there is no engine, so nothing may be enqueued."""

    def enqueue(self, conn: sa.Connection, job: str, target: str) -> None:
        raise ConfigurationError(f"job {job} cannot start here", cure="Use a command that opens the engine.")


class Work:
    """One transaction of the runner: its connection, its moment, the cases in hand, the jobs and calls that follow it.

    What is appended to the book or noted for `later` reaches the database in bulk: before anybody uses the
    connection, and at the end.
    """

    def __init__(self, conn: sa.Connection, now: dt.datetime) -> None:
        self._conn = conn
        self.now = now
        self.book = CaseBook()
        self.timers: dict[str, list[dict[str, object]]] = {}  # by case, the timers it has from now on
        self._later: dict[sa.Insert, list[dict[str, object]]] = {}
        self._in_turn: list[tuple[sa.Executable, list[dict[str, object]]]] = []
        self.wakes: dict[tuple[str, str], None] = {}
        self.told: list[tuple[Case, CaseEvent]] = []
        self._lines: dict[tuple[str, str], list[ConnectionRow]] = {}
        self.if_refused: list[Callable[[Work], None]] = []  # what is kept, in a transaction of its own, if this one is not

    @property
    def conn(self) -> sa.Connection:
        """The connection, which sees everything this transaction did so far."""
        self.write()
        return self._conn

    @property
    def stored(self) -> sa.Connection:
        """The connection without what waits: to read what nobody changes here, such as a creditor, in the midst of many cases."""
        return self._conn

    def wake(self, job: str, target: str) -> None:
        """Have a job looked at after this transaction; the same job and target are asked for once."""
        self.wakes[(job, target)] = None

    def later(self, insert: sa.Insert, rows: Iterable[dict[str, object]]) -> None:
        """Rows that can wait for the next look at the database."""
        self._later.setdefault(insert, []).extend(rows)

    def in_turn(self, statement: sa.Executable, row: dict[str, object]) -> None:
        """A row that can wait, but not for one that is given later: of two changes to a task the last one counts."""
        if self._in_turn and self._in_turn[-1][0] is statement:
            self._in_turn[-1][1].append(row)
        else:
            self._in_turn.append((statement, [row]))

    def put(self, table: sa.Table, values: dict[str, object], *, once: tuple[str, ...] = ()) -> None:
        """Insert or replace a row, in turn; `once` as in `collecthub.store.upsert.put`."""
        self.in_turn(putting(self._conn.dialect.name, table, tuple(values), once), values)

    def history(self, case_id: str) -> list[CaseEvent]:
        """The history of a case, with everything that this transaction appended to it."""
        return self.book.history(self._conn, case_id)

    def hold(self, case_ids: Iterable[str]) -> None:
        """Read and lock cases that will be needed, in one look."""
        self.book.hold(self._conn, case_ids)

    def connections_of(self, column: sa.Column[str], value: str) -> list[ConnectionRow]:
        """Connections by creditor or partner, read once per transaction."""
        key = (column.name, value)
        if key not in self._lines:
            self._lines[key] = connections_of(self._conn, column, value)
        return self._lines[key]

    def write(self) -> None:
        """Bring everything that waits to the database."""
        self.book.write(self._conn)
        if self.timers:
            self._conn.execute(_DROP_TIMERS, [{"of_case": case_id} for case_id in self.timers])
            rows = [row for of_case in self.timers.values() for row in of_case]
            if rows:
                self._conn.execute(_ADD_TIMERS, rows)
            self.timers = {}
        waiting, self._later = self._later, {}
        for insert, more in waiting.items():
            if more:
                self._conn.execute(insert, more)
        turns, self._in_turn = self._in_turn, []
        for statement, rows in turns:
            self._conn.execute(statement, rows)


# Statements of the hot path are built once: building one costs as much as running it.
_ADD_TIMERS = sa.insert(t.timers)
_DROP_TIMERS = sa.delete(t.timers).where(t.timers.c.case_id == sa.bindparam("of_case"))


class Hub:
    """Everything a process of the hub needs. Cheap to build; connectors are built on first use."""

    def __init__(self, settings: HubSettings, plugins: PluginSet) -> None:
        self.settings = settings
        self.database = Database(settings.database)
        self.evidence = Evidence(settings.home / "evidence")
        self.key = master_key(settings.key_file, self.database)
        self.plugins = plugins
        self.queue: JobQueue = NoQueue()
        self.waits = Waits()
        self._connectors: dict[str, tuple[int, object]] = {}  # by connection, with its revision
        self._lock = threading.Lock()
        self._building = threading.Lock()
        self._day_offset: dt.timedelta | None = None
        learn_types()

    # --- time -------------------------------------------------------------------------------------

    def now(self) -> dt.datetime:
        """This moment on the business clock, aware, UTC.

        A set business date shifts the clock by whole days, fixed once for this hub, so that time still flows.
        """
        real = dt.datetime.now(dt.UTC)
        if self.settings.business_date is None:
            return real
        if self._day_offset is None:
            self._day_offset = self._fixed_offset(self.settings.business_date, real.date())
        return real + self._day_offset

    def business_date(self) -> dt.date:
        """Today, as the business counts it."""
        return self.now().date()

    def set_clock(self, moment: dt.datetime) -> None:
        """Let this process's business clock go on from a moment: a story of the past, told in a hub of its own.

        Raises `ConfigurationError` where business runs on the real day.
        """
        if self.settings.business_date is None:
            raise ConfigurationError("the clock of a working hub is not set", cure="Use a hub with a business_date.")
        self._day_offset = moment - dt.datetime.now(dt.UTC)

    def _fixed_offset(self, wanted: dt.date, today: dt.date) -> dt.timedelta:
        name = f"business_offset:{wanted.isoformat()}"
        with self.database.write() as conn:
            stored = read_fact(conn, name)
            if stored is None:
                stored = str((wanted - today).days)
                write_fact(conn, name, stored)
        return dt.timedelta(days=int(stored))

    # --- transactions -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def work(self) -> Iterator[Work]:
        """A transaction whose jobs are enqueued with it and whose listeners are called after it.

        What was noted in `if_refused` is done in one of its own when a refusal undoes this one.
        """
        self.now()  # fixes the business clock, which writes, before this transaction begins
        noted: list[Callable[[Work], None]] = []
        try:
            with self.database.write() as conn:
                work = Work(conn, self.now())
                noted = work.if_refused
                yield work
                work.write()
                for job, target in work.wakes:
                    self.queue.enqueue(conn, job, target)
        except PermanentError:
            for keep in noted:
                with self.work() as apart:
                    keep(apart)
            raise
        for case, event in work.told:
            for _ in self.plugins.ask("case_event_recorded", case=case, event=event):
                pass

    # --- connections ------------------------------------------------------------------------------

    def spec(self, kind: str) -> ConnectorSpec:
        """The connector kind. Raises `ConfigurationError` when its plugin is missing or disabled."""
        found = self.plugins.connectors.get(kind)
        if found is None:
            raise ConfigurationError(
                f"no plugin offers connector kind {kind!r}",
                cure=f"Install it, or see `collecthub plugin list`; known are {', '.join(sorted(self.plugins.connectors))}.",
            )
        return found

    def connector(self, connection_id: str) -> object:
        """The connector of a connection, built once per process and again when its settings change."""
        with self.database.read() as conn:
            row = read_connection(conn, connection_id)
        if row is None:
            raise PermanentError(
                f"there is no connection {connection_id}", cure="See `collecthub connection list`."
            )
        return self.connector_for(row)

    def connector_for(self, row: ConnectionRow) -> object:
        """The connector of a connection whose row was read already."""
        with self._lock:
            cached = self._connectors.get(row.connection_id)
            if cached is not None and cached[0] == row.revision:
                return cached[1]
        built = self.build_connector(row)
        with self._lock:
            self._connectors[row.connection_id] = (row.revision, built)
        return built

    def build_connector(self, row: ConnectionRow) -> object:
        """Build a connector from a connection's settings and secrets."""
        spec = self.spec(row.kind)
        vault = ConnectionVault(self.database, self.key, row.connection_id)
        context = ConnectorContext(
            connection_id=row.connection_id,
            settings=self._settings_of(spec, row, vault),
            vault=vault,
            formats=self.plugins.formats,
            now=lambda: dt.datetime.now(dt.UTC),
            business_date=self.business_date,
            sender_ref=self.settings.operator_name,
            receiver_ref=row.partner_id or "",
            allow_loopback=self.settings.allow_loopback,
        )
        with self._building:  # the first connector of a kind brings modules and types that no thread has seen
            factory = load_factory(spec)
            learn_types()
        return call_port(
            factory, context, what=f"{row.kind}.build", seconds=60, connection_id=row.connection_id
        )

    def _settings_of(self, spec: ConnectorSpec, row: ConnectionRow, vault: ConnectionVault) -> BaseModel:
        values = msgspec.json.decode(row.settings or "{}")
        for name in spec.settings.model_fields:
            sealed = vault.read(SECRET_PREFIX + name)
            if sealed is not None:
                values[name] = msgspec.json.decode(sealed)
        return validated(spec, values)

    def call(self, function: Callable[..., T], *arguments: object, what: str, connection_id: str) -> T:
        """One call to a port, under this hub's deadline."""
        with self.waits.call():
            return call_port(
                function, *arguments, what=what, seconds=self.settings.call_seconds, connection_id=connection_id
            )

    def walk(self, what: str, connection_id: str) -> Callable[[Iterator[T]], Iterator[T]]:
        """A wrapper that walks a port's iterator; each step is a call of its own."""
        end = object()

        def steps(items: Iterator[T]) -> Iterator[T]:
            while (item := self.call(next, items, end, what=what, connection_id=connection_id)) is not end:
                yield item

        return steps

    def close(self) -> None:
        """Let the connectors end what they hold outside (sessions, sockets), then the database."""
        built, self._connectors = self._connectors, {}
        for connection_id, (_, connector) in built.items():
            end = getattr(connector, "close", None)
            if callable(end):
                with contextlib.suppress(CollecthubError):
                    call_port(end, what="connector.close", seconds=CLOSE_SECONDS, connection_id=connection_id)
        self.database.close()


def validated(spec: ConnectorSpec, values: dict[str, object]) -> BaseModel:
    """A connector's settings, checked by its own model."""
    try:
        return spec.settings.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(
            f"the settings of {spec.kind} are not right: {problems}", cure="Correct these fields."
        ) from error


