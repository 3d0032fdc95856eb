"""Case commands on a hub that has handed cases over; what the partner was given is the witness."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from walk.scripted import World

from cli import restored_house
from cli.conftest import Run
from cli.restored_house import BookedPlugin, furnish, hub_on, settings_for, work_all
from collecthub.engine.context import Hub
from collecthub.formats.xml import XmlFormat
from collecthub.hub import load_all_plugins
from collecthub.model.exchange import CaseFile
from collecthub.plugins import PluginSet
from collecthub.store import tables as t
from collecthub.store.connections import SHADOW, change_connection
from collecthub.testing.inline import run_until_idle


@pytest.fixture
def world() -> World:
    world = World()
    world.invoice("1", "A", "2026-05-01", "100.00")
    world.invoice("2", "B", "2026-05-01", "50.00")
    return world


@pytest.fixture
def hub(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A furnished hub, and commands that see the same home and the same plugin."""
    monkeypatch.setenv("COLLECTHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLLECTHUB_BUSINESS_DATE", restored_house.TODAY.isoformat())

    def with_booked(settings: object) -> PluginSet:
        plugins = load_all_plugins(settings_for(tmp_path / "home"))
        plugins.add("booked", BookedPlugin(world))
        return plugins

    monkeypatch.setattr("collecthub.hub.load_all_plugins", with_booked)
    hub = hub_on(settings_for(tmp_path / "home"), world)
    furnish(hub)
    yield hub
    hub.close()


def sent_to(world: World, number: str) -> CaseFile:
    return next(m for m in world.messages if isinstance(m, CaseFile) and m.case_number == number)


def test_the_exported_file_is_what_the_partner_was_given(hub: Hub, world: World, run: Run) -> None:
    work_all(hub)
    listed = json.loads(run("case", "list", "--sort", "-total", "--json").stdout)["items"]
    assert [(case["total"], case["currency"]) for case in listed] == [("100.00", "EUR"), ("50.00", "EUR")]
    number = listed[0]["number"]
    world.rows = [msgspec.structs.replace(row, open_amount=row.open_amount - Decimal(10)) for row in world.rows]
    work_all(hub)
    assert json.loads(run("case", "balance", number, "--json").stdout)["balance"]["total"] == "90.00"
    (exported,) = XmlFormat().decode(run("case", "export", number).stdout_bytes).messages
    assert exported == sent_to(world, number)


def test_a_case_that_never_left_is_exported_as_it_would_be(hub: Hub, world: World, run: Run) -> None:
    with hub.work() as work:
        change_connection(work.conn, "books", mode=SHADOW)
    work_all(hub)
    number = json.loads(run("case", "list", "--sort", "-total", "--json").stdout)["items"][0]["number"]
    (exported,) = XmlFormat().decode(run("case", "export", number).stdout_bytes).messages
    assert isinstance(exported, CaseFile)
    assert (exported.case_number, exported.principal) == (number, Decimal("100.00"))
    assert world.messages == []


def test_a_case_is_shown_with_money_explained(hub: Hub, world: World, run: Run) -> None:
    world.parties["A"] = msgspec.structs.replace(world.parties["A"], name="[red]Jan\x1b[31m")
    work_all(hub)
    number = json.loads(run("case", "list", "--debtor", "A", "--json").stdout)["items"][0]["number"]
    shown = run("case", "show", number).stdout
    assert "[red]Jan\ufffd[31m" in shown
    assert "\x1b" not in shown
    detail = json.loads(run("case", "show", number, "--json").stdout)
    assert [entry["kind"] for entry in detail["timeline"]][-2:] == ["case_sent", "creditor_told"]
    assert [message["kind"] for message in detail["messages"]] == ["case_file"]
    explained = json.loads(run("case", "balance", number, "--explain", "--json").stdout)
    assert sum(Decimal(line["amount"]) for line in explained["lines"]) == Decimal(explained["balance"]["total"])


def test_a_release_shows_the_first_wave_before_anything_leaves(hub: Hub, world: World, run: Run) -> None:
    with hub.work() as work:
        change_connection(work.conn, "books", mode=SHADOW)
    work_all(hub)
    looked = json.loads(run("connection", "release", "books", "--json").stdout)
    assert looked["is_released"] is False
    assert [(part["cases"], part["amount"]) for part in looked["first_wave"]["leaving"]] == [(2, "150.00")]
    refused = run("connection", "release", "books", typed="n\n")
    assert "2 invoices pulled" in refused.stdout
    work_all(hub)
    assert world.messages == []
    done = run("connection", "release", "books", "--exclude-debtor", "B", "--yes", "--json")
    assert json.loads(done.stdout)["cases_released"] == 1
    with hub.work() as work:
        work.wake("place", "kroon")
    run_until_idle(hub)
    assert [m.principal for m in world.messages if isinstance(m, CaseFile)] == [Decimal("100.00")]


