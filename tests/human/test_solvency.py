"""Scores with reasons, the gate before a court, a person's word, and a source that a plugin brings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from web.office import Office, change

from collecthub.bundled import solvency
from collecthub.model.solvency import Band, DebtorFacts
from collecthub.ports import ConnectorContext
from collecthub.score.debtor import card_answers, score_by_card
from collecthub.sdk import Case, PartnerProfile, SolvencyCheck, SolvencyVerdict, hookimpl
from collecthub.store.connections import write_partner
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


@pytest.fixture
def gated(office: Office) -> Office:
    """An office with the bundled scorer and gate, whose judicial partner is a lawyer."""
    office.hub.plugins.add("solvency", solvency)
    with office.hub.database.write() as conn:
        lawyer = PartnerProfile(partner_id="bailiff", name="Advocaat", role="lawyer", countries=("BE",))
        write_partner(conn, lawyer, office.hub.now())
    return office


def judicial(office: Office, name: str = "Slow NV") -> str:
    """A domestic company that owes much for long: routing sends it to the lawyer."""
    debtor = {"name": name, "country": "BE", "email": "x@example.org", "kind": "company"}
    claims = [{"number": f"F-{name}", "due_on": "2026-01-01", "amount": "30000.00"}]
    return str(office.open_case(debtor=debtor, claims=claims)["case_id"])


def test_nothing_goes_to_court_without_a_logged_check(gated: Office) -> None:
    """The gate stops the case, the check is made and logged, and only then the case leaves."""
    case_id = judicial(gated)
    gated.run()
    history = gated.client("kroon").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    kinds = [one["kind"] for one in history]
    assert kinds.index("dispatch_blocked") < kinds.index("solvency_checked") < kinds.index("debtor_scored")
    assert kinds.index("debtor_scored") < kinds.index("route_chosen") < kinds.index("case_sent")
    assert case(gated, case_id)["placement"]["partner_id"] == "bailiff"
    assert not tasks(gated, case_id) & {"solvency_check", "unroutable"}


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
    assert score["model"] == "debtor-card 1" and score["capacity"] == "40.00" and len(score["reasons"]) == 8
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
