"""The same money seen by the bank, the ERP and a partner counts once, in whatever order they say it."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
from payments.bank_samples import camt, paid
from walk.conftest import House
from walk.test_walk import accept, hear, only_case, payment, pull

from collecthub.engine.matching import MatchRun, match_payments
from collecthub.engine.payments_in import Owner, import_bank_file
from collecthub.model.exchange import AmendmentCode, CaseAmendment
from collecthub.sdk import ItemState
from collecthub.store.queries.scope import LOCAL_OPERATOR

PAYER = "BE71096123456769"
ERP_STORIES = {
    "booked, then reopened": [("cleared", "0"), ("open", "100.00")],
    "only reopened": [("open", "100.00")],
}


def bank(house: House, *rows: dict[str, Any], ident: str) -> MatchRun:
    stream = io.BytesIO(camt("camt.053", rows, ident=ident))
    owner = Owner(creditor_id=only_case(house).creditor_id)
    found = import_bank_file(house.hub, LOCAL_OPERATOR, stream, ident, owner)
    assert found.state == "imported", found.problem
    return match_payments(house.hub, LOCAL_OPERATOR)


def erp_says(house: House, ref: str, amount: str, left: str) -> None:
    more: dict[str, Any] = {"open_amount": Decimal(left)}
    if not Decimal(left):
        more["state"] = ItemState.PAID
    house.world.invoice(ref, "A", "2026-05-01", amount, **more)
    pull(house)


def opened(house: House) -> str:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    house.world.invoice("2", "A", "2026-05-01", "50.00")
    pull(house)
    return only_case(house).number


def figures(house: House) -> tuple[Decimal, Decimal, Decimal]:
    """What was paid, what a holder should ask for, what the ERP should show."""
    case = only_case(house)
    expected = case.erp_open + sum((amount for ref, amount in case.unmatched if ref.startswith("recorded-")), Decimal(0))
    return case.balance.payments, case.demanded, expected


def test_the_bank_after_the_erp(house: House) -> None:
    number = opened(house)
    erp_says(house, "1", "100.00", "0")
    run = bank(house, paid("100.00", text=number), ident="S-1")
    assert (run.known, run.booked) == (1, 0)
    assert figures(house) == (Decimal(100), Decimal(50), Decimal(50))
    run = bank(house, paid("50.00", text=number), ident="S-2")  # other money: the ERP has not said it yet
    assert (run.known, run.booked) == (0, 1)


def test_the_erp_after_the_bank_invoice_by_invoice(house: House) -> None:
    number = opened(house)
    bank(house, paid("150.00", text=number), ident="S-1")
    assert figures(house) == (Decimal(150), Decimal(0), Decimal(150))
    erp_says(house, "1", "100.00", "0")
    erp_says(house, "2", "50.00", "0")
    assert figures(house) == (Decimal(150), Decimal(0), Decimal(0))


@pytest.mark.parametrize("story", ERP_STORIES)
def test_a_return_before_the_erp_has_booked_anything(house: House, story: str) -> None:
    number = opened(house)
    bank(house, paid("100.00", text=number, iban=PAYER), ident="S-1")
    run = bank(house, paid("100.00", iban=PAYER, back=True), ident="S-2")
    assert run.returned == 1
    assert figures(house) == (Decimal(0), Decimal(150), Decimal(150))
    for _, left in ERP_STORIES[story]:
        erp_says(house, "1", "100.00", left)
    assert figures(house) == (Decimal(0), Decimal(150), Decimal(150))


def test_a_return_after_the_erp_has_booked_and_before_it_reopens(house: House) -> None:
    number = opened(house)
    bank(house, paid("150.00", text=number, iban=PAYER), ident="S-1")
    erp_says(house, "1", "100.00", "0")
    erp_says(house, "2", "50.00", "0")
    assert bank(house, paid("150.00", iban=PAYER, back=True, reason="MD06"), ident="S-2").returned == 1
    assert figures(house)[:2] == (Decimal(0), Decimal(150))
    erp_says(house, "1", "100.00", "100.00")
    erp_says(house, "2", "50.00", "50.00")
    assert figures(house) == (Decimal(0), Decimal(150), Decimal(150))


def test_a_return_of_what_only_the_erp_had_booked(house: House) -> None:
    number = opened(house)
    erp_says(house, "1", "100.00", "0")
    bank(house, paid("100.00", text=number, iban=PAYER), ident="S-1")
    assert bank(house, paid("100.00", iban=PAYER, back=True), ident="S-2").returned == 1
    assert figures(house)[:2] == (Decimal(0), Decimal(150))
    erp_says(house, "1", "100.00", "100.00")
    assert figures(house) == (Decimal(0), Decimal(150), Decimal(150))


def test_what_a_partner_reported_and_passes_on_counts_once(house: House) -> None:
    number = opened(house)
    case = accept(house)
    house.world.say("pay", payment(case, "P-1", "40.00"))
    hear(house)
    run = bank(house, paid("40.00", text=f"remittance {number}", name="Bailiff"), ident="S-1")
    assert (run.known, run.booked) == (1, 0)
    assert only_case(house).balance.payments == Decimal(40)


def test_a_payment_on_the_account_stops_the_holder(house: House) -> None:
    number = opened(house)
    accept(house)
    bank(house, paid("150.00", text=number), ident="S-1")
    house.wake("dispatch", "line")
    pull(house)
    told = [
        message
        for exchange in house.world.delivered.values()
        for message in exchange.messages
        if isinstance(message, CaseAmendment)
    ]
    assert [message.code for message in told] == [AmendmentCode.RECALL]
