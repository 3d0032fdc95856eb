"""The plan machine: instalments to the cent, limits, and a course that no order of payments and days can derail."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collecthub.corridor.act import act
from collecthub.corridor.decide import decide, timers
from collecthub.errors import PermanentError
from collecthub.model import event as ev
from collecthub.model import facts_human as fh
from collecthub.model.case import Case
from collecthub.model.clock import Follow
from collecthub.model.history import apply
from collecthub.model.history_human import settled
from collecthub.model.money import minor_units
from collecthub.model.plan import PlanLimits, PlanState, exceeded, instalments_for, month_after, split

NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


@given(
    st.integers(1, 10**9), st.integers(1, 60), st.sampled_from(["EUR", "JPY", "KWD"]),
    st.dates(dt.date(2024, 1, 1), dt.date(2030, 12, 31)),
)  # fmt: skip
def test_instalments_add_up_to_the_smallest_unit(minor: int, count: int, currency: str, first: dt.date) -> None:
    total = Decimal(minor).scaleb(-minor_units(currency))
    if minor < count:
        with pytest.raises(PermanentError):
            split(total, count, first, currency)
        return
    parts = split(total, count, first, currency)
    assert sum(one.amount for one in parts) == total
    assert len(parts) == count and all(one.amount > 0 for one in parts)
    amounts = [one.amount.scaleb(minor_units(currency)) for one in parts]
    assert all(amount == int(amount) for amount in amounts)  # nothing finer than the currency
    assert max(amounts) - min(amounts) < count  # equal but for the units that do not divide
    assert [one.due_on for one in parts] == sorted({one.due_on for one in parts})
    assert all(one.due_on.day == min(first.day, one.due_on.day) for one in parts)


@given(st.dates(dt.date(2020, 1, 1), dt.date(2035, 1, 1)), st.integers(0, 120))
def test_months_keep_their_day(day: dt.date, months: int) -> None:
    after = month_after(day, months)
    assert (after.year * 12 + after.month) - (day.year * 12 + day.month) == months
    assert after.day == day.day or (after + dt.timedelta(days=1)).day == 1


def test_twelve_months_at_most_unless_a_person_decides() -> None:
    today = dt.date(2026, 6, 15)
    first = dt.date(2026, 7, 1)
    assert exceeded(split(Decimal("1200.00"), 12, first, "EUR"), PlanLimits(), today) == ()
    (why,) = exceeded(split(Decimal("1300.00"), 13, first, "EUR"), PlanLimits(), today)
    assert "12 months" in why
    assert len(exceeded(split(Decimal("20.00"), 2, dt.date(2026, 9, 1), "EUR"), PlanLimits(), today)) == 2


def test_capacity_decides_the_number_of_months() -> None:
    assert instalments_for(Decimal("1000.00"), Decimal(150)) == 7
    with pytest.raises(PermanentError, match="nothing can be paid"):
        instalments_for(Decimal("1000.00"), Decimal(0))


class Walk:
    """A case of 600.00 EUR with a plan, moved by payments and days as the engine moves it."""

    def __init__(self, count: int) -> None:
        self.now, self.case = NOON, None
        claim = ev.Claim(
            claim_id="c", number="F-1", issued_on=None, due_on=dt.date(2026, 5, 1), original_amount=Decimal(600),
            open_amount=Decimal("600.00"),
        )  # fmt: skip
        self.facts: list[ev.Fact] = []
        self.record(
            ev.CaseOpened(
                number="K-1", creditor_id="kroon", connection_id="books", debtor_ref="d", debtor_digest="x",
                currency="EUR", segment="B2C", claims=(claim,),
            )
        )  # fmt: skip
        parts = split(Decimal("600.00"), count, dt.date(2026, 7, 1), "EUR")
        self.record(fh.PlanProposed(plan_id="p", proposed_by="debtor", instalments=parts))
        self.record(fh.PlanAgreed(plan_id="p", agreements=()))

    case: Case | None

    def record(self, *facts: ev.Fact) -> Case:
        for fact in facts:
            seq = self.case.version + 1 if self.case else 1
            event = ev.CaseEvent(
                case_id="k", seq=seq, occurred_at=self.now, recorded_at=self.now, actor="test", fact=fact, previous_hash=""
            )
            self.case = apply(self.case, event)
            self.facts.append(fact)
        assert self.case is not None
        while any(isinstance(step, Follow) for step in decide(self.case)):
            self.record(*act(self.case, Follow(), ""))
        return self.case

    def pay(self, amount: Decimal) -> None:
        self.record(ev.PaymentRecorded(amount=amount, paid_on=self.now.date()))

    def pass_days(self, days: int) -> None:
        for _ in range(days):
            self.now += dt.timedelta(days=1)
            assert self.case is not None
            for timer in timers(self.case):
                if timer.due_at <= self.now and (facts := act(self.case, timer, "")):
                    self.record(*facts)

    def said(self, kind: type) -> int:
        return sum(isinstance(fact, kind) for fact in self.facts)


steps = st.lists(
    st.one_of(st.tuples(st.just("pay"), st.integers(1, 30000)), st.tuples(st.just("wait"), st.integers(1, 60))), max_size=14
)


@given(st.integers(1, 6), steps)
def test_whatever_comes_the_plan_agrees_with_the_money(count: int, moves: list[tuple[str, int]]) -> None:
    walk = Walk(count)
    for kind, size in moves:
        assert walk.case is not None and walk.case.plan is not None
        if kind == "pay":
            left = walk.case.balance.total
            if left > 0:
                walk.pay(min(Decimal(size) / 100, left))
        else:
            walk.pass_days(size)
        case, plan = walk.case, walk.case.plan
        came_in = sum(fact.amount for fact in walk.facts if isinstance(fact, ev.PaymentRecorded))
        assert settled(case) == came_in
        running_total, covered = Decimal(0), 0
        for one in plan.instalments:  # counted again here, from the payments alone
            running_total += one.amount
            covered += running_total <= came_in
        if plan.is_running:
            assert plan.met == covered < len(plan.instalments)
            assert case.held_for("plan")
        assert (plan.state is PlanState.COMPLETED) == (walk.said(fh.PlanCompleted) == 1)
        if plan.state is PlanState.COMPLETED:
            assert came_in >= plan.total and not case.held_for("plan")
        assert walk.said(fh.PlanHalfway) <= 1 and walk.said(fh.PlanStatementDue) <= 1 and walk.said(fh.PlanBroken) <= 1
        assert walk.said(fh.PlanBroken) == 0 or walk.said(fh.InstalmentMissed) >= 1  # never without the free reminder


def test_a_late_instalment_is_reminded_free_and_then_broken() -> None:
    walk = Walk(3)
    walk.pay(Decimal("200.00"))
    walk.pass_days(16)  # the first was due on 1 July and is paid
    assert walk.said(fh.InstalmentMet) == 1 and walk.said(fh.InstalmentMissed) == 0
    walk.pass_days(dt.date(2026, 8, 4).toordinal() - walk.now.date().toordinal())
    assert walk.said(fh.InstalmentMissed) == 0  # 1 August and three days of grace
    walk.pass_days(1)
    (missed,) = [fact for fact in walk.facts if isinstance(fact, fh.InstalmentMissed)]
    assert (missed.number, missed.missing) == (2, Decimal("200.00"))
    assert walk.case is not None and walk.case.balance.total == Decimal("400.00")  # the reminder cost nothing
    walk.pass_days(14)
    (broken,) = [fact for fact in walk.facts if isinstance(fact, fh.PlanBroken)]
    assert walk.case.held_for("plan"), "it waits for the handler"
    walk.pass_days(8)
    assert not walk.case.held_for("plan"), "nobody decided: collection goes on"
    assert broken.decide_by_on == dt.date(2026, 8, 26)


def test_a_payment_after_the_reminder_puts_the_plan_back() -> None:
    walk = Walk(3)
    walk.pass_days(21)
    assert walk.case is not None and walk.case.plan is not None and walk.case.plan.state is PlanState.LATE
    walk.pay(Decimal("200.00"))
    assert walk.case.plan.state is PlanState.AGREED
    walk.pass_days(10)
    assert walk.said(fh.PlanBroken) == 0


def test_a_payment_taken_back_reopens_its_instalment() -> None:
    walk = Walk(3)
    claim = ev.DirectPaymentSeen(claim_id="c", amount=Decimal("250.00"), paid_on=walk.now.date())
    walk.record(claim)
    assert walk.case is not None and walk.case.plan is not None and walk.case.plan.met == 1
    walk.record(ev.ClaimReopened(claim_id="c", amount=Decimal("250.00")))
    assert walk.case.plan.met == 0 and walk.said(fh.InstalmentReversed) == 1


def test_half_and_last_are_told_once() -> None:
    walk = Walk(3)
    walk.pay(Decimal("200.00"))
    walk.pay(Decimal("150.00"))
    assert walk.said(fh.PlanHalfway) == 1
    walk.pass_days(dt.date(2026, 8, 18).toordinal() - walk.now.date().toordinal())  # 14 days before 1 September
    (statement,) = [fact for fact in walk.facts if isinstance(fact, fh.PlanStatementDue)]
    assert statement.remaining == Decimal("250.00")


def test_the_state_survives_its_encoding() -> None:
    walk = Walk(2)
    assert msgspec.json.decode(msgspec.json.encode(walk.case), type=Case) == walk.case
