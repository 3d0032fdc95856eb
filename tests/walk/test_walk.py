"""One debt through every room and back, on both databases, with a plugin the core has never seen."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa
from walk.conftest import House

from collecthub.model.case import Case
from collecthub.model.codes import Outcome, Status
from collecthub.model.exchange import (
    AckVerdict,
    AmendmentCode,
    CaseAcknowledgement,
    CaseAmendment,
    CaseFile,
    CaseReturn,
    CaseStatusUpdate,
    CostBearer,
    CostStatement,
    PaymentReport,
)
from collecthub.sdk import ItemKind, ItemState, Party, RefusedRow
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events, replay
from collecthub.testing.inline import run_until_idle

NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


def pull(house: House) -> None:
    house.wake("pull", "books")
    run_until_idle(house.hub)


def hear(house: House) -> None:
    house.wake("receive", "line")
    run_until_idle(house.hub)


def cases(house: House) -> list[Case]:
    with house.hub.database.read() as conn:
        return read_cases(conn, sa.true())


def only_case(house: House) -> Case:
    found = cases(house)
    assert len(found) == 1
    return found[0]


def accept(house: House, name: str = "ack") -> Case:
    case = only_case(house)
    assert case.placement is not None
    house.world.say(
        name,
        CaseAcknowledgement(
            message_id=f"{name}-1", case_id=case.case_id, holder_ref="D-7", in_reply_to=case.placement.message_id,
            verdict=AckVerdict.ACCEPTED, occurred_at=NOON,
        ),
    )
    hear(house)
    return only_case(house)


def payment(case: Case, ref: str, amount: str, **more: str) -> PaymentReport:
    return PaymentReport(
        message_id=f"m-{ref}", case_id=case.case_id, payment_ref=ref, currency="EUR", amount=Decimal(amount),
        received_on=NOON.date(), **more,
    )


def test_overdue_invoices_of_a_debtor_become_one_case_at_the_partner(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    house.world.invoice("2", "A", "2026-06-01", "50.00")
    house.world.invoice("3", "A", "2026-06-15", "70.00")  # due today is not overdue
    pull(house)
    case = only_case(house)
    assert case.status is Status.SENT
    assert case.balance.principal == Decimal("150.00")
    (sent,) = house.world.messages
    assert isinstance(sent, CaseFile)
    assert [claim.invoice_ref for claim in sent.claims] == ["F-1", "F-2"]
    assert sent.principal == Decimal("150.00")
    assert [report.event.kind for report in house.world.reports] == ["case_sent"]


def test_a_second_pull_of_the_same_changes_nothing(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    before = only_case(house)
    pull(house)
    assert only_case(house) == before
    assert len(house.world.delivered) == 1


def test_partial_payments_and_credits_are_netted_before_anybody_is_asked(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "1000.00")
    for ref, amount in (("p1", "-300.00"), ("p2", "-200.00")):
        house.world.invoice(
            ref, "A", "2026-05-20", amount, kind=ItemKind.PAYMENT, settles_ref="1", open_amount=Decimal(amount)
        )
    house.world.invoice("c", "A", "2026-05-20", "-40.00", kind=ItemKind.CREDIT_NOTE)
    pull(house)
    case = only_case(house)
    assert case.claims[0].open_amount == Decimal("500.00")
    assert case.demanded == Decimal("460.00")


def test_a_direct_payment_recalls_the_case_and_the_confirmation_closes_it(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    accept(house)
    house.world.invoice("1", "A", "2026-05-01", "100.00", open_amount=Decimal(0), state=ItemState.PAID)
    pull(house)
    case = only_case(house)
    assert case.status is Status.RECALLING
    recall = house.world.messages[-1]
    assert isinstance(recall, CaseAmendment)
    assert recall.code is AmendmentCode.RECALL
    house.world.say(
        "stopped",
        CaseAcknowledgement(
            message_id="s-1", case_id=case.case_id, in_reply_to=recall.message_id, verdict=AckVerdict.ACCEPTED,
            occurred_at=NOON,
        ),
    )
    hear(house)
    case = only_case(house)
    assert (case.status, case.outcome) == (Status.CLOSED, Outcome.PAID_FULL)
    assert case.balance.total == 0
    assert case.direct_payments == Decimal("100.00")


def test_a_partial_direct_payment_lowers_what_the_partner_asks(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    accept(house)
    house.world.invoice("1", "A", "2026-05-01", "100.00", open_amount=Decimal("30.00"))
    pull(house)
    amendment = house.world.messages[-1]
    assert isinstance(amendment, CaseAmendment)
    assert (amendment.code, amendment.principal) == (AmendmentCode.BALANCE, Decimal("30.00"))


def test_costs_payments_and_the_return_come_back_into_the_case(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = accept(house)
    house.world.say(
        "news",
        CaseStatusUpdate(message_id="u1", case_id=case.case_id, sequence=1, status_code="contact_made", occurred_at=NOON),
        CostStatement(
            message_id="k1", case_id=case.case_id, cost_ref="K1", cost_type="bailiff_act", currency="EUR",
            amount=Decimal("20.00"), tax_amount=Decimal("4.20"), bearer=CostBearer.DEBTOR, occurred_on=NOON.date(),
        ),
        payment(case, "P1", "60.00"),
        payment(case, "P2", "40.00", remittance_ref="R1"),
        CaseReturn(
            message_id="r1", case_id=case.case_id, close_code="paid_full", currency="EUR", remaining=Decimal(0),
            occurred_on=NOON.date(),
        ),
    )
    hear(house)
    case = only_case(house)
    assert case.status is Status.CLOSED
    assert case.balance.payments == Decimal("100.00")
    assert case.balance.costs == Decimal("24.20")
    # The creditor books the remittance in the ERP: the same money is not counted again.
    house.world.invoice("1", "A", "2026-05-01", "100.00", open_amount=Decimal("40.00"))
    pull(house)
    house.world.invoice("1", "A", "2026-05-01", "100.00", open_amount=Decimal(0), state=ItemState.PAID)
    pull(house)
    case = only_case(house)
    assert case.balance.payments == Decimal("100.00")
    assert case.erp_open == 0


def test_a_return_as_paid_in_full_that_the_ledger_does_not_know_waits_for_a_person(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = accept(house)
    returned = CaseReturn(
        message_id="r1", case_id=case.case_id, close_code="paid_full", currency="EUR", remaining=Decimal(0),
        occurred_on=NOON.date(),
    )
    house.world.say("back", payment(case, "P1", "60.00"), returned)
    hear(house)
    case = only_case(house)
    assert case.status is Status.NEEDS_INFO
    assert case.outcome is None
    assert case.placement is not None and not case.placement.is_live


def test_the_same_file_twice_books_once_and_is_answered_twice(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = accept(house)
    house.world.say("pay", payment(case, "P1", "60.00"))
    hear(house)
    house.world.outbox.append(("pay-again", house.world.outbox[-1][1]))
    hear(house)
    assert only_case(house).balance.payments == Decimal("60.00")
    assert {name for name, verdict in house.world.verdicts if verdict.is_accepted} >= {"pay", "pay-again"}


def test_bad_messages_are_kept_with_their_reason_and_stop_nobody(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = accept(house)
    house.world.outbox.append(("broken", b'{"messages": [{"type"'))
    house.world.say(
        "mixed",
        CaseStatusUpdate(message_id="x1", case_id=case.case_id, sequence=1, status_code="ZZ-99", occurred_at=NOON),
        CaseStatusUpdate(message_id="x2", case_id="f" * 32, sequence=1, status_code="contact_made", occurred_at=NOON),
        payment(case, "P1", "10.00"),
    )
    hear(house)
    with house.hub.database.read() as conn:
        codes = sorted(conn.scalars(sa.select(t.quarantine.c.code)))
    assert codes == ["json.malformed", "record.unknown_case", "status.unknown"]
    assert only_case(house).balance.payments == Decimal("10.00")
    assert dict(house.world.verdicts)["broken"].is_accepted is False


def test_a_lost_receipt_is_probed_and_never_sent_again(house: House) -> None:
    house.world.lose_receipts = 1
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    assert only_case(house).status is Status.SENDING
    with house.hub.database.write() as conn:
        conn.execute(sa.update(t.envelopes).values(next_attempt_at=None))
    house.wake("dispatch", "line")
    run_until_idle(house.hub)
    assert only_case(house).status is Status.SENT
    assert len(house.world.delivered) == 1  # the scripted partner asserts that nothing is delivered twice


def test_an_answer_that_overtakes_the_receipt_waits_for_it(house: House) -> None:
    house.world.lose_receipts = 1
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = only_case(house)
    (sent,) = house.world.messages
    assert isinstance(sent, CaseFile)
    accepted = CaseAcknowledgement(
        message_id="early", case_id=case.case_id, holder_ref="D-9", in_reply_to=sent.message_id,
        verdict=AckVerdict.ACCEPTED, occurred_at=NOON,
    )
    house.world.say("early", accepted)
    hear(house)
    assert only_case(house).status is Status.SENDING
    with house.hub.database.write() as conn:
        conn.execute(sa.update(t.envelopes).values(next_attempt_at=None))
    house.wake("dispatch", "line")
    run_until_idle(house.hub)
    assert only_case(house).status is Status.ACCEPTED
    with house.hub.database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(t.quarantine)) == 0


def test_a_payment_between_composing_and_sending_wins(house: House) -> None:
    house.world.refuse_connections = 1
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)  # composed and prepared, but the partner was down
    house.world.invoice("1", "A", "2026-05-01", "100.00", open_amount=Decimal("25.00"))
    with house.hub.database.write() as conn:
        conn.execute(sa.update(t.envelopes).values(next_attempt_at=None))
    pull(house)
    house.wake("dispatch", "line")
    run_until_idle(house.hub)
    (sent,) = house.world.messages
    assert isinstance(sent, CaseFile)
    assert sent.principal == Decimal("25.00")


def test_a_refused_case_without_another_partner_waits_for_a_person(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = only_case(house)
    assert case.placement is not None
    house.world.say(
        "no",
        CaseAcknowledgement(
            message_id="n1", case_id=case.case_id, in_reply_to=case.placement.message_id,
            verdict=AckVerdict.REFUSED, reason_code="conflict_of_interest", occurred_at=NOON,
        ),
    )
    hear(house)
    assert only_case(house).status is Status.NEEDS_INFO
    with house.hub.database.read() as conn:
        assert conn.scalar(sa.select(t.tasks.c.kind)) == "unroutable"


def test_an_unknown_country_is_never_guessed(house: House) -> None:
    house.world.parties["A"] = Party(name="Nobody knows")
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    assert only_case(house).status is Status.NEEDS_INFO
    assert not house.world.delivered


def test_the_history_folds_into_the_stored_case_and_its_chain_holds(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = accept(house)
    with house.hub.database.read() as conn:
        history = read_events(conn, case.case_id)
    folded = replay(history)
    assert folded is not None
    assert folded.balance == case.balance
    assert folded.status == case.status
    assert [event.previous_hash for event in history[1:]] == [event.hash for event in history[:-1]]


def test_bad_rows_are_quarantined_and_their_neighbours_enter(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    house.world.invoice("2", "B", "2026-05-01", "-5.00")
    house.world.invoice("3", "C", "1899-01-01", "5.00")
    house.world.invoice("4", "D", "2026-05-01", "5.00", currency="euro")
    house.world.invoice("5", "E", "2026-05-01", "5.00", text="spoilt\x00text")
    house.world.invoice("6" * 141, "F", "2026-05-01", "5.00")
    house.world.invoice("7\x00", "G" * 141, "2026-05-01", "5.00")
    house.world.invoice("8", "H", "2026-05-01", "NaN")
    house.world.refused += [
        RefusedRow(item_ref="9\x00" * 200, code="their.row", reason="a reason\x00", content=b"bytes", currency="EURO", open_amount=Decimal("NaN")),
        RefusedRow(item_ref="10", code="their.row", reason="a reason", content=b"bytes", currency="EUR", open_amount=Decimal("7.005")),
    ]
    for _ in range(2):
        pull(house)
        assert [case.debtor_ref for case in cases(house)] == ["A"]
        c = t.quarantine.c
        with house.hub.database.read() as conn:
            found = [(row.code, row.open_minor) for row in conn.execute(sa.select(c.code, c.open_minor).order_by(c.code))]
        assert found == [
            ("row.amount", 0), ("row.currency", 0), ("row.due_date", 500), ("row.identity", 500), ("row.negative", -500),
            ("row.text", 500), ("row.text", 500), ("their.row", 0), ("their.row", 701),
        ]  # fmt: skip
