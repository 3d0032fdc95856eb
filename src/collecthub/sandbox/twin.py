"""The frame that every twin stands in: its options, durable books, clock, ready file and life as a process.

A twin is one process with a SQLite file of its own below `home`. When it listens it writes `home/NAME.json`
(url, port, pid, ready), and it ends on SIGTERM or when its parent is gone. Only the standard library is used
here, so that a program that starts twins pays nothing for them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collecthub.errors import ConfigurationError, PermanentError, RetryableError

LOOPBACK = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_CACHE_KIB = 32_000


@dataclass(frozen=True, kw_only=True)
class TwinOptions:
    """How one twin is run. `settings` are the twin's own, as NAME=VALUE texts; `instance` names its files."""

    name: str
    home: Path
    port: int = 0
    parent_pid: int = 0
    instance: str = ""
    raised_limits: bool = False
    shared: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    is_watched: bool = False  # a person started it and reads along

    @property
    def label(self) -> str:
        """Stem of the twin's files below `home`: its instance name, or its kind when it runs once."""
        return self.instance or self.name

    @property
    def ready_file(self) -> Path:
        """The JSON file that tells others where this twin listens."""
        return self.home / f"{self.label}.json"

    def setting(self, name: str, default: str) -> str:
        """A setting of this twin's own, as text."""
        return self.settings.get(name, default)


