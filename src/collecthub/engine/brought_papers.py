"""Documents that partners bring: by the API, by folder or by mail, into the case that they name, or aside with the reason."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.documents import KeptDocument, add_documents, keep_document
from collecthub.engine.held_case import held_case
from collecthub.engine.page_guard import paper_type, safe_name
from collecthub.errors import QuarantineError
from collecthub.model.exchange import BroughtPaper, Decoded, Fault
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow
from collecthub.store.queries.scope import NotThereError, Role, Scope

UNKNOWN_CASE = "record.unknown_case"  # what came on a case before it did is read again when it comes


def add_partner_document(hub: Hub, work: Work, scope: Scope, case_id: str, kept: KeptDocument) -> str:
    """A document that the holder adds to the case. Returns its id; the same bytes are added once."""
    case = held_case(work, scope, case_id)
    (document_id,) = add_documents(hub, work, case, [kept], actor=f"partner:{scope.partner_id}")
    return document_id


def papers_left(hub: Hub, row: ConnectionRow, decoded: Decoded) -> list[Fault]:
    """Add documents to their cases, each in a transaction of its own and the same bytes once; returns those that stay aside."""
    left: list[Fault] = []
    for paper in () if decoded.is_test else decoded.papers:
        with hub.database.read() as conn:
            case_id = conn.scalar(_CASE, {"about": paper.about}) or paper.about
        try:
            _take(hub, row, paper, case_id)
        except QuarantineError as error:
            reason = f"{paper.name[:80]}: {error.message}"
            left.append(Fault(code=error.code, reason=reason, message_id=paper.message_id, case_id=case_id))
    return left


_CASE = sa.select(t.cases.c.case_id).where(t.cases.c.number == sa.bindparam("about"))


def _take(hub: Hub, row: ConnectionRow, paper: BroughtPaper, case_id: str) -> None:
    media_type = paper_type(paper.content)
    if not media_type:
        raise QuarantineError("it is no PDF, PNG or JPEG", code="document.type", cure="Ask the partner for one of these.")
    if not case_id:
        raise QuarantineError(
            "its name has no case number, and nothing beside it names one case", code="document.case",
            cure="Look at it, add it to its case, and ask the partner to begin the names of files with the case number.",
        )
    scope = Scope(role=Role.PARTNER, subject=f"partner:{row.partner_id}", partner_id=row.partner_id)
    kept = keep_document(hub, paper.content, name=safe_name(paper.name), kind="other", media_type=media_type)
    try:
        with hub.work() as work:
            add_partner_document(hub, work, scope, case_id, kept)
    except NotThereError as error:
        raise QuarantineError(
            f"no case {case_id} lies with this partner", code=UNKNOWN_CASE,
            cure="It is kept and can be retried when the case appears.",
        ) from error
