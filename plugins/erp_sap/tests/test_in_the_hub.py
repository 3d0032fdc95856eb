"""Both kinds of SAP in a hub: pulled, compared with their own totals, and opened as cases with net amounts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from frame.databases import new_sqlite
from sandbox.case_reports import SENT

from collecthub.config import load_settings
from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.context import Hub
from collecthub.engine.opening import open_cases
from collecthub.engine.pulling import pull_connection
from collecthub.engine.telling import report_connection
from collecthub.hub import open_hub
from collecthub.model.party import Party
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events
from collecthub.store.connections import (
    RELEASED,
    ConnectionRow,
    CreditorRow,
    Exclusions,
    Playbook,
    add_connection,
    change_connection,
    write_creditor,
)
from collecthub.store.queries.case_file import case_detail
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.store.secrets import write_secret
from collecthub.testing.inline import InlineQueue

TODAY = dt.date(2026, 6, 15)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    database = new_sqlite(tmp_path / "hub.sqlite")
    settings = load_settings({}, home=tmp_path, database_url=database, business_date=TODAY, allow_loopback=True)
    opened = open_hub(settings)
    opened.queue = InlineQueue()
    with opened.database.write() as conn:
        party = Party(name="Brouwerij De Kroon", country="BE")
        write_creditor(
            conn, CreditorRow(creditor_id="kroon", name=party.name, party=party, playbook=Playbook()), opened.now()
        )
    yield opened
    opened.close()


def connect(hub: Hub, kind: str, settings: dict[str, Any]) -> str:
    with hub.database.write() as conn:
        write_secret(conn, hub.key, kind, "setting:password", '"sandbox-password"')
        add_connection(
            conn,
            ConnectionRow(
                connection_id=kind, kind=kind, role="erp", name=kind, creditor_id="kroon", partner_id=None,
                settings=json.dumps(settings), mode=RELEASED, release=Exclusions(), checkpoint="", status="ok",
                status_detail="", status_until=None, created_at=hub.now(), last_complete_at=None, next_due_at=None,
            ),
        )  # fmt: skip
    return kind


def pull(hub: Hub, connection_id: str) -> tuple[str, str]:
    """Pull once and say how the run ended."""
    pull_connection(hub, connection_id)
    with hub.database.read() as conn:
        row = conn.execute(sa.select(t.runs.c.state, t.runs.c.problem).order_by(t.runs.c.started_at.desc())).first()
    assert row is not None
    return row.state, row.problem


def opened_cases(hub: Hub, connection_id: str) -> dict[str, Decimal]:
    """Open the cases and say what each asks for, by currency."""
    open_cases(hub, connection_id)
    with hub.database.read() as conn:
        rows = conn.execute(sa.select(t.cases.c.currency, t.cases.c.total_minor))
        return {row.currency: Decimal(row.total_minor) for row in rows}


def test_business_one(hub: Hub, company: Any) -> None:
    company.load(
        {"number": "F1"}, {"number": "F2", "open_amount": "400.00"}, {"number": "F3", "currency": "USD"},
        {"number": "CN", "kind": "credit_note", "amount": "-50.00"},
        {"number": "Z", "kind": "payment", "amount": "-100.00"}, {"number": "bad", "currency": "$"},
    )  # fmt: skip
    connection_id = connect(hub, "erp_sap_b1", b1_settings(company))
    assert pull(hub, connection_id) == ("complete", "")
    company.do("pay", "F2", amount="100.00")
    assert pull(hub, connection_id) == ("complete", "")  # the same day
    with hub.database.write() as conn:
        change_connection(conn, connection_id, checkpoint="")
    assert pull(hub, connection_id) == ("complete", "")
    assert opened_cases(hub, connection_id) == {"EUR": Decimal(115000), "USD": Decimal(100000)}
    with hub.database.read() as conn:
        assert list(conn.scalars(sa.select(t.quarantine.c.code).distinct())) == ["b1.currency"]
    assert company.twin.control("sessions")["in_use"] <= 1  # whoever reads next shares it; it ends by itself


def test_s4(hub: Hub, ledger: Any) -> None:
    ledger.load(["a", "b"])
    ledger.do("pay", "a", amount="300.00")
    ledger.load(["late"], due_on="2026-04-01", currency="USD")
    connection_id = connect(hub, "erp_sap", s4_settings(ledger))
    assert pull(hub, connection_id) == ("complete", "")
    ledger.do("pay", "b", amount="200.00")
    assert pull(hub, connection_id) == ("complete", "")
    assert opened_cases(hub, connection_id) == {"EUR": Decimal(150000), "USD": Decimal(100000)}


def next_day(hub: Hub) -> None:
    """The open set is read whole once a business day."""
    hub.now()
    assert hub._day_offset is not None
    hub._day_offset += dt.timedelta(days=1)


def test_x16_three_instalments_of_one_document_are_one_case(hub: Hub, ledger: Any) -> None:
    ledger.load_instalments(3)
    connection_id = connect(hub, "erp_sap", s4_settings(ledger))
    assert pull(hub, connection_id) == ("complete", "")
    open_cases(hub, connection_id)
    with hub.database.read() as conn:
        (case,) = read_cases(conn, sa.true())
    assert [claim.due_on.isoformat() for claim in case.claims] == ["2026-04-01", "2026-05-01", "2026-06-01"]


def test_x17_a_reset_clearing_reopens_the_receivable_and_tells_the_case(hub: Hub, ledger: Any) -> None:
    ledger.load(["a", "b"])
    connection_id = connect(hub, "erp_sap", s4_settings(ledger))
    pull(hub, connection_id)
    open_cases(hub, connection_id)
    ledger.do("pay", "a")
    pull(hub, connection_id)
    assert opened_cases(hub, connection_id) == {"EUR": Decimal(100000)}
    ledger.do("reset_clearing", "a", reverse=True)
    assert pull(hub, connection_id) == ("complete", "")
    assert opened_cases(hub, connection_id) == {"EUR": Decimal(100000)}  # no date of the invoice moved
    next_day(hub)
    assert pull(hub, connection_id) == ("complete", "")
    assert opened_cases(hub, connection_id) == {"EUR": Decimal(200000)}
    assert told(hub)[-1] == "claim_reopened"


@pytest.mark.parametrize("is_next_day", [True, False], ids=["the next day", "the same day"])
def test_x17_money_that_is_on_account_again_covers_no_other_invoice(
    hub: Hub, ledger: Any, is_next_day: bool
) -> None:
    """The clearing is reset and the money stays: the invoice asks again, and the payment still names it.

    On the same day no date of the invoice has moved; the payment that is open again is what gives it away. Without
    that the payment would cover the other invoice, and the case would be closed.
    """
    ledger.load(["a", "b"])
    connection_id = connect(hub, "erp_sap", s4_settings(ledger))
    pull(hub, connection_id)
    open_cases(hub, connection_id)
    ledger.do("pay", "a")
    pull(hub, connection_id)
    open_cases(hub, connection_id)
    before = told(hub)
    ledger.do("reset_clearing", "a")
    if is_next_day:
        next_day(hub)
    assert pull(hub, connection_id) == ("complete", "")
    assert opened_cases(hub, connection_id) == {"EUR": Decimal(100000)}
    assert told(hub) == before
    with hub.database.read() as conn:
        assert set(conn.scalars(sa.select(t.invoices.c.state))) == {"open"}


def told(hub: Hub) -> list[str]:
    """What the history of the only case says."""
    with hub.database.read() as conn:
        (case,) = read_cases(conn, sa.true())
        return [event.kind for event in read_events(conn, case.case_id)]


def test_own_reminders_pile_up_with_their_days(hub: Hub, ledger: Any, company: Any) -> None:
    """The ERP keeps the last reminder only; the hub keeps each that it saw, for the case page and the API."""
    ledger.load(["a"], dunning_level=0)
    company.load({"number": "F1", "dunning_level": 0})
    books = {
        connect(hub, "erp_sap", s4_settings(ledger)): lambda **run: ledger.do("dun", "a", **run),
        connect(hub, "erp_sap_b1", b1_settings(company)): lambda **run: company.do("dun", "F1", **run),
    }
    for connection_id, dun in books.items():
        for level, day in ((1, "2026-05-04"), (2, "2026-05-18")):
            dun(level=level, dunned_on=day)
            with hub.database.write() as conn:
                change_connection(conn, connection_id, checkpoint="")  # as on the next day: everything is read
            assert pull(hub, connection_id) == ("complete", "")
        assert pull(hub, connection_id) == ("complete", "")  # nothing new
        opened_cases(hub, connection_id)
        with hub.database.read() as conn:
            case_id = str(conn.scalar(sa.select(t.cases.c.case_id).where(t.cases.c.connection_id == connection_id)))
            (invoice,) = case_detail(conn, LOCAL_OPERATOR, case_id).erp.invoices
        assert [(one.level, one.dunned_on.isoformat()) for one in invoice.reminders] == [
            (1, "2026-05-04"), (2, "2026-05-18"),
        ]  # fmt: skip


def s4_settings(ledger: Any) -> dict[str, Any]:
    return {
        "base_url": ledger.twin.url, "sap_client": "100", "company_codes": [ledger.company], "username": "COLLECTHUB",
    }


def b1_settings(company: Any) -> dict[str, Any]:
    return {"base_url": company.twin.url, "company_db": "SBODEMO", "username": "collecthub"}


def test_x20_a_line_block_that_never_shows_becomes_a_task(hub: Hub, ledger: Any) -> None:
    """X20 in the hub: told, accepted, read again for a quarter of an hour, then a person's."""
    ledger.load(["a"])
    settings = s4_settings(ledger) | {
        "write_customer_block": False, "write_line_block": True, "confirm_seconds": 0,
    }  # fmt: skip
    connection_id = connect(hub, "erp_sap", settings)
    pull(hub, connection_id)
    opened_cases(hub, connection_id)
    before = len(ledger.twin.control("change", {"drop": 1})["messages"])
    with hub.work() as work:
        case_id = str(work.conn.scalar(sa.select(t.cases.c.case_id)))
        change_case(hub, work, locked_case(work, case_id), [SENT], actor="test")
    report_connection(hub, connection_id)
    assert reports(hub) == [("queued", 1)]
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=14)):
        report_connection(hub, connection_id)
    assert reports(hub) == [("queued", 2)]
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=30)):
        report_connection(hub, connection_id)
    assert reports(hub) == [("failed", 3)]
    with hub.database.read() as conn:
        (task,) = conn.execute(sa.select(t.tasks.c.kind, t.tasks.c.case_id, t.tasks.c.detail))
    assert (task.kind, task.case_id) == ("report_failed", case_id)
    assert "does not show them: its reminders go on" in task.detail
    assert len(ledger.twin.control("change")["messages"]) == before + 1


def reports(hub: Hub) -> list[tuple[str, int]]:
    """State and attempts of what the creditor's system is told about a sent case."""
    with hub.database.read() as conn:
        query = sa.select(t.reports.c.state, t.reports.c.attempts).where(t.reports.c.kind == "case_sent")
        return [(row.state, row.attempts) for row in conn.execute(query)]
