"""Cases: list, detail, and everything that is read of one."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from collecthub.engine.context import Hub
from collecthub.engine.sensitive_desk import open_document
from collecthub.errors import PermanentError
from collecthub.model.money import parse_amount
from collecthub.store.queries import case_file
from collecthub.store.queries.cases import SORTS, CaseFilter, CaseSummary, list_cases
from collecthub.store.queries.paging import Listed, PageRequest, QueryError
from collecthub.store.queries.scope import Scope, not_there
from collecthub.web.answers import answer, documented, documented_file, documented_versioned, download
from collecthub.web.api.fields import Paging
from collecthub.web.api.once import HeldTag, versioned
from collecthub.web.auth import Anyone, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/cases", tags=["cases"], route_class=StrictRoute)


Word = Annotated[str, Query(max_length=140)]


@router.get("", summary="List cases", responses=documented(Listed[CaseSummary], description="One page of cases."))
async def read_list(
    hub: TheHub, scope: Anyone, page: Paging,
    status: Word = "", phase: Word = "", route: Word = "", country: Word = "", segment: Word = "", hold: Word = "",
    debtor: Word = "", creditor: Word = "", partner: Word = "", currency: Word = "", q: Word = "",
    min_amount: Annotated[str, Query(max_length=30, description="Least total owed; needs `currency`.")] = "",
    max_amount: Annotated[str, Query(max_length=30, description="Most total owed; needs `currency`.")] = "",
    is_open: Annotated[bool | None, Query(description="Only open, or only closed, cases.")] = None,
    sort: Annotated[str, Query(max_length=20, description=f"One of {', '.join(SORTS)}.")] = "-opened_at",
) -> Response:
    """Amounts are compared in one currency; `q` looks at names, numbers and references."""
    wanted = CaseFilter(
        status=status, phase=phase, route=route, country=country, segment=segment, hold=hold, debtor=debtor,
        creditor=creditor, partner=partner, currency=currency, q=q, is_open=is_open,
        minimum=_amount(min_amount),
        maximum=_amount(max_amount),
    )
    if q:  # looks at every row, so it leaves the event loop to others
        return await run_in_threadpool(_page, hub, scope, wanted, page, sort)
    return _page(hub, scope, wanted, page, sort)  # a short indexed read: several times quicker than in the pool


def _page(hub: Hub, scope: Scope, wanted: CaseFilter, page: PageRequest, sort: str) -> Response:
    with hub.database.read() as conn:
        return answer(list_cases(conn, scope, hub.key, wanted, page, sort))


def _amount(text: str) -> Decimal | None:
    try:
        return parse_amount(text) if text else None
    except PermanentError as error:
        raise QueryError(error.message, cure=error.cure) from error


@router.get("/{case_id}", summary="One case", responses=documented_versioned(case_file.CaseDetail))
async def read_one(hub: TheHub, scope: Anyone, case_id: str, held: HeldTag = None) -> Response:
    """The case with its ETag; send it back as If-Match with a change, or as If-None-Match to hear only of changes."""
    with hub.database.read() as conn:
        view = case_file.case_detail(conn, scope, case_id, hub.now())
    return versioned(view, view.version, held)


@router.get("/{case_id}/timeline", summary="What happened", responses=documented(Listed[case_file.TimelineEntry]))
async def read_timeline(hub: TheHub, scope: Anyone, case_id: str) -> Response:
    """Every fact with its moment and its actor."""
    with hub.database.read() as conn:
        return answer(Listed(items=case_file.timeline(conn, scope, case_id)))


@router.get("/{case_id}/balance", summary="What is owed, and why", responses=documented(case_file.BalanceSheet))
async def read_balance(hub: TheHub, scope: Anyone, case_id: str) -> Response:
    """The sums and every ledger line behind them."""
    with hub.database.read() as conn:
        return answer(case_file.balance_sheet(conn, scope, case_id))


@router.get("/{case_id}/documents", summary="Its documents", responses=documented(Listed[case_file.DocumentView]))
async def read_documents(hub: TheHub, scope: Anyone, case_id: str) -> Response:
    """Names and sums; the bytes are downloaded one by one."""
    with hub.database.read() as conn:
        return answer(Listed(items=case_file.documents(conn, scope, case_id)))


@router.get("/{case_id}/messages", summary="What was said to partners", responses=documented(Listed[case_file.MessageView]))
async def read_messages(hub: TheHub, scope: Anyone, case_id: str) -> Response:
    """Each message with how far it has come."""
    with hub.database.read() as conn:
        return answer(Listed(items=case_file.messages(conn, scope, case_id)))


@router.get(
    "/{case_id}/documents/{document_id}", summary="Download a document",
    responses=documented_file("The document, to save."),
)
def read_document(
    hub: TheHub, scope: Anyone, case_id: str, document_id: str,
    purpose: Annotated[str, Query(max_length=300, description="What a sensitive document is needed for; it is logged.")] = "",
) -> Response:  # fmt: skip
    """The bytes as they came in. One of a sensitive claim is handed out for a stated purpose only."""
    view = open_document(hub, scope, document_id, purpose)
    if view.case_id != case_id:
        raise not_there("document", document_id)
    return download(hub.evidence.read(view.sha256), view.name)
