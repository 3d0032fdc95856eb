"""A creditor states his general terms once; the rules are told them of every case whose invoices are under them."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.errors import PermanentError
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.model.circumstances import CLAUSE_KINDS, Clause, InterestTerms
from collecthub.model.codes import Status
from collecthub.model.general_terms import ACCEPTED_BY, GeneralTerms
from collecthub.model.ids import new_id
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.general_terms import read_general_terms, write_general_terms
from collecthub.store.network_tables import general_terms as g
from collecthub.store.queries.case_file import check_creditor
from collecthub.store.queries.scope import Scope, not_there, owned_by

LONGEST_DOCUMENT = 5_000_000


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of the terms of a creditor; `document` are the bytes of their text."""

    from_on: dt.date
    until_on: dt.date | None = None
    accepted_by: str
    language: str = ""
    clauses: tuple[Clause, ...] = ()
    interest: InterestTerms | None = None
    document_name: str = ""
    document: bytes = b""


def state_terms(hub: Hub, work: Work, scope: Scope, creditor_id: str, stated: Stated) -> GeneralTerms:
    """Keep it beside what was said before, and have the creditor's open cases checked anew.

    The same said twice is kept once. Raises `PermanentError` for what cannot be, `NotThereError` for another's creditor.
    """
    check_creditor(work.conn, scope, creditor_id)
    problem = _wrong(stated)
    if problem:
        raise PermanentError(problem, cure="Correct it and state the terms again.")
    said = msgspec.structs.asdict(stated)
    content = said.pop("document")
    said["clauses"] = tuple(msgspec.structs.replace(one, document_kind=stated.accepted_by) for one in stated.clauses)
    made = GeneralTerms(
        **said, terms_id=new_id(), creditor_id=creditor_id, stated_by=scope.subject, stated_at=work.now,
        document_sha256=hub.evidence.keep(content) if content else "",
    )  # fmt: skip
    known = next(iter(read_general_terms(work.conn, g.c.creditor_id == creditor_id)), None)
    if known is not None and known == msgspec.structs.replace(
        made, terms_id=known.terms_id, stated_by=known.stated_by, stated_at=known.stated_at
    ):
        return known
    write_general_terms(work.conn, made)
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action="general_terms.stated", subject=creditor_id, detail=made.terms_id
    )
    _look_again(work, creditor_id)
    return made


def _wrong(stated: Stated) -> str:
    known = bundled_atlas().countries
    strange = next((one.country for one in stated.clauses if one.country and one.country not in known), "")
    return (
        "the terms end before they begin" if stated.until_on is not None and stated.until_on < stated.from_on
        else f"terms are accepted by one of {', '.join(ACCEPTED_BY)}" if stated.accepted_by not in ACCEPTED_BY
        else f"{strange[:40]!r} is no country of ISO 3166-1" if strange
        else f"a clause is one of {', '.join(CLAUSE_KINDS)}" if any(one.kind not in CLAUSE_KINDS for one in stated.clauses)
        else "the document is larger than 5 MB" if len(stated.document) > LONGEST_DOCUMENT
        else ""
    )  # fmt: skip


def _look_again(work: Work, creditor_id: str) -> None:
    """The check of a creditor's cases takes those that were not checked with what is known today."""
    open_ones = (t.cases.c.creditor_id == creditor_id) & (t.cases.c.status != Status.CLOSED.value)
    work.conn.execute(sa.update(t.cases).where(open_ones).values(checked=""))
    work.wake("check", creditor_id)


def list_terms(conn: sa.Connection, scope: Scope, creditor_id: str = "") -> tuple[GeneralTerms, ...]:
    """Every statement of a creditor, or of all that the scope sees; the newest first. Raises `NotThereError`."""
    if creditor_id:
        check_creditor(conn, scope, creditor_id)
        return read_general_terms(conn, g.c.creditor_id == creditor_id)
    return read_general_terms(conn, owned_by(scope, g.c.creditor_id))


def read_terms_document(hub: Hub, conn: sa.Connection, scope: Scope, terms_id: str) -> tuple[str, bytes]:
    """Name and bytes of the text of the terms. Raises `NotThereError` where there is none for the scope."""
    found = read_general_terms(conn, g.c.terms_id == terms_id, owned_by(scope, g.c.creditor_id))
    if not found or not found[0].document_sha256:
        raise not_there("document of general terms", terms_id)
    return found[0].document_name, hub.evidence.read(found[0].document_sha256)
