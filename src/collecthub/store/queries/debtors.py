"""One debtor across the books: who may be one, and for the operator every case of his with every creditor."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.model.party import Party
from collecthub.model.payment_reference import payment_reference
from collecthub.model.spread import Owed, SpreadRule
from collecthub.store import human_tables as h
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor, read_cases
from collecthub.store.contact_tables import contacts
from collecthub.store.queries.contacts import WRITTEN
from collecthub.store.queries.names import creditor_names
from collecthub.store.queries.scope import Role, Scope, not_there


class BookDebtor(msgspec.Struct, frozen=True, kw_only=True):
    """A debtor as one creditor's books have him."""

    connection_id: str
    debtor_ref: str
    creditor_id: str
    creditor_name: str
    party: Party
    evidence: str = ""


class TwinView(msgspec.Struct, frozen=True, kw_only=True):
    """Two debtors who may be one, and what speaks for it."""

    twin_id: str
    evidence: str
    state: str
    found_at: dt.datetime
    first: BookDebtor
    second: BookDebtor


class DebtorCase(msgspec.Struct, frozen=True, kw_only=True):
    """One of a debtor's cases."""

    case_id: str
    number: str
    creditor_id: str
    creditor_name: str
    status: str
    phase: str
    holds: tuple[str, ...]
    currency: str
    owed: Decimal
    oldest_due_on: dt.date | None
    plan: str
    band: str


class MoveView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody was joined or taken apart, by whom and why."""

    debtor_ref: str
    creditor_name: str
    is_joined: bool
    actor: str
    reason: str
    moved_at: dt.datetime


class OneDebtor(msgspec.Struct, frozen=True, kw_only=True):
    """A debtor with everybody: `owed` by currency, `capacity` what he can pay a month in all."""

    identity_id: str
    number: str
    reference: str
    name: str
    spread: SpreadRule
    capacity: Decimal | None
    currency: str
    capacity_on: dt.date | None
    owed: dict[str, Decimal]
    books: tuple[BookDebtor, ...]
    cases: tuple[DebtorCase, ...]
    moves: tuple[MoveView, ...]
    asked: tuple[Asked, ...] = ()
    told_on: dt.date | None = None  # the first message with the way to what is held on him (GDPR art. 14)


_BOOKS = sa.select(
    t.debtors.c.connection_id, t.debtors.c.debtor_ref, t.debtors.c.creditor_id, t.debtors.c.party,
    h.identity_members.c.identity_id, h.identity_members.c.evidence,
).join_from(
    t.debtors, h.identity_members,
    (h.identity_members.c.connection_id == t.debtors.c.connection_id)
    & (h.identity_members.c.debtor_ref == t.debtors.c.debtor_ref),
)  # fmt: skip


def list_twins(conn: sa.Connection, scope: Scope, limit: int = 100) -> tuple[TwinView, ...]:
    """The open pairs of the scope, the oldest first; a creditor sees pairs within his own books only."""
    twins = h.identity_twins
    query = sa.select(twins).where(twins.c.state == "open").order_by(twins.c.found_at, twins.c.twin_id).limit(limit)
    if scope.role is not Role.OPERATOR:
        query = query.where(twins.c.creditor_id == (scope.creditor_id or ""))
    names = creditor_names(conn, scope)
    found = []
    for row in conn.execute(query).all():
        sides = [
            _book(conn, connection_id, ref, names)
            for connection_id, ref in (
                (row.first_connection_id, row.first_ref), (row.second_connection_id, row.second_ref),
            )
        ]  # fmt: skip
        found.append(
            TwinView(
                twin_id=row.twin_id, evidence=row.evidence, state=row.state, found_at=row.found_at, first=sides[0],
                second=sides[1],
            )
        )  # fmt: skip
    return tuple(found)


def _book(conn: sa.Connection, connection_id: str, ref: str, names: Mapping[str, str]) -> BookDebtor:
    mine = (t.debtors.c.connection_id == connection_id) & (t.debtors.c.debtor_ref == ref)
    return _book_of(conn.execute(_BOOKS.where(mine)).one(), names)


def _book_of(row: Any, names: Mapping[str, str]) -> BookDebtor:
    return BookDebtor(
        connection_id=row.connection_id, debtor_ref=row.debtor_ref, creditor_id=row.creditor_id,
        creditor_name=names.get(row.creditor_id, row.creditor_id), party=msgspec.json.decode(row.party, type=Party),
        evidence=row.evidence,
    )  # fmt: skip


def identity_of(conn: sa.Connection, scope: Scope, case_id: str) -> str:
    """Whose case it is, for the operator; empty while that is not known. Raises `NotThereError` for everybody else."""
    only_operator(scope, case_id)
    members = h.identity_members
    same = (members.c.connection_id == t.cases.c.connection_id) & (members.c.debtor_ref == t.cases.c.debtor_ref)
    query = sa.select(members.c.identity_id).join_from(t.cases, members, same).where(t.cases.c.case_id == case_id)
    return conn.scalar(query) or ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked about himself: access or erasure, and what became of it: open, answered, refused or done."""

    request_id: str
    kind: str
    state: str
    asked_on: dt.date
    answer_by_on: dt.date
    decided_on: dt.date | None
    reason: str


