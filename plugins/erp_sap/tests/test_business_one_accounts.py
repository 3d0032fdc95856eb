"""Business One: down payments, and what stands on customers' accounts beside documents."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from collecthub.errors import ConfigurationError
from collecthub.sdk import ItemKind, ItemState, RawInvoice
from collecthub_erp_sap.business_one.journal import (
    Account,
    Journal,
    JournalLine,
    OpenTransaction,
    still_on_account,
    to_item,
)
from collecthub_erp_sap.business_one.mapping import Rules, UnusableRowError
from collecthub_erp_sap.business_one.open_items import Checkpoint

TOMORROW = dt.date(2026, 6, 16)


def pulled(connector: Any, checkpoint: str = "") -> tuple[dict[str, Any], list[Any]]:
    pages = list(connector.pull(checkpoint))
    return {row.item_ref: row for page in pages for row in page.rows}, pages


def open_amounts(items: dict[str, Any]) -> dict[str, str]:
    return {ref: str(row.open_amount) for ref, row in items.items() if row.state is ItemState.OPEN}


def refs(company: Any) -> dict[str, str]:
    """What the company calls its open items, to their identities."""
    return {item["number"]: "/".join(item["key"]) for item in company.twin.control("books")["items"]}


# --- down payments --------------------------------------------------------------------------------


def test_down_payment_invoices_are_items_and_requests_are_not(company: Any, version: str) -> None:
    company.load(
        {"number": "D1", "kind": "down_payment", "amount": "400.00", "open_amount": "250.00", "due_on": "2026-05-02"},
        {"number": "D2", "kind": "down_payment", "down_payment_type": "dptRequest"},
        {"number": "F1"},
    )
    items, pages = pulled(company.connector(version=version))
    ref = refs(company)
    assert open_amounts(items) == {ref["D1"]: "250.00", ref["F1"]: "1000.00"} == company.books()
    assert ref["D1"].startswith("DPI/")
    assert (items[ref["D1"]].kind, items[ref["D1"]].due_on) == (ItemKind.INVOICE, dt.date(2026, 5, 2))
    assert [(one.count, one.amount) for one in pages[-1].control] == [(2, Decimal("1250.00"))]


def test_a_later_pull_sees_a_down_payment_paid_credited_or_new(company: Any) -> None:
    company.twin.control("service", {"moves_update_date": False})
    company.load({"number": "D1", "kind": "down_payment"}, {"number": "F1"}, {"number": "D2", "kind": "down_payment"})
    ref = refs(company)
    first, pages = pulled(company.connector())
    company.do("pay", "D1")
    company.twin.control("service", {"moves_update_date": True})
    company.do("credit", "D2", credit_number="CN2")
    later, _ = pulled(company.connector(), pages[-1].checkpoint)
    assert later[ref["D1"]].state is ItemState.PAID
    assert later[ref["D2"]].state is ItemState.CREDITED
    assert later.get(ref["F1"], first[ref["F1"]]).state is ItemState.OPEN
    again = {row.item_ref: row.state for row in company.connector().read_items(list(ref.values()))}
    assert again == {
        ref["D1"]: ItemState.PAID, ref["D2"]: ItemState.CREDITED, ref["F1"]: ItemState.OPEN
    }  # fmt: skip


# --- journal entries ------------------------------------------------------------------------------


def entry(company: Any, number: str, amount: str, **more: Any) -> Any:
    return company.twin.control("journal", {"customer_ref": "C1", "number": number, "amount": amount, **more})


def test_an_opening_balance_is_owed_and_a_credit_by_hand_lowers_the_debt(company: Any, version: str) -> None:
    company.load({"number": "F1"})
    entry(company, "OB", "300.00", due_on="2025-12-31", memo="Opening balance")
    entry(company, "CORR", "-50.00", memo="Correction")
    entry(company, "USD", "80.00", currency="USD", due_on="2026-02-01")
    items, pages = pulled(company.connector(version=version))
    assert open_amounts(items) == company.books()
    ref = refs(company)
    assert open_amounts(items) == {
        ref["F1"]: "1000.00", ref["OB"]: "300.00", ref["CORR"]: "-50.00", ref["USD"]: "80.00"
    }  # fmt: skip
    opening, correction, foreign = (items[ref[name]] for name in ("OB", "CORR", "USD"))
    assert (opening.kind, opening.due_on, opening.text) == (ItemKind.INVOICE, dt.date(2025, 12, 31), "Opening balance")
    assert (correction.kind, correction.debtor_ref, foreign.currency) == (ItemKind.PAYMENT, "C1", "USD")
    assert {one.currency: (one.count, one.amount) for one in pages[-1].control} == {
        "EUR": (3, Decimal("1250.00")), "USD": (1, Decimal("80.00")),
    }  # fmt: skip
    counted = {one.item_ref: str(one.open_amount) for one in company.connector(version=version).open_items()}
    assert counted == company.books()


def test_what_of_a_journal_entry_was_reconciled_is_owed_no_more(company: Any) -> None:
    company.load({"number": "F1"})
    entry(company, "OB", "300.00")
    entry(company, "CORR", "-50.00")
    ref = refs(company)
    _, pages = pulled(company.connector())
    company.twin.control("reconcile", {"number": "OB", "amount": "120.00"})
    company.twin.control("reconcile", {"number": "CORR", "against": "F1"})
    same_day, _ = pulled(company.connector(), pages[-1].checkpoint)
    assert not [ref for ref in same_day if ref.startswith("JRN")]  # once a day
    items, _ = pulled(company.connector(business_date=TOMORROW), pages[-1].checkpoint)
    assert open_amounts(items) == company.books() == {ref["F1"]: "950.00", ref["OB"]: "180.00"}
    gone = company.connector().read_items([ref["CORR"], ref["OB"], "JRN/9999/0"])
    assert {row.item_ref: (row.state, row.open_amount) for row in gone} == {
        ref["OB"]: (ItemState.OPEN, Decimal("180.00")), ref["CORR"]: (ItemState.PAID, Decimal(0)),
    }  # fmt: skip


def test_money_on_account_that_was_reconciled_later_lowers_the_debt_once(company: Any, version: str) -> None:
    company.load({"number": "F1"}, {"number": "P1", "kind": "payment", "amount": "-400.00", "open_amount": "-400.00"})
    ref = refs(company)
    first, pages = pulled(company.connector(version=version))
    assert open_amounts(first) == company.books() == {ref["F1"]: "1000.00", ref["P1"]: "-400.00"}
    company.twin.control("reconcile", {"number": "P1", "amount": "150.00", "against": "F1"})
    part, pages = pulled(company.connector(version=version, business_date=TOMORROW), pages[-1].checkpoint)
    assert open_amounts(part) == company.books() == {ref["F1"]: "850.00", ref["P1"]: "-250.00"}
    assert [(one.count, one.amount) for one in pages[-1].control] == [(2, Decimal("600.00"))]
    company.twin.control("reconcile", {"number": "P1", "against": "F1"})
    whole, _ = pulled(company.connector(version=version, business_date=TOMORROW + dt.timedelta(days=1)), pages[-1].checkpoint)
    assert open_amounts(whole) == company.books() == {ref["F1"]: "600.00"}
    assert whole[ref["P1"]].state is ItemState.PAID
    assert [row.open_amount for row in company.connector(version=version).read_items([ref["P1"]])] == [Decimal(0)]


def test_money_on_account_in_another_currency_stays_whole_until_it_is_used_up() -> None:
    rules = Rules(local_currency="EUR")
    paid = RawInvoice(
        item_ref="PAY/1", debtor_ref="C1", debtor_name="C", number="1", kind=ItemKind.PAYMENT, currency="USD",
        amount=Decimal(-100), open_amount=Decimal(-100), due_on=TOMORROW,
    )  # fmt: skip
    assert still_on_account(paid, Decimal("-40.00"), rules) == paid
    assert still_on_account(paid, None, rules).open_amount == 0


def test_a_line_whose_open_amount_is_not_known_is_refused_and_its_customer_held_back(company: Any) -> None:
    company.load({"number": "F1"})
    entry(company, "USD", "80.00", currency="USD")
    company.twin.control("reconcile", {"number": "USD", "amount": "10.00"})
    items, pages = pulled(company.connector())
    (bad,) = [row for page in pages for row in page.refused]
    ref = refs(company)
    assert (bad.item_ref, bad.code, bad.open_amount) == (ref["USD"], "b1.journal_open", None)
    assert (set(items), items[ref["F1"]].is_blocked) == ({ref["F1"]}, True)
    assert "63.60 of 73.60" in bad.reason


def test_a_balance_that_nothing_explains_is_named_and_the_customer_held_back(company: Any) -> None:
    other = {"customer_ref": "C2", "name": "Zwei GmbH", "country": "DE"}
    company.load({"number": "F1"}, {"number": "F2", "customer_ref": "C2"}, customers=[other])
    company.twin.control("drift", {"customer_ref": "C1", "amount": "-400.00"})
    ref = refs(company)
    items, pages = pulled(company.connector())
    (bad,) = [row for page in pages for row in page.refused]
    assert (bad.item_ref, bad.code, bad.currency, bad.open_amount) == ("BAL/C1", "b1.balance", "EUR", Decimal("-400.00"))
    assert "customer C1" in bad.reason and "-400.00 EUR" in bad.reason
    assert (items[ref["F1"]].is_blocked, items[ref["F2"]].is_blocked) == (True, False)
    assert [(one.count, one.amount) for one in pages[-1].control] == [(3, Decimal("1600.00"))]
    company.do("pay", "F1", amount="1.00")
    later, _ = pulled(company.connector(), pages[-1].checkpoint)
    assert later[ref["F1"]].is_blocked  # until the accounts are compared again
    company.twin.control("drift", {"customer_ref": "C1", "amount": "0"})
    items, pages = pulled(company.connector(business_date=TOMORROW), pages[-1].checkpoint)
    assert not any(page.refused for page in pages) and not items[ref["F1"]].is_blocked


def test_accounts_are_read_in_pages_and_a_cut_pull_goes_on_at_its_customer(company: Any) -> None:
    people = [{"customer_ref": f"K{n:02d}", "name": f"Kunde {n}", "country": "DE"} for n in range(45)]
    company.load(customers=people)
    for n in range(0, 45, 4):
        entry(company, f"J{n}", "10.00", customer_ref=f"K{n:02d}")
    connector = company.connector(page_size=20)
    first = next(connector.pull(""))
    assert {row.debtor_ref for row in first.rows} == {f"K{n:02d}" for n in range(0, 19, 4)}
    assert msgspec.json.decode(first.checkpoint, type=Checkpoint).customer == "K18"
    rest, _ = pulled(company.connector(page_size=20), first.checkpoint)
    assert len(rest) + len(first.rows) == 12
    assert {row.item_ref for row in first.rows}.isdisjoint(rest)


def test_a_release_without_the_action_is_told_and_may_be_read_without_journal_entries(company: Any) -> None:
    company.load({"number": "F1"})
    company.twin.control("service", {"tells_open_transactions": False})
    (step,) = [step for step in company.connector().check() if not step.is_ok]
    assert step.name == "JournalEntries" and "read_journal" in step.cure
    with pytest.raises(ConfigurationError, match="does not tell what is open"):
        pulled(company.connector())
    items, _ = pulled(company.connector(read_journal=False))
    assert open_amounts(items) == company.books() == {refs(company)["F1"]: "1000.00"}
    company.twin.control("service", {"tells_open_transactions": True})
    assert all(step.is_ok for step in company.connector().check())


# --- the mapping alone ----------------------------------------------------------------------------


def mapped(line: JournalLine, told: str | None, *, currency: str = "##", side: str = "codDebit") -> Any:
    still_open = told and OpenTransaction(
        customer="C1", entry=7, line=0, source="30", side=side, amount=Decimal(told)
    )
    journal = Journal(entry=7, issued="2026-01-05", due="2026-02-04")
    return to_item(journal, line, Account(code="C1", currency=currency), still_open or None, Rules())


def test_the_currency_of_an_open_amount_is_the_customers_own() -> None:
    line = JournalLine(number=0, debit=Decimal("92.0"), debit_fc=Decimal("100.0"), currency="USD")
    assert mapped(line, "40.0", currency="USD").open_amount == Decimal("40.00")
    assert mapped(line, "92.0").open_amount == Decimal("100.00")
    with pytest.raises(UnusableRowError, match="nobody tells"):
        mapped(line, "40.0")


@pytest.mark.parametrize(("told", "side"), [("10.0", "codCredit"), ("100.01", "codDebit")])
def test_an_open_amount_that_contradicts_its_line_is_refused(told: str, side: str) -> None:
    with pytest.raises(UnusableRowError, match="is said to be open"):
        mapped(JournalLine(number=0, debit=Decimal("100.0")), told, side=side)


def test_a_credit_may_be_told_with_or_without_its_sign() -> None:
    line = JournalLine(number=0, credit=Decimal("30.0"))
    assert {mapped(line, told, side="codCredit").open_amount for told in ("30.0", "-30.0")} == {Decimal("-30.00")}
