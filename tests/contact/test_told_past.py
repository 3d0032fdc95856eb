"""What the next holder is told of a case's past, read from the words that were sent: titles, orders, earlier reminders."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from human.test_proceedings import act
from lxml import etree
from web.office import Office, change, connection

from collecthub.bundled import solvency
from collecthub.cli.case_export import case_exchange
from collecthub.engine.intake import intake_connection_id
from collecthub.engine.partner_offers import offered_file
from collecthub.formats.xml import XmlFormat
from collecthub.model.contact import Channel, ContactPolicy, ContactStep, Tone
from collecthub.model.exchange import CaseFile, DunningStep, OrderItem, Procedure, TitleItem
from collecthub.model.partner import PartnerProfile
from collecthub.store import tables as t
from collecthub.store.connections import add_connection, write_partner
from collecthub.store.erp_tables import own_reminders
from collecthub.store.queries.scope import Role, Scope
from contact.conftest import Later, agree
from contact.test_course import case_of

SCHEMA = Path(__file__).parents[2] / "schemas" / "case-exchange-1.0.xsd"
ONE_MAIL = ContactPolicy(
    name="one mail", handover_after_days=6,
    steps=(ContactStep(name="reminder 1", after_days=3, channel=Channel.EMAIL, tone=Tone.FRIENDLY),),
)  # fmt: skip


def post(office: Office, path: str, **body: Any) -> None:
    response = office.client("kroon").post(f"/api/v1/cases/{path}", json=body, headers=change())
    assert response.status_code == 200, response.text


def opened(office: Office, name: str, number: str) -> str:
    """A company that has owed much for long: its case goes to a lawyer."""
    debtor = {"name": f"Café {name} BV", "country": "BE", "email": f"{name}@example.org", "language": "fr"}
    claims = [{"number": number, "issued_on": "2025-12-16", "due_on": "2026-01-15", "amount": "26000.00"}]
    return str(office.open_case(debtor=debtor, claims=claims)["case_id"])


def sent(office: Office, case_id: str) -> CaseFile:
    """The case file in the words that were kept when it left, which the published schema accepts."""
    exchange = case_exchange(office.hub, case_id)
    with office.hub.database.read() as conn:
        kept = conn.scalars(sa.select(t.envelopes.c.envelope_id)).all()
    assert exchange.exchange_id in kept, "these are the words that left, not those of today"
    content = XmlFormat().encode(exchange)
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    assert schema.validate(etree.fromstring(content)), schema.error_log
    (message,) = XmlFormat().decode(content).messages
    assert isinstance(message, CaseFile) and message == exchange.messages[0]
    return message


def erp_tells(office: Office, case_id: str, level: int, on: dt.date) -> None:
    """The ERP reminded by itself; kept as a pull keeps it."""
    (claim,) = case_of(office, case_id).claims
    row = {"connection_id": intake_connection_id("kroon"), "item_ref": claim.claim_id, "level": level, "creditor_id": "kroon"}
    with office.hub.database.write() as conn:
        conn.execute(sa.insert(own_reminders).values({**row, "dunned_on": on}))


@pytest.fixture
def lawyer(office: Office) -> Office:
    """A creditor who agreed to one e-mail, and a lawyer beside the bailiff."""
    agree(office.hub, ONE_MAIL)
    office.hub.plugins.add("solvency", solvency)
    now = office.hub.now()
    with office.hub.database.write() as conn:
        profile = PartnerProfile(partner_id="chambers", name="Chambers", role="lawyer", countries=("BE",))
        write_partner(conn, profile, now)
        add_connection(conn, connection("bar", "scripted_partner", "partner", None, "chambers", now))
    return office


def judged(office: Office, case_id: str, **begun: str) -> None:
    """The creditor allows a summons, and the court gives judgment on it."""
    approved(office, case_id, "judicial", "600.00")
    post(office, f"{case_id}/proceedings/begin", kind="judicial", authority="Vredegerecht Gent", **begun)
    for name in ("serve", "set_hearing", "give_judgment", "issue_copy"):
        act(office, case_id, name)


def approved(office: Office, case_id: str, kind: str, cap: str, *, is_given: bool = True) -> None:
    post(office, f"{case_id}/proceedings/approvals", kind=kind, estimate="10.00", cap=cap, reason="needed")
    post(office, f"{case_id}/proceedings/approval-decisions", is_given=is_given, reason="so be it")


def test_the_next_holder_is_told_of_titles_orders_and_reminders(lawyer: Office, later: Later) -> None:
    """The creditor's own reminder, the hub's e-mail, a judgment, and the procedure that the creditor allowed.

    Of the other case nothing is made up: a judgment without its file number is no title, a refusal is no order.
    """
    case_id, bare = opened(lawyer, "told", "F-77"), opened(lawyer, "bare", "F-78")
    erp_tells(lawyer, case_id, 3, dt.date(2026, 6, 15))
    later(lawyer, 3)
    judged(lawyer, case_id, reference="26A417")
    approved(lawyer, case_id, "undisputed", "120.00")
    judged(lawyer, bare)
    approved(lawyer, bare, "undisputed", "20.00", is_given=False)
    later(lawyer, 4)
    told = sent(lawyer, case_id)
    assert told.procedure is Procedure.JUDICIAL
    assert told.titles == (
        TitleItem(kind="judgment", authority="Vredegerecht Gent", file_ref="26A417", dated_on=dt.date(2026, 6, 18)),
    )
    assert told.orders == (OrderItem(code="undisputed_procedure", text="De schuldeiser stond kosten toe tot €\xa0120,00."),)
    mail = DunningStep(level=4, sent_on=dt.date(2026, 6, 16), channel="email", reference="reminder 1")
    assert told.dunning_steps == (DunningStep(level=3, sent_on=dt.date(2026, 6, 15), reference="F-77"), mail)
    assert told.dunning_level == 4
    scope = Scope(role=Role.PARTNER, subject="chambers", partner_id="chambers")
    with lawyer.hub.database.read() as conn:
        _, shown, _ = offered_file(conn, scope, case_id)
    assert (shown.titles, shown.orders, shown.dunning_steps) == (told.titles, told.orders, told.dunning_steps)
    other = sent(lawyer, bare)
    assert (other.titles, other.orders) == ((), ())
    assert [step.level for step in other.dunning_steps] == [1]
