"""kill -9 while messages go out: each debtor is written to once, and what is in doubt is said, not sent again."""

from __future__ import annotations

import datetime as dt
import os
import random
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from web.office import Office

from collecthub.engine.clock import tick
from collecthub.engine.doors import connect
from collecthub.model.contact import Channel
from collecthub.sandbox.twin import RunningTwin
from collecthub.store.contact_tables import contacts
from collecthub.store.queries.scope import LOCAL_OPERATOR
from contact.conftest import MONDAY_TEN, STEPS, THREE_MAILS, agree, at, gateway_settings

DEBTORS = int(os.environ.get("COLLECTHUB_CONTACTS", "30"))
KILLS = int(os.environ.get("COLLECTHUB_CONTACT_KILLS", "3"))
POLICIES = (
    msgspec.structs.replace(THREE_MAILS, segments=("B2B",)),
    msgspec.structs.replace(
        THREE_MAILS, segments=("B2C",), steps=tuple(msgspec.structs.replace(one, channel=Channel.SMS) for one in STEPS)
    ),
)
DUE = MONDAY_TEN + dt.timedelta(days=2)


@pytest.fixture
def senders(office: Office) -> Iterator[subprocess.Popen[str]]:
    """Starts a process that writes to debtors for each line it reads."""
    home = office.hub.settings.home
    url = office.hub.database.engine.url.render_as_string(hide_password=False)
    paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, "-m", "contact.sender", str(home), url, DUE.isoformat()], text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths},
    ) as process:  # fmt: skip
        yield process
        assert process.stdin is not None
        process.stdin.close()


def begin(senders: subprocess.Popen[str]) -> int:
    """A new process; returns its id."""
    assert senders.stdin is not None and senders.stdout is not None
    senders.stdin.write("\n")
    return int(senders.stdout.readline())


def end_of(senders: subprocess.Popen[str]) -> int:
    """How the newest process ended; waits for it."""
    assert senders.stdout is not None
    return int(senders.stdout.readline())


def states(office: Office) -> Counter[str]:
    query = sa.select(contacts.c.state, sa.func.count()).group_by(contacts.c.state)
    with office.hub.database.read() as conn:
        return Counter({state: count for state, count in conn.execute(query)})


@pytest.mark.chaos
@pytest.mark.timeout(max(300, DEBTORS))
def test_nobody_is_written_to_twice_and_nobody_is_forgotten(
    office: Office, post: RunningTwin, gateway: RunningTwin, senders: subprocess.Popen[str]
) -> None:
    agree(office.hub, *POLICIES)
    with office.hub.work() as work:
        connect(
            office.hub, work, LOCAL_OPERATOR, kind="contact_sms", name="Gateway", creditor_id="kroon",
            settings=gateway_settings(gateway), connection_id="gateway",
        )
    open_cases(office)
    at(office.hub, DUE)
    while states(office)["queued"] < DEBTORS:
        tick(office.hub)
    dice = random.Random(2026)
    for _ in range(KILLS):
        before = states(office)["queued"]
        assert before, "nothing was left to be interrupted"
        some = dice.randint(1, max(1, before // (KILLS + 1)))
        process = begin(senders)
        while before - states(office)["queued"] < some:
            select.select([senders.stdout], [], [], 0.05)  # wakes at once when it ends by itself
        os.kill(process, signal.SIGKILL)
        assert end_of(senders) == -signal.SIGKILL
    begin(senders)
    assert end_of(senders) == 0
    found = states(office)
    mails = Counter(mail["message_id"] for mail in post.control("messages", {"to": "killed-"})["items"])
    texts = Counter(text["address"] for text in gateway.control("messages")["items"])
    print(f"{DEBTORS} messages, {KILLS} kills: {len(mails)} mails, {len(texts)} texts, {dict(found)}")
    assert set(mails.values()) == set(texts.values()) == {1}, "somebody was written to twice"
    assert set(found) <= {"sent", "in_doubt"}
    assert found["sent"] + found["in_doubt"] == DEBTORS
    assert found["in_doubt"] <= KILLS  # at most the one that was on its way when the power failed
    assert len(texts) == DEBTORS // 2  # a gateway is asked again: nobody is in doubt
    assert found["sent"] <= len(mails) + len(texts) <= DEBTORS


COLUMNS = ("debtor_name", "debtor_kind", "email", "phone", "number", "due_on", "amount", "debtor_ref")


def open_cases(office: Office) -> None:
    """One case per debtor from the creditor's file: companies are written to by mail, persons by phone."""
    defaults = {"currency": "EUR", "country": "BE"}
    mapping = {"name": "open items", "columns": {name: name for name in COLUMNS}, "defaults": defaults}
    client = office.client("kroon")
    mapping_id = client.post("/api/v1/mappings", json=mapping).json()["mapping_id"]
    lines = [";".join(COLUMNS)]
    for number in range(DEBTORS):
        kind, email, phone = "company", f"killed-{number}@example.org", ""
        if number % 2:
            kind, email, phone = "person", "", f"+3247{number:07d}"
        lines.append(f"Café {number};{kind};{email};{phone};F-{number};2026-06-14;120.50;K-{number}")
    params = {"mapping_id": mapping_id, "name": "june.csv"}
    imported = client.post("/api/v1/imports", params=params, content="\n".join(lines).encode()).json()
    assert (imported["cases"], imported["refused"]) == (DEBTORS, 0)
