"""Which order governs: the contract's, the country pack's, else the general one, marked as such."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from collecthub.errors import PermanentError
from collecthub.law.basis import Evidence, Matter, rule_on
from collecthub.law.rules import AllocationRule, CountryLaw, Part

PRINCIPAL_FIRST = "principal_first"
Agreed = Literal["", "principal_first"]

_USUAL = (Part.COSTS, Part.INTEREST, Part.PRINCIPAL)
GENERAL = AllocationRule(
    id="general.allocation", title="Costs, then interest, then principal", evidence=Evidence.UNKNOWN, order=_USUAL,
    note="no rule on allocation is stored for this country: counted as most laws have it",
)  # fmt: skip
_CONTRACT = AllocationRule(
    id="contract.principal_first", title="Principal first, as agreed", evidence=Evidence.UNKNOWN, source="the contract",
    order=(Part.PRINCIPAL, Part.INTEREST, Part.COSTS),
    note="the order of the contract; whether it is lawful is not checked here",
)  # fmt: skip
_AGREED = {PRINCIPAL_FIRST: _CONTRACT}


def order_for(law: CountryLaw | None, matter: Matter, day: dt.date, agreed: str = "") -> AllocationRule:
    """The order in which a payment of a day settles what is owed.

    Raises `PermanentError` for an agreement that is not known.
    """
    if agreed:
        if agreed not in _AGREED:
            raise PermanentError(
                f"the order {agreed[:40]!r} is not known", cure=f"Choose {PRINCIPAL_FIRST}, or none for the law's order."
            )
        return _AGREED[agreed]
    return (rule_on(law.allocation, matter, day) if law else None) or GENERAL


def parts_in_order(rule: AllocationRule) -> tuple[Part, ...]:
    """Every part once: compensation stands with the costs that it stands for, unless the rule names it.

    >>> [part.value for part in parts_in_order(GENERAL)]
    ['costs', 'compensation', 'interest', 'principal']
    """
    named = set(rule.order)
    found = []
    for part in rule.order:
        found.append(part)
        if part is Part.COSTS and Part.COMPENSATION not in named:
            found.append(Part.COMPENSATION)
    return tuple(found)
