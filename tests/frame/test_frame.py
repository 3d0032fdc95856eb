"""The frame's own promises: real databases, no way out, no hidden hole."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from frame.databases import NewDatabase
from frame.loopback import OutsideReachedError
from frame.rooms import TESTS, is_of_a_room

CHECKOUT = Path(__file__).parents[2]


def test_each_test_gets_a_bare_database(bare_database_url: str) -> None:
    engine = sqlalchemy.create_engine(bare_database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
        connection.exec_driver_sql("CREATE TABLE claim (amount NUMERIC)")
    engine.dispose()


def test_every_postgres_database_is_new(new_pg_database: NewDatabase, pg_url: str) -> None:
    with new_pg_database() as other:
        assert other != pg_url
        with psycopg.connect(other) as connection:
            assert connection.execute("SELECT current_setting('fsync')").fetchone() == ("off",)


def test_a_connection_to_elsewhere_is_refused_before_a_packet_leaves() -> None:
    with socket.socket() as plain, pytest.raises(OutsideReachedError):
        plain.connect(("192.0.2.1", 80))

    async def dial() -> None:
        await asyncio.open_connection("192.0.2.1", 80)

    with pytest.raises(OutsideReachedError):
        asyncio.run(dial())


def test_names_do_not_resolve_but_this_machine_does() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("partner.example", 443)
    assert socket.getaddrinfo("localhost", 0)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_the_tests_of_rooms_are_known_by_what_they_import() -> None:
    rooms = {file.relative_to(TESTS).as_posix() for file in TESTS.rglob("test_*.py") if is_of_a_room(file)}
    assert {"law/test_deadline.py", "human/test_plan_machine.py", "feasibility/test_assess.py"} <= rooms
    assert rooms.isdisjoint({"walk/test_walk.py", "web/test_tenants.py", "store/test_database.py"})
    assert len(rooms) > 10


SKIPPING = """
import pytest

def test_without_a_browser():
    pytest.skip("no Chromium here")

def test_done():
    pass
"""


@pytest.mark.parametrize(("require_all", "passed", "failed"), [("", 1, 0), ("1", 1, 1)])
def test_a_skip_is_named_and_fails_where_nothing_may_be_left_out(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, require_all: str, passed: int, failed: int
) -> None:
    monkeypatch.setenv("COLLECTHUB_REQUIRE_ALL", require_all)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT / "tests"))
    pytester.makepyfile(SKIPPING)
    result = pytester.runpytest_subprocess("-p", "frame.left_out")
    result.assert_outcomes(passed=passed, failed=failed, skipped=0 if failed else 1)
    result.stdout.fnmatch_lines(["*no Chromium here*"])


def test_a_file_that_cannot_be_imported_fails_where_nothing_may_be_left_out(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTHUB_REQUIRE_ALL", "1")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT / "tests"))
    pytester.makepyfile("import pytest; pytest.importorskip('a_package_that_nobody_wrote')")
    result = pytester.runpytest_subprocess("-p", "frame.left_out")
    result.assert_outcomes(errors=1)
