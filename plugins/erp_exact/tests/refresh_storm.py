"""Many processes ask for one token at once while some of them are killed: how many pairs get lost?

    python plugins/erp_exact/tests/refresh_storm.py --requests 10000

Each round makes the token old, lets `--together` processes ask for one at the same time and kills a share of them
(SIGKILL) at random moments between the common start and the time at which half of the round before had been answered.
Prints JSON with what was asked, killed, refreshed and lost. A pair is lost when the vendor asks for a new consent, or
when the pair in the vault is not the newest that the vendor has issued. Exit code 1 when one is, or when a process that
lived was given none within a minute and a half.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from collecthub.errors import ConsentError, RetryableError
from collecthub.sandbox.exact import CLIENT_ID, CLIENT_SECRET, DEFAULT_DIVISION, REDIRECT_URI
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.testing.fakes import FolderVault, context
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.settings import ExactSettings

_START = datetime(2026, 6, 15, 0, 0, 1, tzinfo=UTC)
_SECONDS_A_ROUND = 601
_LATE_SECONDS = 90.0
_FIRST_ROUND_SECONDS = 0.5


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def client_of(vault: FolderVault, url: str, now: datetime) -> ExactClient:
    settings = ExactSettings(
        base_url=url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uri=REDIRECT_URI,
        divisions=(DEFAULT_DIVISION,),
    )  # fmt: skip
    return ExactClient(context(settings, vault=vault, now=lambda: now))


class Told(NamedTuple):
    """What a process that lived was given, and how long after the start."""

    token: str
    seconds: float


class Asking(NamedTuple):
    """A process that asks, and a pipe of its own for its answer: who is killed can hold nobody else up."""

    process: ForkProcess
    answer: Connection


class Line(NamedTuple):
    """The two ends of a pipe that says nothing: all who wait at its mouth start when its tail is closed."""

    mouth: int
    tail: int


def ask(folder: Path, url: str, now: datetime, line: Line, answer: Connection) -> None:
    """One process: ask for a token when all are there, and go on asking while another one is at it."""
    client = client_of(FolderVault(folder), url, now)
    os.close(line.tail)
    os.read(line.mouth, 1)
    started = time.monotonic()
    while True:
        try:
            token = client.tokens.access_token()
            break
        except ConsentError as lost:
            token = f"LOST {lost.message}"
            break
        except RetryableError:
            if time.monotonic() > started + _LATE_SECONDS:
                raise
            time.sleep(0.05)
    answer.send(Told(token, time.monotonic() - started))


class Storm:
    """One twin, one vault, and rounds of processes."""

    def __init__(self, twin: RunningTwin, folder: Path, seed: int) -> None:
        self._twin = twin
        self._folder = folder
        self._random = random.Random(seed)
        self._now = _START
        self._kill_within = _FIRST_ROUND_SECONDS
        self._processes = multiprocessing.get_context("fork")  # no thread lives while processes are begun
        self.counts = dict.fromkeys(("requests", "killed", "unanswered", "refreshes", "lost_pairs"), 0)
        self._set_clock()

    def _set_clock(self) -> None:
        self._twin.control("clock", {"now": self._now.isoformat(), "frozen": True})

    def client(self) -> ExactClient:
        return client_of(FolderVault(self._folder), self._twin.url, self._now)

    def consent(self) -> None:
        """What a person's browser does."""
        client = self.client()
        query = f"client_id={CLIENT_ID}&response_type=code&redirect_uri={REDIRECT_URI}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
        try:
            opener.open(f"{self._twin.url}/api/oauth2/auth?{query}", timeout=10)
        except urllib.error.HTTPError as redirect:
            with redirect:
                client.tokens.take_code(parse_qs(urlsplit(redirect.headers["Location"]).query)["code"][0])
        client.close()

    def granted(self) -> int:
        return int(self._twin.control("tokens")["calls"].get("refresh_token granted", 0))

    def round(self, together: int, kill_share: float) -> None:
        self._now += timedelta(seconds=_SECONDS_A_ROUND)
        self._set_clock()
        before = self.granted()
        line = Line(*os.pipe())
        asking = [self._begin(line) for _ in range(together)]
        doomed = self._random.sample(asking, round(together * kill_share))
        killers = [threading.Thread(target=self._kill, args=(one.process,)) for one in doomed]
        os.close(line.tail)
        os.close(line.mouth)
        for killer in killers:
            killer.start()
        for thread_or_process in (*killers, *(one.process for one in asking)):
            thread_or_process.join()
        told: list[Told] = [one.answer.recv() for one in asking if one.process.exitcode == 0]
        self._kill_within = median(one.seconds for one in told) if told else _FIRST_ROUND_SECONDS
        lost = self._lost_after([one.token for one in told])
        self.counts["requests"] += together
        self.counts["killed"] += sum(one.process.exitcode == -9 for one in asking)
        self.counts["unanswered"] += sum(one.process.exitcode not in (0, -9) for one in asking)
        self.counts["refreshes"] += self.granted() - before
        self.counts["lost_pairs"] += lost
        for one in asking:
            one.answer.close()
            one.process.close()
        if lost:
            self.consent()

    def _begin(self, line: Line) -> Asking:
        answer, told = self._processes.Pipe(duplex=False)
        process = self._processes.Process(
            target=ask, args=(self._folder, self._twin.url, self._now, line, told)
        )
        process.start()
        told.close()
        return Asking(process, answer)

    def _kill(self, process: ForkProcess) -> None:
        """At any moment of a round."""
        time.sleep(self._random.uniform(0, self._kill_within))
        process.kill()

    def _lost_after(self, told: list[str]) -> int:
        """1 when this round's pair is lost: nobody may have been given another token than the one that works."""
        client = self.client()
        try:
            client.get(0, "current/Me", client.url(0, "current/Me"))
            token = client.tokens.access_token()
        except ConsentError:
            return 1
        finally:
            client.close()
        return int(any(one != token for one in told))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--requests", type=int, default=10_000)
    options.add_argument("--together", type=int, default=50)
    options.add_argument("--kills", type=float, default=0.3, help="share of the processes that is killed")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as home:
        twin = start_twin("exact", Path(home) / "twin", raised_limits=True)
        try:
            storm = Storm(twin, Path(home) / "vault", given.seed)
            storm.consent()
            started = time.monotonic()
            while storm.counts["requests"] < given.requests:
                storm.round(min(given.together, given.requests - storm.counts["requests"]), given.kills)
                print(json.dumps(storm.counts), file=sys.stderr)
            print(json.dumps(storm.counts | {"seconds": round(time.monotonic() - started, 1)}))
        finally:
            twin.stop()
    sys.exit(1 if storm.counts["lost_pairs"] or storm.counts["unanswered"] else 0)


if __name__ == "__main__":
    main()
