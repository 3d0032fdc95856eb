"""What is there equals what is held per creditor, through a life of the account computed by hand; and what breaks it."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
from payments.bank_samples import camt, paid
from pypdf import PdfReader

from collecthub.engine.client_account import (
    check_client_money,
    explain_movement,
    see_debits,
    watch_client_money,
)
from collecthub.engine.matching import match_payments
from collecthub.engine.payment_orders import export_remittances
from collecthub.engine.payments_in import Owner, import_bank_file
from collecthub.engine.receipts import Receipt, Taken, give_receipt, reverse_receipt
from collecthub.engine.remitting import create_remittances
from collecthub.errors import PermanentError
from collecthub.model.client_money import ClientMoney
from collecthub.store.case_log import read_case
from collecthub.store.queries.paging import PageRequest
from collecthub.store.queries.payments import list_payments
from collecthub.store.queries.remittances import remittance_detail
from collecthub.store.queries.scope import LOCAL_OPERATOR
from remittance.conftest import Till, on

D = Decimal
PAYER = "BE71096123456769"


class Ledger:
    """The bank's own books of the client account: each statement begins where the last one ended."""

    def __init__(self, till: Till) -> None:
        self.till, self.balance, self.number = till, D("1000.00"), 0

    def says(self, *rows: dict[str, Any]) -> None:
        self.number += 1
        content = camt("camt.053", rows, ident=f"S-{self.number}").decode()
        moved = sum((D(one["amount"]) * (-1 if one.get("back") or one.get("out") else 1) for one in rows), D(0))
        content = content.replace(f">{1000 + moved}</Amt>", ">CLOSING</Amt>").replace(">1000.00</Amt>", f">{self.balance}</Amt>")
        self.balance += moved
        content = content.replace(">CLOSING</Amt>", f">{self.balance}</Amt>").replace("CLOSING", "CLBD")
        content = content.replace(f"<Id>S-{self.number}</Id><Cre", f"<Id>S-{self.number}</Id><ElctrncSeqNb>{self.number}</ElctrncSeqNb><Cre")
        found = import_bank_file(self.till.hub, LOCAL_OPERATOR, io.BytesIO(content.encode()), "s.xml", Owner(creditor_id=None))
        assert found.state == "imported" and not found.findings, found
        match_payments(self.till.hub, LOCAL_OPERATOR)
        see_debits(self.till.hub)


def money(till: Till) -> ClientMoney:
    (found,) = check_client_money(till.hub)
    assert found.on == till.hub.business_date()
    return found


def held(found: ClientMoney) -> dict[str, Decimal]:
    return {one.creditor_id: one.amount for one in found.held}


def take(till: Till, case: dict[str, Any], amount: str, **more: Any) -> Receipt:
    said = {"means": "cash", "place": "counter", "received_on": on("2026-06-12"), "received_by": "Ann", **more}
    with till.hub.work() as work:
        return give_receipt(till.hub, work, LOCAL_OPERATOR, case["case_id"], Taken(amount=D(amount), **said))


def movement(till: Till, amount: str) -> str:
    """The movement of this amount on the client account."""
    with till.hub.database.read() as conn:
        found = list_payments(conn, LOCAL_OPERATOR, till.hub.key, PageRequest(), "").items
    return next(one.payment_id for one in found if one.amount == D(amount))


def tasks(till: Till) -> list[str]:
    items = till.office.client("operator").get("/api/v1/tasks").json()["items"]
    return [task["title"] for task in items if task["kind"] == "client_money"]


def test_a_life_of_the_account(both_till: Till) -> None:
    till = both_till
    till.agree(minimum_fee="0.00")
    till.agree("other", minimum_fee="0.00")
    bank = Ledger(till)
    one, two = till.case("500.00"), till.case("300.00", "other")
    bank.says(
        paid("200.00", text=one["number"], iban=PAYER, bank_ref="B1"), paid("300.00", text=two["number"], bank_ref="B2"),
        paid("40.00", text="no idea", bank_ref="B3"),
    )
    now = money(till)
    assert (now.there, now.unallocated, now.before_the_hub, now.findings) == (D("1540.00"), D("40.00"), D("1000.00"), ())
    assert held(now) == {"kroon": D("200.00"), "other": D("300.00")}

    receipt = take(till, one, "50.00")
    now = money(till)
    assert (now.cash, held(now)["kroon"], now.difference) == (D("50.00"), D("250.00"), D(0))

    first, second = create_remittances(till.hub, LOCAL_OPERATOR).made
    assert (first.creditor_id, first.fee, first.vat, first.net) == ("kroon", D("25.00"), D("5.25"), D("219.75"))
    now = money(till)
    assert (held(now), now.under_way, now.operator) == ({}, first.net + second.net, D("66.55"))  # 55.00 and 21 %
    export_remittances(till.hub, LOCAL_OPERATOR)
    bank.says(paid(str(first.net), out=True, e2e=first.number), paid(str(second.net), out=True, e2e=second.number))
    now = money(till)
    assert (now.under_way, now.difference, now.findings) == (D(0), D(0), ())
    with till.hub.database.read() as conn:
        assert remittance_detail(conn, LOCAL_OPERATOR, first.number).state == "paid"

    bank.says(paid("66.55", out=True, text="our fees"))
    now = money(till)
    assert (now.unexplained, now.difference) == (D("-66.55"), D("-66.55"))
    assert tasks(till) == ["client money in EUR: 1040.00 EUR is there, 1106.55 is owed: the difference is -66.55"]
    with pytest.raises(PermanentError, match="and so explained"), till.hub.work() as work:
        explain_movement(work, LOCAL_OPERATOR, movement(till, f"-{first.net}"), "operator")
    with till.hub.work() as work:
        explain_movement(work, LOCAL_OPERATOR, movement(till, "-66.55"), "operator", note="fees of June")
    now = money(till)
    assert (now.operator, now.there, now.findings, tasks(till)) == (D(0), D("1040.00"), (), [])
    assert receipt.number == "RC-2026-000001"