def requests_of(conn: sa.Connection, case_id: str) -> list[Asked]:
    """What the debtor of a case asked about himself, the newest first; for himself and for the operator."""
    members, r = h.identity_members, h.person_requests.c
    same = (members.c.connection_id == t.cases.c.connection_id) & (members.c.debtor_ref == t.cases.c.debtor_ref)
    whose = sa.select(members.c.identity_id).join_from(t.cases, members, same).where(t.cases.c.case_id == case_id)
    return _asked(conn, r.identity_id.in_(whose))


def _asked(conn: sa.Connection, whose: sa.ColumnElement[bool]) -> list[Asked]:
    r = h.person_requests.c
    return [
        Asked(
            request_id=row.request_id, kind=row.kind, state=row.state, asked_on=row.asked_at.date(), reason=row.reason,
            answer_by_on=row.answer_by_on, decided_on=row.decided_at.date() if row.decided_at else None,
        )
        for row in conn.execute(sa.select(h.person_requests).where(whose).order_by(r.asked_at.desc(), r.request_id))
    ]  # fmt: skip


def only_operator(scope: Scope, identity_id: str = "") -> None:
    """One debtor across creditors exists for the operator alone."""
    if scope.role is not Role.OPERATOR:
        raise not_there("debtor", identity_id)


def case_ids_of(conn: sa.Connection, identity_id: str) -> list[str]:
    """Every case of a debtor, with whomever."""
    members = h.identity_members
    same = (members.c.connection_id == t.cases.c.connection_id) & (members.c.debtor_ref == t.cases.c.debtor_ref)
    query = sa.select(t.cases.c.case_id).join_from(members, t.cases, same).where(members.c.identity_id == identity_id)
    return list(conn.scalars(query.order_by(t.cases.c.case_id)))


def one_debtor(conn: sa.Connection, scope: Scope, identity_id: str) -> OneDebtor:
    """The debtor with all his cases. Raises `NotThereError` for everybody but the operator."""
    only_operator(scope, identity_id)
    row = conn.execute(sa.select(h.identities).where(h.identities.c.identity_id == identity_id)).first()
    names = creditor_names(conn, scope)
    found = conn.execute(_BOOKS.where(h.identity_members.c.identity_id == identity_id).order_by(*_BOOKS.selected_columns[:2]))
    books = tuple(_book_of(one, names) for one in found)
    if row is None or not books:
        raise not_there("debtor", identity_id)
    cases = tuple(
        DebtorCase(
            case_id=case.case_id, number=case.number, creditor_id=case.creditor_id,
            creditor_name=names.get(case.creditor_id, ""), status=case.status.value, phase=case.phase.value,
            holds=tuple(hold.reason for hold in case.holds), currency=case.currency,
            owed=max(case.balance.total, Decimal(0)) if case.is_open else Decimal(0),
            oldest_due_on=min((claim.due_on for claim in case.claims), default=None),
            plan=case.plan.state.value if case.plan else "", band=case.solvency.band or "",
        )
        for case in read_cases(conn, t.cases.c.case_id.in_(case_ids_of(conn, identity_id)))
    )  # fmt: skip
    owed: dict[str, Decimal] = defaultdict(Decimal)
    for case in cases:
        owed[case.currency] += case.owed
    party = books[0].party
    return OneDebtor(
        identity_id=identity_id, number=row.number, reference=payment_reference(row.number, party.country), name=party.name,
        spread=SpreadRule(row.spread), capacity=None if row.capacity_minor is None else from_minor(row.capacity_minor, row.currency),
        currency=row.currency, capacity_on=row.capacity_on, owed=dict(owed), books=books, cases=cases,
        moves=_moves(conn, identity_id, books, names), told_on=_told_on(conn, [case.case_id for case in cases]),
        asked=tuple(_asked(conn, h.person_requests.c.identity_id == identity_id)),
    )  # fmt: skip


def _told_on(conn: sa.Connection, case_ids: list[str]) -> dt.date | None:
    first = sa.select(sa.func.min(contacts.c.sent_at)).where(contacts.c.case_id.in_(case_ids), contacts.c.channel.in_(WRITTEN))
    found = conn.scalar(first)
    return found.date() if found else None


def _moves(
    conn: sa.Connection, identity_id: str, books: tuple[BookDebtor, ...], names: Mapping[str, str]
) -> tuple[MoveView, ...]:
    moves = h.identity_moves
    ours = (moves.c.from_identity_id == identity_id) | (moves.c.to_identity_id == identity_id)
    of = {(one.connection_id, one.debtor_ref): one.creditor_name for one in books}
    return tuple(
        MoveView(
            debtor_ref=row.debtor_ref, creditor_name=of.get((row.connection_id, row.debtor_ref), ""),
            is_joined=row.to_identity_id == identity_id, actor=row.actor, reason=row.reason, moved_at=row.moved_at,
        )
        for row in conn.execute(sa.select(moves).where(ours).order_by(moves.c.moved_at))
    )  # fmt: skip


def owed_in(view: OneDebtor, currency: str) -> list[Owed]:
    """What is owed in each open case in one currency."""
    return [
        Owed(case_id=one.case_id, amount=one.owed, oldest_due_on=one.oldest_due_on or dt.date.max)
        for one in view.cases if one.owed > 0 and one.currency == currency
    ]  # fmt: skip
