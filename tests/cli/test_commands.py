"""Commands on a hub of their own: answers, exit codes, and JSON that is alone on standard output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from cli.conftest import Run
from collecthub.config import load_settings
from collecthub.hub import open_hub
from collecthub.store.audit import verify_audit

pytestmark = pytest.mark.usefixtures("home")


def answer(outcome: Result) -> Any:
    return json.loads(outcome.stdout)


EXACT = (
    "connection", "add", "erp_exact", "--name", "Exact", "--creditor", "kroon", "--set", "client_id=app",
    "--set", "redirect_uri=https://hub.example/back", "--set", "divisions=1,2",
)  # fmt: skip


def test_creditors_and_partners_are_added_and_listed(run: Run) -> None:
    run("creditor", "add", "Moulin", "--country", "fr", "--id", "moulin", "--owner", "Nora")
    run("partner", "add", "peeters", "--name", "Peeters", "--role", "bailiff", "--countries", "be,lu", "--minimum", "25")
    creditors = answer(run("creditor", "list", "--json"))["items"]
    assert [(one["creditor_id"], one["party"]["country"]) for one in creditors] == [("kroon", "BE"), ("moulin", "FR")]
    (partner,) = answer(run("partner", "list", "--json"))["items"]
    assert (partner["partner_id"], partner["countries"]) == ("peeters", ["BE", "LU"])
    assert "Peeters" in run("partner", "list").stdout


def test_a_secret_comes_from_a_file_and_is_never_printed(run: Run, home: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("geheim-1234\n", encoding="utf-8")
    made = answer(run(*EXACT, "--secret-file", f"client_secret={secret}", "--json"))
    shown = run("connection", "show", made["connection_id"], "--json")
    detail = answer(shown)
    assert detail["settings"]["divisions"] == [1, 2]
    assert detail["connection"]["mode"] == "shadow"
    assert "geheim" not in shown.stdout + run("connection", "show", made["connection_id"]).output
    assert b"geheim" not in b"".join(path.read_bytes() for path in home.glob("hub.sqlite3*"))


@pytest.mark.parametrize(
    ("words", "wanted", "said"),
    [
        ((*EXACT, "--set", "client_secret=geheim"), 2, "is a secret"),
        (EXACT, 2, "client_secret is missing"),
        ((*EXACT, "--set", "colour=red"), 2, "no field 'colour'"),
        ((*EXACT, "--set", "client_id=@/nowhere/file"), 3, "cannot be used"),
        (("connection", "add", "erp_nothing", "--name", "x"), 3, "plugin list"),
        (("connection", "show", "nobody"), 1, "no connection nobody"),
        (("case", "show", "nobody"), 1, "no case nobody"),
        (("case", "list", "--status", "flying"), 2, "flying"),
        (("case", "list", "--minimum", "5"), 2, "currency"),
        (("case", "list", "--minimum", "many"), 2, "not an amount"),
        (("case", "list", "--cursor", "forged"), 2, "cursor"),
        (("case", "list", "--limit", "0"), 2, "limit"),
        (("fence", "release"), 1, "not fenced"),
        (("key", "revoke", "nobody"), 1, "no live key"),
        (("task", "done", "nobody"), 1, "no task nobody"),
        (("quarantine", "retry", "nobody"), 1, "no quarantine entry"),
        (("demo", "--resume"), 3, "no demo to resume"),
        (("demo", "--debtor-countries", "BE,Uruguay"), 2, "Uruguay"),
        (("demo", "--as-of", "2026-13-01"), 2, "2026-13-01"),
        (("sandbox", "moon", "--home", "x"), 2, "moon"),
        (("status", "translate", "--from", "moon", "1"), 1, "moon"),
        (("nonsense",), 2, "nonsense"),
    ],
    ids=lambda value: "_".join(value)[-40:] if isinstance(value, tuple) else None,
)
def test_what_is_wrong_is_said_with_the_right_exit_code(
    run: Run, words: tuple[str, ...], wanted: int, said: str
) -> None:
    outcome = run(*words, wanted=wanted)
    assert said in " ".join(outcome.stderr.replace("│", " ").split())
    assert outcome.stdout == ""
    assert "Traceback" not in outcome.output


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("COLLECTHUB_DATABASE", "sqlite:///x", "COLLECTHUB_DATABASE is no setting, COLLECTHUB_DATABASE_URL is"),
        ("COLLECTHUB_PROT", "80", "COLLECTHUB_PORT is"),
        ("COLLECTHUB_DATABASE_URL", "mysql://hub:geheim@db/hub", "Use sqlite:///"),
        ("COLLECTHUB_DATABASE_URL", "postgresql://hub:geheim@db:port/hub", "no address of a database"),
    ],
)
def test_a_wrong_variable_is_one_clear_error(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv("COLLECTHUB_REQUIRE_ALL", "1")
    run("creditor", "list")
    assert not caplog.messages
    monkeypatch.setenv("COLLECTHUB_SOMETHING_ELSE", "geheim of whoever runs the hub")
    run("creditor", "list")
    ignored = [message for message in caplog.messages if "COLLECTHUB_SOMETHING_ELSE" in message]
    assert len(ignored) == 1
    assert "docs/settings.md" in ignored[0]
    assert "geheim" not in ignored[0]
    monkeypatch.setenv(variable, value)
    refused = run("creditor", "list", wanted=3)
    assert said in refused.stderr
    assert "geheim" not in refused.output
    assert len(refused.stderr.splitlines()) == 1


def test_debug_adds_the_stack_trace_and_keeps_the_exit_code(run: Run) -> None:
    assert "Traceback" in run("case", "show", "nobody", "--debug", wanted=1).stderr


def test_people_and_keys_come_and_go_and_the_audit_trail_knows(run: Run, home: Path) -> None:
    made = answer(run("user", "add", "a@example.org", "--role", "creditor", "--creditor", "kroon", "--json"))
    assert len(made["password"]) >= 10
    run("user", "add", "b@example.org", "--role", "creditor", wanted=1)
    run("user", "add", "b@example.org", "--role", "creditor", "--creditor", "nobody", wanted=1)
    assert [user["email"] for user in answer(run("user", "list", "--json"))["items"]] == ["a@example.org"]
    changed = answer(run("user", "password", "A@example.org", "--json"))
    assert changed["user_id"] == made["user_id"] and changed["password"] != made["password"]
    run("user", "password", "nobody@example.org", wanted=1)
    run("user", "disable", "A@example.org")
    assert answer(run("user", "list", "--json"))["items"] == []
    key = answer(run("key", "add", "ci", "--json"))
    (listed,) = answer(run("key", "list", "--json"))["items"]
    assert key["key"].startswith("ch_operator_")
    assert key["key"] not in run("key", "list", "--json").stdout
    assert listed["revoked_at"] is None
    run("key", "revoke", key["key_id"])
    assert answer(run("key", "list", "--json"))["items"][0]["revoked_at"] is not None
    hub = open_hub(load_settings({}, home=home))
    with hub.database.read() as conn:
        assert verify_audit(conn) == ""
        actions = [row.action for row in conn.exec_driver_sql("SELECT action FROM audit ORDER BY position")]
    hub.close()
    assert actions == ["user.added", "user.password", "user.disabled", "key.created", "key.revoked"]


def test_every_list_is_a_page_of_items(run: Run) -> None:
    for words in (
        ("partner", "list"), ("connection", "list"), ("case", "list"), ("task", "list"),
        ("quarantine", "list"), ("dispatch", "list"), ("user", "list"), ("key", "list"),
    ):  # fmt: skip
        assert answer(run(*words, "--json")) == {"items": [], "next_cursor": None}, words
    plugins = answer(run("plugin", "list", "--json"))["items"]
    assert {"erp_exact", "erp_sap", "sftp_batch"} <= {plugin["name"] for plugin in plugins if plugin["is_loaded"]}
    rooms = answer(run("map", "--json"))["items"]
    assert [room["room"] for room in rooms if room["belt"] == "BACK"] == ["receive", "record", "report"]


def test_a_fresh_hub_is_whole_and_idle(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTHUB_HOME", str(tmp_path / "fresh"))
    assert answer(run("db", "status", "--json", wanted=1))["schema"] is None
    assert answer(run("db", "upgrade", "--json"))["is_current"] is True
    assert answer(run("db", "status", "--json"))["is_current"] is True
    assert answer(run("verify", "--json")) == {"cases_checked": 0, "findings": [], "audit_problem": None}
    assert answer(run("reconcile", "--json"))["ledger_difference"] == "0"
    woken = run("sync", "--json")
    assert answer(woken)["is_hub_working"] is False
    assert "collecthub serve" in woken.stderr


def test_offline_commands_leave_no_trace(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTHUB_HOME", str(tmp_path / "fresh"))
    run("map")
    found = answer(run("status", "translate", "--from", "riverty", "UNKNOWN_ADDRESS", "--json"))
    assert found["outcome"] == "untraceable"
    bad = tmp_path / "bad.xml"
    bad.write_text("<!DOCTYPE x><Exchange/>", encoding="utf-8")
    verdict = answer(run("exchange", "validate", str(bad), "--json", wanted=1))
    assert (verdict["is_valid"], verdict["faults"][0]["code"]) == (False, "xml.doctype")
    good = Path(__file__).parents[2] / "docs" / "handbook" / "examples" / "hand-over.xml"
    assert answer(run("exchange", "validate", str(good), "--json"))["faults"] == []
    assert not (tmp_path / "fresh").exists()


def test_generated_pages_are_checked_file_by_file(run: Run, tmp_path: Path) -> None:
    pages = str(tmp_path / "checkout")
    written = run("docs", "--folder", pages).stdout
    assert "docs/hooks.md" in written
    assert run("docs", "--check", "--folder", pages).stdout == ""
    page = tmp_path / "checkout" / "docs" / "settings.md"
    assert "`COLLECTHUB_DATABASE_URL`" in page.read_text(encoding="utf-8")
    page.write_text("outdated", encoding="utf-8")
    stale = run("docs", "--check", "--folder", pages, "--json", wanted=1)
    assert answer(stale)["items"] == [{"file": "docs/settings.md"}]
    assert page.read_text(encoding="utf-8") == "outdated"


@pytest.mark.parametrize("typed", ["1e2", "\u0661\u0662", "1,50", "NaN", " 1"])
def test_an_amount_that_is_no_plain_decimal_is_no_option(run: Run, home: Path, typed: str) -> None:
    shown = run("partner", "add", "x", "--name", "X", "--role", "lawyer", "--minimum", typed, wanted=2)
    assert "not an amount" in shown.output