class Books:
    """A twin's durable memory: one SQLite file (WAL, every commit synced), used from one thread only.

    `schema` is run at each opening, so it must say IF NOT EXISTS. A small `state` table of JSON values is always
    there. Statements outside `transaction()` commit by themselves.
    """

    def __init__(self, path: Path, schema: str = "") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        self.connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
        )
        self.connection.executescript(schema)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit everything inside or nothing."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def get(self, name: str, default: Any = None) -> Any:
        """A remembered JSON value, or `default`."""
        row = self.connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row["value"])

    def put(self, name: str, value: Any) -> None:
        """Remember a JSON value under a name."""
        self.connection.execute(
            "INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )


class Clock:
    """The twin's own time, kept in its books: the machine's until it is set; then it runs on, or stands still."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._offset: float = books.get("clock.offset", 0.0)
        self._frozen: float | None = books.get("clock.frozen")

    def timestamp(self) -> float:
        """Seconds since 1970 in the twin's time."""
        return time.time() + self._offset if self._frozen is None else self._frozen

    def now(self) -> dt.datetime:
        """The twin's moment, in UTC."""
        return dt.datetime.fromtimestamp(self.timestamp(), dt.UTC)

    def set(self, moment: dt.datetime, *, frozen: bool) -> None:
        """Put the clock to `moment` (with zone); it stands still there when `frozen`."""
        self._offset = moment.timestamp() - time.time()
        self._frozen = moment.timestamp() if frozen else None
        self._books.put("clock.offset", self._offset)
        self._books.put("clock.frozen", self._frozen)

    def advance(self, seconds: float) -> None:
        """Move the clock on (or back), whether it runs or stands."""
        self.set(self.now() + dt.timedelta(seconds=seconds), frozen=self._frozen is not None)

    def begin_day(self, day: int) -> None:
        """The `day`-th working day begins, a day after the one before it; told again, the clock stays."""
        begun = int(self._books.get("clock.day", 0))
        if day > begun:
            with self._books.transaction():
                self.advance((day - begun) * 86_400)
                self._books.put("clock.day", day)


def open_books(options: TwinOptions, schema: str = "") -> Books:
    """The books of the twin that runs with these options, `home/LABEL.sqlite`."""
    return Books(options.home / f"{options.label}.sqlite", schema)


def bind(options: TwinOptions) -> socket.socket:
    """A listening-ready socket on 127.0.0.1: the asked port, else the port of the last run, else a free one.

    A twin that is restarted on its home thus keeps its address. Raises `ConfigurationError` when a port that
    was asked for is taken.
    """
    remembered = _read_json(options.ready_file).get("port", 0)
    for port in dict.fromkeys((options.port,) if options.port else (remembered, 0)):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each kept-alive answer waits 40 ms
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            listener.close()
            continue
        return listener
    raise ConfigurationError(
        f"Port {options.port} on {LOOPBACK} is taken.", cure="Choose another --port, or 0 for a free one."
    )


def announce(options: TwinOptions, port: int, facts: Mapping[str, Any] | None = None) -> None:
    """Write the ready file in one step, so that a reader sees either nothing or everything."""
    content = {"name": options.name, "url": f"http://{LOOPBACK}:{port}", "port": port, "pid": os.getpid()}
    temporary = options.ready_file.with_suffix(".json.new")
    temporary.write_text(json.dumps({**content, **(facts or {}), "ready": True}), encoding="utf-8")
    temporary.replace(options.ready_file)
    if options.is_watched:
        _tell({**content, **(facts or {})}, options)


def _tell(facts: Mapping[str, Any], options: TwinOptions) -> None:
    """What a person needs to connect, a line each; certificates and lists stand in the ready file."""
    print(f"{options.name} listens on {facts['url']}; its books and {options.ready_file.name} are in {options.home}. Ctrl-C ends it.")
    for name, value in facts.items():
        if name not in ("name", "url", "port", "pid") and isinstance(value, str | int) and "\n" not in str(value):
            print(f"  {name.replace('_', ' ')}: {value}")
    sys.stdout.flush()


class ParentWatch:
    """Tells whether the process that asked for the twin is still there; with no parent named it always is."""

    def __init__(self, parent_pid: int) -> None:
        self._parent = parent_pid
        self._direct = parent_pid == os.getppid()

    def gone(self) -> bool:
        """True once the parent has ended. A direct child is re-parented at once, which a pid test would miss."""
        if not self._parent:
            return False
        if self._direct:
            return os.getppid() != self._parent
        try:
            os.kill(self._parent, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


@dataclass(frozen=True)
class RunningTwin:
    """A twin that was started from here and answers. `facts` is the content of its ready file."""

    name: str
    home: Path
    url: str
    pid: int
    facts: Mapping[str, Any]
    process: subprocess.Popen[bytes]

    def control(self, path: str, payload: Any = None) -> Any:
        """POST `payload` as JSON to `/control/PATH` (GET when there is none) and return the JSON answer.

        Raises `PermanentError` with the twin's own words when it refuses, `RetryableError` when it is not there.
        """
        body = None if payload is None else json.dumps(payload).encode()
        request = urllib.request.Request(
            f"{self.url}/control/{path.lstrip('/')}", data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with _DIRECT.open(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            raise PermanentError(f"The {self.name} twin refused /control/{path}: {text}") from error
        except OSError as error:
            raise RetryableError(f"The {self.name} twin at {self.url} does not answer: {error}") from error

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Ask it to end (SIGTERM) and wait; kill it when it does not within five seconds."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), as a power cut would."""
        self.process.kill()
        self.process.wait(_STOP_SECONDS)


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def start_twin(
    name: str,
    home: Path,
    *,
    port: int = 0,
    instance: str = "",
    raised_limits: bool = False,
    shared: Path | None = None,
    settings: Mapping[str, str] | None = None,
) -> RunningTwin:
    """Start a twin as a child process and wait until it listens. Its output goes to `home/LABEL.log`.

    Started again on the same home it keeps its books and, when it can, its port. Raises `ConfigurationError`
    with the twin's last words when it ends instead, `RetryableError` when it is not ready in a minute.
    """
    options = TwinOptions(
        name=name, home=home, port=port, parent_pid=os.getpid(), instance=instance,
        raised_limits=raised_limits, shared=shared, settings=settings or {},
    )  # fmt: skip
    home.mkdir(parents=True, exist_ok=True)
    log = home / f"{options.label}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(options), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_environment()
        )
    return _await_ready(options, process, log)


def _await_ready(options: TwinOptions, process: subprocess.Popen[bytes], log: Path) -> RunningTwin:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        facts = _read_json(options.ready_file)
        if facts.get("ready") and facts.get("pid") == process.pid:
            return RunningTwin(options.name, options.home, facts["url"], process.pid, facts, process)
        if process.poll() is not None:
            words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
            raise ConfigurationError(
                f"The {options.label} twin did not start.", cure=" ".join(words) or f"See {log}."
            )
        time.sleep(0.02)
    process.kill()
    raise RetryableError(
        f"The {options.label} twin was not ready in {_START_SECONDS:.0f} s.", cure=f"See {log}."
    )


def _command(options: TwinOptions) -> list[str]:
    command = [sys.executable, "-m", "collecthub.sandbox", options.name, "--home", str(options.home)]
    command += ["--port", str(options.port), "--parent-pid", str(options.parent_pid)]
    command += ["--raised-limits"] if options.raised_limits else []
    command += ["--shared", str(options.shared)] if options.shared else []
    command += ["--instance", options.instance] if options.instance else []
    return command + [word for pair in options.settings.items() for word in ("--set", "=".join(pair))]


def _environment() -> dict[str, str]:
    source = str(Path(__file__).parents[2])
    path = os.pathsep.join(part for part in (source, os.environ.get("PYTHONPATH", "")) if part)
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
