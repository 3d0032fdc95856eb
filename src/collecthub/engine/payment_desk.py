"""What people do with payments that the hub is not sure of: give them to a case, undo by a return, set them aside.

Every function works inside the caller's transaction and names the `scope` of whoever asks; a payment on somebody
else's account does not exist. A settled payment is never settled again.
"""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from collecthub.engine.case_clues import known_money
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for
from collecthub.engine.matching import undo_payment
from collecthub.engine.payment_booking import book, tie
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.money import round_amount
from collecthub.store import payments as p
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.queries.payments import visible
from collecthub.store.queries.scope import Scope, not_there


class SettledError(PermanentError):
    """Somebody, or the hub, settled the payment since the person looked at it."""


def assign_payment(
    hub: Hub, work: Work, scope: Scope, payment_id: str, case_id: str, *, amount: Decimal | None = None, same_as: str = "",
    invoice: str = "",
) -> Case:  # fmt: skip
    """Give a payment, or a part of it, to a case, and there to an invoice before the others.

    `same_as` names the money that the case knows already (`known_ref` of a proposal): then nothing is booked again.
    """
    payment = _payment(work, scope, payment_id, p.NEW, p.OPEN, p.SET_ASIDE)
    case = case_for(work, scope, case_id)
    left = _remaining(work, payment)
    part = left if amount is None else amount
    _check(payment, case, part, left)
    if same_as:
        _tie_known(work, payment, case, part, same_as)
    else:
        if not case.is_open:
            raise PermanentError(
                f"case {case.number} is closed", cure="Choose another case, or set the payment aside and say why."
            )
        if part > case.balance.total:
            raise PermanentError(
                f"only {case.balance.total} {case.currency} is owed in case {case.number}",
                cure="Give the case its part with an amount; the rest can go to another case or be set aside.",
            )
        case = book(hub, work, payment, case, part, actor=scope.subject, invoice=invoice)
    state = p.OPEN if part < left else p.KNOWN if same_as else p.BOOKED
    _decide(work, scope, payment, state, case_id=case.case_id)
    return case


def _check(payment: p.StoredPayment, case: Case, part: Decimal, left: Decimal) -> None:
    if payment.creditor_id is not None and case.creditor_id != payment.creditor_id:
        raise PermanentError(
            f"case {case.number} belongs to another creditor than the account", cure="Choose a case of that creditor."
        )
    if payment.currency != case.currency:
        raise PermanentError(
            f"the payment is in {payment.currency}, case {case.number} in {case.currency}",
            cure="Set the payment aside; what it is in the case's currency comes with the bank's conversion.",
        )
    if part <= 0 or part > left or part != round_amount(part, payment.currency):
        raise PermanentError(
            f"{part} {payment.currency} is not a part of the {left} {payment.currency} that are left",
            cure="Enter a positive amount that is not more than what is left.",
        )


def _tie_known(work: Work, payment: p.StoredPayment, case: Case, part: Decimal, same_as: str) -> None:
    known = known_money(work.conn, [case.case_id]).get(case.case_id, ())
    found = next((one for one in known if one.ref == same_as), None)
    if found is None or found.amount != part:
        raise PermanentError(
            f"case {case.number} knows no payment {same_as[:20]!r} of {part} {payment.currency}",
            cure="Read the payment again and choose from its proposals.",
        )
    tie(work, payment, case, int(same_as))


def undo_by_return(hub: Hub, work: Work, scope: Scope, payment_id: str, original_id: str) -> None:
    """Say which payment a return undoes."""
    returned = _payment(work, scope, payment_id, p.RETURN)
    original = _payment(work, scope, original_id, p.NEW, p.OPEN, p.BOOKED, p.KNOWN, p.SET_ASIDE)
    if original.account_id != returned.account_id or original.amount_minor != -returned.amount_minor:
        raise PermanentError(
            "the return is of another account or amount than that payment", cure="Choose the payment that it undoes."
        )
    undo_payment(hub, work, original, returned, actor=scope.subject)


def set_aside(work: Work, scope: Scope, payment_id: str, *, note: str) -> None:
    """The payment, or what is left of it, is no debtor's of ours; the note says whose or why."""
    payment = _payment(work, scope, payment_id, p.NEW, p.OPEN, p.RETURN)
    if not note.strip():
        raise PermanentError("nobody said why the payment is set aside", cure="Add a note.")
    _decide(work, scope, payment, p.SET_ASIDE, note=note)


def _payment(work: Work, scope: Scope, payment_id: str, *states: str) -> p.StoredPayment:
    """The payment, locked. Raises `NotThereError` or `SettledError`."""
    query = sa.select(t.payments).where(
        t.payments.c.payment_id == payment_id, visible(scope, t.payments.c.creditor_id)
    )
    row = work.conn.execute(query.with_for_update()).first()
    if row is None:
        raise not_there("payment", payment_id)
    if row.state not in states:
        raise SettledError(
            f"payment {payment_id} is {row.state.replace('_', ' ')}", cure="Read the list of payments again.",
            reference=payment_id,
        )
    return p.stored(row)


def _remaining(work: Work, payment: p.StoredPayment) -> Decimal:
    query = sa.select(sa.func.coalesce(sa.func.sum(t.payment_bookings.c.amount_minor), 0)).where(
        t.payment_bookings.c.payment_id == payment.payment_id, t.payment_bookings.c.undone_by.is_(None)
    )
    return from_minor(payment.amount_minor - int(work.conn.scalar(query) or 0), payment.currency)


def _decide(
    work: Work, scope: Scope, payment: p.StoredPayment, state: str, *, note: str = "", case_id: str | None = None
) -> None:
    row: dict[str, object] = {
        "of_payment": payment.payment_id, "state": state, "note": note, "case_id": case_id or payment.case_id,
        "decided_by": scope.subject, "decided_at": work.now,
    }
    p.settle(work.conn, [row])
