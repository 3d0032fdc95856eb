"""Cash and card, at the counter or on a visit: one transaction books the money and gives the numbered receipt.

A receipt is never changed or removed: it is reversed, and the case asks for the money again.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for
from collecthub.engine.documents import add_documents, keep_document
from collecthub.engine.payment_booking import portions, taken_back
from collecthub.engine.receipt_sheet import ReceiptFacts, receipt_sheet
from collecthub.engine.remitting import operator_only
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.event import CaseReopened, Fact, PaymentRecorded
from collecthub.model.ids import new_id
from collecthub.model.money import round_amount
from collecthub.store import remittance_tables as r
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.case_log import from_minor, read_event, to_minor
from collecthub.store.queries.scope import Scope, not_there
from collecthub.store.remittances import next_number

Means = Literal["cash", "card"]
Place = Literal["counter", "visit"]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt that was given. `sha256` is that of its PDF."""

    receipt_id: str
    number: str
    case_id: str
    case_number: str
    means: str
    place: str
    amount: Decimal
    currency: str
    received_on: dt.date
    received_by: str
    sha256: str
    reversed_on: dt.date | None = None


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody took: how, where, how much, when. `terminal_ref` is the card terminal's."""

    amount: Decimal
    means: Means
    place: Place
    received_on: dt.date
    received_by: str
    terminal_ref: str = ""


def give_receipt(hub: Hub, work: Work, scope: Scope, case_id: str, taken: Taken) -> Receipt:
    """Book money that was taken, and give the receipt. Raises `PermanentError` for what nobody can have taken."""
    operator_only(scope)
    case = case_for(work, scope, case_id)
    _check(work, case, taken)
    number, receipt_id = next_number(work.conn, "RC", work.now.year), new_id()
    parts = portions(case, taken.amount)
    facts = [
        PaymentRecorded(amount=part, paid_on=taken.received_on, note=f"receipt {number}", payment_ref=number, origin=taken.means)
        for part in parts
    ]
    before = case.version
    after = change_case(hub, work, case, facts, actor=scope.subject)
    sha256 = _print(hub, work, scope, after, number, taken)
    work.conn.execute(
        sa.insert(r.receipts).values(
            receipt_id=receipt_id, number=number, case_id=case.case_id, creditor_id=case.creditor_id,
            seqs="".join(f"|{before + place}" for place in range(1, len(parts) + 1)) + "|", means=taken.means,
            place=taken.place, amount_minor=to_minor(taken.amount, case.currency), currency=case.currency,
            received_on=taken.received_on, received_by=taken.received_by, terminal_ref=taken.terminal_ref,
            made_at=work.now,
        )
    )
    append_audit(work.conn, now=work.now, actor=scope.subject, action="receipt.given", subject=number, detail=case.number)
    return Receipt(
        receipt_id=receipt_id, number=number, case_id=case.case_id, case_number=case.number, means=taken.means,
        place=taken.place, amount=taken.amount, currency=case.currency, received_on=taken.received_on,
        received_by=taken.received_by, sha256=sha256,
    )  # fmt: skip


def receipts_of(conn: sa.Connection, scope: Scope, case_id: str) -> tuple[Receipt, ...]:
    """The receipts of a case, oldest first, reversed ones among them; `sha256` is not told. Only for the operator."""
    operator_only(scope)
    query = (
        sa.select(r.receipts, t.cases.c.number.label("case_number"))
        .join(t.cases, t.cases.c.case_id == r.receipts.c.case_id)
        .where(r.receipts.c.case_id == case_id)
        .order_by(r.receipts.c.number)
    )
    return tuple(
        Receipt(
            receipt_id=row.receipt_id, number=row.number, case_id=row.case_id, case_number=row.case_number, means=row.means,
            place=row.place, amount=from_minor(row.amount_minor, row.currency), currency=row.currency,
            received_on=row.received_on, received_by=row.received_by, sha256="", reversed_on=row.reversed_on,
        )
        for row in conn.execute(query)
    )  # fmt: skip


