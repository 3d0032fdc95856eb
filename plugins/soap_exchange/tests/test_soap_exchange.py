"""The SOAP connector against an office that takes the published WSDL at its word."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from collecthub.errors import (
    ConfigurationError,
    InDoubtError,
    PermanentError,
    QuarantineError,
    RetryableError,
)
from collecthub.model.exchange import CaseAcknowledgement, Exchange
from collecthub.ports import (
    Checkable,
    DeliveryState,
    Dispatcher,
    PartnerBooks,
    RawMessage,
    StatusSource,
    Verdict,
)
from collecthub.testing.fakes import ListJournal
from collecthub.wire.crypto import generate_identity
from collecthub_soap_exchange.settings import SoapExchangeSettings

Make = Callable[..., Exchange]
SOAP = "/exchange/v1/soap"
NAMESPACE = "urn:collecthub:case-exchange:1.0"


def received(lawyer) -> tuple[int, int, int]:
    """(exchanges, cases, repeated exchanges) by the office's own books."""
    books = lawyer.books()
    return books["exchanges_in"], len(books["cases"]), books["duplicates"]["exchanges"]


def work(lawyer, connector, exchange: Exchange, days: int = 8) -> None:
    connector.deliver(connector.prepare(exchange), ListJournal())
    lawyer.work(days)


# --- sending --------------------------------------------------------------------------------------


def test_the_connector_stands_at_every_door_it_claims(connect) -> None:
    connector = connect()
    for port in (Dispatcher, StatusSource, PartnerBooks, Checkable):
        assert isinstance(connector, port)
    assert connector.batch_limit == 1


def test_an_exchange_arrives_and_its_answers_come_with_the_receipt(connect, lawyer, exchange: Make) -> None:
    connector, journal, sent = connect(), ListJournal(), exchange(3)
    envelope = connector.prepare(sent)
    receipt = connector.deliver(envelope, journal)
    assert journal.marks == ["calling"]
    assert receipt.reference == envelope.envelope_id == sent.exchange_id
    assert receipt.replies is not None and not receipt.replies.faults
    answered = {reply.in_reply_to for reply in receipt.replies.messages if isinstance(reply, CaseAcknowledgement)}
    assert answered == set(envelope.message_ids)
    assert etree.QName(etree.fromstring(receipt.raw_reply)).localname == "Exchange"
    books = lawyer.books()
    assert received(lawyer) == (1, 3, 0) and books["refused"] == []
    assert {one["principal"] for one in books["cases"]} == {"120.50"}


def test_the_same_exchange_again_changes_nothing(connect, lawyer, exchange: Make) -> None:
    envelope = connect().prepare(exchange())
    first = connect().deliver(envelope, ListJournal())
    second = connect().deliver(envelope, ListJournal())
    assert (first.detail, second.detail) == ("taken", "was there already")
    assert received(lawyer) == (1, 1, 1)


def test_another_content_under_a_used_id_is_for_a_person(connect, lawyer, exchange: Make) -> None:
    connector = connect()
    envelope = connector.prepare(exchange())
    connector.deliver(envelope, ListJournal())
    changed = msgspec.structs.replace(envelope, payload=envelope.payload.replace(b"120.50", b"920.50"))
    with pytest.raises(PermanentError, match="changed"):
        connector.deliver(changed, ListJournal())
    assert received(lawyer)[:2] == (1, 1)


def test_a_reply_lost_after_the_work_is_settled_by_asking(connect, lawyer, exchange: Make) -> None:
    connector = connect()
    envelope = connector.prepare(exchange())
    lawyer.control("faults", path=SOAP, drop_after_bytes=100)
    with pytest.raises(InDoubtError):
        connector.deliver(envelope, ListJournal())
    assert connector.probe(envelope, "calling") is DeliveryState.ARRIVED
    assert connector.deliver(envelope, ListJournal()).detail == "was there already"
    assert received(lawyer) == (1, 1, 1)


