"""Customers, documents, the connection check, and what is written back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from collecthub.erp_ports import HookSubscriber, InvoiceLineSource, ItemSource
from collecthub.errors import ConfigurationError, PermanentError
from collecthub.ports import (
    Budgeted,
    CaseReporter,
    Checkable,
    Consenting,
    DebtorSource,
    Divided,
    DocumentSource,
    HookReceiver,
    InvoiceSource,
    OpenItemBooks,
)
from collecthub.sdk import ItemState


class Note(msgspec.Struct):
    note_id: str = msgspec.field(name="ID")


class Printed(msgspec.Struct):
    invoice_id: str = msgspec.field(name="InvoiceID")


MOMENT = dt.datetime(2026, 6, 15, 9, 0, tzinfo=dt.UTC)


def first_row(connector: Any) -> Any:
    return next(row for page in connector.pull("") for row in page.rows)


def test_the_connector_satisfies_its_ports(world: Any) -> None:
    connector = world.connector()
    for port in (
        Checkable,
        InvoiceSource,
        DebtorSource,
        DocumentSource,
        OpenItemBooks,
        CaseReporter,
        HookReceiver,
        HookSubscriber,
        Consenting,
        Divided,
        Budgeted,
        InvoiceLineSource,
        ItemSource,
    ):
        assert isinstance(connector, port), port


def test_customers_come_with_their_contact(world: Any) -> None:
    world.load(45, customers=45)
    connector = world.connected()
    refs = [row.debtor_ref for page in connector.pull("") for row in page.rows]
    records = list(connector.debtors(refs))
    assert {record.debtor_ref for record in records} == set(refs) and len(records) == 45
    party = next(record.party for record in records if record.party.name == "Müller & Zoon <7>")
    assert (party.country, party.language, party.vat_ref) == ("BE", "nl", "BE0403170701")
    assert [(one.name, one.email) for one in party.contacts] == [
        ("", "debtor7@example.org"),
        ("Jan Peeters", "debtor7@example.org"),
    ]
    assert party.address.lines == ("Dorpsstraat 1",)


def test_a_customer_comes_with_all_contacts_terms_bill_to_and_notes(world: Any) -> None:
    world.load(2, customers=2)
    people = {"FullName": "An Claes", "BusinessEmail": "an@example.org", "JobTitleDescription": "CFO"}
    world.control("contact", customer_ref="C1", second=True, changes=people)
    connector = world.connected()
    refs = {row.number: row.debtor_ref for page in connector.pull("") for row in page.rows}
    payer = refs["1000"].partition(":")[2]
    changes = {"InvoiceAccount": payer, "PaymentConditionSales": "45E", "Remarks": "Closed in August.\nCall first."}
    world.control("account", customer_ref="C1", changes=changes)
    for subject, date in (("Called", "2026-06-02"), ("Old", "2020-01-01"), ("Collection 2026-1: case sent [r]", "2026-06-03")):
        fields = {"Subject": subject, "Notes": "Will pay", "Account": refs["1001"].partition(":")[2], "Date": date}
        connector._client.create(world.division, "activities/CommunicationNotes", fields, Note)
    (record,) = connector.debtors([refs["1001"]])
    assert [one.name for one in record.party.contacts] == ["", "Jan Peeters", "An Claes"]
    assert record.payment_terms == "45 days, end of month"
    assert record.bill_to is not None and record.bill_to.name == "Müller & Zoon <0>"
    assert record.bill_to.email == "debtor0@example.org"
    assert record.notes == ("Closed in August. Call first.", "2026-06-02 Called: Will pay")
    (plain,) = connector.debtors([refs["1000"]])
    assert (plain.bill_to, plain.payment_terms, plain.notes) == (None, "30 days", ())
    assert next(world.connector(read_notes=False).debtors([refs["1001"]])).notes == (record.notes[0],)


def test_x22_an_anonymised_customer_is_told_by_the_next_pull_and_has_no_contact_data(world: Any) -> None:
    world.load(3, customers=3)
    connector = world.connected()
    pages = list(connector.pull(""))
    refs = {row.number: row.debtor_ref for page in pages for row in page.rows}
    assert set(refs.values()) <= {ref for page in pages for ref in page.changed_debtors}
    checkpoint = pages[-1].checkpoint
    assert not any(page.changed_debtors for page in connector.pull(checkpoint))
    world.control("account", customer_ref="C1", changes={"IsAnonymised": 1, "Email": None})
    world.control("contact", customer_ref="C2", changes={"IsAnonymised": 1})
    world.control("delete_account", customer_ref="C0")
    changed = [ref for page in connector.pull(checkpoint) for ref in page.changed_debtors]
    assert sorted(changed) == sorted(refs.values())
    records = {record.debtor_ref: record for record in connector.debtors(changed)}
    assert refs["1000"] not in records
    hidden = records[refs["1001"]]
    assert hidden.is_anonymised and hidden.party.contacts == () and hidden.party.address.lines == ()
    assert [one.name for one in records[refs["1002"]].party.contacts] == [""]


def test_invoice_lines_come_from_the_entry_that_booked_the_invoice(world: Any) -> None:
    world.load(2)
    lines = [
        {"Description": "Paint 5 l", "Quantity": "3", "AmountFC": "75.00", "VATAmountFC": "15.75"},
        {"Description": "Delivery", "Quantity": "1", "AmountFC": "8.6", "VATAmountFC": "1.75"},
    ]
    world.control("lines", number="1001", lines=lines)
    connector = world.connected()
    rows = {row.number: row.item_ref for page in connector.pull("") for row in page.rows}
    found = list(connector.invoice_lines(list(rows.values())))
    mine = [line for line in found if line.item_ref == rows["1001"]]
    assert [(one.text, one.quantity, one.amount, one.tax_amount) for one in mine] == [
        ("Paint 5 l", Decimal(3), Decimal("75.00"), Decimal("15.75")),
        ("Delivery", Decimal(1), Decimal("8.6"), Decimal("1.75")),
    ]
    assert sum(one.amount + one.tax_amount for one in mine) == Decimal("101.10")
    assert [one.text for one in found if one.item_ref == rows["1000"]] == ["Delivery 1000"]


def test_single_items_are_read_anew_and_deleted_ones_are_cancelled(world: Any) -> None:
    world.load(3)
    connector = world.connected()
    rows = {row.number: row.item_ref for page in connector.pull("") for row in page.rows}
    world.control("pay", number="1000")
    world.control("delete", number="1001")
    found = {row.item_ref: row for row in connector.read_items(list(rows.values()))}
    assert found[rows["1000"]].state is ItemState.PAID
    assert (found[rows["1001"]].state, found[rows["1001"]].debtor_ref) == (ItemState.CANCELLED, "")
    assert (found[rows["1002"]].state, found[rows["1002"]].open_amount) == (ItemState.OPEN, Decimal("102.10"))


def test_nothing_that_the_connector_does_mails_a_customer(world: Any) -> None:
    """Printing an invoice through the API e-mails it; the twin shows that it would have noticed."""
    world.load(2)
    connector = world.connected(write_task=True, write_block=True, write_reference=True)
    rows = [row for page in connector.pull("") for row in page.rows]
    refs = [row.item_ref for row in rows]
    connector.check()
    assert list(connector.debtors([rows[0].debtor_ref])) and list(connector.invoice_lines(refs))
    assert list(connector.documents(refs)) and list(connector.open_items()) and list(connector.read_items(refs))
    mailed = world.twin.control("mailed")["mailed"]
    assert [one for one in mailed if one["Division"] == world.division] == []
    fields = {"InvoiceID": refs[0].partition(":")[2]}
    connector._client.create(world.division, "salesinvoice/PrintedSalesInvoices", fields, Printed)
    mailed = world.twin.control("mailed")["mailed"]
    assert [one["EmailCreationSuccess"] for one in mailed if one["Division"] == world.division] == ["Sent"]


def test_x14_invoices_come_as_pdf_and_what_is_none_is_left_out(world: Any) -> None:
    world.load(3)
    connector = world.connected()
    refs = [row.item_ref for page in connector.pull("") for row in page.rows]
    documents = list(connector.documents(refs))
    assert {document.item_ref for document in documents} == set(refs)
    assert all(document.content.startswith(b"%PDF-") for document in documents)
    page = {"path": "/docs/SysAttachment.aspx", "status": 200, "body": "<html>Log in</html>", "times": 1}
    world.twin.control("faults", page)
    assert len(list(connector.documents(refs))) == 2
    assert len(list(connector.documents(refs))) == 3


def test_files_that_cannot_be_had_cost_neither_their_neighbours_nor_an_hour(world: Any) -> None:
    """Three refusals close the endpoint for an hour; a case goes without those documents instead of waiting."""
    world.load(6)
    connector = world.connected()
    refs = [row.item_ref for page in connector.pull("") for row in page.rows]
    world.twin.control("faults", {"path": "/docs/SysAttachment.aspx", "status": 404, "times": 2})
    assert len(list(connector.documents(refs))) == 4
    world.twin.control("faults", {"path": f"/api/v1/{world.division}/documents", "status": 400, "times": 3})
    for _ in range(4):
        with pytest.raises(PermanentError):
            list(connector.documents(refs))
    assert world.twin.control("faults", {"path": "/nowhere"})["pending"] == 1


def test_references_of_other_systems_are_refused(world: Any) -> None:
    with pytest.raises(PermanentError, match="not a reference"):
        list(world.connected().debtors(["1710:10100001"]))
    with pytest.raises(PermanentError, match="not a reference"):
        list(world.connected().debtors(["1:' or ID ne guid'"]))


def test_a_check_walks_through_everything(world: Any) -> None:
    steps = world.connected(write_task=True).check()
    assert [step.name for step in steps][:4] == ["host", "token", "user", "divisions"]
    assert all(step.is_ok for step in steps) and len(steps) == 16


def test_a_check_says_which_scope_is_missing(world: Any) -> None:
    connector = world.connected()
    world.twin.control("scopes", {"revoked": ["Organization documents"]})
    wrong = [step for step in connector.check() if not step.is_ok]
    assert [step.name for step in wrong] == [f"{world.division} documents/Documents"]
    assert "scope" in wrong[0].cure


def test_a_check_names_divisions_that_cannot_be_seen(world: Any) -> None:
    step = world.connected(divisions=(world.division, 17)).check()[-1]
    assert (step.name, step.is_ok) == ("divisions", False)
    assert "17" in step.detail and str(world.division) in step.cure


def test_divisions_are_chosen_after_consent(world: Any) -> None:
    """The walk of a new connection: consent, see what there is, choose, check."""
    connector = world.connected(divisions=())
    found = {one.division_ref: one.name for one in connector.list_divisions()}
    assert found[str(world.division)] == f"Company {world.division}"
    assert connector.division_setting in type(world.settings()).model_fields
    step = connector.check()[-1]
    assert (step.name, step.is_ok) == ("divisions", False)
    assert f"{world.division} Company {world.division}" in step.cure
    with pytest.raises(ConfigurationError, match="No division is chosen"):
        list(connector.pull(""))
    with pytest.raises(ConfigurationError, match="No division is chosen"):
        list(connector.open_items())


def test_a_check_without_consent_says_reconnect(world: Any) -> None:
    steps = world.connector().check()
    assert [step.is_ok for step in steps] == [True, False]
    assert "Reconnect" in steps[-1].cure
