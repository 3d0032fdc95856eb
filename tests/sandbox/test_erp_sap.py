"""SAP S/4HANA's services: the ledger over OData, master data, PDF, log-on, and the asynchronous change of a line."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pyodata
import pytest
import requests
import zeep

from collecthub.sandbox.sap import CLIENT_ID, CLIENT_SECRET, PASSWORD, USER
from collecthub.sandbox.sap_change import ACTION, PATH
from collecthub.sandbox.twin import RunningTwin, start_twin
from sandbox.erp_desk import CUBE, Json, SapDesk, customer, invoice

DUNNING = "API_BUSINESS_PARTNER/A_CustomerDunning(Customer='0000000001',CompanyCode='1000',DunningArea='')"
OPEN = "CompanyCode eq '1000' and FinancialAccountType eq 'D' and IsCleared eq false"
KEY = ("CompanyCode", "FiscalYear", "AccountingDocument", "AccountingDocumentItem")
NAMESPACE = "http://sap.com/xi/SAPSCORE/SFIN"


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    running = start_twin("sap", tmp_path_factory.mktemp("sap"), settings={"change_seconds": "900"})
    running.control("clock", {"now": "2026-06-15T08:00:00Z", "frozen": True})
    facts = {"contact": "Els Maes", "email": "els@example.org", "vat_ref": "BE0000000295", "city": "Gent"}
    people = [customer(f"{number:010d}", language="nl", **facts) for number in range(1, 11)]
    items = [
        invoice(f"F{number:03d}", f"{number % 10 + 1:010d}", f"{100 + number}.05") for number in range(40)
    ]
    running.control("load", {"customers": people, "items": items})
    yield running
    running.stop()


@pytest.fixture
def desk(twin: RunningTwin) -> Iterator[SapDesk]:
    with SapDesk(twin) as session:
        yield session


def post(twin: RunningTwin, number: str, amount: str = "1000.00", **facts: str) -> str:
    """Post an invoice of its own for one test."""
    twin.control("load", {"items": [invoice(number, "0000000001", amount, **facts)]})
    return number


def lines(desk: SapDesk, number: str) -> list[Json]:
    """All lines that carry a document's number, invoice first."""
    return desk.rows(CUBE, filter=f"DocumentReferenceID eq '{number}'", orderby="IsCleared,PostingKey")


def open_lines(desk: SapDesk, number: str) -> list[tuple[str, str]]:
    rows = desk.rows(
        CUBE, filter=f"DocumentReferenceID eq '{number}' and IsCleared eq false", orderby="PostingKey"
    )
    return [(row["AccountingDocumentType"], row["AmountInTransactionCurrency"]) for row in rows]


def test_pyodata_reads_the_twin_by_the_vendors_metadata(tmp_path: Path, shared_data: Path) -> None:
    running = start_twin("sap", tmp_path, shared=shared_data)
    try:
        running.control("load", {"customers": [customer("1")], "items": [invoice("F1", "1", "12.34")]})
        with SapDesk(running) as session:
            del session.headers["Accept"]
            service = pyodata.Client(session.root + CUBE.partition("/")[0] + "/", session, config=tolerant())
            items = service.entity_sets.A_OperationalAcctgDocItemCube
            found = list(items.get_entities().filter("IsCleared eq false").execute())
            assert [(one.Customer, one.AmountInTransactionCurrency) for one in found] == [("1", "12.34")]
            assert found[0].NetDueDate.date().isoformat() == "2026-02-04"
            assert items.get_entities().count().execute() == 1
            assert (
                items.get_entity(**{name: getattr(found[0], name) for name in KEY}).execute().PostingKey
                == "01"
            )
    finally:
        running.stop()


def tolerant() -> pyodata.v2.model.Config:
    """pyodata's parser, silent about annotations that it does not know."""
    policy = pyodata.v2.model.PolicyIgnore()
    return pyodata.v2.model.Config(default_error_policy=policy)


