"""What goes when a person is erased: words in histories, ledgers and messages, papers, files exchanged, names at the bank.

Amounts, days and the chain of hashes stay. Files that name other people too stay as they are, and are counted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.identity import members_of
from collecthub.law.retention import CASE_FILE, MESSAGES, PAPERS, PAYMENTS, SCORES, TRAFFIC
from collecthub.model.booking import ledger_lines
from collecthub.model.case import Case
from collecthub.model.event import CaseEvent, HoldReleased, HoldSet, event_digest
from collecthub.model.party import Party
from collecthub.store import human_tables as h
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.case_log import case_row, read_events, replay
from collecthub.store.contact_tables import contacts, debtor_helpers, debtor_links, debtor_visits
from collecthub.store.facts import write_fact
from collecthub.store.queries.debtors import case_ids_of

ERASED = "(erased)"
# Fields of facts in which people write, or that name somebody.
_WORDS = frozenset(
    "text note reason ground what name detail service authority purpose contact_person owner said title".split()
)


_CODES = frozenset({(HoldSet, "reason"), (HoldReleased, "reason")})  # which hold it is: no words of anybody


_CASE_NUMBER = re.compile(rb"CH(?:-[0-9A-HJKMNP-TV-Z]{4}){2}-[0-9A-HJKMNP-TV-Z]{2}")
_AT_THE_BANK = ("payer_name", "payer_account", "text", "doubt")


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure removes from the disk: papers and messages, files exchanged; `shared` files name others and stay."""

    sha256s: tuple[str, ...]
    papers: int
    traffic: int
    shared: int

    @property
    def told(self) -> str:
        """In words, for the record of the request."""
        left = f"; {self.shared} files that name other people too are kept as they were" if self.shared else ""
        return f"{self.papers} papers and messages and {self.traffic} files exchanged removed{left}"


def erase_person(work: Work, identity_id: str, readable: Readable) -> Gone:
    """Everything in the database, in the caller's transaction; the bytes that nobody else needs are named, not yet removed."""
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
            (t.debtors, {"party": blank, "account": "", "salt": "", "kept_address": ""}), (t.invoices, {"debtor_name": ERASED}),
            (h.identity_members, {"evidence": "", "digest": ""}), (h.identity_moves, {"reason": ERASED}),
        ):  # fmt: skip
            where = [table.c[name] == value for name, value in mine.items()]
            conn.execute(sa.update(table).where(*where).values(values))
        conn.execute(sa.delete(h.identity_keys).where(*(h.identity_keys.c[name] == value for name, value in mine.items())))
    papers, traffic, shared = _papers(conn, case_ids), *_traffic(conn, case_ids, readable)
    return Gone(sha256s=(*papers, *traffic), papers=len(papers), traffic=len(traffic), shared=shared)


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
            _erase_basis(conn, case.currency, kept)
    _erase_outgoing(conn, case.case_id)
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




# --- ledger, messages, files, payments --------------------------------------------------------------


def _erase_basis(conn: sa.Connection, currency: str, kept: CaseEvent) -> None:
    """The reason that a person gave for a ledger line goes with the event's."""
    for number, line in enumerate(ledger_lines(currency, kept)):
        lines = t.ledger_lines
        mine = (lines.c.case_id == kept.case_id) & (lines.c.seq == kept.seq) & (lines.c.line == number)
        conn.execute(sa.update(lines).where(mine).values(basis=line.basis))


def _erase_outgoing(conn: sa.Connection, case_id: str) -> None:
    """The words of what partners were told; payments keep money, days and references."""
    for row in conn.execute(sa.select(t.messages.c.message_id, t.messages.c.doc).where(t.messages.c.case_id == case_id)).all():
        doc = _blanked(row.doc, _WORDS)
        conn.execute(sa.update(t.messages).where(t.messages.c.message_id == row.message_id).values(doc=doc, problem=""))
    for row in conn.execute(sa.select(t.payments.c.payment_id, t.payments.c.doc).where(t.payments.c.case_id == case_id)).all():
        doc = _blanked(row.doc, _AT_THE_BANK)
        mine = t.payments.c.payment_id == row.payment_id
        conn.execute(sa.update(t.payments).where(mine).values(doc=doc, note="", proposal=""))


def _blanked(doc: str, names: Collection[str]) -> str:
    said = msgspec.json.decode(doc) if doc else {}
    if not isinstance(said, dict):
        return doc
    bare = {key: ERASED if key in names and value and isinstance(value, str) else value for key, value in said.items()}
    return msgspec.json.encode(bare).decode()


class Readable(msgspec.Struct, frozen=True, kw_only=True):
    """Kept files in which a person's case numbers can be read: with no other number, and beside others."""

    alone: frozenset[str]
    mixed: frozenset[str]


def readable_files(hub: Hub, identity_id: str) -> Readable:
    """Look into everything that is kept; takes long, so it is done before the transaction that erases."""
    with hub.database.read() as conn:
        mine = t.cases.c.case_id.in_(case_ids_of(conn, identity_id))
        ours = {number.encode() for number in conn.scalars(sa.select(t.cases.c.number).where(mine))}
    alone: set[str] = set()
    mixed: set[str] = set()
    for path in hub.evidence.folder.glob("??/*"):
        named = set(_CASE_NUMBER.findall(path.read_bytes()))
        if named & ours:
            (alone if named <= ours else mixed).add(path.name)
    return Readable(alone=frozenset(alone), mixed=frozenset(mixed))


def _traffic(conn: sa.Connection, case_ids: Sequence[str], readable: Readable) -> tuple[Sequence[str], int]:
    """Files that tell of these cases alone, and how many tell of others too: by our own books, and by what can be read."""
    about: dict[str, set[str]] = {}
    for row in conn.execute(_ENVELOPES, {"cases": list(case_ids)}):
        about.setdefault(row.sha256, set()).add(row.case_id)
    alone = {sha256 for sha256, found in about.items() if found <= set(case_ids)} | readable.alone
    mixed = (set(about) - alone) | readable.mixed
    return sorted(alone - mixed), len(mixed)


_MINE = sa.select(t.messages.c.envelope_id).where(t.messages.c.case_id.in_(sa.bindparam("cases", expanding=True)))
_ENVELOPES = (
    sa.select(t.envelopes.c.sha256, t.messages.c.case_id)
    .join(t.messages, t.messages.c.envelope_id == t.envelopes.c.envelope_id)
    .where(t.envelopes.c.envelope_id.in_(_MINE))
)


# --- what there is ------------------------------------------------------------------------------------


def counts_of(conn: sa.Connection, case_ids: Sequence[str]) -> Mapping[str, int]:
    """How many items of each kind of data the hub holds on these cases."""

    def count(column: sa.Column[Any], *more: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(column.table).where(column.in_(case_ids), *more)
        return int(conn.scalar(query) or 0)

    return {
        CASE_FILE: len(case_ids), PAPERS: count(t.documents.c.case_id), MESSAGES: count(contacts.c.case_id),
        SCORES: count(t.events.c.case_id, t.events.c.kind.in_(("debtor_scored", "solvency_checked"))),
        TRAFFIC: count(t.messages.c.case_id), PAYMENTS: count(t.payments.c.case_id),
    }  # fmt: skip
