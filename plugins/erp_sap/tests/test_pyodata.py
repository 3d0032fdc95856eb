"""An independent reader, SAP's own pyodata in strict mode, sees the same rows in the twin as the connector does."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyodata
import pytest
import requests
from pyodata.v2.model import Config, PolicyFatal
from sandbox.case_reports import SENT, report

from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub_erp_sap.cube import SELECT, read_page
from collecthub_erp_sap.mapping import COLUMNS, KEY, CubeRow, calendar_day

ROOT = "/sap/opu/odata/sap/"
CUBE, PARTNER, BILLING = "API_OPLACCTGDOCITEMCUBE_SRV", "API_BUSINESS_PARTNER", "API_BILLING_DOCUMENT_SRV"
OPEN = "FinancialAccountType eq 'D' and IsCleared eq false"
LOGON = ("COLLECTHUB", "sandbox-password")


@pytest.fixture(scope="module", params=["published", "built-in"])
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    """The twin with the vendor's own interface descriptions, all 270 columns of the cube among them, or with its own."""
    shared: Path | None = request.getfixturevalue("shared_data") if request.param == "published" else None
    running = start_twin("sap", tmp_path_factory.mktemp("published"), shared=shared)
    running.control("clock", {"now": "2026-06-15T20:00:00+00:00", "frozen": True})
    yield running
    running.stop()


@pytest.fixture
def strict(published: RunningTwin, ledger: Any) -> Any:
    """A ledger in that twin. `ledger` gives it a company of its own."""
    return type(ledger)(published, ledger.company)


@pytest.fixture
def desk(published: RunningTwin) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.auth = LOGON
        session.trust_env = False
        yield session


def service(twin: RunningTwin, desk: requests.Session, name: str) -> Any:
    """A pyodata client that refuses whatever in the metadata or the rows is not as described."""
    config = Config(default_error_policy=PolicyFatal(), retain_null=True)
    return pyodata.Client(f"{twin.url}{ROOT}{name}/", desk, config=config)


def varied(ledger: Any) -> None:
    """Every kind of line that a ledger knows, open and cleared."""
    ledger.load(["plain", "partial", "residual", "credited", "reversed", "paid"])
    ledger.load_instalments(3)
    ledger.load(["kwd"], currency="KWD", amount="12.345")
    ledger.load(["jpy"], currency="JPY", amount="98000")
    ledger.load(["old"], issue_on="1969-06-15", due_on="1969-12-31")
    ledger.do("pay", "partial", amount="300.00")
    ledger.do("pay", "residual", amount="600.00", mode="residual")
    ledger.do("credit", "credited", credit_number=ledger.number("c"))
    ledger.do("reverse", "reversed")
    ledger.do("pay", "paid")
    ledger.do("block", "plain", reason="D")


def as_read(value: Any) -> Any:
    """A value of ours or of pyodata in one form: days as days, amounts as numbers."""
    if isinstance(value, dt.datetime):
        return value.date()
    return value


def ours(row: CubeRow) -> dict[str, Any]:
    values = dict(zip(COLUMNS, (getattr(row, name) for name in row.__struct_fields__), strict=True))
    days = {name: calendar_day(values[name]) for name in ("DocumentDate", "NetDueDate", "LastDunningDate")}
    return {**values, **days, "AmountInTransactionCurrency": Decimal(row.amount)}


def theirs(entity: Any) -> dict[str, Any]:
    values = {name: as_read(getattr(entity, name)) for name in COLUMNS}
    return {**values, "AmountInTransactionCurrency": Decimal(values["AmountInTransactionCurrency"])}


def test_pyodata_and_the_connector_read_the_same_lines(strict: Any, desk: requests.Session) -> None:
    varied(strict)
    condition = f"CompanyCode eq '{strict.company}' and FinancialAccountType eq 'D'"
    items = service(strict.twin, desk, CUBE).entity_sets.A_OperationalAcctgDocItemCube
    request = items.get_entities().filter(condition).select(SELECT).order_by(",".join(KEY))
    expected = [theirs(entity) for entity in request.execute()]
    url = f"{strict.twin.url}{ROOT}{CUBE}/A_OperationalAcctgDocItemCube"
    options = {"$filter": condition, "$select": SELECT, "$orderby": ",".join(KEY), "$format": "json"}
    rows = read_page(desk.get(url, params=options, timeout=5).content).rows
    assert [ours(row) for row in rows] == expected
    assert len(expected) == items.get_entities().filter(condition).count().execute() > 15


