"""Pains of rival tools that show between an ERP, the hub and partners, by their number in the list of requirements."""

from __future__ import annotations

import msgspec
from walk.conftest import House, connection
from walk.test_walk import cases, only_case, pull

from collecthub.corridor.decide import timers
from collecthub.engine.transfer import move_debtor
from collecthub.model.case import Case
from collecthub.model.partner import PartnerProfile
from collecthub.sdk import Address, Contact, Party, PartyKind
from collecthub.store.case_log import read_events
from collecthub.store.connections import add_connection, write_partner
from collecthub.store.queries.scope import LOCAL_OPERATOR

OLD = Address(lines=("Markt 1",), postcode="9000", city="Gent", country="BE")
NEW = Address(lines=("Kouter 5",), postcode="8000", city="Brugge", country="BE")
NEWER = Address(lines=("Dok 2",), postcode="2000", city="Antwerpen", country="BE")


def read_anew(house: House, address: Address, phone: str) -> Case:
    """The ERP says that the customer changed; a night later."""
    house.world.parties["A"] = Party(
        name="Debtor A", country="BE", kind=PartyKind.COMPANY, address=address, contacts=(Contact(phone=phone),)
    )
    house.world.changed_debtors = ["A"]
    pull(house)
    return only_case(house)


def test_pain_22_a_nightly_pull_does_not_overwrite_what_a_person_entered(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    house.world.parties["A"] = Party(name="Debtor A", country="BE", kind=PartyKind.COMPANY, address=OLD)
    pull(house)
    with house.hub.work() as work:
        move_debtor(house.hub, work, LOCAL_OPERATOR, only_case(house).case_id, address=NEW)
    kept = read_anew(house, OLD, "+32 9 1")  # only the phone number is new there
    assert (kept.debtor.address, kept.debtor.contacts[0].phone) == (NEW, "+32 9 1")
    assert read_anew(house, OLD, "+32 9 2").debtor.address == NEW  # and every night after
    assert read_anew(house, NEWER, "+32 9 2").debtor.address == NEWER  # the ERP heard of another move
    assert read_anew(house, OLD, "+32 9 2").debtor.address == OLD  # from then on its word counts again


def test_pain_22_contact_data_is_refreshed_after_the_invoice_was_paid_too(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    house.world.rows = [msgspec.structs.replace(row, open_amount=row.amount - row.amount) for row in house.world.rows]
    assert read_anew(house, NEW, "+32 9 1").debtor.address == NEW


def test_pain_7_a_foreign_case_has_the_same_clocks_and_the_same_history(house: House) -> None:
    with house.hub.database.write() as conn:
        abroad = PartnerProfile(partner_id="faro", name="Agência Faro", role="agency", countries=("PT",))
        write_partner(conn, abroad, house.hub.now())
        add_connection(conn, connection("line-pt", "scripted_partner", "partner", "faro", house.hub.now()))
    for ref, debtor, country in (("1", "A", "BE"), ("2", "B", "PT")):
        house.world.invoice(ref, debtor, "2026-05-01", "100.00")
        house.world.parties[debtor] = Party(name=f"Debtor {debtor}", country=country, kind=PartyKind.COMPANY)
    pull(house)
    home, foreign = sorted(cases(house), key=lambda case: case.debtor_ref)
    assert home.placement is not None and foreign.placement is not None
    assert (home.placement.partner_id, foreign.placement.partner_id) == ("office", "faro")
    assert clocks(home) == clocks(foreign) != []
    with house.hub.database.read() as conn:
        told = [[type(event.fact).__name__ for event in read_events(conn, one.case_id)] for one in (home, foreign)]
    assert told[0] == told[1]


def clocks(case: Case) -> list[tuple[str, int]]:
    """What is waited for, and how many days."""
    return sorted((timer.kind, (timer.due_at - case.opened_at).days) for timer in timers(case))
