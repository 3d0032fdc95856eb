"""Two hubs and one case: the first hands it to the second over HTTP, the second's own holder works it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
import requests
import sqlalchemy as sa
from walk.scripted import ScriptedPlugin, World

import collecthub_partner_network
from collecthub.engine.context import SECRET_PREFIX, Hub
from collecthub.engine.desk import answer_question
from collecthub.formats.json import JsonFormat
from collecthub.model.case import Case
from collecthub.model.codes import Outcome, Status
from collecthub.model.exchange import AckVerdict, AmendmentCode, CaseAmendment, CaseFile, CostBearer
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Party
from collecthub.ports import PartnerBooks
from collecthub.sdk import (
    CaseAcknowledgement,
    CaseInstruction,
    CaseStatusUpdate,
    CostStatement,
    DocumentItem,
    Exchange,
    InstructionCode,
    ItemState,
    PaymentReport,
)
from collecthub.store import accounts
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events
from collecthub.store.connections import CreditorRow, Playbook, add_connection, write_creditor, write_partner
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role
from collecthub.store.secrets import write_secret
from collecthub.testing.inline import run_until_idle
from collecthub.web.app import create_app
from web.office import connection, make_hub
from web.server import served

NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


class TwoHubs:
    """`near` has the creditor and his ERP, `far` has the partner abroad; each with what its outside did."""

    def __init__(self, near: Hub, far: Hub, erp: World, holder: World, url: str, key: str) -> None:
        self.near, self.far, self.erp, self.holder, self.url, self.key = near, far, erp, holder, url, key

    def run(self) -> None:
        """Everybody does what waits, until both are idle; `near` listens once more at the end."""
        for hub, job, target in ((self.near, "pull", "books"), (self.far, "receive", "line"), (self.near, "receive", "far")):
            with hub.work() as work:
                work.wake(job, target)
            run_until_idle(hub)
            run_until_idle(self.far)

    def call(self, method: str, path: str, **more: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}", **more.pop("headers", {})}  # type: ignore[dict-item]
        return requests.request(method, f"{self.url}/exchange/v1/{path}", headers=headers, timeout=10, **more)  # type: ignore[arg-type]


def case_at(hub: Hub) -> Case:
    with hub.database.read() as conn:
        (found,) = read_cases(conn, sa.true())
    return found


def _hub(home: Path, name: str, world: World) -> Hub:
    url = f"sqlite:///{home / name}.sqlite3"
    hub, _queue = make_hub(home / name, url, ("scripted", ScriptedPlugin(world)), ("pn", collecthub_partner_network))
    hub.settings = hub.settings.model_copy(update={"operator_name": name})
    return hub


@pytest.fixture
def two(tmp_path: Path) -> Iterator[TwoHubs]:
    erp, holder = World(), World()
    near, far = _hub(tmp_path, "near", erp), _hub(tmp_path, "far", holder)
    with far.database.write() as conn:
        for partner_id in ("near", "agency"):
            countries = ("UY",) if partner_id == "agency" else ()
            profile = PartnerProfile(partner_id=partner_id, name=partner_id, role="agency", countries=countries)
            write_partner(conn, profile, far.now())
        add_connection(conn, connection("line", "scripted_partner", "partner", None, "agency", far.now()))
        key, _ = accounts.add_api_key(
            conn, name="near", role=Role.PARTNER, partner_id="near", now=dt.datetime.now(dt.UTC)
        )
    with served(create_app(far)) as url:
        _connect(near, url, key)
        yield TwoHubs(near, far, erp, holder, url, key)
    near.close()
    far.close()


def _connect(near: Hub, url: str, key: str) -> None:
    now = near.now()
    row = msgspec.structs.replace(
        connection("far", "partner_network", "partner", None, "far", now),
        settings=msgspec.json.encode({"base_url": url}).decode(),
    )
    with near.database.write() as conn:
        party = Party(name="De Kroon", country="BE")
        write_creditor(conn, CreditorRow(creditor_id="kroon", name="De Kroon", party=party, playbook=Playbook()), now)
        write_partner(conn, PartnerProfile(partner_id="far", name="Far", role="agency", countries=("UY",)), now)
        add_connection(conn, connection("books", "scripted_erp", "erp", "kroon", None, now))
        add_connection(conn, row)
        write_secret(conn, near.key, "far", SECRET_PREFIX + "token", msgspec.json.encode(key).decode())


def _with_a_case(two: TwoHubs) -> str:
    """One case, handed over and on; returns the id by which far's holder knows it."""
    two.erp.parties["U1"] = Party(name="Montevideo SA", country="UY")
    two.erp.invoice("1", "U1", "2026-04-01", "500.00")
    two.run()
    (case_file,) = [message for message in two.holder.messages if isinstance(message, CaseFile)]
    return case_file.case_id