def test_all_270_properties_are_there(tmp_path: Path, shared_data: Path) -> None:
    running = start_twin("sap", tmp_path, shared=shared_data)
    try:
        running.control("load", {"customers": [customer("1")], "items": [invoice("F1", "1")]})
        with SapDesk(running) as session:
            row = session.rows(CUBE)[0]
        tree = ET.parse(shared_data / "erp" / "sap" / "API_OPLACCTGDOCITEMCUBE_SRV.edmx")
        types = {one.get("Name"): one.get("Type") for one in tree.iter() if one.tag.endswith("}Property")}
        assert set(row) - {"__metadata"} == set(types)
        wrong = [
            name for name, edm in types.items() if edm == "Edm.String" and not isinstance(row[str(name)], str)
        ]
        assert not wrong
    finally:
        running.stop()


def test_values_on_the_wire(desk: SapDesk) -> None:
    row = lines(desk, "F000")[0]
    assert row["NetDueDate"] == "/Date(1770163200000)/"
    assert row["AmountInTransactionCurrency"] == "100.05"
    assert (row["ClearingDate"], row["DunningBlockingReason"], row["IsCleared"]) == (None, "", False)
    assert row["__metadata"]["type"].endswith("A_OperationalAcctgDocItemCubeType")


def test_counting_sorting_and_skipping(desk: SapDesk) -> None:
    query = {
        "filter": f"{OPEN} and startswith(DocumentReferenceID, 'F0')",
        "orderby": "AmountInTransactionCurrency desc",
    }
    answer = desk.read(
        CUBE, inlinecount="allpages", top="3", skip="1", select="DocumentReferenceID", **query
    ).json()
    assert answer["d"]["__count"] == "40"
    assert [row["DocumentReferenceID"] for row in answer["d"]["results"]] == ["F038", "F037", "F036"]


def test_the_gateway_may_page_by_itself(twin: RunningTwin, desk: SapDesk) -> None:
    twin.control("services", {"page_size": 15})
    answer = desk.read(CUBE, filter="startswith(DocumentReferenceID, 'F0')").json()["d"]
    found = answer["results"]
    while "__next" in answer:
        answer = desk.get(answer["__next"], timeout=5).json()["d"]
        found += answer["results"]
    twin.control("services", {"page_size": 0})
    assert len({tuple(row[name] for name in KEY) for row in found}) == len(found) == 40


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ({"filter": "Kunde eq '1'"}, "Property 'Kunde' not found in type"),
        ({"select": "Customer,Kunde"}, "Property 'Kunde' not found in type"),
        ({"filter": "NetDueDate le '2026-01-01'"}, "incompatible"),
        ({"filter": "trim(Customer) eq '1'"}, "Unknown function"),
        ({"filter": "IsCleared eq"}, "Invalid token"),
        ({"fantasy": "1"}, "not supported"),
        ({"expand": "to_Customer"}, "navigation property"),
    ],
)
def test_what_the_gateway_refuses(desk: SapDesk, query: dict[str, str], refusal: str) -> None:
    answer = desk.read(CUBE, **query)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert refusal in error["message"]["value"]
    assert error["innererror"]["errordetails"][0]["severity"] == "error"


def test_partial_payments_stand_beside_the_invoice(twin: RunningTwin, desk: SapDesk) -> None:
    number = post(twin, "P1")
    twin.control("pay", {"number": number, "amount": "300"})
    twin.control("pay", {"number": number, "amount": "200"})
    assert open_lines(desk, number) == [("RV", "1000.00"), ("DZ", "-300.00"), ("DZ", "-200.00")]
    bill, *payments = lines(desk, number)
    named = {
        (one["InvoiceReference"], one["InvoiceReferenceFiscalYear"], one["InvoiceItemReference"])
        for one in payments
    }
    assert named == {(bill["AccountingDocument"], bill["FiscalYear"], bill["AccountingDocumentItem"])}
    twin.control("pay", {"number": number})
    assert open_lines(desk, number) == []
    assert {row["ClearingDate"] for row in lines(desk, number)} == {"/Date(1781481600000)/"}


def test_a_residual_payment_closes_the_invoice_and_opens_a_new_item(twin: RunningTwin, desk: SapDesk) -> None:
    number = post(twin, "P2")
    twin.control("pay", {"number": number, "amount": "400", "mode": "residual"})
    assert open_lines(desk, number) == [("DZ", "600.00")]
    rest = next(row for row in lines(desk, number) if not row["IsCleared"])
    assert (rest["FollowOnDocumentType"], rest["NetDueDate"]) == ("V", "/Date(1770163200000)/")


