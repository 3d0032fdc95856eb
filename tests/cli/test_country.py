"""`collecthub country`: without a database, for a day, with what is not known said as such."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Run


@pytest.fixture(autouse=True)
def untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that no command of this file may make."""
    home = tmp_path / "fresh"
    monkeypatch.setenv("COLLECTHUB_HOME", str(home))
    return home


def test_a_country_is_shown_for_a_day(run: Run, untouched: Path) -> None:
    before = json.loads(run("country", "show", "uy", "--as-of", "2024-09-30", "--json").stdout)
    after = json.loads(run("country", "show", "UY", "--as-of", "2024-10-01", "--json").stdout)
    assert (after["country"], after["iso3"], after["name"], after["currency"]) == ("UY", "URY", "Uruguay", "UYU")
    assert (before["as_of"], after["languages"]) == ("2024-09-30", ["es"])
    assert before["instruments"]["hague_judgments_2019"]["standing"] == "not_yet"
    found = after["instruments"]["hague_judgments_2019"]
    assert (found["standing"], found["valid_from"], found["evidence"]) == ("in_force", "2024-10-01", "verified")
    assert "hcch.net" in found["source"]
    assert after["facts"]["limitation_b2b"]["evidence"] == "unknown" and "limitation_b2b" in after["unknown"]
    assert not untouched.exists()


def test_the_business_date_is_the_day_when_none_is_given(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTHUB_BUSINESS_DATE", "2025-12-31")
    assert json.loads(run("country", "show", "BG", "--json").stdout)["currency"] == "BGN"


def test_people_see_unknown_as_a_word(run: Run) -> None:
    shown = run("country", "show", "UY", "--as-of", "2026-06-15")
    assert "unknown" in shown.stdout and "Uruguay" in shown.stdout
    assert "Not known, ask a lawyer there: court_languages" in shown.stderr


def test_all_countries_are_listed(run: Run) -> None:
    found = json.loads(run("country", "list", "--as-of", "2026-06-15", "--json").stdout)
    assert len(found["items"]) == 249 and found["next_cursor"] is None
    by_code = {row["country"]: row for row in found["items"]}
    assert by_code["NA"]["name"] == "Namibia"
    assert "epo" in by_code["BE"]["in_force"] and "epo" not in by_code["DK"]["in_force"]
    assert by_code["BE"]["unknown_topics"] < by_code["UY"]["unknown_topics"]


def test_wrong_questions_are_answered_with_the_right_exit_code(run: Run) -> None:
    assert "not a country of the atlas" in run("country", "show", "XX", wanted=1).stderr
    run("country", "show", "UY", "--as-of", "yesterday", wanted=2)


def test_two_countries_are_compared(run: Run) -> None:
    found = json.loads(run("country", "between", "be", "uy", "--as-of", "2026-06-15", "--json").stdout)
    assert (found["one"], found["other"], found["as_of"]) == ("BE", "UY", "2026-06-15")
    assert found["shared"]["judgment"] == ["hague_judgments_2019"] and found["shared"]["order"] == []
    assert "none" in run("country", "between", "BE", "UY", "--as-of", "2026-06-15").stdout
    assert "hague_service_1965" in run("country", "between", "BE", "GL").stderr
    run("country", "between", "BE", "XX", wanted=1)
