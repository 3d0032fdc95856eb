"""Runner of `match`: payments find their cases, returns find what they undo. What is certain is booked, the rest waits.

Safe to run again at any time: a payment leaves the line in the transaction that books it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from collecthub.corridor.match import Clues, Matched, Scored, Verdict, clues_of, match
from collecthub.engine.case_clues import as_candidate, candidates, find_cases, known_money, refresh_clues
from collecthub.engine.client_account import see_debits
from collecthub.engine.context import Hub, Work
from collecthub.engine.joint_payments import settle_joint
from collecthub.engine.payment_booking import book, tie, undo
from collecthub.engine.transfers import settle_transfers
from collecthub.errors import PermanentError, RetryableError
from collecthub.model.case import Case
from collecthub.store import payments as p
from collecthub.store import tables as t
from collecthub.store.queries.scope import Role, Scope

PAYMENTS_PER_CHUNK, TRIES = 500, 5
RETURNED_WITHIN = dt.timedelta(days=425)  # 13 months, the longest in which a direct debit can come back (PSD2 art. 71)
UNDOABLE = frozenset({p.NEW, p.OPEN, p.BOOKED, p.KNOWN, p.SET_ASIDE})
T = TypeVar("T")


class MatchRun(msgspec.Struct, kw_only=True):
    """How many payments a run settled, and how many wait for a person."""

    booked: int = 0
    known: int = 0
    returned: int = 0
    waiting: int = 0


class _Settled(msgspec.Struct, kw_only=True):
    """What becomes of one payment, as columns of its row."""

    payment_id: str
    state: str
    matched: Matched
    case_id: str | None = None

    def row(self, now: dt.datetime) -> dict[str, object]:
        best = self.matched.candidates[0] if self.matched.candidates else None
        return {
            "of_payment": self.payment_id, "state": self.state, "case_id": self.case_id,
            "score": best.score if best else 0, "proposal": msgspec.json.encode(self.matched).decode(),
            "decided_by": "hub" if self.state != p.OPEN else "", "decided_at": now if self.state != p.OPEN else None,
        }  # fmt: skip


def match_payments(hub: Hub, scope: Scope, *, again: bool = False) -> MatchRun:
    """Match everything that waits and that the scope may see; with `again` also what waits for a person."""
    run = MatchRun()
    if scope.role is Role.OPERATOR:  # one sum for many cases is known before any of it could be taken for one case's
        run.known += settle_transfers(hub)
        run.booked += settle_joint(hub)
    for creditor_id in _owners(hub, scope):
        refresh_clues(hub, creditor_id)
        for state in (p.NEW, *((p.OPEN,) if again else ())):
            _match_owner(hub, creditor_id, state, run)
        _return_owner(hub, creditor_id, run, again=again)
    if scope.role is Role.OPERATOR:
        see_debits(hub)
    return run


def _owners(hub: Hub, scope: Scope) -> list[str | None]:
    """Whose accounts: a creditor's own; for the operator all of them and the client account."""
    if scope.role is Role.CREDITOR:
        return [scope.creditor_id]
    with hub.database.read() as conn:
        return list(conn.scalars(sa.select(t.bank_accounts.c.creditor_id).distinct()))


def _match_owner(hub: Hub, creditor_id: str | None, state: str, run: MatchRun) -> None:
    after = ""
    while True:
        with hub.database.read() as conn:
            chunk = p.waiting(conn, creditor_id, state, after, PAYMENTS_PER_CHUNK)
            clues = [clues_of(one.transaction) for one in chunk]
            found, cases = find_cases(conn, creditor_id, clues)
            known = candidates(conn, cases.values())
        if not chunk:
            return
        after = chunk[-1].payment_id
        matched = [
            match(one.transaction, clue, [known[case_id] for case_id in ids if case_id in known])
            for one, clue, ids in zip(chunk, clues, found, strict=True)
        ]
        _retried(partial(_settle_chunk, hub, state, chunk, clues, matched, run))


def _retried(action: Callable[[], T]) -> T:
    """Somebody else may change a case at the same moment: then it is read again and decided anew."""
    for _ in range(TRIES - 1):
        try:
            return action()
        except RetryableError as error:
            if error.retry_after_seconds != 0:
                raise
    return action()


def _settle_chunk(
    hub: Hub, state: str, chunk: Sequence[p.StoredPayment], clues: Sequence[Clues], matched: Sequence[Matched], run: MatchRun
) -> None:
    counts: dict[str, int] = {}
    with hub.work() as work:
        ids = [one.payment_id for one in chunk]
        query = sa.select(t.payments.c.payment_id).where(
            t.payments.c.payment_id.in_(ids), t.payments.c.state == state, t.payments.c.case_id.is_(None)
        )
        still = set(work.conn.scalars(query.with_for_update()))
        work.hold(one.candidates[0].case_id for one in matched if one.verdict is Verdict.CERTAIN)
        done = [
            _settle(hub, work, payment, clue, found)
            for payment, clue, found in zip(chunk, clues, matched, strict=True)
            if payment.payment_id in still
        ]
        p.settle(work.conn, [one.row(work.now) for one in done])
        for one in done:
            counts[one.state] = counts.get(one.state, 0) + 1
    run.booked += counts.get(p.BOOKED, 0)
    run.known += counts.get(p.KNOWN, 0)
    run.waiting += counts.get(p.OPEN, 0)


