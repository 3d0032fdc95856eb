"""The mail sink and the creditor's hook keep what they took, through a kill, and nothing else."""

from __future__ import annotations

import datetime as dt
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests
from standardwebhooks import Webhook

from collecthub.sandbox.twin import RunningTwin, start_twin


@pytest.fixture
def started() -> Iterator[list[RunningTwin]]:
    twins: list[RunningTwin] = []
    yield twins
    for twin in twins:
        twin.stop()


def letter(to: str, subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "hub@collect.example", to, subject
    message.set_content("Sehr geehrte Frau Łukasiewicz,\nbitte zahlen Sie 12,50 €.\n")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="invoice.pdf")
    return message


def mail(twin: RunningTwin, message: EmailMessage) -> None:
    with smtplib.SMTP(twin.facts["smtp_host"], twin.facts["smtp_port"], timeout=10) as client:
        client.send_message(message)


def test_mail_is_kept_through_a_kill(tmp_path: Path, started: list[RunningTwin]) -> None:
    started.append(start_twin("mail", tmp_path))
    mail(started[0], letter("zofia@debtor.example", "Mahnung – żółw"))
    mail(started[0], letter("other@debtor.example", "second"))
    started[0].kill()
    started.append(start_twin("mail", tmp_path))
    assert started[1].facts["smtp_port"] == started[0].facts["smtp_port"]
    (kept,) = started[1].control("messages?to=zofia@debtor.example")["items"]
    assert (kept["subject"], kept["attachments"]) == ("Mahnung – żółw", ["invoice.pdf"])
    assert "12,50 €" in kept["text"]
    assert [one["subject"] for one in started[1].control("messages?after=1")["items"]] == ["second"]


def test_mail_can_be_refused_for_a_while(tmp_path: Path, started: list[RunningTwin]) -> None:
    started.append(start_twin("mail", tmp_path))
    started[0].control("refuse", {"code": 450, "times": 1})
    with pytest.raises(smtplib.SMTPDataError):
        mail(started[0], letter("a@b.example", "later"))
    mail(started[0], letter("a@b.example", "later"))
    assert started[0].control("books") == {"messages": 1}


def deliver(twin: RunningTwin, name: str, body: str, *, secret: str = "", age_seconds: int = 0) -> int:
    at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age_seconds)
    headers = {
        "webhook-id": name, "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret or twin.facts["secret"]).sign(name, at, body),
    }  # fmt: skip
    return requests.post(twin.url + twin.facts["hook_path"], body.encode(), headers=headers, timeout=10).status_code


def test_a_creditor_takes_a_signed_delivery_once_and_remembers_it(tmp_path: Path, started: list[RunningTwin]) -> None:
    started.append(start_twin("creditor", tmp_path))
    assert deliver(started[0], "w1", '{"case": "é"}') == 204
    started[0].kill()
    started.append(start_twin("creditor", tmp_path))
    twin = started[1]
    assert deliver(twin, "w1", '{"case": "é"}') == 204
    assert deliver(twin, "w2", "{}", secret="whsec_c3RyYW5nZXI=") == 401
    assert deliver(twin, "w3", "{}", age_seconds=600) == 401
    assert deliver(twin, "w4", "{") == 400
    twin.control("faults", {"path": "/hooks", "status": 410})
    assert deliver(twin, "w5", "{}") == 410
    books = twin.control("books")
    assert [(one["webhook_id"], one["body"]) for one in books["deliveries"]] == [("w1", {"case": "é"})]
    assert (books["duplicates"], [one["webhook_id"] for one in books["refused"]]) == (1, ["w2", "w3", "w4"])


def test_a_secret_of_the_hubs_choice_replaces_the_first(tmp_path: Path, started: list[RunningTwin]) -> None:
    started.append(start_twin("creditor", tmp_path))
    chosen = "whsec_bmV3IHNlY3JldCBmb3IgdGhlIGh1Yg=="
    started[0].control("secret", {"secret": chosen})
    assert deliver(started[0], "w1", "{}") == 401
    assert deliver(started[0], "w1", "{}", secret=chosen) == 204
