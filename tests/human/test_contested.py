"""A debtor contests his score on his own page: nothing costly begins, a person answers in time, and he reads the answer."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from web.office import BASE, Office

from collecthub.engine.debtor_links import link_of
from human.conftest import Later
from human.test_objections import objections
from human.test_plans import case, post, tasks
from human.test_proceedings import company, proceedings
from human.test_solvency import judicial, scores, solvency_of, with_gate

LANGUAGES = ("nl", "fr", "de", "en")


@pytest.fixture
def gated(office: Office) -> Office:
    return with_gate(office)


@pytest.fixture
def both_gated(both_office: Office) -> Office:
    return with_gate(both_office)


def visit(office: Office, case_id: str) -> tuple[TestClient, str]:
    """The debtor's browser after the code, and the address of his page."""
    with office.hub.work() as work:
        link = link_of(office.hub, work, case_id)
    client = TestClient(office.app, base_url=BASE, raise_server_exceptions=False)
    assert client.post(f"{link.path}/code", data={"code": link.code}, follow_redirects=False).status_code == 303
    return client, link.path


def contest(client: TestClient, path: str, text: str) -> int:
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert csrf is not None
    return client.post(f"{path}/say/score/documents", data={"csrf": csrf[1], "text": text}, follow_redirects=False).status_code


def test_from_his_page_to_the_answer(both_gated: Office) -> None:
    """Asked on 15 June: an answer by 15 July; the court waits for it, and he reads it in each of the four languages."""
    office = both_gated
    case_id = company(office)
    client, path = visit(office, case_id)
    assert 'id="score"' not in client.get(path).text, "who was not scored has nothing to contest"
    assert contest(client, path, "wrong") == 422
    post(office, f"{case_id}/solvency/score")
    assert contest(client, path, "I pay <b>every</b> month") == 303
    found = solvency_of(office, case_id)["solvency"]
    assert (found["contested"], found["answer_by_on"]) == ("I pay <b>every</b> month", "2026-07-15")
    (task,) = [one for one in office.client("operator").get("/api/v1/tasks").json()["items"] if one["kind"] == "score_contested"]
    assert task["due_at"].startswith("2026-07-15") and task["detail"] == "I pay <b>every</b> month"
    post(office, f"{case_id}/proceedings/approvals", kind="judicial", estimate="450.00", cap="600.00", reason="summons")
    post(office, f"{case_id}/proceedings/approval-decisions", is_given=True)
    assert "contests" in post(office, f"{case_id}/proceedings/begin", wanted=422, kind="judicial")["detail"]
    assert proceedings(office, case_id) == []
    post(office, f"{case_id}/solvency/contest-answer", text="A payment of May was <i>late</i>; the rest counts for you.")
    assert "score_contested" not in tasks(office, case_id)
    assert "nobody contests" in post(office, f"{case_id}/solvency/contest-answer", wanted=422, text="again")["detail"]
    for language in LANGUAGES:
        page = client.get(path, params={"language": language}).text
        assert "A payment of May was &lt;i&gt;late&lt;/i&gt;" in page, language
    post(office, f"{case_id}/proceedings/begin", kind="judicial")
    assert proceedings(office, case_id)[0]["proceeding"]["state"] == "prepared"


def test_a_case_on_its_way_to_court_waits_for_the_answer_and_goes_on_with_it(gated: Office, later: Later) -> None:
    """The gate stops the sending to the lawyer; nobody answers for a month and somebody is told; overruling answers too."""
    case_id = judicial(gated)
    post(gated, f"{case_id}/objections/complaints", text="you called at night")
    gated.run()
    client, path = visit(gated, case_id)
    assert contest(client, path, "the books are wrong") == 303
    post(gated, f"{case_id}/objections/complaint-answers", text="it will not happen again")
    gated.run()
    assert case(gated, case_id)["placement"] is None and ("case_sent", "") not in scores(gated, case_id)
    later(gated, 31)
    assert {"score_contested", "score_contested:late"} <= tasks(gated, case_id)
    post(gated, f"{case_id}/solvency/overrule", band="fair", reason="his accounts are in order")
    gated.run()
    assert case(gated, case_id)["placement"]["partner_id"] == "bailiff" and scores(gated, case_id)[-1] == ("case_sent", "")
    assert not tasks(gated, case_id) & {"score_contested", "score_contested:late", "unroutable"}


def test_what_a_person_answers_is_read_on_his_page(office: Office) -> None:
    case_id = str(office.open_case()["case_id"])
    client, path = visit(office, case_id)
    post(office, f"{case_id}/objections/complaints", text="rude")
    post(office, f"{case_id}/objections/complaint-answers", text="We are sorry.")
    post(office, f"{case_id}/objections/raise-dispute", ground="damaged", amount="40.00")
    (dispute,) = objections(office, case_id)["disputes"]
    assert "Signed for" not in client.get(path).text
    post(
        office, f"{case_id}/objections/decisions", dispute_id=dispute["dispute_id"], decision="rejected",
        reason="Signed for without remark.",
    )  # fmt: skip
    page = client.get(path, params={"language": "en"}).text
    assert "We are sorry." in page and "Signed for without remark." in page and "15 June 2026" in page
