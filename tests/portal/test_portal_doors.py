"""Who sees what, from which device, and with which hands."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from portal.conftest import PHONE, LogIn
from portal.town import Town

pytestmark = pytest.mark.browser
EVERY_PAGE = (
    "/", "/cases", "/tasks", "/connections", "/connections/books", "/connections/livres/first-wave", "/connections/add",
    "/connections/add/town_line", "/connections/books/runs", "/connections/books/settings", "/partners", "/partners/add",
    "/partners/office", "/dispatches", "/quarantine", "/new", "/imports",
)  # fmt: skip


def test_another_creditors_case_does_not_exist(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in("lumen")
    mine, theirs = town.case_of("20001").case_id, town.case_of("10001").case_id
    assert page.goto(f"{url}/cases/{mine}").status == 200
    bodies = []
    for case_id in (theirs, "f" * 32):
        answer = page.goto(f"{url}/cases/{case_id}")
        assert answer is not None
        assert answer.status == 404
        bodies.append(page.locator("main").inner_text())
    assert bodies[0] == bodies[1]
    for path in ("/connections/books", "/connections/books/first-wave", "/connections/books/progress"):
        assert page.goto(url + path).status == 404
    for path in ("/partners", "/dispatches"):
        assert page.goto(url + path).status == 403
    page.goto(f"{url}/cases?q=F-10001")
    expect(page.get_by_role("heading", name="No case fits")).to_be_visible()


def test_forms_without_the_token_of_the_session_change_nothing(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in("kroon")
    case = town.case_of("10003")
    for headers, token in (({}, "x"), ({"Origin": "https://elsewhere.example"}, "")):
        answer = page.request.post(
            f"{url}/cases/{case.case_id}/do/note", form={"text": "forged", "csrf": token}, headers=headers
        )
        assert answer.status == 403
    assert town.case_of("10003").version == case.version


def test_a_partner_sees_the_cases_placed_with_it_and_no_forms(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in("office")
    assert page.url.endswith("/cases")
    page.goto(f"{url}/cases/{town.case_of('10001').case_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bakkerij Van den Broeck BV")
    assert page.locator("main form").count() == 0
    assert "Nora Claes" not in page.locator("main").inner_text()  # the creditor's side is not its business
    assert page.goto(f"{url}/cases/{town.case_of('10006').case_id}").status == 404
    for path in ("/tasks", "/connections", "/quarantine", "/new", "/imports"):
        assert page.goto(url + path).status == 403


def test_a_case_is_reached_with_the_keyboard_alone(log_in: LogIn, url: str) -> None:
    page = log_in()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("broeck")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/cases?q=broeck")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the skip link
    link = page.get_by_role("link", name="Bakkerij Van den Broeck BV")
    for _ in range(8):
        page.keyboard.press("Tab")
        if link.evaluate("element => element === document.activeElement"):
            break
    expect(link).to_be_focused()
    assert link.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/cases/[0-9a-f-]+$"))


def test_on_a_phone_no_page_is_wider_than_the_screen(
    log_in: LogIn, town: Town, url: str, complaints: list[str]
) -> None:
    page = log_in(viewport=PHONE)
    for path in (
        *EVERY_PAGE,
        f"/cases/{town.case_of('10001').case_id}",
        f"/cases/{town.case_of('10004').case_id}",
    ):
        page.goto(url + path)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{path} is {wide} pixels too wide"
        small = page.evaluate(
            "[...document.querySelectorAll('button, .button, summary, select, label.option, "
            "input:not([type=hidden]):not([type=radio]):not([type=checkbox])')]"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML.slice(0, 80))"
        )
        assert small == [], path
    page.get_by_text("Menu").click()
    page.get_by_label("Main menu").get_by_role("link", name="Tasks").click()
    page.wait_for_url(f"{url}/tasks")
    assert complaints == []


def test_every_page_is_labelled(log_in: LogIn, town: Town, url: str, complaints: list[str]) -> None:
    """One first heading, one main landmark, a name for every field and button, no id twice."""
    page = log_in()
    for path in (
        *EVERY_PAGE,
        f"/cases/{town.case_of('10001').case_id}",
        f"/cases/{town.case_of('10002').case_id}",
    ):
        page.goto(url + path)
        assert page.locator("h1").count() == 1, path
        assert page.get_by_role("main").count() == 1, path
        assert page.title() != "Portal · collecthub", path
        nameless = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
            ".filter(e => !e.labels?.length && !e.getAttribute('aria-label')).map(e => e.outerHTML.slice(0, 80))"
        )
        assert nameless == [], path
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids)), path
    assert complaints == []


def test_a_running_pull_is_shown_as_it_goes(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in("kroon")
    page.goto(f"{url}/connections/books")
    live = page.locator("[data-poll]")
    expect(live).to_contain_text("Done")
    page.get_by_role("button", name="Pull now").click()
    expect(page.get_by_role("status")).to_contain_text("It is in line")
    before = live.inner_text()
    town.worlds["books"].invoice("new", "10001", "2026-05-01", "12.00")
    town.wake("pull", "books")
    expect(live).not_to_have_text(before, timeout=8000)  # the page fetched it by itself
    expect(page.get_by_role("region", name="The last pull")).to_contain_text("34")


def test_a_refused_row_is_tried_again_from_the_connections_page(log_in: LogIn, town: Town, url: str) -> None:
    page = log_in()
    page.goto(f"{url}/connections/books")
    refused = page.get_by_role("region", name="Not understood")
    expect(refused).to_contain_text("an open invoice asks for a negative amount")
    refused.get_by_role("button", name=re.compile("Try again.*bad")).click()
    page.wait_for_url(f"{url}/connections/books?done=retried")
    town.wake("pull", "books")  # the ERP says the same as before
    page.reload()
    expect(refused).to_contain_text("an open invoice asks for a negative amount")
    town.worlds["books"].invoice("bad", "10001", "2026-05-01", "5.00")
    town.wake("pull", "books")
    page.reload()
    expect(refused).to_contain_text("Everything that came by this connection was understood.")
