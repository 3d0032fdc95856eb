"""Business One over its Service Layer: sessions, pages, instalments, credits, payments, customers."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import ValidationError

from collecthub.errors import ConfigurationError, RetryableError
from collecthub.ports import CaseReporter, Checkable, DebtorSource, InvoiceSource, OpenItemBooks, Page
from collecthub.sandbox.open_item import load_chunks
from collecthub.sandbox.portfolio import bundled_portfolio
from collecthub.sandbox.twin import start_twin
from collecthub.sdk import Address, Contact, ItemKind, ItemSource, ItemState, PartyKind, RawInvoice
from collecthub_erp_sap import register_connectors
from collecthub_erp_sap.business_one.connector import BusinessOneConnector
from collecthub_erp_sap.business_one.debtors import Customer, Employee, PostalAddress
from collecthub_erp_sap.business_one.mapping import Applied, Document, Instalment, Line, Note, Payment
from collecthub_erp_sap.business_one.settings import BusinessOneSettings

TODAY, TOMORROW = dt.date(2026, 6, 15), dt.date(2026, 6, 16)
LOGON = {"CompanyDB": "SBODEMO", "UserName": "collecthub", "Password": "sandbox-password"}


def pulled(connector: BusinessOneConnector, checkpoint: str = "") -> tuple[dict[str, RawInvoice], list[Page]]:
    """The last statement of every item, as the hub's upsert keeps it."""
    pages = list(connector.pull(checkpoint))
    return {row.item_ref: row for page in pages for row in page.rows}, pages


def is_open(items: dict[str, RawInvoice]) -> dict[str, str]:
    return {ref: str(row.open_amount) for ref, row in items.items() if row.state is ItemState.OPEN}


# --- log-on ---------------------------------------------------------------------------------------


def test_the_kind_is_offered_with_the_ports_of_an_erp(company: Any) -> None:
    spec = {spec.kind: spec for spec in register_connectors()}["erp_sap_b1"]
    assert spec.settings is BusinessOneSettings
    assert spec.load() is BusinessOneConnector
    for port in (Checkable, InvoiceSource, DebtorSource, OpenItemBooks, CaseReporter, ItemSource):
        assert isinstance(company.connector(), port)


def test_x21_45_of_90_invoices_at_20_a_page_in_one_session(company: Any, version: str) -> None:
    """X21: the link to the next page drops the filter, the session ends mid-way, and nothing is left behind."""
    company.load(*[{"number": f"F{n}"} for n in range(90)])
    for n in range(45):
        company.do("pay", f"F{n}")
    company.twin.control("service", {"ignores_page_size": True})
    before = company.twin.control("sessions")["logins"]
    connector = company.connector(version=version)
    rows: list[RawInvoice] = []
    for number, page in enumerate(connector.pull("")):
        rows += page.rows
        if number == 0:
            company.twin.control("sessions", {"expire": True})
        if number == 1:
            assert company.twin.control("sessions")["in_use"] == 1
    invoices = [row for row in rows if row.kind is ItemKind.INVOICE]
    assert [row.item_ref for row in invoices] == sorted(
        {row.item_ref for row in invoices}, key=lambda ref: int(ref.split("/")[1])
    )
    assert is_open({row.item_ref: row for row in rows}) == company.books()
    assert len(invoices) == 45
    assert company.twin.control("sessions")["in_use"] == 0
    assert company.twin.control("sessions")["logins"] == before + 2


def test_the_twin_itself_pages_by_20_and_loses_the_filter(company: Any, version: str) -> None:
    """What a plain client sees that follows the link: this is what must be handled."""
    company.load(*[{"number": f"F{n}"} for n in range(30)])
    company.do("pay", "F29")
    with requests.Session() as session:
        root = f"{company.twin.url}/b1s/{version}/"
        assert session.post(f"{root}login", json=LOGON, timeout=5).status_code == 401
        answer = session.post(f"{root}Login", json=LOGON, timeout=5)
        assert answer.json()["SessionTimeout"] == 30
        assert "Path" not in answer.headers["set-cookie"]
        first = session.get(f"{root}Invoices?$filter=DocumentStatus eq 'bost_Open'", timeout=5).json()
        link = first["odata.nextLink" if version == "v1" else "@odata.nextLink"]
        assert (len(first["value"]), link) == (20, "Invoices?$skip=20")
        second = session.get(root + link, timeout=5).json()["value"]
        assert [row["DocumentStatus"] for row in second].count("bost_Close") == 1
        bad = session.get(f"{root}Invoices?$filter=Kunde eq 'x'", timeout=5)
        assert (bad.status_code, "is invalid" in bad.text) == (400, True)
        bare = session.get(f"{root}Invoices?$filter=DocDueDate lt 2026-01-31", timeout=5)
        assert (bare.status_code, "Invalid symbol" in bare.text) == (400, True)
        session.cookies.set("ROUTEID", None)
        lost = session.get(f"{root}Invoices", timeout=5)
        assert (lost.status_code, "301" in lost.text) == (401, True)
        session.post(f"{root}Logout", timeout=5)


