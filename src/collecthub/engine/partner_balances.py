"""Once a month a partner's books are compared with ours, case by case, and it signs the list of differences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.partner_texts import language_of_partner, partner_text
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.event import CaseEvent, CostReported, InstructionQueued, PaymentReported
from collecthub.model.exchange import InstructionCode
from collecthub.model.ids import derived_id, new_id
from collecthub.store import partner_tables as p
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_histories
from collecthub.store.evidence import Evidence
from collecthub.store.facts import read_fact, write_fact
from collecthub.store.queries.scope import not_there

JOB = "partner_balance"
OPENED_FOR = "partner_balances_opened_for"
_LAST_EVENT = 2**31 - 1
CASES_AT_ONCE = 200
ZERO = Decimal(0)


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """What one side has on a case: money received, costs charged, what is left to collect."""

    received: Decimal
    costs: Decimal
    demanded: Decimal


class BalanceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One case in both books; `theirs` is None while the partner has not said anything about it."""

    case_id: str
    case_number: str
    holder_ref: str
    currency: str
    ours: Sums
    theirs: Sums | None = None

    @property
    def differs(self) -> bool:
        return self.theirs is not None and self.theirs != self.ours


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The document that is signed: every case, both sides."""

    partner_id: str
    period: str
    made_at: dt.datetime
    lines: tuple[BalanceLine, ...]


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """A monthly comparison. `state` is open, compared or signed; `sha256` is of the document that was signed."""

    balance_id: str
    partner_id: str
    period: str
    state: str
    differences: int
    sha256: str
    signed_by: str
    signed_at: dt.datetime | None
    remark: str
    comparison: Comparison


def our_books(conn: sa.Connection, partner_id: str) -> tuple[BalanceLine, ...]:
    """Our side of every case that the partner holds or held."""
    mine = sa.select(t.messages.c.case_id).where(t.messages.c.partner_id == partner_id).distinct()
    ids = sorted(conn.scalars(mine))
    lines: list[BalanceLine] = []
    for start in range(0, len(ids), CASES_AT_ONCE):
        part = ids[start : start + CASES_AT_ONCE]
        cases = {case.case_id: case for case in read_cases(conn, t.cases.c.case_id.in_(part))}
        histories = read_histories(conn, part, _LAST_EVENT)
        lines += [book_line(cases[case_id], histories[case_id], partner_id) for case_id in part if case_id in cases]
    return tuple(lines)


def book_line(case: Case, history: Sequence[CaseEvent], partner_id: str) -> BalanceLine:
    """Our side of one case: what the partner reported in it, and what it still has to collect."""
    actor = f"partner:{partner_id}"
    facts = [event.fact for event in history if event.actor == actor]
    holds = case.placement is not None and case.placement.partner_id == partner_id and case.placement.is_out
    return BalanceLine(
        case_id=case.case_id, case_number=case.number, currency=case.currency,
        holder_ref=case.placement.holder_ref if case.placement and case.placement.partner_id == partner_id else "",
        ours=Sums(
            received=sum((fact.amount for fact in facts if isinstance(fact, PaymentReported)), ZERO),
            costs=sum((fact.amount + fact.tax_amount for fact in facts if isinstance(fact, CostReported)), ZERO),
            demanded=case.balance.open_principal if holds else ZERO,
        ),
    )


# --- the month begins -----------------------------------------------------------------------------


def watch_balances(hub: Hub) -> None:
    """On the first tick of a month: have the comparison put before every partner that holds or held cases."""
    period = f"{hub.business_date():%Y-%m}"
    with hub.database.read() as conn:
        if read_fact(conn, OPENED_FOR) == period:
            return
        partners = conn.scalars(sa.select(t.messages.c.partner_id).distinct()).all()
    with hub.work() as work:
        write_fact(work.conn, OPENED_FOR, period)
        for partner_id in partners:
            work.wake(JOB, partner_id)


def open_by_clock(hub: Hub, partner_id: str) -> None:
    """This month's comparison, and one message that says so, in the case that the partner has held longest."""
    period = f"{hub.business_date():%Y-%m}"
    held = (
        sa.select(t.cases.c.case_id)
        .where(t.cases.c.partner_id == partner_id, t.cases.c.status != Status.CLOSED.value)
        .order_by(t.cases.c.opened_at, t.cases.c.case_id)
    )
    with hub.work() as work:
        balance_id = open_balance(hub, work, partner_id, period)
        case_id = work.conn.scalar(held.limit(1))
        case = locked_case(work, case_id) if case_id is not None else None
        if case is None or case.placement is None or not case.placement.is_out or case.placement.partner_id != partner_id:
            return
        message_id = derived_id("balance", partner_id, period)
        if work.conn.scalar(sa.select(t.messages.c.message_id).where(t.messages.c.message_id == message_id)) is not None:
            return
        language = language_of_partner(work.conn, partner_id, work.now.date())
        said = partner_text(language, "balances", period=period, balance=balance_id)
        fact = InstructionQueued(message_id=message_id, code=InstructionCode.NEXT_ACT.value, text=said)
        change_case(hub, work, case, [fact], actor="hub")


