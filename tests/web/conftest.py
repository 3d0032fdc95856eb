"""One office per test, on SQLite; on both databases where a test asks for `both_office`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from walk.scripted import ScriptedPlugin, World

from collecthub.config import load_settings
from web.office import Office, furnish, make_hub


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def office(tmp_path: Path, world: World) -> Iterator[Office]:
    yield from _office(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite3'}", world)


@pytest.fixture
def both_office(tmp_path: Path, database_url: str, world: World) -> Iterator[Office]:
    yield from _office(tmp_path, database_url, world)


@pytest.fixture
def pg_office(tmp_path: Path, pg_url: str, world: World) -> Iterator[Office]:
    yield from _office(tmp_path, pg_url, world)


def _office(home: Path, database_url: str, world: World) -> Iterator[Office]:
    url = load_settings({}, home=home, database_url=database_url).database
    hub, queue = make_hub(home, url, ("scripted", ScriptedPlugin(world)))
    furnish(hub)
    yield Office(hub, queue)
    hub.close()
