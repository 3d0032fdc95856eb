"""Every rule of feasibility that looks at more than the ERP's fields fires and clears on what a person states by API.

Together with what a case brings itself: intake, the data changed, before a costly step; each with its findings in the
history and the request to whoever must supply something.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from collecthub.bundled import jurisdictions, solvency
from web.office import Office, change
from web.test_payments_page import page, send, visitor, words

DE = {"name": "Kunde GmbH", "country": "DE", "registration_ref": "HRB 1"}
PERSON = {"name": "Jan Maes", "kind": "person"}
OLD, YOUNG = "2016-01-15", "2026-03-31"
_numbers = itertools.count(1)
COURT, ENFORCE = {"procedure": "judicial"}, {"procedure": "enforcement"}
EPO = {**COURT, "instrument": "epo"}
AT_DELIVERY = {**COURT, "forum": "BE"}


def clause(kind: str, **more: Any) -> dict[str, Any]:
    return {"clauses": [{"kind": kind, "document_kind": "contract", **more}]}


# rule, debtor, the step, what is stated and found, a word of the evidence, what is stated and clear
STATED: list[tuple[str, dict[str, Any], dict[str, str], dict[str, Any], str, dict[str, Any]]] = [
    ("LIM-02", {"country": "BE"}, ENFORCE, {"title_on": "2015-01-01"}, "10 years", {"title_on": "2017-01-01"}),
    ("INT-01", {"country": "BE", **PERSON}, {}, {**clause("interest"), "interest": {"percent": "12"}}, "above",
     {**clause("interest"), "interest": {"percent": "10.5"}}),
    ("INT-02", DE, {}, {"interest": {"percent": "9.00"}}, "the law gives 10.27", {"interest": {"percent": "10.27"}}),
    ("INT-03", {"country": "CZ"}, {}, {"interest": {"fixing": "floating"}}, "at_start", {"interest": {"fixing": "at_start"}}),
    ("INT-04", {"country": "SI"}, {}, {"interest": {"is_compound": True}}, "simple", {"interest": {"is_compound": False}}),
    ("INT-05", DE, EPO, {"interest": {"percent": "9"}}, "from-date", {"interest": {"percent": "9", "from_on": "2026-04-01"}}),
    ("DOC-03", DE, COURT, {"document_languages": ["nl"]}, "documents in nl", {"document_languages": ["nl", "de"]}),
    ("DOC-05", DE, {}, clause("penalty", document_kind="invoice"), "penalty", clause("penalty")),
    ("PAR-02", DE, {}, {"issuer_name": "Another seller"}, "no assignment", {"issuer_name": "brouwerij de kroon"}),
    ("JUR-02", DE, COURT, clause("court", country="BE"), "exclusive clause for BE", clause("court", country="DE")),
    ("JUR-03", DE, AT_DELIVERY, {"performed_in": "FR"}, "performed in FR", {"performed_in": "BE"}),
    ("CON-01", {"country": "BE", **PERSON}, {}, {"letters": []}, "no reminder is on file",
     {"letters": [{"kind": "reminder", "sent_on": "2026-05-01"}]}),
    ("SAN-01", DE, {}, {"screened_on": "2026-06-01", "is_sanctioned": True}, "2026-06-01", {"screened_on": "2026-06-01"}),
    ("ADR-01", {"country": "CZ"}, COURT, {"letters": []}, "seven days",
     {"letters": [{"kind": "pre_action", "sent_on": "2026-06-01"}]}),
]  # fmt: skip


@pytest.fixture
def desk(office: Office) -> Office:
    office.hub.plugins.add("jurisdictions", jurisdictions)
    return office


def opened(office: Office, debtor: dict[str, Any], due_on: str = YOUNG, currency: str = "EUR") -> str:
    claims = [{"number": f"F{next(_numbers)}", "due_on": due_on, "amount": "1000.00"}]
    return str(office.open_case(debtor={"name": "Kunde", **debtor}, claims=claims, currency=currency)["case_id"])


def state(office: Office, case_id: str, body: dict[str, Any], wanted: int = 200) -> dict[str, Any]:
    answer = office.client("kroon").post(f"/api/v1/cases/{case_id}/circumstances", json=body, headers=change())
    assert answer.status_code == wanted, answer.text
    found: dict[str, Any] = answer.json()
    return found


def judged(office: Office, case_id: str, **step: str) -> dict[str, dict[str, Any]]:
    """What is said of a case, by rule: verdict and evidence."""
    told = office.client("kroon").get(f"/api/v1/cases/{case_id}/feasibility", params=step).json()
    evidence = {one["id"]: one for one in told["findings"]}
    return {rule: {"verdict": verdict, **evidence.get(rule, {})} for rule, verdict in told["verdicts"].items()}


def test_what_is_stated_fires_and_clears_each_rule_that_no_erp_can_answer(desk: Office) -> None:
    for rule, debtor, step, bad, word, good in STATED:
        case_id = opened(desk, debtor)
        before = judged(desk, case_id, **step)[rule]["verdict"]
        assert before in ("unknown", "not_applicable") or rule in ("INT-05", "CON-01"), (rule, before)
        state(desk, case_id, bad)
        told = judged(desk, case_id, **step)[rule]
        assert (told["verdict"], word in told["evidence"]) == ("found", True), (rule, told)
        assert all(told[name] for name in ("id", "evidence", "rule_version", "source", "severity", "owner", "fix", "deadline_on"))
        state(desk, case_id, good)
        assert judged(desk, case_id, **step)[rule]["verdict"] == "clear", (rule, judged(desk, case_id, **step)[rule])


def test_a_case_brings_the_other_findings_itself(desk: Office) -> None:
    """Rule, case, step: what the case's own fields give, without a word of a person."""
    belgian, person = {"country": "BE"}, {**DE, **PERSON}
    for rule, debtor, step, more in (
        ("LIM-01", belgian, COURT, {"due_on": OLD}), ("DOC-01", DE, COURT, {}), ("PAR-01", {"country": "BE", "vat_ref": "BE1"}, {}, {}),
        ("JUR-01", person, AT_DELIVERY, {}), ("INS-01", belgian, EPO, {}),
        ("INS-03", {"country": "US"}, AT_DELIVERY, {}), ("SRV-01", DE, COURT, {}), ("CON-02", person, EPO, {}),
        ("CUR-01", {"country": "BG"}, {}, {"currency": "BGN"}),
    ):  # fmt: skip
        assert judged(desk, opened(desk, debtor, **more), **step)[rule]["verdict"] == "found", rule


