"""A creditor's general terms by API: stated once, for the invoices of a time; the checks of his cases read them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Base64Bytes, Field

from collecthub.engine.general_terms import (
    LONGEST_DOCUMENT,
    Stated,
    list_terms,
    read_terms_document,
    state_terms,
)
from collecthub.engine.page_guard import safe_name
from collecthub.model.general_terms import GeneralTerms
from collecthub.store.queries.paging import Listed
from collecthub.web.answers import answer, documented, documented_file, download
from collecthub.web.api.circumstances import AgreedInterestIn, ClauseIn, Language
from collecthub.web.api.fields import Inbound, Line
from collecthub.web.api.intake import creditor_for
from collecthub.web.api.once import OnceKey, once
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/general-terms", tags=["general terms"], route_class=StrictRoute)
Whose = Annotated[str | None, Query(max_length=64, description="Whose; a creditor's own without it.")]


class TermsIn(Inbound):
    """The whole of one version; `accepted_by` is the paper by which debtors accept it, which each clause takes over."""

    from_on: dt.date
    until_on: dt.date | None = None
    accepted_by: Literal["contract", "order", "terms", "invoice"]
    language: Language | Literal[""] = ""
    clauses: Annotated[tuple[ClauseIn, ...], Field(max_length=20)] = ()
    interest: AgreedInterestIn | None = None
    document_name: Line = ""
    document: Annotated[Base64Bytes, Field(max_length=LONGEST_DOCUMENT)] = b""


@router.get("", summary="What was stated", responses=documented(Listed[GeneralTerms]))
def read_all(hub: TheHub, scope: CreditorSide, creditor_id: Whose = None) -> Response:
    """For an invoice the newest statement counts whose days include the day on which it was issued."""
    with hub.database.read() as conn:
        return answer(Listed(items=list_terms(conn, scope, creditor_for(scope, creditor_id))))


@router.post("", status_code=201, summary="State them", responses=documented(GeneralTerms, 201, "They are kept."))
def state(hub: TheHub, scope: CreditorSide, body: TermsIn, key: OnceKey, creditor_id: Whose = None) -> Response:
    """Open cases are checked anew; what was stated of a case itself goes before."""
    whose = creditor_for(scope, creditor_id)
    said = body.model_dump(exclude={"document"})
    stated = msgspec.convert({**said, "document_name": safe_name(body.document_name) if body.document else ""}, Stated)
    stated = msgspec.structs.replace(stated, document=body.document)
    return once(hub, scope, key, lambda work: answer(state_terms(hub, work, scope, whose, stated), 201))


@router.get("/{terms_id}/document", summary="The text of the terms", responses=documented_file("The file as it was given."))
def read_document(hub: TheHub, scope: CreditorSide, terms_id: str) -> Response:
    """As it was given."""
    with hub.database.read() as conn:
        name, content = read_terms_document(hub, conn, scope, terms_id)
    return download(content, name)
