"""The account of a case: figures worked by hand, a second calculator, and what must hold for any ledger."""

from __future__ import annotations

import datetime as dt
import os
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collecthub.errors import PermanentError
from collecthub.law.allocation.account import Account, Charged, Debt
from collecthub.law.allocation.movements import Movement, standing
from collecthub.law.allocation.orders import GENERAL, order_for
from collecthub.law.basis import Evidence, Matter
from collecthub.law.packs import bundled_countries, bundled_law
from collecthub.law.rules import AllocationRule, Part
from money.accounts import Simple, by_law, day, debt, paid, simple
from money.naive_account import Books
from money.naive_account import Debt as NaiveDebt

# Ledgers of the long property test: `make ledgers` asks for a million.
LEDGERS = int(os.environ.get("COLLECTHUB_LEDGERS") or 30 * settings().max_examples)
BEGIN = dt.date(2025, 3, 31)


def settled(account: Account, place: int = 0) -> list[tuple[str, str, str]]:
    return [(part.part.value, part.claim_id, str(part.amount)) for part in account.allocations[place].portions]


# --- worked by hand -------------------------------------------------------------------------------


def test_the_worked_belgian_figure_stands_in_the_account() -> None:
    found = by_law("BE", "2025-09-30", [debt("a", "2025-03-31", "10000.00")])
    assert (found.sum_of("interest"), found.sum_of("compensation"), found.total) == (
        Decimal("551.37"), Decimal("40.00"), Decimal("10591.37"),
    )  # fmt: skip


def test_a_belgian_payment_settles_costs_then_interest_then_principal() -> None:
    # 91 days at 11.5% on 10,000 are 286.7123; 1,000 pays 40, then 286.71, then 673.29 of the principal. Of 92 days at
    # 10.5% on 9,326.71 come 246.8370 more: 533.5493 in all, of which 286.71 are paid.
    found = by_law("BE", "2025-09-30", [debt("a", "2025-03-31", "10000.00")], [paid(1, "2025-06-30", "1000.00")])
    assert settled(found) == [("compensation", "a", "40.00"), ("interest", "a", "286.71"), ("principal", "a", "673.29")]
    (claim,) = found.claims
    assert (claim.open_principal, claim.interest, claim.open_interest) == (
        Decimal("9326.71"), Decimal("533.55"), Decimal("246.84"),
    )  # fmt: skip
    assert found.rule.id == "be.allocation.2023" and found.total == Decimal("9573.55")


def test_an_agreed_order_pays_the_principal_first() -> None:
    # 9,000 stay open for 92 days at 10.5%: 238.1918; with 286.7123 before, 524.90.
    debts, payments = [debt("a", "2025-03-31", "10000.00")], [paid(1, "2025-06-30", "1000.00")]
    found = by_law("BE", "2025-09-30", debts, payments, agreed="principal_first")
    assert settled(found) == [("principal", "a", "1000.00")]
    assert found.sum_of("interest") == Decimal("524.90") and found.rule.evidence is Evidence.UNKNOWN
    with pytest.raises(PermanentError, match="not known"):
        by_law("BE", "2025-09-30", debts, agreed="as_it_comes")


def test_costs_of_the_debtor_come_before_interest_and_only_from_their_day_on() -> None:
    costs = [Charged(on=day("2025-06-01"), amount=Decimal("125.00"))]
    debts = [debt("a", "2025-03-31", "10000.00")]
    before = by_law("BE", "2025-05-31", debts, [paid(1, "2025-05-31", "50.00")], costs)
    assert settled(before) == [("compensation", "a", "40.00"), ("interest", "a", "10.00")]
    after = by_law("BE", "2025-06-30", debts, [paid(1, "2025-06-30", "200.00")], costs)
    assert settled(after) == [("costs", "", "125.00"), ("compensation", "a", "40.00"), ("interest", "a", "35.00")]


def test_the_oldest_claim_is_settled_first_unless_one_was_named() -> None:
    debts = [debt("new", "2025-05-31", "100.00"), debt("old", "2025-03-31", "100.00")]
    oldest = by_law("BE", "2025-06-30", debts, [paid(1, "2025-06-30", "200.00")])
    assert [entry[:2] for entry in settled(oldest)] == [
        ("compensation", "old"), ("compensation", "new"), ("interest", "old"), ("interest", "new"), ("principal", "old"),
        ("principal", "new"),
    ]  # fmt: skip
    named = by_law("BE", "2025-06-30", debts, [paid(1, "2025-06-30", "140.95", claim_id="new")])
    # 30 days at 11.5% on 100 are 0.9452
    assert settled(named) == [("compensation", "new", "40.00"), ("interest", "new", "0.95"), ("principal", "new", "100.00")]


