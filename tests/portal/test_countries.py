"""Country pages in a real browser: the map leads to a country, a country shows its sources and what nobody knows."""

from __future__ import annotations

import re

import pytest
from lxml import html
from playwright.sync_api import expect

from collecthub.engine.coverage import Tier, coverage
from collecthub.engine.feasibility import CountryCount
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.model.partner import PartnerProfile
from collecthub.web.portal.world_map import outlines, world_map
from portal.conftest import PHONE, LogIn
from portal.town import Town

pytestmark = pytest.mark.browser


def test_the_map_leads_to_a_country(log_in: LogIn, town: Town, url: str, complaints: list[str]) -> None:
    page = log_in("kroon")
    page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Countries").click()
    expect(page.get_by_role("group", name=re.compile("^Coverage of the world: [0-9]+ countries"))).to_be_visible()
    assert page.locator("svg.world [data-country]").count() == 250  # ISO 3166-1 and Kosovo
    netherlands = page.locator('svg.world a[data-country="NL"]')
    expect(netherlands).to_have_attribute("aria-label", re.compile("Netherlands.*: a partner takes cases; partners 1"))
    netherlands.locator("path").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Netherlands")
    expect(page.get_by_role("region", name="Who acts there")).to_contain_text("1 partner (agency)")
    row = page.get_by_role("region", name="What is known").get_by_role("row", name=re.compile("^Fees chargeable"))
    expect(row).to_contain_text("Verified")
    expect(row).to_contain_text("intrum.nl")
    assert complaints == []


def test_unknown_is_shown_as_unknown_and_the_day_counts(log_in: LogIn, url: str, complaints: list[str]) -> None:
    page = log_in()
    page.goto(f"{url}/countries/UY?as_of=2024-09-30")
    expect(page.get_by_role("status")).to_contain_text("limitation, companies")
    known, instruments = (page.get_by_role("region", name=name) for name in ("What is known", "Instruments"))
    expect(known.get_by_role("row", name=re.compile("^Limitation, companies"))).to_contain_text("unknown")
    judgments = instruments.get_by_role("row", name=re.compile("^Hague Judgments Convention"))
    expect(judgments).to_contain_text("Not yet")
    page.get_by_label("Look at another day").fill("2024-10-01")
    page.get_by_role("button", name="Look").click()
    expect(judgments).to_contain_text("In force")
    expect(judgments).to_contain_text("from 2024-10-01")
    assert complaints == []


def test_a_country_is_found_by_name_or_letters(log_in: LogIn, url: str) -> None:
    page = log_in()
    page.goto(f"{url}/countries")
    page.get_by_label("Name or two letters of a country").fill("uy")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name="Uruguay", exact=True)).to_be_visible()
    assert page.locator("table.list.cards-on-phone tbody tr").count() >= 1
    page.goto(f"{url}/countries?q=%3Cscript%3E")
    expect(page.get_by_text("No country is called “<script>”.")).to_be_visible()
    for wrong, status in (("/countries/XX", 404), ("/countries/UY?as_of=yesterday", 422)):
        answer = page.goto(url + wrong)
        assert answer is not None and answer.status == status, wrong


def test_the_pages_fit_a_phone_and_are_labelled(log_in: LogIn, url: str, complaints: list[str]) -> None:
    page = log_in(viewport=PHONE)
    for path in ("/countries", "/countries/BE", "/countries/GL"):
        page.goto(url + path)
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path
        assert page.locator("h1").count() == 1
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids)), path
    assert complaints == []


def test_a_partner_has_no_business_there(log_in: LogIn, url: str) -> None:
    page = log_in("office")
    answer = page.goto(f"{url}/countries")
    assert answer is not None and answer.status == 403


