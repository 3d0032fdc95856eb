"""Remittances leave as an order to the bank, and the bank's answer comes back to them.

An order is kept as evidence before it is handed out: the same order is the same bytes for all time. A rejected payment
is held money again and a task for a person, who exports a new remittance with a new reference.
"""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.remitting import operator_only
from collecthub.errors import PermanentError
from collecthub.formats.bank.bank_days import next_bank_day
from collecthub.formats.bank.pain001 import CreditTransfer, PaymentOrder, checked_iban, write_pain001
from collecthub.formats.bank.pain001_check import refuse_faulty
from collecthub.formats.bank.pain002 import OrderAnswer, PaymentAnswer, read_pain002
from collecthub.model.facts_remittance import MoneyPassedOn
from collecthub.model.ids import new_id
from collecthub.store import remittance_tables as r
from collecthub.store import remittances as rs
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.case_log import from_minor
from collecthub.store.queries.scope import Scope, not_there

REJECTED_TASK = "remittance_rejected"


class ExportedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A pain.001 file: its name, its bytes by their hash, and the remittances in it."""

    order_id: str
    message_ref: str
    name: str
    sha256: str
    account: str
    pay_on: dt.date
    payments: int
    remittances: tuple[str, ...]


def export_remittances(
    hub: Hub, scope: Scope, *, account: str = "", pay_on: dt.date | None = None
) -> ExportedOrder | None:
    """Put every remittance that waits into one order; None when none waits. Exported once, it is in no other order."""
    operator_only(scope)
    with hub.work() as work:
        waiting = rs.locked(work.conn, r.remittances.c.state == rs.CREATED)
        if not waiting:
            return None
        number = checked_iban(account or _client_account(work.conn))
        day = _execution_day(hub.business_date(), pay_on)
        order = PaymentOrder(
            message_ref=rs.next_number(work.conn, "PO", work.now.year), made_at=work.now, payer=hub.settings.operator_name,
            account=number, pay_on=day, transfers=tuple(_transfer(one) for one in waiting),
        )  # fmt: skip
        content = write_pain001(order)
        refuse_faulty(content, order.message_ref)
        sha256, order_id = hub.evidence.keep(content), new_id()
        work.conn.execute(
            sa.insert(r.payment_orders).values(
                order_id=order_id, message_ref=order.message_ref, sha256=sha256, account=number, payments=len(waiting),
                pay_on=order.pay_on, made_at=work.now, made_by=scope.subject,
            )
        )
        for one in waiting:
            rs.change(work.conn, one.remittance_id, state=rs.EXPORTED, order_id=order_id)
        append_audit(
            work.conn, now=work.now, actor=scope.subject, action="remittance.exported", subject=order.message_ref,
            detail=f"{len(waiting)} payments",
        )
    return ExportedOrder(
        order_id=order_id, message_ref=order.message_ref, name=f"{order.message_ref}.xml", sha256=sha256, account=number,
        pay_on=order.pay_on, payments=len(waiting), remittances=tuple(one.number for one in waiting),
    )  # fmt: skip


def _transfer(one: rs.StoredRemittance) -> CreditTransfer:
    return CreditTransfer(
        end_to_end_ref=one.number, amount=one.net, currency=one.currency, payee=one.payee, account=one.account,
        text=f"{one.number}: {one.gross} collected, {one.fee} fees, {one.vat} VAT",
    )  # fmt: skip


def _execution_day(today: dt.date, wanted: dt.date | None) -> dt.date:
    """The day on which the bank shall pay: the one that is wanted, else the first from today on which it does.

    Raises `PermanentError` for a day that is over, and for one on which euro payments are not settled: banks move or
    refuse those as they like, so that nobody would know when the money leaves.
    """
    first = next_bank_day(wanted or today)
    if wanted is None:
        return first
    if wanted < today:
        raise PermanentError(f"{wanted} is over: a bank pays on a day to come", cure="Name today or a later day.")
    if wanted != first:
        raise PermanentError(f"euro payments are not settled on {wanted}", cure=f"Name {first} or another day on which they are.")
    return wanted


def _client_account(conn: sa.Connection) -> str:
    found = list(conn.scalars(sa.select(t.bank_accounts.c.number).where(t.bank_accounts.c.creditor_id.is_(None))))
    if len(found) != 1:
        raise PermanentError(
            f"the hub knows {len(found)} client accounts", cure="Name the account to pay from, as IBAN, with `--account`."
        )
    return str(found[0])


def order_file(hub: Hub, scope: Scope, order: str) -> tuple[ExportedOrder, bytes]:
    """An order by its id or number, with its bytes. Raises `NotThereError`."""
    operator_only(scope)
    with hub.database.read() as conn:
        row = conn.execute(
            sa.select(r.payment_orders).where((r.payment_orders.c.order_id == order) | (r.payment_orders.c.message_ref == order))
        ).first()
        if row is None:
            raise not_there("payment order", order)
        numbers = conn.scalars(
            sa.select(r.remittances.c.number).where(r.remittances.c.order_id == row.order_id).order_by(r.remittances.c.number)
        )
        found = ExportedOrder(
            order_id=row.order_id, message_ref=row.message_ref, name=f"{row.message_ref}.xml", sha256=row.sha256,
            account=row.account, pay_on=row.pay_on, payments=row.payments, remittances=tuple(numbers),
        )  # fmt: skip
    return found, hub.evidence.read(found.sha256)


# --- the bank's answer ----------------------------------------------------------------------------


class AnsweredRemittance(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer did to one remittance."""

    number: str
    state: str
    code: str
    reason: str = ""


