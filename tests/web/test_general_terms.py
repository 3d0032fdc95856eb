"""General terms are stated once for a creditor, count for the invoices of their time, and give way to what a case says."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import pytest

from collecthub.bundled import jurisdictions
from web.office import Office, change, once
from web.test_circumstances_api import checks, judged, state
from web.test_payments_page import page, send, visitor, words

PATH = "/api/v1/general-terms"
TEXT = base64.b64encode(b"Article 1: ...").decode()
BEFORE, FROM, LATER = "2026-01-31", "2026-02-01", "2026-03-01"
_numbers = itertools.count(1)
COURT = {"procedure": "judicial"}


@pytest.fixture
def desk(both_office: Office) -> Office:
    both_office.hub.plugins.add("jurisdictions", jurisdictions)
    return both_office


def terms(**changes: Any) -> dict[str, Any]:
    return {
        "from_on": FROM, "accepted_by": "order", "clauses": [{"kind": "court", "country": "BE"}, {"kind": "retention"}],
        **changes,
    }  # fmt: skip


def say(office: Office, body: dict[str, Any], wanted: int = 201, who: str = "kroon", **query: str) -> dict[str, Any]:
    answer = office.client(who).post(PATH, json=body, headers=once(), params=query)
    assert answer.status_code == wanted, answer.text
    found: dict[str, Any] = answer.json()
    return found


def opened(office: Office, *issued: str) -> str:
    claims = [
        {"number": f"T{next(_numbers)}", "issued_on": day, "due_on": "2026-03-31", "amount": "1000.00"} for day in issued
    ]
    debtor = {"name": "Kunde GmbH", "country": "DE", "registration_ref": "HRB 1"}
    return str(office.open_case(debtor=debtor, claims=claims)["case_id"])


def test_terms_count_for_the_invoices_of_their_time_and_open_cases_are_checked_anew(desk: Office) -> None:
    under, early, mixed = opened(desk, FROM, LATER), opened(desk, BEFORE), opened(desk, BEFORE, FROM)
    desk.run()
    assert judged(desk, under, **COURT)["JUR-02"]["verdict"] == "unknown"
    looked = len(checks(desk, under))
    made = say(desk, terms(language="de", document_name="terms.pdf", document=TEXT))
    assert made["document_name"] == "terms.pdf" and {one["document_kind"] for one in made["clauses"]} == {"order"}
    desk.run()
    told = judged(desk, under, **COURT)
    assert (told["JUR-02"]["verdict"], told["JUR-02"]["values"]) == ("found", {"chosen": "BE", "planned": "DE"})
    assert told["DOC-05"]["verdict"] == "clear" and told["DOC-03"]["verdict"] == "clear", "the text is a German paper"
    assert [judged(desk, case_id, **COURT)["JUR-02"]["verdict"] for case_id in (early, mixed)] == ["unknown"] * 2
    assert looked == 1 and [one["occasion"] for one in checks(desk, under)] == ["intake", "data_changed"], "nobody acts there"
    assert len(checks(desk, early)) == 1, "nothing is new there"
    state(desk, under, {"clauses": []})
    assert judged(desk, under, **COURT)["JUR-02"]["verdict"] == "clear", "what is said of the case goes before"
    client = desk.client("kroon")
    assert client.get(f"{PATH}/{made['terms_id']}/document").content == b"Article 1: ..."
    say(desk, terms(accepted_by="invoice", clauses=[{"kind": "retention"}], until_on=FROM))
    desk.run()
    newer, older = opened(desk, FROM), opened(desk, LATER)
    assert judged(desk, newer)["DOC-05"]["values"] == {"clauses": "clause_retention"}, "the newer statement counts"
    assert judged(desk, older)["DOC-05"]["verdict"] == "clear", "on other days the one before it"
    assert [one["until_on"] for one in client.get(PATH).json()["items"]] == [FROM, None]


def test_terms_are_their_creditors_and_make_sense(desk: Office) -> None:
    first = say(desk, terms())
    assert say(desk, terms())["terms_id"] == first["terms_id"], "the same said twice is kept once"
    assert desk.client("other").get(PATH).json()["items"] == []
    say(desk, terms(), 404, "other", creditor_id="kroon")
    assert desk.client("operator").get(PATH, params={"creditor_id": "kroon"}).json()["items"] == [first]
    assert "end before" in str(say(desk, terms(until_on=BEFORE), 422))
    assert "no country" in str(say(desk, terms(clauses=[{"kind": "law", "country": "ZZ"}]), 422))


def test_agreed_interest_counts_only_where_interest_is_asked_and_never_above_the_law(desk: Office) -> None:
    say(desk, terms(clauses=[{"kind": "interest"}], interest={"percent": "12"}))
    claims = [{"number": "R1", "issued_on": FROM, "due_on": "2026-03-31", "amount": "1000.00"}]
    person = desk.open_case(debtor={"name": "Jan Maes", "kind": "person", "country": "BE"}, claims=claims)["case_id"]
    assert judged(desk, person)["INT-01"]["verdict"] == "not_applicable", "no interest is asked yet"
    state(desk, person, {"interest": {"percent": "12"}})
    told = judged(desk, person)["INT-01"]
    assert told["verdict"] == "found" and told["values"]["stated"] == "12", "the clause does not lift the law's ceiling"


def test_a_person_states_them_on_the_page(desk: Office) -> None:
    client = visitor(desk)
    start = page(client, "/general-terms")
    assert "each case asks for its own" in words(start)
    wrong = send(client, start, "/general-terms", from_on=FROM, accepted_by="terms", law_country="zz")
    assert "Nothing is kept yet." in words(wrong) and "no country" in words(wrong)
    kept = send(
        client, start, "/general-terms", from_on=FROM, accepted_by="terms", law_country="be", retention="yes", content="x"
    )
    assert "Governing law: Belgium" in words(kept) and "Retention of title" in words(kept) and "june.xml" in words(kept)
    (link,) = [link for _, _, link, _ in kept.iterlinks() if link.endswith("/document")]
    assert client.get(link).content == b"x"
    assert desk.client("kroon").post(PATH, json=terms(), headers=change()).status_code == 201
