"""An office with country packs, on SQLite, whose creditor can be asked to charge.

What brings up a hub is imported by the first test that needs one: rooms do without.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from walk.scripted import World
    from web.office import Office


@pytest.fixture
def world() -> World:
    from walk.scripted import World

    return World()


@pytest.fixture
def office(tmp_path: Path, world: World) -> Iterator[Office]:
    yield from _office(tmp_path, world)


@pytest.fixture(scope="module")
def one_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One office for all tests of a module whose cases do not know each other."""
    from walk.scripted import World

    yield from _office(tmp_path_factory.mktemp("office"), World())


def _office(home: Path, world: World) -> Iterator[Office]:
    from walk.scripted import ScriptedPlugin
    from web.office import Office, furnish, make_hub

    from collecthub.bundled import jurisdictions

    hub, queue = make_hub(
        home, f"sqlite:///{home / 'hub.sqlite3'}", ("scripted", ScriptedPlugin(world)), ("law", jurisdictions)
    )
    furnish(hub)
    yield Office(hub, queue)
    hub.close()
