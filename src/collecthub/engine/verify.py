"""Check the hub's own memory: every hash chain, every fold, every ledger, the copies that queries look at, the evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub
from collecthub.engine.erasing import erasure_fact
from collecthub.model.booking import ledger_lines
from collecthub.model.case import Case
from collecthub.model.event import CaseEvent, written_digest
from collecthub.model.history import apply
from collecthub.model.ledger import Balance, LedgerLine, add_lines
from collecthub.store import tables as t
from collecthub.store.case_log import GENESIS, case_row, event_row, read_case, read_lines
from collecthub.store.facts import read_fact
from collecthub.wire.decoders import decoder

CASES_PER_CHUNK = 200
_NOT_COPIED = frozenset({"doc", "checked"})  # `checked` says when the rules were asked, also where nothing new came of it


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it was written. `seq` is the first event concerned; evidence belongs to no one case."""

    case_id: str
    number: str
    seq: int
    problem: str


def verify(hub: Hub) -> tuple[int, tuple[Finding, ...]]:
    """Number of cases checked and what is wrong: of each case the first finding, then the evidence that was changed."""
    checked = 0
    findings: list[Finding] = []
    for case_id, number, events in _histories(hub):
        checked += 1
        finding = _check(hub, case_id, number, events)
        if finding is not None:
            findings.append(finding)
    return checked, (*findings, *_without_case(hub), *_evidence(hub))


def _without_case(hub: Hub) -> Iterator[Finding]:
    """Histories and ledger lines whose case is gone."""
    for table, what in ((t.events, "history"), (t.ledger_lines, "ledger")):
        query = sa.select(table.c.case_id).distinct().except_(sa.select(t.cases.c.case_id))
        with hub.database.read() as conn:
            for case_id in conn.scalars(query):
                yield Finding(case_id=case_id, number="", seq=1, problem=f"the {what} is there, its case is not")


def _evidence(hub: Hub) -> Iterator[Finding]:
    """Pieces of evidence that are not as they were kept, and those that documents and open quarantine entries lack."""
    for sha256 in hub.evidence.changed():
        yield Finding(case_id="", number="", seq=0, problem=f"evidence {sha256} was changed after it was kept")
    documents = sa.select(t.documents.c.case_id, t.documents.c.sha256, t.documents.c.name)
    quarantine = sa.select(t.quarantine.c.case_id, t.quarantine.c.sha256, t.quarantine.c.quarantine_id).where(
        t.quarantine.c.state == "open"
    )
    for query, what in ((documents, "document"), (quarantine, "quarantine entry")):
        with hub.database.read() as conn:
            for case_id, sha256, name in conn.execute(query):
                if sha256 and not hub.evidence.path(sha256).exists():
                    yield Finding(case_id=case_id or "", number="", seq=0, problem=f"the bytes of {what} {name} are gone ({sha256})")


Written = tuple[CaseEvent, sa.RowMapping]  # an event, and the row that it stands in


def _histories(hub: Hub) -> Iterator[tuple[str, str, list[Written]]]:
    decode = decoder(CaseEvent).decode
    after = ""
    while True:
        with hub.database.read() as conn:
            chunk = conn.execute(
                sa.select(t.cases.c.case_id, t.cases.c.number)
                .where(t.cases.c.case_id > after)
                .order_by(t.cases.c.case_id)
                .limit(CASES_PER_CHUNK)
            ).all()
            if not chunk:
                return
            by_case: dict[str, list[Written]] = {row.case_id: [] for row in chunk}
            query = (
                sa.select(t.events)
                .where(t.events.c.case_id.in_(list(by_case)))
                .order_by(t.events.c.case_id, t.events.c.seq)
            )
            for row in conn.execute(query).mappings():
                by_case[row["case_id"]].append((decode(row["doc"]), row))
        for one in chunk:
            yield one.case_id, one.number, by_case[one.case_id]
        after = chunk[-1].case_id


def _check(hub: Hub, case_id: str, number: str, events: list[Written]) -> Finding | None:
    def finding(seq: int, problem: str) -> Finding:
        return Finding(case_id=case_id, number=number, seq=seq, problem=problem)

    previous, case = GENESIS, None
    lines: list[LedgerLine] = []
    for position, (event, row) in enumerate(events, start=1):
        if event.seq != position:
            return finding(position, f"event {position} is missing")
        digest = written_digest(row["doc"], event.hash)
        is_written = digest == event.hash or digest == _erased(hub, case_id).get(str(event.seq))
        if event.previous_hash != previous or not is_written:
            return finding(position, f"event {position} was changed after it was written")
        case = apply(case, event)
        if differ := [name for name, value in event_row(case, event).items() if name != "doc" and row[name] != value]:
            return finding(position, f"beside event {position} stands another {', '.join(differ)} than in it")
        lines += ledger_lines(case.currency, event)
        previous = event.hash
    if case is None:
        return finding(1, "the case has no history")
    with hub.database.read() as conn:
        stored = read_case(conn, case_id)
        booked = read_lines(conn, case_id)
        row = conn.execute(sa.select(t.cases).where(t.cases.c.case_id == case_id)).mappings().one()
    if stored and (differ := [name for name, value in case_row(stored).items() if name not in _NOT_COPIED and row[name] != value]):
        return finding(case.version, f"beside the case stands another {', '.join(differ)} than in it")
    return _compare(case, stored, lines, booked, finding)


def _erased(hub: Hub, case_id: str) -> dict[str, str]:
    """The digests of events whose words were erased at a person's request, as the audit trail vouches for them."""
    with hub.database.read() as conn:
        record = read_fact(conn, erasure_fact(case_id))
        if record is None:
            return {}
        digest = hashlib.sha256(record.encode()).hexdigest()
        mine = (t.audit.c.subject == case_id) & (t.audit.c.action == "case_erased") & (t.audit.c.detail == digest)
        vouched = conn.scalar(sa.select(t.audit.c.position).where(mine))
    return msgspec.json.decode(record, type=dict[str, str]) if vouched is not None else {}


def _compare(
    case: Case, stored: Case | None, lines: Sequence[LedgerLine], booked: Sequence[LedgerLine],
    finding_at: Callable[[int, str], Finding],
) -> Finding | None:  # fmt: skip
    if stored is None or stored.last_hash != case.last_hash:
        return finding_at(case.version, "the history was cut or extended behind the case's back")
    balance = add_lines(Balance(currency=case.currency), lines)
    if list(map(_told, lines)) != list(map(_told, booked)):
        says = add_lines(Balance(currency=case.currency), booked).total
        return finding_at(case.version, f"the ledger's lines are not the history's: it says {says}, the history {balance.total}")
    if stored.balance != balance or stored.status != case.status:
        return finding_at(case.version, "the case page differs from its history")
    return None


def _told(line: LedgerLine) -> tuple[object, ...]:
    """What a line says of the money; the words of its basis may be erased or told better by a later release."""
    return line.kind, line.amount, line.currency, line.booked_on, line.bearer, line.claim_id, line.reference
