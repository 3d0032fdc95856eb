"""Exact Online's data: shapes, paging, query rules and what each change in the books does to the wire."""

from __future__ import annotations

import hashlib
import hmac
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from collecthub.errors import PermanentError
from collecthub.sandbox.exact import WEBHOOK_SECRET
from collecthub.sandbox.twin import RunningTwin, start_twin
from sandbox.erp_desk import ExactDesk, Json, callback, customer, invoice
from sandbox.test_twin_frame import until

OPEN_ITEMS = 150


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    running = start_twin(
        "exact", tmp_path_factory.mktemp("exact"), raised_limits=True, settings={"webhook_seconds": "0"}
    )
    running.control("clock", {"now": "2026-06-15T08:00:00Z"})
    people = [customer(str(number), contact="Els Maes", email="els@example.org") for number in range(30)]
    items = [
        invoice(str(5000 + number), str(number % 30), f"{100 + number}.05") for number in range(OPEN_ITEMS)
    ]
    running.control("load", {"customers": people, "items": items})
    yield running
    running.stop()


@pytest.fixture(scope="module")
def desk(twin: RunningTwin) -> ExactDesk:
    return ExactDesk.log_in(twin)


def post(twin: RunningTwin, number: str, amount: str = "1000.00", **facts: str) -> str:
    """Post an invoice of its own for one test."""
    twin.control("load", {"items": [invoice(number, "1", amount, **facts)]})
    return number


def terms(desk: ExactDesk, number: str) -> list[Json]:
    found, _ = desk.all("cashflow/Receivables", filter=f"YourRef eq '{number}'", orderby="Status")
    return found


def words(answer: requests.Response) -> str:
    assert answer.status_code == 400
    return str(answer.json()["error"]["message"]["value"])


def test_sync_pages_of_a_thousand_and_crud_pages_of_sixty(twin: RunningTwin, desk: ExactDesk) -> None:
    rows, pages = desk.all("read/financial/ReceivablesList", select="HID,Amount")
    assert pages[:-1] == [60] * (len(pages) - 1)
    assert len({row["HID"] for row in rows}) == len(rows) == len(twin.control("books")["items"])
    _, pages = desk.all("sync/Cashflow/PaymentTerms", filter="Timestamp gt 1L", select="ID,Timestamp")
    assert len(pages) == 1


def test_a_page_link_carries_the_query_and_a_key_literal(desk: ExactDesk) -> None:
    link = desk.get("cashflow/Receivables", filter="Status eq 20", select="ID").json()["d"]["__next"]
    assert link.startswith(desk.twin.url)
    assert "$select=ID" in link
    assert "$skiptoken=guid'" in link


def test_types_on_the_wire(desk: ExactDesk) -> None:
    row = desk.get("sync/Cashflow/PaymentTerms", filter="Timestamp gt 1").json()["d"]["results"][0]
    assert isinstance(row["Timestamp"], str)
    assert isinstance(row["AmountDC"], int | float)
    assert row["DueDate"] == "/Date(1770163200000)/"
    assert row["EndDate"] is None
    assert row["LineType"] == 20
    assert row["AccountCode"] == row["AccountCode"].strip().rjust(18)


def test_the_five_json_shapes(desk: ExactDesk) -> None:
    assert "results" in desk.get("hrm/Divisions").json()["d"]
    assert isinstance(desk.get("crm/Accounts", filter="Status eq 'C'", top="3").json()["d"], list)
    key = desk.get("crm/Accounts", filter="Status eq 'C'", top="1").json()["d"][0]["ID"]
    assert desk.get(f"crm/Accounts(guid'{key}')").json()["d"]["ID"] == key
    row = desk.get("read/financial/ReceivablesList").json()["d"]["results"][0]
    assert row["Notes"]["__deferred"]["uri"].endswith("/Notes")
    row = desk.get("read/financial/ReceivablesList", expand="Notes").json()["d"]["results"][0]
    assert row["Notes"] == {"results": []}


def test_columns_are_those_of_the_vendors_metadata(desk: ExactDesk, shared_data: Path) -> None:
    tree = ET.parse(shared_data / "erp" / "exact" / "metadata_cashflow.xml")
    receivable = next(one for one in tree.iter() if one.get("Name") == "Receivable")
    properties = {one.get("Name"): one for one in receivable if one.tag.endswith("}Property")}
    row = desk.get("cashflow/Receivables", filter="Status eq 20").json()["d"]["results"][0]
    assert set(row) - {"__metadata"} == set(properties)
    required = {name for name, one in properties.items() if one.get("Nullable") == "false"}
    assert not [name for name in required if row[str(name)] is None]
    assert row["__metadata"]["type"] == "Exact.Web.Api.Models.Cashflow.Receivable"


