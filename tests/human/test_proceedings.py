"""Proceedings: no cost without approval, cap and solvency check; machines that refuse; time limits of the law."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from web.office import Office

from collecthub.bundled import solvency
from collecthub.engine.nightly import decide_nightly
from collecthub.engine.solvency import NEW_CASES, score_new
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.human_course import waits
from collecthub.model.ledger import Balance
from collecthub.model.proceeding import (
    INSOLVENCIES,
    MACHINES,
    TIME_LIMITS,
    Proceeding,
    ProceedingKind,
    Proceedings,
    first_state,
    next_state,
)
from human.conftest import Later
from human.test_plans import case, post, tasks


@pytest.fixture
def court(office: Office) -> Office:
    office.hub.plugins.add("solvency", solvency)
    return office


def company(office: Office, country: str = "BE") -> str:
    debtor = {"name": "Traag NV", "country": country, "email": "x@example.org"}
    return str(office.open_case(debtor=debtor)["case_id"])


def proceedings(office: Office, case_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.client("kroon").get(f"/api/v1/cases/{case_id}/proceedings").json()["proceedings"]
    return found


def act(office: Office, case_id: str, name: str, wanted: int = 200, **more: Any) -> dict[str, Any]:
    proceeding_id = proceedings(office, case_id)[-1]["proceeding"]["proceeding_id"]
    return post(office, f"{case_id}/proceedings/acts", wanted=wanted, proceeding_id=proceeding_id, act=name, **more)


def test_every_machine_can_end_and_goes_nowhere_unknown() -> None:
    for kind, (first, moves) in MACHINES.items():
        assert first in moves and all(target in moves for acts in moves.values() for target in acts.values())
        reached, waiting = set(), [first]
        while waiting:
            state = waiting.pop()
            if state not in reached:
                reached.add(state)
                waiting += moves[state].values()
        assert reached == set(moves) and not moves["ended"], kind
        for state in set(moves) - {"ended"}:  # from everywhere there is a way to the end
            way, seen = [state], set()
            while way:
                here = way.pop()
                seen.add(here)
                way += [to for to in moves[here].values() if to not in seen]
            assert "ended" in seen, (kind, state)
    with pytest.raises(PermanentError, match="does not follow"):
        next_state(ProceedingKind.JUDICIAL, first_state(ProceedingKind.JUDICIAL), "give_judgment")
    assert all(state in MACHINES[kind][1] for kind, state in TIME_LIMITS)


@pytest.mark.parametrize("kind", list(ProceedingKind))
def test_wherever_a_proceeding_stands_somebody_waits_until_a_day(kind: ProceedingKind) -> None:
    """Every state but the end has a timer with an owner, be its day known or not, and a court may close any insolvency at any time."""
    day = dt.date(2026, 6, 15)
    for state, acts in MACHINES[kind][1].items():
        for due_on in (None, day + dt.timedelta(days=40)):
            one = Proceeding(proceeding_id="p" * 32, kind=kind, state=state, began_on=day, deadline_on=due_on, deadline_for="the hearing")
            at = dt.datetime(2026, 6, 15, tzinfo=dt.UTC)
            held = Case(
                case_id="c", number="CH-1", creditor_id="kroon", connection_id="books", debtor_ref="1", currency="EUR", segment="B2B",
                balance=Balance(currency="EUR"), opened_at=at, changed_at=at, version=1, proceedings=Proceedings(all=(one,)),
            )  # fmt: skip
            found = list(waits(held))
            assert bool(found) is one.is_open and all(timer.owner and timer.due_at > at for timer in found), (state, found)
        if kind in INSOLVENCIES and acts and state not in ("court_plan", "last_call", "found"):
            assert "ended" in acts.values(), state


def test_no_judicial_cost_without_approval_cap_and_check(court: Office) -> None:
    case_id = company(court)
    assert "has not allowed" in post(court, f"{case_id}/proceedings/begin", wanted=422, kind="judicial")["detail"]
    post(court, f"{case_id}/proceedings/approvals", kind="judicial", estimate="450.00", cap="600.00", reason="summons and roll")
    assert "approval" in tasks(court, case_id)
    post(court, f"{case_id}/proceedings/approval-decisions", is_given=True, cap="500.00")
    assert "approval" not in tasks(court, case_id)
    post(court, f"{case_id}/proceedings/begin", kind="judicial", authority="Vredegerecht Gent")
    history = court.client("kroon").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    assert [one["kind"] for one in history[-4:]] == ["solvency_checked", "debtor_scored", "feasibility_checked", "proceeding_begun"]
    assert history[-3]["fact"]["score"]["occasion"] == "before the judicial step", "the gate is logged"
    assert case(court, case_id)["phase"] == "judicial"
    act(court, case_id, "serve", cost="300.00")
    assert "above the cap" in act(court, case_id, "set_hearing", wanted=422, cost="200.01")["detail"]
    act(court, case_id, "set_hearing", cost="200.00")
    act(court, case_id, "give_judgment", amount="120.50")
    assert "does not follow" in act(court, case_id, "serve", wanted=422)["detail"]
    act(court, case_id, "issue_copy")
    (one,) = proceedings(court, case_id)
    assert one["proceeding"]["state"] == "enforceable_copy" and one["proceeding"]["cost_spent"] == "500.00"


def allow(office: Office, case_id: str, kind: str, cap: str) -> None:
    post(office, f"{case_id}/proceedings/approvals", kind=kind, estimate="10.00", cap=cap, reason="the next step")
    post(office, f"{case_id}/proceedings/approval-decisions", is_given=True)


def test_an_approval_is_for_one_proceeding(court: Office) -> None:
    """Spent by the proceeding that begins with it; allowed while it runs, it raises that one's cap by hand: 600 and 150."""
    case_id = company(court)
    allow(court, case_id, "judicial", "600.00")
    post(court, f"{case_id}/proceedings/begin", kind="judicial")
    allow(court, case_id, "judicial", "150.00")
    act(court, case_id, "serve", cost="750.00")
    assert "above the cap of 750.00" in act(court, case_id, "set_hearing", wanted=422, cost="0.01")["detail"]
    act(court, case_id, "withdraw")
    assert "has not allowed" in post(court, f"{case_id}/proceedings/begin", wanted=422, kind="judicial")["detail"]
    allow(court, case_id, "judicial", "90.00")
    post(court, f"{case_id}/proceedings/begin", kind="judicial")
    assert [one["proceeding"]["cost_cap"] for one in proceedings(court, case_id)] == ["750.00", "90.00"]