def take_answer(hub: Hub, scope: Scope, content: bytes) -> tuple[AnsweredRemittance, ...]:
    """Take a pain.002 message over; the same message again changes nothing.

    Raises `QuarantineError` for a message that cannot be read and `NotThereError` for an order that is not ours.
    """
    operator_only(scope)
    sha256 = hub.evidence.keep(content)
    answer = read_pain002(content)
    with hub.work() as work:
        row = work.conn.execute(
            sa.select(r.payment_orders).where(r.payment_orders.c.message_ref == answer.message_ref)
        ).first()
        if row is None:
            raise not_there("payment order", answer.message_ref)
        mine = rs.locked(work.conn, r.remittances.c.order_id == row.order_id)
        currencies = sorted({one.currency for one in mine})
        batches = {currency: f"{row.message_ref}-{place}" for place, currency in enumerate(currencies, 1)}
        found = [_take(hub, work, one, _said_of(answer, one, batches[one.currency])) for one in mine]
        append_audit(
            work.conn, now=work.now, actor=scope.subject, action="remittance.answered", subject=row.message_ref, detail=sha256
        )
    return tuple(one for one in found if one is not None)


def _said_of(answer: OrderAnswer, one: rs.StoredRemittance, batch_ref: str) -> PaymentAnswer | None:
    """What the bank says to one payment: the most particular word counts."""
    for is_meant in (
        lambda said: said.end_to_end_ref == one.number,
        lambda said: not said.end_to_end_ref and said.batch_ref == batch_ref,
        lambda said: not said.end_to_end_ref and not said.batch_ref,
    ):
        found = [said for said in answer.answers if is_meant(said)]
        if found:
            return found[-1]
    return None


_RANK = {rs.CREATED: 0, rs.EXPORTED: 1, rs.ACCEPTED: 2, rs.PAID: 3}


def _take(
    hub: Hub, work: Work, one: rs.StoredRemittance, said: PaymentAnswer | None
) -> AnsweredRemittance | None:
    if said is None:
        return None
    reason = f"{said.code} {said.reason}".strip()
    if said.answer == "rejected":
        if one.state in rs.LIVE:
            give_back(hub, work, one, rs.REJECTED, reason)
        return AnsweredRemittance(number=one.number, state=rs.REJECTED, code=said.code, reason=said.reason)
    state = {"accepted": rs.ACCEPTED, "paid": rs.PAID}.get(said.answer, one.state)
    if one.state in rs.LIVE and _RANK[state] > _RANK[one.state]:
        paid_on = work.now.date() if state == rs.PAID else None
        rs.change(work.conn, one.remittance_id, state=state, paid_on=paid_on, reason=reason)
        return AnsweredRemittance(number=one.number, state=state, code=said.code, reason=said.reason)
    return AnsweredRemittance(number=one.number, state=one.state, code=said.code, reason=said.reason)


def give_back(hub: Hub, work: Work, one: rs.StoredRemittance, state: str, reason: str) -> None:
    """The payment did not reach the creditor: its money is held again, and a person looks why."""
    item = r.remittance_items
    mine = sa.select(item).where(item.c.remittance_id == one.remittance_id, item.c.is_live).order_by(item.c.case_id)
    by_case: dict[str, list[tuple[int, int, int]]] = {}
    for row in work.conn.execute(mine):
        by_case.setdefault(row.case_id, []).append((row.amount_minor, row.fee_minor, row.vat_minor))
    rs.release_items(work.conn, one.remittance_id)
    for case_id, figures in by_case.items():
        amount, fee, vat = (from_minor(-sum(column), one.currency) for column in zip(*figures, strict=True))
        back = MoneyPassedOn(
            remittance_number=one.number, currency=one.currency, amount=amount, fee=fee, vat=vat,
            rule=f"the bank did not pay remittance {one.number}: {reason}",
        )
        change_case(hub, work, locked_case(work, case_id), [back], actor="hub")
    rs.change(work.conn, one.remittance_id, state=state, reason=reason, paid_on=None)
    open_task(
        work, kind=REJECTED_TASK, title=f"remittance {one.number} of {one.net} {one.currency} was {state} by the bank",
        detail=f"{one.number}: {reason}"[:2000], creditor_id=one.creditor_id,
    )  # fmt: skip
