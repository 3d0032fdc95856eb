"""Documents of a case: fetched for the invoices that enter one, kept as evidence."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.context import Hub
from collecthub.errors import CollecthubError
from collecthub.model.case import Case
from collecthub.model.event import (
    DocumentAdded,
)
from collecthub.model.ids import derived_id
from collecthub.ports import (
    DocumentSource,
    InvoiceDocument,
)
from collecthub.store import tables as t
from collecthub.store.connections import (
    ConnectionRow,
)

log = logging.getLogger(__name__)

DOCUMENTS_PER_CASE = 10


def read_documents(hub: Hub, row: ConnectionRow, opened: Sequence[Case]) -> None:
    """Fetch the invoices' own documents for new cases. A missing document never stops a case."""
    source = hub.connector(row.connection_id)
    if not isinstance(source, DocumentSource):
        return
    owners = {
        claim.claim_id: case
        for case in opened
        for claim in [c for c in case.claims if c.document_ref][:DOCUMENTS_PER_CASE]
    }
    if not owners:
        return
    try:
        found = list(hub.walk(f"{row.kind}.documents", row.connection_id)(source.documents(list(owners))))
    except CollecthubError as error:
        log.warning("documents of connection %s could not be read: %s", row.connection_id, error.message)
        return
    by_case: dict[str, list[InvoiceDocument]] = {}
    for document in found:
        if document.item_ref in owners:
            by_case.setdefault(owners[document.item_ref].case_id, []).append(document)
    for case_id, documents in by_case.items():
        add_documents(hub, case_id, documents, actor=f"connection:{row.connection_id}")


def add_documents(hub: Hub, case_id: str, found: Sequence[InvoiceDocument], actor: str, kind: str = "invoice") -> None:
    """Keep documents as evidence and note them on the case."""
    stored = [(document, hub.evidence.keep(document.content)) for document in found]
    with hub.work() as work:
        case = locked_case(work, case_id)
        facts = []
        for sha256, document in {sha256: document for document, sha256 in stored}.items():
            document_id = derived_id(case_id, sha256)
            if work.conn.scalar(sa.select(t.documents.c.name).where(t.documents.c.document_id == document_id)):
                continue  # the same bytes are on the case already
            work.conn.execute(
                sa.insert(t.documents).values(
                    document_id=document_id, case_id=case_id, creditor_id=case.creditor_id, name=document.name[:140],
                    kind=kind, media_type=document.media_type, sha256=sha256, size=len(document.content),
                    added_by=actor, created_at=work.now,
                )
            )
            facts.append(
                DocumentAdded(document_id=document_id, name=document.name[:140], document_kind=kind, sha256=sha256)
            )
        if facts:
            change_case(hub, work, case, facts, actor=actor)