def open_balance(hub: Hub, work: Work, partner_id: str, period: str) -> str:
    """Put the month's comparison before a partner, with our side filled in; once a period. Returns its id."""
    mine = (p.partner_balances.c.partner_id == partner_id) & (p.partner_balances.c.period == period)
    known = work.conn.scalar(sa.select(p.partner_balances.c.balance_id).where(mine))
    if known is not None:
        return str(known)
    lines = our_books(work.conn, partner_id)
    document = Comparison(partner_id=partner_id, period=period, made_at=work.now, lines=lines)
    balance_id = new_id()
    work.conn.execute(
        sa.insert(p.partner_balances).values(
            balance_id=balance_id, partner_id=partner_id, period=period, state="open", lines=len(lines), differences=0,
            sha256=hub.evidence.keep(msgspec.json.encode(document)), created_at=work.now,
        )
    )
    return balance_id


def compare(hub: Hub, work: Work, partner_id: str, balance_id: str, theirs: Mapping[str, Sums]) -> Balance:
    """Enter the partner's side (by case); cases it does not name are left as they are. Raises `PermanentError` once signed."""
    found = read_balance(work.conn, hub.evidence, partner_id, balance_id)
    if found.state == "signed":
        raise PermanentError(f"the list of {found.period} is signed", cure="Say it in the next month's list.")
    strange = sorted(set(theirs) - {line.case_id for line in found.comparison.lines})
    if strange:
        raise not_there("case", strange[0])
    lines = tuple(
        msgspec.structs.replace(line, theirs=theirs.get(line.case_id, line.theirs)) for line in found.comparison.lines
    )
    document = msgspec.structs.replace(found.comparison, lines=lines)
    work.conn.execute(
        sa.update(p.partner_balances)
        .where(p.partner_balances.c.balance_id == balance_id)
        .values(
            state="compared", differences=sum(line.differs for line in lines),
            sha256=hub.evidence.keep(msgspec.json.encode(document)),
        )
    )
    return read_balance(work.conn, hub.evidence, partner_id, balance_id)


def sign_balance(
    hub: Hub, work: Work, partner_id: str, balance_id: str, *, signed_by: str, remark: str = ""
) -> Balance:
    """The partner signs both sides as they stand; differences become a task. Signed twice, it stays as it was signed first."""
    found = read_balance(work.conn, hub.evidence, partner_id, balance_id)
    if found.state == "signed":
        return found
    if not signed_by.strip():
        raise PermanentError("nobody signed", cure="Write your full name.")
    work.conn.execute(
        sa.update(p.partner_balances)
        .where(p.partner_balances.c.balance_id == balance_id)
        .values(state="signed", signed_by=signed_by.strip(), signed_at=work.now, remark=remark)
    )
    if found.differences:
        open_task(
            work, kind="partner_balance", title=f"the books of {partner_id} differ in {found.differences} cases",
            detail=f"{found.period}, signed by {signed_by.strip()}; balance {balance_id}",
        )
    return read_balance(work.conn, hub.evidence, partner_id, balance_id)


def read_balance(conn: sa.Connection, evidence: Evidence, partner_id: str, balance_id: str) -> Balance:
    """One comparison. Raises `NotThereError` for an unknown one and for another partner's."""
    mine = (p.partner_balances.c.partner_id == partner_id) & (p.partner_balances.c.balance_id == balance_id)
    row = conn.execute(sa.select(p.partner_balances).where(mine)).first()
    if row is None:
        raise not_there("balance", balance_id)
    comparison = msgspec.json.decode(evidence.read(row.sha256), type=Comparison)
    return Balance(
        balance_id=row.balance_id, partner_id=row.partner_id, period=row.period, state=row.state,
        differences=row.differences, sha256=row.sha256, signed_by=row.signed_by, signed_at=row.signed_at,
        remark=row.remark, comparison=comparison,
    )


def list_balances(conn: sa.Connection, evidence: Evidence, partner_id: str) -> tuple[Balance, ...]:
    """A partner's comparisons, newest month first."""
    query = sa.select(p.partner_balances.c.balance_id).where(p.partner_balances.c.partner_id == partner_id)
    ids = conn.scalars(query.order_by(p.partner_balances.c.period.desc()).limit(36)).all()
    return tuple(read_balance(conn, evidence, partner_id, balance_id) for balance_id in ids)