def test_every_act_that_costs_is_weighed_anew(court: Office) -> None:
    """From the summons to the sale: each on a day of its own is scored, a second one of the same day is not scored twice."""
    case_id = company(court)
    allow(court, case_id, "judicial", "600.00")
    post(court, f"{case_id}/proceedings/begin", kind="judicial")
    for name in ("serve", "set_hearing", "give_judgment", "issue_copy"):
        act(court, case_id, name)
    allow(court, case_id, "enforcement", "900.00")
    post(court, f"{case_id}/proceedings/begin", kind="enforcement")
    for days, name in ((0, "serve"), (40, "attach_movables"), (0, "attach_third_party"), (30, "sell"), (30, "collect")):
        assert court.hub._day_offset is not None
        court.hub._day_offset += dt.timedelta(days=days)  # nothing that waits is looked at here
        act(court, case_id, name, cost="10.00", due_on="2026-12-01")
    history = court.client("kroon").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    occasions = [one["fact"]["score"]["occasion"] for one in history if one["kind"] == "debtor_scored"]
    assert occasions == ["before the judicial step", "before the enforcement step", "before attach movables", "before sell"]


def test_without_a_source_no_cost_begins(office: Office) -> None:
    case_id = company(office)
    post(office, f"{case_id}/proceedings/approvals", kind="judicial", estimate="450.00", cap="600.00", reason="summons")
    post(office, f"{case_id}/proceedings/approval-decisions", is_given=True)
    assert "solvency" in post(office, f"{case_id}/proceedings/begin", wanted=422, kind="judicial")["detail"]


def test_new_cases_are_scored_by_the_night(court: Office) -> None:
    case_id = company(court)
    decide_nightly(court.hub)
    found = court.client("kroon").get(f"/api/v1/cases/{case_id}/solvency").json()["solvency"]["score"]
    assert found["occasion"] == "at the start" and found["reasons"]
    version = case(court, case_id)["version"]
    assert score_new(court.hub, court.hub.now() - NEW_CASES) == 0 and case(court, case_id)["version"] == version