def test_reconcile_and_verify_end_with_findings(hub: Hub, world: World, run: Run) -> None:
    work_all(hub)
    assert json.loads(run("reconcile", "--json").stdout)["differences"] == []
    world.invoice("3", "C", "2026-05-01", "7.00")
    found = json.loads(run("reconcile", "--json", wanted=1).stdout)
    assert [(d["subject"], d["theirs"], d["ours"], d["currency"]) for d in found["differences"]] == [
        ("C", "7.00", "0", "EUR")
    ]
    assert found["ledger_difference"] == "7.00"
    with hub.database.write() as conn:
        conn.execute(sa.update(t.ledger_lines).where(t.ledger_lines.c.amount_minor == 5000).values(amount_minor=1))
    assert len(json.loads(run("verify", "--json", wanted=1).stdout)["findings"]) == 1


def test_verify_finds_what_was_changed_beside_the_history(hub: Hub, run: Run) -> None:
    work_all(hub)
    assert json.loads(run("verify", "--json").stdout)["findings"] == []
    first, second = (one["case_id"] for one in json.loads(run("case", "list", "--json").stdout)["items"])
    kept = hub.evidence.keep(b"what a partner sent")
    with hub.database.write() as conn:
        conn.execute(sa.update(t.events).where(t.events.c.case_id == first, t.events.c.seq == 2).values(actor="nobody"))
        conn.execute(sa.update(t.cases).where(t.cases.c.case_id == second).values(creditor_id="stranger"))
    hub.evidence.path(kept).write_bytes(b"what nobody sent")
    found = json.loads(run("verify", "--json", wanted=1).stdout)["findings"]
    said = {one["case_id"]: one["problem"] for one in found}
    assert "another actor" in said[first] and "another creditor_id" in said[second] and kept in said[""] and len(found) == 3


def test_verify_finds_what_was_taken_away_or_moved(hub: Hub, run: Run) -> None:
    work_all(hub)
    first, second = (one["case_id"] for one in json.loads(run("case", "list", "--json").stdout)["items"])
    with hub.database.write() as conn:
        conn.execute(sa.update(t.ledger_lines).where(t.ledger_lines.c.case_id == first).values(claim_id="another"))
        conn.execute(sa.delete(t.cases).where(t.cases.c.case_id == second))
        conn.execute(sa.insert(t.documents).values(
            document_id="d", case_id=first, creditor_id="c", name="lost.pdf", kind="invoice", media_type="application/pdf",
            sha256="0" * 64, size=1, added_by="", created_at=hub.now(),
        ))  # fmt: skip
    found = json.loads(run("verify", "--json", wanted=1).stdout)["findings"]
    said = sorted((one["case_id"] == first, one["problem"]) for one in found)
    assert [words.partition(":")[0] for _, words in said] == [
        "the history is there, its case is not", "the ledger is there, its case is not",
        f"the bytes of document lost.pdf are gone ({'0' * 64})", "the ledger's lines are not the history's",
    ]  # fmt: skip


def test_a_history_written_before_the_model_grew_is_still_whole(hub: Hub, run: Run) -> None:
    """Each event is written again as an older release would have: without a field that came since, chained by hand."""
    work_all(hub)
    with hub.database.write() as conn:
        for case_id in conn.scalars(sa.select(t.cases.c.case_id)).all():
            before = "0" * 64
            for seq, doc in conn.execute(sa.select(t.events.c.seq, t.events.c.doc).where(t.events.c.case_id == case_id).order_by("seq")).all():
                event = json.loads(doc)
                for claim in event["fact"].get("claims", ()):
                    assert claim.pop("dunning_level") == 0
                event |= {"previous_hash": before, "hash": ""}
                bare = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
                after = hashlib.sha256(bare.encode()).hexdigest()
                mine = (t.events.c.case_id == case_id) & (t.events.c.seq == seq)
                conn.execute(sa.update(t.events).where(mine).values(doc=f'{bare[:-2]}{after}"}}', hash=after))
                before = after
            one = t.cases.c.case_id == case_id
            case = json.loads(conn.scalar(sa.select(t.cases.c.doc).where(one)) or "")
            assert case["last_hash"] != before
            conn.execute(sa.update(t.cases).where(one).values(doc=json.dumps(case | {"last_hash": before}, ensure_ascii=False)))
    assert json.loads(run("verify", "--json").stdout)["findings"] == []
    with hub.database.write() as conn:  # a word that no release knows
        first = (t.events.c.seq == 1) & (t.events.c.case_id == case_id)
        doc = str(conn.scalar(sa.select(t.events.c.doc).where(first)))
        conn.execute(sa.update(t.events).where(first).values(doc=doc.replace('"fact":{', '"fact":{"added":1,', 1)))
    assert json.loads(run("verify", "--json", wanted=1).stdout)["findings"][0]["seq"] == 1