def _settle(hub: Hub, work: Work, payment: p.StoredPayment, clues: Clues, found: Matched) -> _Settled:
    """Carry out a verdict, on the case as it stands now: an earlier payment of the chunk may have changed it."""
    best = found.candidates[0] if found.verdict is Verdict.CERTAIN else None
    case = work.book.held(best.case_id) if best else None
    if best is None or case is None:
        return _Settled(payment_id=payment.payment_id, state=p.OPEN, matched=found)
    fresh = _anew(work, payment, clues, case, best)
    if fresh.objections:
        unsure = msgspec.structs.replace(found, verdict=Verdict.UNSURE, candidates=(fresh, *found.candidates[1:]))
        return _Settled(payment_id=payment.payment_id, state=p.OPEN, matched=unsure)
    if fresh.known_ref:
        tie(work, payment, case, int(fresh.known_ref))
        return _Settled(payment_id=payment.payment_id, state=p.KNOWN, matched=found, case_id=case.case_id)
    book(hub, work, payment, case, payment.transaction.amount, actor="hub")
    return _Settled(payment_id=payment.payment_id, state=p.BOOKED, matched=found, case_id=case.case_id)


def _anew(work: Work, payment: p.StoredPayment, clues: Clues, case: Case, best: Scored) -> Scored:
    """The same judgement over the locked case and what it knows by now."""
    known = known_money(work.conn, [case.case_id]) if case.balance.payments else {}
    candidate = as_candidate(case, known.get(case.case_id, ()))
    again = match(payment.transaction, clues, [candidate])
    return again.candidates[0] if again.candidates else best


# --- returns --------------------------------------------------------------------------------------


def _return_owner(hub: Hub, creditor_id: str | None, run: MatchRun, *, again: bool) -> None:
    after = ""
    while True:
        with hub.database.read() as conn:
            chunk = p.waiting(conn, creditor_id, p.RETURN, after, PAYMENTS_PER_CHUNK)
        if not chunk:
            return
        after = chunk[-1].payment_id
        for payment in chunk:
            if _retried(partial(_undo_certain, hub, payment)):
                run.returned += 1
            else:
                run.waiting += 1


def _undo_certain(hub: Hub, returned: p.StoredPayment) -> bool:
    with hub.database.read() as conn:
        found = originals(conn, returned)
    if len(found) != 1:
        return False
    try:
        with hub.work() as work:
            undo_payment(hub, work, found[0], returned, actor="hub")
    except PermanentError:  # what it undoes was settled otherwise meanwhile: a person sees it on the list
        return False
    return True


def undo_payment(hub: Hub, work: Work, original: p.StoredPayment, returned: p.StoredPayment, *, actor: str) -> None:
    """A returned payment undoes the original: both are settled with each other."""
    for one, states in ((original, UNDOABLE), (returned, {p.RETURN})):
        state = work.conn.scalar(
            sa.select(t.payments.c.state).where(t.payments.c.payment_id == one.payment_id).with_for_update()
        )
        if state not in states:
            raise PermanentError(
                f"payment {one.payment_id} is {state}", cure="Read the list of payments again.", reference=one.payment_id
            )
    case_id = undo(hub, work, original, returned, actor=actor) or original.case_id
    settled = {"case_id": case_id, "decided_by": actor, "decided_at": work.now}
    p.settle(
        work.conn,
        [
            {"of_payment": original.payment_id, "state": p.RETURNED, **settled},
            {"of_payment": returned.payment_id, "state": p.UNDID, **settled},
        ],
    )


def originals(conn: sa.Connection, returned: p.StoredPayment) -> list[p.StoredPayment]:
    """The payments that a return may undo, best fitting only: by reference, else by who paid."""
    days = returned.booked_on - RETURNED_WITHIN, returned.booked_on
    rows = [
        row
        for row in p.with_money(conn, returned.account_id, [-returned.amount_minor], days)
        if row.state in UNDOABLE and row.currency == returned.currency
    ]
    for fits in (_by_reference, _by_payer):
        found = [row for row in rows if fits(row, returned)]
        if found:
            return found
    return []


def _by_reference(row: p.StoredPayment, returned: p.StoredPayment) -> bool:
    first, back = row.transaction, returned.transaction
    if back.end_to_end_ref and back.end_to_end_ref == first.end_to_end_ref:
        return True
    named = {ref for ref in (back.original_ref, back.bank_ref) if ref}
    return bool(named & {first.bank_ref, first.entry_ref} - {""}) or bool(back.reference) and back.reference == first.reference


def _by_payer(row: p.StoredPayment, returned: p.StoredPayment) -> bool:
    first, back = row.transaction, returned.transaction
    return bool(back.payer_account) and back.payer_account == first.payer_account