FOREIGN = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    f'<s:SubmitExchangeResponse xmlns:s="{NAMESPACE}:service"><s:ExchangeId>foreign</s:ExchangeId>'
    "<s:Duplicate>false</s:Duplicate></s:SubmitExchangeResponse></e:Body></e:Envelope>"
)
SERVER_FAULT = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
    "<faultcode>e:Server</faultcode><faultstring>out of memory</faultstring></e:Fault></e:Body></e:Envelope>"
)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": "<html>welcome</html>"},
        {"status": 200, "body": FOREIGN},
        {"status": 500, "body": SERVER_FAULT},
        {"status": 500, "body": "oops"},
        {"status": 202, "body": ""},
    ],
    ids=["html", "foreign", "server fault", "text", "empty"],
)
def test_an_answer_that_proves_nothing_is_in_doubt(connect, lawyer, exchange: Make, fault: dict) -> None:
    connector = connect()
    envelope = connector.prepare(exchange())
    lawyer.control("faults", path=SOAP, **fault)
    with pytest.raises(InDoubtError):
        connector.deliver(envelope, ListJournal())
    assert connector.probe(envelope, "calling") is DeliveryState.NOT_ARRIVED
    assert connector.deliver(envelope, ListJournal()).detail == "taken"


@pytest.mark.chaos
def test_a_closed_office_is_tried_again_later(connect, lawyer, exchange: Make) -> None:
    connector = connect()
    envelope = connector.prepare(exchange())
    lawyer.control("down", seconds=30)
    with pytest.raises(RetryableError):
        connector.deliver(envelope, ListJournal())
    with pytest.raises(RetryableError):
        connector.probe(envelope, "calling")
    lawyer.control("down", seconds=0)
    assert received(lawyer) == (0, 0, 0)
    lawyer.twin.kill()
    with pytest.raises(RetryableError):
        connector.deliver(envelope, ListJournal())


class DyingJournal(ListJournal):
    """Dies as a killed process would, right after the note is durable."""

    def mark(self, intent: str) -> None:
        super().mark(intent)
        raise KeyboardInterrupt


def test_a_crash_between_intent_and_call_sends_once(connect, lawyer, exchange: Make) -> None:
    envelope, journal = connect().prepare(exchange()), DyingJournal()
    with pytest.raises(KeyboardInterrupt):
        connect().deliver(envelope, journal)
    after = connect()
    assert after.probe(envelope, "") is DeliveryState.NOT_ARRIVED
    assert after.probe(envelope, journal.marks[-1]) is DeliveryState.NOT_ARRIVED
    after.deliver(envelope, ListJournal())
    assert after.probe(envelope, "calling") is DeliveryState.ARRIVED
    assert received(lawyer) == (1, 1, 0)


def test_a_withdrawn_sending_never_leaves(connect, lawyer, exchange: Make) -> None:
    connector = connect()
    with pytest.raises(PermanentError, match="withdrawn"):
        connector.deliver(connector.prepare(exchange()), ListJournal(withdrawn=True))
    assert received(lawyer) == (0, 0, 0)


# --- hearing back ---------------------------------------------------------------------------------


def test_what_waits_is_read_to_its_end_and_on_from_any_place(connect, lawyer, exchange: Make) -> None:
    connector = connect()
    for start in range(1, 4):
        work(lawyer, connector, exchange(10, start * 10))
    fetched = list(connector.fetch(""))
    assert len(fetched) > 3
    decoded = [connector.decode(raw) for raw, _ in fetched]
    assert all(one.messages and not one.faults for one in decoded)
    assert [raw.remote_ref for raw, _ in fetched] == [one.exchange_id for one in decoded]
    assert len({one.exchange_id for one in decoded}) == len(fetched)
    for place, (_, checkpoint) in enumerate(fetched):
        assert list(connector.fetch(checkpoint)) == fetched[place + 1 :]


def test_a_verdict_reaches_the_office_and_may_be_repeated(connect, lawyer, exchange: Make) -> None:
    connector = connect()
    work(lawyer, connector, exchange(10))
    raw, _ = next(connector.fetch(""))
    for _ in range(2):
        connector.acknowledge(raw, Verdict(is_accepted=False, code="status.unknown", reason="code “X9” is not known"))
    told = [one["verdict"] for one in lawyer.books()["sent"] if one["exchange_id"] == raw.remote_ref]
    assert [json.loads(one) for one in told] == [
        {"accepted": False, "code": "status.unknown", "reason": "code “X9” is not known"}
    ]
    connector.acknowledge(raw, Verdict(is_accepted=False, code="a long word " * 20, reason="\x00" + "x" * 20_000))
    connector.acknowledge(raw, Verdict(is_accepted=True))
    assert lawyer.books()["refused"] == []


def test_a_broken_reply_is_asked_for_again(connect, lawyer, exchange: Make) -> None:
    connector = connect()
    work(lawyer, connector, exchange(10))
    for body in ("<html>", "<!DOCTYPE e><e/>", FOREIGN):
        lawyer.control("faults", path=SOAP, status=200, body=body)
        with pytest.raises(RetryableError):
            list(connector.fetch(""))
    assert list(connector.fetch(""))


