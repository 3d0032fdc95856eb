"""Mapping against the vendor's own descriptions and recorded answers."""

from __future__ import annotations

import datetime as dt
import doctest
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from collecthub.sdk import ItemKind, ItemState, PartyKind, QuarantineError
from collecthub_erp_exact import mapping, odata
from collecthub_erp_exact.mapping import (
    calendar_date,
    debtor_party,
    debtor_record,
    note_text,
    party_kind,
    raw_invoice,
)
from collecthub_erp_exact.odata import columns, navigation, read_records
from collecthub_erp_exact.records import (
    Account,
    ChangedAccount,
    ChangedContact,
    ContactPerson,
    Deletion,
    DivisionState,
    EntryLine,
    ListedItem,
    Note,
    PaymentTerm,
    Receivable,
)
from collecthub_erp_exact.terms import map_terms, read_terms

TERM = {
    "Timestamp": "77", "ID": "2b5a7b99-e210-46ee-9511-3cac0b66405d", "LineType": 20, "AmountFC": 12.5, "Currency": "EUR",
    "Account": "00000000-0000-0000-0000-000000000001", "AccountName": "Łukasz & Søn", "Description": "d",
    "DueDate": "/Date(1781481600000)/", "InvoiceDate": "/Date(1778889600000)/", "EntryID": "e", "EntryNumber": 26000001,
    "EndDate": None, "TransactionIsReversal": False,
    "InvoiceNumber": 4711, "IsFullyPaid": False, "Status": 20, "TransactionEntryID": "t", "TransactionType": 20,
}  # fmt: skip


def term(**changes: Any) -> PaymentTerm:
    return msgspec.json.decode(json.dumps({**TERM, **changes}), type=PaymentTerm)


@pytest.fixture(scope="session")
def exact_data(shared_data: Path) -> Path:
    return shared_data / "erp" / "exact"


@pytest.mark.parametrize("module", [mapping, odata])
def test_examples_in_the_code_hold(module: Any) -> None:
    assert doctest.testmod(module).attempted and not doctest.testmod(module).failed


def test_every_selected_column_exists_at_the_vendor(exact_data: Path) -> None:
    entities = json.loads((exact_data / "exact_ar_entities_2025.json").read_text())
    for entity, row_type in {
        "SyncPaymentTerm": PaymentTerm, "BulkReceivable": Receivable, "ReceivablesList": ListedItem,
        "SyncDeleted": Deletion, "Account": Account, "Contact": ContactPerson, "SystemDivision": DivisionState,
        "CommunicationNote": Note, "SalesEntryLine": EntryLine, "SyncAccount": ChangedAccount,
        "SyncContact": ChangedContact,
    }.items():  # fmt: skip
        names = {field["name"] for field in entities[entity]["fields"]}
        assert set(columns(row_type).split(",")) <= names, entity


def test_what_the_vendor_may_leave_empty_may_be_empty_here(exact_data: Path) -> None:
    """Nullability as served in $metadata: a null in any nullable column is a row, not an error."""
    tree = ElementTree.parse(exact_data / "metadata_cashflow.xml")
    properties = {
        found.attrib["Name"]: found.attrib.get("Nullable", "true") == "true"
        for entity in tree.iter()
        if entity.tag.endswith("EntityType") and entity.attrib["Name"] == "Receivable"
        for found in entity
        if found.tag.endswith("Property")
    }
    assert len(properties) == 79
    nullable = [name for name in columns(PaymentTerm).split(",") if properties.get(name)]
    assert "Account" in nullable and "AmountFC" not in nullable
    term(**dict.fromkeys(nullable))
    row = {name: TERM.get(name) for name in columns(Receivable).split(",")}
    msgspec.json.decode(json.dumps({**row, **dict.fromkeys(set(nullable) & set(row))}), type=Receivable)


def test_personal_columns_are_never_selected() -> None:
    private = {"SocialSecurityNumber", "BirthDate", "BSN", "Picture", "Gender", "BirthPlace", "Nationality"}
    for row_type in (PaymentTerm, Receivable, Account, ContactPerson, ChangedAccount, ChangedContact, Note):
        assert not private & set(columns(row_type).split(","))


@pytest.mark.parametrize("name", ["sample_shape_items.json", "sample_shape_item.json"])
def test_both_recorded_collection_shapes_are_read(exact_data: Path, name: str) -> None:
    content = (exact_data / name).read_bytes()
    body = json.loads(content)["d"]
    expected = body["results"] if isinstance(body, dict) else body
    assert read_records(content, dict).rows == expected and expected


