"""A real pull of Exact Online's twin that is cut, or that lacks a row the ledger lists: no case pays for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from portal.vendor_hub import VendorHub, open_vendor_hub
from walk.scripted import ScriptedPlugin, World

from collecthub.engine.connection_settings import choose_divisions
from collecthub.engine.doors import connect, create_partner
from collecthub.engine.jobs import JOBS
from collecthub.engine.release import release_connection
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.exchange import AmendmentCode, CaseAmendment
from collecthub.model.partner import PartnerProfile
from collecthub.sandbox.exact_books import DEFAULT_DIVISION
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from collecthub.store.connections import Exclusions
from collecthub.store.queries.doors import RunView, connection_detail
from collecthub.store.queries.scope import LOCAL_OPERATOR

TODAY = dt.date(2026, 6, 15)
OTHER_DIVISION = DEFAULT_DIVISION + 1
RECEIVABLES = f"/api/v1/{DEFAULT_DIVISION}/read/financial/ReceivablesList"


class Ledger:
    """The creditor's books at the vendor, the hub beside them, and a partner that holds a case."""

    def __init__(self, place: VendorHub, world: World) -> None:
        self.place = place
        self.world = world
        self.connection_id = place.connect()
        place.consent(self.connection_id)
        create_partner(place.hub, PartnerProfile(partner_id="office", name="Peeters", role="bailiff", countries=("BE",)))
        with place.hub.work() as work:
            connect(
                place.hub, work, LOCAL_OPERATOR, kind="scripted_partner", name="Line", settings={}, partner_id="office"
            )
        place.work()
        release_connection(place.hub, LOCAL_OPERATOR, self.connection_id, Exclusions())
        place.work()

    def pull(self) -> RunView:
        self.place.pull(self.connection_id)
        return self.last_run

    @property
    def last_run(self) -> RunView:
        with self.place.hub.database.read() as conn:
            return connection_detail(conn, LOCAL_OPERATOR, self.connection_id).runs[0]

    @property
    def cases(self) -> dict[str, Case]:
        with self.place.hub.database.read() as conn:
            return {case.debtor.name: case for case in read_cases(conn, sa.true())}

    @property
    def recalls(self) -> int:
        amendments = [message for message in self.world.messages if isinstance(message, CaseAmendment)]
        return sum(message.code is AmendmentCode.RECALL for message in amendments)

    def next_day(self) -> None:
        """The vendor's own list is compared once a business day."""
        assert self.place.hub._day_offset is not None
        self.place.hub._day_offset += dt.timedelta(days=1)

    def forget(self, number: str) -> None:
        """What a page that was dropped long ago would have left: the hub never stored the row."""
        with self.place.hub.database.write() as conn:
            gone = conn.execute(sa.delete(t.invoices).where(t.invoices.c.number == number))
        assert gone.rowcount == 1


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_vendor_hub(tmp_path, TODAY) as place:
        world = World()
        place.hub.plugins.add("scripted", ScriptedPlugin(world))
        for number, customer, amount in (("1001", "C1", "100.00"), ("1002", "C2", "40.00"), ("1003", "C3", "7.50")):
            place.owe(number, customer, amount)
        yield Ledger(place, world)


def test_x18_a_run_that_is_cut_or_does_not_add_up_recalls_nothing(ledger: Ledger) -> None:
    assert (ledger.last_run.state, ledger.last_run.control) == ("complete", "agreed")
    assert {case.status for case in ledger.cases.values()} == {Status.SENT}

    ledger.place.exact.control("pay", {"number": "1001"})
    ledger.next_day()
    ledger.place.exact.control("faults", {"path": RECEIVABLES, "status": 500})
    assert ledger.pull().state == "incomplete"  # the ledger's own list could not be read
    case = ledger.cases["Klant C1"]
    assert (case.status, case.balance.open_principal) == (Status.SENT, Decimal("100.00"))
    assert case.held_for("payment_unconfirmed")
    assert ledger.recalls == 0

    assert (ledger.pull().state, ledger.last_run.control) == ("complete", "agreed")
    case = ledger.cases["Klant C1"]
    assert (case.status, case.holds) == (Status.RECALLING, ())
    assert ledger.recalls == 1


def test_a_row_that_got_lost_is_found_by_the_totals_and_read_anew(ledger: Ledger) -> None:
    ledger.forget("1002")
    ledger.place.exact.control("pay", {"number": "1001"})
    ledger.next_day()
    JOBS["pull"](ledger.place.hub, ledger.connection_id)
    first = ledger.last_run
    assert (first.state, first.control) == ("incomplete", "differs")
    assert first.problem == "The ERP lists 2 items with 47.50 EUR as open, the hub holds 1 item with 7.50."
    JOBS["open_cases"](ledger.place.hub, ledger.connection_id)
    assert ledger.cases["Klant C1"].status is Status.SENT
    assert ledger.recalls == 0

    ledger.place.work()  # the second pull, which the difference asked for, reads everything
    assert (ledger.last_run.state, ledger.last_run.control) == ("complete", "agreed")
    assert ledger.recalls == 1
    assert ledger.cases["Klant C2"].status is Status.SENT
    with ledger.place.hub.database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(t.invoices)) == 3


def test_a_division_that_is_left_out_later_counts_on_neither_side(ledger: Ledger) -> None:
    place = ledger.place
    place.owe("2001", "C9", "11.00", division=str(OTHER_DIVISION))
    choose_divisions(place.hub, LOCAL_OPERATOR, ledger.connection_id, [str(DEFAULT_DIVISION), str(OTHER_DIVISION)])
    ledger.next_day()
    assert (ledger.pull().state, ledger.last_run.control) == ("complete", "agreed")
    choose_divisions(place.hub, LOCAL_OPERATOR, ledger.connection_id, [str(DEFAULT_DIVISION)])
    ledger.next_day()
    assert (ledger.pull().state, ledger.last_run.control) == ("complete", "agreed")


def test_x22_a_customer_that_the_erp_anonymises_loses_his_contact_data_here(ledger: Ledger) -> None:
    place = ledger.place
    before = ledger.cases["Klant C3"]
    assert before.debtor.contacts
    place.exact.control(
        "account", {"customer_ref": "C3", "changes": {"IsAnonymised": 1, "Email": None, "Phone": None, "AddressLine1": None}}
    )
    ledger.pull()
    with place.hub.database.read() as conn:
        (case,) = read_cases(conn, t.cases.c.case_id == before.case_id)
    assert case.debtor.contacts == ()
    assert case.balance.open_principal == Decimal("7.50")
