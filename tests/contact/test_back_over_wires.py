"""What comes back over a mail house's SFTP server and over IMAP reaches its case through a running hub, on both databases."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from partner.imap_server import PASSWORD, USER, Mailbox, serving
from web.office import Office
from wire.sftp_peers import SftpPeer, asyncssh_peer

from collecthub.engine.doors import connect
from collecthub.model.contact import Channel
from collecthub.sandbox.twin import RunningTwin
from collecthub.store import tables as t
from collecthub.store.queries.scope import LOCAL_OPERATOR
from contact.conftest import MONDAY_TEN, STEPS, THREE_MAILS, Later, agree, at, server_settings
from contact.test_course import case_of, open_case, states

Mails = Callable[[str], list[dict[str, Any]]]
BY_LETTER = msgspec.structs.replace(
    THREE_MAILS, steps=tuple(msgspec.structs.replace(step, channel=Channel.LETTER) for step in STEPS)
)
HOME = {"address_lines": ["Grote Markt 1"], "postcode": "9000", "city": "Gent"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SftpPeer]:
    """The mail house's server."""
    folder = tmp_path / "house"
    for name in ("letters", "batches", "answers"):
        (folder / name).mkdir(parents=True)
    with asyncssh_peer(folder) as running:
        yield running


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """The mailbox that answers arrive in."""
    with serving(Mailbox()) as found:
        yield found


def join(office: Office, kind: str, settings: dict[str, object]) -> None:
    with office.hub.work() as work:
        connect(
            office.hub, work, LOCAL_OPERATOR, kind=kind, name="Channel", creditor_id="kroon", settings=settings,
            connection_id="a-channel",
        )


def tasks(office: Office) -> dict[str, str]:
    with office.hub.database.read() as conn:
        query = sa.select(t.tasks.c.kind, t.tasks.c.detail).where(t.tasks.c.state == "open")
        return {row.kind: row.detail for row in conn.execute(query)}


def test_a_letter_that_the_mail_house_gets_back_is_a_wrong_address_and_a_task(
    both_office: Office, house: SftpPeer, later: Later
) -> None:
    office = both_office
    join(office, "contact_mail_house", {
        "host": "127.0.0.1", "port": house.port, "username": house.username, "private_key": house.login_key.decode(),
        "host_key_fingerprints": [house.fingerprint],
    })  # fmt: skip
    agree(office.hub, BY_LETTER)
    case_id, well_id = open_case(office, "", **HOME), open_case(office, "", **HOME, name="Bloemen Roos")
    at(office.hub, MONDAY_TEN + dt.timedelta(days=1))
    later(office, 2)  # the step leaves on the first of them
    listed = [row for file in (house.folder / "batches").glob("*.csv") for row in csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))]
    by_name = {row["recipient"]: row["file"] for row in listed}
    assert set(by_name) == {"Café Zoé", "Bloemen Roos"}  # both stand in one manifest
    answer = f"file;state;reason\n{by_name['Café Zoé']};returned;not known at this address\n{by_name['Bloemen Roos']};posted;\n?.pdf;returned;?\n"
    (house.folder / "answers" / "1.csv").write_text(answer, encoding="utf-8")
    later(office, 1)
    assert (states(office, case_id), states(office, well_id)) == (["returned"], ["sent"])
    contact = case_of(office, case_id).contact
    assert contact is not None and contact.lost == (Channel.LETTER,)
    assert tasks(office)["unreachable"] == "the mail house says returned: not known at this address"
    assert not list((house.folder / "answers").iterdir())
    with office.hub.database.read() as conn:  # the row about no letter of ours is kept for a person
        assert list(conn.scalars(sa.select(t.quarantine.c.code))) == ["contact.unknown"]


def test_an_answer_over_imap_is_in_its_case_and_the_next_step_waits(
    both_office: Office, post: RunningTwin, box: Mailbox, later: Later, mails: Mails
) -> None:
    office, to = both_office, f"imap-{both_office.hub.database.engine.dialect.name}@example.org"
    join(office, "contact_smtp", {
        **server_settings(post), "imap_host": "127.0.0.1", "imap_port": box.port, "imap_security": "none",
        "imap_user": USER, "imap_password": PASSWORD,
    })  # fmt: skip
    case_id = open_case(office, to)
    at(office.hub, MONDAY_TEN + dt.timedelta(days=1))
    later(office, 2)  # the step leaves on the first of them
    [sent] = mails(to)
    reply = EmailMessage()
    reply["From"], reply["To"], reply["Subject"] = to, "reminders@kroon.example", "Re: Rappel"
    reply["In-Reply-To"] = sent["message_id"]
    reply.set_content("Ik betaal vrijdag")
    box.put(reply.as_bytes())
    later(office, 1)
    assert {hold.reason for hold in case_of(office, case_id).holds} == {"reminders", "answer"}
    assert tasks(office)["reply"] == "Ik betaal vrijdag"
    later(office, 1)  # it is read once, though it stays in the mailbox
    assert states(office, case_id) == ["answered"]
