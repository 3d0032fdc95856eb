"""The playbook by API: what holds, a proposal that one side makes and the other agrees to, and a dry run of both beside each other."""

from __future__ import annotations

from typing import Any

from web.office import Office, once

from contact.conftest import THREE_MAILS
from contact.test_playbook_page import PAST
from contact.test_trial import TOML

PLAYBOOK = "/api/v1/playbook"
OF_KROON = {"creditor_id": "kroon"}


def post(office: Office, who: str, path: str, body: dict[str, Any], **params: str) -> Any:
    return office.client(who).post(f"{PLAYBOOK}{path}", json=body, headers=once(), params=params)


def test_one_side_proposes_tries_and_the_other_agrees(both_office: Office) -> None:
    office = both_office
    held = office.client("kroon").get(PLAYBOOK).json()
    assert (held["version"], held["terms"]["contact"][0]["name"]) == (0, THREE_MAILS.name)
    made = post(office, "operator", "/proposed-versions", {"text": TOML, "note": "one letter less"}, **OF_KROON)
    assert (made.status_code, made.json()["number"], made.json()["state"]) == (201, 1, "open")
    tried = office.client("kroon").post(
        f"{PLAYBOOK}/dry-run", params={"name": "past.csv", "proposal": "1", "letters": "true"}, content=PAST
    ).json()  # fmt: skip
    assert (tried["tried"]["policy"], tried["held"]["policy"]) == ("Three reminders", THREE_MAILS.name)
    # due on 1 February 2013, paid on the 15th: one reminder by the proposal, two by what holds
    assert [one["times"] for one in tried["tried"]["steps"]] == [1, 0, 0]
    assert [one["times"] for one in tried["held"]["steps"]] == [1, 1, 0, 0]
    assert [(one["on"], one["step"]) for one in tried["letters"]] == [("2013-02-04", "reminder 1")]
    own = post(office, "operator", "/proposed-versions/1/agree", {}, **OF_KROON)
    assert own.status_code == 422 and "the other side decides" in own.text
    assert any(task["kind"] == "playbook_proposed" for task in office.client("kroon").get("/api/v1/tasks").json()["items"])
    agreed = post(office, "kroon", "/proposed-versions/1/agree", {}).json()
    assert (agreed["state"], agreed["version"], agreed["decided_by"]) != ("open", None, "")
    now = office.client("operator").get(PLAYBOOK, params=OF_KROON).json()
    assert (now["version"], now["terms"]["contact"][0]["name"]) == (1, "Three reminders")
    [version] = office.client("kroon").get(f"{PLAYBOOK}/versions").json()["items"]
    assert version["content"] == TOML.strip() or version["content"] == TOML
    assert post(office, "kroon", "/proposed-versions/1/agree", {}).status_code == 422
    assert not any(task["kind"] == "playbook_proposed" for task in office.client("kroon").get("/api/v1/tasks").json()["items"])


def test_a_proposal_is_replaced_refused_and_never_half_read(office: Office) -> None:
    wrong = post(office, "kroon", "/proposed-versions", {"text": TOML.replace("final", "rude")})
    assert wrong.status_code == 422 and "rude" in wrong.text
    for _ in range(2):
        post(office, "kroon", "/proposed-versions", {"text": TOML})
    said = post(office, "operator", "/proposed-versions/2/refuse", {"reason": "the last word comes too soon"}, **OF_KROON)
    assert said.json()["state"] == "declined"
    found = office.client("kroon").get(f"{PLAYBOOK}/proposed-versions").json()["items"]
    assert [(one["number"], one["state"], one["reason"]) for one in found] == [
        (2, "declined", "the last word comes too soon"), (1, "replaced", ""),
    ]  # fmt: skip
    assert office.client("kroon").get(PLAYBOOK).json()["version"] == 0


def test_another_creditors_playbook_does_not_exist(office: Office) -> None:
    post(office, "operator", "/proposed-versions", {"text": TOML}, **OF_KROON)
    for path in ("", "/versions", "/proposed-versions"):
        assert office.client("other").get(f"{PLAYBOOK}{path}", params=OF_KROON).status_code == 404
        assert office.client("bailiff").get(f"{PLAYBOOK}{path}").status_code == 403
    assert post(office, "other", "/proposed-versions/1/agree", {}).status_code == 404
    assert post(office, "other", "/proposed-versions/1/agree", {}, **OF_KROON).status_code == 404