def test_me_has_the_recorded_shape(desk: ExactDesk, shared_data: Path) -> None:
    path = shared_data / "erp" / "exact" / "observed_wire_messages.json"
    answers = json.loads(path.read_text(encoding="utf-8"))["observed_answers"]
    example = next(one for one in answers if one["name"] == "current_me")["body"]["d"]["results"][0]
    found = desk.call("GET", "/api/v1/current/Me?$select=CurrentDivision").json()["d"]["results"][0]
    assert set(found) == set(example)
    assert found["__metadata"]["type"] == example["__metadata"]["type"]


@pytest.mark.parametrize(
    ("path", "query", "refusal"),
    [
        ("crm/Accounts", {}, "A GET request for this endpoint must have a $filter parameter with one of"),
        (
            "crm/Accounts",
            {"filter": "Modified gt datetime'2026-01-01T00:00:00'"},
            "must have a $filter parameter",
        ),
        ("crm/Accounts", {"filter": "Fantasy eq 1"}, "No property 'Fantasy' exists in type"),
        ("crm/Accounts", {"filter": "ID eq guid''"}, "Unrecognized 'Edm.Guid' literal 'guid'''' in"),
        ("crm/Accounts", {"filter": "Status eq 'C"}, "Syntax error"),
        ("crm/Accounts", {"filter": "Status eq 5"}, "incompatible with operand types"),
        ("crm/Accounts", {"filter": "Status eq 'C'", "select": "ID,Fantasy"}, "No property 'Fantasy'"),
        ("crm/Accounts", {"filter": "Status eq 'C'", "fantasy": "1"}, "'$fantasy' is not supported"),
        ("bulk/Cashflow/Receivables", {"filter": "Status eq 20"}, "$select parameter is mandatory"),
        ("sync/Cashflow/PaymentTerms", {"filter": "Status eq 20"}, "Only the field Timestamp"),
        ("sync/Cashflow/PaymentTerms", {"filter": "Timestamp gt 1", "select": "*"}, "'*' is not allowed"),
    ],
)
def test_what_the_vendor_refuses(desk: ExactDesk, path: str, query: dict[str, str], refusal: str) -> None:
    assert refusal.replace("''''", "'''") in words(desk.get(path, **query))


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("trim(Code) eq '25'", 1),
        ("Code eq '                25'", 1),
        ("Code eq '25'", 0),
        ("Status eq 'C' and (Name eq 'Klant 3' or Name eq 'Klant 4')", 2),
        ("not (Country eq 'BE') and Status eq 'C'", 0),
        ("substringof('ant 2', Name)", 11),
        ("startswith(Name, 'Klant 2') eq true", 11),
        ("Status ne null and Name gt 'Klant 7'", 2),
        ("ChamberOfCommerce eq null and Blocked eq false", 30),
    ],
)
def test_filters_mean_what_they_say(desk: ExactDesk, condition: str, count: int) -> None:
    assert len(desk.get("crm/Accounts", filter=condition, select="ID").json()["d"]["results"]) == count


def test_sorting_and_paging_agree(desk: ExactDesk) -> None:
    rows, pages = desk.all(
        "cashflow/Receivables", filter="Status eq 20", select="AmountFC,ID", orderby="AmountFC desc"
    )
    amounts = [row["AmountFC"] for row in rows]
    assert len(pages) > 2
    assert amounts == sorted(amounts, reverse=True)
    assert len({row["ID"] for row in rows}) == len(rows)


def test_a_partial_payment_lowers_the_term_and_leaves_a_matched_one(
    twin: RunningTwin, desk: ExactDesk
) -> None:
    number = post(twin, "9001", "1000.00")
    before = terms(desk, number)[0]
    twin.control("pay", {"number": number, "amount": "300.10"})
    still_open, matched = terms(desk, number)
    assert (still_open["ID"], still_open["AmountFC"], still_open["Status"]) == (before["ID"], 699.9, 20)
    assert (matched["AmountFC"], matched["Status"], matched["IsFullyPaid"]) == (300.1, 50, True)
    assert matched["EndDate"] == "/Date(1781481600000)/"
    assert still_open["EntryID"] != matched["EntryID"]
    assert still_open["TransactionAmountFC"] == matched["TransactionAmountFC"] == 1000


def test_a_changed_term_comes_back_with_a_higher_row_version(twin: RunningTwin, desk: ExactDesk) -> None:
    number = post(twin, "9002")
    rows, _ = desk.all("sync/Cashflow/PaymentTerms", filter="Timestamp gt 1", select="ID,Timestamp,YourRef")
    highest = max(int(row["Timestamp"]) for row in rows)
    twin.control("pay", {"number": number})
    changed, _ = desk.all(
        "sync/Cashflow/PaymentTerms", filter=f"Timestamp gt {highest}L", select="YourRef,Status"
    )
    assert [(row["YourRef"], row["Status"]) for row in changed] == [(number, 50)]
    outstanding, _ = desk.all("read/financial/ReceivablesList", filter=f"YourRef eq '{number}'")
    assert outstanding == []


