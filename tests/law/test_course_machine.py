"""The playbook's machine under any order of days, payments, holds and failed messages: each step once, in order, in time."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from collecthub.corridor.act import act
from collecthub.corridor.decide import decide, timers
from collecthub.model import event as ev
from collecthub.model import facts_contact as fc
from collecthub.model.case import Case
from collecthub.model.clock import Place, Timer
from collecthub.model.contact import Channel, ContactPolicy, ContactStep, DayCount, Tone
from collecthub.model.history import apply

DUE_ON = dt.date(2026, 6, 14)
OWED = Decimal("600.00")
WORDS = (Tone.FRIENDLY, Tone.FIRM, Tone.FIRM, Tone.FINAL)
HOLDS = ("dispute", "vulnerable", "promise")
gaps = st.lists(st.integers(0, 12), min_size=2, max_size=5)


def agreed(days: list[int], counted: DayCount) -> ContactPolicy:
    """Steps so many days after each other, the last one the hand-over."""
    at = [sum(days[: place + 1]) + place for place in range(len(days))]
    steps = tuple(
        ContactStep(name=f"step {place}", after_days=after, channel=Channel.EMAIL, tone=WORDS[place], days=counted)
        for place, after in enumerate(at[:-1])
    )
    return ContactPolicy(name="drawn", steps=steps, handover_after_days=at[-1])


class Course(RuleBasedStateMachine):
    """One case; beside it, kept by the test alone, what was said on which day."""

    @initialize(days=gaps, counted=st.sampled_from(DayCount), opened=st.integers(0, 40))
    def open(self, days: list[int], counted: DayCount, opened: int) -> None:
        self.policy, self.now = agreed(days, counted), dt.datetime.combine(DUE_ON, dt.time(10), dt.UTC) + dt.timedelta(days=opened)
        self.said: list[tuple[dt.date, str]] = []
        self.over_on: dt.date | None = None
        self.paid, self.case, self.opened_on = Decimal(0), None, self.now.date()
        claim = ev.Claim(
            claim_id="c", number="F-1", issued_on=None, due_on=DUE_ON, original_amount=OWED, open_amount=OWED
        )
        self.record(
            ev.CaseOpened(
                number="K-1", creditor_id="kroon", connection_id="books", debtor_ref="d", debtor_digest="x",
                currency="EUR", segment="B2B", claims=(claim,),
            )
        )  # fmt: skip
        self.record(fc.ContactAgreed(policy=self.policy, version=1))

    case: Case | None

    def record(self, *facts: ev.Fact) -> None:
        for fact in facts:
            seq = self.case.version + 1 if self.case else 1
            self.case = apply(
                self.case,
                ev.CaseEvent(
                    case_id="k", seq=seq, occurred_at=self.now, recorded_at=self.now, actor="test", fact=fact, previous_hash=""
                ),
            )
        while more := [step for step in decide(self.known) if not isinstance(step, Place)]:
            self.record(*act(self.known, more[0], "m"))

    @property
    def known(self) -> Case:
        assert self.case is not None
        return self.case

    @property
    def is_held(self) -> bool:
        return any(self.known.held_for(reason) for reason in HOLDS)

    @rule(days=st.integers(1, 20))
    def days_pass(self, days: int) -> None:
        for _ in range(days):
            self.now += dt.timedelta(days=1)
            for timer in timers(self.known):
                if timer.due_at <= self.now:
                    self.rings(timer)

    def rings(self, timer: Timer) -> None:
        for fact in act(self.known, timer, ""):
            assert not self.is_held and self.paid < OWED, f"{fact} while the debtor is left alone"
            if isinstance(fact, fc.ContactQueued):
                assert not (self.known.contact and self.known.contact.pending_id), "one message at a time"
                self.pending = fact
            if isinstance(fact, fc.ContactOver):
                assert self.over_on is None
                self.over_on = self.now.date()
            self.record(fact)

    @precondition(lambda self: self.known.contact.pending_id)
    @rule(is_brought=st.booleans(), is_given_up=st.booleans())
    def message_leaves(self, is_brought: bool, is_given_up: bool) -> None:
        """The runner looks again before it brings a message: one that must not leave any more is withdrawn."""
        contact_id, step = self.pending.contact_id, self.pending.step
        if self.is_held or not self.known.is_open:
            self.record(fc.ContactNotMade(contact_id=contact_id, step=step, reason="withdrawn"))
            return
        if not is_brought:
            if is_given_up:
                self.said.append((self.now.date(), step))
            self.record(fc.ContactNotMade(contact_id=contact_id, step=step, reason="bounced", is_taken=is_given_up))
            return
        self.said.append((self.now.date(), step))
        self.record(
            fc.ContactMade(
                contact_id=contact_id, step=step, channel=Channel.EMAIL, asked=OWED - self.paid, language="nl", receipt_ref="r"
            )
        )

    @precondition(lambda self: self.known.is_open)
    @rule(reason=st.sampled_from(HOLDS), on=st.booleans())
    def hold(self, reason: str, on: bool) -> None:
        if on and not self.known.held_for(reason):
            self.record(ev.HoldSet(reason=reason))
        elif not on and self.known.held_for(reason):
            self.record(ev.HoldReleased(reason=reason))

    @precondition(lambda self: self.known.is_open)
    @rule(cents=st.integers(1, 60_000))
    def pay(self, cents: int) -> None:
        amount = min(Decimal(cents) / 100, OWED - self.paid)
        self.paid += amount
        self.record(ev.PaymentRecorded(amount=amount, paid_on=self.now.date()))

    @invariant()
    def each_step_once_in_order_and_in_time(self) -> None:
        if self.case is None:
            return
        steps = self.policy.steps
        assert [name for _, name in self.said] == [step.name for step in steps[: len(self.said)]]
        days = [DUE_ON, *(day for day, _ in self.said), *([self.over_on] if self.over_on else [])]
        after = [0, *(step.after_days for step in steps), self.policy.handover_after_days]
        for place in range(1, len(days)):
            assert (days[place] - days[place - 1]).days >= after[place] - after[place - 1], "never earlier than was agreed"
            assert place == 1 or days[place] > days[place - 1], "never two on one day"
        assert self.over_on is None or len(self.said) == len(steps)
        assert self.known.is_open == (self.paid < OWED)


TestCourse = Course.TestCase
TestCourse.settings = settings(stateful_step_count=25)
