"""Sending to an agency: one effect whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from collecthub.errors import ConfigurationError, InDoubtError, PermanentError, RetryableError
from collecthub.formats.elan import read_elan
from collecthub.model.exchange import CaseAcknowledgement, Exchange
from collecthub.ports import Checkable, DeliveryState, Dispatcher, HookReceiver, PartnerBooks, StatusSource
from collecthub.testing.fakes import ListJournal

Make = Callable[..., Exchange]


def received(agency) -> tuple[int, int, int]:
    """(exchanges, cases, repeated exchanges) by the agency's own books."""
    books = agency.books()
    return books["exchanges_in"], len(books["cases"]), books["duplicates"]["exchanges"]


def test_the_connector_stands_at_every_door_it_claims(connect) -> None:
    connector = connect(batch_limit=7)
    for port in (Dispatcher, StatusSource, HookReceiver, PartnerBooks, Checkable):
        assert isinstance(connector, port)
    assert connector.batch_limit == 7


def test_an_exchange_arrives_and_its_answers_come_with_the_receipt(connect, agency, exchange: Make) -> None:
    connector, journal, sent = connect(), ListJournal(), exchange(3)
    envelope = connector.prepare(sent)
    receipt = connector.deliver(envelope, journal)
    assert journal.marks == ["calling"]
    assert receipt.reference == envelope.envelope_id == sent.exchange_id == envelope.name
    assert envelope.message_ids == tuple(message.message_id for message in sent.messages)
    assert receipt.replies is not None and not receipt.replies.faults
    answered = {reply.in_reply_to for reply in receipt.replies.messages if isinstance(reply, CaseAcknowledgement)}
    assert answered == set(envelope.message_ids)
    assert receipt.raw_reply
    assert received(agency) == (1, 3, 0)
    assert agency.books()["refused"] == []


def test_the_same_bytes_again_change_nothing(connect, agency, exchange: Make) -> None:
    envelope = connect().prepare(exchange())
    first = connect().deliver(envelope, ListJournal())
    second = connect().deliver(envelope, ListJournal())
    assert (first.detail, second.detail) == ("taken", "was there already")
    assert received(agency) == (1, 1, 1)


def test_other_bytes_under_a_used_key_are_for_a_person(connect, agency, exchange: Make) -> None:
    connector = connect()
    envelope = connector.prepare(exchange())
    connector.deliver(envelope, ListJournal())
    changed = msgspec.structs.replace(envelope, payload=envelope.payload.replace(b"120.5", b"920.5"))
    assert changed.payload != envelope.payload
    with pytest.raises(PermanentError, match="422"):
        connector.deliver(changed, ListJournal())
    assert received(agency)[:2] == (1, 1)


def test_a_reply_lost_after_the_work_is_settled_by_asking(connect, agency, exchange: Make) -> None:
    connector = connect()
    envelope = connector.prepare(exchange())
    agency.spoil_next("exchanges", drop_after_bytes=10)
    with pytest.raises(InDoubtError):
        connector.deliver(envelope, ListJournal())
    assert connector.probe(envelope, "calling") is DeliveryState.ARRIVED
    assert connector.deliver(envelope, ListJournal()).detail == "was there already"
    assert received(agency) == (1, 1, 1)


@pytest.mark.parametrize("fault", [{"status": 500, "body": "oops"}, {"status": 200, "body": "<html>welcome</html>"}])
def test_an_answer_that_proves_nothing_is_in_doubt(connect, agency, exchange: Make, fault: dict) -> None:
    connector = connect()
    envelope = connector.prepare(exchange())
    agency.spoil_next("exchanges", **fault)
    with pytest.raises(InDoubtError):
        connector.deliver(envelope, ListJournal())
    assert connector.probe(envelope, "calling") is DeliveryState.NOT_ARRIVED
    assert connector.deliver(envelope, ListJournal()).detail == "taken"


