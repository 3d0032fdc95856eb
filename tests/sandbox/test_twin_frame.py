"""The frame of all twins: a process with durable books, a clock, faults on request, and an end with its parent."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests

from collecthub.errors import ConfigurationError, PermanentError
from collecthub.sandbox.twin import RunningTwin, TwinOptions, announce, start_twin
from sandbox.erp_desk import customer, invoice


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.02)


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[RunningTwin]:
    running = start_twin("exact", tmp_path)
    yield running
    running.stop()


def test_a_killed_twin_comes_back_with_its_books_clock_and_address(twin: RunningTwin, tmp_path: Path) -> None:
    twin.control("load", {"customers": [customer("1")], "items": [invoice("77", "1")]})
    twin.control("clock", {"now": "2026-06-15T08:00:00+02:00", "frozen": True})
    twin.kill()
    again = start_twin("exact", tmp_path)
    try:
        assert again.url == twin.url
        assert again.control("books")["totals"] == {"EUR": "1000"}
        assert again.control("clock")["now"] == "2026-06-15T06:00:00+00:00"
    finally:
        again.stop()


def test_it_is_ready_after_two_seconds_of_work(tmp_path: Path) -> None:
    running = start_twin("sap", tmp_path)
    spent = psutil.Process(running.pid).cpu_times()  # whoever else uses the machine
    running.stop()
    assert spent.user + spent.system < 2


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from collecthub.sandbox.twin import start_twin; "
        "print(start_twin('exact', Path(sys.argv[1])).url, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    url = parent.stdout.readline().strip()
    assert requests.get(f"{url}/control/health", timeout=5).json() == {"ok": True}
    parent.kill()
    parent.wait()
    parent.stdout.close()

    def gone() -> bool:
        try:
            requests.get(f"{url}/control/health", timeout=1)
        except requests.ConnectionError:
            return True
        return False

    until(gone)


def test_the_clock_runs_on_from_where_it_was_put_or_stands_still(twin: RunningTwin) -> None:
    twin.control("clock", {"now": "2026-06-15T08:00:00Z"})
    assert twin.control("clock")["now"].startswith("2026-06-15T08:00:0")
    twin.control("clock", {"now": "2026-06-15T08:00:00Z", "frozen": True})
    assert twin.control("clock", {"advance_seconds": 570})["now"] == "2026-06-15T08:09:30+00:00"
    with pytest.raises(PermanentError, match="needs a zone"):
        twin.control("clock", {"now": "2026-06-15T08:00:00"})


def test_faults_hit_the_vendor_surface_only_as_often_as_asked(twin: RunningTwin) -> None:
    twin.control("faults", {"path": "/api/v1/", "status": 500, "times": 2})
    statuses = [requests.get(f"{twin.url}/api/v1/current/Me", timeout=5).status_code for _ in range(3)]
    assert statuses == [500, 500, 401]


def test_a_connection_can_be_cut_within_an_answer(twin: RunningTwin) -> None:
    twin.control("faults", {"path": "/api/v1/", "drop_after_bytes": 4})
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        requests.get(f"{twin.url}/api/v1/current/Me", timeout=5)
    assert requests.get(f"{twin.url}/api/v1/current/Me", timeout=5).text == "Unauthorized"


def test_a_twin_that_cannot_start_says_why(twin: RunningTwin, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        start_twin("sap", tmp_path, port=twin.facts["port"])
    assert "is taken" in refusal.value.cure


def test_who_starts_one_by_hand_reads_how_to_connect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    announce(TwinOptions(name="sap", home=tmp_path, is_watched=True), 4711, {"user": "U", "certificate": "-\n-", "agencies": {}})
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("sap listens on http://127.0.0.1:4711;") and said[1:] == ["  user: U"]
    announce(TwinOptions(name="sap", home=tmp_path), 4711)
    assert capsys.readouterr().out == ""