def test_an_exchange_for_somebody_else_is_not_read(connect, exchange: Make) -> None:
    connector = connect()
    mine = connector.prepare(exchange()).payload  # from the hub to the office: the wrong way round
    astray = mine.replace(b">collecthub</SenderRef>", b">lawyer</SenderRef>")
    for content, code in ((mine, "exchange.sender"), (astray, "exchange.receiver"), (b"<x", "xml.malformed")):
        with pytest.raises(QuarantineError) as caught:
            connector.decode(RawMessage(remote_ref="x", media_type="application/xml", content=content))
        expected = code if content != astray else "exchange.receiver"
        assert caught.value.code == expected


def test_the_books_are_the_offices_own(connect, lawyer, exchange: Make) -> None:
    connector, sent = connect(), exchange(20)
    work(lawyer, connector, sent, days=20)
    mine = {message.case_id for message in sent.messages}
    lines = {line.case_id: line for line in connector.accounts() if line.case_id in mine}
    books = {one["case_id"]: one for one in lawyer.books()["cases"] if one["case_id"] in lines}
    assert len(lines) == len(books) > 10
    assert {key: line.paid for key, line in lines.items()} == {key: Decimal(one["paid"]) for key, one in books.items()}
    assert any(line.paid for line in lines.values())


# --- settings and check ---------------------------------------------------------------------------


def test_a_wrong_password_is_a_wrong_setting(connect, exchange: Make) -> None:
    connector = connect(password="wrong")
    with pytest.raises(ConfigurationError):
        connector.deliver(connector.prepare(exchange()), ListJournal())


@pytest.mark.chaos
def test_the_check_says_which_step_fails(connect, lawyer, tmp_path: Path) -> None:
    assert [(step.name, step.is_ok) for step in connect().check()] == [
        ("contract", True), ("reach", True), ("login", True), ("test call", True)
    ]  # fmt: skip
    failed = connect(password="wrong").check()[-1]
    assert (failed.name, failed.is_ok) == ("login", False)
    failed = connect(wsdl=str(tmp_path / "none.wsdl")).check()[-1]
    assert (failed.name, failed.is_ok) == ("contract", False)
    lawyer.twin.kill()
    failed = connect().check()[-1]
    assert (failed.name, failed.is_ok) == ("reach", False) and failed.cure


def test_an_unsafe_address_is_refused() -> None:
    for endpoint in ("http://office.example/soap", "https://user:pw@office.example/", "office.example"):
        with pytest.raises(ValueError, match="endpoint"):
            SoapExchangeSettings(endpoint=endpoint, username="hub", password="x")


@pytest.mark.chaos
@pytest.mark.parametrize("lawyer", [{"mischief": "1"}], indirect=True)
def test_what_the_office_spoils_is_named_and_its_neighbours_come_through(connect, lawyer, exchange: Make) -> None:
    connector = connect()
    for start in (1, 100):
        work(lawyer, connector, exchange(30, start), days=15)
    broken, fetched = 0, {}
    while not fetched or broken < 2:
        try:
            fetched = {raw.remote_ref: connector.decode(raw) for raw, _ in connector.fetch("")}
        except RetryableError:
            broken += 1
    spoilt = {one["kind"]: one["exchange_id"] for one in lawyer.books()["mischief"]}
    assert broken == 2 and {"truncated", "doctype"} <= spoilt.keys()
    assert {name for name, decoded in fetched.items() if decoded.faults} == {spoilt["impossible_date"]}
    assert len(fetched[spoilt["impossible_date"]].messages) >= 1


def test_signed_calls_are_taken_and_an_unsigned_answer_is_not(connect, lawyer, exchange: Make) -> None:
    """The twin reads the user name of a signed call; its replies carry no signature, which proves nothing here."""
    mine, theirs = generate_identity("hub", bits=2048), generate_identity("office", bits=2048)
    pair = {"own_certificate": mine.certificate_pem.decode(), "own_key": mine.private_key_pem.decode()}
    signing = connect(**pair)
    sent = exchange()
    assert signing.deliver(signing.prepare(sent), ListJournal()).reference == sent.exchange_id
    strict = connect(**pair, partner_certificates=(theirs.certificate_pem.decode(),))
    with pytest.raises(InDoubtError, match=r"sig\.missing"):
        strict.deliver(strict.prepare(exchange()), ListJournal())
