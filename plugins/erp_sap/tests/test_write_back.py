"""Dunning blocks: set when a case leaves, lifted when it ends, never over a person's own, always read again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from lxml import etree
from sandbox.case_reports import CLOSED, NOW, RECALLED, SENT, SUSPENDED, report

from collecthub.errors import ConfigurationError, PermanentError, RetryableError
from collecthub.model.case import Placement
from collecthub.model.event import (
    CaseReopened,
    Fact,
)
from collecthub.model.exchange import Procedure
from collecthub.testing.fakes import HandClock
from collecthub_erp_sap.journal_change import ACTION, dunning_block_message, fault_text
from collecthub_erp_sap.settings import S4Settings

PARTNER = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"


def refs_of(ledger: Any) -> tuple[str, ...]:
    return tuple(row.item_ref for page in ledger.connector().pull("") for row in page.rows)


def customer_block(ledger: Any) -> str:
    """Read by a plain client, not by ours."""
    record = f"A_CustomerDunning(Customer='{ledger.customer}',CompanyCode='{ledger.company}',DunningArea='')"
    answer = requests.get(
        f"{ledger.twin.url}{PARTNER}/{record}", auth=("COLLECTHUB", "sandbox-password"),
        headers={"Accept": "application/json"}, timeout=5,
    )  # fmt: skip
    return str(answer.json()["d"]["DunningBlock"])


def line_blocks(ledger: Any) -> list[str]:
    books = ledger.twin.control("books")["items"]
    return [one["dunning_block"] for one in books if one["company"] == ledger.company]


@pytest.mark.parametrize("ending", [CLOSED, RECALLED])
def test_a_customer_is_blocked_while_his_case_is_out(ledger: Any, ending: Fact) -> None:
    ledger.load(["a"])
    connector, refs = ledger.connector(), refs_of(ledger)
    receipt = connector.report(report(SENT, ledger.customer, refs))
    assert receipt.detail == f"customer block in {ledger.company}: C"
    assert customer_block(ledger) == "C"
    assert connector.report(report(SENT, ledger.customer, refs)) == receipt  # the same on every retry
    connector.report(report(SUSPENDED, ledger.customer, refs))
    assert customer_block(ledger) == "C"
    connector.report(report(ending, ledger.customer, refs))
    assert customer_block(ledger) == ""


def test_only_events_that_change_a_block_are_wanted(ledger: Any) -> None:
    wanted = {"case_sent", "case_reopened", "case_closed", "amendment_acknowledged"}
    asked = {*wanted, "payment_reported", "note_added", "case_opened"}
    assert {kind for kind in asked if ledger.connector().wants(kind)} == wanted
    assert not any(ledger.connector(write_customer_block=False).wants(kind) for kind in asked)


def test_a_case_that_opens_again_in_a_partners_hands_blocks_again(ledger: Any) -> None:
    ledger.load(["a"])
    refs = refs_of(ledger)
    placement = Placement(
        placement_id="p", partner_id="b", partner_name="B", route="bailiff", procedure=Procedure.JUDICIAL, reason="r",
        chosen_at=NOW,
    )  # fmt: skip
    told = report(CaseReopened(reason="clearing reset"), ledger.customer, refs)
    for sent_at, block in ((None, ""), (NOW, "C")):
        held = msgspec.structs.replace(placement, sent_at=sent_at)
        case = msgspec.structs.replace(told.case, placement=held)
        ledger.connector().report(msgspec.structs.replace(told, case=case))
        assert customer_block(ledger) == block


def test_items_that_did_not_come_from_here_are_no_concern_of_sap(ledger: Any) -> None:
    receipt = ledger.connector().report(report(SENT, "somebody", ("form-17", "9999/2026/1/001")))
    assert receipt.detail == "nothing of this case is in SAP"


def test_a_block_that_a_person_set_is_left_alone(ledger: Any) -> None:
    ledger.load(["a"])
    refs = refs_of(ledger)
    theirs = ledger.connector(dunning_block_reason="D")
    theirs.report(report(SENT, ledger.customer, refs))
    ours = ledger.connector()
    assert "set by the creditor, was left" in ours.report(report(SENT, ledger.customer, refs)).detail
    ours.report(report(CLOSED, ledger.customer, refs))
    assert customer_block(ledger) == "D"


def test_x19_an_expired_csrf_token_is_fetched_once_more(ledger: Any) -> None:
    ledger.load(["a"])
    connector, refs = ledger.connector(), refs_of(ledger)
    connector.report(report(SENT, ledger.customer, refs))
    ledger.twin.control("logon", {"expire_csrf": True})
    connector.report(report(CLOSED, ledger.customer, refs))
    assert customer_block(ledger) == ""


def test_debtors_who_are_told_about_side_by_side_share_one_token(ledger: Any) -> None:
    customers = [f"{ledger.company}9{n:05d}" for n in range(24)]
    given = [{"customer_ref": ref, "name": ref, "kind": "company"} for ref in customers]
    ledger.twin.control("load", {"company_code": ledger.company, "customers": given, "items": []})
    connector = ledger.connector()
    ref = (f"{ledger.company}/2026/1800000001/001",)
    for fact, block in ((SENT, "C"), (CLOSED, "none")):
        ledger.twin.control("logon", {"expire_csrf": True})
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(lambda customer, fact=fact: connector.report(report(fact, customer, ref)), customers))
        assert {one.detail for one in told} == {f"customer block in {ledger.company}: {block}"}


def test_a_business_error_in_a_header_is_an_error(ledger: Any) -> None:
    ledger.load(["a"])
    refs = refs_of(ledger)
    ledger.twin.control("services", {"message_next": "Customer is locked by ANNA"})
    with pytest.raises(PermanentError, match="Customer is locked"):
        ledger.connector().report(report(SENT, ledger.customer, refs))


def test_a_customer_without_dunning_data_is_told_to_a_person(ledger: Any) -> None:
    with pytest.raises(PermanentError, match="no dunning data in company code"):
        ledger.connector().report(report(SENT, "0000009999", (f"{ledger.company}/2026/1800000000/001",)))


def test_lines_are_blocked_in_one_message_and_confirmed_by_reading_again(ledger: Any) -> None:
    ledger.load(["a", "b", "c"])
    connector = ledger.connector(write_customer_block=False, write_line_block=True)
    refs = refs_of(ledger)
    assert "3 lines confirmed" in connector.report(report(SENT, ledger.customer, refs)).detail
    assert line_blocks(ledger) == ["C"] * 3
    assert [row.is_blocked for page in connector.pull("") for row in page.rows] == [False] * 3  # our own
    ledger.do("block", "b", reason="D")
    connector.report(report(CLOSED, ledger.customer, refs))
    assert sorted(line_blocks(ledger)) == ["", "", "D"]
    assert customer_block(ledger) == ""


def test_x20_an_accepted_change_that_never_shows_is_not_taken_for_done(ledger: Any) -> None:
    """X20: sent once, read again for a quarter of an hour, then it is a person's."""
    ledger.load(["a"])
    ledger.twin.control("change", {"drop": 1})
    clock = HandClock(NOW)
    connector = ledger.connector(now=clock, write_customer_block=False, write_line_block=True, confirm_seconds=0)
    message = report(SENT, ledger.customer, refs_of(ledger), report_id="0" * 32)
    before = len(ledger.twin.control("change")["messages"])
    for _ in range(2):
        with pytest.raises(RetryableError, match="does not show them yet"):
            connector.report(message)
        clock.advance(449)
    again = ledger.connector(now=clock, write_customer_block=False, write_line_block=True, confirm_seconds=0)
    with pytest.raises(RetryableError):
        again.report(message)  # another process, 898 seconds after it was accepted
    clock.advance(2)
    with pytest.raises(PermanentError, match=r"at 2026-06-15 18:00 UTC and does not show them") as told:
        again.report(message)
    assert "message monitor" in told.value.cure
    assert line_blocks(ledger) == [""]
    assert len(ledger.twin.control("change")["messages"]) == before + 1


