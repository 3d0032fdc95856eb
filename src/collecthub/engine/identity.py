"""Who the debtors of the books are: each gets an identity above the creditors' own numbers.

Two debtors are joined by themselves only by a number of the same register under one name, and only when one of them is new.
A possible twin is for a person: within one creditor's books his newer cases are held until somebody has decided, across
creditors only the operator hears of it. Every move is kept and can be taken back.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.opening import case_number
from collecthub.model.debtor_identity import Judgement, Kinship, Likeness, judge, keys, likeness
from collecthub.model.event import HoldSet
from collecthub.model.ids import derived_id, new_id
from collecthub.model.party import Party
from collecthub.model.payment_reference import ogm_digits
from collecthub.model.spread import SpreadRule
from collecthub.store import human_tables as h
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.facts import take_turn

JOB, TASK, HOLD = "identify", "twin", "twin"
DEBTORS_PER_CHUNK, DEBTORS_PER_KEY = 200, 20
OPEN = "open"


class Debtor(msgspec.Struct, frozen=True, kw_only=True):
    """A debtor of one connection's books."""

    connection_id: str
    debtor_ref: str
    creditor_id: str
    party: Party
    identity_id: str = ""
    evidence: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """What names him."""
        return self.connection_id, self.debtor_ref

    @property
    def likeness(self) -> Likeness:
        """What of him is compared."""
        return likeness(self.party, self.connection_id, self.debtor_ref)

    @property
    def digest(self) -> str:
        """Changes when anything of the party does."""
        return hashlib.sha256(msgspec.json.encode(self.party)).hexdigest()


DEBTORS = sa.select(
    t.debtors.c.connection_id, t.debtors.c.debtor_ref, t.debtors.c.creditor_id, t.debtors.c.party,
    h.identity_members.c.identity_id, h.identity_members.c.evidence, h.identity_members.c.digest,
).select_from(
    t.debtors.outerjoin(
        h.identity_members,
        (h.identity_members.c.connection_id == t.debtors.c.connection_id)
        & (h.identity_members.c.debtor_ref == t.debtors.c.debtor_ref),
    )
)
_NEW = (
    DEBTORS.where(
        t.debtors.c.creditor_id == sa.bindparam("of"),
        h.identity_members.c.identity_id.is_(None) | (t.debtors.c.read_at > h.identity_members.c.compared_at),
    )
    .order_by(t.debtors.c.connection_id, t.debtors.c.debtor_ref)
    .limit(DEBTORS_PER_CHUNK)
)  # fmt: skip


def debtor_of(row: Any) -> Debtor:
    return Debtor(
        connection_id=row.connection_id, debtor_ref=row.debtor_ref, creditor_id=row.creditor_id,
        party=msgspec.json.decode(row.party, type=Party), identity_id=row.identity_id or "", evidence=row.evidence or "",
    )  # fmt: skip


def identify(hub: Hub, creditor_id: str) -> None:
    """Job: every debtor of a creditor's books whose identity is not known, or whose data changed, is compared."""
    while True:
        with hub.database.read() as conn:
            if conn.execute(_NEW, {"of": creditor_id}).first() is None:
                return
        with hub.work() as work:
            take_turn(work.conn, JOB)  # two who compare at once would not see each other's debtors
            fresh = [debtor_of(row) for row in work.conn.execute(_NEW, {"of": creditor_id})]
            _compare(hub, work, fresh)
        if len(fresh) < DEBTORS_PER_CHUNK:
            return


def _compare(hub: Hub, work: Work, fresh: Sequence[Debtor]) -> None:
    known = {one.place: one for one in _candidates(work.conn, fresh)}
    by_key: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for place, one in known.items():
        for key in keys(one.likeness):
            by_key[key].append(place)
    decided = _decided(work.conn, fresh)
    twins: list[tuple[Debtor, Debtor, Judgement]] = []
    for one in fresh:
        mine = keys(one.likeness)
        places = {place for key in mine if len(by_key[key]) <= DEBTORS_PER_KEY for place in by_key[key]} - {one.place}
        judged = [(known[place], judge(one.likeness, known[place].likeness)) for place in sorted(places)]
        judged = [(other, found) for other, found in judged if twin_id_of(one, other) not in decided]
        joined = _joined(one, judged)
        known[one.place] = joined
        for key in mine:
            if one.place not in by_key[key]:
                by_key[key].append(one.place)
        twins += [
            (joined, other, found) for other, found in judged
            if found.kinship is not Kinship.DIFFERENT and other.identity_id != joined.identity_id
        ]  # fmt: skip
    _write_members(work, [known[one.place] for one in fresh], fresh)
    for one, other, found in twins:
        _suspect(hub, work, one, other, found)


def _joined(one: Debtor, judged: Sequence[tuple[Debtor, Judgement]]) -> Debtor:
    """With his identity: the one he had, that of who is the same by the register, or a new one."""
    if one.identity_id:
        return one
    same = next(((other, found) for other, found in judged if found.kinship is Kinship.SAME), None)
    if same is None:
        return msgspec.structs.replace(one, identity_id=new_id())
    return msgspec.structs.replace(one, identity_id=same[0].identity_id, evidence=same[1].words)


def _candidates(conn: sa.Connection, fresh: Sequence[Debtor]) -> Iterable[Debtor]:
    """Known debtors who share a key with one of these."""
    wanted = sorted(set().union(*(keys(one.likeness) for one in fresh)))
    for start in range(0, len(wanted), 400):
        sharing = sa.select(h.identity_keys.c.connection_id, h.identity_keys.c.debtor_ref).where(
            h.identity_keys.c.key.in_(wanted[start : start + 400])
        )
        found = sharing.distinct().subquery()
        query = DEBTORS.join(
            found,
            (found.c.connection_id == t.debtors.c.connection_id) & (found.c.debtor_ref == t.debtors.c.debtor_ref),
        )
        yield from map(debtor_of, conn.execute(query))


