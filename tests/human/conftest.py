"""An office whose day can be moved, on both databases where a test asks for `both_office`.

What brings up a hub is imported by the first test that needs one: rooms do without.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from walk.scripted import World
    from web.office import Office

Later = Callable[["Office", int], None]


@pytest.fixture
def world() -> World:
    from walk.scripted import World

    return World()


@pytest.fixture
def office(tmp_path: Path, world: World) -> Iterator[Office]:
    yield from _office(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite3'}", world)


@pytest.fixture
def both_office(tmp_path: Path, database_url: str, world: World) -> Iterator[Office]:
    yield from _office(tmp_path, database_url, world)


def _office(home: Path, database_url: str, world: World) -> Iterator[Office]:
    from walk.scripted import ScriptedPlugin
    from web.office import Office, furnish, make_hub

    from collecthub.bundled import jurisdictions
    from collecthub.config import load_settings

    url = load_settings({}, home=home, database_url=database_url).database
    hub, queue = make_hub(home, url, ("jurisdictions", jurisdictions), ("scripted", ScriptedPlugin(world)))
    furnish(hub)
    yield Office(hub, queue)
    hub.close()


@pytest.fixture
def later() -> Later:
    """Let days pass: the clock ticks on every day on which something is due, and on the last one, and every job is done."""

    from collecthub.engine.clock import tick

    def move(office: Office, days: int) -> None:
        left = days
        while left > 0:
            step = min(left, _days_to_next(office))
            assert office.hub._day_offset is not None
            office.hub._day_offset += dt.timedelta(days=step)
            left -= step
            tick(office.hub)
            office.run()

    return move


def _days_to_next(office: Office) -> int:
    import sqlalchemy as sa

    from collecthub.store.tables import timers

    now = office.hub.now()
    with office.hub.database.read() as conn:
        due_at = conn.scalar(sa.select(sa.func.min(timers.c.due_at)).where(timers.c.due_at > now))
    return max(1, -(-(due_at - now) // dt.timedelta(days=1))) if due_at is not None else 10_000