def test_a_deleted_term_is_told_only_by_its_tombstone(twin: RunningTwin, desk: ExactDesk) -> None:
    number = post(twin, "9003")
    key = terms(desk, number)[0]["ID"]
    twin.control("delete", {"number": number})
    tombstones, _ = desk.all("sync/Deleted", filter="Timestamp gt 1")
    assert [(one["EntityKey"], one["EntityType"]) for one in tombstones] == [(key, 10)]
    assert terms(desk, number) == []


def test_instalments_share_the_invoice_and_have_their_own_dates(twin: RunningTwin, desk: ExactDesk) -> None:
    parts = [
        invoice(
            f"9004-{part}", "1", "100.00", kind="instalment", settles="9004", due_on=f"2026-0{part + 2}-01"
        )
        for part in (1, 2, 3)
    ]
    twin.control("load", {"items": parts})
    found, _ = desk.all("cashflow/Receivables", filter="InvoiceNumber eq 9004", orderby="DueDate")
    assert len({row["DueDate"] for row in found}) == len({row["EntryID"] for row in found}) == 3
    assert len({row["TransactionEntryID"] for row in found}) == 1


def test_a_cash_line_is_negative_without_your_ref_and_names_the_entry(
    twin: RunningTwin, desk: ExactDesk
) -> None:
    number = post(twin, "9005")
    money = invoice("M9005", "1", "-40.00", kind="payment", settles=number)
    twin.control("load", {"items": [money]})
    entry = terms(desk, number)[0]["EntryNumber"]
    lines, _ = desk.all("read/financial/ReceivablesList", filter=f"InvoiceNumber eq {entry}")
    assert [(line["Amount"], line["YourRef"]) for line in lines] == [(-40, None)]


def test_foreign_money_keeps_its_own_amount(twin: RunningTwin, desk: ExactDesk) -> None:
    row = terms(desk, post(twin, "9006", "12.345", currency="KWD"))[0]
    assert (row["AmountFC"], row["Currency"]) == (12.345, "KWD")
    rounded = (Decimal("12.345") * Decimal(str(row["RateFC"]))).quantize(Decimal("0.01"))
    assert Decimal(str(row["AmountDC"])) == rounded


def test_a_moved_division_begins_its_row_versions_anew(tmp_path: Path) -> None:
    running = start_twin("exact", tmp_path)
    try:
        running.control("load", {"customers": [customer("1")], "items": [invoice("1", "1")]})
        for _ in range(4):
            running.control("pay", {"number": "1", "amount": "1"})
        someone = ExactDesk.log_in(running)
        rows, _ = someone.all("sync/Cashflow/PaymentTerms", filter="Timestamp gt 1", select="Timestamp")
        old = max(int(row["Timestamp"]) for row in rows)
        running.control("move_division", {"division": "4133185"})
        assert (
            someone.get("sync/Cashflow/PaymentTerms", filter=f"Timestamp gt {old}").json()["d"]["results"]
            == []
        )
        again, _ = someone.all("sync/Cashflow/PaymentTerms", filter="Timestamp gt 1", select="Timestamp")
        assert len(again) == len(rows)
        assert someone.get("system/Divisions").json()["d"]["results"][0]["DivisionMoveDate"]
    finally:
        running.stop()


def test_the_pdf_comes_only_with_token_and_download(desk: ExactDesk) -> None:
    document = desk.get("documents/Documents", filter="SalesInvoiceNumber eq 5000").json()["d"]["results"][0]
    found = desk.get("documents/DocumentAttachments", filter=f"Document eq guid'{document['ID']}'").json()
    attachment = found["d"]["results"][0]
    content = desk.call("GET", attachment["Url"] + "&Download=1").content
    assert content.startswith(b"%PDF-")
    assert len(content) == attachment["FileSize"]
    page = requests.get(attachment["Url"] + "&Download=1", timeout=5)
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")


def test_notes_are_stored_and_strange_references_dropped(desk: ExactDesk) -> None:
    account = desk.get("crm/Accounts", filter="trim(Code) eq '1'").json()["d"]["results"][0]["ID"]
    note = {
        "Subject": "With collecthub",
        "Notes": "<b>x</b>",
        "Account": account,
        "Contact": "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
    }
    answer = desk.call("POST", "activities/CommunicationNotes", json=note)
    assert answer.status_code == 201
    stored = desk.get(f"activities/CommunicationNotes(guid'{answer.json()['d']['ID']}')").json()["d"]
    assert (stored["Subject"], stored["Account"], stored["Contact"], stored["Status"]) == (
        "With collecthub", account, None, 20,
    )  # fmt: skip
    assert desk.call("POST", "activities/CommunicationNotes", json={"Subjekt": "x"}).status_code == 400


