"""Scores with reasons, the gate before a court, a person's word, and a source that a plugin brings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from contact.conftest import THREE_MAILS
from web.office import Office, change

from collecthub.bundled import solvency
from collecthub.engine.intake import intake_connection_id, ready_intake
from collecthub.model.approval import ApprovalLimits
from collecthub.model.solvency import Band, DebtorFacts
from collecthub.ports import ConnectorContext
from collecthub.score.debtor import card_answers, score_by_card
from collecthub.sdk import Case, PartnerProfile, RouteProposal, SolvencyCheck, SolvencyVerdict, hookimpl
from collecthub.store.connections import (
    Exclusions,
    change_connection,
    read_creditor,
    write_creditor,
    write_partner,
)
from collecthub.store.queries.scope import LOCAL_OPERATOR
from human.conftest import Later
from human.test_objections import objections
from human.test_plans import case, post, tasks

assert ConnectorContext and Path


class Register:
    """A stranger's source: one name is insolvent."""

    insolvent = "Failed"

    @hookimpl
    def look_up_solvency(self, case: Case, as_of: dt.date) -> Sequence[SolvencyCheck]:
        is_found = self.insolvent in case.debtor.name
        verdict = SolvencyVerdict.INSOLVENT if is_found else SolvencyVerdict.NOTHING_FOUND
        return [SolvencyCheck(source="register", verdict=verdict, text="notice 12" if is_found else "", checked_on=as_of)]


def solvency_of(office: Office, case_id: str) -> dict[str, Any]:
    found: dict[str, Any] = office.client("kroon").get(f"/api/v1/cases/{case_id}/solvency").json()
    return found


class Courts:
    """A route that asks a bailiff for more than letters."""

    @hookimpl
    def propose_routes(self, case: Case, partners: Sequence[PartnerProfile], as_of: dt.date) -> Sequence[RouteProposal]:
        partner = next(one for one in partners if one.role == "bailiff")
        return [
            RouteProposal(
                route="court", procedure="judicial", partner_id=partner.partner_id, rank=1, reason="to court", proposed_by="courts",
            )
        ]  # fmt: skip


@pytest.fixture
def gated(office: Office) -> Office:
    return with_gate(office)


@pytest.fixture
def both_gated(both_office: Office) -> Office:
    return with_gate(both_office)


def with_gate(office: Office) -> Office:
    """An office with the bundled scorer and gate, whose judicial partner is a lawyer; steps up to 500 are allowed beforehand."""
    office.hub.plugins.add("solvency", solvency)
    with office.hub.database.write() as conn:
        lawyer = PartnerProfile(partner_id="bailiff", name="Advocaat", role="lawyer", countries=("BE",))
        write_partner(conn, lawyer, office.hub.now())
        creditor = read_creditor(conn, "kroon")
        assert creditor is not None
        playbook = msgspec.structs.replace(creditor.playbook, approval=ApprovalLimits(given_up_to=Decimal(500)))
        write_creditor(conn, msgspec.structs.replace(creditor, playbook=playbook), office.hub.now())
    return office


def judicial(office: Office, name: str = "Slow NV") -> str:
    """A domestic company that owes much for long: routing sends it to the lawyer."""
    debtor = {"name": name, "country": "BE", "email": "x@example.org", "kind": "company"}
    claims = [{"number": f"F-{name}", "due_on": "2026-01-01", "amount": "30000.00"}]
    return str(office.open_case(debtor=debtor, claims=claims)["case_id"])


def scores(office: Office, case_id: str) -> list[tuple[str, str]]:
    """Kind and occasion of what the history says of gate, checks and scores, in order."""
    history = office.client("kroon").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    wanted = ("dispatch_blocked", "debtor_scored", "route_chosen", "case_sent")
    return [
        (one["kind"], one["fact"]["score"]["occasion"] if one["kind"] == "debtor_scored" else "")
        for one in history if one["kind"] in wanted
    ]  # fmt: skip


