"""`case feasibility`, `portfolio dry-run` and `partner coverage` on a hub whose cases came from an ERP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner
from walk.scripted import World

from cli.conftest import Run
from cli.restored_house import furnish, hub_on, settings_for, work_all
from collecthub.cli.main import app
from collecthub.engine.doors import create_partner
from collecthub.model.partner import PartnerProfile

TODAY = "2026-06-15"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub with cases on two debtors, one of them owing since 2012."""
    home = tmp_path / "home"
    monkeypatch.setenv("COLLECTHUB_HOME", str(home))
    monkeypatch.setenv("COLLECTHUB_BUSINESS_DATE", TODAY)
    world = World()
    world.invoice("1", "A", "2026-05-01", "100.00")
    world.invoice("2", "B", "2012-05-01", "50.00")
    hub = hub_on(settings_for(home), world)
    furnish(hub)
    create_partner(hub, PartnerProfile(partner_id="far", name="Far", role="agency", countries=("UY", "SG"), is_open=False))
    work_all(hub)
    hub.close()


def test_a_portfolio_is_looked_at_and_nothing_changes(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "world.svg"
    before = run("case", "list", "--json").stdout
    told = json.loads(run("portfolio", "dry-run", "--map", str(picture), "--json").stdout)
    assert (told["as_of"], told["cases"], told["feasible"], told["blocked"]) == (TODAY, 2, 2, 0)
    assert len(told["rules"]) == 33 and sum(one["cases"] for one in told["countries"]) == 2
    by_id = {rule["id"]: rule for rule in told["rules"]}
    assert (by_id["LIM-01"]["found"], by_id["LIM-01"]["blocking"], by_id["SAN-01"]["unknown"]) == (1, 0, 2)
    assert picture.read_text(encoding="utf-8").startswith("<svg ")
    assert "2 open cases" in run("portfolio", "dry-run", "--creditor", "kroon").stdout
    assert "nobody" in run("portfolio", "dry-run", "--creditor", "nobody", wanted=1).stderr
    assert run("case", "list", "--json").stdout == before


def test_a_case_that_is_blocked_ends_with_one(run: Run) -> None:
    listed = json.loads(run("case", "list", "--sort", "total", "--json").stdout)["items"]
    old, new = listed[0]["number"], listed[1]["number"]
    found = json.loads(run("case", "feasibility", old, "--procedure", "judicial", "--json", wanted=1).stdout)
    blocking = {one["id"] for one in found["findings"] if one["is_blocking"]}
    assert not found["is_feasible"] and {"LIM-01", "DOC-01"} <= blocking
    assert json.loads(run("case", "feasibility", old, "--json").stdout)["is_feasible"]
    earlier = run("case", "feasibility", old, "--procedure", "judicial", "--as-of", "2013-01-01", "--json", wanted=1)
    assert "LIM-01" not in {one["id"] for one in json.loads(earlier.stdout)["findings"]}
    shown = run("case", "feasibility", new)
    assert "nothing known stops it" in shown.stdout and "could not be checked" in shown.stderr
    run("case", "feasibility", "nobody", wanted=1)
    assert CliRunner().invoke(app, ["case", "feasibility", old, "--procedure", "duel"]).exit_code == 2


def test_coverage_is_a_list_and_a_map(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "world.svg"
    told = json.loads(run("partner", "coverage", "--map", str(picture), "--json").stdout)
    by_code = {item["country"]: item for item in told["items"]}
    assert (by_code["UY"]["tier"], by_code["UY"]["partners"], by_code["UY"]["is_taking"]) == ("none", ["far"], False)
    assert by_code["BE"]["tier"] == "quote" and by_code["FR"]["tier"] == "none" and told["next_cursor"] is None
    assert "Uruguay: partners, none takes cases now" in picture.read_text(encoding="utf-8")
    assert json.loads(run("partner", "coverage", "--gaps", "--json").stdout)["items"] == []
    assert "countries with a partner that takes cases" in run("partner", "coverage").stdout
