"""kill -9 while messages go out: each debtor is written to once, and what is in doubt is said, not sent again."""

from __future__ import annotations

import datetime as dt
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import sqlalchemy as sa
from web.office import Office

from collecthub.engine.clock import tick
from collecthub.sandbox.twin import RunningTwin
from collecthub.store.contact_tables import contacts
from contact.conftest import MONDAY_TEN, at

DEBTORS = int(os.environ.get("COLLECTHUB_CONTACTS", "30"))
KILLS = int(os.environ.get("COLLECTHUB_CONTACT_KILLS", "3"))
DUE = MONDAY_TEN + dt.timedelta(days=2)


def sender(office: Office) -> subprocess.Popen[str]:
    """A process that is ready to write."""
    home = office.hub.settings.home
    url = office.hub.database.engine.url.render_as_string(hide_password=False)
    paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-m", "contact.sender", str(home), url, DUE.isoformat()], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline().strip() == "ready"
    return process


def states(office: Office) -> Counter[str]:
    with office.hub.database.read() as conn:
        return Counter(conn.scalars(sa.select(contacts.c.state)))


def test_nobody_is_written_to_twice_and_nobody_is_forgotten(office: Office, post: RunningTwin) -> None:
    for number in range(DEBTORS):
        debtor = {"name": f"Café {number}", "country": "BE", "email": f"killed-{number}@example.org"}
        claims = [{"number": f"F-{number}", "due_on": "2026-06-14", "amount": "120.50"}]
        office.open_case(debtor=debtor, claims=claims)
    at(office.hub, DUE)
    while states(office)["queued"] < DEBTORS:
        tick(office.hub)
    dice = random.Random(2026)
    killed = 0
    while killed < KILLS and states(office)["queued"]:
        with sender(office) as process:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
            before = states(office)["queued"]
            some = dice.randint(1, max(1, DEBTORS // (KILLS + 1)))
            while before - states(office)["queued"] < some and process.poll() is None:
                pass
            process.kill()
        killed += 1
    assert killed == KILLS
    with sender(office) as last:
        said, _ = last.communicate("\n", timeout=120)
    assert "done" in said
    found = states(office)
    got = Counter(
        mail["message_id"] for mail in post.control("messages", {"to": "killed-"})["items"]
    )
    assert set(got.values()) == {1}, "somebody was written to twice"
    assert set(found) <= {"sent", "in_doubt"}
    assert found["sent"] + found["in_doubt"] == DEBTORS
    assert found["sent"] <= len(got) <= DEBTORS
    assert found["in_doubt"] <= KILLS  # at most the one that was on its way when the power failed
