"""The creditor blocks his customer in the ERP: the hub and whoever has the case stop, and go on when he lifts it."""

from __future__ import annotations

from walk.conftest import House
from walk.test_walk import accept, only_case, pull

from collecthub.model.exchange import AmendmentCode, CaseAmendment


def told(house: House) -> list[AmendmentCode]:
    return [message.code for message in house.world.messages if isinstance(message, CaseAmendment)]


def block(house: House, *, first: bool, second: bool) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00", is_blocked=first)
    house.world.invoice("2", "A", "2026-05-02", "50.00", is_blocked=second)
    pull(house)


def test_a_block_set_later_pauses_the_holder_until_it_is_lifted(house: House) -> None:
    block(house, first=False, second=False)
    accept(house)
    block(house, first=True, second=False)
    assert (only_case(house).holds, told(house)) == ((), []), "one line is still wanted"
    block(house, first=True, second=True)
    assert only_case(house).held_for("creditor_block")
    assert told(house) == [AmendmentCode.SUSPEND]
    pull(house)
    assert told(house) == [AmendmentCode.SUSPEND], "said once"
    block(house, first=True, second=False)
    assert only_case(house).holds == ()
    assert told(house) == [AmendmentCode.SUSPEND, AmendmentCode.RESUME]


def test_a_block_before_the_hand_over_keeps_the_case_at_home(house: House) -> None:
    block(house, first=True, second=True)
    assert only_case(house).held_for("creditor_block")
    assert house.world.delivered == {}
    block(house, first=False, second=True)
    assert len(house.world.delivered) == 1
