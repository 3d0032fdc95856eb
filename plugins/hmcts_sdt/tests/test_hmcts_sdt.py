"""Claims to the county court of England and Wales: the published contract spoken with a strict twin over loopback.

The twin judges every request and every answer of its own by the published XSD. Where the shared data lies beside the
checkout, the published samples and the published files themselves are compared too.
"""

from __future__ import annotations

import base64
import datetime as dt
import filecmp
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree
from pydantic import ValidationError

from collecthub.errors import ConfigurationError, InDoubtError, PermanentError, RetryableError
from collecthub.formats.sdt_claim import SdtFormat
from collecthub.model.exchange import (
    AckVerdict,
    AmendmentCode,
    CaseAcknowledgement,
    CaseAmendment,
    CaseFile,
    CaseStatusUpdate,
    ClaimItem,
    CostStatement,
    Decoded,
    Exchange,
    Message,
    PaymentInstruction,
    Procedure,
)
from collecthub.model.ids import new_id
from collecthub.model.party import Address, Party
from collecthub.ports import (
    Checkable,
    DeliveryState,
    Dispatcher,
    HookReceiver,
    HookRequest,
    RawMessage,
    StatusSource,
    Verdict,
)
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.testing.fakes import ListJournal, MemoryVault, context
from collecthub_hmcts_sdt.connector import HmctsSdtConnector
from collecthub_hmcts_sdt.contract import ROOT
from collecthub_hmcts_sdt.settings import HmctsSdtSettings

UPDATE_SPACE = "http://ws.sdt.moj.gov.uk/2013/sdt/IndividualUpdateRequestSchema"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
LOST = {"drop_after_bytes": 0, "path": "/producers/service/sdtapi"}


@pytest.fixture(scope="session")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    twin = start_twin("sdt", tmp_path_factory.mktemp("sdt"))
    yield twin
    twin.stop()


@pytest.fixture
def connect(court: RunningTwin) -> Iterator[Callable[..., HmctsSdtConnector]]:
    made: list[HmctsSdtConnector] = []

    def build(vault: MemoryVault | None = None, **more: Any) -> HmctsSdtConnector:
        values = {
            "endpoint": court.url + court.facts["path"], "sdt_customer_id": court.facts["customer_id"],
            "signatory": "Jane Doe", "update_username": "mcol", "update_password": "hush", **more,
        }
        made.append(
            HmctsSdtConnector(
                context(
                    HmctsSdtSettings.model_validate(values), vault=vault, sender_ref="collecthub", receiver_ref="sdt",
                    formats={"sdt-claim": SdtFormat("mcolClaim"), "sdt-warrant": SdtFormat("mcolWarrant")},
                )
            )
        )
        return made[-1]

    yield build
    for connector in made:
        connector.close()
    court.control("faults", {})


def claim(number: int = 1) -> CaseFile:
    """A case of 500.00 GBP that the form takes."""
    return CaseFile(
        message_id=new_id(), case_id=new_id(), case_number=f"GB-2026-{number:04}", procedure=Procedure.JUDICIAL,
        currency="GBP", language="en", principal=Decimal("500.00"), payment=PaymentInstruction(payee="Kingston"),
        creditor=Party(
            name="Kingston Textiles Ltd", country="GB",
            address=Address(lines=("4 Mill Lane",), postcode="LS2 7EW", city="Leeds", country="GB"),
        ),
        debtors=(
            Party(
                name="Smith Ltd", country="GB",
                address=Address(lines=("10 High Street",), postcode="SW1A 2AA", city="London", country="GB"),
            ),
        ),
        claims=(
            ClaimItem(
                claim_id="c-1", invoice_ref="2026-0001", due_on=dt.date(2026, 3, 1), original_amount=Decimal("500.00"),
                open_amount=Decimal("500.00"),
            ),
        ),
    )  # fmt: skip


def exchange(*messages: Message) -> Exchange:
    return Exchange(
        exchange_id=new_id(), sender_ref="collecthub", receiver_ref="sdt", created_at=dt.datetime.now(dt.UTC),
        messages=messages,
    )