def test_a_case_goes_there_and_its_facts_come_back(two: TwoHubs) -> None:
    there = _with_a_case(two)
    near, far = case_at(two.near), case_at(two.far)
    assert (near.status, far.origin, far.debtor_ref) == (Status.ACCEPTED, "exchange", near.case_id)
    assert near.placement is not None
    assert near.placement.holder_ref == far.number
    assert far.demanded == near.demanded == Decimal("500.00")
    file_id = far.placement.message_id if far.placement else ""
    two.holder.say(
        "n-1",
        CaseAcknowledgement(message_id="a1", case_id=there, holder_ref="H-1", in_reply_to=file_id,
                            verdict=AckVerdict.ACCEPTED, occurred_at=NOON),
        CaseStatusUpdate(message_id="a2", case_id=there, sequence=1, status_code="contact_made", text="spoke to them",
                         occurred_at=NOON),
        CostStatement(message_id="a3", case_id=there, cost_ref="C1", cost_type="collection_fee", currency="EUR",
                      amount=Decimal("40.00"), bearer=CostBearer.DEBTOR, occurred_on=NOON.date()),
        PaymentReport(message_id="a4", case_id=there, payment_ref="P1", currency="EUR", amount=Decimal("200.00"),
                      received_on=NOON.date()),
    )  # fmt: skip
    two.run()
    two.run()  # nothing is told twice
    near = case_at(two.near)
    assert (near.balance.payments, near.balance.costs) == (Decimal("200.00"), Decimal("40.00"))
    with two.near.database.read() as conn:
        kinds = [event.kind for event in read_events(conn, near.case_id)]
    for kind in ("case_accepted", "status_reported", "cost_reported", "payment_reported"):
        assert kinds.count(kind) == 1, kinds
    books = two.near.connector("far")
    assert isinstance(books, PartnerBooks)
    (line,) = books.accounts()
    assert (line.case_id, line.principal, line.paid, line.costs, line.is_stopped) == (
        near.case_id, Decimal("500.00"), Decimal("200.00"), Decimal("40.00"), False,
    )  # fmt: skip


def test_a_payment_at_home_lowers_and_then_recalls_the_case_everywhere(two: TwoHubs) -> None:
    _with_a_case(two)
    two.erp.invoice("1", "U1", "2026-04-01", "500.00", open_amount=Decimal("120.00"))
    two.run()
    assert case_at(two.far).demanded == Decimal("120.00")
    two.erp.invoice("1", "U1", "2026-04-01", "500.00", open_amount=Decimal("0.00"), state=ItemState.PAID)
    two.run()
    near, far = case_at(two.near), case_at(two.far)
    assert far.outcome is Outcome.RECALLED
    recalls = [m for m in two.holder.messages if isinstance(m, CaseAmendment) and m.code is AmendmentCode.RECALL]
    assert len(recalls) == 1
    assert near.status is Status.CLOSED
    assert near.placement is not None
    assert near.placement.end_reason == "recalled"
    two.run()
    (line,) = two.call("GET", "accounts").json()["items"]
    assert (line["principal"], line["is_stopped"]) == ("0", True)


def test_a_question_crosses_both_hubs_and_its_answer_comes_home(two: TwoHubs) -> None:
    there = _with_a_case(two)
    question = CaseInstruction(message_id="q1", case_id=there, code=InstructionCode.QUESTION, text="Is there a contract?")
    two.holder.say("n-1", question)
    two.run()
    near = case_at(two.near)
    assert near.held_for("waiting_creditor")
    with two.near.work() as work:
        answer_question(two.near, work, LOCAL_OPERATOR, near.case_id, text="Yes, from 2024.")
    run_until_idle(two.near)
    two.run()
    answers = [m for m in two.holder.messages if isinstance(m, CaseInstruction)]
    assert [(m.code, m.text) for m in answers] == [(InstructionCode.ANSWER, "Yes, from 2024.")]
    assert not case_at(two.far).held_for("waiting_creditor")


