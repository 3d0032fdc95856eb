"""The agenda in a browser: the most urgent first, worked off by keys; and a caller found by what he says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from collecthub.engine.case_work import open_task
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from portal.conftest import PHONE, LogIn
from portal.town import Town


def test_the_agenda_is_worked_off_with_the_keyboard(log_in: LogIn, url: str, town: Town, complaints: list[str]) -> None:
    with town.hub.work() as work:
        case = read_cases(work.conn, t.cases.c.total_minor > 0)[0]
        for number in range(2):
            open_task(
                work, kind="callback", title=f"case {case.number}: the debtor wants to be called <b>{number}</b>",
                detail=f"0470 {number}", creditor_id=case.creditor_id, case_id=case.case_id,
            )
    page = log_in()
    page.goto(f"{url}/agenda?kind=callback")
    rows = page.get_by_role("row", name=re.compile("wants to be called"))
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Call the debtor.")
    expect(page.get_by_role("row", name=re.compile("<b>"))).to_have_count(2)
    body = page.locator("body")
    body.press("j")
    body.press("x")
    expect(rows.first.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name=re.compile("Done: take")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Taken off the list: 1")).to_be_visible()
    page.goto(f"{url}/agenda?kind=callback")
    body.press("j")
    body.press("d")
    expect(page.get_by_text("Taken off the list.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("wants to be called"))).to_have_count(0)
    assert complaints == []


@pytest.mark.parametrize("viewport", [None, PHONE])
def test_a_caller_is_found_by_name_and_by_number(
    log_in: LogIn, url: str, town: Town, viewport: dict[str, int] | None
) -> None:
    with town.hub.database.read() as conn:
        case = next(one for one in read_cases(conn, t.cases.c.total_minor > 0) if one.debtor.name)
    page = log_in("operator", viewport)
    for said in (case.debtor.name, case.number):
        page.goto(f"{url}/caller")
        page.get_by_label("Phone number, name or reference").fill(said)
        page.get_by_role("button", name="Find").click()
        card = page.get_by_role("region", name=re.compile(re.escape(case.number)))
        expect(card).to_contain_text("owed today")
        expect(card).to_contain_text("Last")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.goto(f"{url}/caller?q=nobody-of-this-name")
    expect(page.get_by_text("Nobody was found")).to_be_visible()
