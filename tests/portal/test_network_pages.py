"""Routes of a case in a real browser; mandates and the directory: tests/partner/test_directory_pages.py."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from portal.conftest import PHONE, LogIn
from portal.town import Town

pytestmark = pytest.mark.browser


def test_every_route_of_a_case_with_its_reason(log_in: LogIn, town: Town, url: str, complaints: list[str]) -> None:
    page = log_in("kroon")
    page.goto(f"{url}/cases/{town.case_of('10015').case_id}")
    page.get_by_role("link", name="Every route").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Every route")
    rows = page.locator("table.list tbody tr")
    assert rows.count() >= 8
    expect(rows.filter(has_text="European order for payment")).to_contain_text("not known")
    expect(page.get_by_text("No legal advice.")).to_be_visible()
    page.locator("summary", has_text="Choose this route").first.click()
    expect(page.get_by_label("At most, EUR").first).to_be_visible()
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert complaints == []
