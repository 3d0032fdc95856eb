"""The demo's debtor, over a real mail server: reminders, a plan, a late instalment, and the last one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from collecthub.cli.demo.debtor import DEBTOR, play_debtor, told_debtor
from collecthub.cli.demo.portfolio import Plan
from collecthub.config import load_settings
from collecthub.hub import open_hub
from collecthub.sandbox.twin import RunningTwin

DAY = dt.date(2026, 6, 15)


class Post(dict[str, RunningTwin]):
    """The part of the town that the story needs."""


@pytest.fixture
def told(tmp_path: Path, post: RunningTwin) -> dict[str, Any]:
    settings = load_settings({}, home=tmp_path, business_date=DAY, allow_loopback=True)
    town: Any = Post(mail=post)
    for _ in range(2):  # told a second time, nothing happens again
        play_debtor(settings, town, Plan(as_of=DAY, creditors=()))
    hub = open_hub(settings)
    found = told_debtor(hub, town)
    assert hub.business_date() == DAY
    hub.close()
    return found


def test_a_debtor_is_reminded_proposes_a_plan_and_keeps_it_to_the_last_instalment(
    told: dict[str, Any], post: RunningTwin
) -> None:
    kinds = [step["kind"] for step in told["steps"]]
    assert kinds[:2] == ["case_opened", "contact_agreed"] and kinds[-2:] == ["plan_completed", "case_closed"]
    assert kinds.count("contact_made") == 2
    assert kinds.count("payment_recorded") == 4 and kinds.count("instalment_missed") == 1
    assert kinds.index("plan_proposed") < kinds.index("plan_agreed") < kinds.index("payment_recorded")
    days = [step["on"] for step in told["steps"]]
    assert days == sorted(days) and days[-1] < DAY.isoformat()
    assert Decimal(told["balance"]) == 0
    mails = post.control("messages", {"to": DEBTOR})["items"]
    assert len({mail["message_id"] for mail in mails}) == told["mails"] == len(mails)
    assert [mail["subject"].split(":")[0] for mail in mails[:2]] == ["Betalingsherinnering", "Tweede herinnering"]
    assert all("W-2025-118" in mail["text"] and "+32 9 000 00 00" in mail["text"] for mail in mails[:2])
