"""Agreed limits ask a person once: what the steps cost, and how long collection lasts. Pure: the course of one case."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from collecthub.corridor.act import act
from collecthub.corridor.decide import timers
from collecthub.model.case import Case
from collecthub.model.contact import ContactPolicy
from collecthub.model.event import CaseEvent, CaseOpened, Claim, HoldReleased
from collecthub.model.facts_contact import (
    ContactAgreed,
    ContactLimitReached,
    ContactMade,
    ContactOver,
    ContactQueued,
)
from collecthub.model.history import apply
from collecthub.model.party import Party
from contact.conftest import MONDAY_TEN, STEPS, THREE_MAILS

COSTLY = tuple(msgspec.structs.replace(step, cost=Decimal("2.00")) for step in STEPS)


class Course:
    """One case under a policy, from timer to timer."""

    def __init__(self, policy: ContactPolicy) -> None:
        claim = Claim(
            claim_id="c", number="F-1", due_on=dt.date(2026, 6, 14), issued_on=None,
            original_amount=Decimal("120.50"), open_amount=Decimal("120.50"),
        )  # fmt: skip
        opened = CaseOpened(
            number="1", creditor_id="k", connection_id="i", debtor_ref="d", debtor_digest="", currency="EUR", segment="B2B", claims=(claim,)
        )
        self.case: Case | None = None
        self.now = MONDAY_TEN
        self.say(opened)
        assert self.case is not None
        self.case = msgspec.structs.replace(self.case, debtor=Party(name="D", country="BE"))
        self.say(ContactAgreed(policy=policy, version="1"))

    def say(self, fact: Any) -> None:
        seq = 1 if self.case is None else self.case.version + 1
        event = CaseEvent(
            case_id="1", seq=seq, occurred_at=self.now, recorded_at=self.now, actor="hub", fact=fact, previous_hash=""
        )
        self.case = apply(self.case, event)

    def run(self) -> list[Any]:
        """Every fact until nothing is waited for; messages arrive on their day."""
        said: list[Any] = []
        while self.case is not None and (waits := [one for one in timers(self.case) if one.kind.startswith("contact")]):
            timer = min(waits, key=lambda one: one.due_at)
            self.now = max(self.now, timer.due_at)
            for fact in act(self.case, timer, ""):
                self.say(fact)
                said.append(fact)
                if isinstance(fact, ContactQueued):
                    self.say(
                        ContactMade(
                            contact_id=fact.contact_id, step=fact.step, channel=fact.channel, asked=Decimal(1),
                            language="nl", receipt_ref="",
                        )
                    )
        return said


def names(facts: list[Any]) -> list[str]:
    return [getattr(fact, "limit", "") or getattr(fact, "step", "") or "over" for fact in facts]


def test_the_step_that_breaks_the_cap_waits_for_a_person_who_is_asked_once() -> None:
    course = Course(msgspec.structs.replace(THREE_MAILS, steps=COSTLY, cost_cap=Decimal("3.00")))
    assert names(course.run()) == ["reminder 1", "cost_cap"]
    course.say(HoldReleased(reason="cost_cap"))
    assert names(course.run()) == ["reminder 2", "last word", "over"]


def test_a_case_does_not_outlast_the_agreed_term() -> None:
    course = Course(msgspec.structs.replace(THREE_MAILS, term_days=31, handover_after_days=31))
    assert names(course.run()) == ["reminder 1", "reminder 2", "last word", "over"]
    late = Course(msgspec.structs.replace(THREE_MAILS, term_days=31))
    late.now = MONDAY_TEN + dt.timedelta(days=25)  # it was held for long
    said = late.run()
    assert [type(fact) for fact in said][-1] in (ContactLimitReached, ContactOver)
    assert names(said) == ["reminder 1", "collection_term"]
    late.say(HoldReleased(reason="collection_term"))
    assert names(late.run())[-1] == "over"
