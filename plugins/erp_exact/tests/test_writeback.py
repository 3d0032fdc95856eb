"""What is written back into Exact Online, and that it is read back (scenarios of part A9)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from collecthub.errors import ConfigurationError, PermanentError, RetryableError
from collecthub.model import event as ev
from collecthub.model.codes import Outcome
from collecthub.model.history import apply
from collecthub.ports import CaseReport

MOMENT = dt.datetime(2026, 6, 15, 9, 0, tzinfo=dt.UTC)


def first_row(connector: Any) -> Any:
    return next(row for page in connector.pull("") for row in page.rows)


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
RETURNED = ev.CaseReturned(close_code="50", outcome=Outcome.PAID_FULL, remaining=Decimal(0), text="done")
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


def terms(world: Any) -> dict[str, Any]:
    """The payment reference of every term, by number, as the books have it."""
    found = world.control("term")["references"]
    return dict(found)


def test_the_case_number_is_put_where_no_reference_is_and_taken_out_again(world: Any) -> None:
    world.load(3, customers=1)
    world.control("term", number="1001", changes={"PaymentReference": "+++090/9337/55493+++"})
    connector = world.connected(write_reference=True, write_note=False)
    assert connector.wants("case_sent") and connector.wants("case_returned") and not connector.wants("case_closed")
    rows = [row for page in connector.pull("") for row in page.rows]
    refs = tuple(row.item_ref for row in rows)
    sent = msgspec.structs.replace(report(rows[0], SENT), item_refs=refs)
    assert "payment reference of 2 receivables set, 1 left" in connector.report(sent).detail
    case_number = "2026-000017"
    assert terms(world) == {"1000": case_number, "1001": "+++090/9337/55493+++", "1002": case_number}
    assert "payment reference of 0 receivables set" in connector.report(sent).detail
    returned = msgspec.structs.replace(report(rows[0], RETURNED, "r-2"), item_refs=refs)
    assert "payment reference of 2 receivables emptied" in connector.report(returned).detail
    assert terms(world) == {"1000": None, "1001": "+++090/9337/55493+++", "1002": None}


def test_a_reference_that_was_not_kept_is_noticed(world: Any) -> None:
    world.load(1)
    connector = world.connected(write_reference=True, write_note=False)
    row = first_row(connector)
    path = f"/api/v1/{world.division}/cashflow/Receivables("
    world.twin.control("faults", {"path": path, "status": 204})
    with pytest.raises(ConfigurationError, match="did not keep the payment reference"):
        connector.report(report(row, SENT))


def test_a_task_is_opened_when_a_person_has_to_look(world: Any) -> None:
    world.load(1)
    connector = world.connected(write_task=True, write_note=False)
    row = first_row(connector)
    receipts = {connector.report(report(row, CLOSED)).reference for _ in range(2)}
    tasks = [one for one in world.twin.control("activities")["task"] if one["Division"] == world.division]
    assert receipts == {tasks[0]["ID"]} and len(tasks) == 1
    assert tasks[0]["Description"] == "Collection 2026-000017: case closed [r-1]"
    assert f"{world.division}:{tasks[0]['Account']}" == row.debtor_ref