def test_a_reset_clearing_touches_no_change_date(twin: RunningTwin, desk: SapDesk) -> None:
    number = post(twin, "P3")
    twin.control("pay", {"number": number})
    before = {row["AccountingDocument"]: row["LastChangeDate"] for row in lines(desk, number)}
    twin.control("reset_clearing", {"number": number})
    after = lines(desk, number)
    assert {row["AccountingDocument"]: row["LastChangeDate"] for row in after} == before
    assert [row["IsCleared"] for row in after] == [False, False]
    assert after[0]["ClearingCreationDate"] is None


def test_instalments_are_items_of_one_document(twin: RunningTwin, desk: SapDesk) -> None:
    parts = [
        invoice(
            f"P4-{part}", "0000000001", "100", kind="instalment", settles="P4", due_on=f"2026-0{part + 2}-01"
        )
        for part in (1, 2, 3)
    ]
    twin.control("load", {"items": parts})
    found = lines(desk, "P4")
    assert len({row["AccountingDocument"] for row in found}) == 1
    assert sorted(row["AccountingDocumentItem"] for row in found) == ["001", "002", "003"]


def test_reversal_credit_and_special_ledger(twin: RunningTwin, desk: SapDesk) -> None:
    twin.control("reverse", {"number": post(twin, "P5")})
    assert open_lines(desk, "P5") == []
    assert sorted((row["IsReversal"], row["IsReversed"]) for row in lines(desk, "P5")) == [
        (False, True),
        (True, False),
    ]
    twin.control(
        "credit", {"number": post(twin, "P6"), "credit_number": "C6", "amount": "250", "allocated": False}
    )
    note = lines(desk, "C6")[0]
    assert (note["AmountInTransactionCurrency"], note["InvoiceReference"], note["DebitCreditCode"]) == (
        "-250.00",
        "",
        "H",
    )
    post(twin, "P7", special_gl="A")
    assert lines(desk, "P7")[0]["SpecialGLCode"] == "A"


@pytest.mark.parametrize(
    ("currency", "amount", "shown"), [("JPY", "5000", "5000"), ("KWD", "1.234", "1.234")]
)
def test_amounts_have_the_places_of_their_currency(
    twin: RunningTwin, desk: SapDesk, currency: str, amount: str, shown: str
) -> None:
    row = lines(desk, post(twin, f"X{currency}", amount, currency=currency))[0]
    assert (row["AmountInTransactionCurrency"], row["TransactionCurrency"]) == (shown, currency)


def test_the_way_from_a_customer_to_its_people(desk: SapDesk) -> None:
    partner = desk.rows(
        "API_BUSINESS_PARTNER/A_BusinessPartner",
        filter="Customer eq '0000000003'",
        expand="to_BusinessPartnerAddress/to_EmailAddress,to_BusinessPartnerTax,to_BusinessPartnerContact",
    )[0]
    assert partner["BusinessPartner"] != "0000000003"
    address = partner["to_BusinessPartnerAddress"]["results"][0]
    assert (address["CityName"], address["Country"]) == ("Gent", "BE")
    assert address["to_EmailAddress"]["results"][0]["EmailAddress"] == "els@example.org"
    assert partner["to_BusinessPartnerTax"]["results"][0]["BPTaxNumber"] == "BE0000000295"
    person = partner["to_BusinessPartnerContact"]["results"][0]["BusinessPartnerPerson"]
    found = desk.read(f"API_BUSINESS_PARTNER/A_BusinessPartner('{person}')").json()["d"]
    assert (found["LastName"], found["IsNaturalPerson"]) == ("Els Maes", "X")
    assert "__deferred" in partner["to_Customer"]


