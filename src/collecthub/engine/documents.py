"""Documents of a case: kept as evidence, on its list and in its history, the same bytes once.

Those of invoices that enter a case are fetched before the case is opened and noted in the transaction that opens it: a crash between the two costs
a second fetch and no document, and no case file leaves before its documents are there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case
from collecthub.engine.context import Hub, Work
from collecthub.errors import CollecthubError, RetryableError
from collecthub.model.case import Case
from collecthub.model.event import DocumentAdded
from collecthub.model.ids import derived_id
from collecthub.ports import DocumentSource
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow

log = logging.getLogger(__name__)

DOCUMENTS_PER_CASE = 10
NAME_LONGEST = 140
AT_ONCE, SMALLEST_SHARE = 4, 50  # a list is fetched in so many shares side by side, unless they get too small


class KeptDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document whose bytes are evidence already."""

    name: str
    kind: str
    media_type: str
    sha256: str
    size: int


def keep_document(hub: Hub, content: bytes, *, name: str, kind: str, media_type: str) -> KeptDocument:
    """Make a document's bytes evidence."""
    return KeptDocument(
        name=name[:NAME_LONGEST], kind=kind, media_type=media_type, sha256=hub.evidence.keep(content), size=len(content)
    )


def fetch_documents(hub: Hub, row: ConnectionRow, item_refs: Sequence[str]) -> dict[str, list[KeptDocument]]:
    """The documents of these invoices by invoice, kept as evidence. A missing document never stops a case.

    Raises `RetryableError` when the source is away for the moment: its documents are not missing.
    """
    source = hub.connector(row.connection_id)
    if not isinstance(source, DocumentSource) or not item_refs:
        return {}
    size = max(SMALLEST_SHARE, -(-len(item_refs) // AT_ONCE))
    shares = [item_refs[start : start + size] for start in range(0, len(item_refs), size)]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="documents") as pool:
        parts = list(pool.map(lambda share: _fetch(hub, row, source, share), shares))
    return {item_ref: kept for part in parts for item_ref, kept in part.items()}


def _fetch(
    hub: Hub, row: ConnectionRow, source: DocumentSource, item_refs: Sequence[str]
) -> dict[str, list[KeptDocument]]:
    wanted = set(item_refs)
    found: dict[str, list[KeptDocument]] = {}
    try:
        for document in hub.walk(f"{row.kind}.documents", row.connection_id)(source.documents(list(item_refs))):
            if document.item_ref in wanted:
                found.setdefault(document.item_ref, []).append(
                    keep_document(hub, document.content, name=document.name, kind="invoice", media_type=document.media_type)
                )
    except RetryableError:
        raise
    except CollecthubError as error:
        log.warning("documents of connection %s could not be read: %s", row.connection_id, error.message)
    return found


def note_documents(
    work: Work, case_id: str, creditor_id: str, kept: Iterable[KeptDocument], *, actor: str
) -> list[DocumentAdded]:
    """Put kept documents on a new case's list and return the facts to record; the same bytes stand there once."""
    rows: list[dict[str, object]] = [
        {
            "document_id": derived_id(case_id, document.sha256), "case_id": case_id, "creditor_id": creditor_id,
            "name": document.name, "kind": document.kind, "media_type": document.media_type, "sha256": document.sha256,
            "size": document.size, "added_by": actor, "created_at": work.now,
        }
        for document in {document.sha256: document for document in kept}.values()
    ]
    work.later(_ADD_DOCUMENTS, rows)
    return [
        DocumentAdded(
            document_id=str(row["document_id"]), name=str(row["name"]), document_kind=str(row["kind"]), sha256=str(row["sha256"])
        )
        for row in rows
    ]


_ADD_DOCUMENTS = sa.insert(t.documents)


def add_documents(hub: Hub, work: Work, case: Case, kept: Sequence[KeptDocument], *, actor: str) -> list[str]:
    """Put kept documents into a case that is there; what it has already stays as it is. Returns their ids."""
    known = set(work.conn.scalars(sa.select(t.documents.c.sha256).where(t.documents.c.case_id == case.case_id)))
    new = [document for document in kept if document.sha256 not in known]
    if new:
        change_case(hub, work, case, note_documents(work, case.case_id, case.creditor_id, new, actor=actor), actor=actor)
    return [derived_id(case.case_id, document.sha256) for document in kept]
