"""Routes of a case, mandates and the directory in a real browser."""

from __future__ import annotations

import re

import httpx2
import pytest
from playwright.sync_api import Page, expect

from portal.conftest import PHONE, LogIn
from portal.town import Town

pytestmark = pytest.mark.browser


def test_every_route_of_a_case_with_its_reason(log_in: LogIn, town: Town, url: str, complaints: list[str]) -> None:
    page = log_in("kroon")
    page.goto(f"{url}/cases/{town.case_of('10001').case_id}")
    page.get_by_role("link", name="Every route").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Every route")
    rows = page.locator("table.list tbody tr")
    assert rows.count() >= 8
    expect(rows.filter(has_text="European order for payment")).to_contain_text("not known")
    expect(page.get_by_text("No legal advice.")).to_be_visible()
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert complaints == []


def test_papers_are_recorded_and_end(log_in: LogIn, url: str, complaints: list[str]) -> None:
    page = log_in()
    page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Mandates").click()
    form = page.locator("form.card")
    form.get_by_label("Paper").select_option("identity_check")
    form.get_by_label("Signed or checked by").fill("Nora Claes")
    form.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("alert")).to_contain_text("names a partner")
    form.get_by_label("Partner").select_option(index=1)
    form.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("status")).to_contain_text("The paper is kept")
    row = page.locator("table.list tbody tr").first
    expect(row).to_contain_text("Identity check of a partner")
    expect(row).to_contain_text("Nora Claes")
    row.get_by_role("button", name="Revoke").click()
    expect(page.locator("table.list tbody tr").first).to_contain_text("Revoked")
    assert [one for one in complaints if "422" not in one] == []


def test_a_partner_is_shown_with_price_licence_and_papers(log_in: LogIn, url: str, complaints: list[str]) -> None:
    page = log_in()
    page.goto(f"{url}/partners")
    expect(page.locator("table.list tbody tr").first).to_contain_text(re.compile("On request|Agreed price"))
    page.locator("table.list tbody a.row-link").first.click()
    page.get_by_label("Licence number").fill("L-77")
    page.get_by_label("Licence of").fill("NL")
    page.get_by_label("Licence until").fill("2027-01-31")
    page.get_by_label("Agreement with a partner").check()
    page.get_by_label("Agreement with a partner").uncheck()
    page.get_by_role("button", name="Save").click()
    page.locator("table.list tbody a.row-link").first.click()
    short = page.locator("section.card").filter(has_text="In short")
    expect(short).to_contain_text("L-77")
    expect(short).to_contain_text("Netherlands")
    _invited(page, url)
    assert complaints == []


def _invited(page: Page, url: str) -> None:
    """A press on the button gives an address and a code that open the partner's page; ended, they open nothing."""
    page.get_by_label("Language", exact=True).select_option("es")
    page.get_by_label("Time zone").fill("America/Montevideo")
    page.get_by_role("button", name="Invite").click()
    said = page.get_by_role("status").inner_text()
    path, code = re.search(r"(/p/\S+)", said), re.search(r"code is (\d{8})", said)
    assert path and code, said
    with httpx2.Client(base_url=url, follow_redirects=True) as partner:
        assert "código" in partner.get(path[1]).text
        assert partner.post(f"{path[1]}/code", data={"code": code[1]}, headers={"Origin": url}).status_code == 200
        page.get_by_role("button", name="End it").click()
        expect(page.get_by_text("ended")).to_be_visible()
        assert partner.get(path[1]).status_code == 404
