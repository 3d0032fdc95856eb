"""A lawyer abroad asks for service here: priced by the tariff, ordered, done, certified; in messages of the exchange."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient
from web.office import TODAY, Office, once

from collecthub.bundled import jurisdictions
from collecthub.engine.mailbox import bring_mail, mailbox_of, read_mail
from collecthub.formats.json import JsonFormat
from collecthub.formats.xml import XmlFormat
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.service_abroad import service_between
from collecthub.model.exchange import (
    CaseFile,
    CaseInstruction,
    ClaimItem,
    DocumentItem,
    Exchange,
    InstructionCode,
    Message,
    OrderItem,
    PaymentInstruction,
    Procedure,
)
from collecthub.model.party import Address, Party, PartyKind
from partner.agency_office import add_agency

LAWYER = "lawyer-fr"
WRIT = b"%PDF-1.4 assignation\n%%EOF"
CERTIFICATE = b"%PDF-1.4 form K\n%%EOF"
ACTS = "/api/v1/acts"
CLAIM = ClaimItem(
    claim_id="c1", invoice_ref="F1", due_on=dt.date(2026, 3, 1), original_amount=Decimal("1500.00"),
    open_amount=Decimal("1500.00"),
)


@pytest.fixture
def lawyer(office: Office) -> TestClient:
    office.hub.plugins.add("jurisdictions", jurisdictions)
    return add_agency(office, LAWYER, "FR")


def request(reference: str = "M-1", **changes: Any) -> CaseFile:
    """A writ for a person in Ghent, about 1,500 euros."""
    known: dict[str, Any] = {
        "message_id": f"ask-{reference}", "case_id": reference, "case_number": reference, "procedure": Procedure.JUDICIAL,
        "currency": "EUR", "language": "fr", "creditor": Party(name="Société Z", country="FR"), "claims": (CLAIM,),
        "principal": Decimal("1500.00"), "payment": PaymentInstruction(payee="Maître Blanc"),
        "debtors": (Party(
            name="An Peeters", kind=PartyKind.PERSON, country="BE",
            address=Address(lines=("Kouter 1",), postcode="9000", city="Gent", country="BE"),
        ),),
        "documents": (DocumentItem(
            name="assignation.pdf", kind="other", media_type="application/pdf", content=WRIT,
            sha256=hashlib.sha256(WRIT).hexdigest(),
        ),),
        "orders": (OrderItem(code="service", text="by personal service"),),
    }  # fmt: skip
    return CaseFile(**{**known, **changes})


def send(client: TestClient, *messages: Message, sender: str = LAWYER) -> Any:
    exchange = Exchange(
        exchange_id=f"x-{messages[0].message_id}", sender_ref=sender, receiver_ref="collecthub",
        created_at=dt.datetime(2026, 6, 15, 9, tzinfo=dt.UTC), messages=messages,
    )
    return client.post("/api/v1/partner/acts", content=JsonFormat().encode(exchange), headers=once())


def yes(quote: dict[str, Any], reference: str = "M-1", code: InstructionCode = InstructionCode.COST_APPROVED) -> CaseInstruction:
    return CaseInstruction(message_id=f"{code}-{reference}", case_id=reference, code=code, in_reply_to=quote["message_id"])


def certify(office: Office, act_id: str, content: bytes = CERTIFICATE, **changes: Any) -> Any:
    said = {"name": "form-k.pdf", "done_on": str(TODAY), "is_served": "true", "text": "handed to her in person", **changes}
    return office.client("operator").post(f"{ACTS}/{act_id}/certificate", params=said, content=content, headers=once())


def test_service_from_the_request_to_the_certificate(office: Office, lawyer: TestClient) -> None:
    asked = send(lawyer, request())
    assert asked.status_code == 202, asked.text
    (act,) = asked.json()["items"]
    path, operator = f"{ACTS}/{act['act_id']}", office.client("operator")
    assert [task["title"] for task in operator.get("/api/v1/tasks").json()["items"]] == [f"{LAWYER} asks for service in BE"]
    found = operator.get(f"{path}/proposal").json()
    assert found["rules"]["rule"]["instrument"] == "eu_service_2020_1784"
    assert (found["tariff"]["amount"], found["tariff"]["amount_with_vat"]) == ("125.00", "151.25")  # RD of 18 May 2024
    quoted = operator.post(f"{path}/quote", json={}, headers=once()).json()["quote"]
    assert (quoted["amount"], quoted["tax_amount"], quoted["valid_until_on"]) == ("125.00", "26.25", "2026-07-15")
    (note,) = quoted["notes"]
    assert "dernier connu, celui du 31 déc. 2024" in note, "the amount of a later year is not known, and it says so"
    assert "attestation sur le formulaire K" in quoted["rules"] and "Royal Decree" in quoted["basis"]
    assert send(lawyer, yes(quoted)).json()["items"][0]["state"] == "ordered"
    assert send(lawyer, yes(quoted)).json()["items"][0]["state"] == "ordered", "said twice"
    done = certify(office, act["act_id"])
    assert done.status_code == 200, done.text
    assert lawyer.get(path).json()["state"] == "done"
    heard = lawyer.get(f"{path}/exchange").json()["messages"]
    assert [one["type"] for one in heard] == [
        "case_acknowledgement", "case_instruction", "case_acknowledgement", "case_status_update", "cost_statement", "case_return",
    ]  # fmt: skip
    assert heard[1]["text"].startswith("Signification d'un acte : 151,25") and "15 juil. 2026" in heard[1]["text"], "in its language"
    assert (heard[4]["amount"], heard[4]["tax_amount"], heard[4]["bearer"]) == ("125.00", "26.25", "creditor")
    assert lawyer.get(f"{path}/certificate").content == CERTIFICATE


def test_a_request_over_a_partners_own_line_is_answered_over_it(office: Office, lawyer: TestClient) -> None:
    """A mailbox as SOAP and SFTP show it: the request is brought as XML, and receipt, price and answer lie in it."""
    with office.hub.database.read() as conn:
        box = mailbox_of(conn, LAWYER)
    assert box is not None

    def bring(number: int, *messages: Message) -> None:
        exchange = Exchange(
            exchange_id=f"act-{number}", sender_ref=LAWYER, receiver_ref="collecthub", messages=messages,
            created_at=dt.datetime(2026, 6, 15, 9, tzinfo=dt.UTC),
        )
        bring_mail(office.hub, box, exchange.exchange_id, XmlFormat().encode(exchange))
        office.run()

    def fetched() -> list[Message]:
        mail, _ = read_mail(office.hub, box, "", 50)
        return [one for letter in mail for one in XmlFormat().decode(letter.content).messages]

    bring(1, request("M-9"))
    bring(2, request("M-10", documents=()))
    (act,) = lawyer.get(ACTS).json()["items"]
    (doubt,) = office.client("operator").get("/api/v1/quarantine").json()["items"]
    assert doubt["code"] == "act.request" and "no request for one act" in doubt["reason"]
    assert [type(one).__name__ for one in fetched()] == ["CaseAcknowledgement"]
    path = f"{ACTS}/{act['act_id']}"
    quoted = office.client("operator").post(f"{path}/quote", json={}, headers=once()).json()["quote"]
    office.run()
    bring(3, yes(quoted, "M-9"))
    certify(office, act["act_id"])
    office.run()
    assert [type(one).__name__ for one in fetched()] == [
        "CaseAcknowledgement", "CaseInstruction", "CaseAcknowledgement", "CaseStatusUpdate", "CostStatement", "CaseReturn",
    ]  # fmt: skip


def test_the_answers_keep_the_published_contract(office: Office, lawyer: TestClient) -> None:
    (act,) = send(lawyer, request()).json()["items"]
    path, operator = f"{ACTS}/{act['act_id']}", office.client("operator")
    quoted = operator.post(f"{path}/quote", json={}, headers=once()).json()["quote"]
    send(lawyer, yes(quoted))
    certify(office, act["act_id"], is_served="false", text="unknown at the address")
    assert lawyer.get(path).json()["state"] == "failed"
    content = lawyer.get(f"{path}/exchange").content
    schema = Path(__file__).parents[2] / "schemas" / "case-exchange-1.0.schema.json"
    jsonschema_rs.validator_for(json.loads(schema.read_text(encoding="utf-8"))).validate(json.loads(content))
    decoded = JsonFormat().decode(content)
    assert decoded.faults == () and len(decoded.messages) == 6


def test_a_price_that_no_tariff_knows_is_entered_or_refused(office: Office, lawyer: TestClient) -> None:
    elsewhere = Party(name="Ana", country="UY", address=Address(lines=("Calle 1",), city="Montevideo", country="UY"))
    (act,) = send(lawyer, request("M-2", debtors=(elsewhere,))).json()["items"]
    path, operator = f"{ACTS}/{act['act_id']}", office.client("operator")
    proposal = operator.get(f"{path}/proposal").json()
    assert proposal["tariff"] is None and proposal["rules"]["is_open"]
    assert operator.post(f"{path}/quote", json={}, headers=once()).status_code == 422
    unsaid = operator.post(f"{path}/quote", json={"amount": "300.00"}, headers=once())
    assert unsaid.status_code == 422 and "no instrument" in unsaid.text
    body = {"amount": "300.00", "note": "by the law of Uruguay, through a notary there"}
    quoted = operator.post(f"{path}/quote", json=body, headers=once()).json()["quote"]
    declined = send(lawyer, yes(quoted, "M-2", InstructionCode.COST_REFUSED))
    assert declined.json()["items"][0]["state"] == "withdrawn"
    assert certify(office, act["act_id"]).status_code == 422, "what was not ordered is not billed"


def test_what_is_no_request_is_said_so(office: Office, lawyer: TestClient) -> None:
    for wrong in (
        request(orders=()), request(documents=()), request(debtors=(Party(name="Nobody", country="BE"),)),
        request(creditor=Party(name="Z", country="XX")),
    ):  # fmt: skip
        assert send(lawyer, wrong).status_code == 422
    assert send(lawyer, request(), sender="somebody-else").status_code == 422
    assert send(lawyer, request()).status_code == 202
    assert send(lawyer, request()).status_code == 202, "the same again"
    assert send(lawyer, request(language="nl")).status_code == 422, "another content under a known reference"
    assert len(lawyer.get(ACTS).json()["items"]) == 1
    refused = office.client("operator").post(
        f"{ACTS}/{lawyer.get(ACTS).json()['items'][0]['act_id']}/refusal", json={"reason": "conflict of interest"}, headers=once()
    )
    assert (refused.json()["state"], refused.json()["messages"]) == ("refused", 2)


def test_nobody_elses_acts_are_seen(office: Office, lawyer: TestClient) -> None:
    (act,) = send(lawyer, request()).json()["items"]
    stranger = office.client("stranger")
    assert stranger.get(ACTS).json()["items"] == []
    assert stranger.get(f"{ACTS}/{act['act_id']}").status_code == 404
    assert lawyer.post(f"{ACTS}/{act['act_id']}/quote", json={}, headers=once()).status_code in (403, 404)


@pytest.mark.parametrize(
    ("come_from", "goes_to", "day", "instrument"),
    [
        ("FR", "BE", "2026-06-15", "eu_service_2020_1784"),
        ("DK", "BE", "2026-06-15", "eu_service_2020_1784"),  # by its agreement with the Union
        ("FR", "BE", "2022-06-30", "hague_service_1965"),  # the day before the regulation applied
        ("GB", "BE", "2026-06-15", "hague_service_1965"),
        ("UY", "BE", "2026-06-15", "open"),
        ("BE", "BE", "2026-06-15", "domestic"),
    ],
)
def test_the_rules_of_both_countries(come_from: str, goes_to: str, day: str, instrument: str) -> None:
    found = service_between(bundled_atlas(), come_from, goes_to, "fr", dt.date.fromisoformat(day))
    assert found.rule.instrument == instrument
    assert found.is_open == (instrument == "open")
