"""A protected debtor: what is in line or already in its envelope does not leave any more, whoever was quicker to prepare it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from contact.conftest import at, contact_office
from web.office import Office

from collecthub.engine.clock import tick
from collecthub.engine.composing import compose
from collecthub.engine.placing import place_cases
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.store import tables as t
from collecthub.store.connections import read_connection
from collecthub.store.contact_tables import contacts
from human.test_plans import case, post


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    twin = start_twin("mail", tmp_path_factory.mktemp("stop-mail"))
    yield twin
    twin.stop()


@pytest.fixture
def by_mail(tmp_path: Path, mail: RunningTwin) -> Iterator[Office]:
    yield from contact_office(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite3'}", mail)


def protect(office: Office, case_id: str, how: str) -> None:
    if how == "complaint":
        post(office, f"{case_id}/objections/complaints", text="you called at night")
    else:
        post(office, f"{case_id}/objections/hardships", hardship=how, note="social service")


@pytest.mark.parametrize("how", ["vulnerable", "moratorium", "debt_mediation", "complaint"])
def test_an_envelope_that_is_ready_stays(office: Office, how: str) -> None:
    """The file is in its envelope; the word comes; the runner that would send it finds it withdrawn."""
    case_id = str(office.open_case()["case_id"])
    place_cases(office.hub, "kroon")
    with office.hub.database.read() as conn:
        line = read_connection(conn, "line")
    assert line is not None and compose(office.hub, line, 10) == 1
    protect(office, case_id, how)
    office.run()
    with office.hub.database.read() as conn:
        assert list(conn.scalars(sa.select(t.envelopes.c.sent_at))) == [None]
    found = case(office, case_id)
    assert found["placement"] is None or found["placement"]["sent_at"] is None
    assert [hold["reason"] for hold in found["holds"]] == [how]


def test_a_message_in_line_stays(by_mail: Office, mail: RunningTwin) -> None:
    """The first reminder is in line at ten; the social service calls at a minute past; nothing reaches the debtor."""
    office = by_mail
    bodies: dict[str, Any] = {"claims": [{"number": "F-1", "issued_on": "2026-05-01", "due_on": "2026-06-14", "amount": "120.50"}]}
    case_id = str(office.open_case(debtor={"name": "Eva", "country": "BE", "email": "eva@example.org"}, **bodies)["case_id"])
    office.run()
    at(office.hub, office.hub.now().replace(day=17, hour=10))
    tick(office.hub)
    with office.hub.database.read() as conn:
        states = list(conn.scalars(sa.select(contacts.c.state).where(contacts.c.case_id == case_id)))
    assert states == ["queued"]
    protect(office, case_id, "vulnerable")
    office.run()
    assert mail.control("messages", {"to": "eva@example.org"})["items"] == []
    with office.hub.database.read() as conn:
        assert list(conn.scalars(sa.select(contacts.c.state).where(contacts.c.case_id == case_id))) == ["withdrawn"]