def test_recorded_answers_are_read(exact_data: Path) -> None:
    answers = json.loads((exact_data / "observed_wire_messages.json").read_text())["observed_answers"]
    bodies = {answer["name"]: answer.get("body") for answer in answers}
    me = read_records(json.dumps(bodies["current_me"]).encode(), dict)
    assert me.rows[0]["CurrentDivision"] == 4133185
    created = read_records(json.dumps(bodies["webhook_subscription_created"]).encode(), dict)
    assert created.rows[0]["Topic"] == "StockPositions"


def test_navigation_shapes_are_read() -> None:
    assert navigation(b'[{"A":1}]', dict).rows == [{"A": 1}]
    assert navigation(b'{"results":[{"A":1}]}', dict).rows == [{"A": 1}]
    assert navigation(b'{"__deferred":{"uri":"https://h/x"}}', dict) == odata.Records([], "https://h/x")


def test_a_page_that_is_no_json_is_quarantined() -> None:
    with pytest.raises(QuarantineError):
        read_records(b"<html>log in</html>", PaymentTerm)
    with pytest.raises(QuarantineError):
        read_records(b'{"d":{"results":[{"A":1},', dict)


@pytest.mark.parametrize("text", ["0.1", "1234567.89", "0.005", "100", "99999999999.99", "-3.30"])
def test_amounts_are_what_the_text_says(text: str) -> None:
    page = json.dumps({"d": {"results": [TERM]}}).replace("12.5", text).encode()
    assert read_records(page, PaymentTerm).rows[0].amount == Decimal(text)


def test_dates_are_calendar_dates_in_every_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    for zone in ("UTC", "America/Los_Angeles", "Pacific/Auckland"):
        monkeypatch.setenv("TZ", zone)
        assert raw_invoice(1, term()).due_on == dt.date(2026, 6, 15)


@pytest.mark.parametrize("text", ["2026-06-15", "/Date()/", "/Date(99999999999999999)/", "/Date(١)/", ""])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        calendar_date(text)


@pytest.mark.parametrize(
    ("changes", "kind", "state", "open_amount", "number"),
    [
        ({}, ItemKind.INVOICE, ItemState.OPEN, "12.5", "4711"),
        ({"Status": 30}, ItemKind.INVOICE, ItemState.OPEN, "12.5", "4711"),
        ({"Status": 40}, ItemKind.INVOICE, ItemState.OPEN, "12.5", "4711"),
        ({"Status": 40, "EndDate": "/Date(1781481600000)/"}, ItemKind.INVOICE, ItemState.PAID, "0", "4711"),
        ({"Status": 50, "TransactionIsReversal": True}, ItemKind.INVOICE, ItemState.CANCELLED, "0", "4711"),
        ({"AmountFC": -5, "TransactionIsReversal": True}, ItemKind.CREDIT_NOTE, ItemState.OPEN, "-5", "4711"),
        ({"Status": 50}, ItemKind.INVOICE, ItemState.PAID, "0", "4711"),
        ({"IsFullyPaid": True}, ItemKind.INVOICE, ItemState.PAID, "0", "4711"),
        ({"InvoiceNumber": None}, ItemKind.INVOICE, ItemState.OPEN, "12.5", "26000001"),
        ({"AmountFC": -5, "TransactionType": 21}, ItemKind.CREDIT_NOTE, ItemState.OPEN, "-5", "4711"),
        ({"AmountFC": -5, "TransactionType": 20}, ItemKind.CREDIT_NOTE, ItemState.OPEN, "-5", "4711"),
        ({"AmountFC": -5, "TransactionType": 40}, ItemKind.PAYMENT, ItemState.OPEN, "-5", "26000001"),
        ({"AmountFC": -5, "TransactionType": 90}, ItemKind.PAYMENT, ItemState.OPEN, "-5", "26000001"),
    ],
)
def test_kind_state_and_amount(
    changes: dict[str, Any], kind: ItemKind, state: ItemState, open_amount: str, number: str
) -> None:
    row = raw_invoice(123456, term(**changes))
    assert (row.kind, row.state, row.open_amount, row.number) == (kind, state, Decimal(open_amount), number)
    assert row.item_ref == "123456:2b5a7b99-e210-46ee-9511-3cac0b66405d" and row.group_ref == "123456"


