"""What comes back from debtors: undelivered mail and answers, and what a call came to, each with its next step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from web.office import Office

from collecthub.engine.contact_outcome import note_outcome
from collecthub.engine.doors import connect
from collecthub.errors import PermanentError
from collecthub.model.contact import Channel
from collecthub.model.contact_outcome import ContactOutcome
from collecthub.model.objection import NonPayment
from collecthub.sandbox.twin import RunningTwin
from collecthub.store import tables as t
from collecthub.store.contact_tables import contacts
from collecthub.store.queries.scope import LOCAL_OPERATOR
from contact.conftest import THREE_MAILS, Later, agree, server_settings
from contact.test_course import case_of, open_case, open_tasks, states

Mails = Callable[[str], list[dict[str, Any]]]
ANSWERED = "Ik betaal vrijdag <script>alert(1)</script>"


@pytest.fixture
def inbox(office: Office, post: RunningTwin, tmp_path: Path) -> Path:
    """The Maildir to which the server delivers what comes back."""
    folder = tmp_path / "inbox"
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    with office.hub.work() as work:
        connect(
            office.hub, work, LOCAL_OPERATOR, kind="contact_smtp", name="A mail that hears", creditor_id="kroon",
            settings={**server_settings(post), "inbox": str(folder)}, connection_id="a-hearing-post",
        )
    return folder


def holds(office: Office, case_id: str) -> set[str]:
    return {hold.reason for hold in case_of(office, case_id).holds}


def test_a_mail_that_comes_back_is_said_by_letter_and_mail_is_not_tried_again(
    office: Office, post: RunningTwin, inbox: Path, later: Later, mails: Mails
) -> None:
    case_id = open_case(office, "full@example.org")
    later(office, 4)
    assert len(mails("full@example.org")) == 1
    post.control("bounce", {"to": "full@example.org", "inbox": str(inbox), "action": "delayed"})
    later(office, 1)
    assert states(office, case_id) == ["sent"]  # a delay goes on by itself
    post.control("bounce", {"to": "full@example.org", "inbox": str(inbox)})
    later(office, 1)
    assert states(office, case_id) == ["returned", "queued"]
    contact = case_of(office, case_id).contact
    assert contact is not None and contact.lost == (Channel.EMAIL,) and contact.taken == 0
    assert list((inbox / "new").iterdir()) == [] and len(list((inbox / "cur").iterdir())) == 2
    later(office, 12)
    assert len(mails("full@example.org")) == 1


def test_an_answer_waits_for_a_person_and_the_next_step_waits_with_it(
    office: Office, post: RunningTwin, inbox: Path, later: Later, mails: Mails
) -> None:
    case_id = open_case(office, "answers@example.org")
    later(office, 4)
    post.control("answer", {"to": "answers@example.org", "inbox": str(inbox), "text": "Out of office", "is_automatic": True})
    later(office, 1)
    assert holds(office, case_id) == {"reminders"}
    post.control("answer", {"to": "answers@example.org", "inbox": str(inbox), "text": f"{ANSWERED}\n> quoted"})
    later(office, 1)
    assert holds(office, case_id) == {"reminders", "answer"}
    with office.hub.database.read() as conn:
        detail = conn.scalar(sa.select(t.tasks.c.detail).where(t.tasks.c.kind == "reply"))
    assert detail == ANSWERED
    later(office, 6)
    assert len(mails("answers@example.org")) == 1
    later(office, 4)
    assert len(mails("answers@example.org")) == 2


def test_mail_about_nothing_of_ours_is_kept_for_a_person(office: Office, inbox: Path, later: Later) -> None:
    (inbox / "new" / "1").write_bytes(b"From: x@example.org\r\nSubject: hello\r\nContent-Type: text/plain; charset=klingon\r\n\r\nhi")
    (inbox / "new" / "2").write_bytes(b"\xff\xfe not a mail at all")
    (inbox / "new" / "3").write_bytes(b"In-Reply-To: <0123@kroon.example>\r\n\r\nan id that nobody gave")
    later(office, 1)
    with office.hub.database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).where(t.quarantine.c.code == "contact.unknown")) == 3
    assert list((inbox / "new").iterdir()) == []


# --- calls and visits -------------------------------------------------------------------------------

CALLS = msgspec.structs.replace(
    THREE_MAILS, steps=(msgspec.structs.replace(THREE_MAILS.steps[0], channel=Channel.PHONE), *THREE_MAILS.steps[1:])
)


def waiting_call(office: Office, case_id: str) -> str:
    with office.hub.database.read() as conn:
        mine = (contacts.c.case_id == case_id) & (contacts.c.state == "with_person")
        return str(conn.scalar(sa.select(contacts.c.contact_id).where(mine)))


@pytest.fixture
def called(office: Office, later: Later) -> str:
    """A case whose debtor is to be called today."""
    agree(office.hub, CALLS)
    case_id = open_case(office, "called@example.org", phone="+32470123456")
    later(office, 3)
    assert f"contact:{waiting_call(office, case_id)}" in open_tasks(office)
    return case_id


def test_a_promise_holds_until_its_day_and_the_steps_go_on_when_it_is_broken(
    office: Office, called: str, later: Later, mails: Mails
) -> None:
    before, call = len(mails("called@example.org")), waiting_call(office, called)
    with pytest.raises(PermanentError, match="needs a day"):
        note_outcome(office.hub, LOCAL_OPERATOR, call, ContactOutcome.PROMISED)
    friday = office.hub.business_date() + dt.timedelta(days=8)
    note_outcome(office.hub, LOCAL_OPERATOR, call, ContactOutcome.PROMISED, on=friday, note="pays on Friday")
    assert holds(office, called) == {"reminders", "promise"}
    assert not any(kind.startswith("contact:") for kind in open_tasks(office))
    later(office, 10)
    assert len(mails("called@example.org")) == before
    later(office, 3)
    assert len(mails("called@example.org")) == before + 1
    with pytest.raises(PermanentError, match="waits for nobody"):
        note_outcome(office.hub, LOCAL_OPERATOR, call, ContactOutcome.SPOKE)


def test_nobody_answers_three_days_and_the_step_is_behind(office: Office, called: str, later: Later) -> None:
    for tries in range(1, 4):
        case = note_outcome(office.hub, LOCAL_OPERATOR, waiting_call(office, called), ContactOutcome.NO_ANSWER)
        assert case.contact is not None and case.contact.taken == (1 if tries == 3 else 0)
        later(office, 2)
    assert states(office, called)[:3] == ["failed"] * 3


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (ContactOutcome.CANNOT_PAY, NonPayment.CANNOT), (ContactOutcome.DISAGREES, NonPayment.DISAGREES),
        (ContactOutcome.ALREADY_PAID, NonPayment.ALREADY_PAID), (ContactOutcome.WRONG_NUMBER, None),
    ],
)  # fmt: skip
def test_what_a_call_came_to_drives_the_next_step(
    office: Office, called: str, outcome: ContactOutcome, reason: NonPayment | None
) -> None:
    case = note_outcome(office.hub, LOCAL_OPERATOR, waiting_call(office, called), outcome, note="said so")
    assert case.objections.reason is reason and case.contact is not None
    if reason is None:
        assert case.contact.lost == (Channel.PHONE,) and case.contact.pending_id  # by letter now
    else:
        assert case.contact.taken == 1
