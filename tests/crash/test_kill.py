"""kill -9 at any moment of the main job, and the same end: on both databases, the hub alone, then hub and twins.

`COLLECTHUB_KILLS` says how often each run is killed (30 where nothing may be left out, else 6), `COLLECTHUB_KILL_SEED`
when. What was killed leaves its log in the test's folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crash.story import Story, booked_once
from crash.totals import Totals, check_sides, offices, totals
from crash.town import mortal_town

FULL, SHORT = "30", "6"
KILLS = int(os.environ.get("COLLECTHUB_KILLS") or (FULL if os.environ.get("COLLECTHUB_REQUIRE_ALL") == "1" else SHORT))
SEED = int(os.environ.get("COLLECTHUB_KILL_SEED", "2026"))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Totals:
    """How the same portfolio ends when nobody dies."""
    home = tmp_path_factory.mktemp("undisturbed")
    with mortal_town(home / "town") as town:
        Story(home, f"sqlite:///{home / 'hub.sqlite'}", town).run()
        check_sides(home, town)
        return totals(home, town)


@pytest.mark.chaos
@pytest.mark.crash
@pytest.mark.timeout(600)
@pytest.mark.parametrize("with_twins", [False, True], ids=["hub", "hub and twins"])
def test_the_job_ends_the_same_however_often_it_is_killed(
    tmp_path: Path, database_url: str, undisturbed: Totals, with_twins: bool
) -> None:
    with mortal_town(tmp_path / "town") as town:
        story = Story(tmp_path, database_url, town, kills=KILLS, with_twins=with_twins, seed=SEED)
        story.run()
        assert story.killed == KILLS, "the hub was done before its hour came: make the portfolio larger"
        check_sides(tmp_path, town)
        booked_once(tmp_path)
        ended = totals(tmp_path, town)
        duplicates = {name: book["duplicates"] for name, book in offices(town).items()}
    for side, expected in undisturbed.items():
        assert ended[side] == expected, side
    # A repeated call carries the same id and bytes and is one exchange; no message ever travels in two.
    assert {name: seen["messages"] for name, seen in duplicates.items()} == dict.fromkeys(duplicates, 0)
    if not with_twins:
        assert duplicates["bailiff"]["exchanges"] == 0, "a file was put into the folder twice"