def test_the_map_tells_gaps_apart_without_colour() -> None:
    atlas = bundled_atlas()
    profiles = [
        PartnerProfile(partner_id="a", name="A", role="agency", countries=("UY", "MT")),
        PartnerProfile(partner_id="b", name="B & Sons", role="agency", countries=("BR",), is_open=False),
    ]
    world = coverage(atlas, profiles, {"UY": 2, "BR": 3, "SG": 4, "ZZ": 5, "": 6})
    by_code = {item.country: item for item in world.items}
    assert [by_code[code].tier for code in ("UY", "MT", "BR", "SG")] == [Tier.QUOTE, Tier.QUOTE, Tier.NONE, Tier.NONE]
    assert (world.covered, world.gaps, world.cases_in_gaps, world.cases_without_country) == (2, 2, 7, 11)
    assert [item.country for item in world.items if item.is_gap] == ["BR", "SG"]
    drawn = world_map(world)
    assert drawn == world_map(world)
    assert drawn.count("data-country=") == len(atlas.countries) == 250
    assert "SG" not in outlines() and ">SG</text>" in drawn  # too small for the scale: a tile
    assert 'fill="url(#gap)"' in drawn and "Singapore: open cases and nobody for them; partners 0, open cases 4" in drawn
    assert "stop-" not in drawn and "stopped:" not in drawn
    stops = {"BR": ("DOC-01", "LIC-01"), "SG": ("GDP-01",), "MT": ("SAN-01",)}
    stopped = world_map(world, stopped=[
        CountryCount(country=country, cases=3, blocked=2, stopped_by=rules) for country, rules in stops.items()
    ])  # fmt: skip
    assert "Brazil: open cases and nobody for them; partners 1, open cases 3, 2 of them blocked (DOC-01, LIC-01)" in stopped
    shapes = {one.get("data-country"): html.tostring(one).decode() for one in html.fromstring(stopped).iter("g")}
    for country, drawing in {"BR": "licence", "SG": "transfer", "MT": "sanctions"}.items():
        assert f"url(#stop-{drawing})" in shapes[country] and f'id="stop-{drawing}"' in stopped
    assert stopped.count(">stopped: ") == 3 and "stop-" not in shapes["UY"], "the legend names what is drawn"
    assert "<a " not in drawn and 'href="/countries/SG"' in world_map(world, link="/countries/")


def test_a_creditor_sees_what_stands_against_a_case_and_what_to_supply(
    log_in: LogIn, town: Town, url: str, complaints: list[str]
) -> None:
    page = log_in("kroon")
    page.goto(f"{url}/cases/{town.case_of('10001').case_id}")
    page.get_by_role("link", name="What stands against it").click()
    page.get_by_role("navigation", name="Step").get_by_role("link", name="Judicial").click()
    expect(page.get_by_role("alert")).to_contain_text("This step is blocked")
    proof = page.get_by_role("row", name=re.compile("No proof of contract"))
    expect(proof).to_contain_text("Blocks")
    expect(proof).to_contain_text("contract or order")
    expect(proof).to_contain_text("Creditor, by 2026-06-29")
    page.get_by_role("navigation", name="Step").get_by_role("link", name="Amicable").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing that is known stops this step")
    assert page.locator("tr[id]").count() == page.locator("tr[id] .chip").count() / 2 > 0
    assert complaints == []
    answer = log_in("office").goto(page.url)
    assert answer is not None and answer.status == 403


def test_the_portfolio_is_checked_without_changing_it(
    log_in: LogIn, town: Town, url: str, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = log_in("lumen")
    page.goto(f"{url}/countries")
    page.get_by_role("link", name="Check the portfolio").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Portfolio check")
    cases, feasible, blocked = (int(text.replace(",", "")) for text in page.locator(".figure-value").all_inner_texts())
    assert cases == feasible + blocked > 0
    rows = page.get_by_role("region", name="By country").locator("tbody tr")
    assert sum(int(text) for text in rows.locator("td:nth-child(2)").all_inner_texts()) == cases
    finding = page.get_by_role("region", name="What stands against them").get_by_role("row", name=re.compile("^No proof"))
    expect(finding.locator("td").first).to_have_text(str(cases))
    monkeypatch.setattr("collecthub.web.portal.feasibility.CASES_AT_ONCE", 0)
    page.reload()
    expect(page.get_by_role("button", name="Check all of them now")).to_be_visible()
    assert complaints == []
