"""Documents as programs send them: the body is the file, its name and kind stand in the query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from collecthub.engine.context import Hub, Work
from collecthub.engine.documents import KeptDocument, keep_document
from collecthub.engine.page_guard import safe_name
from collecthub.store.queries.scope import Scope
from collecthub.web.answers import answer
from collecthub.web.api.once import once
from collecthub.web.problems import ProblemError

DOCUMENT_KINDS = ("invoice", "contract", "reminder", "statement", "correspondence", "judgment", "other")
FileName = Annotated[str, Query(min_length=1, max_length=140, pattern=r"^[^\x00-\x1f/\\]+$")]
DocumentKind = Annotated[str, Query(description=f"One of {', '.join(DOCUMENT_KINDS)}.")]
BYTES: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class DocumentAdded(msgspec.Struct, frozen=True, kw_only=True):
    """The document is kept."""

    document_id: str
    sha256: str


class Door(msgspec.Struct, frozen=True):
    """Who sends a document to what: `check` raises when the case is not there, `add` makes it known and returns its id."""

    hub: Hub
    scope: Scope
    key: tuple[str, str]
    check: Callable[[Work], object]
    add: Callable[[Work, KeptDocument], str]


async def take_document(request: Request, door: Door, name: str, kind: str) -> Response:
    """Keep the body as a document, once for a key. Nothing is stored for a case that is not there."""
    content = await request.body()
    if kind not in DOCUMENT_KINDS:
        raise ProblemError("invalid-query", f"The kind must be one of {', '.join(DOCUMENT_KINDS)}.")
    if not content:
        raise ProblemError("validation", "The body is empty.", cure="Send the document's bytes.")
    media_type = request.headers.get("content-type", "application/octet-stream").partition(";")[0][:100]
    return await run_in_threadpool(_keep, door, name, kind, media_type, content)


def _keep(door: Door, name: str, kind: str, media_type: str, content: bytes) -> Response:
    with door.hub.work() as work:
        door.check(work)
    kept = keep_document(door.hub, content, name=safe_name(name), kind=kind, media_type=media_type)
    return once(door.hub, door.scope, door.key, lambda work: answer(
        DocumentAdded(document_id=door.add(work, kept), sha256=kept.sha256), 201))  # fmt: skip
