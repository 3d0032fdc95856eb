"""What partners pass on and what they ask for: one sum for many cases, other currencies, invoices beside the grid."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from payments.bank_samples import paid
from web.office import change

from collecthub.bundled import jurisdictions
from collecthub.engine.partner_invoices import take_invoice
from collecthub.engine.partner_money import PartnerRemittance, RemittedLine, list_remittances, take_remittance
from collecthub.engine.remitting import create_remittances
from collecthub.engine.transfers import TransferTaken, settle_transfers, take_transfer
from collecthub.errors import PermanentError
from collecthub.model.approval import ApprovalLimits
from collecthub.model.contract import Side
from collecthub.model.money_transfer import Transfer, TransferLine, shares
from collecthub.model.partner_invoice import CheckedInvoice
from collecthub.store.case_log import read_case
from collecthub.store.connections import read_creditor, write_creditor
from collecthub.store.queries.client_money import client_money
from collecthub.store.queries.scope import LOCAL_OPERATOR
from remittance.conftest import Till

D = Decimal


def placed(till: Till, amount: str, who: str = "kroon") -> dict[str, Any]:
    """A case in the bailiff's hands."""
    case = till.case(amount, who)
    till.office.run()
    return case


def reports(till: Till, case: dict[str, Any], ref: str, amount: str) -> None:
    """The bailiff reports a payment, at his own door."""
    body = {"payment_ref": ref, "currency": "EUR", "amount": amount, "received_on": "2026-06-14"}
    answer = till.office.client("bailiff").post(f"/api/v1/partner/cases/{case['case_id']}/receipts", json=body, headers=change())
    assert answer.status_code < 300, answer.text
    till.office.run()


def charges(till: Till, case: dict[str, Any], ref: str, amount: str, vat: str, **more: str) -> str:
    """The bailiff charges a cost; returns what he reads of it afterwards."""
    body = {
        "cost_ref": ref, "cost_type": "bailiff_act", "currency": "EUR", "amount": amount, "tax_amount": vat,
        "bearer": "debtor", "occurred_on": "2026-06-14", **more,
    }  # fmt: skip
    bailiff = till.office.client("bailiff")
    answer = bailiff.post(f"/api/v1/partner/cases/{case['case_id']}/costs", json=body, headers=change())
    assert answer.status_code < 300, answer.text
    till.office.run()
    return str(bailiff.get(f"/api/v1/partner/reports/{answer.json()['report_id']}").json()["problem"])


def test_a_consumer_is_charged_nothing_of_the_collectors_own(till: Till) -> None:
    """CEL XIX.10: the cost is held with the article, its sender reads it, and the creditor can bear it instead."""
    till.hub.plugins.add("jurisdictions", jurisdictions)
    one = till.case("80.00", debtor={"name": "Jan Peeters", "country": "BE", "kind": "person"})
    case_id = one["case_id"]
    till.office.run()
    problem = charges(till, one, "K-1", "25.00", "5.25")
    assert "CEL XIX.10" in problem and "cost K-1 of 30.25 EUR" in problem
    with till.hub.database.read() as conn:
        case = read_case(conn, case_id)
    assert case is not None and (case.balance.costs, case.balance.creditor_costs) == (D(0), D(0))
    (held,) = till.office.client("operator").get("/api/v1/quarantine").json()["items"]
    assert (held["code"], held["case_id"]) == ("record.cost_forbidden", case_id)
    assert charges(till, one, "K-1", "25.00", "5.25", bearer="creditor") == ""
    assert charges(till, one, "K-2", "40.00", "0.00", cost_type="court_fee") == ""
    with till.hub.database.read() as conn:
        case = read_case(conn, case_id)
    assert case is not None and (case.balance.costs, case.balance.creditor_costs) == (D("40.00"), D("30.25"))


def of_case(till: Till, case: dict[str, Any]) -> tuple[D, list[str], list[str]]:
    """What the creditor bears by the account, what waits in quarantine, and what he is asked."""
    creditor, case_id = till.office.client("kroon"), case["case_id"]
    held = till.office.client("operator").get("/api/v1/quarantine?state=open").json()["items"]
    asked = creditor.get(f"/api/v1/tasks?case_id={case_id}").json()["items"]
    with till.hub.database.read() as conn:
        found = read_case(conn, case_id)
    assert found is not None
    return found.balance.creditor_costs, [one["code"] for one in held], [one["kind"] for one in asked]


