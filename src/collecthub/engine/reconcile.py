"""Three independent sides compared: the ERP's own open items, the hub's ledger, the partners' own books.

Nothing here reads what a pull or a status file left behind on the other side; both outsides are asked anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from collecthub.corridor.open_case import net
from collecthub.engine.book_difference import Difference, ItemDifference
from collecthub.engine.context import Hub
from collecthub.engine.opening import stored_invoices
from collecthub.engine.partner_books import with_partner
from collecthub.errors import CollecthubError
from collecthub.model.case import Case
from collecthub.model.invoice import Invoice, ItemState
from collecthub.ports import OpenItemBooks, PartnerBooks
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from collecthub.store.connections import ConnectionRow, read_connections

ZERO = Decimal(0)
_REFS_AT_ONCE, _ITEMS_TOLD = 400, 5


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """Money that the hub knows and the ERP has not booked yet: no difference, but what the ERP lacks today."""

    case_id: str
    number: str
    payment_ref: str
    currency: str
    amount: Decimal


class Unheard(msgspec.Struct, frozen=True, kw_only=True):
    """A side that could not be compared, because it gave no answer or none that holds; `between` is its connection."""

    between: str
    problem: str
    cure: str


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome: how much was compared, what differs, what the ERPs still have to book, and who was not heard."""

    debtors_compared: int
    cases_compared: int
    differences: tuple[Difference, ...]
    awaited: tuple[Awaited, ...] = ()
    unheard: tuple[Unheard, ...] = ()

    @property
    def total(self) -> Decimal:
        """Sum of the absolute differences, over all currencies; zero means that all sides that were heard agree."""
        return sum((difference.amount for difference in self.differences), ZERO)


def reconcile(hub: Hub) -> Reconciliation:
    """Compare every ERP and every partner with the hub.

    A side that gives no answer keeps nobody else from being compared; it is named and never taken for one that agrees.
    """
    compared = {ConnectorRole.ERP.value: 0, ConnectorRole.PARTNER.value: 0}
    found: list[Difference] = []
    unheard: list[Unheard] = []
    with hub.database.read() as conn:
        rows = read_connections(conn, t.connections.c.kind != "intake")
    for row in rows:
        try:
            count, differences = _with_side(hub, row)
        except CollecthubError as error:
            unheard.append(Unheard(between=row.connection_id, problem=error.message, cure=error.cure))
            continue
        compared[row.role] = compared.get(row.role, 0) + count
        found += differences
    return Reconciliation(
        debtors_compared=compared[ConnectorRole.ERP.value], cases_compared=compared[ConnectorRole.PARTNER.value],
        differences=tuple(found), awaited=tuple(_awaited(hub)), unheard=tuple(unheard),
    )  # fmt: skip


def _with_side(hub: Hub, row: ConnectionRow) -> tuple[int, list[Difference]]:
    connector = hub.connector(row.connection_id)
    if row.role == ConnectorRole.ERP.value and isinstance(connector, OpenItemBooks):
        return _with_erp(hub, row, connector)
    if row.role == ConnectorRole.PARTNER.value and isinstance(connector, PartnerBooks):
        return with_partner(hub, row, connector)
    return 0, []


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
