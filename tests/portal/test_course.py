"""The page of a case's course in Chromium: a plan is proposed and agreed, a dispute recorded, a score looked up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from portal.conftest import LogIn

pytestmark = pytest.mark.browser


def test_a_person_works_the_course_of_a_case(log_in: LogIn, url: str, complaints: list[str]) -> None:
    page = log_in("kroon")
    page.goto(f"{url}/new")  # a case of its own: the town's are everybody's
    page.get_by_label("Debtor's name").fill("Bakkerij De Korst")
    page.get_by_label("Number", exact=True).first.fill("2026-78")
    page.get_by_label("Due on").first.fill("2026-05-01")
    page.get_by_label("Amount").first.fill("840.00")
    page.get_by_role("button", name="Open the case").click()
    page.get_by_role("link", name="Plan, score and objections").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bakkerij De Korst")
    page.get_by_text("Propose a plan", exact=True).click()
    page.get_by_label("Months").fill("0")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_role("alert").first).to_contain_text("cannot be kept")
    page.get_by_label("Months").fill("14")
    page.get_by_role("button", name="Propose").click()
    plan = page.get_by_role("region", name="Payment plan")
    expect(plan).to_contain_text("longer than 12 months")
    page.get_by_text("Agree to the plan", exact=True).click()
    page.get_by_label("Why, where it is beyond the limits").fill("a seasonal business")
    page.get_by_role("button", name="Agree").click()
    expect(plan).to_contain_text("Agreed")
    expect(plan.locator("tbody tr")).to_have_count(14)
    page.get_by_text("Record a dispute", exact=True).click()
    page.get_by_label("How much of it (empty for all)").fill("10,00")
    page.get_by_label("Why", exact=True).fill("<b>two bags were wet</b>")
    page.get_by_role("button", name="Record").locator("visible=true").click()
    expect(page.get_by_role("region", name="Objections and hardship")).to_contain_text("<b>two bags were wet</b>")
    expect(page.locator(".lead")).to_contain_text("10.00 EUR of it disputed")
    for width, name in ((1280, "desktop"), (390, "phone")):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} scrolls sideways"
        if folder := os.environ.get("COLLECTHUB_SCREENSHOTS"):
            page.screenshot(path=str(Path(folder) / f"course-{name}.png"), full_page=True)
    assert [entry for entry in complaints if "422" not in entry] == []  # the refused form
