"""The webhook as the creditor's side sees it: signed, repeatable, thin, and its answers understood."""

from __future__ import annotations

import datetime as dt
import json
import socket
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from collecthub.errors import ConfigurationError, PermanentError, RetryableError
from collecthub.model.case import Case
from collecthub.model.event import CaseEvent, PaymentReported
from collecthub.model.ledger import Balance
from collecthub.model.party import Address, Contact, Party
from collecthub.ports import CaseReport, CaseReporter, Checkable
from collecthub.sandbox.twin import start_twin
from collecthub_creditor_webhook.connector import CreditorWebhookConnector
from collecthub_creditor_webhook.settings import CreditorWebhookSettings

MOMENT = dt.datetime(2026, 6, 15, 8, 30, tzinfo=dt.UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Connect = Callable[..., CreditorWebhookConnector]


@pytest.fixture
def report() -> CaseReport:
    """A payment that a partner reported on a debtor with an address and a phone."""
    debtor = Party(
        name="Ελένη Παπαδοπούλου <script>",
        address=Address(lines=("Secret Street 1",), city="Athína"),
        contacts=(Contact(email="eleni@example.gr", phone="+30 210 000000"),),
    )
    case = Case(
        case_id="c1", number="2026-000001", creditor_id="cr1", connection_id="conn1", debtor_ref="D-7",
        debtor=debtor, currency="EUR", segment="B2C", balance=Balance(currency="EUR", principal=Decimal("150.00"),
        payments=Decimal("30.00")), opened_at=MOMENT, changed_at=MOMENT, version=4,
    )  # fmt: skip
    fact = PaymentReported(payment_ref="P-1", amount=Decimal("30.00"), received_on=MOMENT.date())
    event = CaseEvent(
        case_id="c1", seq=4, occurred_at=MOMENT, recorded_at=MOMENT, actor="partner:x", fact=fact, previous_hash="0"
    )
    return CaseReport(
        report_id="r-1", case=case, event=event, text="The debtor paid 30.00 EUR.", debtor_ref="D-7", item_refs=("I-1",)
    )


def test_it_reports_and_can_be_checked(connect: Connect, endpoint) -> None:
    connector = connect(endpoint.url)
    assert isinstance(connector, CaseReporter) and isinstance(connector, Checkable)


def test_a_report_is_signed_and_says_what_happened(connect: Connect, endpoint, report: CaseReport) -> None:
    receipt = connect(endpoint.url).report(report)
    assert receipt.reference == "r-1"
    assert endpoint.ids == ["r-1"]
    (event,) = endpoint.events
    assert (event["id"], event["type"]) == ("r-1", "case.payment_reported")
    assert event["data"]["balance"] == "120.00" and event["data"]["currency"] == "EUR"
    assert event["data"]["event"] == {"amount": "30.00", "payment_ref": "P-1", "received_on": "2026-06-15"}


def test_of_the_debtor_only_the_name_is_told(connect: Connect, endpoint, report: CaseReport) -> None:
    connect(endpoint.url).report(report)
    text = endpoint.bodies[0].decode()
    assert json.loads(text)["data"]["debtor_name"] == report.case.debtor.name
    for secret in ("Secret Street", "Athína", "eleni@", "+30"):
        assert secret not in text


def test_a_repetition_has_the_same_id_and_bytes(connect: Connect, endpoint, report: CaseReport) -> None:
    endpoint.drop_next = True
    connector = connect(endpoint.url)
    with pytest.raises(RetryableError):
        connector.report(report)
    connect(endpoint.url).report(report)
    assert endpoint.ids == ["r-1", "r-1"]
    assert endpoint.bodies[0] == endpoint.bodies[1]


@pytest.mark.parametrize(
    ("status", "headers", "error", "after"),
    [
        (410, {}, PermanentError, None),
        (302, {"Location": "http://127.0.0.1:9/"}, ConfigurationError, None),
        (429, {"Retry-After": "120"}, RetryableError, 120.0),
        (503, {"Retry-After": "7"}, RetryableError, 7.0),
        (500, {}, RetryableError, None),
        (404, {}, RetryableError, None),
    ],
)
def test_an_answer_that_is_no_success(
    connect: Connect, endpoint, report: CaseReport, status: int, headers: dict[str, str], error: type, after: float | None
) -> None:
    endpoint.answers = [(status, headers, b"no")]
    with pytest.raises(error) as caught:
        connect(endpoint.url).report(report)
    assert str(status) in caught.value.message
    assert getattr(caught.value, "retry_after_seconds", None) == after
    assert len(endpoint.bodies) == 1, "a redirect is never followed"


def test_an_endpoint_that_is_gone_says_disabled(connect: Connect, endpoint, report: CaseReport) -> None:
    endpoint.answers = [(410, {}, b"")]
    with pytest.raises(PermanentError, match="^disabled"):
        connect(endpoint.url).report(report)


def test_a_flood_for_an_answer_is_cut_off(connect: Connect, endpoint, report: CaseReport) -> None:
    endpoint.answers = [(200, {}, b"x" * 200_000)]
    with pytest.raises(RetryableError, match="64000 bytes"):
        connect(endpoint.url).report(report)


def test_nobody_there_is_tried_again(connect: Connect, report: CaseReport) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with pytest.raises(RetryableError):
        connect(url).report(report)


def test_only_chosen_events_are_told(connect: Connect, endpoint) -> None:
    connector = connect(endpoint.url, events=("case_closed",))
    assert connector.wants("case_closed") and not connector.wants("payment_reported")
    assert connect(endpoint.url).wants("payment_reported") and not connect(endpoint.url).wants("note_added")


def test_the_check_posts_a_test_message(connect: Connect, endpoint) -> None:
    (step,) = connect(endpoint.url).check()
    assert step.is_ok
    assert endpoint.events[0]["type"] == "test.ping" and endpoint.events[0]["data"] == {}
    endpoint.answers = [(404, {}, b"")]
    (step,) = connect(endpoint.url).check()
    assert not step.is_ok and "404" in step.detail and step.cure


@pytest.mark.parametrize("url", ["http://erp.example/hook", "https://user:pw@erp.example/", "ftp://erp.example/", "x", "https://erp.example:22/"])
def test_an_unsafe_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        CreditorWebhookSettings(url=url, secret="whsec_x")


def test_the_creditors_own_system_keeps_it_once(connect: Connect, report: CaseReport, tmp_path: Path) -> None:
    """Against the creditor twin, which checks signatures by its own code."""
    twin = start_twin("creditor", tmp_path)
    try:
        twin.control("secret", {"secret": SECRET})
        connector = connect(twin.url + twin.facts["hook_path"])
        for _ in range(2):
            connector.report(report)
        books = twin.control("books")
    finally:
        twin.kill()
    assert books["refused"] == []
    ((webhook_id, copies),) = [(one["webhook_id"], one["copies"]) for one in books["deliveries"]]
    assert (webhook_id, copies) == ("r-1", 1)