def test_all_workers_of_a_connection_share_one_session(company: Any) -> None:
    company.load({"number": "F1"})
    first, second = company.connector(), company.connector()
    list(first.open_items())
    list(second.open_items())
    assert company.twin.control("sessions")["in_use"] == 1
    first.close()
    assert company.twin.control("sessions")["in_use"] == 0
    assert len(list(second.open_items())) == 1  # logs on anew


def test_a_wrong_password_is_sent_once_and_never_locks_the_user(company: Any) -> None:
    connector = company.connector(password="wrong")
    (step,) = connector.check()
    assert "refused our log-on" in step.detail
    for _ in range(8):
        with pytest.raises(ConfigurationError, match="Login failed"):
            list(connector.pull(""))
    assert company.twin.control("sessions")["locked"] is False


def test_a_check_reads_everything_that_is_used(company: Any, version: str) -> None:
    company.load({"number": "F1"})
    steps = company.connector(version=version).check()
    assert [(step.name, step.is_ok) for step in steps] == [
        ("Invoices", True), ("DownPayments", True), ("CreditNotes", True), ("IncomingPayments", True),
        ("BusinessPartners", True), ("JournalEntries", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 500, "body": "<html>"}, {"status": 200, "body": "<html>"}]
)
def test_a_bad_moment_is_tried_again_later(company: Any, fault: dict[str, Any]) -> None:
    company.twin.control("faults", {"path": "/b1s/v2/Invoices", **fault})
    with pytest.raises(RetryableError):
        list(company.connector().pull(""))
    assert list(company.connector().open_items()) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"company_db": ""}, "at least 1"), ({"version": "v3"}, "version"), ({"local_currency": "€"}, "local_currency"),
     ({"page_size": 5}, "page_size"), ({"pagesize": 500}, "Extra inputs"), ({"password": None}, "password")],
)  # fmt: skip
def test_wrong_settings_give_a_clear_error(changes: dict[str, Any], reason: str) -> None:
    given = {"base_url": "https://b1.example:50000", "company_db": "X", "username": "U", "password": "P"}
    with pytest.raises(ValidationError, match=reason):
        BusinessOneSettings.model_validate({**given, **changes})


# --- what is open ---------------------------------------------------------------------------------


def test_instalments_credits_and_money_on_account(company: Any, version: str) -> None:
    plan = {"kind": "instalment", "settles": "P", "amount": "300.00"}
    company.load(
        {"number": "F1", "open_amount": "700.00"},
        *[{**plan, "number": f"P{n}", "due_on": f"2026-0{n}-01"} for n in (4, 5, 6)],
        {"number": "CN", "kind": "credit_note", "amount": "-50.00"},
        {"number": "CN1", "kind": "credit_note", "amount": "-80.00", "settles": "F1"},
        {"number": "Z1", "kind": "payment", "amount": "-20.00"},
        {"number": "Z2", "kind": "payment", "amount": "-30.00", "settles": "P4"},
    )
    items, pages = pulled(company.connector(version=version))
    assert is_open(items) == company.books()
    assert sorted(map(Decimal, is_open(items).values())) == [-50, -20, 270, 300, 300, 620]
    kinds = [row.kind for row in items.values()]
    assert (kinds.count(ItemKind.INVOICE), kinds.count(ItemKind.CREDIT_NOTE), kinds.count(ItemKind.PAYMENT)) == (4, 1, 1)
    (control,) = pages[-1].control or ()
    assert (control.currency, control.count, str(control.amount)) == ("EUR", 6, "1420.00")
    assert sum(item.open_amount for item in company.connector().open_items()) == Decimal(1420)


def test_x16_an_instalment_says_when_it_is_due_and_how_far_reminders_went(company: Any) -> None:
    """X16 for Business One: one document, three receivables."""
    plan = {"kind": "instalment", "settles": "P", "amount": "300.00"}
    company.load(*[{**plan, "number": f"P{n}", "due_on": f"2026-0{n}-01", "dunning_level": n} for n in (4, 5, 6)])
    items, _ = pulled(company.connector())
    assert [(row.due_on, row.dunning_level, str(row.amount)) for row in items.values()] == [
        (dt.date(2026, n, 1), n, "300.00") for n in (4, 5, 6)
    ]
    assert len({row.number for row in items.values()}) == 1
    assert {row.debtor_ref for row in items.values()} == {"C1"}