def test_an_exchange_is_taken_once_and_judged_by_its_content(two: TwoHubs) -> None:
    _with_a_case(two)
    with two.near.database.read() as conn:
        envelope = conn.execute(sa.select(t.envelopes)).first()
    assert envelope is not None
    body = two.near.evidence.read(envelope.sha256)
    headers = {"Idempotency-Key": envelope.envelope_id, "Content-Type": "application/json"}
    again = two.call("POST", "exchanges", data=body, headers=headers)
    assert (again.status_code, again.json()) == (202, {"exchange_id": envelope.envelope_id, "duplicate": True})
    changed = two.call("POST", "exchanges", data=body + b" ", headers=headers)
    assert changed.status_code == 422
    for wrong in (
        {"exchange_id": "x-1", "sender_ref": "somebody"}, {"exchange_id": "x-2", "receiver_ref": "somebody"},
    ):  # fmt: skip
        exchange = msgspec.structs.replace(JsonFormat().read(body).exchange, **wrong)
        sent = {**headers, "Idempotency-Key": exchange.exchange_id}
        refused = two.call("POST", "exchanges", data=JsonFormat().encode(exchange), headers=sent)
        assert (refused.status_code, refused.json()["code"]) == (422, "not-understood")
        state = two.call("GET", f"exchanges/{exchange.exchange_id}").json()
        assert state == {"exchange_id": exchange.exchange_id, "state": "refused"}
    assert two.call("GET", f"exchanges/{envelope.envelope_id}").json()["state"] == "accepted"
    assert two.call("GET", "exchanges/never").status_code == 404
    case_at(two.far)  # still one


def test_a_case_that_cannot_enter_is_refused_with_its_reason(two: TwoHubs) -> None:
    _with_a_case(two)
    (file,) = [m for m in _exchange_of(two).messages if isinstance(m, CaseFile)]
    late = msgspec.structs.replace(file.claims[0], due_on=dt.date(2030, 1, 1), claim_id="9", invoice_ref="9")
    good = msgspec.structs.replace(file.claims[0], claim_id="10", invoice_ref="10")
    scan = DocumentItem(
        name="a.pdf", kind="invoice", media_type="application/pdf", sha256=hashlib.sha256(b"%PDF").hexdigest(), content=b"%PDF"
    )
    twice = (scan, msgspec.structs.replace(scan, name="b.pdf"))
    exchange = Exchange(
        exchange_id="x-9", sender_ref="near", receiver_ref="far", created_at=NOON,
        messages=(
            msgspec.structs.replace(file, message_id="m-9", case_id="c-9", claims=(late,)),
            msgspec.structs.replace(file, message_id="m-10", case_id="c-10", claims=(good,), documents=twice),
        ),
    )
    body = JsonFormat().encode(exchange)
    sent = two.call("POST", "exchanges", data=body, headers={"Idempotency-Key": "x-9"})
    assert sent.status_code == 202
    items = two.call("GET", "outbox").json()["items"]
    (ack,) = [m for item in items for m in item["exchange"]["messages"] if m.get("in_reply_to") == "m-9"]
    assert (ack["verdict"], ack["reason_code"]) == ("refused", "invalid_data")
    assert "due_on" in ack["reason"]
    (taken,) = [m for item in items for m in item["exchange"]["messages"] if m.get("in_reply_to") == "m-10"]
    assert taken["verdict"] == "accepted", "its neighbour, with one document under two names"
    with two.far.database.read() as conn:
        assert conn.scalars(sa.select(t.documents.c.name).where(t.documents.c.kind == "invoice")).all() == ["b.pdf"]
    assert [(one["element"], one["code"]) for one in ack["faults"]] == [("claims[0].due_on", "invalid_data")]
    verdict = {"exchange_id": items[-1]["exchange"]["exchange_id"], "accepted": True}
    assert two.call("POST", "verdicts", json=verdict).status_code == 204
    assert two.call("POST", "verdicts", json={**verdict, "exchange_id": "none"}).status_code == 404
    page = two.call("GET", "outbox", params={"limit": 1}).json()
    rest = two.call("GET", "outbox", params={"after": page["next_cursor"]}).json()
    assert [*page["items"], *rest["items"]] == items


def _exchange_of(two: TwoHubs) -> Exchange:
    with two.near.database.read() as conn:
        sha256 = conn.scalar(sa.select(t.envelopes.c.sha256))
    return JsonFormat().read(two.near.evidence.read(sha256 or "")).exchange
