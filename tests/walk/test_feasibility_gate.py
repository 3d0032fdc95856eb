"""What would be rejected does not leave; what is weak travels with the case; what is supplied sets it free."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa
from walk.conftest import House, connection
from walk.test_walk import accept, cases, hear, only_case, pull

from collecthub.bundled import jurisdictions
from collecthub.engine.desk import withdraw
from collecthub.engine.mandates import release_waiting, revoke, sign_mandate, watch_mandates
from collecthub.engine.transfer import ask_transfer, move_debtor
from collecthub.model.codes import Status
from collecthub.model.event import DispatchBlocked, HoldSet, RouteChosen
from collecthub.model.exchange import AckVerdict, AmendmentCode, CaseAcknowledgement, CaseAmendment, CaseFile
from collecthub.model.facts_network import FeasibilityChecked, PlacementSealed
from collecthub.model.mandate import MandateKind
from collecthub.model.partner import PartnerProfile
from collecthub.sdk import Address, Party, PartyKind
from collecthub.store import tables as t
from collecthub.store.case_log import read_events, replay
from collecthub.store.connections import (
    Exclusions,
    add_connection,
    change_connection,
    write_partner,
)
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role, Scope
from collecthub.testing.inline import run_until_idle

TODAY = dt.date(2026, 6, 15)
CREDITOR = Scope(role=Role.CREDITOR, subject="user:kroon", creditor_id="kroon")


def facts_of(house: House, kind: type) -> list[object]:
    with house.hub.database.read() as conn:
        return [event.fact for case in cases(house) for event in read_events(conn, case.case_id) if isinstance(event.fact, kind)]


def open_tasks(house: House, kind: str) -> list[tuple[str, str]]:
    with house.hub.database.read() as conn:
        query = sa.select(t.tasks.c.owner, t.tasks.c.detail).where(t.tasks.c.kind == kind, t.tasks.c.state == "open")
        return [(row.owner, row.detail) for row in conn.execute(query)]


def test_a_blocker_stops_the_hand_over_and_tells_the_creditor_what_to_supply(house: House) -> None:
    house.hub.plugins.add("jurisdictions", jurisdictions)
    with house.hub.database.write() as conn:
        change_connection(conn, "books", release=Exclusions(reminders_by="nobody"))
    house.world.parties["A"] = Party(name="Jan Maes", country="BE", kind=PartyKind.PERSON)
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = only_case(house)
    assert case.status is Status.NEEDS_INFO and house.world.messages == []
    (check,) = facts_of(house, FeasibilityChecked)
    assert isinstance(check, FeasibilityChecked) and check.occasion == "hand_over" and not check.is_feasible
    assert [one.id for one in check.findings if one.is_blocking] == ["CON-01"]
    assert "no reminder" in next(one.evidence for one in check.findings if one.is_blocking)
    (blocked,) = facts_of(house, DispatchBlocked)
    assert isinstance(blocked, DispatchBlocked) and blocked.code == "feasibility.con-01"
    ((owner, detail),) = open_tasks(house, "feasibility")
    assert owner == "creditor" and "reminder" in detail


def test_a_consumer_whose_creditor_reminds_him_goes_on_with_an_open_point(house: House) -> None:
    house.hub.plugins.add("jurisdictions", jurisdictions)
    house.world.parties["A"] = Party(name="Jan Maes", country="BE", kind=PartyKind.PERSON)
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    assert only_case(house).status is Status.SENT
    (check,) = facts_of(house, FeasibilityChecked)
    assert isinstance(check, FeasibilityChecked) and "CON-01" in check.unknown and check.is_feasible


def test_warnings_travel_with_the_case_file(house: House) -> None:
    house.world.invoice("1", "A", "2017-05-01", "100.00")
    house.world.parties["A"] = Party(name="Maes nv", country="BE", vat_ref="BE0123456788")
    pull(house)
    (sent,) = house.world.messages
    assert isinstance(sent, CaseFile) and sent.remarks.startswith("PAR-01 ")
    assert "een cijfer is fout" in sent.remarks, "its partner works in Dutch"


def test_data_that_is_supplied_sets_a_blocked_case_free(house: House) -> None:
    house.world.parties["A"] = Party(name="", country="BE")
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    assert only_case(house).status is Status.NEEDS_INFO and open_tasks(house, "feasibility")
    house.world.parties["A"] = Party(name="Maes nv", country="BE")
    with house.hub.database.write() as conn:
        conn.execute(sa.update(t.debtors).values(read_at=None))
    pull(house)
    case = only_case(house)
    assert case.status is Status.SENT and case.feasibility is not None and case.feasibility.is_feasible
    assert open_tasks(house, "feasibility") == []
    with house.hub.database.read() as conn:
        assert replay(read_events(conn, case.case_id)) == msgspec.structs.replace(case, debtor=Party(name=""))


def test_what_was_asked_so_that_a_case_can_go_on_ends_with_it(house: House) -> None:
    house.world.parties["A"] = Party(name="", country="BE")
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    assert open_tasks(house, "feasibility")
    with house.hub.work() as work:
        withdraw(house.hub, work, CREDITOR, only_case(house).case_id, reason="settled by ourselves")
    assert only_case(house).status is Status.CLOSED and open_tasks(house, "feasibility") == []


def test_a_case_in_shadow_is_checked_on_receipt(house: House) -> None:
    with house.hub.database.write() as conn:
        change_connection(conn, "books", mode="shadow")
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    (check,) = facts_of(house, FeasibilityChecked)
    assert isinstance(check, FeasibilityChecked) and check.occasion == "intake" and check.partner_id == ""
    pull(house)
    assert len(facts_of(house, FeasibilityChecked)) == 1


# --- mandates -------------------------------------------------------------------------------------


def with_needs(house: House, *needs: str) -> None:
    profile = PartnerProfile(partner_id="office", name="Office Peeters", role="bailiff", countries=("BE",), needs=needs)
    with house.hub.database.write() as conn:
        write_partner(conn, profile, house.hub.now())


def signed(house: House, kind: MandateKind, scope: Scope = LOCAL_OPERATOR, **more: object) -> str:
    with house.hub.work() as work:
        made = sign_mandate(
            work, scope, kind=kind, partner_id="office", signed_on=TODAY, signed_by="An Peeters", **more,  # type: ignore[arg-type]  # a test's shorthand
        )
    run_until_idle(house.hub)
    return made.mandate_id


def test_a_case_waits_for_its_papers_and_leaves_when_they_are_signed(house: House) -> None:
    with_needs(house, "agreement", "power_of_attorney")
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = only_case(house)
    assert case.held_for("pending_mandate") and house.world.messages == []
    (hold,) = facts_of(house, HoldSet)
    assert isinstance(hold, HoldSet) and hold.note == "agreement of office: missing; power of attorney of office: missing"
    assert {owner for owner, _ in open_tasks(house, "mandate")} == {"operator", "creditor"}
    signed(house, MandateKind.AGREEMENT)
    assert only_case(house).held_for("pending_mandate")
    signed(house, MandateKind.POWER_OF_ATTORNEY, CREDITOR, creditor_id="kroon", form="original")
    case = only_case(house)
    assert case.status is Status.SENT and not case.holds and len(house.world.messages) == 1
    assert open_tasks(house, "mandate") == []


def test_an_expired_or_revoked_paper_stops_the_next_case(house: House) -> None:
    with_needs(house, "agreement")
    paper = signed(house, MandateKind.AGREEMENT, expires_on=TODAY)
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    assert only_case(house).status is Status.SENT
    watch_mandates(house.hub)
    watch_mandates(house.hub)
    assert len(open_tasks(house, "mandate_ending")) == 1
    with house.hub.work() as work:
        revoke(work, LOCAL_OPERATOR, paper, note="the office closed")
    house.world.invoice("2", "B", "2026-05-01", "100.00")
    pull(house)
    (held,) = [case for case in cases(house) if case.held_for("pending_mandate")]
    assert held.debtor_ref == "B" and "revoked" in held.holds[0].note
    release_waiting(house.hub, "all")
    assert len([case for case in cases(house) if case.held_for("pending_mandate")]) == 1


# --- transfers ------------------------------------------------------------------------------------


def test_a_recalled_case_goes_to_the_next_holder_and_the_old_part_is_sealed(house: House) -> None:
    with house.hub.database.write() as conn:
        second = PartnerProfile(partner_id="second", name="Office Claes", role="bailiff", countries=("BE",))
        write_partner(conn, second, house.hub.now())
        add_connection(conn, connection("line2", "scripted_partner", "partner", "second", house.hub.now()))
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    accept(house)
    with house.hub.work() as work:
        ask_transfer(house.hub, work, LOCAL_OPERATOR, only_case(house).case_id, reason="recalled", text="too slow")
    run_until_idle(house.hub)
    case = only_case(house)
    recall = house.world.messages[-1]
    assert case.status is Status.RECALLING and isinstance(recall, CaseAmendment) and recall.code is AmendmentCode.RECALL
    assert len([one for one in house.world.messages if isinstance(one, CaseFile)]) == 1, "the next waits for the stop"
    confirmed = CaseAcknowledgement(
        message_id="stop-1", case_id=case.case_id, holder_ref="D-7", in_reply_to=recall.message_id,
        verdict=AckVerdict.ACCEPTED, occurred_at=house.hub.now(),
    )  # fmt: skip
    house.world.say("stop", confirmed)
    hear(house)
    case = only_case(house)
    assert case.status is Status.SENT and case.placement is not None and case.placement.partner_id == "second"
    assert case.transfer is None and [one.partner_id for one in case.past_placements] == ["office"]
    (seal,) = facts_of(house, PlacementSealed)
    assert isinstance(seal, PlacementSealed) and seal.partner_id == "office"
    first, again = [one for one in house.world.messages if isinstance(one, CaseFile)]
    assert (first.claims, first.debtors, first.principal) == (again.claims, again.debtors, again.principal)
    chosen = facts_of(house, RouteChosen)[-1]
    assert isinstance(chosen, RouteChosen)
    tried = next(one for one in chosen.options if one.partner_id == "office")
    assert (tried.standing, tried.reason) == ("rejected", "it had this case and did not take it")


def test_a_debtor_who_moves_abroad_is_chased_there_and_nothing_is_typed_twice(house: House) -> None:
    with house.hub.database.write() as conn:
        abroad = PartnerProfile(partner_id="faro", name="Agência Faro", role="agency", countries=("PT",))
        write_partner(conn, abroad, house.hub.now())
        add_connection(conn, connection("line-pt", "scripted_partner", "partner", "faro", house.hub.now()))
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    accept(house)
    there = Address(lines=("Rua 1",), postcode="8000-123", city="Faro", country="PT")
    with house.hub.work() as work:
        (moved,) = move_debtor(house.hub, work, LOCAL_OPERATOR, only_case(house).case_id, address=there)
    assert moved.debtor.country == "PT" and moved.transfer is not None and moved.transfer.reason == "debtor_moved"
    run_until_idle(house.hub)
    recall = house.world.messages[-1]
    confirmed = CaseAcknowledgement(
        message_id="stop-2", case_id=moved.case_id, holder_ref="D-7", in_reply_to=recall.message_id,  # type: ignore[attr-defined]  # an amendment
        verdict=AckVerdict.ACCEPTED, occurred_at=house.hub.now(),
    )  # fmt: skip
    house.world.say("stop", confirmed)
    hear(house)
    case = only_case(house)
    assert case.placement is not None and (case.placement.partner_id, case.status) == ("faro", Status.SENT)
    first, again = [one for one in house.world.messages if isinstance(one, CaseFile)]
    assert again.debtors[0].address == there and again.claims == first.claims and again.creditor == first.creditor
    checks = facts_of(house, FeasibilityChecked)
    assert [one.partner_id for one in checks if isinstance(one, FeasibilityChecked)][-1] == "faro"


def test_a_refused_case_is_checked_anew_for_the_next_holder_and_waits_for_its_mandate(house: House) -> None:
    house.hub.plugins.add("jurisdictions", jurisdictions)
    with house.hub.database.write() as conn:
        second = PartnerProfile(partner_id="second", name="Office Claes", role="bailiff", countries=("BE",), needs=("agreement",))
        write_partner(conn, second, house.hub.now())
        add_connection(conn, connection("line2", "scripted_partner", "partner", "second", house.hub.now()))
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    (first,) = [one for one in house.world.messages if isinstance(one, CaseFile)]
    refused = CaseAcknowledgement(
        message_id="no-1", case_id=only_case(house).case_id, in_reply_to=first.message_id, verdict=AckVerdict.REFUSED,
        reason="no capacity", reason_code="capacity", occurred_at=house.hub.now(),
    )  # fmt: skip
    house.world.say("no", refused)
    hear(house)
    case = only_case(house)
    assert case.held_for("pending_mandate") and len(house.world.messages) == 1, "nothing leaves without the next one's papers"
    (seal,) = facts_of(house, PlacementSealed)
    assert isinstance(seal, PlacementSealed) and seal.partner_id == "office"
    checks = facts_of(house, FeasibilityChecked)
    assert [one.partner_id for one in checks if isinstance(one, FeasibilityChecked)][-1] == "second"
    with house.hub.work() as work:
        sign_mandate(
            work, LOCAL_OPERATOR, kind=MandateKind.AGREEMENT, partner_id="second", signed_on=TODAY, signed_by="An Claes"
        )
    run_until_idle(house.hub)
    case = only_case(house)
    assert case.placement is not None and (case.placement.partner_id, case.status) == ("second", Status.SENT)
    again = house.world.messages[-1]
    assert isinstance(again, CaseFile) and (again.claims, again.debtors) == (first.claims, first.debtors)
