"""What the operator does for one debtor with several creditors: one capacity, one plan, one payment over all his cases.

Each case keeps its own part of the plan and of the money, in words that name no other creditor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import record_payment
from collecthub.engine.plan_desk import agree_plan, propose_plan
from collecthub.errors import PermanentError
from collecthub.model.money import round_amount
from collecthub.model.plan import PlanState, instalments_for
from collecthub.model.spread import SpreadRule, spread
from collecthub.store import human_tables as h
from collecthub.store.case_log import to_minor
from collecthub.store.queries.debtors import OneDebtor, one_debtor, owed_in
from collecthub.store.queries.scope import Scope


def set_capacity(work: Work, scope: Scope, identity_id: str, *, amount: Decimal, currency: str) -> OneDebtor:
    """What the debtor can pay in a month to everybody together, as he said or somebody found."""
    view = one_debtor(work.conn, scope, identity_id)
    if amount < 0 or amount != round_amount(amount, currency):
        raise PermanentError(f"{amount} {currency} is no monthly capacity", cure="Enter nought or more.")
    return _change(work, scope, view, capacity_minor=to_minor(amount, currency), currency=currency, capacity_on=work.now.date())


def set_spread(work: Work, scope: Scope, identity_id: str, rule: SpreadRule) -> OneDebtor:
    """How one payment of his is divided over his cases from now on."""
    return _change(work, scope, one_debtor(work.conn, scope, identity_id), spread=rule.value)


def _change(work: Work, scope: Scope, view: OneDebtor, **values: object) -> OneDebtor:
    work.conn.execute(sa.update(h.identities).where(h.identities.c.identity_id == view.identity_id).values(values))
    return one_debtor(work.conn, scope, view.identity_id)


def propose_for_all(
    hub: Hub, work: Work, scope: Scope, identity_id: str, *, currency: str, count: int | None = None,
    first_on: dt.date | None = None, by_debtor: bool = False,
) -> tuple[str, ...]:
    """One plan over all his open cases: the same months in each, every case its own part. Returns the cases.

    Without `count` his capacity says how many months. Raises `PermanentError` when nobody knows it, or a plan runs already.
    """  # fmt: skip
    view = one_debtor(work.conn, scope, identity_id)
    owed = owed_in(view, currency)
    if not owed:
        raise PermanentError(f"nothing is owed in {currency}", cure="Choose another currency.")
    if count is None and (view.capacity is None or view.currency != currency):
        raise PermanentError(
            f"nobody knows what the debtor can pay in {currency} in a month", cure="Enter his capacity, or the months."
        )
    months = count or instalments_for(sum((one.amount for one in owed), Decimal(0)), view.capacity or Decimal(0))
    for one in owed:
        propose_plan(hub, work, scope, one.case_id, count=months, first_on=first_on, by_debtor=by_debtor)
    return tuple(one.case_id for one in owed)


def agree_for_all(hub: Hub, work: Work, scope: Scope, identity_id: str, *, reason: str = "") -> tuple[str, ...]:
    """Every proposed part holds from now on, or none does."""
    view = one_debtor(work.conn, scope, identity_id)
    waiting = [one.case_id for one in view.cases if one.plan == PlanState.PROPOSED.value and one.owed > 0]
    if not waiting:
        raise PermanentError("no plan of this debtor waits for a yes", cure="Propose one first.")
    for case_id in waiting:
        agree_plan(hub, work, scope, case_id, reason=reason)
    return tuple(waiting)


def pay_for_all(
    hub: Hub, work: Work, scope: Scope, identity_id: str, *, amount: Decimal, currency: str, paid_on: dt.date, note: str = ""
) -> Mapping[str, Decimal]:
    """One payment over his cases by the stored rule, to the cent. Returns the parts by case."""
    view = one_debtor(work.conn, scope, identity_id)
    parts = spread(amount, owed_in(view, currency), view.spread, currency)
    for case_id, part in parts.items():
        record_payment(hub, work, scope, case_id, amount=part, paid_on=paid_on, note=note)
    return parts