def decides(till: Till, case: dict[str, Any], is_given: bool, **more: Any) -> None:
    body = {"is_given": is_given, **more}
    path = f"/api/v1/cases/{case['case_id']}/proceedings/approval-decisions"
    answer = till.office.client("kroon").post(path, json=body, headers=change())
    assert answer.status_code == 200, answer.text
    till.office.run()


def test_no_cost_of_enforcement_is_booked_before_the_creditor_allows_it(both_till: Till) -> None:
    """He is asked with the amount and his yes books it, and it alone; a lower cap or a no does not; within a general yes nobody is asked."""
    till = both_till
    one = placed(till, "900.00")
    report = {"status_code": "attachment_done", "occurred_at": "2026-06-14T09:00:00Z"}
    path = f"/api/v1/partner/cases/{one['case_id']}/status-reports"
    assert till.office.client("bailiff").post(path, json=report, headers=change()).status_code == 202
    till.office.run()
    told = charges(till, one, "K-1", "100.00", "21.00", bearer="creditor")
    assert "cost K-1 of 121.00 EUR" in told and "the creditor is asked to allow it" in told
    assert of_case(till, one) == (D(0), ["record.cost_unapproved"], ["approval"])
    decides(till, one, True, cap="120.99")
    assert of_case(till, one)[:2] == (D(0), ["record.cost_unapproved"]), "one cent less was allowed"
    charges(till, one, "K-2", "10.00", "2.10", bearer="creditor")
    decides(till, one, False, reason="too dear")
    said = till.office.client("kroon").get(f"/api/v1/cases/{one['case_id']}/timeline").json()["items"]
    heard = [(event["fact"]["code"], event["fact"]["text"]) for event in said if event["kind"] == "instruction_queued"]
    assert heard == [("cost_approved", "K-1: 120.99 EUR"), ("cost_refused", "K-2: 12.10 EUR. too dear")]
    assert "is asked" in charges(till, one, "K-3", "50.00", "10.50", bearer="creditor"), "what was allowed was for K-1 alone"
    decides(till, one, True)
    assert of_case(till, one)[0] == D("60.50")
    asked = {"kind": "enforcement", "estimate": "80.00", "cap": "100.00", "reason": "a second attempt"}
    path = f"/api/v1/cases/{one['case_id']}/proceedings/approvals"
    assert till.office.client("operator").post(path, json=asked, headers=change()).status_code == 200
    decides(till, one, True)
    assert of_case(till, one)[0] == D("60.50"), "what was refused stays refused"
    assert charges(till, one, "K-4", "99.00", "0.00", bearer="creditor") == ""
    assert "is asked" in charges(till, one, "K-6", "1.01", "0.00", bearer="creditor")
    assert of_case(till, one)[0] == D("159.50")
    assert charges(till, one, "K-5", "30.00", "0.00", cost_type="collection_fee", bearer="creditor") == "", "agreed in his contract"


def test_costs_given_beforehand_are_booked_up_to_the_agreed_sum(till: Till) -> None:
    """Up to 100 a step and 150 a case: 90 is booked, the next 70 would make 160 and is asked for."""
    with till.hub.work() as work:
        row = read_creditor(work.conn, "kroon")
        assert row is not None
        limits = ApprovalLimits(given_up_to=D(100), case_cap=D(150))
        write_creditor(work.conn, replace(row, playbook=replace(row.playbook, approval=limits)), work.now)
    one = placed(till, "900.00")
    report = {"status_code": "attachment_done", "occurred_at": "2026-06-14T09:00:00Z"}
    till.office.client("bailiff").post(f"/api/v1/partner/cases/{one['case_id']}/status-reports", json=report, headers=change())
    till.office.run()
    assert charges(till, one, "K-1", "90.00", "0.00", bearer="creditor") == ""
    assert "is asked" in charges(till, one, "K-2", "70.00", "0.00", bearer="creditor")
    assert of_case(till, one) == (D("90.00"), ["record.cost_unapproved"], ["approval"])


def transfer(till: Till, lines: list[tuple[dict[str, Any], str, str]], **more: Any) -> TransferTaken:
    body: dict[str, Any] = {
        "reference": "TR-1", "currency": "EUR", "amount": "100.00", "received_currency": "EUR", "received": "100.00",
        "lines": [{"case": case["number"], "payment_ref": ref, "amount": amount} for case, ref, amount in lines],
    }  # fmt: skip
    return take_transfer(till.hub, LOCAL_OPERATOR, "bailiff", json.dumps({**body, **more}).encode())


