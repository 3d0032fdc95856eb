"""Remittances are made of what is held: one per creditor and currency, net of the agreed fees, each amount once.

The unique index on live items is the guard: two runs at the same moment cannot both contain one payment.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.errors import PermanentError, RetryableError
from collecthub.formats.bank.pain001 import checked_iban
from collecthub.model.case import Case
from collecthub.model.contract import Contract, Side, in_force
from collecthub.model.facts_remittance import MoneyPassedOn
from collecthub.model.fee import ZERO, Fee, FeesBefore, facts_of, fee_on
from collecthub.model.ids import new_id
from collecthub.model.money import round_amount
from collecthub.store import held_money as h
from collecthub.store import remittance_tables as r
from collecthub.store import remittances as rs
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor, read_cases, to_minor
from collecthub.store.connections import Playbook
from collecthub.store.contracts import versions_of
from collecthub.store.queries.scope import Role, Scope
from collecthub.wire.decoders import decoder

TASK = "remittance"


class NotRemitted(msgspec.Struct, frozen=True, kw_only=True):
    """Money that stays where it is, and why."""

    creditor_id: str
    currency: str
    held: Decimal
    reason: str
    cure: str


class RemittanceRun(msgspec.Struct, frozen=True, kw_only=True):
    """What one run made, and what it left and why."""

    made: tuple[rs.StoredRemittance, ...] = ()
    left: tuple[NotRemitted, ...] = ()


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    item: h.HeldMoney
    amount: Decimal
    fee: Fee
    is_withheld: bool


def operator_only(scope: Scope) -> None:
    """Raise `PermanentError` for whoever does not hold the money."""
    if scope.role is not Role.OPERATOR:
        raise PermanentError("only the operator pays money out", cure="Ask the operator.")


def create_remittances(hub: Hub, scope: Scope, *, creditor_id: str = "", until: dt.date | None = None) -> RemittanceRun:
    """Make remittances of everything held that came in until a day (today without one). Run again, it makes nothing twice."""
    operator_only(scope)
    until = until or hub.business_date()
    with hub.database.read() as conn:
        keys = sorted(h.sums_by_creditor(h.held_money(conn, until, creditor_id or None)))
    made: list[rs.StoredRemittance] = []
    left: list[NotRemitted] = []
    for of, currency in keys:
        try:
            with hub.work() as work:
                found = _remit(hub, work, scope, of, currency, until)
        except sa.exc.IntegrityError as error:
            raise RetryableError(
                "another run made remittances of the same money at this moment", cure="Run it again; nothing was made twice.",
                retry_after_seconds=0,
            ) from error
        if isinstance(found, NotRemitted):
            left.append(found)
        elif found is not None:
            made.append(found)
    return RemittanceRun(made=tuple(made), left=tuple(left))


def _remit(
    hub: Hub, work: Work, scope: Scope, creditor_id: str, currency: str, until: dt.date
) -> rs.StoredRemittance | NotRemitted | None:
    # The creditor's row is the lock: two runs for one creditor come one after the other.
    creditor = work.conn.execute(
        sa.select(t.creditors).where(t.creditors.c.creditor_id == creditor_id).with_for_update()
    ).one()
    items = [one for one in h.held_money(work.conn, until, creditor_id) if one.currency == currency]
    held = from_minor(sum(one.amount_minor for one in items), currency)
    if held <= 0:  # more went back than came in: the next payments settle it
        return None
    playbook = decoder(Playbook).decode(creditor.playbook) if creditor.playbook else Playbook()
    try:
        account = checked_iban(playbook.payment_account)
        lines = _with_fees(work.conn, creditor_id, items)
    except PermanentError as error:
        open_task(
            work, kind=TASK, title=f"money of {creditor.name} cannot be passed on", detail=error.message[:2000],
            creditor_id=creditor_id,
        )
        return NotRemitted(creditor_id=creditor_id, currency=currency, held=held, reason=error.message, cure=error.cure)
    kept = [line.fee for line in lines if line.is_withheld]
    fee = round_amount(sum((one.amount for one in kept), ZERO), currency)
    vat = round_amount(sum((one.vat for one in kept), ZERO), currency)
    if held - fee - vat <= 0:
        reason = f"the fees of {fee + vat} {currency} leave nothing of the {held} {currency} to pay"
        return NotRemitted(creditor_id=creditor_id, currency=currency, held=held, reason=reason, cure="It waits for the next payment.")
    close_tasks(work, done_by="hub", kind=TASK, creditor_id=creditor_id)
    made = rs.StoredRemittance(
        remittance_id=new_id(), number=rs.next_number(work.conn, "RM", work.now.year), creditor_id=creditor_id,
        currency=currency, state=rs.CREATED, gross=held, fee=fee, vat=vat, net=held - fee - vat, account=account,
        payee=creditor.name, order_id=None, reason="", made_on=hub.business_date(), paid_on=None,
    )  # fmt: skip
    _write(work, scope, made, lines)
    _tell_cases(hub, work, made, lines)
    return made


def _tell_cases(hub: Hub, work: Work, made: rs.StoredRemittance, lines: Sequence[_Line]) -> None:
    """Every case learns what of its money was passed on, and what stayed."""
    by_case: dict[str, list[_Line]] = defaultdict(list)
    for line in lines:
        by_case[line.item.case_id].append(line)
    work.hold(by_case)
    for case_id, of_case in by_case.items():
        fact = MoneyPassedOn(
            remittance_number=made.number, currency=made.currency, amount=sum((line.amount for line in of_case), ZERO),
            fee=sum((line.fee.amount for line in of_case), ZERO), vat=sum((line.fee.vat for line in of_case), ZERO),
            rule="; ".join(dict.fromkeys(line.fee.rule for line in of_case)), is_withheld=of_case[0].is_withheld,
        )  # fmt: skip
        change_case(hub, work, locked_case(work, case_id), [fact], actor="hub")


def _write(work: Work, scope: Scope, made: rs.StoredRemittance, lines: Sequence[_Line]) -> None:
    work.conn.execute(
        sa.insert(r.remittances).values(
            remittance_id=made.remittance_id, number=made.number, creditor_id=made.creditor_id, currency=made.currency,
            state=made.state, gross_minor=to_minor(made.gross, made.currency), fee_minor=to_minor(made.fee, made.currency),
            vat_minor=to_minor(made.vat, made.currency), net_minor=to_minor(made.net, made.currency), account=made.account,
            payee=made.payee, made_on=made.made_on, made_at=work.now, made_by=scope.subject,
        )
    )
    work.conn.execute(
        sa.insert(r.remittance_items),
        [
            {
                "remittance_id": made.remittance_id, "source": line.item.source, "source_ref": line.item.source_ref,
                "case_id": line.item.case_id, "seq": line.item.seq, "creditor_id": made.creditor_id,
                "received_on": line.item.received_on, "amount_minor": line.item.amount_minor,
                "percent_minor": to_minor(line.fee.by_percent, made.currency),
                "fee_minor": to_minor(line.fee.amount, made.currency), "vat_minor": to_minor(line.fee.vat, made.currency),
                "contract_id": line.fee.contract_id, "rule": line.fee.rule, "is_live": True,
            }
            for line in lines
        ],
    )


# --- fees -----------------------------------------------------------------------------------------


def _with_fees(conn: sa.Connection, creditor_id: str, items: Sequence[h.HeldMoney]) -> list[_Line]:
    """Every amount with its fee by the contract in force when it came in. Raises `PermanentError` where none was."""
    versions = versions_of(conn, Side.CREDITOR, creditor_id)
    case_ids = sorted({one.case_id for one in items})
    cases = {
        case.case_id: case
        for start in range(0, len(case_ids), 400)
        for case in read_cases(conn, t.cases.c.case_id.in_(case_ids[start : start + 400]))
    }
    before: dict[str, FeesBefore] = defaultdict(FeesBefore, rs.fees_before(conn, case_ids, items[0].currency))
    lines: list[_Line] = []
    for one in items:
        contract = in_force(versions, one.received_on)
        if contract is None:
            raise PermanentError(
                f"no contract was in force on {one.received_on.isoformat()}, when money came in",
                cure="Enter the contract with `collecthub contract add`; nothing is paid out without one.",
            )
        amount = from_minor(one.amount_minor, one.currency)
        fee = fee_for(contract, cases[one.case_id], one.currency, amount, before[one.case_id])
        known = before[one.case_id]
        before[one.case_id] = FeesBefore(
            collected=known.collected + amount, by_percent=known.by_percent + fee.by_percent, fees=known.fees + fee.amount
        )
        lines.append(_Line(item=one, amount=amount, fee=fee, is_withheld=contract.terms.is_withheld))
    return lines


def fee_for(contract: Contract, case: Case, currency: str, amount: Decimal, before: FeesBefore) -> Fee:
    """The fee on an amount of a case. A contract without a grid is an agreement that nothing is charged."""
    if not contract.terms.grid:
        return Fee(
            amount=ZERO, vat=ZERO, by_percent=ZERO, contract_id=contract.contract_id, rule=f"no fee agreed ({contract.name})"
        )
    oldest = min((claim.due_on for claim in case.claims), default=case.opened_at.date())
    age_days = (case.opened_at.date() - oldest).days
    return fee_on(contract, facts_of(case.balance.principal, age_days, case.debtor.country, currency), amount, before)