def test_a_closed_agency_is_tried_again_later(connect, agency, exchange: Make) -> None:
    connector = connect()
    agency.control("down", seconds=30)
    with pytest.raises(RetryableError) as caught:
        connector.deliver(connector.prepare(exchange()), ListJournal())
    assert caught.value.retry_after_seconds and 0 < caught.value.retry_after_seconds <= 31
    agency.control("down", seconds=0)
    assert received(agency) == (0, 0, 0)


@pytest.mark.chaos
def test_nobody_there_is_tried_again_later(connect, agency, exchange: Make) -> None:
    connector = connect()
    agency.twin.kill()
    with pytest.raises(RetryableError):
        connector.deliver(connector.prepare(exchange()), ListJournal())


def test_a_moved_service_is_not_followed(connect, agency, exchange: Make) -> None:
    connector = connect()
    agency.spoil_next("exchanges", status=307)
    with pytest.raises(ConfigurationError, match="307"):
        connector.deliver(connector.prepare(exchange()), ListJournal())


def test_a_withdrawn_sending_never_leaves(connect, agency, exchange: Make) -> None:
    connector = connect()
    with pytest.raises(PermanentError, match="withdrawn"):
        connector.deliver(connector.prepare(exchange()), ListJournal(withdrawn=True))
    assert received(agency) == (0, 0, 0)


class DyingJournal(ListJournal):
    """Dies as a killed process would, right after the note is durable."""

    def mark(self, intent: str) -> None:
        super().mark(intent)
        raise KeyboardInterrupt


def test_a_crash_between_intent_and_call_sends_once(connect, agency, exchange: Make) -> None:
    envelope, journal = connect().prepare(exchange()), DyingJournal()
    with pytest.raises(KeyboardInterrupt):
        connect().deliver(envelope, journal)
    after = connect()
    assert after.probe(envelope, "") is DeliveryState.NOT_ARRIVED
    assert after.probe(envelope, journal.marks[-1]) is DeliveryState.NOT_ARRIVED
    after.deliver(envelope, ListJournal())
    assert after.probe(envelope, "calling") is DeliveryState.ARRIVED
    assert received(agency) == (1, 1, 0)


def test_a_wrong_token_names_the_setting(connect, exchange: Make) -> None:
    connector = connect(token="wrong")
    with pytest.raises(ConfigurationError, match="401") as caught:
        connector.deliver(connector.prepare(exchange()), ListJournal())
    assert "token" in caught.value.cure


@pytest.mark.chaos
def test_the_check_says_which_step_fails(connect, agency) -> None:
    assert all(step.is_ok for step in connect().check())
    assert [(step.name, step.is_ok) for step in connect(token="wrong").check()] == [("reach", True), ("token", False)]
    agency.spoil_next("outbox", status=200, body="<html>")
    failed = connect().check()[-1]
    assert (failed.name, failed.is_ok) == ("contract", False)
    agency.twin.kill()
    (failed,) = connect().check()
    assert (failed.name, failed.is_ok) == ("reach", False) and failed.cure


def test_a_norwegian_request_is_forwarded_once_under_its_key(connect, agency, exchange: Make, shared_data: Path) -> None:
    """The published request becomes a case of an agency: the same bytes again are one case, other bytes are refused."""
    request = shared_data / "formats" / "norway-elan" / "begjaering-v0-enkel.json"
    connector = connect()
    envelope = connector.prepare(msgspec.structs.replace(exchange(), messages=read_elan(request.read_bytes()).messages))
    receipt = connector.deliver(envelope, ListJournal())
    assert receipt.replies is not None and not receipt.replies.faults
    assert connector.deliver(envelope, ListJournal()).detail == "was there already"
    with pytest.raises(PermanentError, match="422"):
        connector.deliver(
            msgspec.structs.replace(envelope, payload=envelope.payload.replace(b"12532.38", b"12532.39")), ListJournal()
        )
    assert received(agency)[:2] == (1, 1)
    assert agency.books()["cases"][0]["currency"] == "NOK"