@pytest.mark.parametrize(
    ("currency", "amount", "expected"),
    [("JPY", "98000", "98000"), ("KWD", "12.345", "12.345"), ("USD", "99.90", "99.90")],
)
def test_foreign_documents_count_in_their_own_currency(
    company: Any, currency: str, amount: str, expected: str
) -> None:
    company.load({"number": "F1", "currency": currency, "amount": amount})
    company.load({"number": "Z", "currency": currency, "amount": f"-{amount}", "kind": "payment"})
    items, pages = pulled(company.connector())
    assert sorted(is_open(items).values()) == sorted([expected, f"-{expected}"])
    assert [(one.currency, one.count, one.amount) for one in pages[-1].control or ()] == [(currency, 2, Decimal(0))]


def test_own_currency_codes_are_translated_and_unknown_ones_refused(company: Any) -> None:
    company.load({"number": "F1", "currency": "$"}, {"number": "F2"})
    items, pages = pulled(company.connector())
    (bad,) = [row for page in pages for row in page.refused]
    assert (bad.code, "currency_codes" in bad.reason, b'"$"' in bad.content) == ("b1.currency", True, True)
    assert len(items) == 1  # its neighbour went in
    items, _ = pulled(company.connector(currency_codes={"$": "USD"}))
    assert {row.currency for row in items.values()} == {"USD", "EUR"}


@pytest.mark.parametrize("moves", [True, False])
def test_later_pulls_say_why_an_item_is_closed(company: Any, moves: bool, version: str) -> None:
    """Also where a release does not move the update date of an invoice that is paid."""
    company.load(*[{"number": name} for name in ("paid", "partly", "credited", "cancelled", "lives")])
    connector = company.connector(version=version)
    first, pages = pulled(connector)
    refs = dict(zip(("paid", "partly", "credited", "cancelled", "lives"), first, strict=True))
    company.twin.control("service", {"moves_update_date": moves})
    company.do("pay", "paid")
    company.do("pay", "partly", amount="400.00")
    company.twin.control("service", {"moves_update_date": True})
    company.do("credit", "credited", credit_number="CN")
    company.do("cancel", "cancelled")
    changes, later = pulled(connector, pages[-1].checkpoint)
    states = {name: changes[ref].state for name, ref in refs.items() if ref in changes}
    assert states == {
        "paid": ItemState.PAID, "partly": ItemState.OPEN, "credited": ItemState.CREDITED,
        "cancelled": ItemState.CANCELLED,
    }  # fmt: skip
    assert is_open({**first, **changes}) == company.books()
    assert all(page.control is None for page in later)  # compared once a day


def test_old_payments_can_be_left_out_of_the_books(company: Any) -> None:
    company.load(
        {"number": "F1"}, {"number": "Z1", "kind": "payment", "amount": "-20.00", "issue_on": "2019-05-01"},
        {"number": "Z2", "kind": "payment", "amount": "-30.00"},
    )  # fmt: skip
    since = {"payments_since": "2026-01-01"}
    items, pages = pulled(company.connector(**since))
    assert sorted(is_open(items).values()) == ["-30.00", "1000.00"]
    (control,) = pages[-1].control or ()
    assert (control.count, control.amount) == (2, Decimal(970))
    assert sum(item.open_amount for item in company.connector(**since).open_items()) == Decimal(970)
    assert len(is_open(pulled(company.connector())[0])) == 3


def test_x17_a_cancelled_payment_opens_the_invoice_again_at_the_daily_comparison(company: Any) -> None:
    """X17 for Business One."""
    company.load({"number": "F1"}, {"number": "F2"})
    first, pages = pulled(company.connector())
    company.do("pay", "F1")
    changes, pages = pulled(company.connector(), pages[-1].checkpoint)
    (ref,) = (ref for ref, row in changes.items() if row.state is ItemState.PAID)
    company.twin.control("clock", {"now": "2026-06-30T10:00:00+00:00"})
    company.do("reset_clearing", "F1")
    again, pages = pulled(company.connector(dt.date(2026, 6, 30)), pages[-1].checkpoint)
    assert (again[ref].state, again[ref].open_amount) == (ItemState.OPEN, Decimal(1000))
    assert pages[-1].control is not None
    assert is_open({**first, **changes, **again}) == company.books()


