"""The command as a process of its own: quick help, clean output, signals, one worker at a time."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from collecthub.cli.main import app; app()"]
HEAVY = {"sqlalchemy", "dbos", "fastapi", "lxml", "pydantic", "cryptography", "requests", "uvicorn"}
Start = Callable[..., subprocess.Popen[str]]


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLLECTHUB_HOME": str(home)}
    return subprocess.run(
        [*COMMAND, *words], env=environment, capture_output=True, text=True, timeout=60, check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Start a command that stays; what still runs at the end is ended."""
    started: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> subprocess.Popen[str]:
        environment = os.environ | {"COLLECTHUB_HOME": str(home), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [*COMMAND, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


def test_help_waits_for_no_heavy_import() -> None:
    program = f"import sys, collecthub.cli.main; print(sorted({HEAVY!r} & set(sys.modules)))"
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert asked.stdout.strip() == "[]"


def test_json_is_alone_on_standard_output(home: Path) -> None:
    listed = command(home, "creditor", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert [item["creditor_id"] for item in json.loads(listed.stdout)["items"]] == ["kroon"]
    idle = command(home, "run", "--json")
    assert idle.returncode == 0, idle.stderr
    assert set(json.loads(idle.stdout).values()) == {0}


def test_wrong_settings_are_one_clear_error(home: Path) -> None:
    (home / "collecthub.toml").write_text('port = "eighty"\ncolour = "red"\nhots = "::"\n', encoding="utf-8")
    refused = command(home, "case", "list", "--json")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "port" in refused.stderr
    assert "colour: there is none of this name" in refused.stderr
    assert "host is one" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_unreachable_database_is_something_outside(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTHUB_DATABASE_URL", "postgresql://nobody:geheim@127.0.0.1:1/hub")
    refused = command(home, "case", "list")
    assert refused.returncode == 4, refused.stderr
    assert "geheim" not in refused.stderr


def test_one_worker_at_a_time_and_a_signal_ends_it_in_order(home: Path, start: Start) -> None:
    worker = start("worker")
    assert worker.stderr is not None
    assert "works on" in worker.stderr.readline()
    second = command(home, "run")
    assert second.returncode == 4
    assert str(worker.pid) in second.stderr
    woken = command(home, "sync", "--json")
    assert woken.returncode == 0, woken.stderr
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0


def test_serve_says_where_and_ends_in_order(start: Start) -> None:
    server = start("serve", "--port", "0")
    assert server.stdout is not None
    line = server.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:[0-9]+", line)
    assert found is not None, line
    assert "collecthub user add" in server.stdout.readline()
    with urllib.request.urlopen(f"{found.group()}/healthz", timeout=10) as reply:
        assert reply.status == 200
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0


def test_behind_the_fence_run_ends_and_says_so(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command(home, "backup", str(tmp_path / "b.tar")).returncode == 0
    assert command(tmp_path / "second", "restore", str(tmp_path / "b.tar")).returncode == 0
    monkeypatch.setenv("LC_ALL", "C")
    idle = command(tmp_path / "second", "run", "--json")
    assert idle.returncode == 0, idle.stderr
    assert "fenced" in idle.stderr
    assert set(json.loads(idle.stdout).values()) == {0}