def test_a_case_is_scored_when_it_opens_and_again_before_a_court(both_gated: Office, later: Later) -> None:
    """The look of the first day is not the look before the step: the gate stops the case, it is weighed anew, then it leaves."""
    gated = both_gated
    case_id = judicial(gated)
    post(gated, f"{case_id}/objections/raise-dispute", ground="the price")
    gated.run()
    assert scores(gated, case_id) == [("debtor_scored", "at the start")] and case(gated, case_id)["placement"] is None
    later(gated, 20)
    (dispute,) = objections(gated, case_id)["disputes"]
    decided = {"dispute_id": dispute["dispute_id"], "decision": "rejected", "reason": "the contract says so"}
    post(gated, f"{case_id}/objections/decisions", **decided)
    gated.run()
    assert scores(gated, case_id)[1:] == [
        ("dispatch_blocked", ""), ("debtor_scored", "before the judicial phase"), ("route_chosen", ""), ("case_sent", ""),
    ]  # fmt: skip
    assert case(gated, case_id)["placement"]["partner_id"] == "bailiff"
    assert not tasks(gated, case_id) & {"solvency_check", "unroutable"}


def test_a_case_that_waits_is_scored_at_the_start_too(gated: Office) -> None:
    """Nobody is to get it yet: the creditor's own reminders go on."""
    ready_intake(gated.hub, LOCAL_OPERATOR, "kroon")
    with gated.hub.database.write() as conn:
        change_connection(conn, intake_connection_id("kroon"), release=Exclusions(reminders_by="hub"))
        creditor = read_creditor(conn, "kroon")
        assert creditor is not None
        playbook = msgspec.structs.replace(creditor.playbook, contact=(THREE_MAILS,))
        write_creditor(conn, msgspec.structs.replace(creditor, playbook=playbook), gated.hub.now())
    case_id = judicial(gated)
    gated.run()
    assert scores(gated, case_id) == [("debtor_scored", "at the start")] and case(gated, case_id)["placement"] is None


def test_whoever_takes_him_to_court_the_gate_is_asked(office: Office) -> None:
    """A bailiff too, where a rule sends the case to him for more than letters."""

    class Gate:
        veto_dispatch = staticmethod(solvency.veto_dispatch)

    office.hub.plugins.add("gate", Gate())
    office.hub.plugins.add("courts", Courts())
    case_id = judicial(office)
    office.run()
    assert case(office, case_id)["placement"] is None and "solvency_check" in tasks(office, case_id)


def test_an_insolvent_debtor_is_not_taken_to_court(gated: Office) -> None:
    gated.hub.plugins.add("register", Register())
    case_id = judicial(gated, "Failed BV")
    gated.run()
    assert case(gated, case_id)["placement"] is None and case(gated, case_id)["status"] == "needs_info"
    found = solvency_of(gated, case_id)
    assert found["band"] == "insolvent" and {one["source"] for one in found["solvency"]["checks"]} == {"register", "own records"}
    post(gated, f"{case_id}/solvency/overrule", band="fair", reason="the notice is on a namesake")
    assert solvency_of(gated, case_id)["band"] == "fair"


def test_without_a_source_a_person_is_asked(office: Office) -> None:
    """The gate without anybody who looks anything up: the case waits and says why."""

    class GateOnly:
        veto_dispatch = staticmethod(solvency.veto_dispatch)
        score_debtor = staticmethod(solvency.score_debtor)

    office.hub.plugins.add("gate", GateOnly())
    with office.hub.database.write() as conn:
        lawyer = PartnerProfile(partner_id="bailiff", name="Advocaat", role="lawyer", countries=("BE",))
        write_partner(conn, lawyer, office.hub.now())
    case_id = judicial(office)
    office.run()
    assert case(office, case_id)["placement"] is None and "solvency_check" in tasks(office, case_id)