@pytest.mark.parametrize(("status", "is_blocked"), [(20, False), (30, True), (40, True)])
def test_what_the_bank_collects_is_owed_but_nobody_is_reminded_of_it(status: int, is_blocked: bool) -> None:
    row = raw_invoice(1, term(Status=status))
    assert (row.state, row.open_amount, row.is_blocked) == (ItemState.OPEN, Decimal("12.5"), is_blocked)


def test_a_refused_row_says_what_is_open_on_it_as_far_as_it_can_be_read() -> None:
    def refusal(**changes: Any) -> Any:
        page = json.dumps({"d": {"results": [{**TERM, **changes}]}}).encode()
        return map_terms(1, page, read_terms(page).rows).refused[0]

    assert (refusal(Account=None).currency, refusal(Account=None).open_amount) == ("EUR", Decimal("12.5"))
    assert refusal(DueDate="soon").open_amount == Decimal("12.5")
    assert refusal(DueDate="soon", IsFullyPaid=True).open_amount is None
    assert refusal(AmountFC="a lot").open_amount is None


def test_an_administration_with_negative_invoices_is_turned_round() -> None:
    assert raw_invoice(1, term(AmountFC=-12.5), -1).open_amount == Decimal("12.5")
    assert raw_invoice(1, term(AmountFC=5, TransactionType=40), -1).kind is ItemKind.PAYMENT


@pytest.mark.parametrize("changes", [{"Account": None}, {"Currency": None}, {"Status": 25}, {"Status": None}])
def test_what_cannot_be_placed_is_refused_not_guessed(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="status|account|currency"):
        raw_invoice(1, term(**changes))


def account(**changes: Any) -> Account:
    empty = dict.fromkeys(columns(Account).split(","))
    return msgspec.convert({**empty, "ID": "a", "Name": "N", **changes}, Account)


def test_a_customer_without_numbers_is_protected_as_a_consumer() -> None:
    assert party_kind(account()) is PartyKind.PERSON
    assert party_kind(account(VATNumber="BE0403170701")) is PartyKind.COMPANY
    assert party_kind(account(VATNumber="BE0403170701", Classification1="p"), ("p",)) is PartyKind.PERSON
    assert party_kind(account(Classification1="g"), ("p",), ("g",)) is PartyKind.PUBLIC


TODAY = dt.date(2026, 6, 15)


def person(name: str, **changes: Any) -> ContactPerson:
    empty = dict.fromkeys(columns(ContactPerson).split(","))
    return msgspec.convert({**empty, "ID": name, "FullName": name, **changes}, ContactPerson)


def test_an_anonymised_customer_cannot_be_reached_any_more() -> None:
    known = account(
        Email="x@example.org", Phone="1", AddressLine1="Straat 1", City="Gent", Country="BE ", IsAnonymised=1,
        Remarks="calls on Fridays",
    )  # fmt: skip
    party = debtor_party(known, [person("Jan")], PartyKind.COMPANY, TODAY)
    assert party.contacts == () and party.address.lines == () and party.country == "BE"
    record = debtor_record(1, known, party, None, [])
    assert record.is_anonymised and record.notes == ()


def test_an_account_code_is_18_characters_on_the_wire_and_the_number_people_know_here() -> None:
    known = account(Code="                25")
    assert len(known.code or "") == 18
    party = debtor_party(known, [], PartyKind.COMPANY, TODAY)
    assert debtor_record(1, known, party, None, []).customer_number == "25"


def test_people_who_left_or_were_anonymised_are_no_contacts_and_the_main_one_stands_first() -> None:
    people = [
        person("Ann", BusinessEmail="ann@example.org"),
        person("Left", EndDate="/Date(1781395200000)/"),  # 2026-06-14
        person("Leaves", EndDate="/Date(1781481600000)/"),  # today
        person("Hidden", IsAnonymised=1),
        person("Zoe", Email="zoe@example.org", JobTitleDescription="CFO"),
    ]
    party = debtor_party(account(Email="x@example.org", MainContact="Zoe"), people, PartyKind.COMPANY, TODAY)
    assert [one.name for one in party.contacts] == ["", "Zoe", "Ann", "Leaves"]
    assert (party.contacts[1].email, party.contacts[1].role) == ("zoe@example.org", "CFO")


def test_a_note_is_one_line() -> None:
    written = Note("a", "Called", "Promised to pay", "/Date(1781481600000)/")
    assert note_text(written) == "2026-06-15 Called: Promised to pay"
    assert note_text(Note("a", None, None, None)) == ""