def recall(of: CaseFile, reason_code: str = "paid_full", code: AmendmentCode = AmendmentCode.RECALL) -> CaseAmendment:
    return CaseAmendment(
        message_id=new_id(), case_id=of.case_id, code=code, reason_code=reason_code, currency="GBP",
        principal=Decimal(0), effective_on=dt.date(2026, 6, 15),
    )


def heard(connector: HmctsSdtConnector) -> Decoded:
    """What the feedback on the only open bulk says."""
    (raw,) = [raw for raw, _ in connector.fetch("") if raw.remote_ref != "submitQuery"]
    decoded = connector.decode(raw)
    connector.acknowledge(raw, Verdict(is_accepted=True))
    return decoded


def send(connector: HmctsSdtConnector, *messages: Message) -> str:
    """Deliver and return SDT's reference."""
    return connector.deliver(connector.prepare(exchange(*messages)), ListJournal()).reference


def verdicts(decoded: Decoded) -> dict[str, tuple[str, str, str]]:
    return {
        message.in_reply_to: (message.verdict.value, message.holder_ref, message.reason_code)
        for message in decoded.messages if isinstance(message, CaseAcknowledgement)
    }


def test_the_connector_stands_at_every_door_it_claims(connect) -> None:
    connector = connect()
    for port in (Dispatcher, StatusSource, HookReceiver, Checkable):
        assert isinstance(connector, port)
    assert [step.is_ok for step in connector.check()] == [True, True]


def test_three_cases_become_one_bulk_and_are_told_apart_in_its_feedback(connect, court: RunningTwin) -> None:
    connector, journal = connect(batch_limit=2000), ListJournal()
    files = [claim(number) for number in (1, 2, 3)]
    envelope = connector.prepare(exchange(*files))
    receipt = connector.deliver(envelope, journal)
    assert journal.marks == ["calling"] and len(receipt.reference) == 29
    assert receipt.replies is not None
    assert {verdict for verdict, *_ in verdicts(receipt.replies).values()} == {"received"}
    items = [item for item in court.control("books")["items"] if item["reference"] == receipt.reference]
    amounts = [etree.fromstring(item["body"]).findtext(".//{*}claimAmount") for item in items]
    assert amounts == ["50000"] * 3
    waiting = verdicts(heard(connector))
    assert waiting == {file.message_id: ("received", "", "") for file in files}
    court.control("work", {"reject": [items[1]["request_id"]]})
    decided = heard(connector)
    told = verdicts(decided)
    assert [told[file.message_id][0] for file in files] == ["accepted", "refused", "accepted"]
    assert told[files[1].message_id][2] == "12" and len(told[files[0].message_id][1]) == 8
    fees = [message for message in decided.messages if isinstance(message, CostStatement)]
    assert [fee.amount for fee in fees] == [Decimal("50.00")] * 2
    assert [raw for raw, _ in connector.fetch("")] == []  # complete feedback is asked for once


def test_a_lost_reply_is_settled_by_the_same_reference(connect, court: RunningTwin) -> None:
    vault = MemoryVault()
    connector = connect(vault)
    envelope = connector.prepare(exchange(claim()))
    before = len(court.control("books")["bulks"])
    court.control("faults", LOST)
    with pytest.raises(InDoubtError):
        connector.deliver(envelope, ListJournal())
    again = connect(vault)
    assert again.probe(envelope, "calling") is DeliveryState.NOT_ARRIVED
    receipt = again.deliver(envelope, ListJournal())
    bulks = court.control("books")["bulks"]
    assert receipt.detail == "SDT had it already" and len(bulks) == before + 1
    assert receipt.reference == bulks[-1]["reference"]
    court.control("work", {})
    assert [verdict for verdict, *_ in verdicts(heard(again)).values()] == ["accepted"]


