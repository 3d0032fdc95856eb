"""What Exact Online's twin says beyond amounts: lines, terms, notes and documents, also those that come late (X14)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from portal.town import PASSWORD
from portal.vendor_hub import VendorHub, open_vendor_hub

from collecthub.engine.clock import tick
from collecthub.model.case import Case
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from collecthub.store.erp_tables import wanted_papers
from collecthub.store.queries.case_file import CaseDetail, case_detail, documents
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role, Scope

TODAY = dt.date(2026, 6, 15)
FILES = "/docs/SysAttachment.aspx"
LOGIN_PAGE = {"path": FILES, "status": 200, "body": "<html>Log in</html>"}
PARTNER = Scope(role=Role.PARTNER, subject="user:p", partner_id="office")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[VendorHub]:
    with open_vendor_hub(tmp_path, TODAY) as found:
        yield found


def connected(place: VendorHub) -> str:
    connection_id = place.connect()
    place.consent(connection_id)
    place.work()
    return connection_id


def cases(place: VendorHub) -> dict[str, Case]:
    with place.hub.database.read() as conn:
        return {case.debtor.name: case for case in read_cases(conn, sa.true())}


def detail(place: VendorHub, name: str) -> CaseDetail:
    with place.hub.database.read() as conn:
        return case_detail(conn, LOCAL_OPERATOR, cases(place)[name].case_id)


def papers_of(place: VendorHub, name: str) -> list[str]:
    with place.hub.database.read() as conn:
        return [paper.name for paper in documents(conn, LOCAL_OPERATOR, cases(place)[name].case_id)]


def awaited(place: VendorHub) -> int:
    with place.hub.database.read() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(wanted_papers)) or 0


def later(place: VendorHub, **pause: float) -> None:
    """Time goes by, and the clock looks at what is due."""
    assert place.hub._day_offset is not None
    place.hub._day_offset += dt.timedelta(**pause)
    tick(place.hub)
    place.work()


def test_lines_terms_notes_and_bill_to_come_with_the_case(place: VendorHub) -> None:
    place.owe("1001", "C1", "121.00")
    place.owe("2001", "HQ", "1.00", due_on="2030-01-01")
    goods = {"Description": "Ten crates of beer", "Quantity": "10", "AmountFC": "100.00", "VATAmountFC": "21.00"}
    place.exact.control("lines", {"number": "1001", "lines": [goods]})
    payer = next(iter(place.exact.control("account", {"customer_ref": "HQ", "changes": {"Remarks": None}}).values()))
    changes = {
        "Remarks": "Asks for a copy each time", "InvoiceAccount": payer, "PaymentConditionSales": "45E",
        "Code": "C1".rjust(18),
    }  # fmt: skip
    place.exact.control("account", {"customer_ref": "C1", "changes": changes})
    connected(place)

    erp = detail(place, "Klant C1").erp
    (invoice,) = erp.invoices
    assert [(line.text, line.amount, line.tax_amount) for line in invoice.lines if "beer" in line.text] == [
        ("Ten crates of beer", Decimal("100.00"), Decimal("21.00"))
    ]
    assert erp.payment_terms == "45 days, end of month"
    account = erp.account
    assert account and account.customer_number == "C1"
    assert account.notes == ("Asks for a copy each time",)
    assert account.bill_to is not None and account.bill_to.name == "Klant HQ"


def test_the_portal_and_the_api_show_them_and_a_partner_gets_no_notes(place: VendorHub) -> None:
    place.owe("1001", "C1", "121.00")
    goods = {"Description": "Crates <beer>", "Quantity": "2", "AmountFC": "100.00", "VATAmountFC": "21.00"}
    place.exact.control("lines", {"number": "1001", "lines": [goods]})
    place.exact.control("account", {"customer_ref": "C1", "changes": {"Remarks": "Pays on Fridays"}})
    connected(place)
    case = cases(place)["Klant C1"]

    browser = requests.Session()
    browser.post(f"{place.url}/login", data={"email": "kroon@town.example", "password": PASSWORD}, timeout=30)
    page = browser.get(f"{place.url}/cases/{case.case_id}", timeout=30)
    assert "Crates &lt;beer&gt;" in page.text and "Pays on Fridays" in page.text
    with place.hub.database.write() as conn:
        conn.execute(sa.update(t.cases).values(partner_id="office", status="sent"))
    with place.hub.database.read() as conn:
        seen = case_detail(conn, PARTNER, case.case_id)
    assert seen.erp.invoices[0].lines[-1].text == "Crates <beer>"
    assert not seen.erp.account and "Fridays" not in json.dumps(str(seen))


def test_x14_a_document_that_was_a_login_page_comes_later(place: VendorHub) -> None:
    place.owe("1001", "C1", "100.00")
    place.exact.control("faults", {**LOGIN_PAGE, "times": 2})
    connected(place)
    assert papers_of(place, "Klant C1") == [] and awaited(place) == 1
    assert detail(place, "Klant C1").erp.invoices[0].is_document_awaited

    later(place, minutes=30)
    assert place.exact.control("faults", {"path": "/nothing"})["pending"] == 2  # it was not asked again yet
    later(place, hours=1)
    assert papers_of(place, "Klant C1") == [] and awaited(place) == 1
    later(place, hours=7)
    assert papers_of(place, "Klant C1") == ["1001.pdf"] and awaited(place) == 0
    assert [event for event in detail(place, "Klant C1").erp.invoices if event.is_document_awaited] == []


def test_x14_asking_for_a_document_ends_after_two_weeks(place: VendorHub) -> None:
    place.owe("1001", "C1", "100.00")
    place.exact.control("faults", {**LOGIN_PAGE, "times": 50})
    connected(place)
    for _ in range(6):
        assert awaited(place) == 1
        later(place, days=8)
    assert papers_of(place, "Klant C1") == [] and awaited(place) == 0


def test_an_invoice_that_joins_an_open_case_brings_its_papers(place: VendorHub) -> None:
    place.owe("1001", "C1", "100.00")
    connection_id = connected(place)
    place.owe("1002", "C1", "55.00")
    goods = {"Description": "Delivery", "Quantity": "1", "AmountFC": "55.00", "VATAmountFC": "0.00"}
    place.exact.control("lines", {"number": "1002", "lines": [goods]})
    place.pull(connection_id)
    assert papers_of(place, "Klant C1") == ["1001.pdf", "1002.pdf"]
    assert [line.text for one in detail(place, "Klant C1").erp.invoices for line in one.lines] == ["Delivery 1001", "Delivery"]
    assert awaited(place) == 0


def test_x11_a_moved_division_is_read_anew_without_a_trace_in_the_case(place: VendorHub) -> None:
    place.owe("1001", "C1", "100.00")
    place.owe("1002", "C2", "40.00")
    connection_id = connected(place)
    before = cases(place)
    place.exact.control("move_division", {})
    place.pull(connection_id)
    assert cases(place) == before
    with place.hub.database.read() as conn:
        rows = conn.scalars(sa.select(t.runs.c.rows).order_by(t.runs.c.started_at)).all()
        assert rows == [2, 2]  # everything came again
        assert conn.scalar(sa.select(sa.func.count()).select_from(t.invoices)) == 2


def test_what_the_erp_anonymised_is_removed_with_notes_and_payer(place: VendorHub) -> None:
    place.owe("1001", "C1", "100.00")
    place.exact.control("account", {"customer_ref": "C1", "changes": {"Remarks": "Lives above the shop"}})
    connection_id = connected(place)
    account = detail(place, "Klant C1").erp.account
    assert account and account.notes == ("Lives above the shop",)
    place.exact.control("account", {"customer_ref": "C1", "changes": {"IsAnonymised": 1, "Email": None}})
    place.pull(connection_id)
    account = detail(place, "Klant C1").erp.account
    assert account and account.notes == ()


def test_a_case_of_many_invoices_gets_the_rest_of_its_papers_later(place: VendorHub) -> None:
    for number in range(13):
        place.owe(f"{2000 + number}", "C1", "100.00")
    connected(place)
    assert len(papers_of(place, "Klant C1")) == 10 and awaited(place) == 3
    later(place, hours=2)
    assert len(papers_of(place, "Klant C1")) == 13 and awaited(place) == 0
