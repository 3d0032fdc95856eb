"""The playbook in the portal: checked, tried on past invoices beside the one that holds, agreed, every version kept."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from web.office import BASE, PASSWORD, Office, change

from collecthub.engine.playbook_proposals import agree_to_proposal
from collecthub.engine.playbooks import playbook_history
from collecthub.store.queries.scope import LOCAL_OPERATOR, NotThereError, Role, Scope
from contact.test_trial import TOML

PATH = "/creditors/kroon/playbook"
PAST = (  # in the columns of a published history
    b"countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate,"
    b"PaperlessBill,DaysToSettle,DaysLate\n391,A,4/6/2013,1,1/2/2013,2/1/2013,55.94,No,2/15/2013,Paper,44,14\n"
)


@pytest.fixture
def portal(office: Office) -> TestClient:
    office.add_user("ann@kroon.example", Role.CREDITOR, "kroon")
    client = TestClient(office.app, base_url=BASE, follow_redirects=True)
    page = client.get("/login").text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    answer = client.post(
        "/login", data={"email": "ann@kroon.example", "password": PASSWORD, "csrf": token[1] if token else ""}
    )
    assert answer.status_code == 200, answer.text
    return client


def send(portal: TestClient, path: str, text: str, files: Any = None, **more: str) -> tuple[int, str]:
    token = re.search(r'name="csrf" value="([^"]+)"', portal.get(PATH).text)
    assert token is not None
    form = {"csrf": token[1], "text": text, "segment": "B2B", "country": "BE", **more}
    answer = portal.post(path, data=form, files=files)
    return answer.status_code, answer.text


def both_agree(office: Office, portal: TestClient, text: str, number: int) -> str:
    """The creditor proposes, the operator agrees; the creditor's page then."""
    assert send(portal, f"{PATH}/propose", text)[0] == 200
    with office.hub.work() as work:
        agree_to_proposal(work, LOCAL_OPERATOR, "kroon", number)
    return portal.get(PATH).text


def test_a_playbook_is_tried_then_agreed_and_every_version_is_kept(office: Office, portal: TestClient) -> None:
    status, page = send(portal, f"{PATH}/preview", TOML.replace("final", "rude"))
    assert status == 422 and "rude" in page
    status, page = send(portal, f"{PATH}/preview", TOML, files={"file": ("past.csv", PAST, "text/csv")})
    assert status == 200 and "As agreed today" in page and "As proposed" in page
    with office.hub.database.read() as conn:
        assert playbook_history(conn, LOCAL_OPERATOR, "kroon")[0].playbook.contact[0].name == "three mails"
    status, page = send(portal, PATH, TOML, agreed_with="the desk", agreed_on="2026-06-14")
    assert status == 422 and "the word of one" in page, "a creditor cannot change it alone"
    both_agree(office, portal, TOML, 1)
    both_agree(office, portal, TOML.replace("after_days = 3\n", "after_days = 5\n"), 2)
    page = portal.get(PATH).text
    assert "Version 1" in page and "Version 2" in page and "It is agreed" not in page
    with office.hub.database.read() as conn:
        row, versions = playbook_history(conn, LOCAL_OPERATOR, "kroon")
        with pytest.raises(NotThereError):
            playbook_history(conn, Scope(role=Role.CREDITOR, subject="x", creditor_id="other"), "kroon")
    assert row.playbook.contact[0].steps[0].after_days == 5
    assert [one.number for one in versions] == [2, 1] and versions[1].content.strip() == TOML.strip()
    assert portal.get("/creditors/other/playbook").status_code == 404
    assert portal.get("/playbooks").url.path == PATH


LIMITS = '\n[plans]\nmonths_max = 2\nminimum_instalment = "30.00"\n\n[approval]\ngiven_up_to = "200.00"\ncase_cap = "450.00"\n'