def test_one_sum_for_many_cases_is_known_and_held_for_each_creditor(till: Till) -> None:
    one, two = placed(till, "80.00"), placed(till, "50.00", "other")
    reports(till, one, "P-1", "70.00")
    reports(till, two, "P-2", "30.00")
    found = transfer(till, [(one, "P-1", "70.00"), (two, "P-2", "30.00")])
    assert (found.state, found.findings) == ("announced", ())
    run = till.bank(paid("100.00", text="TR-1"), paid("100.00", text="something else"))
    assert (run.known, run.booked, run.waiting) == (1, 0, 1)
    assert transfer(till, [(one, "P-1", "70.00"), (two, "P-2", "30.00")]).state == "arrived"
    with till.hub.database.read() as conn:
        (money,) = client_money(conn, till.hub.business_date())
        case = read_case(conn, one["case_id"])
    assert {held.creditor_id: held.amount for held in money.held} == {"kroon": D("70.00"), "other": D("30.00")}
    assert case is not None and case.balance.payments == D("70.00")  # nothing was booked again
    with pytest.raises(PermanentError, match="announced before with another content"):
        transfer(till, [(one, "P-1", "70.00")], amount="70.00", received="70.00")


def test_another_currency_with_rate_and_charges_that_the_operator_bears(till: Till) -> None:
    till.agree(grid=[], minimum_fee="0.00")
    one, two = placed(till, "600.00"), placed(till, "400.00")
    reports(till, one, "P-1", "460.00")
    reports(till, two, "P-2", "276.00")
    lines = [(one, "P-1", "500.00"), (two, "P-2", "300.00")]
    usd = {
        "currency": "USD", "amount": "800.00", "rate": "0.92", "rate_on": "2026-06-10", "rate_source": "ECB",
        "charges": "12.00", "bearer": "operator", "received": "724.00",
    }  # fmt: skip
    assert transfer(till, lines, **usd).findings == ()
    till.bank(paid("724.00", text="payment of agency"))
    (made,) = create_remittances(till.hub, LOCAL_OPERATOR).made
    assert made.net == D("736.00")  # 800 at 0.92: the creditor does not bear the 12.00
    with till.hub.database.read() as conn:
        (money,) = client_money(conn, till.hub.business_date())
    assert (money.operator, money.unallocated) == (D("-12.00"), D(0))
    assert "the operator owes the client account 12.00 EUR" in money.findings


@pytest.mark.parametrize(
    ("more", "finding"),
    [
        ({"received": "99.00"}, "less charges of 0 are 100.00 EUR, the transfer says 99.00"),
        ({"received": "97.00", "charges": "3.00", "bearer": "partner"}, "the partner bears the charges, but 3.00 EUR were taken off"),
        ({"amount": "110.00", "received": "110.00"}, "the lines make 100.00 EUR, the transfer says 110.00"),
    ],
)
def test_what_does_not_add_up_is_told_with_both_figures(till: Till, more: dict[str, str], finding: str) -> None:
    one = placed(till, "200.00")
    reports(till, one, "P-1", "100.00")
    assert finding in " ".join(transfer(till, [(one, "P-1", "100.00")], **more).findings)


def test_money_that_was_never_reported_is_not_tied(till: Till) -> None:
    one = placed(till, "200.00")
    with pytest.raises(PermanentError, match="never reported payment P-9"):
        transfer(till, [(one, "P-9", "100.00")])
    with pytest.raises(PermanentError, match="the rate has no day or no source"):
        transfer(till, [(one, "P-9", "100.00")], currency="USD", rate="0.9")


@given(
    st.lists(st.decimals("0.01", "5000", places=2), min_size=1, max_size=9), st.decimals("0.0001", "300", places=4),
    st.sampled_from(["EUR", "JPY", "KWD"]),
)  # fmt: skip
def test_shares_add_up_to_the_last_unit(amounts: list[Decimal], rate: Decimal, currency: str) -> None:
    lines = tuple(TransferLine(case="A", payment_ref=str(place), amount=amount) for place, amount in enumerate(amounts))
    total = sum(amounts, D(0))
    draft = Transfer(reference="T", currency="USD", amount=total, received_currency=currency, received=D(0), rate=rate, lines=lines)
    one = Transfer(reference="T", currency="USD", amount=total, received_currency=currency, received=draft.by_rate, rate=rate, lines=lines)
    parts = shares(one)
    assert sum(parts, D(0)) == one.received
    assert all(part >= 0 for part in parts)


