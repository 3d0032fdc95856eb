"""The agenda over HTTP: page by page in its order, narrowed, and acted on where one click is safe; on both databases."""

from __future__ import annotations

import datetime as dt
from typing import Any

from web.office import Office, once

from collecthub.engine.case_work import open_task
from collecthub.engine.identity import identify
from human.test_identity import ask, debtor_of
from human.test_plans import case, post

AGENDA = "/api/v1/agenda"


def listed(office: Office, who: str = "operator", wanted: int = 200, **query: Any) -> dict[str, Any]:
    found = office.client(who).get(AGENDA, params=query)
    assert found.status_code == wanted, found.text
    answered: dict[str, Any] = found.json()
    return answered


def act(office: Office, item: dict[str, Any], who: str = "operator") -> tuple[int, str]:
    found = office.client(who).post(f"{AGENDA}/{item['source']}/{item['item_id']}/act")
    return found.status_code, found.text


def asked(office: Office, case_id: str, kind: str, due_at: dt.datetime | None = None, owner: str = "operator") -> None:
    with office.hub.work() as work:
        open_task(
            work, kind=kind, title=f"{kind} of {case_id[-4:]}", case_id=case_id, creditor_id="kroon", due_at=due_at, owner=owner
        )


def three_cases(office: Office) -> tuple[str, str, str]:
    """Of 10, 300 and 20 euros; the last one's debtor lives abroad."""
    found = [
        str(office.open_case(
            debtor={"name": f"Debtor {amount}", "country": country, "email": f"d{amount}@example.org"},
            claims=[{"number": f"F-{amount}", "due_on": "2026-05-01", "amount": f"{amount}.00"}],
        )["case_id"])
        for amount, country in ((10, "BE"), (300, "BE"), (20, "FR"))
    ]  # fmt: skip
    return found[0], found[1], found[2]


def test_every_page_is_in_order_and_nothing_is_passed_over(both_office: Office) -> None:
    office = both_office
    small, large, foreign = three_cases(office)
    now = office.hub.now()
    asked(office, small, "moved", now - dt.timedelta(hours=1))  # late, so first although it weighs least
    for case_id in (small, large, foreign):
        asked(office, case_id, "callback")
    asked(office, small, "no_stop")
    asked(office, large, "moved", now + dt.timedelta(minutes=5))
    ours = {"late": (small, "moved"), "heavy": (small, "no_stop")}
    wanted = [ours["late"], ours["heavy"], (large, "callback"), (foreign, "callback"), (small, "callback"), (large, "moved")]
    whole = [one for one in listed(office)["items"] if one["kind"] in ("moved", "callback", "no_stop")]
    assert [(one["case_id"], one["kind"]) for one in whole] == wanted
    assert {one["stake"] for one in whole} == {"10.00", "300.00", "20.00"} and whole[0]["act"] == "Check the new address and correct it in the ERP."
    first = listed(office, kind="callback", limit=2)
    assert first["total"] == 3 and first["kinds"]["moved"] == 2 and [one["case_id"] for one in first["items"]] == [large, foreign]
    pages, cursor = [], ""
    for place in range(len(wanted)):
        page = listed(office, limit=1, cursor=cursor)
        pages += [(one["case_id"], one["kind"]) for one in page["items"]]
        cursor = page["next_cursor"] or ""
        if place == 1:
            assert office.hub._day_offset is not None
            office.hub._day_offset += dt.timedelta(minutes=10)  # the last one becomes late while the list is read
    assert pages == wanted and cursor == ""
    assert [(one["case_id"], one["kind"]) for one in listed(office, limit=2)["items"]] == [wanted[-1], wanted[0]]
    assert [one["case_id"] for one in listed(office, queue="international")["items"]] == [foreign]
    stolen = listed(office, limit=1)["next_cursor"]
    for who, query in (("kroon", {}), ("operator", {"kind": "callback"})):
        assert listed(office, who, 422, cursor=stolen, **query)["code"]


def test_one_click_does_what_is_safe_and_nothing_else(both_office: Office) -> None:
    office = both_office
    second, first, third = three_cases(office)
    for case_id, months in ((first, 3), (second, 60)):
        post(office, f"{case_id}/plan/propose", instalments=months)
        asked(office, case_id, "plan_proposed")
    post(office, f"{third}/objections/complaints", text="you called at night")
    asked(office, third, "callback")
    items = {(one["case_id"], one["kind"].partition(":")[0]): one for one in listed(office)["items"]}
    assert act(office, items[third, "callback"])[0] == 200
    assert act(office, items[first, "plan_proposed"])[0] == 200 and case(office, first)["holds"][0]["reason"] == "plan"
    status, said = act(office, items[second, "plan_proposed"])  # 60 months are beyond the limits: a person says why, or no
    assert status == 422 and "beyond what was agreed" in said
    status, said = act(office, items[third, "complaint"])
    assert status == 422 and "not done by one click" in said
    for who, wanted in (("kroon", 404), ("other", 404), ("bailiff", 403)):  # these tasks are the operator's
        assert act(office, items[third, "complaint"], who)[0] == wanted
        assert office.client(who).post(f"/api/v1/tasks/{items[third, 'complaint']['item_id']}/complete").status_code == wanted
    left = {(one["case_id"], one["kind"]) for one in listed(office)["items"]}
    assert {(second, "plan_proposed"), (third, "complaint")} <= left
    assert not {(third, "callback"), (first, "plan_proposed")} & left


def test_what_a_person_asks_about_himself_waits_until_it_is_answered(both_office: Office) -> None:
    office = both_office
    case_id = str(office.open_case()["case_id"])
    identify(office.hub, "kroon")
    identity_id = debtor_of(office, case_id)["identity_id"]
    request = ask(office, f"debtors/{identity_id}/requests", kind="access")
    (item,) = [one for one in listed(office)["items"] if one["source"] == "request"]
    assert item["due_at"].startswith("2026-07-15") and item["identity_id"] == identity_id  # a month (GDPR art. 12(3))
    assert act(office, item)[0] == 422
    assert not [one for one in listed(office, "kroon")["items"] if one["source"] == "request"], "it goes over every creditor"
    assert office.client("operator").post(f"/api/v1/requests/{request['request_id']}/archive", headers=once()).status_code == 200
    assert not [one for one in listed(office)["items"] if one["source"] == "request"]
