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
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.erasing import Readable, counts_of, erase_person, readable_files
from collecthub.errors import PermanentError
from collecthub.law.retention import CASE_FILE, RetentionRule, retention
from collecthub.model.case import Case
from collecthub.model.ids import new_id
from collecthub.model.plan import month_after
from collecthub.store import human_tables as h
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.case_log import read_cases, read_events, read_lines
from collecthub.store.contact_tables import contacts
from collecthub.store.queries.debtors import case_ids_of, one_debtor, only_operator
from collecthub.store.queries.scope import Scope, not_there

ACCESS, ERASURE = "access", "erasure"
OPEN, ANSWERED, REFUSED, DONE = "open", "answered", "refused", "done"
ANSWER_MONTHS = 1  # GDPR art. 12(3)
class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person cannot be erased yet, and until when; None while the end is not known."""

    case_number: str
    reason: str
    until_on: dt.date | None


class RetainedError(PermanentError):
    """A legal ground to keep a person's data remains."""


def ask(work: Work, scope: Scope, identity_id: str, kind: str) -> str:
    """Note a request; it is to be answered within a month. Returns its id; who asks twice waits for one answer."""
    one_debtor(work.conn, scope, identity_id)
    if kind not in (ACCESS, ERASURE):
        raise PermanentError(f"{kind[:20]!r} cannot be asked", cure=f"Choose {ACCESS} or {ERASURE}.")
    r = h.person_requests.c
    open_id = work.conn.scalar(sa.select(r.request_id).where(r.identity_id == identity_id, r.kind == kind, r.state == OPEN))
    if open_id is not None:
        return str(open_id)
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
        rule = retention()[CASE_FILE]
        until = rule.until(case.changed_at.date())
        if until > today:
            reason = f"closed cases are kept {rule.years} years: {rule.ground}"
            found.append(Ground(case_number=case.number, reason=reason, until_on=until))
    return tuple(found)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of data on a person: how many items, by which rule, until when; None while a case is open."""

    rule: RetentionRule
    items: int
    until_on: dt.date | None


def what_is_kept(conn: sa.Connection, identity_id: str) -> tuple[Kept, ...]:
    """Every kind of data that is held on a person, with the stored rule that says how long and why."""
    cases = list(read_cases(conn, t.cases.c.case_id.in_(case_ids_of(conn, identity_id))))
    last = max((case.changed_at.date() for case in cases), default=None)
    is_open = last is None or any(case.is_open for case in cases)
    counts = counts_of(conn, [case.case_id for case in cases])
    return tuple(
        Kept(rule=rule, items=counts[name], until_on=None if is_open or last is None else rule.until(last))
        for name, rule in retention().items()
        if counts[name]
    )


# --- access ---------------------------------------------------------------------------------------


def held_on(hub: Hub, scope: Scope, identity_id: str) -> tuple[str, bytes]:
    """Everything that is held on a person, as an archive: a folder a creditor, because each answers for its own part."""
    only_operator(scope, identity_id)
    kept = io.BytesIO()
    with hub.database.read() as conn, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        view = one_debtor(conn, scope, identity_id)
        archive.writestr("what-is-kept-and-why.json", _pretty(what_is_kept(conn, identity_id)))
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
    with hub.database.read() as conn:
        row = _request(conn, scope, request_id, ERASURE)
        is_kept = bool(grounds(conn, row.identity_id, hub.business_date()))
    readable = Readable(alone=frozenset(), mixed=frozenset()) if is_kept else readable_files(hub, row.identity_id)
    gone, said = None, ""
    with hub.work() as work:
        row = _request(work.conn, scope, request_id, ERASURE)
        if against := grounds(work.conn, row.identity_id, work.now.date()):
            said = "; ".join(map(_told, against))
            _decide(work, scope, row, REFUSED, reason=said)
        else:
            gone = erase_person(work, row.identity_id, readable)
            _decide(work, scope, row, DONE, reason=gone.told)
    if gone is None:
        raise RetainedError(f"this person cannot be erased yet: {said}", cure="Tell him the ground; ask again after that day.")
    for sha256 in gone.sha256s:
        hub.evidence.path(sha256).unlink(missing_ok=True)


def _told(ground: Ground) -> str:
    until = f", until {ground.until_on}" if ground.until_on else ""
    return f"case {ground.case_number}: {ground.reason}{until}"


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