def test_plan_limits_and_cost_caps_of_the_playbook_decide_at_every_gate(office: Office, portal: TestClient) -> None:
    case_id = str(office.open_case()["case_id"])  # opened before: limits are no steps, they hold at once
    page = both_agree(office, portal, TOML + LIMITS, 1)
    assert "up to 2 months, from 30.00 each" in page and "at most 450.00 together" in page
    client = office.client("kroon")

    def post(what: str, **body: object) -> dict[str, object]:
        found: dict[str, object] = client.post(f"/api/v1/cases/{case_id}/{what}", json=body, headers=change()).json()
        return found

    post("plan/propose", instalments=3)
    assert "beyond what was agreed" in str(post("plan/agree")["detail"])
    assert "detail" not in post("plan/agree", reason="she keeps her word")
    post("plan/end", reason="trial")
    assert approvals(client, case_id, post("proceedings/approvals", kind="judicial", estimate="150.00", cap="200.00", reason="r"))[-1] == (
        "judicial", True, "200.00"
    )  # fmt: skip
    asked = post("proceedings/approvals", kind="enforcement", estimate="250.00", cap="300.00", reason="r")
    assert approvals(client, case_id, asked)[-1] == ("enforcement", False, "300.00")
    refused = post("proceedings/approval-decisions", is_given=True)
    assert "above the 450.00" in str(refused["detail"])
    assert approvals(client, case_id, post("proceedings/approval-decisions", is_given=True, cap="250.00"))[-1][1] is True


def approvals(client: TestClient, case_id: str, answered: dict[str, object]) -> list[tuple[object, ...]]:
    assert "detail" not in answered, answered
    found = client.get(f"/api/v1/cases/{case_id}/proceedings").json()["approvals"]
    return [(one["kind"], one["is_given"], one["cap"]) for one in found]


@pytest.mark.parametrize(
    ("table", "wrong"),
    [("[plans]\nmonths_max = 13", "13 months"), ("[plans]\nmonths = 3", "months"), ("[approval]\ngiven_up_to = \"-1\"", "less than nothing"), ("[costs]\ncap = 1", "costs")],
)
def test_limits_that_cannot_be_agreed_are_named(office: Office, portal: TestClient, table: str, wrong: str) -> None:
    status, page = send(portal, f"{PATH}/preview", f"{TOML}\n{table}\n")
    assert status == 422 and wrong in page


def test_what_one_side_proposes_the_other_agrees_to_on_the_page(office: Office, portal: TestClient) -> None:
    office.add_user("desk@example.org", Role.OPERATOR)
    desk = office.client(follow_redirects=True)
    assert desk.post("/login", data={"email": "desk@example.org", "password": PASSWORD}).status_code == 200
    status, page = send(portal, f"{PATH}/propose", TOML.replace("final", "rude"))
    assert status == 422 and "rude" in page
    status, page = send(portal, f"{PATH}/propose", TOML)
    assert status == 200 and "You proposed" in page and "holds once the other side agrees" in page
    assert send(portal, f"{PATH}/proposals/1", "")[0] == 422  # no verdict, and not his to give
    agenda = desk.get("/agenda").text
    assert f"{PATH}#proposed" in agenda and "agree or decline" in agenda
    shown = desk.get(PATH).text
    token = re.search(r'name="csrf" value="([^"]+)"', shown)
    assert token is not None and "Proposed to you" in shown and "Three reminders" in shown
    no_reason = desk.post(f"{PATH}/proposals/1", data={"csrf": token[1], "verdict": "decline"})
    assert no_reason.status_code == 422
    agreed = desk.post(f"{PATH}/proposals/1", data={"csrf": token[1], "verdict": "agree"})
    assert agreed.status_code == 200 and "Agreed as version 1" in agreed.text and "Proposed to you" not in agreed.text
    assert f"{PATH}#proposed" not in desk.get("/agenda").text


def test_the_operator_enters_what_a_creditor_without_a_login_agreed_to(both_office: Office) -> None:
    """With whom and when, or not at all; once somebody there can log in, it is a proposal."""
    office = both_office
    office.add_user("desk@example.org", Role.OPERATOR)
    desk = office.client(follow_redirects=True)
    assert desk.post("/login", data={"email": "desk@example.org", "password": PASSWORD}).status_code == 200
    assert send(desk, PATH, TOML)[0] == 422, "nobody is named"
    status, page = send(desk, PATH, TOML, agreed_with="Ann Peeters", agreed_on="2026-06-16")
    assert status == 422 and "with whom" in page, "tomorrow"
    status, page = send(desk, PATH, TOML, agreed_with="Ann Peeters", agreed_on="2026-06-12")
    assert status == 200 and "agreed with <bdi>Ann Peeters</bdi> on" in page
    with office.hub.database.read() as conn:
        (version,) = playbook_history(conn, LOCAL_OPERATOR, "kroon")[1]
    assert (version.agreed_with, str(version.agreed_on)) == ("Ann Peeters", "2026-06-12")
    office.add_user("ann@kroon.example", Role.CREDITOR, "kroon")
    status, page = send(desk, PATH, TOML, agreed_with="Ann Peeters", agreed_on="2026-06-12")
    assert status == 422 and "Propose it" in page