def test_a_belgian_consumer_owes_the_principal_only_while_no_reminder_is_known() -> None:
    found = by_law("BE", "2025-09-30", [debt("a", "2025-03-31", "1200.00")], segment="B2C")
    assert found.total == Decimal("1200.00")
    (claim,) = found.claims
    assert claim.late is not None and any("CEL XIX" in note for note in claim.late.notes)


def test_what_was_paid_too_much_settles_what_comes_later() -> None:
    costs = [Charged(on=day("2025-07-01"), amount=Decimal("30.00"))]
    found = simple(day("2025-12-31"), [debt("a", "2025-06-30", "100.00")], [paid(1, "2025-06-30", "150.00")], costs)
    assert (found.total, found.surplus, found.open_costs) == (Decimal("-20.00"), Decimal("20.00"), Decimal("0.00"))


def test_dutch_interest_that_was_paid_bears_no_interest() -> None:
    # Without payments a year's interest joins the principal; if all of it is paid on the anniversary's eve, none does.
    debts = [debt("a", "2024-01-01", "10000.00")]
    year = by_law("NL", "2025-01-01", debts)
    first_year = year.sum_of("interest")
    payment = [paid(1, "2025-01-01", str(first_year + year.sum_of("compensation")))]
    kept_up = by_law("NL", "2025-12-31", debts, payment)
    second_year = by_law("NL", "2025-12-31", [debt("a", "2025-01-01", "10000.00")]).sum_of("interest")
    assert kept_up.sum_of("open_principal") == Decimal("10000.00")
    assert abs(kept_up.sum_of("open_interest") - second_year) <= Decimal("0.01")
    assert by_law("NL", "2025-12-31", debts).sum_of("interest") > first_year + second_year + Decimal("1.00")


# --- the law's orders -----------------------------------------------------------------------------


def test_every_stored_order_has_a_source_and_says_that_nobody_read_it() -> None:
    laws = [bundled_law(country) for country in bundled_countries()]
    rules = [rule for law in laws for rule in law.allocation]
    assert len({rule.id.split(".")[0] for rule in rules}) == 30
    assert {rule.evidence for rule in rules} == {Evidence.GENERAL_KNOWLEDGE}
    assert all(rule.source and rule.article and Part.PRINCIPAL in rule.order for rule in rules)


def test_a_country_without_a_stored_order_takes_the_general_one_marked_as_such() -> None:
    matter = Matter(segment="B2B", contract_on=BEGIN, default_on=BEGIN)
    assert order_for(bundled_law("AE"), matter, BEGIN) is GENERAL and GENERAL.evidence is Evidence.UNKNOWN
    assert order_for(None, matter, BEGIN) is GENERAL
    old = Matter(segment="B2B", contract_on=dt.date(2022, 12, 31), default_on=BEGIN)
    assert order_for(bundled_law("BE"), old, BEGIN).id == "be.allocation.before_2023"


# --- taking back ----------------------------------------------------------------------------------


def test_a_taking_back_undoes_the_movement_that_it_names() -> None:
    one, two = paid(1, "2025-05-01", "50.00", reference="P1"), paid(2, "2025-05-02", "50.00", reference="P2")
    back = paid(3, "2025-06-01", "-50.00", reference="P3", reverses_ref="P1")
    assert standing([one, two, back]).movements == (two,)
    assert standing([one, two, paid(3, "2025-06-01", "-50.00")]).movements == (one,)
    assert standing([one, paid(2, "2025-06-01", "-20.00")]).movements[0].amount == Decimal("30.00")
    assert standing([paid(1, "2025-06-01", "-20.00")]).unmatched[0].amount == Decimal("-20.00")


amounts = st.integers(1, 500_000).map(lambda minor: Decimal(minor).scaleb(-2))
days = st.integers(0, 700).map(lambda number: BEGIN + dt.timedelta(days=number))
orders = st.permutations([Part.COSTS, Part.INTEREST, Part.PRINCIPAL])


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[list[Debt], list[Movement], list[Charged]]:
    debts = [
        Debt(claim_id=f"c{number}", number=f"c{number}", due_on=draw(days), principal=draw(amounts))
        for number in range(draw(st.integers(1, 3)))
    ]
    movements = [
        Movement(place=place, on=draw(days), amount=draw(amounts), claim_id=draw(st.sampled_from(["", "c0", "c1"])))
        for place in range(draw(st.integers(0, 5)))
    ]
    costs = [Charged(on=draw(days), amount=draw(amounts)) for _ in range(draw(st.integers(0, 2)))]
    return debts, movements, costs


