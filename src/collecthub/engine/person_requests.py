"""What a person may ask about himself: to see what is held on him, and to be erased.

Erasing is refused while a legal ground remains, with the ground and the day on which it ends. Otherwise everything that names
him goes: master data, free words in histories, documents and messages. Amounts, dates and the chain of hashes stay: an
erased event keeps its hash, and the digest of what is left of it is in the audit trail, so that `verify` still proves both.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.identity import members_of
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.event import CaseEvent, HoldReleased, HoldSet, event_digest
from collecthub.model.ids import new_id
from collecthub.model.party import Party
from collecthub.model.plan import month_after
from collecthub.store import human_tables as h
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.case_log import case_row, read_cases, read_events, read_lines, replay
from collecthub.store.contact_tables import contacts, debtor_helpers, debtor_links, debtor_visits
from collecthub.store.facts import write_fact
from collecthub.store.queries.debtors import case_ids_of, one_debtor, only_operator
from collecthub.store.queries.scope import Scope, not_there

ACCESS, ERASURE = "access", "erasure"
OPEN, ANSWERED, REFUSED, DONE = "open", "answered", "refused", "done"
ANSWER_MONTHS = 1  # GDPR art. 12(3)
RETENTION_YEARS = 10  # books and the general limitation in Belgium: a closed case is kept so long (law.md, retention)
ERASED = "(erased)"
# Fields of facts in which people write, or that name somebody.
_WORDS = frozenset(
    "text note reason ground what name detail service authority purpose contact_person owner said title".split()
)


_CODES = frozenset({(HoldSet, "reason"), (HoldReleased, "reason")})  # which hold it is: no words of anybody


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person cannot be erased yet, and until when; None while the end is not known."""

    case_number: str
    reason: str
    until_on: dt.date | None


class RetainedError(PermanentError):
    """A legal ground to keep a person's data remains."""


def ask(work: Work, scope: Scope, identity_id: str, kind: str) -> str:
    """Note a request; it is to be answered within a month. Returns its id."""
    one_debtor(work.conn, scope, identity_id)
    if kind not in (ACCESS, ERASURE):
        raise PermanentError(f"{kind[:20]!r} cannot be asked", cure=f"Choose {ACCESS} or {ERASURE}.")
    request_id = new_id()
    work.conn.execute(
        sa.insert(h.person_requests).values(
            request_id=request_id, identity_id=identity_id, kind=kind, state=OPEN, asked_at=work.now,
            answer_by_on=month_after(work.now.date(), ANSWER_MONTHS),
        )
    )  # fmt: skip
    return request_id


def grounds(conn: sa.Connection, identity_id: str, today: dt.date) -> tuple[Ground, ...]:
    """What stands against erasing this person today."""
    found = []
    for case in read_cases(conn, t.cases.c.case_id.in_(case_ids_of(conn, identity_id))):
        if case.is_open:
            found.append(Ground(case_number=case.number, reason="the case is open: claims are being defended", until_on=None))
            continue
        until = month_after(case.changed_at.date(), 12 * RETENTION_YEARS)
        if until > today:
            reason = f"closed cases are kept {RETENTION_YEARS} years: bookkeeping and limitation"
            found.append(Ground(case_number=case.number, reason=reason, until_on=until))
    return tuple(found)


# --- access ---------------------------------------------------------------------------------------


def held_on(hub: Hub, scope: Scope, identity_id: str) -> tuple[str, bytes]:
    """Everything that is held on a person, as an archive: a folder a creditor, because each answers for its own part."""
    only_operator(scope, identity_id)
    kept = io.BytesIO()
    with hub.database.read() as conn, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        view = one_debtor(conn, scope, identity_id)
        for one in view.books:
            path = f"{one.creditor_id}/master-data-{hashlib.sha256(one.debtor_ref.encode()).hexdigest()[:8]}.json"
            archive.writestr(path, _pretty({"number": one.debtor_ref, "party": one.party, "evidence": one.evidence}))
        for case in read_cases(conn, t.cases.c.case_id.in_([one.case_id for one in view.cases])):
            _add_case(hub, conn, archive, case)
    return f"held-on-{view.number}.zip", kept.getvalue()


