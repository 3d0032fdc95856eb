"""What costs a debtor is asked of the law first: reminders start the consumer's clock, the article stops what comes too early."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import itertools
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from web.office import Office, change

from collecthub.bundled import solvency
from collecthub.engine.case_law import obstacles_now, told
from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.partner_costs import check_cost
from collecthub.errors import QuarantineError
from collecthub.law.steps import Step
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.contact import Channel
from collecthub.model.event import DispatchBlocked, Fact, HoldReleased, HoldSet
from collecthub.model.exchange import CostBearer, CostStatement
from collecthub.model.facts_contact import ContactMade
from collecthub.model.facts_money import ChargeItem, ChargeKind, ChargesFixed
from collecthub.model.partner import PartnerProfile, Veto
from collecthub.sdk import hookimpl
from collecthub.store.case_log import read_case, read_events
from money.test_case_charges import look

PERSON = {"name": "Jan Peeters", "country": "BE", "kind": "person"}
_numbers = itertools.count(1)
TODAY = dt.date(2026, 6, 15)  # a Monday


def invoice(amount: str) -> dict[str, str]:
    return {"number": f"F-{next(_numbers)}", "due_on": "2026-03-31", "amount": amount}


def note(office: Office, case_id: str, *facts: Fact) -> Case:
    with office.hub.work() as work:
        return change_case(office.hub, work, locked_case(work, case_id), facts, actor="hub")


def mailed(channel: Channel = Channel.EMAIL) -> ContactMade:
    return ContactMade(
        contact_id=f"c-{next(_numbers)}", step="reminder", channel=channel, asked=Decimal("1200.00"), language="nl", receipt_ref="r"
    )


def held(office: Office, **debtor: Any) -> str:
    """A consumer's case that nobody hands over yet."""
    case_id = str(office.open_case(debtor={**PERSON, **debtor}, claims=[invoice("1200.00")], currency="EUR")["case_id"])
    note(office, case_id, HoldSet(reason="other"))
    return case_id


def read(office: Office, case_id: str) -> Case:
    with office.hub.database.read() as conn:
        found = read_case(conn, case_id)
    assert found is not None
    return found


def test_the_hubs_own_reminder_starts_the_fourteen_days(one_office: Office) -> None:
    """E-mail on 15 June: 16 to 29 June are free; from 30 June a clause of 65 + 35 and interest since the 16th.

    No clause on interest is known, so the civil legal rate of 4.5% counts: 15 days on 1,200.00 are 2.219.
    """
    case_id = held(one_office)
    assert look(one_office, case_id, dt.date(2026, 6, 30)).total == Decimal("1200.00")
    note(one_office, case_id, mailed())
    assert look(one_office, case_id, dt.date(2026, 6, 29)).total == Decimal("1200.00")
    after = look(one_office, case_id, dt.date(2026, 6, 30))
    (claim,) = after.reckoning.account.claims
    assert (claim.compensation, claim.interest) == (Decimal("100.00"), Decimal("2.22"))
    by_api = one_office.client("kroon").get(f"/api/v1/cases/{case_id}/law?until=2026-06-30").json()
    assert (by_api["interest"], by_api["compensation"]) == ("2.22", {"EUR": "100.00"})


def test_a_call_is_no_reminder_and_a_letter_is_counted_from_the_third_working_day(one_office: Office) -> None:
    case_id = held(one_office)
    note(one_office, case_id, mailed(Channel.PHONE))
    assert look(one_office, case_id, dt.date(2026, 6, 30)).total == Decimal("1200.00")
    note(one_office, case_id, mailed(Channel.LETTER))  # counted from 18 June: free until 1 July
    assert look(one_office, case_id, dt.date(2026, 7, 1)).total == Decimal("1200.00")
    assert look(one_office, case_id, dt.date(2026, 7, 2)).total > Decimal("1300.00")


