"""The token pair in the hub's own vault, on both databases: two real processes, one refresh, no pair lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collecthub.store.database import Database
from collecthub.store.migrate import upgrade
from collecthub.store.secrets import ConnectionVault, MasterKey
from collecthub_erp_exact.tokens import PAIR

_WORKER = """
import datetime as dt, json, os, sys
from pathlib import Path
from collecthub.store.database import Database
from collecthub.store.secrets import ConnectionVault, MasterKey
from collecthub.testing.fakes import context
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.settings import ExactSettings
from collecthub_erp_exact.tokens import PAIR

class DyingVault(ConnectionVault):
    def write(self, name, value):
        if name == PAIR and job["dies"]:
            os._exit(9)
        super().write(name, value)

job = json.loads(sys.argv[1])
vault = DyingVault(Database(job["database"]), MasterKey(Path(job["key"])), "conn-test")
now = dt.datetime.fromisoformat(job["now"])
client = ExactClient(context(ExactSettings(**job["settings"]), vault=vault, now=lambda: now))
print("ready", flush=True)
sys.stdin.readline()
client.get(0, "current/Me", client.url(0, "current/Me"))
print(client.tokens.access_token(), flush=True)
"""


class Store:
    """The vault of one connection, and processes that use it."""

    def __init__(self, world: Any, database_url: str, folder: Path) -> None:
        self._world = world
        self._url = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        self._key = folder / "key"
        self.database = Database(self._url)
        upgrade(self.database)
        self.vault = ConnectionVault(self.database, MasterKey(self._key), "conn-test")
        world.vault = self.vault

    def worker(self, *, dies: bool = False) -> subprocess.Popen[str]:
        world = self._world
        settings = world.settings().model_dump(mode="json") | {"client_secret": "secret", "webhook_secret": None}
        job = {
            "database": self._url, "key": str(self._key), "now": world.clock().isoformat(), "settings": settings,
            "dies": dies,
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, json.dumps(job)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )  # fmt: skip
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        return process

    def pair(self) -> dict[str, Any]:
        return dict(json.loads(self.vault.read(PAIR) or "{}"))


@pytest.fixture
def store(world: Any, database_url: str, tmp_path: Path) -> Iterator[Store]:
    created = Store(world, database_url, tmp_path)
    yield created
    created.database.close()


def test_x1_two_processes_on_one_database_refresh_once(world: Any, store: Store) -> None:
    world.connected()
    before = world.token_calls().get("refresh_token granted", 0)
    world.advance(595)
    with store.worker() as one, store.worker() as two:
        answers = [process.communicate("go\n", timeout=60)[0].strip() for process in (one, two)]
    assert answers == [store.pair()["access_token"]] * 2
    assert world.token_calls()["refresh_token granted"] == before + 1


@pytest.mark.crash
def test_x2_a_process_killed_with_the_lease_in_its_hand_loses_nothing(world: Any, store: Store) -> None:
    """The lease of a killed process ends by itself after seconds; the answer that it did not store is found then."""
    world.connected()
    old = store.pair()
    world.advance(700)
    with store.worker(dies=True) as dying:
        dying.communicate("go\n", timeout=60)
        assert dying.returncode == 9
    assert store.pair() == old
    calls = world.token_calls()
    with store.worker() as next_one:
        token = next_one.communicate("go\n", timeout=60)[0].strip()
    assert token == store.pair()["access_token"] != old["access_token"]
    assert world.token_calls() == calls
