"""From a payment on the client account to the order at the bank and back: exact, once, and undone when the bank says no."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from payments.bank_samples import paid

from collecthub.engine.payment_orders import export_remittances, order_file, take_answer
from collecthub.engine.remitting import create_remittances
from collecthub.engine.verify import verify
from collecthub.errors import CollecthubError, PermanentError, QuarantineError
from collecthub.formats.bank.pain001 import NAMESPACE
from collecthub.model.event import PaymentRecorded
from collecthub.model.facts_remittance import MoneyPassedOn
from collecthub.store.case_log import read_events, read_lines
from collecthub.store.queries.paging import PageRequest
from collecthub.store.queries.remittances import list_remittances, remittance_detail
from collecthub.store.queries.scope import LOCAL_OPERATOR, NotThereError, Role, Scope
from collecthub.store.remittances import StoredRemittance
from remittance.conftest import PAYEE, Till

D = Decimal
NS = {"p": NAMESPACE}


def create(till: Till) -> tuple[StoredRemittance, ...]:
    return create_remittances(till.hub, LOCAL_OPERATOR).made


def states(till: Till) -> dict[str, str]:
    with till.hub.database.read() as conn:
        found = list_remittances(conn, LOCAL_OPERATOR, till.hub.key, PageRequest())
    return {one.number: one.state for one in found.items}


def answer(ref: str, status: str, *payments: tuple[str, str]) -> bytes:
    """A pain.002 of version 10 by its published structure."""
    said = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{one}</OrgnlEndToEndId><TxSts>{code}</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn>"
        "<AddtlInf>closed account</AddtlInf></StsRsnInf></TxInfAndSts>"
        for one, code in payments
    )
    group = f"<GrpSts>{status}</GrpSts>" if status else ""
    batch = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{ref}-1</OrgnlPmtInfId>{said}</OrgnlPmtInfAndSts>" if said else ""
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><GrpHdr><MsgId>B1</MsgId>'
        "<CreDtTm>2026-06-15T10:00:00</CreDtTm></GrpHdr><OrgnlGrpInfAndSts>"
        f"<OrgnlMsgId>{ref}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>{batch}"
        "</CstmrPmtStsRpt></Document>"
    ).encode()


def test_what_is_held_leaves_once_net_of_fees(both_till: Till, shared_data: Path) -> None:
    till = both_till
    till.agree()
    till.agree("other", grid=[], minimum_fee="0.00", vat_percent="0")
    one, two, three = till.case("500.00"), till.case("1500.00"), till.case("80.00", "other")
    till.bank(paid("200.00", text=one["number"]), paid("1500.00", text=two["number"]), paid("80.00", text=three["number"]))
    made = create(till)
    # De Kroon: 10 % of 200 and 7.5 % of 1500 are 132.50, VAT 4.20 + 23.63 (23.625 half up)
    assert [(m.creditor_id, m.gross, m.fee, m.vat, m.net) for m in made] == [
        ("kroon", D("1700.00"), D("132.50"), D("27.83"), D("1539.67")), ("other", D("80.00"), D(0), D(0), D("80.00")),
    ]  # fmt: skip
    assert create(till) == ()
    order = export_remittances(till.hub, LOCAL_OPERATOR)
    assert order is not None and export_remittances(till.hub, LOCAL_OPERATOR) is None
    content = order_file(till.hub, LOCAL_OPERATOR, order.message_ref)[1]
    root = etree.fromstring(content)
    etree.XMLSchema(file=str(shared_data / "formats/iso20022/xsd/pain.001.001.09.xsd")).assertValid(root)
    paid_out = {
        x.findtext("p:PmtId/p:EndToEndId", namespaces=NS): (x.findtext("p:Amt/p:InstdAmt", namespaces=NS), x.findtext("p:CdtrAcct/p:Id/p:IBAN", namespaces=NS))
        for x in root.iterfind(".//p:CdtTrfTxInf", NS)
    }
    assert paid_out == {made[0].number: ("1539.67", PAYEE), made[1].number: ("80.00", PAYEE)}
    assert root.findtext(".//p:GrpHdr/p:CtrlSum", namespaces=NS) == "1619.67"
    assert set(states(till).values()) == {"exported"}
    assert order_file(till.hub, LOCAL_OPERATOR, order.order_id)[1] == content


def test_every_fee_explains_itself(till: Till) -> None:
    till.agree()
    case = till.case()
    till.bank(paid("20.00", text=case["number"]))
    (made,) = create(till)
    with till.hub.database.read() as conn:
        (item,) = remittance_detail(conn, LOCAL_OPERATOR, made.number).items
        with pytest.raises(NotThereError):
            remittance_detail(conn, Scope(role=Role.CREDITOR, subject="user:x", creditor_id="other"), made.number)
    assert item.case_number == case["number"]
    assert item.rule == (
        "10 % of 20.00 EUR (grid row 2, contract version 1 from 2026-01-01); at least 5.00 EUR a case: 5.00 after 0 before; VAT 21 %"
    )


def test_the_contract_of_the_day_on_which_the_payment_came_in(till: Till) -> None:
    till.agree()
    case = till.case("900.00")
    till.bank(paid("100.00", text=case["number"]))
    till.agree(valid_from="2026-06-11", grid=[{"percent": "50"}])
    (made,) = create(till)  # the payment is of the tenth
    assert made.fee == D("10.00")


def test_nothing_is_paid_out_without_a_contract_or_an_account(till: Till) -> None:
    case = till.case()
    till.bank(paid("100.00", text=case["number"]))
    run = create_remittances(till.hub, LOCAL_OPERATOR)
    assert run.made == () and "no contract was in force on 2026-06-10" in run.left[0].reason
    till.agree()
    assert len(create(till)) == 1
    with pytest.raises(PermanentError, match="only the operator"):
        create_remittances(till.hub, Scope(role=Role.CREDITOR, subject="user:x", creditor_id="kroon"))


def test_a_return_after_the_money_was_passed_on_lowers_the_next_remittance(till: Till) -> None:
    till.agree(minimum_fee="0.00")
    one, two = till.case("100.00"), till.case("300.00")
    till.bank(paid("100.00", text=one["number"], iban="BE71096123456769"))
    (first,) = create(till)
    till.bank(paid("100.00", iban="BE71096123456769", back=True))
    assert create(till) == ()  # less than nothing is held
    till.bank(paid("300.00", text=two["number"]))
    (second,) = create(till)
    assert (first.net, second.gross, second.fee, second.net) == (D("87.90"), D("200.00"), D("20.00"), D("175.80"))


def test_what_the_bank_rejects_is_held_again(till: Till) -> None:
    till.agree()
    till.agree("other")
    till.bank(paid("100.00", text=till.case("100.00")["number"]), paid("50.00", text=till.case("50.00", "other")["number"]))
    first, second = create(till)
    order = export_remittances(till.hub, LOCAL_OPERATOR)
    assert order is not None
    said = answer(order.message_ref, "PART", (first.number, "RJCT"), (second.number, "ACSC"))
    for _ in range(2):  # the same answer again changes nothing
        assert [(one.number, one.state) for one in take_answer(till.hub, LOCAL_OPERATOR, said)] == [
            (first.number, "rejected"), (second.number, "paid"),
        ]  # fmt: skip
    (again,) = create(till)
    assert (again.net, again.number != first.number) == (first.net, True)
    assert create(till) == ()
    tasks = till.office.client("operator").get("/api/v1/tasks").json()["items"]
    assert any(task["title"] == f"remittance {first.number} of {first.net} EUR was rejected by the bank" for task in tasks)
    # a rejection of the whole order, as the other bank words it
    order = export_remittances(till.hub, LOCAL_OPERATOR)
    assert order is not None
    take_answer(till.hub, LOCAL_OPERATOR, answer(order.message_ref, "ACCP"))
    assert states(till)[again.number] == "accepted"
    take_answer(till.hub, LOCAL_OPERATOR, answer(order.message_ref, "RJCT"))
    assert states(till)[again.number] == "rejected"


def test_answers_that_are_not_understood_change_nothing(till: Till, shared_data: Path) -> None:
    samples = sorted((shared_data / "formats/iso20022/samples/moov").glob("pain002*.xml"))
    assert len(samples) == 4
    for path in samples:
        with pytest.raises(NotThereError, match="there is no payment order"):
            take_answer(till.hub, LOCAL_OPERATOR, path.read_bytes())
    with pytest.raises(QuarantineError, match="status 'WHAT' is none of"):
        take_answer(till.hub, LOCAL_OPERATOR, answer("PO-2026-000001", "WHAT"))


def test_an_order_names_a_day_on_which_banks_pay(till: Till) -> None:
    """By the calendar of T2: Saturday 20 June and Christmas are none; on a Saturday the order is for Monday."""
    till.agree()
    till.bank(paid("100.00", text=till.case("100.00")["number"]))
    create_remittances(till.hub, LOCAL_OPERATOR)
    for day, says in (("2026-06-12", "is over"), ("2026-06-20", "not settled on 2026-06-20"), ("2026-12-25", "not settled")):
        with pytest.raises(PermanentError, match=says):
            export_remittances(till.hub, LOCAL_OPERATOR, pay_on=dt.date.fromisoformat(day))
    till.hub._day_offset = dt.datetime(2026, 6, 20, 12, tzinfo=dt.UTC) - dt.datetime.now(dt.UTC)  # a Saturday
    order = export_remittances(till.hub, LOCAL_OPERATOR)
    assert order is not None and order.pay_on == dt.date(2026, 6, 22)
    assert b"<ReqdExctnDt><Dt>2026-06-22</Dt></ReqdExctnDt>" in order_file(till.hub, LOCAL_OPERATOR, order.order_id)[1]


def test_two_runs_at_one_moment_pay_once(both_till: Till) -> None:
    till = both_till
    till.agree()
    for number in range(5):
        till.bank(paid("100.00", text=till.case("100.00")["number"], bank_ref=f"B{number}"))
    made: list[StoredRemittance] = []
    barrier = threading.Barrier(3)

    def run() -> None:
        barrier.wait()
        with contextlib.suppress(CollecthubError):  # the other run was quicker
            made.extend(create(till))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.gross for one in made) == D("500.00")


def test_the_case_tells_what_was_passed_on_and_its_ledger_has_the_fee(till: Till) -> None:
    till.agree(minimum_fee="0.00")
    case = till.case("100.00")
    till.bank(paid("100.00", text=case["number"]))
    assert len(create(till)) == 1
    order = export_remittances(till.hub, LOCAL_OPERATOR)
    assert order is not None

    def lines() -> list[tuple[str, Decimal]]:
        with till.hub.database.read() as conn:
            return [(line.kind.value, line.amount) for line in read_lines(conn, case["case_id"]) if line.bearer.value == "creditor"]

    assert lines() == [("fee", D("10.00")), ("vat", D("2.10"))]
    take_answer(till.hub, LOCAL_OPERATOR, answer(order.message_ref, "RJCT"))
    assert sum(amount for _, amount in lines()) == D(0)
    with till.hub.database.read() as conn:
        facts = [event.fact for event in read_events(conn, case["case_id"])]
    assert [fact.amount for fact in facts if isinstance(fact, MoneyPassedOn)] == [D("100.00"), D("-100.00")]
    assert verify(till.hub)[1] == ()


def test_a_history_from_before_payments_had_references_keeps_its_bytes() -> None:
    """The hash of an event covers its JSON: fields that came later may not appear in what was written earlier."""
    stored = b'{"kind":"payment_recorded","amount":"60.00","paid_on":"2026-06-01","note":"seen on the account"}'
    assert msgspec.json.encode(msgspec.json.decode(stored, type=PaymentRecorded)) == stored