def test_one_law_answers_everywhere_across_a_border(one_office: Office) -> None:
    case_id = str(one_office.open_case(debtor={"name": "Müller GmbH", "country": "DE"}, claims=[invoice("1200.00")])["case_id"])
    account = look(one_office, case_id)
    by_api = one_office.client("kroon").get(f"/api/v1/cases/{case_id}/law").json()
    assert (account.reckoning.governing.country, by_api["country"]) == ("BE", "BE")
    assert Decimal(by_api["interest"]) == account.reckoning.account.sum_of("interest")
    german = one_office.client("kroon").get(f"/api/v1/cases/{case_id}/law?country=DE").json()
    assert german["country"] == "DE" and german["interest"] != by_api["interest"]


def test_a_hand_over_that_asks_too_much_waits_with_the_article_for_its_day(one_office: Office) -> None:
    case_id = held(one_office)
    clause = ChargeItem(kind=ChargeKind.COMPENSATION, amount=Decimal("100.00"), from_on=TODAY, to_on=TODAY, rule="clause")
    note(one_office, case_id, mailed(), ChargesFixed(until=TODAY, reason="request", items=(clause,)))
    note(one_office, case_id, HoldReleased(reason="other"))
    one_office.run()
    case = read(one_office, case_id)
    (hold,) = case.holds
    assert (hold.reason, hold.until_on, case.placement) == ("unlawful_step", dt.date(2026, 6, 30), None)
    assert hold.note.startswith("CEL XIX.2: the debtor may pay without more until 2026-06-29")


def test_enforcement_without_a_title_ends_with_the_article(one_office: Office) -> None:
    one_office.hub.plugins.add("solvency", solvency)
    case_id = str(one_office.open_case(debtor={"name": "Traag NV", "country": "BE"})["case_id"])
    client = one_office.client("kroon")
    base = f"/api/v1/cases/{case_id}/proceedings"
    asked = {"kind": "enforcement", "estimate": "10.00", "cap": "10.00", "reason": "n"}
    assert client.post(f"{base}/approvals", json=asked, headers=change()).status_code == 200
    assert client.post(f"{base}/approval-decisions", json={"is_given": True}, headers=change()).status_code == 200
    assert client.post(f"/api/v1/cases/{case_id}/solvency/score", json={}, headers=change()).status_code == 200
    refused = client.post(f"{base}/begin", json={"kind": "enforcement"}, headers=change())
    assert refused.status_code == 422 and refused.json()["detail"].startswith("Jud. Code 1494: there is no enforcement title")


class Careful:
    """A stranger's plugin that knows an article of its own."""

    @hookimpl
    def veto_dispatch(self, case: Case, partner: PartnerProfile, as_of: dt.date) -> Veto | None:
        return Veto(code="careful.moratorium", reason="nobody is written to in August", vetoed_by="careful", article="Act 7, s. 3")


def test_a_plugins_veto_names_its_article(office: Office) -> None:
    office.hub.plugins.add("careful", Careful())
    case_id = str(office.open_case(debtor={"name": "Traag NV", "country": "BE"})["case_id"])
    office.run()
    assert read(office, case_id).status is Status.NEEDS_INFO
    with office.hub.database.read() as conn:
        blocked = [event.fact for event in read_events(conn, case_id) if isinstance(event.fact, DispatchBlocked)]
    assert [one.reason for one in blocked] == ["Act 7, s. 3: nobody is written to in August"]


