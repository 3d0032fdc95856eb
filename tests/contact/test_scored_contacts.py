"""What calls came to counts when the debtor is scored: promises that ran out, and ways that reach him no more."""

from __future__ import annotations

import datetime as dt

import msgspec
from web.office import Office, change

from collecthub.bundled import solvency
from collecthub.engine.contact_outcome import note_outcome
from collecthub.model.contact import Channel
from collecthub.model.contact_outcome import ContactOutcome
from collecthub.store.queries.scope import LOCAL_OPERATOR
from contact.conftest import STEPS, THREE_MAILS, Later, agree
from contact.test_back import waiting_call
from contact.test_course import open_case

TWO_CALLS = msgspec.structs.replace(
    THREE_MAILS, steps=(*(msgspec.structs.replace(one, channel=Channel.PHONE) for one in STEPS[:2]), STEPS[2])
)


def reasons(office: Office, case_id: str) -> dict[str, tuple[int, str]]:
    """Score him; points and words by question."""
    client = office.client("kroon")
    assert client.post(f"/api/v1/cases/{case_id}/solvency/score", json={}, headers=change()).status_code == 200
    score = client.get(f"/api/v1/cases/{case_id}/solvency").json()["solvency"]["score"]
    return {one["factor"]: (one["points"], one["text"]) for one in score["reasons"]}


def test_a_broken_promise_and_a_wrong_number_lower_the_chance(office: Office, later: Later) -> None:
    office.hub.plugins.add("solvency", solvency)
    agree(office.hub, TWO_CALLS)
    case_id = open_case(office, "scored@example.org", phone="+32470123456")
    later(office, 3)
    assert reasons(office, case_id)["promises broken"] == (0, "nobody has spoken to the debtor yet")
    on = office.hub.business_date() + dt.timedelta(days=2)
    note_outcome(office.hub, LOCAL_OPERATOR, waiting_call(office, case_id), ContactOutcome.PROMISED, on=on)
    assert reasons(office, case_id)["promises broken"] == (0, "broke no promise to pay")
    later(office, 8)
    note_outcome(office.hub, LOCAL_OPERATOR, waiting_call(office, case_id), ContactOutcome.WRONG_NUMBER)
    found = reasons(office, case_id)
    assert found["promises broken"] == (6, "broke a promise to pay")
    assert found["messages that came back"] == (8, "is not reached any more by some way")
    assert found["reminders without effect"] == (4, "did not react to reminders")