def test_an_accepted_change_that_shows_late_is_confirmed(ledger: Any) -> None:
    ledger.load(["a"])
    ledger.twin.control("change", {"delay_seconds": 600})
    try:
        connector = ledger.connector(write_customer_block=False, write_line_block=True, confirm_seconds=0)
        message = report(SENT, ledger.customer, refs_of(ledger), report_id="1" * 32)
        with pytest.raises(RetryableError):
            connector.report(message)
        ledger.twin.control("clock", {"advance_seconds": 601})
        assert "1 lines confirmed" in connector.report(message).detail
        assert line_blocks(ledger) == ["C"]
    finally:
        ledger.twin.control("change", {"delay_seconds": 0.3})


def test_one_block_that_two_currencies_share_is_lifted_with_the_last_case(ledger: Any) -> None:
    ledger.load(["a"])
    ledger.load(["b"], currency="USD")
    euro, dollar = ((ref,) for ref in refs_of(ledger))
    connector = ledger.connector()
    connector.report(report(SENT, ledger.customer, euro, case_id="euro"))
    connector.report(report(SENT, ledger.customer, dollar, case_id="dollar"))
    other_worker = ledger.connector()
    for _ in range(2):  # the same on every retry
        receipt = other_worker.report(report(CLOSED, ledger.customer, euro, case_id="euro"))
        assert receipt.detail == f"customer block in {ledger.company}: C, held by 1 other case"
    assert customer_block(ledger) == "C"
    other_worker.report(report(RECALLED, ledger.customer, dollar, case_id="dollar"))
    assert customer_block(ledger) == ""


def test_a_wrong_soap_address_is_a_setting_to_correct(ledger: Any) -> None:
    ledger.load(["a"])
    connector = ledger.connector(
        write_customer_block=False, write_line_block=True, soap_path="/sap/bc/srt/scs_ext/sap/nothing_here"
    )
    with pytest.raises(ConfigurationError, match="journal entry change"):
        connector.report(report(SENT, ledger.customer, refs_of(ledger)))


