"""What a person decides on debtors who may be one: join them, keep them apart, take a wrong join back.

Inside the caller's transaction, with the scope of whoever asks. A creditor decides within his own books only.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks
from collecthub.engine.context import Hub, Work
from collecthub.engine.identity import (
    DEBTORS,
    HOLD,
    JOB,
    OPEN,
    TASK,
    Debtor,
    debtor_of,
    members_of,
    note_move,
    open_cases_of,
    start_identities,
    twin_id_of,
)
from collecthub.errors import PermanentError
from collecthub.model.event import HoldReleased
from collecthub.model.ids import new_id
from collecthub.store import human_tables as h
from collecthub.store import tables as t
from collecthub.store.facts import take_turn
from collecthub.store.queries.scope import Role, Scope, not_there

MERGED, NOT_SAME = "merged", "not_same"


class _Pair(msgspec.Struct, frozen=True, kw_only=True):
    twin_id: str
    first: Debtor
    second: Debtor


def join_twins(hub: Hub, work: Work, scope: Scope, twin_id: str, *, reason: str) -> str:
    """They are one: everybody of the second's identity moves to the first's. Returns the identity that stays."""
    pair = _open_pair(work, scope, twin_id, reason)
    for one in members_of(work.conn, pair.second.identity_id):
        _move(work, scope.subject, one, pair.first.identity_id, reason)
    _settle(hub, work, scope, pair, MERGED, reason)
    return pair.first.identity_id


def keep_apart(hub: Hub, work: Work, scope: Scope, twin_id: str, *, reason: str) -> None:
    """They are not the same; it is not asked again."""
    pair = _open_pair(work, scope, twin_id, reason)
    _settle(hub, work, scope, pair, NOT_SAME, reason)
    note_move(work, scope.subject, "identity_kept_apart", pair.second, reason)


def take_apart(hub: Hub, work: Work, scope: Scope, connection_id: str, debtor_ref: str, *, reason: str) -> str:
    """A join was wrong: this debtor goes back to where he came from. Returns his identity."""
    _operator(scope)
    _because(reason)
    take_turn(work.conn, JOB)
    one = _member(work.conn, connection_id, debtor_ref)
    others = [other for other in members_of(work.conn, one.identity_id) if other.place != one.place]
    if not others:
        raise PermanentError("this debtor is joined to nobody", cure="There is nothing to take apart.")
    moves = h.identity_moves
    came_from = work.conn.scalar(
        sa.select(moves.c.from_identity_id)
        .where(moves.c.connection_id == connection_id, moves.c.debtor_ref == debtor_ref, moves.c.to_identity_id == one.identity_id)
        .order_by(moves.c.moved_at.desc())
    )  # fmt: skip
    target = came_from or new_id()
    if came_from is None:
        start_identities(work, [target])
    for other in others:
        _rule_out(work, scope, one, other, reason)
    _move(work, scope.subject, one, target, reason)
    return target


def _rule_out(work: Work, scope: Scope, one: Debtor, other: Debtor, reason: str) -> None:
    """Keep that these two are not the same, so that nobody joins them again by mistake."""
    first, second = sorted([one, other], key=lambda debtor: debtor.place)
    decided = {"state": NOT_SAME, "decided_at": work.now, "decided_by": scope.subject, "reason": reason}
    twin_id = twin_id_of(one, other)
    changed = work.conn.execute(sa.update(h.identity_twins).where(h.identity_twins.c.twin_id == twin_id).values(decided))
    if changed.rowcount == 0:
        work.conn.execute(
            sa.insert(h.identity_twins).values(
                twin_id=twin_id, first_connection_id=first.connection_id, first_ref=first.debtor_ref,
                second_connection_id=second.connection_id, second_ref=second.debtor_ref, evidence=one.evidence,
                creditor_id=one.creditor_id if one.creditor_id == other.creditor_id else None, found_at=work.now, **decided,
            )
        )  # fmt: skip


def _open_pair(work: Work, scope: Scope, twin_id: str, reason: str) -> _Pair:
    _because(reason)
    take_turn(work.conn, JOB)
    twins = h.identity_twins
    query = sa.select(twins).where(twins.c.twin_id == twin_id)
    if scope.role is not Role.OPERATOR:
        query = query.where(twins.c.creditor_id == (scope.creditor_id or ""))
    row = work.conn.execute(query.with_for_update()).first()
    if row is None:
        raise not_there("twin", twin_id)
    if row.state != OPEN:
        raise PermanentError(f"somebody decided already: {row.state.replace('_', ' ')}", cure="Read the list again.")
    first = _member(work.conn, row.first_connection_id, row.first_ref)
    second = _member(work.conn, row.second_connection_id, row.second_ref)
    return _Pair(twin_id=twin_id, first=first, second=second)


def _because(reason: str) -> None:
    if not reason.strip():
        raise PermanentError("nobody said why", cure="Give the reason: it is what others go by later.")


def _operator(scope: Scope) -> None:
    if scope.role is not Role.OPERATOR:
        raise not_there("debtor", "")


def _member(conn: sa.Connection, connection_id: str, debtor_ref: str) -> Debtor:
    mine = (t.debtors.c.connection_id == connection_id) & (t.debtors.c.debtor_ref == debtor_ref)
    row = conn.execute(DEBTORS.where(mine)).first()
    if row is None or not row.identity_id:
        raise not_there("debtor", debtor_ref)
    return debtor_of(row)


def _move(work: Work, actor: str, one: Debtor, to_identity_id: str, reason: str) -> None:
    if one.identity_id == to_identity_id:
        return
    mine = h.identity_members.c.connection_id == one.connection_id, h.identity_members.c.debtor_ref == one.debtor_ref
    work.conn.execute(sa.update(h.identity_members).where(*mine).values(identity_id=to_identity_id, evidence=reason))
    work.conn.execute(
        sa.insert(h.identity_moves).values(
            move_id=new_id(), connection_id=one.connection_id, debtor_ref=one.debtor_ref, from_identity_id=one.identity_id,
            to_identity_id=to_identity_id, actor=actor, reason=reason, moved_at=work.now,
        )
    )  # fmt: skip
    note_move(work, actor, "identity_moved", msgspec.structs.replace(one, identity_id=to_identity_id), reason)


def _settle(hub: Hub, work: Work, scope: Scope, pair: _Pair, state: str, reason: str) -> None:
    """Keep the decision, take it off the list, and let the cases go on that waited for this pair alone."""
    work.conn.execute(
        sa.update(h.identity_twins)
        .where(h.identity_twins.c.twin_id == pair.twin_id)
        .values(state=state, decided_at=work.now, decided_by=scope.subject, reason=reason)
    )
    tasks = t.tasks.c
    for detail in list(work.conn.scalars(sa.select(tasks.detail).where(tasks.kind == TASK, tasks.detail.startswith(pair.twin_id)))):
        close_tasks(work, done_by=scope.subject, kind=TASK, detail=detail)
    for one in (pair.first, pair.second):
        if not _is_suspected(work.conn, one):
            for case_id in open_cases_of(work, one):
                case = work.book.held(case_id)
                if case is not None and case.held_for(HOLD):
                    change_case(hub, work, case, [HoldReleased(reason=HOLD, note=reason)], actor=scope.subject)


def _is_suspected(conn: sa.Connection, one: Debtor) -> bool:
    twins = h.identity_twins.c
    mine = (twins.first_connection_id == one.connection_id) & (twins.first_ref == one.debtor_ref) | (
        (twins.second_connection_id == one.connection_id) & (twins.second_ref == one.debtor_ref)
    )
    within = twins.creditor_id.is_not(None)
    return conn.scalar(sa.select(twins.twin_id).where(mine, within, twins.state == OPEN).limit(1)) is not None
