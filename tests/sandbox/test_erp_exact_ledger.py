"""What an accountant does in the Exact twin, and how the vendor's interface then shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from collecthub.sandbox import exact_entities
from collecthub.sandbox.twin import RunningTwin, start_twin
from sandbox.erp_desk import ExactDesk, Json, customer, invoice


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    running = start_twin("exact", tmp_path_factory.mktemp("exact"), raised_limits=True)
    running.control("clock", {"now": "2026-06-15T08:00:00Z"})
    running.control("load", {"customers": [customer("1", contact="Els Maes"), customer("2")], "items": []})
    yield running
    running.stop()


@pytest.fixture(scope="module")
def desk(twin: RunningTwin) -> ExactDesk:
    return ExactDesk.log_in(twin)


def post(twin: RunningTwin, number: str, amount: str = "100.00", **facts: str) -> str:
    twin.control("load", {"items": [invoice(number, "1", amount, **facts)]})
    return number


def terms(desk: ExactDesk, number: str) -> list[Json]:
    rows, _ = desk.all("cashflow/Receivables", filter=f"InvoiceNumber eq {number}", orderby="AmountFC")
    return rows


def listed(desk: ExactDesk) -> Decimal:
    rows, _ = desk.all("read/financial/ReceivablesList", select="Amount")
    return sum((Decimal(str(row["Amount"])) for row in rows), Decimal(0))


def test_a_split_receivable_is_two_records_with_different_entry_ids(twin: RunningTwin, desk: ExactDesk) -> None:
    before = listed(desk)
    post(twin, "7001")
    twin.control("split", {"number": "7001", "amount": "30.00", "due_on": "2026-12-31"})
    one, two = terms(desk, "7001")
    assert (one["AmountFC"], two["AmountFC"]) == (30, 70) and one["EntryID"] != two["EntryID"]
    assert one["EndDate"] is two["EndDate"] is None and one["DueDate"] != two["DueDate"]
    assert one["TransactionEntryID"] == two["TransactionEntryID"]
    assert listed(desk) - before == 100
    twin.control("pay", {"number": "7001-2"})
    assert listed(desk) - before == 70


def test_a_reversal_says_that_it_is_one_and_ends_both_lines(twin: RunningTwin, desk: ExactDesk) -> None:
    before = listed(desk)
    post(twin, "7002")
    twin.control("reverse", {"number": "7002"})
    back, original = terms(desk, "7002")
    assert (back["TransactionIsReversal"], original["TransactionIsReversal"]) == (True, False)
    assert (back["AmountFC"], original["AmountFC"]) == (-100, 100)
    assert back["EndDate"] and original["EndDate"] and {back["Status"], original["Status"]} == {50}
    assert listed(desk) == before


def test_money_on_account_is_matched_with_an_invoice_on_both_sides(twin: RunningTwin, desk: ExactDesk) -> None:
    post(twin, "7003")
    post(twin, "9003", "-40.00", kind="payment", settles="")
    before = listed(desk)
    twin.control("allocate", {"payment": "9003", "number": "7003", "amount": "25.00"})
    assert listed(desk) == before
    assert [row["AmountFC"] for row in terms(desk, "7003") if row["EndDate"] is None] == [75]


def test_payment_conditions_have_words(twin: RunningTwin, desk: ExactDesk) -> None:
    rows, _ = desk.all("cashflow/PaymentConditions", select="Code,Description,PaymentDays,PaymentEndOfMonths")
    assert {row["Code"]: row["PaymentDays"] for row in rows} == {"14": 14, "30": 30, "45E": 45}
    post(twin, "7004")
    assert terms(desk, "7004")[0]["PaymentConditionDescription"] == "30 days"
    account = desk.get("crm/Accounts", filter="Status eq 'C'").json()["d"]["results"][0]
    assert account["PaymentConditionSalesDescription"] == "30 days"


def test_an_invoice_has_the_lines_that_it_was_given_or_one(twin: RunningTwin, desk: ExactDesk) -> None:
    post(twin, "7005")
    entry = terms(desk, "7005")[0]["TransactionEntryID"]
    (line,), _ = desk.all("salesentry/SalesEntryLines", filter=f"EntryID eq guid'{entry}'")
    assert (line["Description"], line["AmountFC"]) == ("Delivery 7005", 100)
    given = [{"Description": "Paint", "Quantity": "2", "AmountFC": "82.64", "VATAmountFC": "17.36"}]
    twin.control("lines", {"number": "7005", "lines": given})
    (line,), _ = desk.all("salesentry/SalesEntryLines", filter=f"EntryID eq guid'{entry}'")
    assert (line["Description"], line["Quantity"], line["VATAmountFC"]) == ("Paint", 2, 17.36)


def test_printing_an_invoice_mails_it_unless_told_otherwise(twin: RunningTwin, desk: ExactDesk) -> None:
    one, two = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
    answer = desk.call("POST", "salesinvoice/PrintedSalesInvoices", json={"InvoiceID": one})
    assert (answer.status_code, answer.json()["d"]["EmailCreationSuccess"]) == (201, "Sent")
    quiet = {"InvoiceID": two, "SendEmailToCustomer": False}
    assert desk.call("POST", "salesinvoice/PrintedSalesInvoices", json=quiet).status_code == 201
    assert [row["EmailCreationSuccess"] for row in twin.control("mailed")["mailed"]] == ["Sent", None]
    assert desk.get("salesinvoice/PrintedSalesInvoices").status_code == 405


def test_changed_contacts_and_deleted_customers_are_told_by_sync(twin: RunningTwin, desk: ExactDesk) -> None:
    def highest(endpoint: str) -> int:
        rows, _ = desk.all(endpoint, filter="Timestamp gt 1L", select="Timestamp")
        return max(int(row["Timestamp"]) for row in rows)

    contacts, accounts = highest("sync/CRM/Contacts"), highest("sync/CRM/Accounts")
    twin.control("contact", {"customer_ref": "1", "changes": {"IsAnonymised": 1}})
    rows, _ = desk.all("sync/CRM/Contacts", filter=f"Timestamp gt {contacts}L", select="Account,IsAnonymised")
    assert [row["IsAnonymised"] for row in rows] == [1]
    deleted = twin.control("delete_account", {"customer_ref": "2"})["ID"]
    found, _ = desk.all("sync/CRM/Accounts", filter=f"Timestamp gt {accounts}L", select="ID")
    assert found == []
    tombstones, _ = desk.all("sync/Deleted", filter="Timestamp gt 1L")
    assert [(row["EntityType"], row["EntityKey"]) for row in tombstones] == [(2, deleted)]


@pytest.mark.parametrize(
    ("entity", "type_name"),
    [("SalesEntryLine", "SALES_ENTRY_LINE"), ("PrintedSalesInvoice", "PRINTED_SALES_INVOICE")],
)
def test_the_new_types_have_the_vendors_columns(shared_data: Path, entity: str, type_name: str) -> None:
    text = (shared_data / "erp" / "exact" / "exact_ar_entities_2025.json").read_text(encoding="utf-8")
    names = {field["name"] for field in json.loads(text)[entity]["fields"]}
    assert set(getattr(exact_entities, type_name).properties) == names
