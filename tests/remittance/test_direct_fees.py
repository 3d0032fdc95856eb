"""Fees on what the debtor pays to the creditor himself, and partners' fees by whoever bears them."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
from payments.bank_samples import camt, paid

from collecthub.engine.client_account import watch_client_money
from collecthub.engine.direct_fees import charge_direct_fees
from collecthub.engine.matching import match_payments
from collecthub.engine.payments_in import Owner, import_bank_file
from collecthub.engine.receipts import Taken, give_receipt
from collecthub.engine.remitting import create_remittances
from collecthub.errors import PermanentError
from collecthub.model.contract import Side
from collecthub.store.case_log import read_case
from collecthub.store.queries.cost_statement import CostStatement, cost_statement
from collecthub.store.queries.scope import LOCAL_OPERATOR
from remittance.conftest import Till, on
from remittance.test_partners_money import invoice, placed, reports, transfer

D = Decimal
OWN = "BE43068999999501"  # the creditor's own account
PAYER = "BE71096123456769"


def own_account(till: Till, *rows: dict[str, Any], ident: str) -> None:
    stream = io.BytesIO(camt("camt.053", rows, ident=ident, account=OWN))
    import_bank_file(till.hub, LOCAL_OPERATOR, stream, ident, Owner(creditor_id="kroon"))
    match_payments(till.hub, LOCAL_OPERATOR)


def to_invoice(till: Till) -> CostStatement:
    with till.hub.database.read() as conn:
        return cost_statement(conn, LOCAL_OPERATOR, to_invoice=True)


def test_a_payment_to_the_creditor_costs_its_fee_once_and_gives_it_back(till: Till) -> None:
    """10 % of 200.00 and 21 % VAT on it; what came through the client account or the till is charged in its remittance."""
    till.agree(on_direct_payments=True, minimum_fee="0.00")
    case = till.case("500.00")
    own_account(till, paid("200.00", text=case["number"], iban=PAYER), ident="S-1")
    till.bank(paid("100.00", text=case["number"]))
    with till.hub.work() as work:
        cash = Taken(amount=D("50.00"), means="cash", place="counter", received_on=on("2026-06-15"), received_by="An")
        give_receipt(till.hub, work, LOCAL_OPERATOR, case["case_id"], cash)
    watch_client_money(till.hub)  # the clock's part
    assert charge_direct_fees(till.hub, LOCAL_OPERATOR) == ()
    lines = [(line.kind, line.amount, line.settled_by) for line in to_invoice(till).lines]
    assert lines == [("fee", D("20.00"), ""), ("vat", D("4.20"), "")]
    (made,) = create_remittances(till.hub, LOCAL_OPERATOR).made
    assert (made.gross, made.fee, made.vat) == (D("150.00"), D("15.00"), D("3.15"))
    with till.hub.database.read() as conn:
        found = read_case(conn, case["case_id"])
    assert found is not None and (found.balance.total, found.balance.creditor_costs) == (D("150.00"), D("42.35"))
    own_account(till, paid("200.00", iban=PAYER, back=True), ident="S-2")
    (back,) = charge_direct_fees(till.hub, LOCAL_OPERATOR)
    assert (back.fee.fee, back.fee.vat) == (D("-20.00"), D("-4.20"))
    assert [one.amount for one in to_invoice(till).sums] == [D(0)]


def test_the_minimum_of_a_case_counts_both_ways_of_paying(till: Till) -> None:
    till.agree(on_direct_payments=True, minimum_fee="30.00", vat_percent="0")
    case = till.case("500.00")
    own_account(till, paid("100.00", text=case["number"]), ident="S-1")
    (first,) = charge_direct_fees(till.hub, LOCAL_OPERATOR)
    till.bank(paid("100.00", text=case["number"]))
    (made,) = create_remittances(till.hub, LOCAL_OPERATOR).made
    assert (first.fee.fee, made.fee) == (D("30.00"), D("0.00"))


def test_without_such_an_agreement_nothing_is_charged(till: Till) -> None:
    till.agree()
    own_account(till, paid("100.00", text=till.case("500.00")["number"]), ident="S-1")
    assert charge_direct_fees(till.hub, LOCAL_OPERATOR) == ()


@pytest.mark.parametrize(("side", "bearer"), [(Side.CREDITOR, "debtor"), (Side.CREDITOR, "operator"), (Side.PARTNER, "debtor")])
def test_a_fee_is_borne_by_a_party_to_the_contract(till: Till, side: Side, bearer: str) -> None:
    with pytest.raises(PermanentError, match="fee_bearer"):
        till.agree("kroon" if side is Side.CREDITOR else "bailiff", side, fee_bearer=bearer)


@pytest.mark.parametrize(("bearer", "held", "operator", "lines"), [
    ("creditor", D("173.80"), D("0"), [("cost", D("2.00"), "TR-1"), ("fee", D("24.20"), "TR-1")]),
    ("operator", D("198.00"), D("-24.20"), [("cost", D("2.00"), "TR-1")]),
])  # fmt: skip
def test_a_fee_that_the_partner_kept_back(
    till: Till, bearer: str, held: Decimal, operator: Decimal, lines: list[tuple[str, Decimal, str]]
) -> None:
    """10 % of 200.00 and 21 % VAT on it are 24.20; the bank took 2.00."""
    from collecthub.store.queries.client_money import client_money

    till.agree("bailiff", Side.PARTNER, minimum_fee="0.00", fee_bearer=bearer)
    case = placed(till, "500.00")
    reports(till, case, "P-1", "200.00")
    found = transfer(till, [(case, "P-1", "200.00")], amount="200.00", received="173.80", charges="2.00", fee="24.20")
    assert found.findings == ()
    till.bank(paid("173.80", text="TR-1"))
    with till.hub.database.read() as conn:
        (money,) = client_money(conn, till.hub.business_date())
        told = cost_statement(conn, LOCAL_OPERATOR, case_id=case["case_id"])
    assert ([one.amount for one in money.held], money.operator, money.difference) == ([held], operator, D(0))
    assert sorted((line.kind, line.amount, line.settled_by) for line in told.lines) == lines
    wrong = transfer(till, [(case, "P-1", "200.00")], reference="TR-2", amount="200.00", received="170.00", fee="30.00")
    assert "a fee of 30.00 EUR was kept back, agreed is 24.20" in wrong.findings


def test_a_fee_that_the_creditor_bears_becomes_a_line_of_his_invoice(till: Till) -> None:
    till.agree("bailiff", Side.PARTNER, minimum_fee="0.00", fee_bearer="creditor")
    one, two = placed(till, "500.00"), placed(till, "400.00")
    reports(till, one, "P-1", "200.00")
    reports(till, two, "P-2", "100.00")
    checked = invoice(till, "I-1", (one, "fee", "P-1", "20.00", "4.20"), (two, "fee", "P-2", "99.00", "0.00"))
    assert [finding.line for finding in checked.findings] == [2]  # what deviates is not passed on
    assert [(line.case_number, line.kind, line.amount, line.reference) for line in to_invoice(till).lines] == [
        (one["number"], "fee", D("20.00"), "I-1"), (one["number"], "vat", D("4.20"), "I-1"),
    ]  # fmt: skip
