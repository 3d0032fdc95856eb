"""`partner profile check` against a bailiff's real SFTP server, and the alarm ahead of a key's end."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cli.conftest import Run
from collecthub.config import load_settings
from collecthub.engine.clock import tick
from collecthub.engine.context import Hub
from collecthub.engine.key_watch import KIND
from collecthub.hub import open_hub
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.store import tables as t
from collecthub.store.facts import remove_fact
from collecthub.testing.inline import InlineQueue
from collecthub.wire.crypto import generate_identity, generate_login_key, login_public_key

LOGIN = generate_login_key()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    twin = start_twin("bailiff", tmp_path_factory.mktemp("bailiff"), settings={"seed": "t"})
    pem = generate_identity("hub", bits=2048).certificate_pem.decode()
    known = {"certificate_pem": pem, "ssh_public_key": login_public_key(LOGIN), "sender_ref": "collecthub"}
    twin.control("hub", known)
    yield twin
    twin.stop()


@pytest.fixture
def peeters(home: Path, office: RunningTwin, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words that add a line to the office; its own certificate ends in twenty days."""
    monkeypatch.setenv("COLLECTHUB_ALLOW_LOOPBACK", "true")
    own = generate_identity("hub", bits=2048, days=20)
    files = {
        "key": own.private_key_pem, "cert": own.certificate_pem, "login": LOGIN,
        "partner": office.facts["certificate_pem"].encode(),
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    run("partner", "add", "peeters", "--name", "Peeters", "--role", "bailiff")
    facts = office.facts
    return [
        "connection", "add", "sftp_batch", "--name", "Peeters by SFTP", "--partner", "peeters", "--json",
        "--set", f"host={facts['sftp_host']}", "--set", f"port={facts['sftp_port']}", "--set", f"username={facts['username']}",
        "--set", f"partner_certificate=@{tmp_path / 'partner'}", "--set", f"own_certificate=@{tmp_path / 'cert'}",
        "--secret-file", f"own_key={tmp_path / 'key'}", "--secret-file", f"private_key={tmp_path / 'login'}",
        "--set", "zone=Europe/Brussels", "--set", "opens_at=08:00", "--set", "cut_off_at=16:30",
    ]  # fmt: skip


def told(outcome: Any) -> Any:
    return json.loads(outcome.stdout)


def seen(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_partner_that_can_be_reached_is_described_and_left_as_it_was(peeters: list[str], office: RunningTwin, run: Run) -> None:
    run(*peeters, "--set", f"host_key_fingerprints={office.facts['host_key_fingerprint']}")
    before = seen(office.home / "sftp")
    report = told(run("partner", "profile", "check", "peeters", "--json"))
    assert seen(office.home / "sftp") == before
    (line,) = report["lines"]
    assert report["is_ok"] and [step["name"] for step in line["steps"] if step["is_ok"]][-3:] == ["host key", "login", "folders"]
    says = {one["topic"]: one["says"] for one in line["profile"]}
    assert says["format"].startswith("case exchange 1.0") and "(Europe/Brussels)" in says["opening hours"]
    keys = {key["key"]: key for key in line["keys"]}
    assert keys["own certificate"]["days_left"] == 19 and "Make a new pair" in keys["own certificate"]["cure"]
    assert keys["partner certificate"]["cure"] == ""  # the office's own is good for years
    shown = run("partner", "profile", "check", "peeters").stdout
    assert "A dispatch would go through." in shown and "level 3" in shown and "BEGIN" not in shown


def test_a_changed_host_key_fails_with_its_cure(peeters: list[str], run: Run) -> None:
    run(*peeters, "--set", "host_key_fingerprints=SHA256:another")
    (line,) = told(run("partner", "profile", "check", "peeters", "--json", wanted=1))["lines"]
    failed = [step for step in line["steps"] if not step["is_ok"]]
    assert [step["name"] for step in failed] == ["host key"] and "over another channel" in failed[0]["cure"]


def test_a_partner_without_a_line_is_said_to_have_none(home: Path, run: Run) -> None:
    assert "connection add" in run("partner", "profile", "check", "nobody", wanted=3).output


def test_a_partner_who_calls_the_hub_is_described_as_well(home: Path, run: Run) -> None:
    run("partner", "add", "moulin", "--name", "Moulin", "--role", "lawyer")
    run("connection", "add", "mailbox", "--name", "Box", "--partner", "moulin")
    (line,) = told(run("partner", "profile", "check", "moulin", "--json"))["lines"]
    says = {one["topic"]: one["says"] for one in line["profile"]}
    assert "until the partner fetches it" in says["delivery"] and line["keys"] == []


def alarms(hub: Hub) -> list[tuple[str, str]]:
    with hub.database.read() as conn:
        rows = conn.execute(sa.select(t.tasks.c.title, t.tasks.c.state).where(t.tasks.c.kind == KIND)).all()
    return [(row.title, row.state) for row in rows]


def next_day(hub: Hub) -> None:
    """The watch looks once a day: let it look again."""
    with hub.work() as work:
        remove_fact(work.conn, "keys_watched_on")
    tick(hub)


def test_a_key_that_ends_soon_becomes_one_task_until_it_is_changed(peeters: list[str], run: Run, office: RunningTwin) -> None:
    made = told(run(*peeters, "--set", f"host_key_fingerprints={office.facts['host_key_fingerprint']}"))
    hub = open_hub(load_settings())
    hub.queue = InlineQueue()
    far = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
    with hub.work() as work:  # nobody is listened to here: the clock alone is looked at
        work.conn.execute(sa.update(t.connections).values(next_due_at=far))
    tick(hub)
    ((title, state),) = alarms(hub)
    assert title.startswith("Peeters by SFTP: the own certificate ends on ") and state == "open"
    with hub.work() as work:
        work.conn.execute(sa.update(t.tasks).where(t.tasks.c.kind == KIND).values(state="done"))
    next_day(hub)
    assert [state for _, state in alarms(hub)] == ["done"]  # ticked off is ticked off, until the next stage
    with hub.work() as work:
        work.conn.execute(sa.update(t.tasks).where(t.tasks.c.kind == KIND).values(state="open"))
        work.conn.execute(sa.delete(t.connections).where(t.connections.c.connection_id == made["connection_id"]))
    next_day(hub)
    assert [state for _, state in alarms(hub)] == ["done"]  # the key is in use no more
    hub.close()
