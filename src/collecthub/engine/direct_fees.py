"""Fees on what debtors pay to their creditors themselves while the operator collects, where the contract says so.

Nothing of that money passes through the client account, so the fee is a line to invoice. What counts is what a case was
paid in all, less what came through the operator or a partner: money that is reversed takes its fee back by itself.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.remitting import fee_for, operator_only
from collecthub.errors import PermanentError
from collecthub.model.contract import Contract, Side, in_force
from collecthub.model.facts_remittance import FeeCharged
from collecthub.model.ledger import LineKind
from collecthub.store import held_money as h
from collecthub.store import remittance_tables as r
from collecthub.store import remittances as rs
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor, to_minor
from collecthub.store.contracts import versions_of
from collecthub.store.queries.scope import Scope

TASK = "direct_fee"


class ChargedFee(msgspec.Struct, frozen=True, kw_only=True):
    """A fee that was charged on money paid to the creditor himself; below zero when that money went back."""

    case_id: str
    creditor_id: str
    fee: FeeCharged


def charge_direct_fees(hub: Hub, scope: Scope, *, creditor_id: str = "") -> tuple[ChargedFee, ...]:
    """Charge what is due and not charged yet; run again, it charges nothing twice. What no contract decides is a task."""
    operator_only(scope)
    found: list[ChargedFee] = []
    for of in _creditors(hub, creditor_id):
        with hub.database.read() as conn:
            versions, due = versions_of(conn, Side.CREDITOR, of), _uncharged(conn, of)
        for case_id in due:
            with hub.work() as work:
                charged = _charge(hub, work, versions, case_id)
            found += [charged] if charged is not None else []
    return tuple(found)


def _creditors(hub: Hub, creditor_id: str) -> list[str]:
    """Those with a contract by which direct payments count, in some version of it."""
    with hub.database.read() as conn:
        sides = sa.select(r.contracts.c.party_id).where(r.contracts.c.side == Side.CREDITOR.value).distinct()
        ids = [creditor_id] if creditor_id else sorted(conn.scalars(sides))
        return [of for of in ids if any(one.terms.on_direct_payments for one in versions_of(conn, Side.CREDITOR, of))]


# --- what the creditor was paid himself -----------------------------------------------------------


def _uncharged(conn: sa.Connection, creditor_id: str, case_id: str = "") -> dict[str, int]:
    """Minor units by case that the creditor was paid himself and that no fee is charged on yet."""
    found: Counter[str] = Counter()
    for sign, query in _parts(creditor_id):
        rows = query.subquery()
        summed = sa.select(rows.c.case_id, sa.func.sum(rows.c.amount_minor)).group_by(rows.c.case_id)
        for of, amount in conn.execute(summed.where(rows.c.case_id == case_id) if case_id else summed):
            found[of] += sign * int(amount)
    return {of: amount for of, amount in sorted(found.items()) if amount}


def _parts(creditor_id: str) -> Iterator[tuple[int, sa.Select[tuple[str, int]]]]:
    """Everything a case was paid, apart from the holder's reports; less what came through the client account and the till."""
    line, receipt = t.ledger_lines, r.receipts
    yield 1, sa.select(line.c.case_id, line.c.amount_minor).where(
        line.c.creditor_id == creditor_id, line.c.kind == LineKind.PAYMENT.value, line.c.origin != "partner"
    )
    for is_undone, sign in ((False, -1), (True, 1)):
        held = h.bookings_on_client_account(is_undone=is_undone).subquery()
        is_partners = sa.exists().where(
            line.c.case_id == held.c.case_id, line.c.seq == held.c.seq, line.c.origin == "partner"
        )
        yield sign, sa.select(held.c.case_id, held.c.amount_minor).where(held.c.creditor_id == creditor_id, ~is_partners)
    yield -1, sa.select(receipt.c.case_id, receipt.c.amount_minor).where(
        receipt.c.creditor_id == creditor_id, receipt.c.reversed_on.is_(None)
    )
    yield -1, sa.select(r.direct_fees.c.case_id, r.direct_fees.c.amount_minor).where(r.direct_fees.c.creditor_id == creditor_id)


def _last_paid(conn: sa.Connection, case_id: str) -> tuple[int, dt.date]:
    """The newest payment in a case that no holder reported: its event and its day."""
    line = t.ledger_lines
    query = sa.select(line.c.seq, line.c.booked_on).where(
        line.c.case_id == case_id, line.c.kind == LineKind.PAYMENT.value, line.c.origin != "partner"
    )
    row = conn.execute(query.order_by(line.c.seq.desc()).limit(1)).one()
    return row.seq, row.booked_on


# --- charging -------------------------------------------------------------------------------------


def _charge(hub: Hub, work: Work, versions: list[Contract], case_id: str) -> ChargedFee | None:
    case = locked_case(work, case_id)
    minor = _uncharged(work.conn, case.creditor_id, case_id).get(case_id, 0)
    if not minor:  # somebody was quicker
        return None
    seq, paid_on = _last_paid(work.conn, case_id)
    contract = in_force(versions, paid_on)
    if contract is None or not contract.terms.on_direct_payments:
        return None
    before = rs.fees_before(work.conn, [case_id], case.currency).get(case_id, rs.NO_FEES)
    try:
        fee = fee_for(contract, case, case.currency, from_minor(minor, case.currency), before)
    except PermanentError as error:
        open_task(
            work, kind=TASK, title=f"the fee on a payment to {case.number}'s creditor is not known", detail=error.message[:2000],
            creditor_id=case.creditor_id, case_id=case_id,
        )  # fmt: skip
        return None
    close_tasks(work, done_by="hub", kind=TASK, case_id=case_id)
    rule = f"paid to the creditor himself: {fee.rule}"
    fact = FeeCharged(of_seq=seq, reference=f"direct-{seq}", currency=case.currency, fee=fee.amount, vat=fee.vat, rule=rule)
    charged = change_case(hub, work, case, [fact], actor="hub")
    work.conn.execute(
        sa.insert(r.direct_fees).values(
            case_id=case_id, seq=charged.version, creditor_id=case.creditor_id, amount_minor=minor,
            percent_minor=to_minor(fee.by_percent, case.currency), fee_minor=to_minor(fee.amount, case.currency),
            vat_minor=to_minor(fee.vat, case.currency), contract_id=fee.contract_id, charged_on=hub.business_date(),
        )
    )
    return ChargedFee(case_id=case_id, creditor_id=case.creditor_id, fee=fact)
