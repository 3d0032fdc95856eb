"""No case goes to a court before its creditor allowed the cost; with a yes it leaves by itself, with a no it goes another way."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from contact.test_playbook_page import LIMITS
from contact.test_trial import TOML
from web.office import PASSWORD, Office, once

from collecthub.bundled import solvency
from collecthub.model.partner import PartnerProfile
from collecthub.sdk import RouteProposal, hookimpl
from collecthub.store.connections import write_partner
from collecthub.store.queries.scope import Role
from human.conftest import Later
from human.test_plans import case, post, tasks, timeline
from human.test_proceedings import act, proceedings
from human.test_solvency import judicial

D = Decimal


def gated(office: Office) -> Office:
    """An office whose partner for domestic companies is a lawyer, and whose creditor gave nothing beforehand."""
    office.hub.plugins.add("solvency", solvency)
    with office.hub.database.write() as conn:
        lawyer = PartnerProfile(partner_id="bailiff", name="Advocaat", role="lawyer", countries=("BE",))
        write_partner(conn, lawyer, office.hub.now())
    return office


@pytest.fixture
def court(office: Office) -> Office:
    return gated(office)


@pytest.fixture
def both_court(both_office: Office) -> Office:
    return gated(both_office)


def kinds(office: Office, case_id: str, *wanted: str) -> list[str]:
    return [one["kind"] for one in timeline(office, case_id) if one["kind"] in wanted]


def approvals(office: Office, case_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.client("kroon").get(f"/api/v1/cases/{case_id}/proceedings").json()["approvals"]
    return found


def test_the_creditor_is_asked_and_his_yes_sends_the_case(both_court: Office, later: Later) -> None:
    office = both_court
    case_id = judicial(office)
    office.run()
    held = case(office, case_id)
    assert (held["placement"], [one["reason"] for one in held["holds"]]) == (None, ["approval_requested"])
    (asked,) = approvals(office, case_id)
    assert (asked["estimate"], asked["kind"], asked["answer_by_on"]) == (None, "judicial", "2026-06-29"), "nobody knows the cost"
    assert "ask the partner for a quote" in asked["reason"] and "approval" in tasks(office, case_id)
    post(office, f"{case_id}/holds/release", reason="approval_requested")
    office.run()
    assert case(office, case_id)["holds"] and len(approvals(office, case_id)) == 1, "ending the hold alone opens no gate"
    later(office, 15)
    assert any(kind.startswith("approval_late:") for kind in tasks(office, case_id)), "somebody asks him again"
    assert case(office, case_id)["placement"] is None, "silence is no yes"
    said = post(office, f"{case_id}/proceedings/approval-decisions", wanted=422, is_given=True)
    assert "not known" in said["detail"], "without an estimate he names the cap"
    post(office, f"{case_id}/proceedings/approval-decisions", is_given=True, cap="400.00")
    office.run()
    sent = case(office, case_id)
    assert (sent["placement"]["partner_id"], sent["placement"]["procedure"], sent["holds"]) == ("bailiff", "judicial", [])
    assert not {kind.partition(":")[0] for kind in tasks(office, case_id)} & {"approval", "approval_late", "solvency_check"}
    wanted = ("cost_approval_asked", "cost_approval_decided", "route_chosen", "case_sent")
    assert kinds(office, case_id, *wanted) == list(wanted)


def test_the_creditor_answers_on_his_pages(court: Office) -> None:
    """From his agenda, his tasks and the case to the form; "done" would not answer. His yes without a cap is told what it lacks."""
    court.add_user("ann@kroon.example", Role.CREDITOR, "kroon")
    case_id = judicial(court)
    court.run()
    mine = court.client(follow_redirects=True)
    assert mine.post("/login", data={"email": "ann@kroon.example", "password": PASSWORD}).status_code == 200
    place = f"/cases/{case_id}/course#do-decide-approval"
    for page in ("/agenda", "/tasks", f"/cases/{case_id}"):
        assert place in mine.get(page).text, page
    form = mine.get(f"/cases/{case_id}/course").text
    found = re.search(r'name="csrf" value="([^"]+)"><input type="hidden" name="version" value="(\d+)"', form)
    assert found is not None and "what it will cost is not known" in form
    said = {"csrf": found[1], "version": found[2], "verdict": "allow"}
    answer = mine.post(f"/cases/{case_id}/course/decide-approval", data=said)
    assert answer.status_code == 422 and "Say what it may cost at most" in answer.text
    assert mine.post(f"/cases/{case_id}/course/decide-approval", data={**said, "cap": "450,00"}).status_code == 200
    court.run()
    assert case(court, case_id)["placement"]["procedure"] == "judicial"


def test_a_no_is_kept_until_somebody_takes_the_case_up_again(court: Office, later: Later) -> None:
    """Nobody else can take it: it is watched for better times, scored at every look, and asked about anew afterwards."""
    case_id = judicial(court)
    court.run()
    post(court, f"{case_id}/proceedings/approval-decisions", is_given=False, reason="not worth it")
    court.run()
    left = case(court, case_id)
    assert (left["placement"], left["phase"], [one["reason"] for one in left["holds"]]) == (None, "monitoring", ["monitoring"])
    assert proceedings(court, case_id)[0]["proceeding"]["deadline_on"] == "2026-09-13" and "unroutable" not in tasks(court, case_id)
    post(court, f"{case_id}/holds/release", reason="monitoring")
    court.run()
    assert case(court, case_id)["holds"] and len(proceedings(court, case_id)) == 1
    later(court, 91)
    assert any(kind.startswith("proceeding:") for kind in tasks(court, case_id)), "a quarter later somebody looks"
    act(court, case_id, "review")
    scored = [one["fact"]["score"]["occasion"] for one in timeline(court, case_id) if one["kind"] == "debtor_scored"]
    assert scored[-1] == "before review" and case(court, case_id)["holds"], "looked at, and left"
    act(court, case_id, "resume")
    court.run()
    again = case(court, case_id)
    assert (again["phase"], [one["reason"] for one in again["holds"]]) == ("amicable", ["approval_requested"])
    assert [one["is_given"] for one in approvals(court, case_id)] == [False, False]


def test_what_else_becomes_of_a_question(court: Office) -> None:
    """Of three cases whose partner would rather summon and writes letters too: a no, letters chosen meanwhile, paid meanwhile."""
    with court.hub.database.write() as conn:
        both = PartnerProfile(partner_id="bailiff", name="Deurwaarder", role="bailiff", countries=("BE",))
        write_partner(conn, both, court.hub.now())
    court.hub.plugins.add("suits", Suits())
    asked = [judicial(court, name) for name in ("No NV", "Letters NV", "Paid NV")]
    court.run()
    assert all(case(court, case_id)["placement"] is None for case_id in asked), "the way to court is the better one"
    refused_goes_on_amicably(court, asked[0])
    letters_need_no_yes(court, asked[1])
    paid_ends_the_question(court, asked[2])


def refused_goes_on_amicably(court: Office, case_id: str) -> None:
    post(court, f"{case_id}/proceedings/approval-decisions", is_given=False, reason="letters first")
    court.run()
    placed = case(court, case_id)["placement"]
    assert (placed["route"], placed["procedure"]) == ("bailiff", "amicable")


def letters_need_no_yes(court: Office, case_id: str) -> None:
    post(court, f"{case_id}/transfer", reason="chosen", route="suit", partner_id="bailiff")
    court.run()
    assert case(court, case_id)["placement"] is None and len(approvals(court, case_id)) == 1, "choosing it opens no gate"
    post(court, f"{case_id}/proceedings/approvals", kind="enforcement", estimate="90.00", cap="90.00", reason="a visit")
    post(court, f"{case_id}/proceedings/approval-decisions", is_given=False)
    court.run()
    assert "approval" in tasks(court, case_id) and case(court, case_id)["holds"], "one answer answers one question, the newest"
    post(court, f"{case_id}/transfer", reason="chosen", route="bailiff", partner_id="bailiff")
    court.run()
    assert case(court, case_id)["placement"]["procedure"] == "amicable"


def paid_ends_the_question(court: Office, case_id: str) -> None:
    assert "approval" in tasks(court, case_id)
    post(court, f"{case_id}/payments", amount="30000.00", paid_on="2026-06-15")
    court.run()
    assert case(court, case_id)["status"] == "closed" and "approval" not in tasks(court, case_id)


class Suits:
    """The bundled routes, with a bailiff who would rather summon."""

    @hookimpl
    def propose_routes(self, case: Any, partners: Any, as_of: Any) -> Any:
        return [
            RouteProposal(
                route="suit", procedure="judicial", partner_id="bailiff", rank=1, reason="to court", proposed_by="suits",
                cost=D("350.00"), currency="EUR", cost_basis="the tariff of writs",
            )
        ]  # fmt: skip


def test_a_known_estimate_is_asked_with_its_amount_and_the_playbook_may_cover_it(court: Office) -> None:
    """350 is expected: above the 200 of the playbook it is asked, at 500 it is given, and the history says by which version."""
    court.hub.plugins.add("suits", Suits())
    for number, limit in ((1, "200.00"), (2, "500.00")):
        text = TOML + LIMITS.replace('"200.00"', f'"{limit}"').replace('"450.00"', '"900.00"')
        made = court.client("operator").post(
            "/api/v1/playbook/proposed-versions", json={"text": text}, headers=once(), params={"creditor_id": "kroon"}
        )
        assert made.status_code == 201, made.text
        agreed = court.client("kroon").post(f"/api/v1/playbook/proposed-versions/{number}/agree", json={}, headers=once())
        assert agreed.status_code == 200, agreed.text
        case_id = judicial(court, f"Slow {number} NV")
        court.run()
        (asked,) = approvals(court, case_id) or [{}]
        assert asked, case(court, case_id)
        assert (asked["estimate"], asked["cap"], asked["is_given"]) == ("350.00", "350.00", limit == "500.00")
    decided = [one for one in timeline(court, case_id) if one["kind"] == "cost_approval_decided"]
    assert decided[0]["fact"]["reason"] == "allowed beforehand: version 2 of the playbook gives up to 500.00"
    assert case(court, case_id)["placement"]["route"] == "suit" and "approval" not in tasks(court, case_id)
