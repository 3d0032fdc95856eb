"""The client account, watched: our own debits find their remittance, what moved is explained, both sides are compared.

The comparison runs after every day by the clock and on demand; a difference is a task until it is gone.
"""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.engine.case_work import close_tasks, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.direct_fees import charge_direct_fees
from collecthub.engine.payment_orders import give_back
from collecthub.engine.remitting import operator_only
from collecthub.engine.transfers import settle_transfers
from collecthub.errors import PermanentError
from collecthub.model.client_money import ClientMoney
from collecthub.store import payments as p
from collecthub.store import remittance_tables as r
from collecthub.store import remittances as rs
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.facts import read_fact, write_fact
from collecthub.store.queries.client_money import REASONS, client_money
from collecthub.store.queries.scope import LOCAL_OPERATOR, Scope, not_there

TASK, _CHECKED = "client_money", "client_money_checked_on"


def see_debits(hub: Hub) -> int:
    """Remittances that the bank debited are paid; those whose money came back are held again. Returns how many changed.

    They are known by the end-to-end reference that the order carried and the statement repeats.
    """
    with hub.database.read() as conn:
        exported = sa.select(r.remittances.c.number).where(r.remittances.c.order_id.is_not(None)).limit(1)
        if conn.scalar(exported) is None:  # look before writing
            return 0
    changed = 0
    with hub.work() as work:
        is_out = r.remittances.c.state.in_(rs.LIVE) & r.remittances.c.order_id.is_not(None)
        mine = {one.number: one for one in rs.locked(work.conn, is_out)}
        for payment in _outgoing(work.conn):
            one = mine.get(payment.transaction.end_to_end_ref)
            if one is None or abs(payment.transaction.amount) != one.net or payment.currency != one.currency:
                continue
            p.settle(work.conn, [{"of_payment": payment.payment_id, "decided_by": "hub", "decided_at": work.now}])
            changed += 1
            if payment.amount_minor < 0:
                rs.change(work.conn, one.remittance_id, state=rs.PAID, paid_on=payment.booked_on, debited_on=payment.booked_on)
            else:
                give_back(hub, work, one, rs.RETURNED, payment.transaction.return_reason or "the money came back")
    return changed


def _outgoing(conn: sa.Connection) -> list[p.StoredPayment]:
    """Own payments on client accounts that nobody looked at yet, in the order in which they were booked."""
    query = sa.select(t.payments).where(
        t.payments.c.creditor_id.is_(None), t.payments.c.state == p.OUTGOING, t.payments.c.decided_at.is_(None)
    )
    return [p.stored(row) for row in conn.execute(query.order_by(t.payments.c.booked_on, t.payments.c.amount_minor))]


def explain_movement(work: Work, scope: Scope, payment_id: str, reason: str, *, note: str = "") -> None:
    """Say why money moved on the client account: `operator` (his own: fees taken out, bank charges, money put in),
    `cash` (receipts were paid in) or `card` (the card company settled). A debtor's payment is not explained so."""
    operator_only(scope)
    if reason not in REASONS:
        raise PermanentError(f"{reason[:20]!r} is no reason", cure=f"Say one of {', '.join(REASONS)}.")
    row = work.conn.execute(
        sa.select(t.payments).where(t.payments.c.payment_id == payment_id, t.payments.c.creditor_id.is_(None)).with_for_update()
    ).first()
    if row is None:
        raise not_there("movement on a client account", payment_id)
    is_remittance = row.state == p.OUTGOING and row.decided_by == "hub"
    if is_remittance or row.state not in (p.NEW, p.OPEN, p.SET_ASIDE, p.OUTGOING):
        state = "a remittance" if is_remittance else row.state
        raise PermanentError(f"the movement is {state} and so explained", cure="It needs nothing more.")
    booked = sa.select(t.payment_bookings.c.case_id).where(
        t.payment_bookings.c.payment_id == payment_id, t.payment_bookings.c.undone_by.is_(None)
    )
    if work.conn.scalar(booked.limit(1)) is not None:
        raise PermanentError("a part of the movement was given to a case", cure="It is a debtor's money; nothing to explain.")
    work.conn.execute(sa.delete(r.movement_reasons).where(r.movement_reasons.c.payment_id == payment_id))
    work.conn.execute(
        sa.insert(r.movement_reasons).values(
            payment_id=payment_id, reason=reason, note=note, said_by=scope.subject, said_at=work.now
        )
    )
    state = p.OUTGOING if row.state == p.OUTGOING else p.SET_ASIDE
    settled = {"of_payment": payment_id, "state": state, "note": note or reason, "decided_by": scope.subject, "decided_at": work.now}
    p.settle(work.conn, [settled])
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action="client_money.explained", subject=payment_id, detail=reason
    )


def check_client_money(hub: Hub) -> tuple[ClientMoney, ...]:
    """Compare both sides today. What does not agree is a task, which is done when it agrees again."""
    today = hub.business_date()
    with hub.database.read() as conn:
        found = client_money(conn, today)
    with hub.work() as work:
        for one in found:
            detail = one.currency
            if one.findings:
                open_task(work, kind=TASK, title=f"client money in {one.currency}: {one.findings[-1]}", detail=detail)
            else:
                close_tasks(work, done_by="hub", kind=TASK, detail=detail)
    return found


def watch_client_money(hub: Hub) -> None:
    """The clock's part, once on every business day: transfers that arrived, fees that are due, and both sides compared."""
    today = hub.business_date().isoformat()
    with hub.database.read() as conn:
        if read_fact(conn, _CHECKED) == today:
            return
    settle_transfers(hub)
    see_debits(hub)
    charge_direct_fees(hub, LOCAL_OPERATOR)
    check_client_money(hub)
    with hub.database.write() as conn:
        write_fact(conn, _CHECKED, today)
