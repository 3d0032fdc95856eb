"""One payment that the bank shows in three files and the ERP books counts once, in every order in which they may come."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest
from frame.databases import new_sqlite
from payments.bank_samples import camt, coda, paid
from walk.conftest import House
from walk.test_walk import cases, pull

from collecthub.engine.matching import match_payments
from collecthub.engine.payments_in import Owner, import_bank_file
from collecthub.model.case import Case
from collecthub.sdk import ItemState
from collecthub.store.payments import NEW, OPEN, waiting
from collecthub.store.queries.scope import LOCAL_OPERATOR

SOURCES = ("camt.054", "camt.053", "coda", "erp")
ORDERS = list(permutations(SOURCES))


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One database: what is the same money is not decided by it."""
    return new_sqlite(tmp_path / "hub.sqlite")


def bank_says(house: House, kind: str, numbers: Sequence[str], ident: str) -> None:
    """One payer pays for all of them on one day; the bank has one reference of a movement for camt and another for CODA."""
    rows = [
        paid("100.00", text=number, iban="BE71096123456769", name="Payer", bank_ref=f"{kind[:4]}-{number.replace('-', '')}")
        for number in numbers
    ]
    content = coda(rows) if kind == "coda" else camt(kind, rows, ident=ident)
    found = import_bank_file(house.hub, LOCAL_OPERATOR, io.BytesIO(content), ident, Owner(creditor_id="kroon"))
    assert (found.state, found.transactions) == ("imported", len(numbers)), found.problem
    match_payments(house.hub, LOCAL_OPERATOR)


def erp_says(house: House, debtors: Sequence[str]) -> None:
    for debtor in debtors:
        house.world.invoice(f"{debtor}-1", debtor, "2026-05-01", "100.00", open_amount=Decimal(0), state=ItemState.PAID)
    pull(house)


def test_in_every_order_of_arrival_it_is_one_payment(house: House) -> None:
    debtors = [f"D{place:02d}" for place in range(len(ORDERS))]
    for debtor in debtors:
        house.world.invoice(f"{debtor}-1", debtor, "2026-05-01", "100.00")
        house.world.invoice(f"{debtor}-2", debtor, "2026-05-02", "50.00")
    pull(house)
    of: dict[str, Case] = {case.claims[0].number.split("-")[1]: case for case in cases(house)}
    assert len(of) == len(ORDERS)
    for turn in range(len(SOURCES)):
        for source in SOURCES:
            now = [debtor for debtor, order in zip(debtors, ORDERS, strict=True) if order[turn] == source]
            if source == "erp":
                erp_says(house, now)
            else:
                bank_says(house, source, [of[debtor].number for debtor in now], f"{source}/{turn}")
        seen = {case.claims[0].number.split("-")[1]: case.balance.payments for case in cases(house)}
        assert {debtor: amount for debtor, amount in seen.items() if amount != 100} == {}, f"after {turn + 1} of them"
    with house.hub.database.read() as conn:
        assert [one for state in (NEW, OPEN) for one in waiting(conn, "kroon", state, "", 99)] == []
    assert {case.balance.total for case in cases(house)} == {Decimal("50.00")}
    assert {sum(amount for _, amount in case.unmatched) for case in cases(house)} == {0}

