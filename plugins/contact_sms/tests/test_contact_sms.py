"""Text messages over a real gateway's interface: once each, refused in words, and a repetition is no second message."""

from __future__ import annotations

import socket

import pytest

from collecthub.sandbox.twin import RunningTwin
from collecthub.sdk import (
    Address,
    Channel,
    Checkable,
    ConfigurationError,
    DebtorMessage,
    Messenger,
    PermanentError,
    RetryableError,
)
from collecthub.testing.fakes import context
from collecthub_contact_sms.connector import ContactSmsConnector
from collecthub_contact_sms.settings import ContactSmsSettings


class Notes:
    """A journal that remembers."""

    def __init__(self) -> None:
        self.intents: list[str] = []

    def mark(self, intent: str) -> None:
        self.intents.append(intent)


def connector(gateway: RunningTwin, **changes: object) -> ContactSmsConnector:
    values = {
        "base_url": f"{gateway.url}{gateway.facts['base_path']}", "token": gateway.facts["token"],
        "sender": gateway.facts["sender"], **changes,
    }  # fmt: skip
    return ContactSmsConnector(context(ContactSmsSettings.model_validate(values)))


def message(contact_id: str, phone: str = "0470 12 34 56", text: str = "De Kroon: 120,50 € — dossier 7") -> DebtorMessage:
    return DebtorMessage(
        contact_id=contact_id, channel=Channel.SMS, sender_name="De Kroon", reply_to="", recipient="Zoé", phone=phone,
        address=Address(country="BE"), language="nl", subject="", text=text,
    )  # fmt: skip


def got(gateway: RunningTwin, to: str) -> list[dict[str, object]]:
    return list(gateway.control("messages", {"to": to})["items"])


def test_a_message_arrives_as_it_was_written_and_a_repetition_is_not_a_second_one(gateway: RunningTwin) -> None:
    line, notes = connector(gateway), Notes()
    assert isinstance(line, Messenger) and isinstance(line, Checkable) and line.repeats_safely
    first = line.deliver(message("c-1"), notes)
    again = line.deliver(message("c-1"), notes)
    assert first.reference == again.reference == "c-1" and notes.intents == ["sending", "sending"]
    [kept] = got(gateway, "+32470123456")
    assert (kept["message"], kept["copies"]) == ("De Kroon: 120,50 € — dossier 7", 1)


@pytest.mark.parametrize("phone", ["", "12", "+32 470", "call me", "0470 12 34 56 78 90"])
def test_what_is_no_number_is_refused_before_anything_leaves(gateway: RunningTwin, phone: str) -> None:
    notes = Notes()
    with pytest.raises(PermanentError, match="not valid"):
        connector(gateway).deliver(message("c-2", phone), notes)
    assert notes.intents == []


def test_what_the_gateway_refuses_is_said_in_its_words(gateway: RunningTwin) -> None:
    gateway.control("unknown_number", {"to": "tel:+32470999999"})
    with pytest.raises(PermanentError, match="SVC0004 No valid addresses provided in message part address"):
        connector(gateway).deliver(message("c-3", "0470 99 99 99"), Notes())
    with pytest.raises(ConfigurationError, match="does not let us in"):
        connector(gateway, token="wrong").deliver(message("c-4"), Notes())
    with pytest.raises(PermanentError, match="700 characters"):
        connector(gateway).deliver(message("c-5", text="x" * 700), Notes())


def test_a_gateway_that_is_down_gets_it_later(gateway: RunningTwin) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # a port on which nobody listens
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(RetryableError):
            connector(gateway, base_url=url).deliver(message("c-6"), Notes())


def test_the_check_sends_nothing(gateway: RunningTwin) -> None:
    before = gateway.control("books")
    assert all(step.is_ok for step in connector(gateway).check())
    assert gateway.control("books") == before
