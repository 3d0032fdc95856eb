"""A partner's form that comes back by mail, attached or in the text, written by the standard library's own mail writer."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage

import pytest

from collecthub.errors import QuarantineError
from collecthub.formats.partner_form import FormRow, write_form
from collecthub.formats.partner_mail import read_mail
from collecthub.model.exchange import AckVerdict, CaseAcknowledgement

NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
ROW = FormRow(case_id="case-1", currency="EUR", answer_to="m-1", answer="accept", holder_ref="UY-7")
TEXT = "Hello,\n> case_id: case-1\n> answer-to: m-1\nAnswer: accept\nHolder ref: UY-7\nRegards"


def mail(text: str = "See the form.", *, sender: str = "Desk <Desk@agency.example>", form: bytes = b"") -> bytes:
    made = EmailMessage()
    made["From"], made["Subject"] = sender, "Re: form"
    made.set_content(text)
    if form:
        made.add_attachment(form, maintype="text", subtype="csv", filename="cases.CSV")
    return made.as_bytes()


def read(content: bytes) -> list[CaseAcknowledgement]:
    messages = read_mail(content, "reply.eml", "agency", NOW, senders=("desk@agency.example",)).messages
    return [one for one in messages if isinstance(one, CaseAcknowledgement)]


@pytest.mark.parametrize("content", [mail(form=write_form([ROW], "csv")), mail(TEXT)], ids=["attached", "in the text"])
def test_the_form_means_the_same_either_way_and_the_second_time(content: bytes) -> None:
    (said,) = read(content)
    assert (said.case_id, said.in_reply_to, said.verdict, said.holder_ref) == ("case-1", "m-1", AckVerdict.ACCEPTED, "UY-7")
    assert [one.message_id for one in read(mail("once more", form=write_form([ROW], "csv")))] == [said.message_id]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (mail(TEXT, sender="desk@elsewhere.example"), "mail.sender"),
        (mail(TEXT, sender="desk@agency.example.evil.example"), "mail.sender"),
        (mail("We will call you."), "mail.empty"),
    ],
)
def test_what_cannot_be_trusted_or_read_is_kept_for_a_person(content: bytes, code: str) -> None:
    with pytest.raises(QuarantineError) as caught:
        read(content)
    assert caught.value.code == code
