"""The agenda in a browser: the most urgent first, worked off by keys; and a caller found by what he says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from collecthub.engine.case_work import open_task
from collecthub.model.agenda import AgendaItem, by_urgency, proposal_for
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
    page.goto(f"{url}/agenda")
    rows = page.get_by_role("row", name=re.compile("wants to be called"))
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Call the debtor.")
    expect(rows.first).to_contain_text("<b>")
    page.locator("body").press("j")
    for row in range(2):
        rows.nth(row).get_by_role("checkbox").check()
    page.get_by_role("button", name=re.compile("Done")).click()
    expect(page.get_by_text("Taken off the list: 2")).to_be_visible()
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


def test_what_is_late_comes_first_then_weight_then_money() -> None:
    import datetime as dt

    now = dt.datetime(2026, 6, 15, 9, tzinfo=dt.UTC)

    def item(kind: str, stake: int = 0, due: dt.datetime | None = None) -> AgendaItem:
        proposed = proposal_for(kind)
        return AgendaItem(
            source="task", item_id=f"{kind}{stake}", kind=kind, title="", reason="", act=proposed.act,
            weight=proposed.weight, is_safe=False, due_at=due, since_at=now, case_id=None, number="", debtor_name="",
            creditor_id=None, currency="EUR", stake_minor=stake,
        )

    late = item("moved", 1, now - dt.timedelta(days=1))
    items = [item("moved", 10**9), item("callback", 5), item("callback", 50), item("no_stop", 1), late]
    ordered = [one.item_id for one in sorted(items, key=lambda one: by_urgency(one, now))]
    assert ordered == ["moved1", "no_stop1", "callback50", "callback5", "moved1000000000"]
