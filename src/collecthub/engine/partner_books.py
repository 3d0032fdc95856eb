"""A partner's own books beside the hub's, case by case and part by part; who lacks what, in words.

Principal, money received and costs stand in every holder's books. Interest and surcharges (compensation, dunning fees)
are compared on the day for which the holder states them; one who keeps none is compared on the rest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.book_difference import Difference
from collecthub.engine.context import Hub
from collecthub.engine.court_costs import UNAPPROVED
from collecthub.engine.partner_costs import FORBIDDEN
from collecthub.engine.told_account import grown
from collecthub.model.event import CaseEvent, CostReported, PaymentReported
from collecthub.model.exchange import AccountLine
from collecthub.ports import PartnerBooks
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events
from collecthub.store.connections import ConnectionRow

ZERO = Decimal(0)
_WAITING = {
    FORBIDDEN: "the partner books a cost that the debtor may not be asked; it waits in quarantine",
    UNAPPROVED: "the partner books a cost that the creditor has not allowed; it waits in quarantine",
}
ALWAYS, GROWN = ("principal", "paid", "costs"), ("interest", "surcharges")


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub knows of a case with a partner: what it was told to collect, what it reported.

    `interest` and `surcharges` are those of the account on the day for which the partner states his.
    """

    number: str
    currency: str
    principal: Decimal = ZERO
    paid: Decimal = ZERO
    costs: Decimal = ZERO
    interest: Decimal = ZERO
    surcharges: Decimal = ZERO


def with_partner(hub: Hub, row: ConnectionRow, books: PartnerBooks) -> tuple[int, list[Difference]]:
    """How many cases were compared, and what differs. Errors of the partner are raised, never taken for zero."""
    lines = {
        line.case_id: line
        for line in hub.walk(f"{row.kind}.accounts", row.connection_id)(books.accounts())
    }
    with hub.database.read() as conn:
        ours = dict(_hub_placements(hub, conn, row.partner_id or "", lines))
        waiting = _waiting_costs(conn, row.connection_id)
    keys = sorted(lines.keys() | ours.keys())
    found = [
        one
        for case_id in keys
        for one in _differences(row, case_id, lines.get(case_id), ours.get(case_id), waits=waiting.get(case_id, ""))
    ]
    return len(keys), found


def _differences(
    row: ConnectionRow, case_id: str, line: AccountLine | None, mine: Placed | None, *, waits: str
) -> Iterator[Difference]:
    told = mine or Placed(number="", currency=line.currency if line else "")
    for what, theirs in _stated(line):
        here = getattr(told, what)
        if theirs == here:
            continue
        missing_at, reason = _lacks(what, theirs, here, is_there=line is not None, is_here=mine is not None)
        if what == "costs" and waits and theirs > here:
            missing_at, reason = "partner", waits
        yield Difference(
            between=row.connection_id, subject=case_id, what=what, currency=line.currency if line else told.currency,
            theirs=theirs, ours=here, case_id=case_id if mine else "", number=told.number, missing_at=missing_at, reason=reason,
        )


def _stated(line: AccountLine | None) -> Iterator[tuple[str, Decimal]]:
    """What a holder's line states, part by part; a case that it does not have is nothing everywhere."""
    for what in ALWAYS:
        yield what, getattr(line, what) if line else ZERO
    for what in GROWN:
        stated = getattr(line, what) if line and line.as_of_on else None
        if stated is not None:
            yield what, stated


def _lacks(what: str, theirs: Decimal, ours: Decimal, *, is_there: bool, is_here: bool) -> tuple[str, str]:
    """Which side lacks what, in words.

    >>> _lacks("paid", Decimal("50.00"), Decimal("20.00"), is_there=True, is_here=True)
    ('hub', 'the hub has no report of 30.00 that the partner booked as received')
    >>> _lacks("interest", Decimal("1.00"), Decimal("1.25"), is_there=True, is_here=True)
    ('partner', 'the partner counts 0.25 less interest than the account of that day')
    """
    if not is_there:
        return "partner", "the partner has no such case in its books"
    if not is_here:
        return "hub", "the hub has sent no such case to the partner"
    more = theirs - ours
    amount = f"{abs(more)} {'more' if more > 0 else 'less'}"
    if what == "principal":
        return "partner", f"the partner asks for {amount} than the hub told it last"
    if what in GROWN:
        return "partner", f"the partner counts {amount} {what} than the account of that day"
    word = "received" if what == "paid" else "its costs"
    if more > 0:
        return "hub", f"the hub has no report of {more} that the partner booked as {word}"
    return "partner", f"the partner's books lack {-more} that it reported as {word}"


def _hub_placements(
    hub: Hub, conn: sa.Connection, partner_id: str, lines: Mapping[str, AccountLine]
) -> Iterator[tuple[str, Placed]]:
    """Per case that was placed with the partner: what it was last told to collect, and what it reported."""
    query = sa.select(t.messages.c.case_id).where(
        t.messages.c.partner_id == partner_id, t.messages.c.kind == "case_file", t.messages.c.state == "sent"
    )
    for case in read_cases(conn, t.cases.c.case_id.in_(query)):
        history = read_events(conn, case.case_id)
        paid, costs = _reported(history, f"partner:{partner_id}")
        placements = [*case.past_placements, *([case.placement] if case.placement else [])]
        told = [p.told_principal for p in placements if p.partner_id == partner_id and p.sent_at is not None]
        day = _day_of(lines.get(case.case_id))
        interest, surcharges = grown(hub, conn, case, day, history) if day else (ZERO, ZERO)
        yield case.case_id, Placed(
            number=case.number, currency=case.currency, principal=told[-1] if told else ZERO, paid=paid, costs=costs,
            interest=interest, surcharges=surcharges,
        )


def _reported(history: list[CaseEvent], actor: str) -> tuple[Decimal, Decimal]:
    paid = costs = ZERO
    for event in history:
        if event.actor != actor:
            continue
        if isinstance(event.fact, PaymentReported):
            paid += event.fact.amount
        elif isinstance(event.fact, CostReported):
            costs += event.fact.amount + event.fact.tax_amount
    return paid, costs


def _day_of(line: AccountLine | None) -> dt.date | None:
    """The day for which a line states interest or surcharges; None where it states neither."""
    return line.as_of_on if line is not None and (line.interest, line.surcharges) != (None, None) else None


def _waiting_costs(conn: sa.Connection, connection_id: str) -> dict[str, str]:
    """Cases in which a cost of this partner waits, and why."""
    query = sa.select(t.quarantine.c.case_id, t.quarantine.c.code).where(
        t.quarantine.c.connection_id == connection_id, t.quarantine.c.code.in_(_WAITING), t.quarantine.c.state == "open"
    )
    return {case_id: _WAITING[code] for case_id, code in conn.execute(query) if case_id}
