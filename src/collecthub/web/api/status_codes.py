"""Status codes by API: what a partner's code means here, what is lost, what stays open; a whole table at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.engine.context import Hub
from collecthub.engine.heard import Heard, heard
from collecthub.errors import PermanentError
from collecthub.model.crosswalk import TableReport, Translation, report, table_named, translation, with_rows
from collecthub.model.status_tables import StatusTable, status_tables
from collecthub.store.queries.paging import Listed, QueryError
from collecthub.web.answers import answer, documented
from collecthub.web.auth import Anyone, Operator, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/status-codes", tags=["status codes"], route_class=StrictRoute)
Vocabulary = Annotated[str, Query(max_length=64, description="Name of a table, such as riverty.")]


def _tables(hub: Hub) -> Mapping[str, StatusTable]:
    return with_rows(status_tables(), hub.plugins.codes, hub.business_date())


def _table(hub: Hub, vocabulary: str) -> StatusTable:
    try:
        return table_named(_tables(hub), vocabulary)
    except PermanentError as error:
        raise QueryError(error.message, cure=error.cure) from error


@router.get("", summary="List tables", responses=documented(Listed[str]))
async def read_vocabularies(hub: TheHub, _scope: Anyone) -> Response:
    """The vocabularies that the hub can translate."""
    return answer(Listed(items=tuple(sorted(_tables(hub)))))


@router.get("/translation", summary="Translate a code", responses=documented(Translation))
async def read_translation(
    hub: TheHub, _scope: Anyone, vocabulary: Vocabulary, code: Annotated[str, Query(max_length=140)]
) -> Response:
    """The verdict says how sure it is; what is ambiguous, unmapped or unknown is left to a person."""
    return answer(translation(_table(hub, vocabulary), code))


@router.get("/report", summary="Report on a table", responses=documented(TableReport))
async def read_report(hub: TheHub, _scope: Anyone, vocabulary: Vocabulary) -> Response:
    """Every code with its verdict, and the words of the hub that no code says."""
    return answer(report(_table(hub, vocabulary)))


@router.get("/heard", summary="What was lost so far", responses=documented(Heard))
def read_heard(hub: TheHub, scope: Operator, partner: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Every code that partners reported, how often, what it lost, and what waits for a person."""
    with hub.database.read() as conn:
        return answer(heard(hub, conn, scope, partner))
