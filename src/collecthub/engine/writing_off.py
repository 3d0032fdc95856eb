"""A person gives up what is owed, or a part of it, for a reason that is kept."""

from __future__ import annotations

from decimal import Decimal

from collecthub.engine.case_work import change_case
from collecthub.engine.charging import fixed_charges, reckon
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for
from collecthub.engine.payment_booking import portions
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.event import Fact
from collecthub.model.facts_money import WrittenOff
from collecthub.model.money import round_amount
from collecthub.store.queries.scope import Scope


def write_off(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, reason: str, amount: Decimal | None = None,
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Write off an amount, or everything that is owed today, charges included.

    It settles in the order of the law. Whoever holds the case hears the new balance, or a recall when nothing is left;
    a case that nobody holds ends then. Raises `PermanentError` for an amount that cannot be, or more than is owed.
    """
    case = case_for(work, scope, case_id, expected_version)
    if not case.is_open:
        raise PermanentError(f"case {case.number} is closed", cure="There is nothing to write off in it.")
    if not reason.strip():
        raise PermanentError("nobody said why it is written off", cure="Give a reason; it is kept in the history.")
    found = reckon(hub, work.conn, case, work.now.date()).account
    given_up = found.total if amount is None else amount
    if given_up <= 0 or given_up != round_amount(given_up, case.currency):
        raise PermanentError(
            f"{given_up} {case.currency} cannot be written off", cure="Enter a positive amount in the currency's decimals."
        )
    if given_up > found.total:
        raise PermanentError(f"only {found.total} {case.currency} is owed in case {case.number}", cure="Enter that at most.")
    fixed = fixed_charges(case, found, "write_off") if given_up > case.balance.total else None
    facts: list[Fact] = [fixed] if fixed else []
    facts += [WrittenOff(amount=part, reason=reason.strip()) for part in portions(case, given_up)]
    return change_case(hub, work, case, facts, actor=scope.subject)
