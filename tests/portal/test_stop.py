"""Who was asked to stop, whether he has, and how long it took: on the case page and the overview."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from collecthub.engine.desk import withdraw
from collecthub.model.exchange import AckVerdict, CaseAcknowledgement
from collecthub.model.ids import new_id
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.testing.inline import run_until_idle
from portal.conftest import PHONE, LogIn
from portal.town import Town


def test_the_page_counts_until_everyone_has_stopped(log_in: LogIn, town: Town, url: str) -> None:
    case = town.case_of("10011")
    assert case.placement is not None
    with town.hub.work() as work:
        withdraw(town.hub, work, LOCAL_OPERATOR, case.case_id, reason="Sent by mistake.")
    run_until_idle(town.hub)
    page = log_in()
    expect(page.get_by_role("region", name="What needs attention")).to_contain_text("asked to stop")
    page.goto(f"{url}/cases/{case.case_id}")
    notice = page.locator(".notice", has_text=f"Waiting for {case.placement.partner_name} to stop")
    expect(notice).to_contain_text(re.compile(r"\d+ (seconds?|minutes) so far\. Told 1 time; it is said again until"))
    recall = page.locator("article.message", has=page.get_by_role("heading", name="Recall to"))
    states = recall.locator(".rung").evaluate_all("rungs => rungs.map(r => [r.innerText.split('\\n')[0], r.className])")
    assert [(name, style.split("-")[-1]) for name, style in states] == [
        ("Prepared", "done"), ("Sent", "done"), ("Confirmed", "now"),
    ]  # fmt: skip
    expect(recall.locator(".rung").last).to_contain_text(re.compile("until .* UTC\\s*Operator"))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    told = town.case_of("10011").placement
    assert told is not None
    town.say(
        told.partner_id,
        CaseAcknowledgement(
            message_id=new_id(), case_id=case.case_id, in_reply_to=told.amendment_id, verdict=AckVerdict.ACCEPTED,
            occurred_at=town.hub.now(),
        ),
    )
    phone = log_in(viewport=PHONE)
    phone.goto(f"{url}/cases/{case.case_id}")
    expect(phone.locator(".notice-good")).to_contain_text(re.compile(r"Everyone stopped after \d+ (seconds?|minutes)\."))
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