def _check(work: Work, case: Case, taken: Taken) -> None:
    amount, currency = taken.amount, case.currency
    if not case.is_open:
        raise PermanentError(f"case {case.number} is closed", cure="Take nothing, or reopen the case first.")
    if amount <= 0 or amount != round_amount(amount, currency):
        raise PermanentError(f"{amount} {currency} cannot be paid", cure="Enter a positive amount in the currency's decimals.")
    if amount > case.balance.total:
        raise PermanentError(
            f"only {case.balance.total} {currency} is owed in case {case.number}", cure="Take what is owed, and give change."
        )
    if taken.received_on > work.now.date():
        raise PermanentError(f"{taken.received_on} lies ahead", cure="Enter the day on which the money was taken.")
    if not taken.received_by.strip():
        raise PermanentError("nobody is named who took the money", cure="Name who took it.")
    if taken.means == "card" and not taken.terminal_ref.strip():
        raise PermanentError("the card payment has no terminal reference", cure="Copy it from the terminal's slip.")


def _print(hub: Hub, work: Work, scope: Scope, case: Case, number: str, taken: Taken) -> str:
    from collecthub.paper.pdf import sheet_pdf  # large: only who prints loads it

    creditor = work.conn.scalar(sa.select(t.creditors.c.name).where(t.creditors.c.creditor_id == case.creditor_id)) or ""
    facts = ReceiptFacts(
        number=number, operator=hub.settings.operator_name, creditor=str(creditor), case_number=case.number,
        debtor=case.debtor.name, means=taken.means, place=taken.place, amount=taken.amount, currency=case.currency,
        received_on=taken.received_on, received_by=taken.received_by, terminal_ref=taken.terminal_ref,
        owed=max(case.balance.total, Decimal(0)),
    )  # fmt: skip
    content = sheet_pdf(receipt_sheet(facts, case.debtor.language), work.now)
    kept = keep_document(hub, content, name=f"{number}.pdf", kind="receipt", media_type="application/pdf")
    add_documents(hub, work, case, [kept], actor=scope.subject)
    return kept.sha256


def reverse_receipt(hub: Hub, work: Work, scope: Scope, receipt: str, *, reason: str) -> Receipt:
    """The money was given back, or the card payment was: the case asks for it again. Reversed once only."""
    operator_only(scope)
    if not reason.strip():
        raise PermanentError("nobody said why the receipt is reversed", cure="Add a reason.")
    row = work.conn.execute(
        sa.select(r.receipts).where((r.receipts.c.receipt_id == receipt) | (r.receipts.c.number == receipt)).with_for_update()
    ).first()
    if row is None:
        raise not_there("receipt", receipt)
    if row.reversed_on is not None:
        raise PermanentError(f"receipt {row.number} was reversed before", cure="It needs nothing more.", reference=row.number)
    case = locked_case(work, row.case_id)
    today = work.now.date()
    facts: list[Fact] = [] if case.is_open else [CaseReopened(reason=f"receipt {row.number} was reversed")]
    for seq in (int(part) for part in row.seqs.split("|") if part):
        event = read_event(work.conn, row.case_id, seq)
        assert event is not None and isinstance(event.fact, PaymentRecorded), "a receipt names its own events"
        facts += taken_back(work, case, seq, event.fact.amount, today, row.number, row.means)
    change_case(hub, work, case, facts, actor=scope.subject)
    work.conn.execute(
        sa.update(r.receipts)
        .where(r.receipts.c.receipt_id == row.receipt_id)
        .values(reversed_on=today, reversed_by=scope.subject, reason=reason)
    )
    append_audit(work.conn, now=work.now, actor=scope.subject, action="receipt.reversed", subject=row.number, detail=reason)
    return Receipt(
        receipt_id=row.receipt_id, number=row.number, case_id=row.case_id, case_number=case.number, means=row.means,
        place=row.place, amount=from_minor(row.amount_minor, row.currency), currency=row.currency,
        received_on=row.received_on, received_by=row.received_by, sha256="", reversed_on=today,
    )  # fmt: skip