def _add_case(hub: Hub, conn: sa.Connection, archive: zipfile.ZipFile, case: Case) -> None:
    folder = f"{case.creditor_id}/{case.number}"
    archive.writestr(f"{folder}/case.json", _pretty(case))
    archive.writestr(f"{folder}/history.json", _pretty(read_events(conn, case.case_id)))
    archive.writestr(f"{folder}/ledger.json", _pretty(read_lines(conn, case.case_id)))
    said = conn.execute(sa.select(contacts).where(contacts.c.case_id == case.case_id)).all()
    for row in said:
        if row.sha256:
            archive.writestr(f"{folder}/messages/{row.contact_id}.txt", hub.evidence.read(row.sha256))
    papers = conn.execute(sa.select(t.documents).where(t.documents.c.case_id == case.case_id)).all()
    for place, row in enumerate(papers, 1):
        name = "".join(char if char.isalnum() or char in ".-_" else "_" for char in row.name)[-80:]
        archive.writestr(f"{folder}/documents/{place:02d}-{name}", hub.evidence.read(row.sha256))


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)


def answer_access(hub: Hub, scope: Scope, request_id: str) -> tuple[str, bytes]:
    """Make the archive of a request, and note that it was answered and with which bytes."""
    with hub.database.read() as conn:
        row = _request(conn, scope, request_id, ACCESS)
    made = held_on(hub, scope, row.identity_id)
    with hub.work() as work:
        digest = hashlib.sha256(made[1]).hexdigest()
        _decide(work, scope, row, ANSWERED, sha256=digest)
    return made


# --- erasure --------------------------------------------------------------------------------------


def erase(hub: Hub, scope: Scope, request_id: str) -> None:
    """Erase the person of a request. Raises `RetainedError` with the grounds; the request is then refused with them."""
    with hub.work() as work:
        row = _request(work.conn, scope, request_id, ERASURE)
        against = grounds(work.conn, row.identity_id, work.now.date())
        if against:
            said = "; ".join(
                f"case {one.case_number}: {one.reason}{f', until {one.until_on}' if one.until_on else ''}" for one in against
            )
            _decide(work, scope, row, REFUSED, reason=said)
        else:
            gone = _erase(work, row.identity_id)
            _decide(work, scope, row, DONE, reason=f"{len(gone)} papers and messages removed")
    if against:
        raise RetainedError(f"this person cannot be erased yet: {said}", cure="Tell him the ground; ask again after that day.")
    for sha256 in gone:
        hub.evidence.path(sha256).unlink(missing_ok=True)


def _erase(work: Work, identity_id: str) -> Sequence[str]:
    """Everything in the database, in one transaction. Returns the evidence that nobody else needs."""
    conn, books = work.conn, members_of(work.conn, identity_id)
    case_ids = case_ids_of(conn, identity_id)
    work.hold(case_ids)
    for case_id in case_ids:
        case = work.book.held(case_id)
        assert case is not None, "just read"
        _erase_case(work, case)
    for one in books:
        mine = {"connection_id": one.connection_id, "debtor_ref": one.debtor_ref}
        blank = msgspec.json.encode(_nobody(one.party)).decode()
        for table, values in (
            (t.debtors, {"party": blank, "account": "", "salt": ""}), (t.invoices, {"debtor_name": ERASED}),
            (h.identity_members, {"evidence": "", "digest": ""}), (h.identity_moves, {"reason": ERASED}),
        ):  # fmt: skip
            where = [table.c[name] == value for name, value in mine.items()]
            conn.execute(sa.update(table).where(*where).values(values))
        conn.execute(sa.delete(h.identity_keys).where(*(h.identity_keys.c[name] == value for name, value in mine.items())))
    return _papers(conn, case_ids)


