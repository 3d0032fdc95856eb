"""One case on the partner's page: its file as a holder reads it, what was said about it, and its documents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.engine.partner_messages import said_in_case
from collecthub.engine.partner_offers import offered_file
from collecthub.engine.partner_page import fee_in_money
from collecthub.engine.sensitive_desk import PurposeError, open_document
from collecthub.model.partner_words import asked_of_partner
from collecthub.store.queries import case_file
from collecthub.store.queries.scope import not_there
from collecthub.web.answers import download
from collecthub.web.partner.pages import Guest, GuestRoute, TheGuest, page

router = APIRouter(prefix="/p/{token}/cases", route_class=GuestRoute, include_in_schema=False)


@router.get("/{case_id}")
def show(guest: TheGuest, case_id: str) -> Response:
    """What a holder needs to begin, and nothing else."""
    return _page(guest, case_id)


def _page(guest: Guest, case_id: str, *, problem: str = "", status: int = 200) -> Response:
    partner_id = guest.visit.partner_id
    with guest.hub.database.read() as conn:
        case, file, until = offered_file(conn, guest.visit.scope, case_id)
        fee, _ = fee_in_money(conn, partner_id, case, guest.hub.business_date())
        papers = case_file.documents(conn, guest.visit.scope, case_id) if file.documents else ()
        said = said_in_case(conn, partner_id, case_id)
    return page(
        guest, "case.html", status=status, case=case, file=file, until=until, fee=fee, papers=papers, said=said,
        asked=asked_of_partner(case), problem=problem,
    )


@router.get("/{case_id}/documents/{document_id}")
def read_document(
    guest: TheGuest, case_id: str, document_id: str, purpose: Annotated[str, Query(max_length=300)] = ""
) -> Response:
    """The document, to save; one of a sensitive claim for a stated purpose, which is logged."""
    try:
        view = open_document(guest.hub, guest.visit.scope, document_id, purpose)
    except PurposeError:
        return _page(guest, case_id, problem=guest.speech.say("purpose_needed"), status=403)
    if view.case_id != case_id:
        raise not_there("document", document_id)
    return download(guest.hub.evidence.read(view.sha256), view.name)