def test_a_write_needs_token_cookies_and_the_right_etag(twin: RunningTwin, desk: SapDesk) -> None:
    address = desk.root + DUNNING
    bare = desk.patch(address, json={"DunningBlock": "A"}, timeout=5)
    assert (bare.status_code, bare.headers["x-csrf-token"]) == (403, "Required")
    token = desk.csrf()
    etag = desk.get(address, timeout=5).json()["d"]["__metadata"]["etag"]
    with SapDesk(twin) as other:
        assert (
            other.patch(address, json={}, headers={**token, "If-Match": etag}, timeout=5).status_code == 403
        )
    assert desk.patch(address, json={"DunningBlock": "A"}, headers=token, timeout=5).status_code == 428
    held = {**token, "If-Match": etag}
    assert desk.patch(address, json={"DunningBlock": "A"}, headers=held, timeout=5).status_code == 204
    assert desk.patch(address, json={"DunningBlock": "B"}, headers=held, timeout=5).status_code == 412
    assert desk.get(address, timeout=5).json()["d"]["DunningBlock"] == "A"
    twin.control("logon", {"expire_csrf": True})
    again = desk.patch(address, json={"DunningBlock": ""}, headers={**token, "If-Match": "*"}, timeout=5)
    assert again.headers["x-csrf-token"] == "Required"


def test_a_business_error_rides_on_a_success(twin: RunningTwin, desk: SapDesk) -> None:
    before = desk.read(DUNNING).json()["d"]["DunningBlock"]
    twin.control("services", {"message_next": "Account is being maintained"})
    headers = {**desk.csrf(), "If-Match": "*"}
    answer = desk.patch(desk.root + DUNNING, json={"DunningBlock": "Z"}, headers=headers, timeout=5)
    assert answer.status_code == 204
    assert '"severity":"error"' in answer.headers["sap-message"]
    assert desk.read(DUNNING).json()["d"]["DunningBlock"] == before


def test_the_ledger_is_read_only(desk: SapDesk) -> None:
    assert desk.post(desk.root + CUBE, json={}, headers=desk.csrf(), timeout=5).status_code == 405


def test_an_inactive_service_answers_with_a_page(twin: RunningTwin, desk: SapDesk) -> None:
    twin.control("services", {"inactive": ["API_BILLING_DOCUMENT_SRV"]})
    answer = desk.read("API_BILLING_DOCUMENT_SRV/A_BillingDocument")
    twin.control("services", {"inactive": []})
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (404, "text/html")


def test_five_bad_logons_lock_the_user(twin: RunningTwin, desk: SapDesk) -> None:
    with SapDesk(twin, "wrong") as stranger:
        assert [stranger.read(CUBE).status_code for _ in range(5)] == [401] * 5
    assert desk.read(CUBE).status_code == 401
    assert twin.control("logon", {"unlock": True}) == {"locked": False, "bad_logons": 0}
    assert desk.read(CUBE, top="1").status_code == 200


def test_client_credentials_open_the_same_services(twin: RunningTwin, desk: SapDesk) -> None:
    answer = requests.post(
        f"{twin.url}/sap/bc/sec/oauth2/token", data={"grant_type": "client_credentials"},
        auth=(CLIENT_ID, CLIENT_SECRET), timeout=5,
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}", "Accept": "application/json"}
    assert requests.get(f"{desk.root}{CUBE}?$top=1", headers=headers, timeout=5).status_code == 200


def test_the_pdf_appears_in_the_evening(twin: RunningTwin, desk: SapDesk) -> None:
    def pdf(number: str) -> bytes:
        document = lines(desk, number)[0]["BillingDocument"]
        answer = desk.get(
            f"{desk.root}API_BILLING_DOCUMENT_SRV/GetPDF?BillingDocument='{document}'", timeout=5
        )
        return base64.b64decode(answer.json()["d"]["GetPDF"]["BillingDocumentBinary"])

    assert pdf("F000").startswith(b"%PDF-")
    assert pdf(post(twin, "P8", issue_on="2026-06-15", due_on="2026-07-15")) == b""
    assert lines(desk, post(twin, "P9", document_type="DR"))[0]["BillingDocument"] == ""