def test_money_that_comes_back_from_the_creditors_bank_is_held_again(till: Till) -> None:
    till.agree(grid=[], minimum_fee="0.00")
    bank = Ledger(till)
    bank.says(paid("80.00", text=till.case("80.00")["number"], bank_ref="B1"))
    (first,) = create_remittances(till.hub, LOCAL_OPERATOR).made
    export_remittances(till.hub, LOCAL_OPERATOR)
    bank.says(paid("80.00", out=True, e2e=first.number))
    bank.says(paid("80.00", e2e=first.number, reason="AC04"))
    now = money(till)
    assert (held(now), now.under_way, now.findings) == ({"kroon": D("80.00")}, D(0), ())
    with till.hub.database.read() as conn:
        assert remittance_detail(conn, LOCAL_OPERATOR, first.number).state == "returned"
    (again,) = create_remittances(till.hub, LOCAL_OPERATOR).made
    assert (again.net, again.number) == (D("80.00"), "RM-2026-000002")


def test_a_receipt_is_a_paper_and_is_reversed_once(till: Till) -> None:
    case = till.case("80.00", debtor={"name": "Café Zoé", "country": "BE", "language": "fr"})
    receipt = take(till, case, "80.00", means="card", place="visit", terminal_ref="T-4711")
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(till.hub.evidence.read(receipt.sha256))).pages)
    for words in ("Reçu RC-2026-000001", "par carte, lors d'une visite", "80,00\u00a0€", "12 juin 2026", "T-4711", "Café Zoé", case["number"]):
        assert words in text.replace("\n", " ").replace("’", "'"), text
    with till.hub.database.read() as conn:
        closed = read_case(conn, case["case_id"])
    assert closed is not None and not closed.is_open
    with till.hub.work() as work:
        reverse_receipt(till.hub, work, LOCAL_OPERATOR, receipt.number, reason="card payment recalled")
    with till.hub.database.read() as conn:
        back = read_case(conn, case["case_id"])
    assert back is not None and back.is_open and back.balance.total == D("80.00") and back.unmatched == ()
    assert money_or_none(till) is None
    with pytest.raises(PermanentError, match="was reversed before"), till.hub.work() as work:
        reverse_receipt(till.hub, work, LOCAL_OPERATOR, receipt.number, reason="again")
    assert take(till, case, "10.00").number == "RC-2026-000002"


def money_or_none(till: Till) -> ClientMoney | None:
    found = [one for one in check_client_money(till.hub) if one.there or one.owed]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("amount", "more", "said"),
    [
        ("0.00", {}, "cannot be paid"),
        ("80.01", {}, "only 80.00 EUR is owed"),
        ("1.001", {}, "cannot be paid"),
        ("1.00", {"received_by": " "}, "nobody is named"),
        ("1.00", {"means": "card"}, "no terminal reference"),
        ("1.00", {"received_on": on("2026-09-16")}, "lies ahead"),
    ],
)
def test_what_nobody_can_have_taken(till: Till, amount: str, more: dict[str, Any], said: str) -> None:
    case = till.case("80.00")
    with pytest.raises(PermanentError, match=said):
        take(till, case, amount, **more)
    assert take(till, case, "80.00").number == "RC-2026-000001"  # a refused one uses up no number


def test_cash_that_is_paid_in_counts_once(till: Till) -> None:
    till.agree()
    bank = Ledger(till)
    case = till.case("80.00")
    take(till, case, "80.00")
    bank.says(paid("80.00", text="deposit of cash"))
    before = money(till)
    assert (before.cash, before.unallocated) == (D("80.00"), D("80.00"))
    with till.hub.work() as work:
        explain_movement(work, LOCAL_OPERATOR, movement(till, "80.00"), "cash")
    after = money(till)
    assert (after.cash, after.unallocated, held(after), after.findings) == (D(0), D(0), {"kroon": D("80.00")}, ())


def test_a_statement_that_is_missing_is_found_and_told_once_a_day(till: Till) -> None:
    bank = Ledger(till)
    bank.says(paid("10.00", text="x", bank_ref="B1"))
    bank.balance += D("7.00")  # a movement in a statement that never came
    bank.says(paid("5.00", text="y", bank_ref="B2"))
    watch_client_money(till.hub)
    assert tasks(till) == ["client money in EUR: 1022.00 EUR is there, 1015.00 is owed: the difference is 7.00"]
    found = money(till)
    assert "the bank states 1022.00 EUR on 2026-06-10, the movements known here make 1015.00; 7.00 is missing" in found.findings[0]
