"""What is owed in a case at the end of a day, and everything that explains it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.charging import Reckoning, reckon
from collecthub.engine.context import Hub
from collecthub.law.allocation.account import ZERO
from collecthub.model.case import RECORDED, Case
from collecthub.model.ledger import Balance, LedgerLine, LineKind, add_lines, sides
from collecthub.store.case_log import read_events, read_lines
from collecthub.store.queries.case_file import Amounts, amounts, read_owned_case
from collecthub.store.queries.scope import Role, Scope


class BookedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger line with the accounts it debits and credits, and what the debtor owed after it."""

    line: LedgerLine
    debit: str
    credit: str
    owed_after: Decimal


class Accrued(msgspec.Struct, frozen=True, kw_only=True):
    """What has grown by law and is in no line of the ledger yet; negative where the ledger holds too much."""

    claim_id: str
    number: str
    interest: Decimal
    compensation: Decimal


class BookAmount(msgspec.Struct, frozen=True, kw_only=True):
    """One step from the principal to what another book should say."""

    what: str
    amount: Decimal


class BalanceAt(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `total` is the ledger's total plus what has accrued; `reckoning.account` comes to the same by itself.

    `later` is what lines dated after the day change in what is owed: a case's own figure counts them already.
    """

    case_id: str
    number: str
    currency: str
    at: dt.date
    total: Decimal
    booked: Amounts
    accrued_total: Decimal
    accrued: tuple[Accrued, ...]
    lines: tuple[BookedLine, ...]
    reckoning: Reckoning
    later: Decimal
    erp: tuple[BookAmount, ...]
    holder: tuple[BookAmount, ...]


def balance_at(hub: Hub, conn: sa.Connection, scope: Scope, case_id: str, at: dt.date) -> BalanceAt:
    """What is owed at the end of a day. Raises `NotThereError`. A partner sees no costs that the creditor bears."""
    case = read_owned_case(conn, scope, case_id)
    is_partner = scope.role is Role.PARTNER
    all_lines = [line for line in read_lines(conn, case_id) if line.bearer == "debtor" or not is_partner]
    lines = [line for line in all_lines if line.booked_on <= at]
    reckoning = reckon(hub, conn, case, at, read_events(conn, case_id))
    accrued = tuple(_accrued(reckoning, lines))
    booked = add_lines(Balance(currency=case.currency), lines)
    later = add_lines(booked, [line for line in all_lines if line.booked_on > at]).total - booked.total
    more = sum((one.interest + one.compensation for one in accrued), ZERO)
    return BalanceAt(
        case_id=case.case_id, number=case.number, currency=case.currency, at=at, total=booked.total + more,
        booked=amounts(msgspec.structs.replace(case, balance=booked), is_partner=is_partner), accrued_total=more,
        accrued=accrued, lines=tuple(_booked(lines)), reckoning=reckoning, later=later, erp=() if is_partner else erp_side(case),
        holder=holder_side(case),
    )  # fmt: skip


def _accrued(reckoning: Reckoning, lines: Iterable[LedgerLine]) -> Iterator[Accrued]:
    fixed: dict[tuple[str, LineKind], Decimal] = {}
    for line in lines:
        if line.kind in (LineKind.INTEREST, LineKind.COMPENSATION):
            fixed[line.claim_id, line.kind] = fixed.get((line.claim_id, line.kind), ZERO) + line.amount
    for claim in reckoning.account.claims:
        interest = claim.interest - fixed.get((claim.claim_id, LineKind.INTEREST), ZERO)
        compensation = claim.compensation - fixed.get((claim.claim_id, LineKind.COMPENSATION), ZERO)
        if interest or compensation:
            yield Accrued(claim_id=claim.claim_id, number=claim.number, interest=interest, compensation=compensation)


def _booked(lines: Iterable[LedgerLine]) -> Iterator[BookedLine]:
    owed = ZERO
    for line in lines:
        debit, credit = sides(line)
        owed += line.amount if debit == "debtor" else -line.amount if credit == "debtor" else ZERO
        yield BookedLine(line=line, debit=debit, credit=credit, owed_after=owed)


def erp_side(case: Case) -> tuple[BookAmount, ...]:
    """From the principal to what the creditor's ERP should show open for the case; the last step is the sum."""
    recorded = sum((amount for ref, amount in case.unmatched if ref.startswith(RECORDED)), ZERO)
    given_up = case.open_in_erp_only - recorded
    steps = (
        ("principal of the claims", case.balance.principal),
        ("credited by the creditor", -case.balance.credits),
        ("written off", -case.balance.write_offs),
        ("paid to the creditor", -case.direct_payments),
        ("passed on by holders and booked in the ERP", -case.remittances_booked),
        ("paid to the creditor, not yet in the ERP", recorded),
        ("written off here, not yet in the ERP", given_up),
    )
    shown = [BookAmount(what=what, amount=amount) for what, amount in steps if amount or what.startswith("principal")]
    return (*shown, BookAmount(what="the ERP should show open", amount=sum((step.amount for step in shown), ZERO)))


def holder_side(case: Case) -> tuple[BookAmount, ...]:
    """What the holder was last told to collect; nothing while nobody holds the case."""
    placement = case.placement
    if placement is None or placement.sent_at is None:
        return ()
    return (
        BookAmount(what="principal to ask for", amount=case.demanded),
        BookAmount(what="principal that the holder was last told", amount=placement.told_principal),
        BookAmount(what="received by holders, less what was given back", amount=case.balance.payments - case.direct_payments),
    )