def change(line: Json, requested: bool, block: str = "H") -> bytes:
    """A change request of a dunning block as bytes, so that its mistakes are possible."""
    document = "".join(
        f"<{name}>{line[name.removesuffix('ID')]}</{name}>"
        for name in ("AccountingDocument", "CompanyCode", "FiscalYear", "AccountingDocumentItemID")
    )
    header = (
        "<MessageHeader><ID>{}</ID><CreationDateTime>2026-06-15T08:00:00Z</CreationDateTime></MessageHeader>"
    )
    message = f"M{line['number']}{requested}"
    wanted = "<FieldValueChangeIsRequested>true</FieldValueChangeIsRequested>" if requested else ""
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<m:JournalEntryBulkChangeRequestMessage xmlns:m="{NAMESPACE}">{header.format(message)}'
        f"<JournalEntryDebtorCreditorItem>{header.format('I1')}<ItemKey>{document}</ItemKey>"
        f"<DunningBlockingReasonCodeChange><DunningBlockingReasonCode>{block}</DunningBlockingReasonCode>{wanted}"
        "</DunningBlockingReasonCodeChange></JournalEntryDebtorCreditorItem>"
        "</m:JournalEntryBulkChangeRequestMessage></s:Body></s:Envelope>"
    ).encode()


def send(desk: SapDesk, twin: RunningTwin, body: bytes) -> int:
    headers = {"SOAPAction": f'"{ACTION}"', "Content-Type": "text/xml; charset=utf-8"}
    return desk.post(twin.url + PATH, data=body, headers=headers, timeout=5).status_code


def block_of(desk: SapDesk, number: str) -> str:
    return str(lines(desk, number)[0]["DunningBlockingReason"])


def test_a_dunning_block_comes_later_and_only_when_asked_for(twin: RunningTwin, desk: SapDesk) -> None:
    for number, requested in (("S1", True), ("S2", False)):
        line = lines(desk, post(twin, number))[0] | {"number": number}
        assert send(desk, twin, change(line, requested)) == 202
        assert block_of(desk, number) == ""
    twin.control("clock", {"advance_seconds": 901})
    assert (block_of(desk, "S1"), block_of(desk, "S2")) == ("H", "")


def test_a_change_can_be_lost_without_a_word(twin: RunningTwin, desk: SapDesk) -> None:
    twin.control("change", {"drop": 1})
    line = lines(desk, post(twin, "S3"))[0] | {"number": "S3"}
    assert send(desk, twin, change(line, True)) == 202
    twin.control("clock", {"advance_seconds": 901})
    assert block_of(desk, "S3") == ""
    assert "dropped" in [one["outcome"] for one in twin.control("change")["messages"]]


def test_a_malformed_change_is_a_soap_fault(twin: RunningTwin, desk: SapDesk) -> None:
    assert send(desk, twin, b"<a/>") == 500
    assert send(desk, twin, b'<!DOCTYPE a [<!ENTITY b "c">]><a/>') == 500


def test_zeep_speaks_to_the_twin_by_the_vendors_wsdl(
    twin: RunningTwin, desk: SapDesk, shared_data: Path
) -> None:
    line = lines(desk, post(twin, "S4"))[0]
    transport = zeep.Transport()
    transport.session.auth = (USER, PASSWORD)
    client = zeep.Client(
        str(shared_data / "erp" / "sap" / "JOURNALENTRYBULKCHANGEREQUEST.wsdl"), transport=transport
    )
    binding = next(iter(client.wsdl.bindings))
    header = {"ID": "Z1", "CreationDateTime": "2026-06-15T08:00:00Z"}
    key = {
        name: line[name.removesuffix("ID")] for name in ("AccountingDocument", "CompanyCode", "FiscalYear")
    }
    item = {
        "MessageHeader": header, "ItemKey": {**key, "AccountingDocumentItemID": line["AccountingDocumentItem"]},
        "DunningBlockingReasonCodeChange": {"DunningBlockingReasonCode": "K", "FieldValueChangeIsRequested": True},
    }  # fmt: skip
    service = client.create_service(binding, twin.url + PATH)
    service.JournalEntryBulkChangeRequest_In(MessageHeader=header, JournalEntryDebtorCreditorItem=[item])
    transport.session.close()
    twin.control("clock", {"advance_seconds": 901})
    assert block_of(desk, "S4") == "K"
