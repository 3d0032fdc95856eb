"""Answers that lie in a mailbox over IMAP: each is brought until it was recorded, none after, and nothing is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from partner.imap_server import PASSWORD, USER, Mailbox, serving
from pydantic import ValidationError

from collecthub.sdk import ConfigurationError
from collecthub.testing.fakes import MemoryVault, context
from collecthub_contact_smtp.connector import ContactSmtpConnector
from collecthub_contact_smtp.settings import ContactSmtpSettings


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with serving(Mailbox()) as found:
        yield found


def settings(port: int, **changes: object) -> ContactSmtpSettings:
    return ContactSmtpSettings.model_validate({
        "host": "127.0.0.1", "security": "none", "sender": "reminders@kroon.example", "imap_host": "127.0.0.1",
        "imap_port": port, "imap_security": "none", "imap_user": USER, "imap_password": PASSWORD, **changes,
    })  # fmt: skip


def answer(contact_id: str, text: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "zoe@example.org", "reminders@kroon.example", "Re: herinnering"
    mail["In-Reply-To"] = f"<{contact_id}@kroon.example>"
    mail.set_content(text)
    return mail.as_bytes()


def test_each_answer_is_brought_until_it_was_recorded_and_none_after(box: Mailbox) -> None:
    vault = MemoryVault()
    box.put(answer("c1", "Ik betaal vrijdag"))
    box.put(answer("c2", "Niet van mij"))
    connector = ContactSmtpConnector(context(settings(box.port), vault=vault))
    for name, content in connector.entries():  # the hub ends after the first
        said = connector.understand(content)
        assert said is not None and (said.contact_id, said.kind, said.text) == ("c1", "reply", "Ik betaal vrijdag")
        connector.take(name)
        break
    again = ContactSmtpConnector(context(settings(box.port), vault=vault))
    found = []
    for name, content in again.entries():
        told = again.understand(content)
        found.append(told.contact_id if told else "")
        again.take(name)
    assert found == ["c2"]
    assert list(again.entries()) == []


def test_a_wrong_password_is_said_and_an_open_line_is_refused(box: Mailbox) -> None:
    wrong = ContactSmtpConnector(context(settings(box.port, imap_password="no")))
    with pytest.raises(ConfigurationError, match="refuses the login"):
        list(wrong.entries())
    with pytest.raises(ValidationError, match="use tls or starttls"):
        settings(143, imap_host="mail.kroon.example")
