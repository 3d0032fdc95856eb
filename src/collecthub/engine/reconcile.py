"""Three independent sides compared: the ERP's own open items, the hub's ledger, the partners' own books.

Nothing here reads what a pull or a status file left behind on the other side; both outsides are asked anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.open_case import net
from collecthub.engine.context import Hub
from collecthub.engine.opening import stored_invoices
from collecthub.model.case import Case
from collecthub.model.event import CostReported, PaymentReported
from collecthub.model.invoice import Invoice, ItemState
from collecthub.ports import OpenItemBooks, PartnerBooks
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events
from collecthub.store.connections import ConnectionRow, read_connections

ZERO = Decimal(0)
_REFS_AT_ONCE, _ITEMS_TOLD = 400, 5


class ItemDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a debtor's account that the ERP and the hub's copy of it state differently."""

    item_ref: str
    number: str
    theirs: Decimal
    ours: Decimal
    missing_at: str
    reason: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One figure on which two sides do not agree, and which of them lacks what: `missing_at` is erp, hub or partner."""

    between: str  # connection_id of the outside
    subject: str  # debtor or case
    what: str  # open amount, principal, paid, costs
    currency: str
    theirs: Decimal
    ours: Decimal
    case_id: str = ""  # where the figure belongs to one case
    number: str = ""
    missing_at: str = ""
    reason: str = ""
    items: tuple[ItemDifference, ...] = ()

    @property
    def amount(self) -> Decimal:
        return abs(self.theirs - self.ours)


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """Money that the hub knows and the ERP has not booked yet: no difference, but what the ERP lacks today."""

    case_id: str
    number: str
    payment_ref: str
    currency: str
    amount: Decimal


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome: how much was compared, what differs, and what the ERPs still have to book."""

    debtors_compared: int
    cases_compared: int
    differences: tuple[Difference, ...]
    awaited: tuple[Awaited, ...] = ()

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
    return Reconciliation(
        debtors_compared=debtors, cases_compared=cases, differences=tuple(found), awaited=tuple(_awaited(hub))
    )


def _awaited(hub: Hub) -> Iterator[Awaited]:
    with hub.database.read() as conn:
        for case in read_cases(conn, t.cases.c.recovered_minor != 0):
            for ref, amount in case.unmatched:
                yield Awaited(
                    case_id=case.case_id, number=case.number, payment_ref=ref, currency=case.currency, amount=amount
                )


# --- ERP ------------------------------------------------------------------------------------------


def _with_erp(hub: Hub, row: ConnectionRow, books: OpenItemBooks) -> tuple[int, list[Difference]]:
    theirs: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for item in hub.walk(f"{row.kind}.open_items", row.connection_id)(books.open_items()):
        theirs[(item.debtor_ref, item.currency)] += item.open_amount
    ours = dict(_hub_accounts(hub, row))
    keys = sorted(theirs.keys() | ours.keys())
    wrong = [key for key in keys if theirs.get(key, ZERO) != ours.get(key, ZERO)]
    explained = explain_accounts(hub, row, books, wrong) if wrong else {}
    return len(keys), [
        Difference(
            between=row.connection_id, subject=key[0], what="open amount", currency=key[1],
            theirs=theirs.get(key, ZERO), ours=ours.get(key, ZERO), **explained.get(key, {}),
        )
        for key in wrong
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


def explain_accounts(
    hub: Hub, row: ConnectionRow, books: OpenItemBooks, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, Any]]:
    """For accounts that differ: which lines do, and which case is concerned. The ERP's list is read once more for it."""
    wanted = set(keys)
    theirs: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for item in hub.walk(f"{row.kind}.open_items", row.connection_id)(books.open_items()):
        if (item.debtor_ref, item.currency) in wanted:
            theirs[item.debtor_ref, item.currency][item.item_ref] = item.open_amount
    refs = sorted({debtor_ref for debtor_ref, _ in wanted})
    with hub.database.read() as conn:
        ours = {key: rows for key, rows in stored_invoices(conn, row.connection_id) if key in wanted}
        cases: dict[tuple[str, str], list[Case]] = defaultdict(list)
        for start in range(0, len(refs), _REFS_AT_ONCE):
            some = t.cases.c.debtor_ref.in_(refs[start : start + _REFS_AT_ONCE])
            for case in read_cases(conn, (t.cases.c.connection_id == row.connection_id) & some):
                cases[case.debtor_ref, case.currency].append(case)
    return {key: _explained(theirs[key], ours.get(key, []), cases[key]) for key in keys}