def _nobody(party: Party) -> Party:
    return Party(name=ERASED, kind=party.kind, country=party.country)


def _erase_case(work: Work, case: Case) -> None:
    """The words go, the chain stays: what is left of each changed event has its digest noted."""
    conn, left = work.conn, {}
    events = read_events(conn, case.case_id)
    bare = [_without_words(event) for event in events]
    for event, kept in zip(events, bare, strict=True):
        if kept is not event:
            left[str(event.seq)] = event_digest(kept)
            doc = msgspec.json.encode(kept, order="deterministic").decode()
            mine = (t.events.c.case_id == case.case_id) & (t.events.c.seq == event.seq)
            conn.execute(sa.update(t.events).where(mine).values(doc=doc))
    folded = replay(bare)
    assert folded is not None, "every case has a history"
    erased = msgspec.structs.replace(folded, debtor=_nobody(case.debtor))
    conn.execute(sa.update(t.cases).where(t.cases.c.case_id == case.case_id).values(case_row(erased)))
    record = msgspec.json.encode(left, order="deterministic").decode()
    write_fact(conn, erasure_fact(case.case_id), record)
    append_audit(
        conn, now=work.now, actor="hub", action="case_erased", subject=case.case_id,
        detail=hashlib.sha256(record.encode()).hexdigest(),
    )
    tasks = t.tasks.c.case_id == case.case_id
    conn.execute(sa.update(t.tasks).where(tasks, t.tasks.c.detail != "").values(detail=ERASED))
    for table in (debtor_links, debtor_helpers, debtor_visits, t.case_clues, t.clued_cases):
        conn.execute(sa.delete(table).where(table.c.case_id == case.case_id))


def erasure_fact(case_id: str) -> str:
    """Under which name the digests of a case's erased events are kept."""
    return f"erased:{case_id}"


def _without_words(event: CaseEvent) -> CaseEvent:
    words: dict[str, Any] = {
        name: ERASED
        for name in event.fact.__struct_fields__
        if name in _WORDS and (type(event.fact), name) not in _CODES
        and type(value := getattr(event.fact, name)) is str and value
    }
    return msgspec.structs.replace(event, fact=msgspec.structs.replace(event.fact, **words)) if words else event


def _papers(conn: sa.Connection, case_ids: Sequence[str]) -> Sequence[str]:
    """Documents and messages of these cases leave the lists; their bytes go unless somebody else's case has the same."""
    gone: set[str] = set()
    for table in (t.documents, contacts):
        mine = table.c.case_id.in_(case_ids)
        gone |= {sha256 for sha256 in conn.scalars(sa.select(table.c.sha256).where(mine)) if sha256}
    conn.execute(sa.delete(t.documents).where(t.documents.c.case_id.in_(case_ids)))
    conn.execute(sa.update(contacts).where(contacts.c.case_id.in_(case_ids)).values(sha256="", receipt_ref="", problem=""))
    for table in (t.documents, contacts):
        gone -= set(conn.scalars(sa.select(table.c.sha256).where(table.c.sha256.in_(gone))))
    return sorted(gone)


# --- requests -------------------------------------------------------------------------------------


def _request(conn: sa.Connection, scope: Scope, request_id: str, kind: str) -> Any:
    only_operator(scope, request_id)
    row = conn.execute(sa.select(h.person_requests).where(h.person_requests.c.request_id == request_id)).first()
    if row is None or row.kind != kind:
        raise not_there("request", request_id)
    if row.state == DONE:
        raise PermanentError("this request was worked off", cure="Nothing is left to do.")
    return row


def _decide(work: Work, scope: Scope, row: Any, state: str, *, reason: str = "", sha256: str = "") -> None:
    work.conn.execute(
        sa.update(h.person_requests)
        .where(h.person_requests.c.request_id == row.request_id)
        .values(state=state, decided_at=work.now, decided_by=scope.subject, reason=reason, sha256=sha256)
    )
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action=f"request_{row.kind}_{state}", subject=row.identity_id,
        detail=row.request_id,
    )