def test_a_refused_cost_stays_refused(court: Office) -> None:
    case_id = company(court)
    post(court, f"{case_id}/proceedings/approvals", kind="enforcement", estimate="10.00", cap="10.00", reason="n")
    post(court, f"{case_id}/proceedings/approval-decisions", is_given=False, reason="too much")
    post(court, f"{case_id}/solvency/score")
    assert "has not allowed" in post(court, f"{case_id}/proceedings/begin", wanted=422, kind="enforcement")["detail"]


def test_the_belgian_undisputed_procedure_counts_a_month_and_eight_days(court: Office) -> None:
    """Served on 20 June 2026: the month ends on 20 July, and the record is possible from 28 July on."""
    case_id = company(court)
    post(court, f"{case_id}/proceedings/approvals", kind="undisputed", estimate="90.00", cap="120.00", reason="IOS")
    post(court, f"{case_id}/proceedings/approval-decisions", is_given=True)
    post(court, f"{case_id}/solvency/score")
    post(court, f"{case_id}/proceedings/begin", kind="undisputed")
    act(court, case_id, "serve", acted_on="2026-06-20")
    assert proceedings(court, case_id)[0]["proceeding"]["deadline_on"] == "2026-07-20"
    early = act(court, case_id, "record", wanted=422, acted_on="2026-07-27")
    assert "2026-07-28" in early["detail"]
    act(court, case_id, "record", acted_on="2026-07-28")
    act(court, case_id, "make_enforceable", acted_on="2026-08-10")
    assert proceedings(court, case_id)[0]["proceeding"]["state"] == "enforceable"


def test_a_bankruptcy_freezes_the_case_and_the_claim_is_filed_in_time(court: Office, later: Later) -> None:
    """Thirty days from the judgment of 10 June 2026 end on 10 July; the case is held until it is over."""
    case_id = company(court)
    post(
        court, f"{case_id}/proceedings/begin", kind="bankruptcy", began_on="2026-06-10", authority="Ondernemingsrechtbank Gent",
        reference="R.K. 12",
    )  # fmt: skip
    court.run()
    assert [hold["reason"] for hold in case(court, case_id)["holds"]] == ["insolvency"]
    assert case(court, case_id)["placement"] is None and "file_claim" in tasks(court, case_id)
    assert proceedings(court, case_id)[0]["proceeding"]["deadline_on"] == "2026-07-10"
    (filing,) = [one for one in court.client("operator").get("/api/v1/tasks").json()["items"] if one["kind"] == "file_claim"]
    assert filing["due_at"].startswith("2026-07-10")
    later(court, 17)
    assert not any(kind.startswith("proceeding") for kind in tasks(court, case_id))
    later(court, 1)
    assert any(kind.startswith("proceeding_near:") for kind in tasks(court, case_id)), "a week before, while it can be done"
    later(court, 8)
    assert any(kind.startswith("proceeding:") for kind in tasks(court, case_id)), "the time limit was missed: somebody is told"
    act(court, case_id, "file_claim")
    assert "file_claim" not in tasks(court, case_id)
    act(court, case_id, "contest")
    act(court, case_id, "accept")
    act(court, case_id, "return_goods", note="ten barrels")
    act(court, case_id, "pay_dividend", amount="12.00")
    act(court, case_id, "close")
    assert case(court, case_id)["holds"] == []


def test_collective_settlement_goes_to_the_mediator_and_back_after_the_courts_plan(court: Office) -> None:
    """A creditor at home has one month: from 15 June 2026 to 15 July."""
    case_id = str(court.open_case()["case_id"])
    post(court, f"{case_id}/proceedings/begin", kind="collective_settlement", began_on="2026-06-15", authority="Mr Janssens")
    assert proceedings(court, case_id)[0]["proceeding"]["deadline_on"] == "2026-07-15"
    assert [hold["reason"] for hold in case(court, case_id)["holds"]] == ["collective_settlement"]
    act(court, case_id, "file_claim")
    assert "does not follow" in act(court, case_id, "return_to_creditor", wanted=422)["detail"]
    act(court, case_id, "receive_plan")
    act(court, case_id, "return_to_creditor")
    assert proceedings(court, case_id)[0]["next_acts"] == ["pay_dividend", "revoke", "close"]


