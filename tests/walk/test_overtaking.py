"""Whatever fails and in whatever order: nobody is told to stop before he was told of the case, and in the end everybody knows."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

import pytest
from walk.conftest import House
from walk.test_ladder import let_pass
from walk.test_line import invoice, told
from walk.test_walk import cases, pull

from collecthub.testing.inline import run_until_idle

DEBTORS = "ABCDE"
STEPS = 25


def fail_next(house: House, chance: random.Random) -> None:
    house.world.refuse_connections = chance.randrange(1)


def lose_next(house: House, chance: random.Random) -> None:
    house.world.lose_receipts = chance.randrange(1)


def open_or_close(house: House, chance: random.Random) -> None:
    house.world.closed_seconds = chance.choice([None, 1800.0])


def send_or_pay(house: House, chance: random.Random) -> None:
    """A debtor's invoice appears, or is paid in part or in full."""
    debtor = chance.choice(DEBTORS)
    if any(row.item_ref == debtor for row in house.world.rows):
        open_amount = chance.choice([Decimal(0), Decimal(40)])
        house.world.invoice(debtor, debtor, "2026-05-01", "100.00", open_amount=open_amount)
    else:
        invoice(house, debtor)
    pull(house)


def wait(house: House, chance: random.Random) -> None:
    let_pass(house, minutes=chance.choice([1, 10, 60]))


def send_now(house: House, chance: random.Random) -> None:
    house.wake("dispatch", "line")
    run_until_idle(house.hub)


ACTS: list[Callable[[House, random.Random], None]] = [fail_next, lose_next, open_or_close, send_or_pay, send_or_pay, wait, send_now]


def in_order(house: House) -> dict[str, list[str]]:
    """What each debtor's case was told about, in order; checked on the way."""
    by_debtor: dict[str, list[str]] = {}
    for debtor, word in told(house):
        by_debtor.setdefault(debtor, []).append(word)
    for debtor, words in by_debtor.items():
        assert words[0] == "file", f"{debtor}: {words[0]} overtook the case file"
        assert words.count("file") == 1, f"{debtor} was sent twice"
    return by_debtor


@pytest.mark.parametrize("seed", range(1))
def test_a_recall_never_overtakes_its_case_and_always_comes(house: House, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(STEPS):
        chance.choice(ACTS)(house, chance)
        in_order(house)
    house.world.refuse_connections = house.world.lose_receipts = 0
    house.world.closed_seconds = None
    for _ in range(4):
        let_pass(house, minutes=61)
    known = in_order(house)
    assert known, "nothing was sent at all"
    for case in cases(house):
        words = known.get(case.debtor_ref, [])
        if case.balance.principal == 0:
            assert not words or "recall" in words, f"{case.debtor_ref} paid, and the partner was not called back: {words}"
        else:
            assert "file" in words, f"{case.debtor_ref} never left"
