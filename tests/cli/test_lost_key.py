"""A hub that came back without its master key says so and makes no other one; and what it cannot read keeps no `run` waiting."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from cli.conftest import Run
from cli.test_processes import command
from collecthub.engine.debtor_links import link_of
from collecthub.engine.inbound import keep_inbound
from collecthub.hub import open_client
from collecthub.ports import RawMessage
from collecthub.store.audit import verify_audit
from collecthub.store.connections import read_connection

KEY = Path("keys", "master.key")
PARTNER = ("partner", "add", "peeters", "--name", "Peeters", "--role", "bailiff", "--countries", "be")
LINE = (
    "connection", "add", "partner_network", "--name", "Line of Peeters", "--partner", "peeters",
    "--set", "base_url=https://127.0.0.1:1/", "--json",
)  # fmt: skip


@pytest.fixture
def line(run: Run, home: Path, tmp_path: Path) -> str:
    """A connection with a secret and a message that waits to be read."""
    token = tmp_path / "token"
    token.write_text("geheim-1234", encoding="utf-8")
    run(*PARTNER)
    connection_id = str(json.loads(run(*LINE, "--secret-file", f"token={token}").stdout)["connection_id"])
    with closing(open_client()) as hub, hub.work() as work:
        row = read_connection(work.conn, connection_id)
        assert row is not None
        assert keep_inbound(hub, work, row, RawMessage(remote_ref="1", media_type="application/json", content=b"{}"))
        link_of(hub, work, "case-1")
    return connection_id


@pytest.fixture
def second(run: Run, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same hub, brought back elsewhere without its key."""
    run("backup", str(tmp_path / "b.tar"))
    monkeypatch.setenv("COLLECTHUB_HOME", str(tmp_path / "second"))
    assert "forget-secrets" in run("restore", str(tmp_path / "b.tar")).stderr
    return tmp_path / "second"


def test_no_other_key_is_made_while_something_is_sealed(run: Run, home: Path, second: Path) -> None:
    refused = run("case", "list", wanted=3)
    assert str(second / KEY) in refused.stderr
    assert "2 secrets and debtors' addresses" in refused.stderr
    assert "collecthub db forget-secrets" in refused.stderr
    assert not (second / KEY).exists()
    (second / "keys").mkdir()
    shutil.copy(home / KEY, second / KEY)
    run("case", "list")
    kept = json.loads(run("db", "forget-secrets", "--yes", "--json").stdout)
    assert kept == {"secrets": [], "debtor_pages": 0}, "what can be read is never given up"


def test_a_lost_key_is_said_and_a_line_without_its_secret_keeps_no_run_waiting(
    run: Run, line: str, second: Path, tmp_path: Path
) -> None:
    run("db", "forget-secrets", wanted=1, typed="n\n")
    run("case", "list", wanted=3)
    gone = json.loads(run("db", "forget-secrets", "--yes", "--json").stdout)
    assert gone == {"secrets": [f"{line}/setting:token"], "debtor_pages": 1}
    run("case", "list")
    worked = command(second, "run", "--json")
    assert worked.returncode == 1, worked.stderr
    left = json.loads(worked.stdout)
    assert (left["jobs"], left["inbox"]) == (0, 1)
    assert f"Line of Peeters ({line})" in worked.stderr
    assert "stopped" in worked.stderr
    assert f"connection check {line}" in worked.stderr
    with closing(open_client()) as hub, hub.database.read() as conn:
        assert verify_audit(conn) == ""
    (tmp_path / "new").write_text("nieuw-5678", encoding="utf-8")
    run("connection", "set", line, "--secret-file", f"token={tmp_path / 'new'}")


def test_a_stopped_line_keeps_no_run_waiting(run: Run, line: str) -> None:
    run("connection", "stop", line)
    worked = run("run", "--json", wanted=1)  # would go on for ten minutes
    left = json.loads(worked.stdout)
    assert {name: count for name, count in left.items() if count} == {"inbox": 1, "stopped": 1}
    assert f"1 to send or to read of Line of Peeters ({line}): the connection is stopped." in worked.stderr
    assert f"connection resume {line}" in worked.stderr