PACK = """
import datetime as dt
import msgspec
from collecthub.sdk import (
    Evidence, JurisdictionPack, Obstacle, answer_of, country_law, hookimpl, read_rates
)

SHEET = '''
country = "UY"
title = "Uruguay, as a stranger sees it"
version = 2026-01-01
currency = "UYU"
'''


def check(law, question):
    obstacle = Obstacle(
        article="Act 7, s. 3", reason=f"nobody may {question.step.value} in winter", cure="Wait for spring.",
        evidence=Evidence.VERIFIED, source="gazette", allowed_from=dt.date(2026, 9, 21),
    )
    return answer_of([obstacle], {})


def load():
    law = country_law(SHEET, read_rates("series,valid_from,valid_to,value,evidence,source,note\\n"))
    return msgspec.structs.replace(law, check_step=check)


@hookimpl
def register_jurisdictions():
    return [JurisdictionPack(country="UY", load=load)]
"""


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A pack as somebody else ships it: a distribution of its own, found by its entry point."""
    (tmp_path / "uruguay_law.py").write_text(PACK)
    info = tmp_path / "uruguay_law-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: uruguay-law\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[collecthub]\nuruguay = uruguay_law\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    (entry,) = importlib.metadata.entry_points(group="collecthub", name="uruguay")
    found: ModuleType = entry.load()
    return found


def test_a_strangers_pack_stops_a_hand_over_and_a_cost_with_its_own_article(office: Office, stranger: ModuleType) -> None:
    """Its step check is asked at the same gates as the bundled ones, and by the same command and API."""
    office.hub.plugins.add("uruguay", stranger)
    asked = {"country": "UY", "step": "summon", "principal": "100.00", "due_on": "2026-05-01", "on": "2026-06-15"}
    answer = office.client("operator").post("/api/v1/law/steps", json=asked)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["is_allowed"], answer.json()["obstacles"][0]["article"]) == (False, "Act 7, s. 3")
    case_id = str(office.open_case(debtor={"name": "Lento SA", "country": "UY"})["case_id"])
    case = read(office, case_id)
    with office.hub.database.read() as conn:
        (found,) = obstacles_now(office.hub, conn, case, Step.COLLECTOR_NOTICE)
    assert told(found) == "Act 7, s. 3: nobody may collector_notice in winter"
    cost = CostStatement(
        message_id="k1", case_id=case_id, cost_ref="K1", cost_type="collection_fee", currency="EUR", amount=Decimal("9.00"),
        bearer=CostBearer.DEBTOR, occurred_on=TODAY,
    )  # fmt: skip
    with pytest.raises(QuarantineError, match="Act 7, s. 3: nobody may charge_collector in winter"):
        check_cost(office.hub, case, cost)


@pytest.mark.parametrize("amount, left", [("258.63", "10000.00"), (None, "0.00")])
def test_a_person_writes_off_with_a_reason(one_office: Office, amount: str | None, left: str) -> None:
    """A part settles compensation and interest first, as a payment would; without an amount everything is given up."""
    claim = invoice("10000.00")
    case_id = str(one_office.open_case(debtor={"name": "Garage Nord", "country": "BE", "kind": "company"}, claims=[claim])["case_id"])
    body = {"reason": "goodwill"} | ({"amount": amount} if amount else {})
    done = one_office.client("kroon").post(f"/api/v1/cases/{case_id}/write-offs", json=body, headers=change())
    assert done.status_code == 200, done.text
    found = look(one_office, case_id)
    assert found.total == Decimal(left)
    assert (read(one_office, case_id).status is Status.CLOSED) == (amount is None)
    assert {step.what: str(step.amount) for step in found.erp}["the ERP should show open"] == "10000.00"
    assert any(one.line.basis == "written off: goodwill" for one in found.lines)
    paper = one_office.client("kroon").get(f"/api/v1/cases/{case_id}/statement").json()
    assert {one["kind"] for one in paper["settled"]} == {"write_off"}  # nobody paid, and the paper does not say so


@pytest.mark.parametrize("body, says", [
    ({"amount": "10258.64", "reason": "n"}, "only 10258.63 EUR is owed"), ({"amount": "0.00", "reason": "n"}, "cannot be written off"),
    ({"amount": "1.001", "reason": "n"}, "cannot be written off"), ({"amount": "1.00", "reason": "  "}, ""),
])  # fmt: skip
def test_what_cannot_be_written_off_is_refused(one_office: Office, body: dict[str, str], says: str) -> None:
    claim = invoice("10000.00")
    case_id = str(one_office.open_case(debtor={"name": "Garage Nord", "country": "BE", "kind": "company"}, claims=[claim])["case_id"])
    answer = one_office.client("kroon").post(f"/api/v1/cases/{case_id}/write-offs", json=body, headers=change())
    assert answer.status_code == 422 and says in answer.json()["detail"]
    stranger = one_office.client("other").post(f"/api/v1/cases/{case_id}/write-offs", json={"reason": "n"}, headers=change())
    assert stranger.status_code == 404
