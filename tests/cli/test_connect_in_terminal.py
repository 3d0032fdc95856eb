"""Connecting Exact Online in a real terminal: what a person is asked, the consent in a browser, and the check at the end."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from cli.conftest import Run
from collecthub.sandbox.exact import CLIENT_ID, CLIENT_SECRET
from collecthub.sandbox.exact_books import DEFAULT_DIVISION
from collecthub.sandbox.twin import RunningTwin, start_twin

Answers = Callable[..., Any]
COMMAND = [sys.executable, "-c", "from collecthub.cli.main import app; app()"]
_SECONDS = 60.0


class Terminal:
    """A command in a pseudo-terminal; what it printed is kept."""

    def __init__(self, *words: str, environ: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [*COMMAND, *words], stdin=slave, stdout=slave, stderr=slave, env={**os.environ, **environ}, close_fds=True
        )
        os.close(slave)
        self.seen = ""
        self._read_to = 0

    def until(self, pattern: str) -> re.Match[str]:
        """Read on until a pattern stands in what was not looked at yet."""
        deadline = time.monotonic() + _SECONDS
        while True:
            found = re.search(pattern, self.seen[self._read_to :])
            if found is not None:
                self._read_to += found.end()
                return found
            ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{pattern!r} never came; seen:\n{self.seen}"
            try:
                self.seen += os.read(self._master, 65536).decode("utf-8", "replace")
            except OSError as error:  # Linux: the other end is closed
                raise AssertionError(f"it ended before {pattern!r}; seen:\n{self.seen}") from error

    def type(self, text: str) -> None:
        os.write(self._master, f"{text}\n".encode())

    def end(self) -> int:
        """The exit code, after everything was read."""
        while True:
            try:
                if not os.read(self._master, 65536):
                    break
            except OSError:
                break
        os.close(self._master)
        return self._process.wait(_SECONDS)


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        "COLLECTHUB_HOME": str(home), "COLLECTHUB_ALLOW_LOOPBACK": "true", "COLLECTHUB_PORT": str(port), "COLUMNS": "200",
    }  # fmt: skip


@pytest.fixture
def answers(run: Run, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Call it with the words of a command for its JSON; the command runs in this process."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return lambda *words: json.loads(run(*words, "--json").stdout)


@pytest.fixture
def exact(tmp_path: Path, environ: dict[str, str]) -> Iterator[RunningTwin]:
    callback = f"http://127.0.0.1:{environ['COLLECTHUB_PORT']}/oauth/callback"
    twin = start_twin("exact", tmp_path / "exact", settings={"redirect_uri": callback})
    twin.control("load", {"customers": [], "items": []})
    yield twin
    twin.stop()


def test_a_person_is_led_from_the_kind_to_a_working_connection(
    exact: RunningTwin, environ: dict[str, str], answers: Answers
) -> None:
    terminal = Terminal("connection", "add", "erp_exact", environ=environ)
    terminal.until(r"Name for people \[Exact Online\]")
    terminal.type("Books of De Kroon")
    terminal.until(r"kroon +Brouwerij De Kroon")
    terminal.until(r"Id of the creditor \[kroon\]")
    terminal.type("")
    terminal.until(r"https://start\.exactonline\.nl")  # country hosts to pick from
    terminal.until(r"Base address \[")
    terminal.type(exact.url)
    terminal.until(r"Client ID")
    terminal.type(CLIENT_ID)
    terminal.until(r"Client secret: ")
    terminal.type(CLIENT_SECRET)
    terminal.until(r"Redirect address \[http://127\.0\.0\.1:\d+/oauth/callback\]")
    terminal.type("")
    terminal.until(r"more settings that have a default\?")
    terminal.type("n")
    terminal.until(r"Added: \S+")
    url = terminal.until(r"(http://\S+/api/oauth2/auth\S+)")[1]
    terminal.until(r"Press Enter")
    terminal.type("")  # too early
    terminal.until(r"No answer has come yet")
    back = requests.get(url, timeout=10)  # the browser: the vendor sends it back, and this very command answers
    assert (back.status_code, "Consent is given" in back.text) == (200, True)
    terminal.until(r"Press Enter")
    terminal.type("")
    terminal.until(r"Consent is given\.")
    terminal.until(rf"{DEFAULT_DIVISION} +Main company")
    terminal.until(r"Divisions to pull.*\[")
    terminal.type("")
    terminal.until(r"token +yes")
    assert terminal.end() == 0
    assert CLIENT_SECRET not in terminal.seen
    (row,) = answers("connection", "list")["items"]
    assert (row["name"], row["status"], row["cause"], row["mode"]) == ("Books of De Kroon", "ok", "", "shadow")
    listed = answers("connection", "divisions", row["connection_id"])["items"]
    assert listed == [{"division_ref": str(DEFAULT_DIVISION), "name": "Main company", "is_chosen": True}]


def test_without_a_terminal_the_same_goes_by_options(
    exact: RunningTwin, environ: dict[str, str], answers: Answers, run: Run, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(CLIENT_SECRET, encoding="utf-8")
    callback = f"http://127.0.0.1:{environ['COLLECTHUB_PORT']}/oauth/callback"
    made = answers(
        "connection", "add", "erp_exact", "--name", "Exact", "--creditor", "kroon", "--set",
        f"base_url={exact.url}", "--set", f"client_id={CLIENT_ID}", "--set", f"redirect_uri={callback}", "--secret-file",
        f"client_secret={secret}",
    )["connection_id"]  # fmt: skip
    begun = answers("connection", "consent", made)
    assert begun["is_consented"] is False
    back = requests.get(begun["url"], allow_redirects=False, timeout=10).headers["location"]
    given = answers("connection", "consent", made, "--code", back)
    assert given["is_consented"] is True
    assert "answered before" in run("connection", "consent", made, "--code", back, wanted=1).stderr
    answers("connection", "divisions", made, "--choose", str(DEFAULT_DIVISION))
    assert answers("connection", "check", made)["is_ok"] is True
    changed = answers("connection", "set", made, "--set", "amount_sign=-1", "--name", "Exact BE")
    assert (changed["connection"]["name"], changed["settings"]["amount_sign"]) == ("Exact BE", -1)
    answers("connection", "stop", made)
    assert answers("connection", "list")["items"][0]["cause"] == "person"
    answers("connection", "resume", made)
    assert answers("connection", "runs", made) == {"items": [], "next_cursor": None}
