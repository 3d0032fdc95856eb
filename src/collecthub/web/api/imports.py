"""Cases from a file: save how its columns are read, look at a preview, import."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from collecthub.engine import intake_file
from collecthub.engine.context import Hub
from collecthub.store.queries.paging import Listed
from collecthub.store.queries.scope import Scope
from collecthub.web.answers import answer, documented
from collecthub.web.api.fields import Id, Inbound, Line
from collecthub.web.api.intake import creditor_for
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(tags=["imports"], route_class=StrictRoute)
_BYTES = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
FileName = Annotated[str, Query(min_length=1, max_length=140, description="Name of the file, for messages.")]
MappingId = Annotated[str, Query(min_length=1, max_length=64)]


class MappingIn(Inbound):
    """Which column holds which field, how dates and amounts are written, and what fills gaps."""

    creditor_id: Id | None = None
    name: Line
    columns: dict[Line, Line]
    defaults: Annotated[dict[Line, Line], Field(default_factory=dict)]
    date_format: Line = "YYYY-MM-DD"
    decimal_mark: Literal[".", ","] = "."


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """The mapping is kept."""

    mapping_id: str


@router.get("/mappings", summary="List mappings", responses=documented(Listed[intake_file.SavedMapping]))
async def read_mappings(hub: TheHub, scope: CreditorSide) -> Response:
    """How the columns of files are read."""
    with hub.database.read() as conn:
        return answer(Listed(items=intake_file.read_mappings(conn, scope)))


@router.post("/mappings", summary="Save a mapping", status_code=201, responses=documented(Mapped, 201))
def save_mapping(hub: TheHub, scope: CreditorSide, body: MappingIn) -> Response:
    """The same name replaces the mapping before."""
    mapping = intake_file.FileMapping(
        name=body.name, columns=body.columns, defaults=body.defaults, date_format=body.date_format,
        decimal_mark=body.decimal_mark,
    )
    with hub.work() as work:
        mapping_id = intake_file.save_mapping(work, scope, creditor_for(scope, body.creditor_id), mapping)
    return answer(Mapped(mapping_id=mapping_id), 201)


@router.post("/imports/preview", summary="Look before importing", openapi_extra=_BYTES, responses=documented(Listed[intake_file.PreviewRow]))
async def preview(
    request: Request, hub: TheHub, scope: CreditorSide, mapping_id: MappingId, name: FileName
) -> Response:
    """The body is the CSV or XLSX file. Nothing is kept."""
    content = await request.body()
    return await run_in_threadpool(_preview, hub, scope, mapping_id, name, content)


def _preview(hub: Hub, scope: Scope, mapping_id: str, name: str, content: bytes) -> Response:
    with hub.database.read() as conn:
        saved = intake_file.read_mapping(conn, scope, mapping_id)
    return answer(Listed(items=intake_file.preview_file(content, name, saved.mapping)))


@router.post(
    "/imports", summary="Import a file", openapi_extra=_BYTES,
    responses=documented(intake_file.Imported, description="What became of every row."),
)
async def import_file(
    request: Request, hub: TheHub, scope: CreditorSide, mapping_id: MappingId, name: FileName
) -> Response:
    """The body is the CSV or XLSX file. Every good row enters; the same file again opens nothing twice."""
    content = await request.body()
    return await run_in_threadpool(_import, hub, scope, mapping_id, name, content)


def _import(hub: Hub, scope: Scope, mapping_id: str, name: str, content: bytes) -> Response:
    with hub.database.read() as conn:
        saved = intake_file.read_mapping(conn, scope, mapping_id)
    return answer(intake_file.import_file(hub, scope, saved.creditor_id, content, name, saved.mapping))