def test_a_pull_is_what_pyodata_counts_and_adds_up(strict: Any, desk: requests.Session) -> None:
    varied(strict)
    (page,) = strict.connector().pull("")
    items = service(strict.twin, desk, CUBE).entity_sets.A_OperationalAcctgDocItemCube
    request = items.get_entities().filter(f"CompanyCode eq '{strict.company}' and {OPEN}")
    sums: dict[str, Decimal] = {}
    found = {}
    for entity in request.execute():
        currency = entity.TransactionCurrency
        sums[currency] = sums.get(currency, Decimal(0)) + Decimal(entity.AmountInTransactionCurrency)
        found["/".join(getattr(entity, name) for name in KEY)] = (entity.Customer, entity.NetDueDate.date())
    assert {row.item_ref: (row.debtor_ref, row.due_on) for row in page.rows} == found
    assert {one.currency: one.amount for one in page.control or ()} == sums
    assert {str(row.due_on) for row in page.rows} >= {"1969-12-31"}  # a negative /Date()/


def test_the_customer_is_the_one_that_pyodata_finds(strict: Any, desk: requests.Session) -> None:
    strict.load(["a"])
    partners = service(strict.twin, desk, PARTNER).entity_sets.A_BusinessPartner
    (partner,) = partners.get_entities().filter(f"Customer eq '{strict.customer}'").execute()
    (record,) = strict.connector().debtors([strict.customer])
    assert record.party.name == partner.BusinessPartnerFullName
    assert record.party.language == partner.CorrespondenceLanguage.lower()


def test_a_block_that_pyodata_writes_is_a_persons_and_the_token_needs_its_cookies(
    strict: Any, desk: requests.Session
) -> None:
    strict.load(["a"])
    key = {"Customer": strict.customer, "CompanyCode": strict.company, "DunningArea": ""}
    fetched = desk.get(f"{strict.twin.url}{ROOT}{PARTNER}/", headers={"x-csrf-token": "Fetch"}, timeout=5)
    token = {"x-csrf-token": fetched.headers["x-csrf-token"], "If-Match": "*"}
    update = service(strict.twin, desk, PARTNER).entity_sets.A_CustomerDunning.update_entity(**key)
    update.set(DunningBlock="D")
    update.add_headers(token)
    cookies, desk.cookies = desk.cookies, requests.cookies.RequestsCookieJar()
    with pytest.raises(pyodata.exceptions.HttpError) as told:
        update.execute()
    assert told.value.response.status_code == 403
    desk.cookies = cookies
    update.execute()
    receipt = strict.connector().report(report(SENT, strict.customer, (f"{strict.company}/2026/1800000001/001",)))
    assert "D, set by the creditor, was left" in receipt.detail
    dunning = service(strict.twin, desk, PARTNER).entity_sets.A_CustomerDunning.get_entity(**key).execute()
    assert dunning.DunningBlock == "D"


@pytest.mark.parametrize("published", ["published"], indirect=True)
def test_the_pdf_that_pyodata_calls_for_is_the_one_we_attach(strict: Any, desk: requests.Session) -> None:
    strict.load(["a"])
    ((row,),) = (page.rows for page in strict.connector().pull(""))
    billing = service(strict.twin, desk, BILLING)
    answer = billing.functions.GetPDF.parameter("BillingDocument", row.document_ref).execute()
    (document,) = strict.connector().documents([row.item_ref])
    assert base64.b64decode(answer["GetPDF"]["BillingDocumentBinary"]) == document.content


@pytest.mark.parametrize("name", [CUBE, PARTNER, BILLING])
def test_an_unknown_property_is_refused_whoever_asks(published: RunningTwin, desk: requests.Session, name: str) -> None:
    entity_sets = {CUBE: "A_OperationalAcctgDocItemCube", PARTNER: "A_Customer", BILLING: "A_BillingDocument"}
    items = getattr(service(published, desk, name).entity_sets, entity_sets[name])
    with pytest.raises(pyodata.exceptions.HttpError) as told:
        items.get_entities().filter("Kunde eq 'x'").execute()
    assert "Property 'Kunde' not found in type" in told.value.response.text