@pytest.mark.parametrize(
    "body",
    ["<html>logged out</html>", "",
     (f'<e:Envelope xmlns:e="{SOAP_12}"><e:Body><r:bulkResponse '
     'xmlns:r="http://ws.sdt.moj.gov.uk/2013/sdt/BulkResponseSchema" xmlns="http://ws.sdt.moj.gov.uk/2013/sdt/BaseSchema">'
     '<status code="Ok"/><r:customerReference>somebody-elses</r:customerReference>'
     "<r:sdtBulkReference>MCOL-20260101000000-000000001</r:sdtBulkReference></r:bulkResponse></e:Body></e:Envelope>")],
    ids=["html", "empty", "foreign"],
)  # fmt: skip
def test_an_answer_that_proves_nothing_is_in_doubt(connect, court: RunningTwin, body: str) -> None:
    connector = connect()
    envelope = connector.prepare(exchange(claim()))
    court.control("faults", {"status": 200, "body": body, "path": court.facts["path"]})
    with pytest.raises(InDoubtError):
        connector.deliver(envelope, ListJournal())
    assert connector.deliver(envelope, ListJournal()).reference


def test_sdts_own_errors_say_who_must_act(connect, court: RunningTwin) -> None:
    stranger = connect(sdt_customer_id="87654321")
    with pytest.raises(ConfigurationError, match="CUST_NOT_SETUP"):
        send(stranger, claim())
    connector = connect()
    envelope = connector.prepare(exchange(claim()))
    wrong = envelope.payload.replace(b"requestCount>1<", b"requestCount>2<")
    with pytest.raises(PermanentError, match="REQ_COUNT_MISMATCH"):
        connector.deliver(msgspec.structs.replace(envelope, payload=wrong), ListJournal())
    spoilt = envelope.payload.replace(b"SW1A 2AA", b"nowhere")
    with pytest.raises(PermanentError, match=r"xml\.schema"):
        connector.deliver(msgspec.structs.replace(envelope, payload=spoilt), ListJournal())


def test_a_recall_names_the_claim_and_waits_until_it_has_a_name(connect, court: RunningTwin) -> None:
    connector, file, refused = connect(), claim(), claim(2)
    send(connector, file)
    with pytest.raises(RetryableError, match="not named the claim yet"):
        connector.prepare(exchange(recall(file)))
    court.control("work", {})
    number = verdicts(heard(connector))[file.message_id][1]
    for reason, code in (("paid_full", "MP"), ("disputed", "DI")):
        message = recall(file, reason)
        send(connector, message)
        sent = etree.fromstring(court.control("books")["items"][-1]["body"])
        assert (sent.findtext(".//{*}claimNumber"), sent.findtext(".//{*}notificationType")) == (number, code)
        court.control("work", {})
        assert verdicts(heard(connector))[message.message_id][0] == "accepted"
    send(connector, refused)
    court.control("work", {"reject": [court.control("books")["items"][-1]["request_id"]]})
    heard(connector)
    with pytest.raises(PermanentError, match="nothing to recall"):
        connector.prepare(exchange(recall(refused)))
    with pytest.raises(PermanentError, match="SDT carries no CaseAmendment balance"):
        connector.prepare(exchange(recall(file, "x", AmendmentCode.BALANCE)))


def test_a_defence_reaches_the_case_behind_the_claim_number(connect, court: RunningTwin) -> None:
    connector, file = connect(), claim()
    send(connector, file)
    court.control("work", {})
    number = verdicts(heard(connector))[file.message_id][1]
    court.control("defence", {"claim_number": number, "response_type": "DE", "text": "Not owed"})
    court.control("defence", {"claim_number": "00000000", "response_type": "AS", "text": ""})
    ((raw, checkpoint),) = connector.fetch("")
    decoded = connector.decode(raw)
    (update,) = [message for message in decoded.messages if isinstance(message, CaseStatusUpdate)]
    assert (update.case_id, update.status_code, update.text) == (file.case_id, "DE", "defendant 1: Not owed")
    assert [fault.code for fault in decoded.faults] == ["sdt.claim"]
    ((again, _),) = connector.fetch(checkpoint)  # the overlap asks twice, and the ids are the same
    assert [message.message_id for message in connector.decode(again).messages] == [update.message_id]


class Hooks:
    """The hub's door for updateItem over a real socket."""

    def __init__(self, connector: HmctsSdtConnector) -> None:
        from wire.peers import Seen, http_peer

        self.kept: list[RawMessage] = []

        def answer(seen: Seen) -> tuple[int, dict[str, str], bytes]:
            said = connector.receive_hook(HookRequest(headers=seen.headers, body=seen.body))
            self.kept += said.messages
            return said.status, {"Content-Type": said.media_type}, said.body.encode()

        self.serving = http_peer(answer)


