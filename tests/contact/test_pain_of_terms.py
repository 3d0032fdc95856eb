"""Pain 14: the term that a national rule opens after each reminder is kept, whatever the playbook says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from web.office import Office

from collecthub.law.contact_trial import PastItem, try_policy
from collecthub.law.packs import bundled_law
from collecthub.model.contact import ContactPolicy
from contact.conftest import MONDAY_TEN, THREE_MAILS, Later, agree, at
from contact.test_course import case_of, open_case

Mails = Callable[[str], list[dict[str, Any]]]
DUE = dt.date(2026, 6, 14)


def test_pain_14_norway_gets_fourteen_days_after_each_reminder(office: Office, later: Later, mails: Mails) -> None:
    case_id = open_case(office, "oslo@example.org", country="NO", language="en")
    later(office, 2)
    [first] = mails("oslo@example.org")  # 17 June
    assert "1 July 2026" in first["text"], first["text"]
    waited = case_of(office, case_id).contact
    assert waited is not None and waited.rests_until == dt.date(2026, 7, 1)
    at(office.hub, dt.datetime(2026, 6, 30, 10, tzinfo=dt.UTC))
    later(office, 1)  # 1 July: seven days would have been agreed, the law's term is not over
    assert len(mails("oslo@example.org")) == 1
    later(office, 1)
    assert len(mails("oslo@example.org")) == 2


def test_pain_14_a_dry_run_counts_the_same_terms() -> None:
    item = PastItem(debtor="A", due_on=DUE, settled_on=None, amount=Decimal(100))
    until = dt.date(2026, 12, 31)
    _, taken = try_policy(THREE_MAILS, [item], until, country="NO", segment="B2B", law=bundled_law("NO"))
    assert [(one.on - DUE).days for one in taken] == [3, 18, 33, 48]  # else 3, 10, 20, 31
    _, belgian = try_policy(THREE_MAILS, [item], until, country="BE", segment="B2B", law=bundled_law("BE"))
    assert [(one.on - DUE).days for one in belgian] == [3, 10, 20, 31]


def test_nothing_follows_a_last_word_before_its_own_day(office: Office, later: Later, mails: Mails) -> None:
    hasty = msgspec.structs.replace(
        THREE_MAILS, steps=(msgspec.structs.replace(THREE_MAILS.steps[2], after_days=1),), handover_after_days=4
    )  # fmt: skip
    assert isinstance(hasty, ContactPolicy)
    agree(office.hub, hasty)
    case_id = open_case(office, "hasty@example.org", country="BE")
    later(office, 1)  # it leaves, and names the 26th
    at(office.hub, MONDAY_TEN + dt.timedelta(days=10))
    later(office, 1)
    contact = case_of(office, case_id).contact
    assert len(mails("hasty@example.org")) == 1 and contact is not None and not contact.is_over
    later(office, 1)
    contact = case_of(office, case_id).contact
    assert contact is not None and contact.is_over
