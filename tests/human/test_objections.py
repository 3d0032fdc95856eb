"""Disputes with evidence, complaints, reasons and hardship: what rests, what goes on, and who hears of it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from web.office import Office

from collecthub.bundled import solvency
from collecthub.model.agenda import LOOK, proposal_for
from collecthub.model.objection import EVIDENCE_DAYS
from collecthub.store import tables as t
from human.conftest import Later
from human.test_plans import case, post, tasks


def two_invoices(office: Office) -> tuple[str, list[dict[str, Any]]]:
    claims = [
        {"number": "A-1", "due_on": "2026-04-01", "amount": "100.00"},
        {"number": "A-2", "due_on": "2026-05-01", "amount": "50.00"},
    ]
    case_id = str(office.open_case(claims=claims)["case_id"])
    return case_id, case(office, case_id)["claims"]


def objections(office: Office, case_id: str) -> dict[str, Any]:
    found: dict[str, Any] = office.client("kroon").get(f"/api/v1/cases/{case_id}/objections").json()["objections"]
    return found


def sent_principal(office: Office, case_id: str) -> str:
    history = office.client("kroon").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    return str(next(one["fact"]["principal"] for one in reversed(history) if one["kind"] in ("case_sent", "amendment_queued")))


def test_a_part_is_disputed_and_the_rest_goes_on(both_office: Office) -> None:
    office = both_office
    case_id, claims = two_invoices(office)
    post(office, f"{case_id}/objections/raise-dispute", ground="A-2 never ordered", claim_id=claims[1]["claim_id"])
    office.run()
    held = case(office, case_id)
    assert held["holds"] == [] and held["placement"]["partner_id"] == "bailiff" and held["balance"]["total"] == "150.00"
    assert sent_principal(office, case_id) == "100.00", "the partner is asked to collect the undisputed part"
    (dispute,) = objections(office, case_id)["disputes"]
    dispute_id = dispute["dispute_id"]
    post(office, f"{case_id}/objections/evidence-requests", dispute_id=dispute_id, what="the order")
    assert {"dispute", "evidence"} <= tasks(office, case_id)
    post(office, f"{case_id}/objections/evidence", dispute_id=dispute_id, text="signed order of 2 March")
    assert "dispute_decision" in tasks(office, case_id) and "evidence" not in tasks(office, case_id)
    post(office, f"{case_id}/objections/decisions", dispute_id=dispute_id, decision="rejected", reason="it was ordered")
    office.run()
    assert sent_principal(office, case_id) == "150.00" and not tasks(office, case_id) & {"dispute", "dispute_decision"}


def test_a_creditor_who_is_silent_hears_of_it_and_nobody_asks_for_the_disputed_part(office: Office, later: Later) -> None:
    """Proof is asked for and none comes: the creditor has an alarm, the dispute stays open, the case stays where it is."""
    case_id, claims = two_invoices(office)
    post(office, f"{case_id}/objections/raise-dispute", ground="never ordered", claim_id=claims[1]["claim_id"])
    dispute_id = objections(office, case_id)["disputes"][0]["dispute_id"]
    post(office, f"{case_id}/objections/evidence-requests", dispute_id=dispute_id, what="the order")
    office.run()
    later(office, EVIDENCE_DAYS + 2)
    with office.hub.database.read() as conn:
        alarm = (t.tasks.c.case_id == case_id) & t.tasks.c.kind.startswith("evidence:") & (t.tasks.c.state == "open")
        assert conn.execute(sa.select(t.tasks.c.owner).where(alarm)).scalars().all() == ["creditor"]
    held = case(office, case_id)
    assert objections(office, case_id)["disputes"][0]["state"] == "evidence_asked" and held["status"] != "closed"
    assert sent_principal(office, case_id) == "100.00" and held["placement"]["partner_id"] == "bailiff"


def test_what_is_upheld_stays_out_until_it_is_credited(office: Office) -> None:
    case_id, claims = two_invoices(office)
    post(office, f"{case_id}/objections/raise-dispute", ground="damaged", claim_id=claims[0]["claim_id"], amount="40.00")
    (dispute,) = objections(office, case_id)["disputes"]
    refused = post(
        office, f"{case_id}/objections/decisions", wanted=422, dispute_id=dispute["dispute_id"], decision="partly", reason="n"
    )
    assert "how much" in refused["detail"]
    post(
        office, f"{case_id}/objections/decisions", dispute_id=dispute["dispute_id"], decision="partly", upheld="30.00",
        reason="a scratch",
    )  # fmt: skip
    office.run()
    assert sent_principal(office, case_id) == "120.00" and "credit_note" in tasks(office, case_id)


def test_a_wholly_disputed_case_rests(office: Office) -> None:
    case_id, _ = two_invoices(office)
    post(office, f"{case_id}/objections/raise-dispute", ground="I know nothing of it")
    office.run()
    assert [hold["reason"] for hold in case(office, case_id)["holds"]] == ["dispute"]
    assert case(office, case_id)["placement"] is None
    assert "nothing" not in post(office, f"{case_id}/objections/raise-dispute", wanted=422, ground="again")["title"]
    (dispute,) = objections(office, case_id)["disputes"]
    post(office, f"{case_id}/objections/decisions", dispute_id=dispute["dispute_id"], decision="rejected", reason="proved")
    office.run()
    assert case(office, case_id)["holds"] == [] and case(office, case_id)["placement"]["partner_id"] == "bailiff"


def test_a_complaint_has_its_deadline_and_pauses_until_it_is_answered(office: Office, later: Later) -> None:
    case_id, _ = two_invoices(office)
    post(office, f"{case_id}/objections/complaints", text="you called me at night")
    (complaint,) = objections(office, case_id)["complaints"]
    assert complaint["answer_by_on"] == "2026-06-25"
    later(office, 11)
    assert any(kind.startswith("complaint:") for kind in tasks(office, case_id)), "nobody answered in time"
    assert case(office, case_id)["placement"] is None
    post(office, f"{case_id}/objections/complaint-answers", text="we are sorry; it will not happen again")
    office.run()
    assert case(office, case_id)["placement"]["partner_id"] == "bailiff" and "complaint" not in tasks(office, case_id)


@pytest.mark.parametrize("hardship", ["vulnerable", "moratorium", "debt_mediation"])
def test_hardship_stops_everything_at_once(office: Office, hardship: str) -> None:
    case_id, _ = two_invoices(office)
    post(office, f"{case_id}/objections/hardships", hardship=hardship, note="social service called")
    office.run()
    assert [hold["reason"] for hold in case(office, case_id)["holds"]] == [hardship]
    assert case(office, case_id)["placement"] is None and "hardship" in tasks(office, case_id)
    post(office, f"{case_id}/objections/referrals", service="CPAW Gent")
    assert "hardship" not in tasks(office, case_id)


@pytest.mark.parametrize(
    ("reason", "task", "hold", "is_scored"),
    [
        ("cannot", "propose_plan", "answer", False), ("will_not", "next_step", "", True), ("disagrees", "ask_ground", "answer", False),
        ("never_received", "send_again", "answer", False), ("already_paid", "find_payment", "payment_unconfirmed", False),
    ],
)  # fmt: skip
def test_the_reason_drives_the_next_step(office: Office, reason: str, task: str, hold: str, is_scored: bool) -> None:
    """Who is not asked again meanwhile, who is weighed anew, and what the agenda proposes to the person."""
    office.hub.plugins.add("solvency", solvency)
    case_id, _ = two_invoices(office)
    post(office, f"{case_id}/objections/reasons", reason=reason)
    office.run()
    assert task in tasks(office, case_id) and proposal_for(task) is not LOOK
    found = case(office, case_id)
    assert [one["reason"] for one in found["holds"]] == ([hold] if hold else [])
    assert (found["placement"] is None) is bool(hold)
    history = office.client("kroon").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    occasions = [one["fact"]["score"]["occasion"] for one in history if one["kind"] == "debtor_scored"]
    assert ("because he will not pay" in occasions) is is_scored


def test_after_two_weeks_without_a_word_it_goes_on(office: Office, later: Later) -> None:
    case_id, claims = two_invoices(office)
    post(office, f"{case_id}/objections/reasons", reason="never_received")
    later(office, 13)
    assert case(office, case_id)["placement"] is None
    later(office, 1)
    assert case(office, case_id)["placement"]["partner_id"] == "bailiff"
    other, claims = two_invoices(office)
    post(office, f"{other}/objections/reasons", reason="disagrees")
    post(office, f"{other}/objections/raise-dispute", ground="never ordered", claim_id=claims[1]["claim_id"])
    office.run()
    assert case(office, other)["holds"] == [] and sent_principal(office, other) == "100.00", "what he disagrees with is known"
    assert "ask_ground" not in tasks(office, other)