def _decided(conn: sa.Connection, fresh: Sequence[Debtor]) -> frozenset[str]:
    """The pairs that a person, or this run before, has dealt with."""
    refs = [one.debtor_ref for one in fresh]
    twins = h.identity_twins
    return frozenset(conn.scalars(sa.select(twins.c.twin_id).where(twins.c.first_ref.in_(refs) | twins.c.second_ref.in_(refs))))


def _write_members(work: Work, members: Sequence[Debtor], fresh: Sequence[Debtor]) -> None:
    """Keep who they are and by what they are found."""
    conn = work.conn
    was = {one.place: one.identity_id for one in fresh}
    start_identities(work, {one.identity_id for one in members if not was[one.place] and not one.evidence})
    old = [one for one in members if was[one.place]]
    for one in old:
        mine = (h.identity_keys.c.connection_id == one.connection_id) & (h.identity_keys.c.debtor_ref == one.debtor_ref)
        conn.execute(sa.delete(h.identity_keys).where(mine))
        conn.execute(
            sa.update(h.identity_members)
            .where(h.identity_members.c.connection_id == one.connection_id, h.identity_members.c.debtor_ref == one.debtor_ref)
            .values(digest=one.digest, compared_at=work.now)
        )  # fmt: skip
    new = [one for one in members if not was[one.place]]
    if new:
        conn.execute(sa.insert(h.identity_members), [_member_row(one, work) for one in new])
    rows = [
        {"key": key, "connection_id": one.connection_id, "debtor_ref": one.debtor_ref}
        for one in members for key in sorted(keys(one.likeness))
    ]  # fmt: skip
    if rows:
        conn.execute(sa.insert(h.identity_keys), rows)
    for one in new:
        if one.evidence:
            note_move(work, "hub", "identity_joined", one, one.evidence)


def start_identities(work: Work, identity_ids: Iterable[str]) -> None:
    """New identities, each with the number that its one payment reference is made of."""
    numbers = {one: case_number("identity", one) for one in sorted(identity_ids)}
    rows = [
        {
            "identity_id": one, "number": number, "ogm": ogm_digits(number), "spread": SpreadRule.PROPORTIONAL.value,
            "created_at": work.now,
        }
        for one, number in numbers.items()
    ]  # fmt: skip
    if rows:
        work.conn.execute(sa.insert(h.identities), rows)


def _member_row(one: Debtor, work: Work) -> dict[str, object]:
    return {
        "connection_id": one.connection_id, "debtor_ref": one.debtor_ref, "creditor_id": one.creditor_id,
        "identity_id": one.identity_id, "digest": one.digest, "evidence": one.evidence, "compared_at": work.now,
    }  # fmt: skip


def note_move(work: Work, actor: str, action: str, one: Debtor, reason: str) -> None:
    """In the audit trail, by ids alone."""
    append_audit(
        work.conn, now=work.now, actor=actor, action=action, subject=one.identity_id,
        detail=f"{one.connection_id} {derived_id(*one.place)}: {without_names(reason)}",
    )  # fmt: skip


def without_names(reason: str) -> str:
    return hashlib.sha256(reason.encode()).hexdigest()[:16] if reason else ""


def twin_id_of(one: Debtor, other: Debtor) -> str:
    return derived_id(*(part for place in sorted([one.place, other.place]) for part in place))


def _suspect(hub: Hub, work: Work, one: Debtor, other: Debtor, found: Judgement) -> None:
    """Two who may be one: a person is asked, and within one creditor's books nothing goes on meanwhile."""
    twin_id = twin_id_of(one, other)
    is_within = one.creditor_id == other.creditor_id
    first, second = sorted([one, other], key=lambda debtor: debtor.place)
    work.conn.execute(
        sa.insert(h.identity_twins).values(
            twin_id=twin_id, first_connection_id=first.connection_id, first_ref=first.debtor_ref,
            second_connection_id=second.connection_id, second_ref=second.debtor_ref, evidence=found.words, state=OPEN,
            creditor_id=one.creditor_id if is_within else None, found_at=work.now,
        )
    )  # fmt: skip
    open_task(
        work, kind=TASK, title="two debtors may be one: decide", detail=f"{twin_id}: {found.words}",
        creditor_id=one.creditor_id if is_within else None,
    )
    if is_within:
        for case_id in open_cases_of(work, one):
            case = work.book.held(case_id)
            if case is not None and case.is_open and not case.held_for(HOLD):
                fact = HoldSet(reason=HOLD, note=f"he may be debtor {other.debtor_ref} too: {found.words}")
                change_case(hub, work, case, [fact], actor="hub")


def open_cases_of(work: Work, one: Debtor) -> list[str]:
    query = sa.select(t.cases.c.case_id).where(
        t.cases.c.connection_id == one.connection_id, t.cases.c.debtor_ref == one.debtor_ref, t.cases.c.status != "closed"
    )
    found = list(work.conn.scalars(query.order_by(t.cases.c.case_id)))
    work.hold(found)
    return found


def members_of(conn: sa.Connection, identity_id: str) -> list[Debtor]:
    """Everybody of the books who has this identity."""
    query = DEBTORS.where(h.identity_members.c.identity_id == identity_id)
    return [debtor_of(row) for row in conn.execute(query.order_by(t.debtors.c.connection_id, t.debtors.c.debtor_ref))]
