"""Charges in a case's ledger: shown for every day, booked when the playbook says so, told to those who should know."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from walk.scripted import World
from web.office import TODAY, Office

from collecthub.engine.balance import BalanceAt, balance_at
from collecthub.engine.desk import record_payment, withdraw
from collecthub.engine.statement import StatementQuestion, issue_statement, statement
from collecthub.engine.verify import verify
from collecthub.errors import PermanentError
from collecthub.formats.promises import broken_promises
from collecthub.model.charging import ChargePolicy, Charging
from collecthub.model.exchange import CaseFile
from collecthub.model.ledger import LineKind
from collecthub.store.case_log import read_events, read_lines
from collecthub.store.connections import read_creditor, write_creditor
from collecthub.store.queries.scope import LOCAL_OPERATOR, NotThereError, Role, Scope

COMPANY = {"name": "Garage Nord", "country": "BE", "kind": "company", "language": "fr"}
# 10,000 due 2026-03-31; until 2026-06-15 are 76 days at 10.5%: 218.6301.
CLAIM = {"number": "F-1", "due_on": "2026-03-31", "amount": "10000.00"}


def charge(office: Office, **policy: Any) -> None:
    with office.hub.database.write() as conn:
        row = read_creditor(conn, "kroon")
        assert row is not None
        playbook = msgspec.structs.replace(row.playbook, charges=ChargePolicy(**policy))
        write_creditor(conn, msgspec.structs.replace(row, playbook=playbook), office.hub.now())


def opened(office: Office, **changes: Any) -> str:
    body = {"debtor": COMPANY, "claims": [CLAIM], "currency": "EUR"} | changes
    return str(office.open_case(**body)["case_id"])


def look(office: Office, case_id: str, at: dt.date = TODAY, scope: Scope = LOCAL_OPERATOR) -> BalanceAt:
    with office.hub.database.read() as conn:
        found = balance_at(office.hub, conn, scope, case_id, at)
    assert found.total == found.reckoning.account.total == found.booked.total + found.accrued_total
    return found


def pay(office: Office, case_id: str, amount: str, on: str = "2026-06-15") -> None:
    with office.hub.work() as work:
        record_payment(
            office.hub, work, LOCAL_OPERATOR, case_id, amount=Decimal(amount), paid_on=dt.date.fromisoformat(on)
        )


def kinds(office: Office, case_id: str) -> list[str]:
    with office.hub.database.read() as conn:
        return [event.kind for event in read_events(conn, case_id)]


def test_interest_is_shown_for_every_day_and_booked_by_nobody(office: Office) -> None:
    case_id = opened(office)
    found = look(office, case_id)
    assert (found.booked.total, found.accrued_total, found.total) == (
        Decimal("10000.00"), Decimal("258.63"), Decimal("10258.63"),
    )  # fmt: skip
    assert found.reckoning.per_day == Decimal("2.8767")
    assert (found.reckoning.governing.country, found.reckoning.charging) == ("BE", Charging.SHOWN)
    assert look(office, case_id, dt.date(2026, 6, 14)).total == Decimal("0.00")  # the case was opened on the 15th
    assert "charges_fixed" not in kinds(office, case_id)


def test_a_playbook_that_asks_for_the_principal_only_counts_nothing(office: Office) -> None:
    charge(office, charging=Charging.NONE)
    found = look(office, opened(office))
    assert found.total == Decimal("10000.00") and found.reckoning.notes[0] == "the creditor asks for the principal only"


def test_a_payment_books_what_had_grown_and_settles_it_first(office: Office) -> None:
    charge(office, charging=Charging.BOOKED)
    case_id = opened(office)
    pay(office, case_id, "1000.00")
    found = look(office, case_id)
    assert found.accrued_total == 0 and found.total == Decimal("9258.63")
    assert [(one.part.value, str(one.amount)) for one in found.reckoning.account.allocations[0].portions] == [
        ("compensation", "40.00"), ("interest", "218.63"), ("principal", "741.37"),
    ]  # fmt: skip
    with office.hub.database.read() as conn:
        lines = read_lines(conn, case_id)
    assert [(line.kind, str(line.amount), line.reference) for line in lines if line.origin == "hub"] == [
        (LineKind.INTEREST, "218.63", "be.interest.b2b.2013"), (LineKind.COMPENSATION, "40.00", "be.compensation.b2b"),
    ]  # fmt: skip
    assert verify(office.hub)[1] == ()


def test_what_the_erp_should_show_looks_at_the_principal_alone(office: Office) -> None:
    charge(office, charging=Charging.BOOKED)
    case_id = opened(office)
    pay(office, case_id, "1000.00")
    steps = {step.what: step.amount for step in look(office, case_id).erp}
    assert steps["the ERP should show open"] == Decimal("10000.00")  # the ERP has not seen the payment yet
    assert steps["paid to the creditor"] == Decimal("-1000.00")


def test_a_paid_principal_closes_the_case_and_the_rest_is_given_up_or_kept(office: Office) -> None:
    charge(office, charging=Charging.BOOKED)
    case_id = opened(office)
    pay(office, case_id, "10000.00")
    assert kinds(office, case_id)[-3:] == ["case_closed", "charges_fixed", "charges_waived"]
    found = look(office, case_id)
    assert (found.booked.interest, found.booked.compensation, found.total) == (Decimal(0), Decimal(0), Decimal(0))
    charge(office, charging=Charging.BOOKED, keeps_rest=True)
    kept = opened(office, claims=[{**CLAIM, "number": "F-2"}])
    pay(office, kept, "10000.00")
    left = look(office, kept)
    assert left.total == Decimal("258.63") and left.reckoning.account.sum_of("open_principal") == Decimal("258.63")
    assert verify(office.hub)[1] == ()


def test_an_ended_case_that_was_not_paid_keeps_its_charges(office: Office) -> None:
    charge(office, charging=Charging.BOOKED)
    case_id = opened(office)
    with office.hub.work() as work:
        withdraw(office.hub, work, LOCAL_OPERATOR, case_id, reason="sold")
    assert look(office, case_id).booked.total == Decimal("10258.63")


def test_the_law_that_was_agreed_and_the_law_of_the_consumer(office: Office) -> None:
    german = {"name": "Müller GmbH", "country": "DE", "kind": "company"}
    assert look(office, opened(office, debtor=german)).reckoning.governing.country == "BE"
    charge(office, law_country="DE")
    found = look(office, opened(office, debtor=german, claims=[{**CLAIM, "number": "F-3"}])).reckoning
    assert (found.governing.country, found.account.rule.article) == ("DE", "BGB 367(1)")
    charge(office)
    person = {"name": "Erika Muster", "country": "DE", "kind": "person"}
    consumer = look(office, opened(office, debtor=person, claims=[{**CLAIM, "number": "F-4"}])).reckoning
    assert consumer.governing.country == "DE" and "Rome I, art. 6" in consumer.governing.reason


def test_a_country_without_a_pack_counts_nothing_and_says_so(office: Office) -> None:
    charge(office, law_country="UY")
    found = look(office, opened(office))
    assert found.total == Decimal("10000.00") and found.reckoning.notes


def test_a_debtor_who_pays_what_is_asked_is_settled_though_nothing_was_booked(office: Office) -> None:
    case_id = opened(office)
    with pytest.raises(PermanentError, match="only 10258.63 EUR is owed"):
        pay(office, case_id, "10258.64")
    pay(office, case_id, "10258.63")
    told = kinds(office, case_id)
    assert told.index("charges_fixed") < told.index("payment_recorded") < told.index("case_closed")
    found = look(office, case_id)
    assert (found.total, found.accrued_total) == (Decimal(0), Decimal(0))
    with office.hub.database.read() as conn:
        payments = [line.amount for line in read_lines(conn, case_id) if line.kind is LineKind.PAYMENT]
    assert payments == [Decimal("10000.00"), Decimal("258.63")]  # the ERP will find the first; the second is interest
    assert verify(office.hub)[1] == ()


# --- statements -----------------------------------------------------------------------------------


def issue(office: Office, case_id: str, **more: Any) -> None:
    question = StatementQuestion(**{"case_id": case_id, "audience": "debtor", "until": TODAY, **more})
    with office.hub.work() as work:
        issue_statement(office.hub, work, LOCAL_OPERATOR, question)


def test_a_statement_that_is_given_out_fixes_what_it_said(office: Office) -> None:
    case_id = opened(office)
    issue(office, case_id)
    assert kinds(office, case_id)[-2:] == ["charges_fixed", "statement_issued"]
    assert look(office, case_id).booked.total == Decimal("10258.63")
    issue(office, case_id)
    assert kinds(office, case_id)[-2:] == ["statement_issued", "statement_issued"]  # nothing is booked twice
    with pytest.raises(PermanentError, match="up to 2026-06-15"):
        issue(office, case_id, until=TODAY - dt.timedelta(days=1))
    with pytest.raises(PermanentError, match="lies ahead"):
        issue(office, case_id, until=TODAY + dt.timedelta(days=1))
    # Whoever was asked for interest may pay it, and the rest is settled to the cent.
    pay(office, case_id, "258.63")
    assert look(office, case_id).reckoning.account.sum_of("open_principal") == Decimal("10000.00")


def test_a_statement_is_written_for_its_reader(office: Office) -> None:
    case_id = opened(office)
    with office.hub.database.read() as conn:
        debtor, creditor, partner = (
            statement(office.hub, conn, LOCAL_OPERATOR, StatementQuestion(case_id=case_id, audience=reader, until=TODAY))
            for reader in ("debtor", "creditor", "partner")
        )
    assert (debtor.language, creditor.language) == ("fr", "en")
    assert debtor.parts == (
        ("principal", Decimal("10000.00")), ("interest", Decimal("218.63")), ("compensation", Decimal("40.00")),
    )  # fmt: skip
    assert sum((amount for _, amount in debtor.parts), Decimal(0)) == debtor.total
    assert debtor.reference.startswith("+++") and not partner.reference
    assert [title for title, _ in creditor.sides] == ["erp"] and not debtor.sides
    with pytest.raises(PermanentError, match="no statement in 'xx'"):
        issue(office, case_id, language="xx")


def test_a_stranger_sees_no_account(office: Office) -> None:
    case_id = opened(office)
    stranger = Scope(role=Role.CREDITOR, subject="key:x", creditor_id="other")
    with pytest.raises(NotThereError):
        look(office, case_id, scope=stranger)
    assert office.client("other").get(f"/api/v1/cases/{case_id}/account").status_code == 404
    assert office.client("stranger").get(f"/api/v1/cases/{case_id}/statement").status_code == 404
    found = office.client("kroon").get(f"/api/v1/cases/{case_id}/account", params={"at": "2026-06-15"}).json()
    assert (found["total"], found["reckoning"]["account"]["rule"]["id"]) == ("10258.63", "be.allocation.2023")
    paper = office.client("kroon").get(f"/api/v1/cases/{case_id}/statement", params={"format": "csv", "language": "nl"})
    assert paper.status_code == 200 and "Verschuldigd" in paper.text and "10258.63" in paper.text


def test_the_holder_is_told_what_the_account_says(office: Office, world: World) -> None:
    """Interest terms and totals of the case file are those of the account; where charges are only shown to people, the
    holder is asked for the principal alone and told no terms of interest."""
    charge(office, charging=Charging.BOOKED)
    case_id = opened(office)
    office.run()
    (told,) = (message for message in world.messages if isinstance(message, CaseFile))
    totals = told.totals
    assert totals is not None and (totals.principal, totals.interest, totals.surcharges, totals.total) == (
        Decimal("10000.00"), Decimal("218.63"), Decimal("40.00"), look(office, case_id).total,
    )  # fmt: skip
    ((term,),) = (claim.interest for claim in told.claims)
    assert (term.rate_percent, term.from_on, term.accrued_amount, term.legal_basis) == (
        Decimal("10.5"), dt.date(2026, 4, 1), Decimal("218.63"), "be.interest.b2b.2013",
    )  # fmt: skip
    assert [problem for record in (told, totals, term) for problem in broken_promises(record)] == []
    charge(office, charging=Charging.SHOWN)
    opened(office, claims=[{**CLAIM, "number": "F-3"}])
    office.run()
    silent = world.messages[-1]
    assert isinstance(silent, CaseFile) and silent.message_id != told.message_id
    totals = silent.totals
    assert totals is not None and (totals.principal, totals.interest, totals.surcharges, totals.total) == (
        Decimal("10000.00"), 0, 0, Decimal("10000.00"),
    )  # fmt: skip
    assert [claim.interest for claim in silent.claims] == [()]
    assert [problem for record in (silent, totals) for problem in broken_promises(record)] == []
