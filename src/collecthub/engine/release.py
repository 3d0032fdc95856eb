"""A safe start: what would leave, seen by a person before anything does, and the release itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.exclusions import left_out, unknown_names
from collecthub.engine.placing import decisions
from collecthub.engine.routing import Ground
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.event import DispatchBlocked, Fact, HoldReleased, HoldSet, RouteChosen, RouteMissing
from collecthub.model.invoice import ItemKind, ItemState
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.case_log import from_minor, read_cases
from collecthub.store.connections import (
    RELEASED,
    ConnectionRow,
    Exclusions,
    change_connection,
)
from collecthub.store.queries.doors import owned_connection
from collecthub.store.queries.scope import Scope

SHADOW_HOLD, EXCLUDED_HOLD = "shadow", "excluded"
CASES_PER_CHUNK = 200


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """Count and amount of something, in one currency."""

    currency: str
    count: int
    amount: Decimal


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """Cases that would leave by one route to one country."""

    route: str
    partner_name: str
    country: str
    currency: str
    cases: int
    amount: Decimal


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Cases that would stay, and why."""

    reason: str
    cases: int


class FirstWave(msgspec.Struct, frozen=True, kw_only=True):
    """What a release would set in motion. Nothing has been sent.

    `unknown` are excluded customers and groups that are none of what was pulled so far.
    """

    connection_id: str
    mode: str
    pulled: int
    overdue: tuple[Sum, ...]
    leaving: tuple[Leaving, ...]
    held: tuple[Held, ...]
    unknown: tuple[str, ...] = ()


def first_wave(hub: Hub, scope: Scope, connection_id: str, exclusions: Exclusions | None = None) -> FirstWave:
    """Ask every route for every waiting case as a release would, and send nothing.

    With `exclusions` the answer is what would happen if the connection were released with them.
    """
    with hub.database.read() as conn:
        row = owned_connection(conn, scope, connection_id)
        pulled, overdue = _pulled(conn, hub, connection_id)
        rules = exclusions or row.release
        unknown = unknown_names(conn, connection_id, rules)
    leaving: dict[tuple[str, str, str, str], list[Decimal]] = defaultdict(list)
    held: dict[str, int] = defaultdict(int)
    for chunk in _waiting(hub, connection_id, rules):
        with hub.database.read() as conn:
            ground = Ground(conn, [case.case_id for case, _ in chunk], hub.business_date())
            ground.around.assume_reminders(connection_id, rules.reminders_by)
            reasons = [_reason_to_stay(case, rules, is_named=is_named) for case, is_named in chunk]
            going = [case for (case, _), reason in zip(chunk, reasons, strict=True) if not reason]
            decided = iter(decisions(hub, ground, going))
            for (case, _), reason in zip(chunk, reasons, strict=True):
                chosen: Fact | None = None if reason else next(decided)
                if isinstance(chosen, RouteChosen):
                    leaving[chosen.route, chosen.partner_name, case.debtor.country, case.currency].append(case.demanded)
                else:
                    held[reason or _why_not(chosen)] += 1
    return FirstWave(
        connection_id=connection_id, mode=row.mode, pulled=pulled, overdue=overdue,
        leaving=tuple(
            Leaving(route=r, partner_name=p, country=c, currency=m, cases=len(amounts), amount=sum(amounts, Decimal(0)))
            for (r, p, c, m), amounts in sorted(leaving.items())
        ),
        held=tuple(Held(reason=why, cases=count) for why, count in sorted(held.items())),
        unknown=unknown,
    )


def _why_not(fact: Fact | None) -> str:
    if isinstance(fact, HoldSet):
        return fact.reason
    return fact.reason if isinstance(fact, RouteMissing | DispatchBlocked) else "no route"


def _reason_to_stay(case: Case, rules: Exclusions, *, is_named: bool) -> str:
    if is_named or case.demanded < rules.minimum_amount:
        return EXCLUDED_HOLD
    return next((hold.reason for hold in case.holds if hold.reason not in (SHADOW_HOLD, EXCLUDED_HOLD)), "")