def test_x18_a_cut_pull_closes_nothing_and_goes_on_where_it_was(company: Any) -> None:
    """X18 for Business One."""
    company.load(*[{"number": f"F{n}"} for n in range(130)])
    walk = company.connector(page_size=50).pull("")
    pages = [next(walk)]
    company.twin.control("faults", {"path": "/b1s/v2/Invoices", "drop_after_bytes": 2000})
    with pytest.raises(RetryableError):
        next(walk)
    assert pages[0].control is None
    pages += company.connector(page_size=50).pull(pages[-1].checkpoint)
    refs = [row.item_ref for page in pages for row in page.rows]
    assert len(refs) == len(set(refs)) == 130
    (control,) = pages[-1].control or ()
    assert (control.count, control.amount) == (130, Decimal(130_000))


def test_invoices_that_are_paid_while_paging_hide_no_others(company: Any) -> None:
    company.load(*[{"number": f"F{n}"} for n in range(100)])
    walk = company.connector(page_size=40).pull("")
    rows = [row for _ in ("accounts", "invoices") for row in next(walk).rows]
    for n in range(5):  # an offset would now skip five
        company.do("pay", f"F{n}")
    rows += [row for page in walk for row in page.rows if row.kind is ItemKind.INVOICE]
    assert len({row.item_ref for row in rows}) == 100


def test_a_bad_record_is_kept_with_its_bytes_and_its_neighbours_go_on(company: Any) -> None:
    company.load({"number": "F1"})
    record = '{{"DocEntry": {0}, "CardCode": "C1", "DocCurrency": "EUR", "DocumentStatus": "bost_Open", {1}}}'
    part = '"DocumentInstallments": [{{"InstallmentId": 1, "Total": {0}, "DueDate": {1}}}]'
    rows = [
        record.format(1, part.format("10.00", '"2026-01-31"')),
        record.format(2, part.format("20.00", "null")),
        record.format(3, part.format('"a lot"', '"2026-01-31"')),
        record.format(4, part.format("40.00", '"31.01.2026"')),
        record.format(5, part.format("50.005", '"2026-01-31"')),
        record.format(6, part.format("2309.7899999999995", '"2026-01-31"')),
    ]
    body = '{"@odata.count": 6, "value": [' + ",".join(rows) + "]}"
    company.twin.control("faults", {"path": "/b1s/v2/Invoices", "status": 200, "body": body})
    page = list(company.connector().pull(""))[1]
    assert [(row.item_ref, str(row.open_amount)) for row in page.rows] == [("INV/1/1", "10.00"), ("INV/6/1", "2309.79")]
    assert sorted((bad.item_ref, bad.code) for bad in page.refused) == [
        ("INV/2/1", "b1.due_date"), ("INV/3/1", "b1.shape"), ("INV/4/1", "b1.date"), ("INV/5/1", "b1.decimals"),
    ]  # fmt: skip
    assert {bad.item_ref: str(bad.open_amount) for bad in page.refused if bad.open_amount} == {
        "INV/2/1": "20.00", "INV/4/1": "40.00", "INV/5/1": "50.01",
    }  # fmt: skip


def test_single_items_are_read_as_they_are_now(company: Any) -> None:
    company.load({"number": "F1"}, {"number": "F2"}, {"number": "Z", "kind": "payment", "amount": "-5.00"})
    items, _ = pulled(company.connector())
    company.do("pay", "F1")
    refs = [*items, "INV/999999/1", "1000/2026/1800000001/001", "INV/x/1"]
    now = {row.item_ref: row for row in company.connector().read_items(refs)}
    assert sorted(now) == sorted(items)
    assert sorted(now[ref].state for ref in items) == [ItemState.OPEN, ItemState.OPEN, ItemState.PAID]


def test_a_checkpoint_of_something_else_is_refused(company: Any) -> None:
    with pytest.raises(ConfigurationError, match="not one of a Business One pull"):
        list(company.connector().pull('{"cursor": 7}'))


def test_the_bundled_portfolio_is_pulled_to_the_cent_in_all_its_currencies(company: Any) -> None:
    """600 items of two creditors: instalments, credits and payments with and without their invoice."""
    expected: dict[str, Decimal] = {}
    customers = 0
    for books in bundled_portfolio():
        customers += len(books.customers)
        for chunk in load_chunks(books.customers, books.items):
            company.twin.control("load", chunk)
        for item in books.items:
            expected[item.currency] = expected.get(item.currency, Decimal(0)) + item.open_amount
    items, pages = pulled(company.connector())
    assert {one.currency: one.amount for one in pages[-1].control or ()} == expected
    assert is_open(items) == company.books()
    assert {"JPY", "KWD", "USD"} < set(expected)
    found = list(company.connector().debtors(sorted({row.debtor_ref for row in items.values()})))
    assert len(found) == len({row.debtor_ref for row in items.values()}) <= customers


