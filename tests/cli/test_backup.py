"""A backup is whole and complete, and a restored hub never sends a second time what left after the backup."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from walk.scripted import World

from cli.restored_house import furnish, hub_on, settings_for, work_all, work_without_sending
from collecthub.engine.backup import backup, kept_tables, verify_backup
from collecthub.engine.context import Hub
from collecthub.engine.fence import release_fence
from collecthub.engine.restore import restore
from collecthub.engine.verify import verify
from collecthub.errors import CollecthubError, ConfigurationError, PermanentError, RetryableError
from collecthub.store import tables as t
from collecthub.store.audit import append_audit, verify_audit
from collecthub.store.case_log import read_cases
from collecthub.store.facts import FENCE, read_fact
from collecthub.store.queries.scope import LOCAL_OPERATOR


@pytest.fixture
def world() -> World:
    world = World()
    world.invoice("1", "A", "2026-05-01", "100.00")
    world.invoice("2", "B", "2026-05-01", "50.00")
    return world


@pytest.fixture
def hub(tmp_path: Path, database_url: str, world: World) -> Iterator[Hub]:
    hub = hub_on(settings_for(tmp_path / "first", database_url), world)
    furnish(hub)
    yield hub
    hub.close()


def contents(hub: Hub) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every kept table but the facts, which a restore changes."""
    with hub.database.read() as conn:
        return {
            table.name: [tuple(row) for row in conn.execute(sa.select(table).order_by(*table.primary_key.columns))]
            for table in kept_tables()
            if table not in (t.facts, t.audit)
        }


def bring_back(target: Path, database_url: str, file: Path, world: World) -> Hub:
    settings = settings_for(target, database_url)
    restore(settings, file, replace=False, actor="user:local")
    return hub_on(settings, world)


def test_a_restored_hub_holds_exactly_what_was_backed_up(
    tmp_path: Path, hub: Hub, world: World, pg_url: str
) -> None:
    """The copy lands on the other kind of database."""
    work_all(hub)
    hub.evidence.keep(b"a paper nobody names")
    with hub.database.write() as conn:
        append_audit(conn, now=hub.now(), actor="user:1", action="tested", subject="x")
        conn.execute(sa.insert(t.peer_outbox).values(partner_id="p", exchange_id="e", doc="{}", created_at=hub.now()))
        conn.execute(
            sa.insert(t.idempotency).values(
                subject="s", key="k", fingerprint="f", status=201, body=b"\x00\xff", created_at=hub.now()
            )
        )
    file = tmp_path / "hub.tar"
    manifest = backup(hub, file)
    assert manifest.rows["cases"] == 2
    other = "" if not hub.database.is_sqlite else pg_url
    with closing(bring_back(tmp_path / "second", other, file, world)) as second:
        assert second.database.is_sqlite is not hub.database.is_sqlite
        assert contents(second) == contents(hub)
        assert verify(second) == (2, ())
        assert sorted(p.name for p in second.evidence.folder.rglob("*") if p.is_file()) == sorted(
            p.name for p in hub.evidence.folder.rglob("*") if p.is_file()
        )
        with second.database.write() as conn:
            assert verify_audit(conn) == ""
            assert conn.scalar(sa.select(t.audit.c.action).order_by(t.audit.c.position.desc()).limit(1)) == "hub.restored"
            conn.execute(sa.insert(t.peer_outbox).values(partner_id="p", exchange_id="f", doc="{}", created_at=hub.now()))


def test_what_left_after_the_backup_is_not_sent_again(
    tmp_path: Path, hub: Hub, world: World, database_url: str
) -> None:
    work_without_sending(hub)
    backup(hub, tmp_path / "old.tar")
    work_all(hub)
    assert len(world.messages) == 2
    with closing(bring_back(tmp_path / "second", "", tmp_path / "old.tar", world)) as second:
        work_all(second)
        assert len(world.messages) == 2, "behind the fence nothing leaves"
        outcome = release_fence(second, LOCAL_OPERATOR, anyway=False)
        assert (outcome.is_released, outcome.found_at_partners, outcome.unproven) == (True, 2, 0)
        assert outcome.reconciliation.differences == ()
        world.invoice("3", "C", "2026-05-02", "70.00")
        work_all(second)
        with second.database.read() as conn:
            statuses = [case.status.value for case in read_cases(conn, sa.true())]
            assert read_fact(conn, FENCE) is None
        assert statuses == ["sent", "sent", "sent"]
        assert len(world.messages) == 3, "only what is new leaves"
        assert verify(second) == (3, ())


def test_a_sending_that_was_under_way_is_looked_up_and_not_repeated(
    tmp_path: Path, hub: Hub, world: World
) -> None:
    """The backup was taken between the attempt row and the receipt."""
    world.refuse_connections = 1
    work_all(hub)
    with hub.database.read() as conn:
        assert conn.scalar(sa.select(t.envelopes.c.state)) == "prepared"
    backup(hub, tmp_path / "old.tar")
    with hub.database.write() as conn:
        conn.execute(sa.update(t.envelopes).values(next_attempt_at=None))
    work_all(hub)
    assert len(world.messages) == 2
    with closing(bring_back(tmp_path / "second", "", tmp_path / "old.tar", world)) as second:
        assert release_fence(second, LOCAL_OPERATOR, anyway=False).found_at_partners == 2
        work_all(second)
        assert len(world.messages) == 2


