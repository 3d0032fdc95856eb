"""What a holder is told beside the principal: by which rule each claim bears interest, and the account on the day.

Only a creditor whose charges are booked asks for them through a holder. The figures are those of the account
(`collecthub.engine.charging`), so that the holder's sum and ours are one, part by part.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from collecthub.engine.charging import Reckoning, reckon
from collecthub.engine.context import Hub
from collecthub.law.allocation.account import ZERO, ClaimAccount
from collecthub.model.case import Case
from collecthub.model.charging import Charging
from collecthub.model.event import CaseEvent
from collecthub.model.exchange import CaseAmendment, CaseFile, ClaimItem, InterestTerm, Totals
from collecthub.store.connections import read_creditor

DAYS = "actual/365"  # the convention of `collecthub.law.interest`
Told = TypeVar("Told", CaseFile, CaseAmendment)


def with_account(hub: Hub, conn: sa.Connection, case: Case, message: Told, on: dt.date) -> Told:
    """The message with interest terms on its claims, and a case file with its totals; as it was where nothing is charged."""
    creditor = read_creditor(conn, case.creditor_id)
    if creditor is None or creditor.playbook.charges.charging is not Charging.BOOKED:
        return message
    found = reckon(hub, conn, case, on)
    claims = _with_terms(message.claims, {claim.claim_id: claim for claim in found.account.claims})
    if isinstance(message, CaseFile):
        return msgspec.structs.replace(message, claims=claims, totals=totals(case, found, on))
    return msgspec.structs.replace(message, claims=claims)


def grown(hub: Hub, conn: sa.Connection, case: Case, on: dt.date, history: Sequence[CaseEvent]) -> tuple[Decimal, Decimal]:
    """Interest and surcharges that a holder was told to ask, as they stand on a day; nothing where nothing is charged."""
    creditor = read_creditor(conn, case.creditor_id)
    if creditor is None or creditor.playbook.charges.charging is not Charging.BOOKED:
        return ZERO, ZERO
    told = totals(case, reckon(hub, conn, case, on, history), on)
    return told.interest, told.surcharges


def _with_terms(items: Iterable[ClaimItem], known: Mapping[str, ClaimAccount]) -> tuple[ClaimItem, ...]:
    return tuple(
        msgspec.structs.replace(item, interest=_terms(known[item.claim_id])) if item.claim_id in known else item for item in items
    )


def _terms(claim: ClaimAccount) -> tuple[InterestTerm, ...]:
    """How the claim goes on growing: the rate of the last days that are known, on what is open of it."""
    late = claim.late
    if late is None or not late.segments or claim.open_principal <= 0:
        return ()
    last = late.segments[-1]
    return (
        InterestTerm(
            base_amount=claim.open_principal, rate_percent=last.rate_percent, method=DAYS, from_on=late.start_on,
            accrued_amount=claim.open_interest, legal_basis=last.rule,
        ),
    )  # fmt: skip


def totals(case: Case, found: Reckoning, on: dt.date) -> Totals:
    """The account of a case on a day, in the parts of a statement of claim."""
    balance, account = case.balance, found.account
    interest = sum((claim.interest for claim in account.claims), ZERO)
    surcharges = sum((claim.compensation for claim in account.claims), ZERO) + balance.dunning_fees
    received = balance.payments + balance.credits + balance.write_offs
    withheld = case.objections.withheld(balance.credits + balance.write_offs)
    grown = balance.principal + interest + surcharges + balance.costs
    return Totals(
        as_of_on=on, principal=balance.principal, interest=interest, surcharges=surcharges, enforcement_costs=balance.costs,
        received=received, withheld=withheld, total=grown - received - withheld,
    )  # fmt: skip
