"""Business One's dunning blocks and activities: set when a case leaves, lifted when it ends, a person's left alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sandbox.case_reports import CLOSED, RECALLED, SENT, SUSPENDED, report

from collecthub.errors import RetryableError
from collecthub.model.event import Fact


def refs_of(company: Any) -> dict[str, str]:
    """Items by the creditor's number for them, in the order they were loaded."""
    names = {"/".join(item["key"]): item["number"] for item in company.twin.control("books")["items"]}
    rows = [row for page in company.connector().pull("") for row in page.rows]
    return {names[row.item_ref]: row.item_ref for row in rows}


def blocks(company: Any) -> dict[str, str]:
    """As the books show them, not as we read them."""
    return {item["number"]: item["dunning_block"] for item in company.twin.control("books")["items"]}


def seen_as_blocked(company: Any) -> set[str]:
    """Lines that would hold a case back."""
    return {row.item_ref for page in company.connector().pull("") for row in page.rows if row.is_blocked}


def activities(company: Any) -> list[str]:
    return [item["Notes"] for item in company.twin.control("activities")["items"]]


@pytest.mark.parametrize("ending", [CLOSED, RECALLED])
def test_invoices_of_a_case_are_blocked_while_it_is_out(company: Any, ending: Fact) -> None:
    company.load({"number": "F1"}, {"number": "F2"}, {"number": "F3"})
    company.do("block", "F2", blocked=True)  # by a person
    refs = refs_of(company)
    case = (refs["F1"], refs["F2"])
    connector = company.connector()
    receipt = connector.report(report(SENT, "C1", case))
    assert receipt.detail.startswith("1 of 2 invoices blocked")
    assert blocks(company) == {"F1": "tYES", "F2": "tYES", "F3": ""}
    assert seen_as_blocked(company) == {refs["F2"]}  # our own block does not stop us
    connector.report(report(SENT, "C1", case))
    connector.report(report(SUSPENDED, "C1", case, report_id="1" * 32))
    assert blocks(company) == {"F1": "tYES", "F2": "tYES", "F3": ""}
    company.connector().report(report(ending, "C1", case, report_id="2" * 32))
    assert blocks(company) == {"F1": "", "F2": "tYES", "F3": ""}
    assert len(activities(company)) == 2  # the repeated report was noted once


def test_a_down_payment_is_blocked_apart_from_the_invoice_of_the_same_entry(company: Any) -> None:
    company.load({"number": "D1", "kind": "down_payment"}, {"number": "F1"})
    company.twin.control("journal", {"customer_ref": "C1", "number": "J1", "amount": "70.00"})
    refs = refs_of(company)
    connector = company.connector()
    receipt = connector.report(report(SENT, "C1", (refs["D1"], refs["J1"])))
    assert receipt.detail.startswith("1 of 1 invoices blocked") and len(activities(company)) == 1
    assert blocks(company) == {"D1": "tYES", "F1": "", "J1": ""}
    assert seen_as_blocked(company) == set()
    connector.report(report(CLOSED, "C1", (refs["D1"], refs["J1"]), report_id="1" * 32))
    assert blocks(company) == {"D1": "", "F1": "", "J1": ""}


def test_a_paid_invoice_is_let_be(company: Any) -> None:
    """Nobody is dunned for it, and not every release lets a closed document be changed."""
    company.load({"number": "F1"}, {"number": "F2"})
    refs = tuple(refs_of(company).values())
    connector = company.connector(write_activities=False)
    connector.report(report(SENT, "C1", refs))
    company.do("pay", "F1")
    assert connector.report(report(CLOSED, "C1", refs)).detail == "2 of 2 invoices released"
    assert blocks(company) == {"F2": ""}
    company.do("reset_clearing", "F1")
    assert blocks(company) == {"F1": "tYES", "F2": ""}  # as it was left
    assert seen_as_blocked(company) == set()  # and known as ours: it holds nothing back
    connector.report(report(SENT, "C1", refs, report_id="1" * 32))
    connector.report(report(CLOSED, "C1", refs, report_id="2" * 32))
    assert blocks(company) == {"F1": "", "F2": ""}
    for name in ("F1", "F2"):
        company.do("block", name, blocked=True)
    assert seen_as_blocked(company) == set(refs)  # a person's, and no longer taken for ours