def test_the_fence_stays_while_sides_differ(tmp_path: Path, hub: Hub, world: World) -> None:
    work_all(hub)
    backup(hub, tmp_path / "old.tar")
    world.invoice("9", "D", "2026-05-02", "10.00")
    work_all(hub)
    with closing(bring_back(tmp_path / "second", "", tmp_path / "old.tar", world)) as second:
        outcome = release_fence(second, LOCAL_OPERATOR, anyway=False)
        assert not outcome.is_released
        assert {found.subject for found in outcome.reconciliation.differences} >= {"D"}
        work_all(second)
        assert release_fence(second, LOCAL_OPERATOR, anyway=False).is_released
        with pytest.raises(PermanentError):
            release_fence(second, LOCAL_OPERATOR, anyway=False)
    assert len(world.messages) == 3


def test_a_side_that_gives_no_answer_keeps_the_fence_up_until_a_person_decides(tmp_path: Path, hub: Hub, world: World) -> None:
    work_all(hub)
    backup(hub, tmp_path / "old.tar")

    class Away(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            raise RetryableError("the ERP is down for maintenance", cure="Wait.")

    world.rows = Away()
    with closing(bring_back(tmp_path / "second", "", tmp_path / "old.tar", world)) as second:
        outcome = release_fence(second, LOCAL_OPERATOR, anyway=False)
        assert not outcome.is_released
        assert [(side.between, side.cure) for side in outcome.reconciliation.unheard] == [("books", "Wait.")]
        assert outcome.reconciliation.cases_compared == 2, "the partner was compared all the same"
        assert release_fence(second, LOCAL_OPERATOR, anyway=True).is_released


def test_a_home_in_use_is_not_overwritten_unless_told(tmp_path: Path, hub: Hub, world: World) -> None:
    file = tmp_path / "empty.tar"
    backup(hub, file)
    work_all(hub)
    with pytest.raises(ConfigurationError, match="not empty"):
        restore(hub.settings, file, replace=False, actor="user:local")
    with hub.database.read() as conn:
        assert len(read_cases(conn, sa.true())) == 2
    restore(hub.settings, file, replace=True, actor="user:local")
    with hub.database.read() as conn:
        assert read_cases(conn, sa.true()) == []


def test_the_master_key_stays_at_home(tmp_path: Path, hub: Hub) -> None:
    settings_file = tmp_path / "collecthub.toml"
    settings_file.write_text('database_url = "postgresql://u:p@db/hub"\n', encoding="utf-8")
    backup(hub, tmp_path / "b.tar", settings_file)
    key = hub.settings.key_file.read_bytes()
    with tarfile.open(tmp_path / "b.tar") as tar:
        for member in tar:
            packed = tar.extractfile(member)
            assert packed is not None
            assert key not in packed.read()
    assert (tmp_path / "b.tar").stat().st_mode & 0o077 == 0
    settings = settings_for(tmp_path / "second")
    _, config = restore(settings, tmp_path / "b.tar", replace=False, actor="user:local")
    assert config == settings.home / "collecthub.restored.toml", "it must not lead to the other database unseen"
    assert not settings.key_file.exists()


def damaged_copies(file: Path) -> Iterator[bytes]:
    """One changed byte in a file's content, a cut end, another kind of file."""
    whole = file.read_bytes()
    place = whole.index(b"tables/cases.jsonl.gz") + 512 + 4
    yield whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    yield whole[: len(whole) // 2]
    yield b"no tar at all" * 100


def test_a_damaged_backup_is_refused_before_anything_changes(tmp_path: Path, hub: Hub) -> None:
    file = tmp_path / "b.tar"
    backup(hub, file)
    for number, content in enumerate(damaged_copies(file)):
        copy = tmp_path / f"copy-{number}.tar"
        copy.write_bytes(content)
        with pytest.raises(CollecthubError):
            verify_backup(copy)
        with pytest.raises(CollecthubError):
            restore(settings_for(tmp_path / "second"), copy, replace=True, actor="user:local")
    assert not (tmp_path / "second").exists()


def test_a_smuggled_file_is_refused(tmp_path: Path, hub: Hub) -> None:
    file = tmp_path / "b.tar"
    manifest = backup(hub, file)
    with tarfile.open(file, "a") as tar:
        extra = tmp_path / "extra"
        extra.write_bytes(b"x")
        tar.add(extra, "../../etc/cron.d/x")
    with pytest.raises(PermanentError, match="not in its manifest"):
        verify_backup(file)
    assert msgspec.json.encode(manifest)


def test_a_backup_is_never_written_over(tmp_path: Path, hub: Hub) -> None:
    file = tmp_path / "b.tar"
    file.write_bytes(b"precious")
    with pytest.raises(ConfigurationError, match="exists"):
        backup(hub, file)
    assert file.read_bytes() == b"precious"
