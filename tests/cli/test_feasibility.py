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


def test_routes_are_compared_with_a_reason_each(run: Run) -> None:
    listed = json.loads(run("case", "list", "--json").stdout)["items"]
    number = next(one["number"] for one in listed if one["status"] == "sent")
    told = json.loads(run("case", "routes", number, "--json").stdout)
    by_route = {one["route"]: one for one in told["routes"]}
    ways = {"order_for_payment", "epo", "escp", "eeo", "exequatur", "local_suit", "arbitration", "none"}
    assert ways | {"bailiff"} == set(by_route) and all(one["reason"] for one in told["routes"])
    assert [one["place"] for one in told["routes"]] == list(range(1, 10))
    assert by_route["bailiff"]["is_chosen"] and by_route["bailiff"]["cost"] is None
    assert by_route["bailiff"]["cost_basis"].endswith("ask the partner for a quote")
    assert (by_route["epo"]["standing"], by_route["epo"]["reason"]) == ("rejected", "both parties are in BE")
    assert by_route["epo"]["days"] == 60 and by_route["local_suit"]["days"] is None
    assert "why" in run("case", "routes", number).stdout


def test_the_demo_network_is_counted_apart(run: Run) -> None:
    assert json.loads(run("partner", "demo-network", "--json").stdout)["added"] >= 154
    assert json.loads(run("partner", "demo-network", "--json").stdout)["added"] == 0
    told = json.loads(run("partner", "coverage", "--json").stdout)
    assert told["covered_with_demo"] >= 154 and told["covered"] == 1
    uruguay = next(item for item in told["items"] if item["country"] == "UY")
    assert (uruguay["tier"], uruguay["is_taking"], uruguay["is_real"]) == ("standard", True, False)
    assert uruguay["partners"] == ["demo-uy", "far"] and uruguay["demo_partners"] == ["demo-uy"]
    assert "1 countries are really covered" in run("partner", "coverage").stdout
    sheet = json.loads(run("partner", "show", "demo-de", "--json").stdout)
    assert sheet["profile"]["licences"][0]["number"].startswith("DEMO-") and sheet["contract"]["version"] == 1
    assert [row["is_demo"] for row in json.loads(run("partner", "list", "--json").stdout)["items"][:3]] == [False, False, True]


def test_papers_are_signed_listed_and_revoked(run: Run) -> None:
    made = json.loads(run("mandate", "sign", "agreement", "--partner", "far", "--signed-by", "A. Far", "--json").stdout)
    again = json.loads(run("mandate", "sign", "agreement", "--partner", "far", "--signed-by", "A. Far", "--json").stdout)
    assert made == again
    (paper,) = json.loads(run("mandate", "list", "--json").stdout)["items"]
    assert (paper["kind"], paper["state"], paper["signed_on"]) == ("agreement", "valid", TODAY)
    run("mandate", "revoke", made["mandate_id"], "--text", "closed")
    assert json.loads(run("mandate", "list", "--partner", "far", "--json").stdout)["items"][0]["state"] == "revoked"
    assert "no partner nobody" in run("mandate", "sign", "agreement", "--partner", "nobody", "--signed-by", "x", wanted=1).stderr