def _pulled(conn: sa.Connection, hub: Hub, connection_id: str) -> tuple[int, tuple[Sum, ...]]:
    mine = t.invoices.c.connection_id == connection_id
    pulled = conn.scalar(sa.select(sa.func.count()).select_from(t.invoices).where(mine))
    query = (
        sa.select(t.invoices.c.currency, sa.func.count(), sa.func.sum(t.invoices.c.open_minor))
        .where(
            mine, t.invoices.c.kind == ItemKind.INVOICE.value, t.invoices.c.state == ItemState.OPEN.value,
            t.invoices.c.due_on < hub.business_date(),
        )
        .group_by(t.invoices.c.currency)
        .order_by(t.invoices.c.currency)
    )
    sums = tuple(
        Sum(currency=currency, count=count, amount=from_minor(int(total), currency))
        for currency, count, total in conn.execute(query)
    )
    return int(pulled or 0), sums


def _waiting(hub: Hub, connection_id: str, rules: Exclusions) -> Iterator[list[tuple[Case, bool]]]:
    """Open cases of the connection that have not left, each with whether its customer or group is excluded, in chunks."""
    after = ""
    while True:
        with hub.database.read() as conn:
            found = read_cases(
                conn,
                (t.cases.c.connection_id == connection_id)
                & t.cases.c.status.in_(["ready", "refused", "needs_info"])
                & (t.cases.c.case_id > after),
                CASES_PER_CHUNK,
            )
            refs = {case.debtor_ref for case in found}
            named = left_out(conn, connection_id, rules, refs) | _of_groups(conn, connection_id, rules, refs)
        yield [(case, case.debtor_ref in named) for case in found]
        if len(found) < CASES_PER_CHUNK:
            return
        after = found[-1].case_id


def _of_groups(conn: sa.Connection, connection_id: str, rules: Exclusions, refs: set[str]) -> set[str]:
    """Which of these debtors have an invoice in an excluded group."""
    if not rules.group_refs:
        return set()
    invoices = t.invoices.c
    mine = (invoices.connection_id == connection_id) & invoices.debtor_ref.in_(refs)
    return set(conn.scalars(sa.select(invoices.debtor_ref).where(mine, invoices.group_ref.in_(rules.group_refs)).distinct()))


# --- release --------------------------------------------------------------------------------------


def release_connection(hub: Hub, scope: Scope, connection_id: str, exclusions: Exclusions) -> int:
    """Let the first wave leave, but for what is excluded. Returns how many cases were let go.

    The decision commits first, the cases follow in chunks; run again after a crash it finishes the rest. Released
    again with other exclusions, it sets and ends the hold `excluded` accordingly.
    """
    with hub.work() as work:
        row = owned_connection(work.conn, scope, connection_id)
        _check_releasable(row)
        rules = msgspec.structs.replace(exclusions, released_by=scope.subject, released_at=work.now)
        change_connection(work.conn, connection_id, mode=RELEASED, release=rules)
        append_audit(
            work.conn, now=work.now, actor=scope.subject, action="connection.released", subject=connection_id,
            detail=msgspec.json.encode(rules).decode(),
        )
        work.wake("place", row.creditor_id or "")
    released = 0
    for chunk in list(_waiting(hub, connection_id, rules)):
        with hub.work() as work:
            released += sum(
                _let_go(hub, work, case.case_id, rules, scope.subject, is_named=is_named) for case, is_named in chunk
            )
    return released


def _check_releasable(row: ConnectionRow) -> None:
    if row.creditor_id is None or row.role != "erp":
        raise PermanentError(
            f"connection {row.name} brings no cases, so there is nothing to release",
            cure="Release the creditor's ERP connection.",
        )


def _let_go(hub: Hub, work: Work, case_id: str, rules: Exclusions, actor: str, *, is_named: bool) -> bool:
    case = locked_case(work, case_id)
    facts: list[Fact] = []
    excluded = is_named or case.demanded < rules.minimum_amount
    if excluded and not case.held_for(EXCLUDED_HOLD):
        facts.append(HoldSet(reason=EXCLUDED_HOLD, note="excluded when the connection was released"))
    if not excluded and case.held_for(EXCLUDED_HOLD):
        facts.append(HoldReleased(reason=EXCLUDED_HOLD, note="no longer excluded"))
    if case.held_for(SHADOW_HOLD):
        facts.append(HoldReleased(reason=SHADOW_HOLD, note="the connection was released"))
    if facts:
        change_case(hub, work, case, facts, actor=actor)
    return bool(facts) and not excluded