def test_the_court_calls_with_an_update(connect, court: RunningTwin) -> None:
    connector, file = connect(), claim()
    send(connector, file)
    request_id = court.control("books")["items"][-1]["request_id"]
    hooks = Hooks(connector)
    call = {"username": "mcol", "password": "hush", "request_id": request_id, "status": "Accepted", "claim_number": "77QX0001"}
    with hooks.serving as peer:
        said = court.control("update", {**call, "url": peer.url})
        assert said == {"http": 200, "answer": "updateResponse", "code": "Ok"}
        strange = court.control("update", {**call, "url": peer.url, "request_id": "MCOL-20260101000000-000000001-0000009"})
        assert (strange["answer"], strange["code"]) == ("updateResponse", "Error")
        shut = court.control("update", {**call, "url": peer.url, "password": "wrong"})
        assert (shut["http"], shut["answer"]) == (401, "Fault")
    told, foreign = hooks.kept
    decoded = connector.decode(told)
    assert verdicts(decoded) == {file.message_id: (AckVerdict.ACCEPTED.value, "77QX0001", "")}
    with pytest.raises(Exception, match="did not send"):
        connector.decode(foreign)
    assert connector.prepare(exchange(recall(file)))  # the claim number is known from the update


def test_an_update_that_the_schema_refuses_is_answered_with_a_fault(connect) -> None:
    connector = connect()
    token = "Basic " + base64.b64encode(b"mcol:hush").decode()
    for body in (
        "<updateRequest/>", f'<u:updateRequest xmlns:u="{UPDATE_SPACE}"/>', "<p:undeclared/>",
        (f'<u:updateRequest xmlns:u="{UPDATE_SPACE}"><u:header><u:sdtRequestId>x</u:sdtRequestId></u:header>'
        '<u:status code="Perhaps"/></u:updateRequest>'),
    ):
        content = f'<e:Envelope xmlns:e="{SOAP_12}"><e:Body>{body}</e:Body></e:Envelope>'.encode()
        headers = {"content-type": "application/soap+xml", "authorization": token}
        said = connector.receive_hook(HookRequest(headers=headers, body=content))
        assert said.status in (400, 500) and said.messages == () and "Fault" in said.body


def test_the_published_update_samples_are_understood(connect, shared_data: Path) -> None:
    """Their `<ANY-ELEMENT/>` stands for the court's detail; the request they name was not sent by this hub."""
    connector = connect()
    token = "Basic " + base64.b64encode(b"mcol:hush").decode()
    for name in ("UpdateItemTest.testUpdateItem.request.xml", "UpdateItemTest.testUpdateItemRejected.request.xml"):
        sample = (shared_data / "formats" / "hmcts-sdt" / "samples" / "e2e" / name).read_text()
        content = f'<e:Envelope xmlns:e="{SOAP_12}"><e:Body>{sample}</e:Body></e:Envelope>'.encode()
        headers = {"content-type": "application/soap+xml", "authorization": token}
        said = connector.receive_hook(HookRequest(headers=headers, body=content))
        assert (said.status, len(said.messages)) == (200, 1)
        assert 'code="Error"' in said.body


def test_the_contract_that_travels_with_the_plugin_is_the_published_one(shared_data: Path) -> None:
    published = shared_data / "formats" / "hmcts-sdt"
    files = [path for path in (ROOT / "xsd").rglob("*.xsd")] + [path for path in (ROOT / "wsdl").iterdir()]
    assert len(files) == 27
    for path in files:
        assert filecmp.cmp(path, published / path.relative_to(ROOT), shallow=False)


def test_settings_that_cannot_work_are_refused(connect) -> None:
    for wrong in ({"sdt_customer_id": "0123"}, {"signatory": ""}, {"target_application_id": "abc"},
                  {"endpoint": "http://court.example/sdt"}, {"endpoint": "https://me:pw@court.example/sdt"}):  # fmt: skip
        with pytest.raises(ValidationError):
            connect(**wrong)