def test_only_writable_fields_change(desk: ExactDesk) -> None:
    row = desk.get("crm/Accounts", filter="trim(Code) eq '2'").json()["d"]["results"][0]
    address = f"crm/Accounts(guid'{row['ID']}')"
    answer = desk.call("PUT", address, json={"Blocked": True, "Remarks": "in collection", "Name": "Other"})
    assert (answer.status_code, answer.content) == (204, b"")
    after = desk.get(address).json()["d"]
    assert (after["Blocked"], after["Remarks"], after["Name"]) == (True, "in collection", row["Name"])
    assert desk.call("DELETE", address).status_code == 405


def test_atom_is_the_answer_to_those_who_do_not_ask_for_json(desk: ExactDesk) -> None:
    answer = desk.call("GET", "read/financial/ReceivablesList?$select=Amount,YourRef", accept="*/*")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    entries = [one for one in ET.fromstring(answer.content) if one.tag.endswith("}entry")]
    assert len(entries) == 60


def test_a_webhook_is_validated_and_signed_over_its_raw_content(twin: RunningTwin, desk: ExactDesk) -> None:
    with callback() as (url, bodies):
        subscription = {"CallbackURL": url, "Topic": "FinancialTransactions"}
        created = desk.call("POST", "webhooks/WebhookSubscriptions", json=subscription)
        assert created.status_code == 201
        assert created.json()["d"]["ClientID"] is None
        assert desk.call("POST", "webhooks/WebhookSubscriptions", json=subscription).status_code == 400
        until(lambda: bool(twin.control("webhooks")["log"]))
        twin.control("webhooks", {"repeat": 2})
        twin.control("pay", {"number": post(twin, "9010"), "amount": "1"})
        until(lambda: len(bodies) >= 3)
    assert bodies[0] == b""
    assert bodies[1] == bodies[2]
    raw = bodies[1].removeprefix(b'{"Content":').partition(b',"HashCode":')[0]
    expected = hmac.new(WEBHOOK_SECRET.encode(), raw, hashlib.sha256).hexdigest().upper()
    assert json.loads(bodies[1])["HashCode"] == expected


def test_a_credit_note_is_matched_or_stands_alone(twin: RunningTwin, desk: ExactDesk) -> None:
    twin.control("credit", {"number": post(twin, "9007"), "credit_number": "9107", "amount": "400"})
    assert [(row["AmountFC"], row["Status"]) for row in terms(desk, "9007")] == [(600, 20), (400, 50)]
    twin.control("credit", {"number": "9007", "credit_number": "9108", "amount": "50", "allocated": False})
    lines, _ = desk.all("read/financial/ReceivablesList", filter="YourRef eq '9108' or YourRef eq '9007'")
    assert sorted(line["Amount"] for line in lines) == [-50, 600]


def test_a_payment_that_bounces_reopens_the_term(twin: RunningTwin, desk: ExactDesk) -> None:
    number = post(twin, "9008")
    before = terms(desk, number)[0]["ID"]
    twin.control("pay", {"number": number, "amount": "10"})
    twin.control("reopen", {"number": number})
    assert [(row["ID"], row["AmountFC"], row["Status"]) for row in terms(desk, number)] == [(before, 1000, 20)]
    twin.control("pay", {"number": number})
    twin.control("reopen", {"number": number})
    assert [(row["EndDate"], row["IsFullyPaid"]) for row in terms(desk, number)] == [(None, False)]


def test_a_page_link_can_lead_astray(twin: RunningTwin, desk: ExactDesk) -> None:
    twin.control("next_host", {"url": "http://127.0.0.1:9"})
    link = desk.get("read/financial/ReceivablesList").json()["d"]["__next"]
    twin.control("next_host", {"url": ""})
    assert link.startswith("http://127.0.0.1:9/api/v1/")


def test_an_item_cannot_be_loaded_twice(twin: RunningTwin, desk: ExactDesk) -> None:
    number = post(twin, "9009")
    with pytest.raises(PermanentError, match="UNIQUE"):
        post(twin, number)
    assert len(terms(desk, number)) == 1


def test_what_was_loaded_stands_in_the_books(tmp_path: Path) -> None:
    running = start_twin("exact", tmp_path)
    try:
        items = [invoice(str(number), str(number % 50)) for number in range(2000)]
        loaded = running.control(
            "load", {"customers": [customer(str(number)) for number in range(50)], "items": items}
        )
        assert loaded == {"customers": 50, "items": 2000}
        assert running.control("books")["totals"] == {"EUR": "2000000"}
    finally:
        running.stop()
