"""Money that names a debtor's one reference: it is divided over all his cases at once, without anybody."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import sqlalchemy as sa

from collecthub.corridor.match import clues_of
from collecthub.engine.case_work import locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.payment_booking import book
from collecthub.errors import PermanentError
from collecthub.model.spread import spread
from collecthub.store import human_tables as h
from collecthub.store import payments as p
from collecthub.store import tables as t
from collecthub.store.queries.debtors import one_debtor, only_operator, owed_in
from collecthub.store.queries.scope import Role, Scope

PAYMENTS_AT_ONCE = 500
_HUB = Scope(role=Role.OPERATOR, subject="hub")


def settle_joint(hub: Hub) -> int:
    """Divide what came in under such references; returns how many payments. What does not fit waits for a person."""
    settled, after = 0, ""
    while True:
        with hub.database.read() as conn:
            chunk = p.waiting(conn, None, p.NEW, after, PAYMENTS_AT_ONCE)
            found = [(one.payment_id, identity_id) for one in chunk if (identity_id := _named(conn, one))]
        for payment_id, identity_id in found:
            try:
                with hub.work() as work:
                    assign_to_all(hub, work, _HUB, payment_id, identity_id)
            except PermanentError:
                continue  # more than is owed, or no open case: a person sees it with the others
            settled += 1
        if len(chunk) < PAYMENTS_AT_ONCE:
            return settled
        after = chunk[-1].payment_id


def _named(conn: sa.Connection, payment: p.StoredPayment) -> str:
    clues = clues_of(payment.transaction)
    if not clues.ogm and not clues.case_numbers:
        return ""
    names = h.identities.c.ogm.in_(clues.ogm) | h.identities.c.number.in_(clues.case_numbers)
    found = list(conn.scalars(sa.select(h.identities.c.identity_id).where(names).limit(2)))
    return found[0] if len(found) == 1 else ""


def assign_to_all(hub: Hub, work: Work, scope: Scope, payment_id: str, identity_id: str) -> Mapping[str, Decimal]:
    """A payment on the operator's own account, divided over the debtor's cases by the stored rule. Returns the parts.

    Raises `PermanentError` for money on a creditor's account, for a settled payment, and for more than is owed in all.
    """
    only_operator(scope, identity_id)
    row = work.conn.execute(sa.select(t.payments).where(t.payments.c.payment_id == payment_id).with_for_update()).first()
    if row is None or row.creditor_id is not None or row.state not in (p.NEW, p.OPEN):
        raise PermanentError(
            "this payment is not on the operator's own account, or it is settled",
            cure="A creditor's account takes what is his alone; read the list of payments again.",
        )
    payment = p.stored(row)
    view = one_debtor(work.conn, scope, identity_id)
    parts = spread(payment.transaction.amount, owed_in(view, row.currency), view.spread, row.currency)
    for case_id, part in parts.items():
        book(hub, work, payment, locked_case(work, case_id), part, actor=scope.subject)
    first = next(iter(parts))
    settled = {"note": f"divided over {len(parts)} cases, {view.spread.value}", "decided_by": scope.subject}
    p.settle(
        work.conn, [{"of_payment": payment_id, "state": p.BOOKED, "case_id": first, "decided_at": work.now, **settled}]
    )
    return parts