def schema_of(wsdl: Path) -> etree.XMLSchema:
    (schema,) = etree.parse(str(wsdl)).iter("{http://www.w3.org/2001/XMLSchema}schema")
    return etree.XMLSchema(etree.fromstring(etree.tostring(schema)))


def test_the_message_is_valid_by_the_published_schema(shared_data: Path) -> None:
    schema = schema_of(shared_data / "erp/sap/JOURNALENTRYBULKCHANGEREQUEST.wsdl")
    refs = ["1010/2026/1800000001/001", "1010/2025/0100000017/002"]
    content = dunning_block_message("f" * 32, NOW, "HUB & CO", refs, "C")
    assert content == dunning_block_message("f" * 32, NOW, "HUB & CO", refs, "C")
    body = etree.fromstring(content)[1]
    schema.assertValid(body[0])
    asked = body[0].findall("JournalEntryDebtorCreditorItem/DunningBlockingReasonCodeChange")
    assert [one.findtext("FieldValueChangeIsRequested") for one in asked] == ["true", "true"]
    # Lifting needs an empty code, which the published type does not foresee and the application takes.
    lifted = etree.fromstring(dunning_block_message("f" * 32, NOW, "HUB", refs, ""))[1][0]
    for code in lifted.iter("DunningBlockingReasonCode"):
        assert code.text is None
        code.text = "C"
    schema.assertValid(lifted)


def test_action_and_address_are_the_published_ones(shared_data: Path) -> None:
    document = etree.parse(str(shared_data / "erp/sap/JOURNALENTRYBULKCHANGEREQUEST.wsdl"))
    operations = {one.get("soapAction") for one in document.iter("{http://schemas.xmlsoap.org/wsdl/soap/}operation")}
    assert operations == {ACTION}
    places = {str(one.get("location")) for one in document.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")}
    default = S4Settings.model_fields["soap_path"].default
    assert places and all(f"{default}/" in place or place.endswith(default) for place in places)


def test_a_soap_fault_is_read(ledger: Any) -> None:
    answer = requests.post(
        f"{ledger.twin.url}/sap/bc/srt/scs_ext/sap/journalentrybulkchangerequest_", data=b"<no/>",
        auth=("COLLECTHUB", "sandbox-password"), timeout=5,
    )  # fmt: skip
    assert "Action is not supported" in fault_text(answer.content)
    assert fault_text(b"<a/>") == ""


# --- a server that does what a well-behaved one does not ----------------------------------------------------------


class Script:
    """What the server answers to PATCH, one after the other, and the block it shows after each."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        self.answers = list(answers)
        self.block = ""
        self.seen: list[tuple[str, str]] = []


@contextmanager
def server(script: Script) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.say(200, {"d": {"__metadata": {"etag": f'W/"{len(script.seen)}"'}, "DunningBlock": script.block}})

        def do_PATCH(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            script.seen.append((self.headers["x-csrf-token"], self.headers["if-match"]))
            status, script.block = script.answers.pop(0)
            self.say(status, {})

        def say(self, status: int, content: Any) -> None:
            body = b"" if status == 204 else json.dumps(content).encode()
            self.send_response(status)
            token = "Required" if status == 403 else f"token-{len(script.seen)}"
            self.send_header("x-csrf-token", token)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


REFS = ("1010/2026/1800000001/001",)
COMPANY: dict[str, Any] = {"company_codes": ("1010",)}


def test_x19_a_second_refused_token_is_reported_and_there_is_no_loop(ledger: Any) -> None:
    script = Script(*[(403, "")] * 5)
    with server(script) as url, pytest.raises(ConfigurationError, match="does not open"):
        ledger.connector(base_url=url, **COMPANY).report(report(SENT, "0000000042", REFS))
    assert [token for token, _ in script.seen] == ["token-0", "token-1"]


def test_x19_a_changed_record_is_read_again_and_decided_anew(ledger: Any) -> None:
    """X19: the second try carries the new version."""
    script = Script((412, ""), (204, "C"))
    with server(script) as url:
        receipt = ledger.connector(base_url=url, **COMPANY).report(report(SENT, "0000000042", REFS))
    assert [version for _, version in script.seen] == ['W/"0"', 'W/"1"']
    assert receipt.detail == "customer block in 1010: C"


def test_x19_a_block_that_appeared_meanwhile_is_not_overwritten(ledger: Any) -> None:
    """X19: never a blind overwrite."""
    script = Script((412, "D"))
    with server(script) as url:
        receipt = ledger.connector(base_url=url, **COMPANY).report(report(SENT, "0000000042", REFS))
    assert len(script.seen) == 1
    assert "D, set by the creditor, was left" in receipt.detail


def test_a_write_that_does_not_take_is_not_taken_for_done(ledger: Any) -> None:
    script = Script(*[(204, "")] * 9)
    with server(script) as url, pytest.raises(RetryableError, match="did not take the block"):
        ledger.connector(base_url=url, **COMPANY).report(report(SENT, "0000000042", REFS))
    assert len(script.seen) == 3