@given(ledgers(), amounts, days)
def test_a_reversal_leaves_no_trace(
    ledger: tuple[list[Debt], list[Movement], list[Charged]], amount: Decimal, on: dt.date
) -> None:
    debts, movements, costs = ledger
    growth = Simple(Decimal("11.5"), Decimal("40.00"))
    until = BEGIN + dt.timedelta(days=800)
    more = [
        *movements, Movement(place=90, on=on, amount=amount, reference="X"),
        Movement(place=91, on=until, amount=-amount, reference="Y", reverses_ref="X"),
    ]  # fmt: skip
    assert simple(until, debts, more, costs, growth) == simple(until, debts, movements, costs, growth)


@given(ledgers(), orders)
def test_a_second_calculator_agrees_day_by_day(
    ledger: tuple[list[Debt], list[Movement], list[Charged]], order: list[Part]
) -> None:
    debts, movements, costs = ledger
    debts.sort(key=lambda one: (one.due_on, one.number))
    movements = [Movement(place=one.place, on=one.on, amount=one.amount) for one in movements]
    until = BEGIN + dt.timedelta(days=720)
    rule = AllocationRule(id="drawn", evidence=Evidence.VERIFIED, order=tuple(order))
    found = simple(until, debts, movements, costs, Simple(Decimal("11.5"), Decimal("40.00")), rule)
    naive = Books(
        debts=[NaiveDebt(due=one.due_on, left=one.principal, lump=Decimal("40.00")) for one in debts],
        percent=Decimal("11.5"), payments=[(one.on, one.amount) for one in movements],
        costs=[(one.on, one.amount) for one in costs], order=" ".join(part.value for part in order),
    ).run(until)  # fmt: skip
    assert [claim.open_principal for claim in found.claims] == [one.left for one in naive.debts]
    assert (found.total, found.surplus) == (naive.total, naive.surplus)


def _random_ledger(seed: int) -> tuple[Account, Decimal]:
    """An account of a random ledger, and what should be owed: everything charged less everything that came in."""
    draw = random.Random(seed)

    def amount() -> Decimal:
        return Decimal(draw.randint(1, 10**7)).scaleb(-2)

    def some_day() -> dt.date:
        return BEGIN + dt.timedelta(days=draw.randint(0, 700))

    debts = [
        Debt(claim_id=f"c{place}", number=f"c{place}", due_on=some_day(), principal=amount())
        for place in range(draw.randint(1, 3))
    ]
    movements = []
    for place in range(draw.randint(0, 5)):
        is_back = bool(movements) and draw.random() < 0.25
        before = draw.choice(movements).amount if is_back else Decimal(0)
        movements.append(
            Movement(
                place=place, on=some_day(), amount=-abs(before) if is_back else amount(),
                claim_id=draw.choice(["", "c0", "c2"]), is_credit=draw.random() < 0.1,
            )
        )
    costs = [Charged(on=some_day(), amount=amount()) for _ in range(draw.randint(0, 2))]
    order = draw.sample([Part.COSTS, Part.INTEREST, Part.PRINCIPAL], 3)
    rule = AllocationRule(id="drawn", evidence=Evidence.VERIFIED, order=tuple(order))
    until = BEGIN + dt.timedelta(days=draw.randint(0, 800))
    found = simple(until, debts, movements, costs, Simple(Decimal("10.5"), Decimal("40.00")), rule)
    charged = sum((one.principal for one in debts), Decimal(0)) + sum((one.amount for one in costs if one.on <= until), Decimal(0))
    charged += found.sum_of("interest") + found.sum_of("compensation")
    return found, charged - sum((one.amount for one in movements if one.on <= until), Decimal(0))


def test_random_ledgers_conserve_money_to_the_cent() -> None:
    for seed in range(LEDGERS):
        found, owed = _random_ledger(seed)
        assert found.total == owed, f"ledger {seed}"
        for one in found.allocations:
            assert sum((part.amount for part in one.portions), one.surplus) == one.movement.amount, f"ledger {seed}"
        assert all(claim.open_principal >= 0 and claim.open_interest >= 0 for claim in found.claims), f"ledger {seed}"