def _explained(theirs: Mapping[str, Decimal], rows: Sequence[Invoice], cases: Sequence[Case]) -> dict[str, Any]:
    here = {row.item_ref: row.open_amount if row.state is ItemState.OPEN else ZERO for row in rows}
    numbers = {row.item_ref: row.number for row in rows}
    items = tuple(
        _item(ref, numbers.get(ref, ref), theirs.get(ref), here.get(ref))
        for ref in sorted(theirs.keys() | here.keys())
        if theirs.get(ref, ZERO) != here.get(ref, ZERO)
    )
    found: dict[str, Any] = {"items": items, "missing_at": "hub"}
    if len(cases) == 1:
        found |= {"case_id": cases[0].case_id, "number": cases[0].number}
    if items:
        found["reason"] = "; ".join(f"{item.number}: {item.reason}" for item in items[:_ITEMS_TOLD])
    else:
        found["reason"] = "the lines agree, but what the hub's cases expect does not: run `collecthub verify`"
    return found


def _item(ref: str, number: str, theirs: Decimal | None, ours: Decimal | None) -> ItemDifference:
    if ours is None:
        reason = "the hub has not pulled this line"
    elif not theirs:
        reason = f"the hub has not heard that {ours} was cleared"
    elif not ours:
        reason = f"the hub has not heard that {theirs} is open again"
    else:
        reason = f"the ERP shows {theirs}, the hub last read {ours}"
    return ItemDifference(
        item_ref=ref, number=number, theirs=theirs or ZERO, ours=ours or ZERO, missing_at="hub", reason=reason
    )


def _expected(case: Case) -> Decimal:
    """What the ERP shows for a case: what a person recorded or wrote off here and the ERP has not booked is open there."""
    return case.erp_open + case.open_in_erp_only


# --- partner --------------------------------------------------------------------------------------


def _with_partner(hub: Hub, row: ConnectionRow, books: PartnerBooks) -> tuple[int, list[Difference]]:
    lines = {
        line.case_id: line
        for line in hub.walk(f"{row.kind}.accounts", row.connection_id)(books.accounts())
    }
    ours = dict(_hub_placements(hub, row.partner_id or ""))
    found: list[Difference] = []
    for case_id in sorted(lines.keys() | ours.keys()):
        line, mine = lines.get(case_id), ours.get(case_id)
        told = mine or Placed(number="", currency=line.currency if line else "")
        for what in ("principal", "paid", "costs"):
            theirs, here = (getattr(line, what) if line else ZERO), getattr(told, what)
            if theirs != here:
                missing_at, reason = _lacks(what, theirs, here, is_there=line is not None, is_here=mine is not None)
                found.append(
                    Difference(
                        between=row.connection_id, subject=case_id, what=what, currency=line.currency if line else told.currency,
                        theirs=theirs, ours=here, case_id=case_id if mine else "", number=told.number, missing_at=missing_at,
                        reason=reason,
                    )
                )
    return len(lines.keys() | ours.keys()), found


def _lacks(what: str, theirs: Decimal, ours: Decimal, *, is_there: bool, is_here: bool) -> tuple[str, str]:
    """Which side lacks what, in words.

    >>> _lacks("paid", Decimal("50.00"), Decimal("20.00"), is_there=True, is_here=True)
    ('hub', 'the hub has no report of 30.00 that the partner booked as received')
    """
    if not is_there:
        return "partner", "the partner has no such case in its books"
    if not is_here:
        return "hub", "the hub has sent no such case to the partner"
    more = theirs - ours
    if what == "principal":
        return "partner", f"the partner asks for {abs(more)} {'more' if more > 0 else 'less'} than the hub told it last"
    word = "received" if what == "paid" else "its costs"
    if more > 0:
        return "hub", f"the hub has no report of {more} that the partner booked as {word}"
    return "partner", f"the partner's books lack {-more} that it reported as {word}"


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub knows of a case with a partner: what it was told to collect, what it reported."""

    number: str
    currency: str
    principal: Decimal = ZERO
    paid: Decimal = ZERO
    costs: Decimal = ZERO


def _hub_placements(hub: Hub, partner_id: str) -> Iterator[tuple[str, Placed]]:
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
            yield case.case_id, Placed(
                number=case.number, currency=case.currency, principal=told[-1] if told else ZERO, paid=paid, costs=costs
            )