def test_what_is_stated_is_read_back_and_refused_where_it_cannot_be(desk: Office) -> None:
    case_id = opened(desk, DE)
    body = {"contract_on": "2026-01-02", "clauses": [], "letters": [{"kind": "reminder", "sent_on": "2026-05-01", "channel": "email"}]}
    assert state(desk, case_id, body)["version"] == state(desk, case_id, body)["version"], "the same again says nothing new"
    assert desk.client("kroon").get(f"/api/v1/cases/{case_id}/circumstances").json() == body
    for wrong, word in (
        ({"title_on": "2026-06-16"}, "lies ahead"), ({"contract_on": "0001-01-01"}, "not of our time"), ({"performed_in": "ZZ"}, "no country"), ({"is_sanctioned": True}, "needs its day"),
        ({"title_country": "BE"}, "needs the day"), ({"letters": [{"kind": "telex", "sent_on": "2026-01-01"}]}, "letters"),
        ({"interest": {"percent": "1000.01"}}, "percent"), ({"document_languages": ["<x>"]}, "document_languages"), ({"x": 1}, "x"),
    ):  # fmt: skip
        assert word in str(state(desk, case_id, wrong, wanted=422)), wrong
    assert desk.client("bailiff").get(f"/api/v1/cases/{case_id}/circumstances").status_code == 403
    assert desk.client("other").get(f"/api/v1/cases/{case_id}/circumstances").status_code == 404


# --- when the data changes, and before a costly step ----------------------------------------------


def checks(office: Office, case_id: str) -> list[dict[str, Any]]:
    history = office.client("kroon").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    return [one["fact"] for one in history if one["kind"] == "feasibility_checked"]


def asked(office: Office, case_id: str) -> list[str]:
    found = office.client("operator").get("/api/v1/tasks", params={"state": "open"}).json()["items"]
    return [one["owner"] for one in found if one.get("case_id") == case_id and one["kind"] == "feasibility"]


def test_a_changed_file_is_checked_anew_and_what_stops_it_is_asked_of_its_owner(desk: Office) -> None:
    case_id = opened(desk, {"country": "BE"})
    desk.run()
    assert [one["occasion"] for one in checks(desk, case_id)] in (["intake"], ["hand_over"])
    state(desk, case_id, {"screened_on": "2026-06-01", "is_sanctioned": True})
    desk.run()
    last = checks(desk, case_id)[-1]
    assert (last["occasion"], last["is_feasible"]) == ("data_changed", False)
    assert [one["id"] for one in last["findings"] if one["is_blocking"]] == ["SAN-01"] and asked(desk, case_id) == ["operator"]
    state(desk, case_id, {"screened_on": "2026-06-02"})
    desk.run()
    assert checks(desk, case_id)[-1]["is_feasible"] and asked(desk, case_id) == []


