"""Customers, documents, the connection check, and what is written back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from collecthub.errors import PermanentError, RetryableError
from collecthub.model import event as ev
from collecthub.model.case import apply
from collecthub.model.codes import Outcome
from collecthub.ports import (
    CaseReport,
    CaseReporter,
    Checkable,
    DebtorSource,
    DocumentSource,
    HookReceiver,
    InvoiceSource,
    OpenItemBooks,
)

MOMENT = dt.datetime(2026, 6, 15, 9, 0, tzinfo=dt.UTC)


def first_row(connector: Any) -> Any:
    return next(row for page in connector.pull("") for row in page.rows)


def test_the_connector_satisfies_its_ports(world: Any) -> None:
    connector = world.connector()
    for port in (
        Checkable,
        InvoiceSource,
        DebtorSource,
        DocumentSource,
        OpenItemBooks,
        CaseReporter,
        HookReceiver,
    ):
        assert isinstance(connector, port), port


def test_customers_come_with_their_contact(world: Any) -> None:
    world.load(45, customers=45)
    connector = world.connected()
    refs = [row.debtor_ref for page in connector.pull("") for row in page.rows]
    records = list(connector.debtors(refs))
    assert {record.debtor_ref for record in records} == set(refs) and len(records) == 45
    party = next(record.party for record in records if record.party.name == "Müller & Zoon <7>")
    assert (party.country, party.language, party.vat_ref) == ("BE", "nl", "BE0403170701")
    assert [(one.name, one.email) for one in party.contacts] == [
        ("", "debtor7@example.org"),
        ("Jan Peeters", "debtor7@example.org"),
    ]
    assert party.address.lines == ("Dorpsstraat 1",)


def test_invoices_come_as_pdf_and_what_is_none_is_left_out(world: Any) -> None:
    world.load(3)
    connector = world.connected()
    refs = [row.item_ref for page in connector.pull("") for row in page.rows]
    documents = list(connector.documents(refs))
    assert {document.item_ref for document in documents} == set(refs)
    assert all(document.content.startswith(b"%PDF-") for document in documents)
    page = {"path": "/docs/SysAttachment.aspx", "status": 200, "body": "<html>Log in</html>", "times": 1}
    world.twin.control("faults", page)
    assert len(list(connector.documents(refs))) == 2
    assert len(list(connector.documents(refs))) == 3


def test_references_of_other_systems_are_refused(world: Any) -> None:
    with pytest.raises(PermanentError, match="not a reference"):
        list(world.connected().debtors(["1710:10100001"]))
    with pytest.raises(PermanentError, match="not a reference"):
        list(world.connected().debtors(["1:' or ID ne guid'"]))


def test_a_check_walks_through_everything(world: Any) -> None:
    steps = world.connected(write_task=True).check()
    assert [step.name for step in steps][:4] == ["host", "token", "user", "divisions"]
    assert all(step.is_ok for step in steps) and len(steps) == 13


def test_a_check_says_which_scope_is_missing(world: Any) -> None:
    connector = world.connected()
    world.twin.control("scopes", {"revoked": ["Organization documents"]})
    wrong = [step for step in connector.check() if not step.is_ok]
    assert [step.name for step in wrong] == [f"{world.division} documents/Documents"]
    assert "scope" in wrong[0].cure


def test_a_check_names_divisions_that_cannot_be_seen(world: Any) -> None:
    step = world.connected(divisions=(world.division, 17)).check()[-1]
    assert (step.name, step.is_ok) == ("divisions", False)
    assert "17" in step.detail and str(world.division) in step.cure


def test_a_check_without_consent_says_reconnect(world: Any) -> None:
    steps = world.connector().check()
    assert [step.is_ok for step in steps] == [True, False]
    assert "Reconnect" in steps[-1].cure


# --- writing back ---------------------------------------------------------------------------------


def report(row: Any, fact: Any, report_id: str = "r-1", case_id: str = "case-1") -> CaseReport:
    opening = ev.CaseOpened(
        number="2026-000017", creditor_id="cr", connection_id="conn-test", debtor_ref=row.debtor_ref, debtor_digest="d",
        currency="EUR", segment="B2B", claims=(),
    )  # fmt: skip
    events = [
        ev.CaseEvent(
            case_id=case_id, seq=seq, occurred_at=MOMENT, recorded_at=MOMENT, actor="hub", fact=one, previous_hash=""
        )
        for seq, one in enumerate((opening, fact), 1)
    ]  # fmt: skip
    case = apply(None, events[0])
    return CaseReport(
        report_id=report_id, case=case, event=events[1], text="The bailiff took the case on.",
        debtor_ref=row.debtor_ref, item_refs=(row.item_ref,),
    )  # fmt: skip


SENT = ev.CaseSent(placement_id="p", message_id="m", envelope_name="e", receipt_ref="r", principal=Decimal(1))
CLOSED = ev.CaseClosed(outcome=Outcome.PAID_FULL)


def notes(world: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.twin.control("activities")["note"]
    return [note for note in found if note["Division"] == world.division]


def test_a_report_is_written_once_however_often_it_is_told(world: Any) -> None:
    world.load(1)
    connector = world.connected()
    row = first_row(connector)
    receipts = {connector.report(report(row, SENT)).reference for _ in range(3)}
    connector.report(report(row, CLOSED, report_id="r-2"))
    written = notes(world)
    assert [note["Notes"] for note in written] == ["The bailiff took the case on."] * 2
    assert written[0]["Subject"] == "Collection 2026-000017: case sent [r-1]"
    assert receipts == {written[0]["ID"]}
    assert f"{world.division}:{written[0]['Account']}" == row.debtor_ref


def test_a_report_whose_answer_was_lost_is_not_written_twice(world: Any) -> None:
    world.load(1)
    connector = world.connected()
    row = first_row(connector)
    path = f"/api/v1/{world.division}/activities"
    list(connector.pull(""))
    world.twin.control("faults", {"path": path, "delay_seconds": 0.0})  # lets the look-up pass
    world.twin.control("faults", {"path": path, "drop_after_bytes": 5})
    with pytest.raises(RetryableError):
        connector.report(report(row, SENT))
    assert len(notes(world)) == 1
    assert connector.report(report(row, SENT)).reference == notes(world)[0]["ID"]
    assert len(notes(world)) == 1


def test_a_reference_that_the_vendor_dropped_is_noticed(world: Any) -> None:
    world.load(1)
    connector = world.connected()
    row = first_row(connector)
    world.load(0, division=world.division + 100_000)
    elsewhere = f"{world.division + 100_000}:{row.debtor_ref.partition(':')[2]}"
    stray = report(row, SENT)
    with pytest.raises(PermanentError, match="without its account"):
        connector.report(msgspec.structs.replace(stray, debtor_ref=elsewhere))


def blocked(connector: Any, row: Any) -> bool:
    return bool(next(connector.debtors([row.debtor_ref])).is_blocked)


def test_an_account_is_blocked_while_its_case_is_out(world: Any) -> None:
    world.load(1)
    connector = world.connected(write_block=True)
    row = first_row(connector)
    connector.report(report(row, SENT))
    assert blocked(connector, row)
    connector.report(report(row, CLOSED, "r-2", case_id="another case"))
    assert blocked(connector, row)
    connector.report(report(row, CLOSED, "r-3"))
    assert not blocked(connector, row)


def test_the_block_stays_until_the_last_case_ends(world: Any) -> None:
    world.load(1)
    connector = world.connected(write_block=True, write_note=False)
    row = first_row(connector)
    for number in ("1", "2"):
        connector.report(report(row, SENT, f"s-{number}", case_id=number))
    connector.report(report(row, CLOSED, "c-1", case_id="1"))
    assert blocked(connector, row)
    connector.report(report(row, CLOSED, "c-2", case_id="2"))
    assert not blocked(connector, row)


def test_a_block_that_a_person_set_stays(world: Any) -> None:
    world.load(1)
    connector = world.connected(write_block=True)
    row = first_row(connector)
    world.control("account", customer_ref="C0", changes={"Blocked": 1})
    connector.report(report(row, SENT))
    connector.report(report(row, CLOSED, "r-2"))
    assert blocked(connector, row)


def test_what_is_reported_follows_the_settings(world: Any) -> None:
    assert world.connector().wants("case_sent") and not world.connector().wants("note_added")
    quiet = world.connector(write_note=False)
    assert not quiet.wants("case_sent") and not quiet.wants("case_closed")
    assert world.connector(write_note=False, write_task=True).wants("case_closed")
