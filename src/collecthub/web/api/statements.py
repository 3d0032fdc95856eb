"""What is owed on any day, and the statement of account to save."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from collecthub.engine.balance import BalanceAt, balance_at
from collecthub.engine.statement import StatementQuestion, statement
from collecthub.paper.statement import FORMATS, Statement
from collecthub.web.answers import answer, documented, download
from collecthub.web.auth import Anyone, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/cases", tags=["cases"], route_class=StrictRoute)
OnDay = Annotated[
    dt.date | None, Query(ge=dt.date(1990, 1, 1), le=dt.date(2199, 12, 31), description="Last day that counts; the business date by default.")
]


@router.get("/{case_id}/account", summary="What is owed on a day, by which rule", responses=documented(BalanceAt))
def read_account(hub: TheHub, scope: Anyone, case_id: str, at: OnDay = None) -> Response:
    """Every line, what has grown by law with rule and source, and what each payment settled."""
    with hub.database.read() as conn:
        return answer(balance_at(hub, conn, scope, case_id, at or hub.now().date()))


@router.get("/{case_id}/statement", summary="Statement of account", responses=documented(Statement))
def read_statement(
    hub: TheHub, scope: Anyone, case_id: str, at: OnDay = None,
    audience: Annotated[Literal["debtor", "creditor", "partner"], Query(description="Who reads it.")] = "debtor",
    language: Annotated[Literal["", "nl", "fr", "de", "en"], Query(description="The reader's own by default.")] = "",
    format: Annotated[
        Literal["json", "pdf", "html", "xlsx", "csv"], Query(description="Its facts, or a paper or table to save.")
    ] = "json",
) -> Response:  # fmt: skip
    """As facts, or as PDF, HTML, XLSX or CSV to save; a partner gets a partner's statement."""
    question = StatementQuestion(case_id=case_id, audience=audience, until=at or hub.now().date(), language=language)
    with hub.database.read() as conn:
        made = statement(hub, conn, scope, question)
    if format == "json":
        return answer(made)
    return download(FORMATS[format](made), f"{made.case_number}-{made.until}.{format}")
