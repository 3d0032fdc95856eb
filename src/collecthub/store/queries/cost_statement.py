"""What collecting cost, line by line: every fee, VAT and cost of a case or a period, who bears it and by which rule."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.model.booking_remittance import TRANSFER
from collecthub.model.exchange import CostBearer
from collecthub.model.ledger import LineKind
from collecthub.store import remittance_tables as r
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.queries.scope import Scope, owned_by

_COSTS = (LineKind.COST.value, LineKind.FEE.value, LineKind.VAT.value)
LINES_MAX = 100_000


class CostLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `settled_by` is the remittance out of which the creditor paid it, or the partner's transfer from which it
    was taken off; empty: it is invoiced to him.

    A cost that the debtor bears is settled by his payments.
    """

    creditor_id: str
    case_id: str
    case_number: str
    booked_on: dt.date
    kind: str
    bearer: str
    amount: Decimal
    currency: str
    rule: str
    reference: str
    settled_by: str


class CostSum(msgspec.Struct, frozen=True, kw_only=True):
    """The sum of the lines of one bearer in one currency."""

    bearer: str
    currency: str
    amount: Decimal


class CostStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of a case or a period, and their sums. `is_cut`: there are more lines than one statement holds."""

    from_on: dt.date | None
    until: dt.date | None
    lines: tuple[CostLine, ...]
    sums: tuple[CostSum, ...]
    is_cut: bool = False


def cost_statement(
    conn: sa.Connection, scope: Scope, *, case_id: str = "", creditor_id: str = "", from_on: dt.date | None = None,
    until: dt.date | None = None, to_invoice: bool = False,
) -> CostStatement:  # fmt: skip
    """The costs that the scope may see. `to_invoice`: only what the creditor bears and did not pay out of a remittance."""
    line = t.ledger_lines
    withheld = sa.and_(
        r.remittances.c.number == line.c.reference, r.remittances.c.fee_minor + r.remittances.c.vat_minor != 0,
        line.c.kind.in_((LineKind.FEE.value, LineKind.VAT.value)), line.c.origin == "hub",
    )
    query = (
        sa.select(line, t.cases.c.number.label("case_number"), r.remittances.c.number.label("settled_by"))
        .join(t.cases, t.cases.c.case_id == line.c.case_id)
        .outerjoin(r.remittances, withheld)
        .where(owned_by(scope, line.c.creditor_id), line.c.kind.in_(_COSTS))
        .order_by(line.c.booked_on, t.cases.c.number, line.c.seq, line.c.line)
        .limit(LINES_MAX + 1)
    )
    if case_id:
        query = query.where(line.c.case_id == case_id)
    if creditor_id:
        query = query.where(line.c.creditor_id == creditor_id)
    if from_on is not None:
        query = query.where(line.c.booked_on >= from_on)
    if until is not None:
        query = query.where(line.c.booked_on <= until)
    if to_invoice:
        query = query.where(
            line.c.bearer == CostBearer.CREDITOR.value, r.remittances.c.number.is_(None), line.c.origin != TRANSFER
        )
    rows = conn.execute(query).all()
    lines = tuple(_line(row) for row in rows[:LINES_MAX])
    return CostStatement(from_on=from_on, until=until, lines=lines, sums=_sums(lines), is_cut=len(rows) > LINES_MAX)


def _line(row: Any) -> CostLine:
    return CostLine(
        creditor_id=row.creditor_id, case_id=row.case_id, case_number=row.case_number, booked_on=row.booked_on,
        kind=row.kind, bearer=row.bearer, amount=from_minor(row.amount_minor, row.currency), currency=row.currency,
        rule=row.basis, reference=row.reference,
        settled_by=row.settled_by or (row.reference if row.origin == TRANSFER else ""),
    )  # fmt: skip


def _sums(lines: tuple[CostLine, ...]) -> tuple[CostSum, ...]:
    found: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        key = (line.bearer, line.currency)
        found[key] = found.get(key, Decimal(0)) + line.amount
    return tuple(CostSum(bearer=bearer, currency=currency, amount=amount) for (bearer, currency), amount in sorted(found.items()))


def cost_statement_csv(statement: CostStatement) -> bytes:
    """The lines as a table in UTF-8. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    names = CostLine.__struct_fields__
    writer.writerow(names)
    for line in statement.lines:
        writer.writerow([_safe(value) for value in (getattr(line, name) for name in names)])
    return text.getvalue().encode("utf-8-sig")


def _safe(value: object) -> str:
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return f"'{text}" if not isinstance(value, Decimal) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
