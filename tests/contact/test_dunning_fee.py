"""A reminder costs the debtor what was agreed, where his country's law allows it; else the article is kept and nothing is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from web.office import Office

from collecthub.law.atlas.facts import Fact, Topic
from collecthub.law.basis import Evidence
from collecthub.law.dunning import reminder_fee
from collecthub.law.packs import bundled_law
from collecthub.law.steps import Step, StepQuestion
from collecthub.model.charging import ChargePolicy
from collecthub.model.facts_money import ChargeRefused
from collecthub.model.ledger import LineKind
from collecthub.store.case_log import read_events, read_lines
from collecthub.store.connections import read_creditor, write_creditor
from contact.conftest import Later

Mails = Callable[[str], list[dict[str, Any]]]
DUE = dt.date(2026, 6, 1)


def charge(office: Office, fee: str) -> None:
    with office.hub.work() as work:
        row = read_creditor(work.conn, "kroon")
        assert row is not None
        playbook = msgspec.structs.replace(row.playbook, charges=ChargePolicy(dunning_fee=Decimal(fee)))
        write_creditor(work.conn, msgspec.structs.replace(row, playbook=playbook), work.now)


def case_with(office: Office, email: str, number: str, **debtor: Any) -> str:
    claims = [{"number": number, "issued_on": "2026-05-01", "due_on": "2026-06-14", "amount": "120.50"}]
    body = {"name": "Zoé Peeters", "country": "BE", "email": email, "language": "fr", **debtor}
    return str(office.open_case(debtor=body, claims=claims)["case_id"])


def test_the_second_reminder_bears_the_fee_and_says_so(office: Office, later: Later, mails: Mails) -> None:
    """Consumers in Belgium: the first is free, a later one at most 7.50 (CEL XIX.2); what is above is not asked."""
    charge(office, "7.50")
    lawful_id = case_with(office, "lawful@example.org", "F-1", kind="person")
    later(office, 4)
    assert [line.kind for line in lines(office, lawful_id)] == [LineKind.PRINCIPAL]
    charge(office, "9.00")
    dear_id = case_with(office, "dear@example.org", "F-2", kind="person")
    later(office, 3)
    charge(office, "7.50")
    later(office, 2)
    lawful = [line for line in lines(office, lawful_id) if line.kind is LineKind.DUNNING_FEE]
    assert [(str(line.amount), line.reference) for line in lawful] == [("7.50", "be.later_reminder")]
    assert "128,00" in mails("lawful@example.org")[1]["text"]
    charge(office, "9.00")
    later(office, 5)
    dear = [line for line in lines(office, dear_id) if line.kind is LineKind.DUNNING_FEE]
    assert dear == [] and len(mails("dear@example.org")) == 2 and "120,50" in mails("dear@example.org")[1]["text"]
    with office.hub.database.read() as conn:
        refused = [event.fact for event in read_events(conn, dear_id) if isinstance(event.fact, ChargeRefused)]
    assert [(str(one.amount), one.article) for one in refused] == [("9.00", "CEL XIX.2")]


def lines(office: Office, case_id: str) -> list[Any]:
    with office.hub.database.read() as conn:
        return read_lines(conn, case_id)


def known(code: str, value: str = "said") -> Fact:
    return Fact(topic=Topic.CHARGEABLE_FEES, code=code, value=value, evidence=Evidence.VERIFIED, source="s")


@pytest.mark.parametrize("country, segment, fact, asked, amount, says", [
    ("FI", "B2C", known("limited"), "9.00", "5.00", ""),  # Finland: 5 for a reminder to a consumer
    ("FI", "B2C", known("limited"), "3.00", "3.00", ""),
    ("DK", "B2B", known("limited"), "9.00", "0", "the fee of a reminder is set in DKK"),
    ("FR", "B2B", known("none", "amicable costs stay with the creditor"), "9.00", "0", "amicable costs stay"),
    ("IT", "B2B", known("contract"), "9.00", "9.00", ""),
    ("DE", "B2B", known("limited"), "9.00", "0", "the limit is not stored here"),
    ("ZZ", "B2B", None, "9.00", "0", "nobody knows here whether ZZ allows it"),
])  # fmt: skip
def test_the_law_of_each_country_has_the_last_word(
    country: str, segment: str, fact: Fact | None, asked: str, amount: str, says: str
) -> None:
    law = None if country == "ZZ" else bundled_law(country)
    question = StepQuestion(
        step=Step.REMIND, on=dt.date(2026, 6, 24), segment=segment, principal=Decimal("120.50"), due_on=DUE,
        claimed=Decimal(asked), is_collector=False,
    )  # fmt: skip
    fee = reminder_fee(law, country, fact, question, "EUR")
    assert (fee.amount, says in fee.reason, bool(fee.reason)) == (Decimal(amount), True, bool(says))