def test_an_unknown_time_limit_is_said_and_not_invented(court: Office) -> None:
    case_id = company(court, "UY")
    post(court, f"{case_id}/proceedings/begin", kind="bankruptcy", began_on="2026-06-10")
    one = proceedings(court, case_id)[0]["proceeding"]
    assert one["deadline_on"] is None and "not known" in one["deadline_for"]


def test_monitoring_comes_back_every_quarter(court: Office) -> None:
    case_id = company(court)
    post(court, f"{case_id}/proceedings/begin", kind="monitoring", began_on="2026-06-15")
    assert case(court, case_id)["phase"] == "monitoring"
    assert proceedings(court, case_id)[0]["proceeding"]["deadline_on"] == "2026-09-13"


def test_a_reorganisation_suspends_payments_until_the_plan_and_revives_when_it_is_revoked(court: Office, later: Later) -> None:
    """The stay of four months from 15 June ends on 15 October; the court extends it, then the plan pays year by year."""
    case_id = company(court)
    post(court, f"{case_id}/proceedings/begin", kind="reorganisation", began_on="2026-06-15", authority="Ondernemingsrechtbank")
    assert [hold["reason"] for hold in case(court, case_id)["holds"]] == ["insolvency"]
    assert proceedings(court, case_id)[0]["proceeding"]["deadline_on"] == "2026-10-15"
    act(court, case_id, "extend_stay", acted_on="2026-10-01", due_on="2027-01-15")
    act(court, case_id, "accept_listing", acted_on="2026-10-02")
    act(court, case_id, "propose_plan", acted_on="2026-12-01", due_on="2026-12-20")
    one = proceedings(court, case_id)[0]["proceeding"]
    assert (one["deadline_on"], one["deadline_for"]) == ("2026-12-20", "the vote on the plan")
    act(court, case_id, "vote_for", acted_on="2026-12-20")
    act(court, case_id, "confirm_plan", acted_on="2027-01-10", due_on="2027-12-31")
    act(court, case_id, "pay_instalment", acted_on="2027-12-30", due_on="2028-12-31", amount="40.00")
    assert proceedings(court, case_id)[0]["proceeding"]["deadline_on"] == "2028-12-31" and case(court, case_id)["holds"]
    act(court, case_id, "revoke", acted_on="2029-03-01")
    assert case(court, case_id)["holds"] == []


def test_a_day_that_a_court_names_has_its_alarm_and_silence_has_one_too(court: Office, later: Later) -> None:
    case_id = company(court)
    post(court, f"{case_id}/proceedings/approvals", kind="judicial", estimate="450.00", cap="600.00", reason="summons")
    post(court, f"{case_id}/proceedings/approval-decisions", is_given=True)
    post(court, f"{case_id}/proceedings/begin", kind="judicial", began_on="2026-06-15")
    act(court, case_id, "serve", acted_on="2026-06-15")
    later(court, 29)
    assert not any(kind.startswith("proceeding") for kind in tasks(court, case_id))
    later(court, 2)
    assert any(kind.startswith("proceeding_quiet:") for kind in tasks(court, case_id)), "a month without a word"
    assert "lies before" in act(court, case_id, "set_hearing", wanted=422, acted_on="2026-07-16", due_on="2026-07-01")["detail"]
    act(court, case_id, "set_hearing", acted_on="2026-07-16", due_on="2026-09-10")
    assert not any(kind.startswith("proceeding") for kind in tasks(court, case_id)), "what was asked for has come"
    assert proceedings(court, case_id)[0]["proceeding"]["deadline_for"] == "the hearing"
    later(court, 57)
    assert {kind.partition(":")[0] for kind in tasks(court, case_id)} & {"proceeding", "proceeding_quiet"} == {"proceeding"}


def test_the_court_may_set_a_shorter_time_than_the_law(court: Office) -> None:
    case_id = company(court)
    post(court, f"{case_id}/proceedings/begin", kind="bankruptcy", began_on="2026-06-10", due_on="2026-06-25")
    assert proceedings(court, case_id)[0]["proceeding"]["deadline_on"] == "2026-06-25"
