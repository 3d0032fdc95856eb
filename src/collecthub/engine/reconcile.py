"""Three independent sides compared: the ERP's own open items, the hub's ledger, the partners' own books.

Nothing here reads what a pull or a status file left behind on the other side; both outsides are asked anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.corridor.open_case import net
from collecthub.engine.context import Hub
from collecthub.engine.opening import stored_invoices
from collecthub.model.case import Case
from collecthub.model.event import CostReported, PaymentReported
from collecthub.ports import OpenItemBooks, PartnerBooks
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events
from collecthub.store.connections import ConnectionRow, read_connections

ZERO = Decimal(0)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One figure on which two sides do not agree."""

    between: str  # connection_id of the outside
    subject: str  # debtor or case
    what: str  # open amount, principal, paid, costs
    currency: str
    theirs: Decimal
    ours: Decimal

    @property
    def amount(self) -> Decimal:
        return abs(self.theirs - self.ours)


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome: how much was compared and what differs."""

    debtors_compared: int
    cases_compared: int
    differences: tuple[Difference, ...]

    @property
    def total(self) -> Decimal:
        """Sum of the absolute differences, over all currencies; zero means that all sides agree."""
        return sum((difference.amount for difference in self.differences), ZERO)


def reconcile(hub: Hub) -> Reconciliation:
    """Compare every ERP and every partner with the hub. Errors of an outside are raised, never taken for zero."""
    debtors = cases = 0
    found: list[Difference] = []
    with hub.database.read() as conn:
        rows = read_connections(conn)
    for row in rows:
        connector = hub.connector(row.connection_id) if row.kind != "intake" else None
        if row.role == ConnectorRole.ERP.value and isinstance(connector, OpenItemBooks):
            count, differences = _with_erp(hub, row, connector)
            debtors += count
            found += differences
        elif row.role == ConnectorRole.PARTNER.value and isinstance(connector, PartnerBooks):
            count, differences = _with_partner(hub, row, connector)
            cases += count
            found += differences
    return Reconciliation(debtors_compared=debtors, cases_compared=cases, differences=tuple(found))


# --- ERP ------------------------------------------------------------------------------------------


def _with_erp(hub: Hub, row: ConnectionRow, books: OpenItemBooks) -> tuple[int, list[Difference]]:
    theirs: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for item in hub.walk(f"{row.kind}.open_items", row.connection_id)(books.open_items()):
        theirs[(item.debtor_ref, item.currency)] += item.open_amount
    ours = dict(_hub_accounts(hub, row))
    keys = sorted(theirs.keys() | ours.keys())
    return len(keys), [
        Difference(
            between=row.connection_id, subject=debtor_ref, what="open amount", currency=currency,
            theirs=theirs.get((debtor_ref, currency), ZERO), ours=ours.get((debtor_ref, currency), ZERO),
        )
        for debtor_ref, currency in keys
        if theirs.get((debtor_ref, currency), ZERO) != ours.get((debtor_ref, currency), ZERO)
    ]


def _hub_accounts(hub: Hub, row: ConnectionRow) -> Iterator[tuple[tuple[str, str], Decimal]]:
    """What the hub expects each debtor's account to show: ledgers of its cases plus what is in no case."""
    with hub.database.read() as conn:
        cases: dict[tuple[str, str], list[Case]] = defaultdict(list)
        for case in read_cases(conn, t.cases.c.connection_id == row.connection_id):
            cases[(case.debtor_ref, case.currency)].append(case)
        for key, rows in stored_invoices(conn, row.connection_id):
            held = cases.pop(key, [])
            claimed = {claim.claim_id for case in held for claim in case.claims}
            netted = net(rows)
            outside = sum((amount for item, amount in netted.claims if item.item_ref not in claimed), ZERO)
            if held:
                yield key, outside + sum((_expected(case) for case in held), ZERO)
            else:
                yield key, outside - netted.credits
        for key, held in cases.items():
            yield key, sum((_expected(case) for case in held), ZERO)


def _expected(case: Case) -> Decimal:
    """What the ERP shows for a case: money a person recorded here but the ERP has not booked is still open there."""
    recorded = sum((amount for ref, amount in case.unmatched if ref.startswith("recorded-")), ZERO)
    return case.erp_open + recorded


# --- partner --------------------------------------------------------------------------------------


def _with_partner(hub: Hub, row: ConnectionRow, books: PartnerBooks) -> tuple[int, list[Difference]]:
    lines = {
        line.case_id: line
        for line in hub.walk(f"{row.kind}.accounts", row.connection_id)(books.accounts())
    }
    ours = dict(_hub_placements(hub, row.partner_id or ""))
    found: list[Difference] = []
    for case_id in sorted(lines.keys() | ours.keys()):
        line = lines.get(case_id)
        currency, principal, paid, costs = ours.get(case_id, ("", ZERO, ZERO, ZERO))
        figures = (
            ("principal", line.principal if line else ZERO, principal),
            ("paid", line.paid if line else ZERO, paid),
            ("costs", line.costs if line else ZERO, costs),
        )
        found += [
            Difference(
                between=row.connection_id, subject=case_id, what=what,
                currency=line.currency if line else currency, theirs=theirs, ours=mine,
            )
            for what, theirs, mine in figures
            if theirs != mine
        ]
    return len(lines.keys() | ours.keys()), found


def _hub_placements(hub: Hub, partner_id: str) -> Iterator[tuple[str, tuple[str, Decimal, Decimal, Decimal]]]:
    """Per case that was placed with the partner: what it was last told to collect, and what it reported."""
    actor = f"partner:{partner_id}"
    query = sa.select(t.messages.c.case_id).where(
        t.messages.c.partner_id == partner_id, t.messages.c.kind == "case_file", t.messages.c.state == "sent"
    )
    with hub.database.read() as conn:
        for case in read_cases(conn, t.cases.c.case_id.in_(query)):
            paid = costs = ZERO
            for event in read_events(conn, case.case_id):
                if event.actor != actor:
                    continue
                if isinstance(event.fact, PaymentReported):
                    paid += event.fact.amount
                elif isinstance(event.fact, CostReported):
                    costs += event.fact.amount + event.fact.tax_amount
            placements = [*case.past_placements, *([case.placement] if case.placement else [])]
            told = [p.told_principal for p in placements if p.partner_id == partner_id and p.sent_at is not None]
            yield case.case_id, (case.currency, told[-1] if told else ZERO, paid, costs)