def invoice(till: Till, number: str, *lines: tuple[dict[str, Any], str, str, str, str]) -> CheckedInvoice:
    body = {
        "number": number, "issued_on": "2026-06-15", "currency": "EUR",
        "lines": [
            {"case": case["number"], "kind": kind, "reference": ref, "amount": amount, "vat": vat}
            for case, kind, ref, amount, vat in lines
        ],
    }  # fmt: skip
    return take_invoice(till.hub, LOCAL_OPERATOR, "bailiff", json.dumps(body).encode())


def test_an_invoice_beside_the_grid(till: Till) -> None:
    prices = [{"cost_type": "bailiff_act", "currency": "EUR", "amount_most": "50.00"}]
    till.agree("bailiff", Side.PARTNER, minimum_fee="0.00", costs=prices)
    one = placed(till, "500.00")
    reports(till, one, "P-1", "200.00")
    charges(till, one, "C-1", "60.00", "12.60")
    charges(till, one, "C-2", "40.00", "8.40")
    good = invoice(till, "I-1", (one, "fee", "P-1", "20.00", "4.20"), (one, "cost", "C-2", "40.00", "8.40"))
    assert (good.stated, good.expected, good.findings) == (D("72.60"), D("72.60"), ())
    assert invoice(till, "I-1", (one, "fee", "P-1", "20.00", "4.20"), (one, "cost", "C-2", "40.00", "8.40")) == good
    bad = invoice(
        till, "I-2", (one, "fee", "P-1", "20.00", "4.20"), (one, "cost", "C-1", "60.00", "12.60"), (one, "fee", "P-7", "5.00", "1.05")
    )
    assert [(found.line, found.stated, found.expected) for found in bad.findings] == [
        (1, D("24.20"), D(0)), (2, D("72.60"), D("60.50")), (3, D("6.05"), D(0)),
    ]  # fmt: skip
    told = [found.reason for found in bad.findings]
    assert told[0] == "P-1 was invoiced before" and told[2] == "P-7 was never reported in this case"
    assert "was reported as 60.00, agreed is 50.00 at most" in told[1]
    with pytest.raises(PermanentError, match="taken before with another content"):
        invoice(till, "I-2", (one, "fee", "P-1", "1.00", "0.21"))


def test_a_fee_above_the_grid_names_both_figures(till: Till) -> None:
    till.agree("bailiff", Side.PARTNER, minimum_fee="0.00")
    one = placed(till, "500.00")
    reports(till, one, "P-1", "200.00")
    (found,) = invoice(till, "I-1", (one, "fee", "P-1", "30.00", "6.30")).findings
    assert (found.stated, found.expected) == (D("36.30"), D("24.20"))
    assert found.reason.startswith("10 % of 200.00 EUR (grid row 2, contract version 1")


def test_lines_in_another_currency_than_their_case_wait_for_a_person_though_their_sum_came(both_till: Till) -> None:
    till = both_till
    one = placed(till, "80.00")
    reports(till, one, "P-1", "70.00")
    right = PartnerRemittance(
        remittance_ref="TR-2", currency="EUR", amount=D("70.00"), paid_on=till.hub.business_date(), case_currency="EUR",
        lines=(RemittedLine(case_id=one["case_id"], payment_ref="P-1", amount=D("70.00")),),
    )  # fmt: skip
    with till.hub.work() as work:
        wrong = take_remittance(work, "bailiff", replace(right, remittance_ref="TR-1", case_currency="USD"))
    assert "reported in EUR, the currency of its case, and is passed on as 70.00 USD" in wrong.finding
    run = till.bank(paid("70.00", text="TR-1"))
    assert (run.known, run.waiting) == (0, 1)
    with till.hub.work() as work:
        take_remittance(work, "bailiff", right)
    assert settle_transfers(till.hub) == 1, "said anew, it is tied"
    with till.hub.database.read() as conn:
        found = {one.remittance.remittance_ref: one.state for one in list_remittances(conn, "bailiff")}
    assert found == {"TR-1": "announced", "TR-2": "arrived"}
