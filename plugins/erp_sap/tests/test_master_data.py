"""Customers, their contacts, and invoice PDFs."""

from __future__ import annotations

from typing import Any

from collecthub.sdk import Address, Contact, Party, PartyKind


def test_a_company_with_address_and_contact_person(ledger: Any) -> None:
    customer = {
        "customer_ref": "0000000815", "name": "Παπαδόπουλος <b>AE</b>", "kind": "company", "country": "GR",
        "language": "el", "vat_ref": "EL123456783", "email": "info@example.gr", "phone": "+302101234567",
        "contact": "Άννα Γ.", "street": "Οδός 4", "postcode": "10431", "city": "Αθήνα",
    }  # fmt: skip
    ledger.twin.control("load", {"company_code": ledger.company, "customers": [customer], "items": []})
    (record,) = ledger.connector().debtors(["0000000815", "0000009999"])
    assert record.debtor_ref == "0000000815"
    assert record.payment_terms == "0001"
    assert record.party == Party(
        name="Παπαδόπουλος <b>AE</b>", kind=PartyKind.COMPANY, country="GR", language="el", vat_ref="EL123456783",
        address=Address(lines=("Οδός 4",), postcode="10431", city="Αθήνα", country="GR"),
        contacts=(
            Contact(email="info@example.gr", phone="+302101234567"),
            Contact(name="Άννα Γ.", email="info@example.gr", phone="+302101234567", role="contact person"),
        ),
    )  # fmt: skip


def test_how_far_the_creditors_own_reminders_went_is_told(ledger: Any) -> None:
    ledger.load(["a"], dunning_level=2)
    ledger.load(["b"], dunning_level=1, due_on="2026-05-01")
    (record,) = ledger.connector().debtors([ledger.customer])
    assert record.notes == (f"Own reminders of company code {ledger.company}: level 2, last on 2026-05-01.",)


def test_persons_public_bodies_and_odd_keys_in_several_chunks(ledger: Any) -> None:
    kinds = ["person", "public", "company"]
    refs = [f"{ledger.company}{n:05d}" for n in range(60)] + ["O'NEIL&CO"]
    customers = [{"customer_ref": ref, "name": ref, "kind": kinds[n % 3]} for n, ref in enumerate(refs)]
    ledger.twin.control("load", {"company_code": ledger.company, "customers": customers, "items": []})
    records = list(ledger.connector(public_account_groups=("GOV",)).debtors(refs + refs[:5]))
    assert sorted(record.debtor_ref for record in records) == sorted(refs)
    found = {record.debtor_ref: record.party.kind for record in records}
    assert [found[ref].value for ref in refs[:3]] == kinds
    assert {record.party.country for record in records} == {""}  # unknown is not guessed


def test_x22_a_customer_marked_for_archiving_loses_his_contact_data(ledger: Any) -> None:
    customer = {"customer_ref": "0000000816", "name": "B", "email": "b@example.be", "city": "Gent", "contact": "C"}
    ledger.twin.control("load", {"company_code": ledger.company, "customers": [customer], "items": []})
    ledger.twin.control("customer", {"customer_ref": "0000000816", "archived": 1, "blocked": 1})
    (record,) = ledger.connector().debtors(["0000000816"])
    assert record.party.contacts == ()
    assert record.party.address == Address()
    assert record.is_blocked


def test_pdfs_of_billed_invoices_only(ledger: Any) -> None:
    ledger.load(["billed", "today/2"])
    ledger.load(["by hand"], document_type="DR")
    connector = ledger.connector()
    refs = {row.number: row.item_ref for page in connector.pull("") for row in page.rows}
    documents = {document.item_ref: document for document in connector.documents([*refs.values(), "no/such/item/1"])}
    assert set(documents) == {refs[ledger.number("billed")], refs[ledger.number("today/2")]}
    document = documents[refs[ledger.number("today/2")]]
    assert document.content.startswith(b"%PDF-")
    assert (document.name, document.media_type) == (f"{ledger.number('today-2')}.pdf", "application/pdf")


def test_a_pdf_that_is_not_printed_yet_comes_later(ledger: Any) -> None:
    ledger.twin.control("clock", {"now": "2026-06-15T10:00:00+00:00"})
    ledger.load(["new"], issue_on="2026-06-15", due_on="2026-07-15")
    connector = ledger.connector()
    refs = [row.item_ref for page in connector.pull("") for row in page.rows]
    assert list(connector.documents(refs)) == []
    ledger.twin.control("clock", {"now": "2026-06-15T19:05:00+00:00"})
    assert len(list(connector.documents(refs))) == 1


def test_x14_a_page_instead_of_a_pdf_is_no_document(ledger: Any) -> None:
    """X14 on SAP: an HTML page where a file should be is never attached."""
    ledger.load(["a"])
    connector = ledger.connector()
    refs = [row.item_ref for page in connector.pull("") for row in page.rows]
    body = '{"d": {"GetPDF": {"BillingDocumentBinary": "PGh0bWw+bG9nIG9uPC9odG1sPg=="}}}'
    path = "/sap/opu/odata/sap/API_BILLING_DOCUMENT_SRV/GetPDF"
    ledger.twin.control("faults", {"path": path, "status": 200, "body": body})
    assert list(connector.documents(refs)) == []