def test_a_block_that_a_person_lifts_and_sets_again_is_his(company: Any) -> None:
    company.load({"number": "F1"})
    refs = tuple(refs_of(company).values())
    company.connector().report(report(SENT, "C1", refs))
    company.do("block", "F1", blocked=False)
    company.connector().report(report(CLOSED, "C1", refs, report_id="1" * 32))
    company.do("block", "F1", blocked=True)
    assert seen_as_blocked(company) == set(refs)


def test_a_customer_of_two_cases_is_released_with_the_last(company: Any) -> None:
    company.load({"number": "F1"}, {"number": "F2", "currency": "USD"})
    refs = refs_of(company)
    connector = company.connector(block="customer", write_activities=False)
    assert connector.report(report(SENT, "C1", (refs["F1"],), case_id="euro")).detail == "customer blocked"
    connector.report(report(SENT, "C1", (refs["F2"],), case_id="dollar"))
    kept = connector.report(report(CLOSED, "C1", (refs["F1"],), case_id="euro"))
    assert kept.detail == "customer stays blocked for 1 other case"
    assert connector.report(report(CLOSED, "C1", (refs["F2"],), case_id="dollar")).detail == "customer released"
    company.twin.control("customer", {"customer_ref": "C1", "BlockDunning": "tYES"})
    assert "left as he was" in connector.report(report(SENT, "C1", (refs["F1"],))).detail
    assert "left as he was" in connector.report(report(CLOSED, "C1", (refs["F1"],))).detail
    assert activities(company) == []


def test_what_is_wanted_follows_the_settings(company: Any) -> None:
    assert company.connector().wants("case_sent")
    assert company.connector(block="none").wants("case_closed")
    assert not company.connector(block="none", write_activities=False).wants("case_sent")
    assert not company.connector().wants("note_added")


def test_items_that_did_not_come_from_here_are_no_concern(company: Any) -> None:
    assert "nothing to write" in company.connector().report(report(SENT, "C1", ("1000/2026/18/001", "form-1"))).detail


def test_an_activity_whose_answer_was_lost_is_noted_once(company: Any) -> None:
    company.load({"number": "F1"})
    refs = tuple(refs_of(company).values())
    company.twin.control("faults", {"path": "/b1s/v2/Activities", "delay_seconds": 0})  # lets the question pass
    company.twin.control("faults", {"path": "/b1s/v2/Activities", "drop_after_bytes": 10})
    with pytest.raises(RetryableError):
        company.connector().report(report(SENT, "C1", refs))
    company.connector().report(report(SENT, "C1", refs))
    assert activities(company) == ["Case C-1: something."]


def test_a_session_that_ends_between_reading_and_writing_is_no_matter(company: Any) -> None:
    company.load({"number": "F1"})
    refs = tuple(refs_of(company).values())
    connector = company.connector()
    connector.report(report(SENT, "C1", refs))
    company.twin.control("sessions", {"expire": True})
    connector.report(report(CLOSED, "C1", refs, report_id="1" * 32))
    assert blocks(company) == {"F1": ""}
    assert company.twin.control("sessions")["in_use"] == 1
    connector.close()
    assert company.twin.control("sessions")["in_use"] == 0


def test_debtors_who_are_told_about_side_by_side_share_one_session(company: Any) -> None:
    names = [f"K{n:02d}" for n in range(16)]
    company.load(
        *[{"number": f"F-{name}", "customer_ref": name} for name in names],
        customers=[{"customer_ref": name, "name": name} for name in names],
    )
    refs = refs_of(company)
    connector = company.connector()
    before = company.twin.control("sessions")["logins"]
    company.twin.control("sessions", {"expire": True})

    def tell(name: str) -> str:
        return str(connector.report(report(SENT, name, (refs[f"F-{name}"],), report_id=f"{name:0>32}")).detail)

    with ThreadPoolExecutor(8) as pool:
        assert {one[:23] for one in pool.map(tell, names)} == {"1 of 1 invoices blocked"}
    assert set(blocks(company).values()) == {"tYES"}
    assert len(activities(company)) == 16
    assert company.twin.control("sessions") == {"in_use": 1, "logins": before + 1, "locked": False}