def test_backup_and_restore_as_commands(hub: Hub, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work_all(hub)
    file = str(tmp_path / "hub.tar")
    assert json.loads(run("backup", file, "--json").stdout)["rows"] > 0
    run("backup", file, wanted=3)
    run("restore", file, wanted=3)
    monkeypatch.setenv("COLLECTHUB_HOME", str(tmp_path / "second"))
    assert json.loads(run("restore", file, "--json").stdout)["is_fenced"] is True
    assert json.loads(run("fence", "status", "--json").stdout)["is_fenced"] is True
    assert json.loads(run("fence", "release", "--json").stdout)["is_released"] is True
    assert json.loads(run("fence", "status", "--json").stdout)["is_fenced"] is False
    assert json.loads(run("verify", "--json").stdout)["cases_checked"] == 2


def test_a_score_is_contested_and_answered_in_the_terminal(hub: Hub, world: World, run: Run) -> None:
    """Staff take it down from a caller; the answer clears it and stays to be read."""
    work_all(hub)
    number = json.loads(run("case", "list", "--debtor", "A", "--json").stdout)["items"][0]["number"]
    run("case", "score", number, "--contest", "never late", "--answer", "no", wanted=2)
    run("case", "score", number)
    solvency = json.loads(run("case", "score", number, "--contest", "never late [red]\x1b[31m", "--json").stdout)["solvency"]
    assert solvency["contested"] and solvency["answer_by_on"]
    shown = run("case", "score", number, "--show").stdout
    assert f"answer by {solvency['answer_by_on']}: never late [red]" in shown and "\x1b" not in shown
    assert "May was late" in run("case", "score", number, "--answer", "May was late").stdout
    assert "contested" not in json.loads(run("case", "score", number, "--show", "--json").stdout)["solvency"]


def test_a_court_matter_from_the_question_to_the_sale_on_the_command_line(hub: Hub, run: Run) -> None:
    """Asked, allowed in the creditor's words, begun, moved on, ended; then enforced: every cost counts against its cap by hand."""
    work_all(hub)
    number = json.loads(run("case", "list", "--sort", "-total", "--json").stdout)["items"][0]["number"]

    def act(*words: str) -> dict[str, Any]:
        shown = json.loads(run("proceeding", "act", number, *words, "--json").stdout)
        found: dict[str, Any] = shown["proceedings"][-1]
        return found

    run("proceeding", "ask", number, "judicial", "--estimate", "300", "--cap", "400", "--reason", "summons")
    assert "who at the creditor" in run("proceeding", "decide", number, "--allow", "--reason", " ", wanted=1).stderr
    run("proceeding", "decide", number, "--allow", "--cap", "350.00", "--reason", "Ann Peeters, by phone today")
    run("proceeding", "begin", number, "judicial", "--authority", "Vredegerecht Gent")
    assert act("judicial", "serve", "--cost", "250.00")["proceeding"]["state"] == "served"
    assert "above the cap of 350.00" in run("proceeding", "act", number, "judicial", "set_hearing", "--cost", "101", wanted=1).stderr
    heard = act("judicial", "set_hearing", "--due", "2027-01-12")["proceeding"]
    assert (heard["deadline_on"], heard["deadline_for"]) == ("2027-01-12", "the hearing")
    assert act("judicial", "give_judgment", "--amount", "100.00")["next_acts"] == ["issue_copy", "dismiss", "appeal"]
    act("judicial", "issue_copy")
    run("proceeding", "ask", number, "enforcement", "--estimate", "100.00", "--cap", "200.00", "--reason", "attachment and sale")
    run("proceeding", "decide", number, "--allow", "--reason", "Ann Peeters, by phone today")
    run("proceeding", "begin", number, "enforcement")
    for name in ("serve", "attach_movables", "sell", "collect", "close"):
        last = act("enforcement", name, "--cost", "40.00")["proceeding"]
    assert (last["state"], last["cost_spent"], last["cost_cap"]) == ("ended", "200.00", "200.00")
    assert "No proceeding" in run("proceeding", "act", number, "enforcement", "serve", wanted=1).stderr
    assert "judicial" in run("proceeding", "show", number).stdout and "none of" in run("proceeding", "begin", number, "war", wanted=2).stderr