# --- customers ------------------------------------------------------------------------------------


def test_a_customer_with_address_language_and_contact_person(company: Any, version: str) -> None:
    given = {
        "customer_ref": "O'Neil & Co", "name": "Παπαδόπουλος <b>AE</b>", "kind": "company", "country": "GR",
        "language": "de", "vat_ref": "EL123456783", "email": "info@example.gr", "phone": "+302101234567",
        "contact": "Άννα Γ.", "street": "Οδός 4", "postcode": "10431", "city": "Αθήνα",
    }  # fmt: skip
    kinds = [{"customer_ref": f"K{n}", "name": "K", "kind": kind} for n, kind in enumerate(("person", "public"))]
    company.load(customers=[given, *kinds])
    records = company.connector(version=version).debtors(["O'Neil & Co", "K0", "K1", "nobody"])
    found = {record.debtor_ref: record for record in records}
    assert sorted(found) == ["K0", "K1", "O'Neil & Co"]
    party = found["O'Neil & Co"].party
    assert (party.name, party.country, party.language) == ("Παπαδόπουλος <b>AE</b>", "GR", "de")
    assert party.address == Address(lines=("Οδός 4",), postcode="10431", city="Αθήνα", country="GR")
    assert party.contacts == (
        Contact(email="info@example.gr", phone="+302101234567"),
        Contact(name="Άννα Γ.", email="info@example.gr", phone="+302101234567", role="contact person"),
    )
    assert [found[ref].party.kind for ref in ("K0", "K1")] == [PartyKind.PERSON, PartyKind.PUBLIC]


def test_how_far_the_creditors_own_reminders_went_is_told(company: Any, version: str) -> None:
    company.load({"number": "F1", "dunning_level": 2}, {"number": "F2", "dunning_level": 1, "due_on": "2026-05-01"})
    (record,) = company.connector(version=version).debtors(["C1"])
    assert record.notes == ("Own reminders: level 2, last on 2026-05-01.",)


def test_a_wrong_local_currency_is_no_silent_zero(company: Any) -> None:
    company.load({"number": "F1"}, {"number": "F2", "currency": "USD"})
    _, pages = pulled(company.connector(local_currency="USD"))
    refused = [bad for page in pages for bad in page.refused]
    assert {bad.code for bad in refused} == {"b1.local_currency"}
    assert len(refused) == 2


def test_a_later_pull_names_the_customers_that_changed(company: Any) -> None:
    company.load({"number": "F1"}, customers=[{"customer_ref": f"K{n:02d}", "name": "K"} for n in range(50)])
    _, pages = pulled(company.connector())
    assert all(page.changed_debtors == () for page in pages)
    _, later = pulled(company.connector(TOMORROW, page_size=20), pages[-1].checkpoint)
    assert sorted(later[-1].changed_debtors) == ["C1", *[f"K{n:02d}" for n in range(50)]]


@pytest.mark.parametrize(
    ("row", "published"),
    [(Document, "Document"), (Note, "Document"), (Instalment, "DocumentInstallment"), (Line, "DocumentLine"),
     (Payment, "Payment"), (Applied, "PaymentInvoice"), (Customer, "BusinessPartner"), (PostalAddress, "BPAddress"),
     (Employee, "ContactEmployee")],
)  # fmt: skip
def test_every_name_that_is_read_is_a_published_one(row: Any, published: str, shared_data: Path) -> None:
    types = json.loads((shared_data / "erp/sap/b1_service_layer_types.json").read_bytes())["entities"]
    known = {one["name"] for one in types[published]}
    assert [name for name in row.__struct_encode_fields__ if name not in known] == []


def test_every_column_that_is_asked_for_is_published(company: Any, shared_data: Path, tmp_path: Path) -> None:
    """The twin that serves the published type list takes every question, and only those."""
    running = start_twin("b1", tmp_path, shared=shared_data)
    try:
        strict = type(company)(running)
        strict.load({"number": "F1"}, {"number": "Z", "kind": "payment", "amount": "-5.00"})
        items, _ = pulled(strict.connector())
        assert is_open(items) == strict.books()
        assert all(step.is_ok for step in strict.connector().check())
    finally:
        running.stop()
