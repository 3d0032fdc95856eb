"""The token pair under race, crash and refusal (scenarios X1 to X4 of the vendor's field reports)."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from collecthub.errors import ConfigurationError, ConsentError, RetryableError
from collecthub.testing.fakes import FolderVault, MemoryVault
from collecthub_erp_exact import courier
from collecthub_erp_exact.tokens import ERRAND, PAIR

_WORKER = """
import datetime as dt, json, os, sys, time
from pathlib import Path
from collecthub.testing.fakes import FolderVault, context
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.settings import ExactSettings
from collecthub_erp_exact.tokens import PAIR

class DyingVault(FolderVault):
    '''Ends the process around the write of a token pair, as a power cut would.'''
    def write(self, name, value):
        if name == PAIR and job["dies"] == "before the write":
            os._exit(9)
        super().write(name, value)
        if name == PAIR and job["dies"] == "after the write":
            os._exit(9)

job = json.loads(sys.argv[1])
vault = DyingVault(Path(job["vault"]))
now = dt.datetime.fromisoformat(job["now"])
client = ExactClient(context(ExactSettings(**job["settings"]), vault=vault, now=lambda: now))
print("ready", flush=True)
sys.stdin.readline()
client.get(0, "current/Me", client.url(0, "current/Me"))
print(client.tokens.access_token(), flush=True)
"""


def worker(world: Any, vault_folder: Path, dies: str = "") -> subprocess.Popen[str]:
    settings = world.settings().model_dump(mode="json") | {"client_secret": "secret", "webhook_secret": None}
    job = {"vault": str(vault_folder), "now": world.clock().isoformat(), "settings": settings, "dies": dies}
    return subprocess.Popen(
        [sys.executable, "-c", _WORKER, json.dumps(job)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip


def release(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def pair(vault: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(vault.read(PAIR))
    return found


def refreshes(world: Any) -> int:
    return int(world.token_calls().get("refresh_token granted", 0))


def test_x1_two_processes_that_find_an_old_token_refresh_it_once(world: Any, vault_folder: Path) -> None:
    world.vault = FolderVault(vault_folder)
    world.connected()
    before, calls = pair(world.vault), refreshes(world)
    world.advance(595)
    world.twin.control("faults", {"path": "/api/oauth2/token", "delay_seconds": 0.4})
    with worker(world, vault_folder) as one, worker(world, vault_folder) as two:
        assert [line(one), line(two)] == ["ready", "ready"]
        release(one)
        release(two)
        tokens = [line(one), line(two)]
        assert [one.wait(20), two.wait(20)] == [0, 0]
    assert refreshes(world) == calls + 1
    assert tokens == [pair(world.vault)["access_token"]] * 2
    assert tokens[0] != before["access_token"]


def test_many_threads_refresh_once(world: Any) -> None:
    world.connected()
    calls = refreshes(world)
    world.advance(601)
    seen: list[str] = []
    connectors = [world.connector() for _ in range(6)]
    threads = [
        threading.Thread(target=lambda one=one: seen.append(one._client.tokens.access_token()))
        for one in connectors
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(seen) == 6 and len(set(seen)) == 1
    assert refreshes(world) == calls + 1


def test_x2_a_process_killed_after_the_pair_was_stored_loses_nothing(world: Any, vault_folder: Path) -> None:
    world.vault = FolderVault(vault_folder)
    world.connected()
    world.advance(700)
    with worker(world, vault_folder, dies="after the write") as dying:
        assert line(dying) == "ready"
        release(dying)
        assert dying.wait(20) == 9
    calls = world.token_calls()
    assert [step.is_ok for step in world.connector().check()][:4] == [True] * 4
    assert world.token_calls() == calls


def test_x2_a_process_killed_between_the_answer_and_the_vault_loses_nothing(
    world: Any, vault_folder: Path
) -> None:
    world.vault = FolderVault(vault_folder)
    world.connected()
    old = pair(world.vault)
    world.advance(700)
    with worker(world, vault_folder, dies="before the write") as dying:
        assert line(dying) == "ready"
        release(dying)
        assert dying.wait(20) == 9
    assert pair(world.vault) == old
    kept = Path(json.loads(world.vault.read(ERRAND))["path"])
    content = kept.read_bytes()
    assert len(content) > 100 and b"token" not in content and b"stamp" not in content
    assert kept.stat().st_mode & 0o077 == 0
    calls = world.token_calls()
    world.connector()._client.get(0, "current/Me", "/api/v1/current/Me")
    assert not kept.exists()
    assert pair(world.vault)["refresh_token"] != old["refresh_token"]
    assert world.token_calls() == calls


def test_x2_a_pair_lost_with_its_machine_ends_in_one_notice_and_no_further_calls(
    world: Any, vault_folder: Path
) -> None:
    """Nothing of the answer is left: not in the vault and not in the file that the courier kept."""
    world.vault = FolderVault(vault_folder)
    world.connected()
    world.advance(700)
    with worker(world, vault_folder, dies="before the write") as dying:
        assert line(dying) == "ready"
        release(dying)
        assert dying.wait(20) == 9
    Path(json.loads(world.vault.read(ERRAND))["path"]).unlink()
    with pytest.raises(ConsentError, match="Old refresh token used") as told:
        world.connector()._client.tokens.access_token()
    assert "Reconnect" in told.value.cure
    calls = world.token_calls()
    for _ in range(3):
        with pytest.raises(ConsentError, match="Old refresh token used"):
            list(world.connector().pull(""))
    assert world.token_calls() == calls
    connector = world.connector()
    world.consent(connector)
    assert connector._client.tokens.access_token()


def test_x3_a_token_is_not_refreshed_before_second_570(world: Any) -> None:
    connector = world.connected()
    calls = world.token_calls()
    world.advance(400)
    assert connector._client.tokens.access_token() == pair(world.vault)["access_token"]
    world.advance(169)
    world.connector()._client.tokens.access_token()
    assert world.token_calls() == calls


def test_x3_a_refresh_that_the_vendor_finds_too_early_keeps_the_old_pair(world: Any) -> None:
    """The hub's clock runs ahead of the vendor's."""
    connector = world.connected()
    old = pair(world.vault)
    world.clock.advance(580)
    assert connector._client.tokens.access_token() == old["access_token"]
    assert pair(world.vault) == old
    assert world.token_calls().get("access_denied", 0) >= 1
    world.clock.advance(100)
    with pytest.raises(RetryableError, match="not yet due"):
        connector._client.tokens.access_token()
    assert pair(world.vault) == old


def test_x4_a_connection_that_was_idle_for_31_days_needs_consent_and_others_do_not(world: Any) -> None:
    world.connected()
    idle, world.vault = world.vault, MemoryVault()
    world.advance(20 * 86_400)
    world.connected()
    world.advance(11 * 86_400 + 5)
    assert world.connector()._client.tokens.access_token()
    world.vault = idle
    with pytest.raises(ConsentError, match="The refresh token expired at"):
        world.connector()._client.tokens.access_token()
    assert "expired at" in pair(idle)["consent_needed"]


def test_a_lost_answer_is_asked_for_again_and_tells_the_truth(world: Any) -> None:
    connector = world.connected()
    world.advance(700)
    world.twin.control("faults", {"path": "/api/oauth2/token", "drop_after_bytes": 10})
    with pytest.raises(RetryableError, match="was lost"):
        connector._client.tokens.access_token()
    with pytest.raises(ConsentError, match="Old refresh token used"):
        connector._client.tokens.access_token()


def test_trouble_at_the_token_endpoint_costs_nothing(world: Any) -> None:
    connector = world.connected()
    world.advance(700)
    world.twin.control("faults", {"path": "/api/oauth2/token", "status": 503, "times": 2})
    for _ in range(2):
        with pytest.raises(RetryableError):
            connector._client.tokens.access_token()
    assert connector._client.tokens.access_token()


def test_a_wrong_secret_is_a_setting_to_repair_and_keeps_the_pair(world: Any) -> None:
    world.connected()
    old = pair(world.vault)
    world.advance(700)
    with pytest.raises(ConfigurationError, match="renew the token") as told:
        world.connector(client_secret="wrong")._client.tokens.access_token()
    assert "client secret" in told.value.cure and "wrong" not in str(told.value)
    assert pair(world.vault) == old


def test_a_refused_code_is_told(world: Any) -> None:
    connector = world.connector()
    code = world.code(connector)
    connector.finish_consent(code)
    with pytest.raises(ConsentError, match="refused the consent"):
        connector.finish_consent(code)


def test_a_consent_whose_answer_was_lost_has_to_be_given_again(world: Any) -> None:
    connector = world.connector()
    code = world.code(connector)
    world.twin.control("faults", {"path": "/api/oauth2/token", "drop_after_bytes": 10})
    with pytest.raises(ConsentError, match="was lost") as told:
        connector.finish_consent(code)
    assert "Reconnect" in told.value.cure
    world.consent(connector)
    assert connector._client.tokens.access_token()


def test_the_daily_allowance_of_token_calls_is_not_overrun(world: Any) -> None:
    """A clock that runs wild must not use up the 200 calls that a person's consent needs as well."""
    connector = world.connected()
    world.advance(601)
    connector._client.tokens.access_token()
    errand = json.loads(world.vault.read(ERRAND))
    world.vault.write(ERRAND, json.dumps(errand | {"calls": 190}))
    world.advance(601)
    calls = world.token_calls()
    with pytest.raises(RetryableError, match="190 times today"):
        connector._client.tokens.access_token()
    assert world.token_calls() == calls
    world.advance(86_400)
    assert connector._client.tokens.access_token()


def test_a_refresh_of_another_host_is_left_to_it_for_five_minutes(world: Any) -> None:
    connector = world.connected()
    world.advance(601)
    digest = hashlib.sha256(pair(world.vault)["refresh_token"].encode()).hexdigest()
    errand = courier.Errand(digest, world.clock(), "another-host", "/nowhere/at-all", b"", 1)
    world.vault.write(ERRAND, errand.text())
    calls = world.token_calls()
    with pytest.raises(RetryableError, match="being renewed"):
        connector._client.tokens.access_token()
    assert world.token_calls() == calls
    world.advance(301)
    assert connector._client.tokens.access_token()


def test_without_consent_a_pull_says_so(world: Any) -> None:
    with pytest.raises(ConsentError, match="no consent"):
        list(world.connector().pull(""))


def test_a_lease_runs_out_and_excludes_until_then() -> None:
    vault = MemoryVault()
    with vault.exclusive("name", 60), pytest.raises(RetryableError), vault.exclusive("name", 60):
        pass
    with vault.exclusive("name", 60):
        pass
    stuck = vault.exclusive("name", 0)
    stuck.__enter__()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with vault.exclusive("name", 1):
            break