def test_the_kind_of_claim_moves_the_day_on_which_it_is_lost(desk: Office) -> None:
    """Belgium: two years for medical claims (art. 2277bis old Civil Code), ten for others."""
    case_id = opened(desk, {"country": "BE", **PERSON}, "2024-01-15")
    before = judged(desk, case_id, **COURT)["LIM-01"]
    assert (before["verdict"], before["is_blocking"]) == ("found", False), "by the nature of the claim it may last longer"
    said = desk.client("kroon").post(f"/api/v1/cases/{case_id}/nature", json={"nature": "medical"}, headers=change())
    assert said.status_code == 200
    after = judged(desk, case_id, **COURT)["LIM-01"]
    assert after["is_blocking"] and "2 years (medical)" in after["evidence"], after


def test_no_suit_begins_against_a_finding_that_stops_it(desk: Office) -> None:
    desk.hub.plugins.add("solvency", solvency)
    case_id = opened(desk, {"country": "BE", "vat_ref": "BE0403019261"})
    desk.run()
    client, path = desk.client("kroon"), f"/api/v1/cases/{case_id}/proceedings"
    allowed = {"kind": "judicial", "estimate": "450.00", "cap": "600.00", "reason": "summons"}
    assert client.post(f"{path}/approvals", json=allowed, headers=change()).status_code == 200
    assert client.post(f"{path}/approval-decisions", json={"is_given": True}, headers=change()).status_code == 200
    state(desk, case_id, {"screened_on": "2026-06-01", "is_sanctioned": True})
    refused = client.post(f"{path}/begin", json={"kind": "judicial"}, headers=change())
    assert refused.status_code == 422 and "sanctions" in refused.text and "Operator, until" in refused.text, refused.text
    assert asked(desk, case_id) == ["operator"], "what is asked stays on his list although nothing began"
    again = client.post(f"{path}/begin", json={"kind": "judicial"}, headers=change())
    assert again.status_code == 422 and asked(desk, case_id) == ["operator"], "and is asked once"
    state(desk, case_id, {"screened_on": "2026-06-02"})
    assert client.post(f"{path}/begin", json={"kind": "judicial"}, headers=change()).status_code == 200
    assert asked(desk, case_id) == []
    assert "costly_step" in [one["occasion"] for one in checks(desk, case_id)]


# --- the page -------------------------------------------------------------------------------------


def test_a_person_states_on_the_page_what_is_known_and_reads_it_back(desk: Office) -> None:
    case_id = opened(desk, {"country": "CZ"})
    client, path, form = visitor(desk), f"/cases/{case_id}/feasibility", f"/cases/{case_id}/circumstances"
    start = page(client, f"{path}?procedure=judicial")
    assert "whether the contract chooses a court or arbitration is not on file" in words(start)
    half = send(client, start, form, court="exclusive", court_country="be", title_on="2027-01-01")
    assert "Tick this too" in words(half) and "Nothing is kept yet." in words(half)
    ahead = send(client, start, form, title_on="2027-01-01")
    assert "the title of 2027-01-01 lies ahead" in words(ahead)
    stated = {
        "clauses_read": "yes", "court": "exclusive", "court_country": "be", "penalty": "terms", "pre_action_on": "2026-06-01",
        "percent": "11.25", "is_compound": "no", "document_languages": "cs, de", "screened_on": "2026-06-02",
    }  # fmt: skip
    kept = send(client, start, form, **stated)
    assert "It is noted, and the case was checked anew." in words(kept) and "exclusive clause for Belgium, planned is Czechia" in words(kept)
    again = {name: value for name, value in next(one for one in kept.forms if one.action.endswith(form)).form_values() if value}
    assert {**stated, "court_country": "BE", "document_languages": "cs de"}.items() <= again.items()
    assert "clauses" in words(page(client, f"/cases/{case_id}")), "the history tells it"
    send(client, kept, form, **again | {"version": "1"})
    assert judged(desk, case_id, **COURT)["ADR-01"]["verdict"] == "clear"
    assert client.post(form.replace(case_id, "nobody"), data={}).status_code in (403, 404)