def test_a_score_has_reasons_inputs_and_a_version_and_can_be_contested(gated: Office) -> None:
    case_id = str(gated.open_case()["case_id"])
    post(gated, f"{case_id}/solvency/score", capacity="40.00")
    score = solvency_of(gated, case_id)["solvency"]["score"]
    assert score["model"] == "debtor-card 3" and score["capacity"] == "40.00" and len(score["reasons"]) == 11
    assert ["oldest claim, days overdue", "45"] in score["inputs"]
    post(gated, f"{case_id}/solvency/contest", text="I paid on time for ten years")
    assert "score_contested" in tasks(gated, case_id)
    post(gated, f"{case_id}/solvency/overrule", band="good", reason="he is right")
    assert "score_contested" not in tasks(gated, case_id) and solvency_of(gated, case_id)["band"] == "good"
    post(gated, f"{case_id}/plan/propose")
    found = gated.client("kroon").get(f"/api/v1/cases/{case_id}/plan").json()["plan"]
    assert [one["amount"] for one in found["instalments"]] == ["30.12"] * 3 + ["30.14"]


def test_no_score_is_overruled_before_there_is_one(office: Office) -> None:
    case_id = str(office.open_case()["case_id"])
    response = office.client("kroon").post(
        f"/api/v1/cases/{case_id}/solvency/overrule", json={"band": "good", "reason": "n"}, headers=change()
    )
    assert response.status_code == 422 and "no score" in response.text
    assert "no plugin scores" in post(office, f"{case_id}/solvency/score", wanted=422)["detail"]


def test_the_card_by_hand() -> None:
    """20 to begin with; 45 days overdue 8, nothing paid 8, no earlier case or plan 0, one reminder 4, source asked 0."""
    check = SolvencyCheck(
        source="r", verdict=SolvencyVerdict.NOTHING_FOUND, text="", checked_on=dt.date(2026, 6, 1)
    )
    facts = DebtorFacts(
        as_of=dt.date(2026, 6, 15), segment="B2C", country="BE", currency="EUR", owed=Decimal(100), oldest_days=45,
        dunning_level=1, paid_share=Decimal(0), checks=(check,),
    )  # fmt: skip
    score = score_by_card(facts, "test")
    assert sum(one.points for one in score.reasons) == 20 and score.chance == Decimal("0.661")  # 1 / (1 + e^(-10/15))
    assert score.band is Band.GOOD
    stale = score_by_card(
        DebtorFacts(**{**{name: getattr(facts, name) for name in facts.__struct_fields__}, "as_of": dt.date(2026, 12, 1)}), "test"
    )
    assert "no source was asked" in [one.text for one in stale.reasons]
    assert card_answers(facts)["plans broken"] is None


@pytest.mark.parametrize(
    ("changes", "points", "said"),
    [
        ({"paid_share": Decimal("0.95")}, -18, "has paid nearly everything"),
        ({"ended_unpaid": 2}, 18, "several earlier cases ended unpaid"),
        ({"ended_paid": 1}, -6, "earlier cases ended with payment"),
        ({"plans_kept": 1}, -8, "kept the plans that were agreed"),
        ({"plans_broken": 1}, 12, "broke a plan"),
        ({"instalments_missed": 3}, 10, "missed several instalments"),
        ({"dunning_level": 3}, 6, "did not react to the last reminder"),
        ({"contacts_made": 1, "promises_broken": 2}, 12, "broke several promises to pay"),
        ({"contacts_made": 2, "contacts_lost": 1}, 8, "is not reached any more by some way"),
        ({"reason": "cannot"}, 15, "says that he cannot pay"),
        ({"capacity": Decimal(50)}, -4, "can pay what is owed within half a year"),
        ({"capacity": Decimal(5)}, 10, "what is owed takes longer than a year at what he can pay"),
        ({"capacity": Decimal(0)}, 10, "what is owed takes longer than a year at what he can pay"),
    ],
)  # fmt: skip
def test_every_input_counts(changes: dict[str, Any], points: int, said: str) -> None:
    """Payment behaviour, balances, contact results, plans kept and broken, each alone, in points against the same debtor."""
    plain = DebtorFacts(
        as_of=dt.date(2026, 6, 15), segment="B2C", country="BE", currency="EUR", owed=Decimal(100), oldest_days=45,
        dunning_level=1, paid_share=Decimal(0),
    )  # fmt: skip
    before, after = score_by_card(plain, "test"), score_by_card(msgspec.structs.replace(plain, **changes), "test")
    assert sum(one.points for one in after.reasons) - sum(one.points for one in before.reasons) == points
    assert said in [one.text for one in after.reasons] and (after.chance < before.chance) is (points > 0)
