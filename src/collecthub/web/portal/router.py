"""Every page of the portal behind one router; `create_app` includes it last."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, Response

from collecthub.web.portal import (
    account,
    acts,
    agenda,
    case_actions,
    case_list,
    case_page,
    connecting,
    connections,
    consent,
    contact,
    contracts,
    countries,
    course,
    debtors,
    desks,
    feasibility,
    first_wave,
    general_terms,
    imports,
    login,
    mandates,
    new_case,
    overview,
    partner_invoices,
    partners,
    payments,
    playbook,
    reconciliation,
    reminders,
    remittances,
    routes,
    webhooks,
)
from collecthub.web.portal.pages import STATIC
from collecthub.web.problems import ProblemError

router = APIRouter(include_in_schema=False)

_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@cache
def _static_files() -> dict[str, tuple[bytes, str]]:
    """The few files there are, read once: a name that is not among them opens nothing."""
    return {
        path.name: (path.read_bytes(), _MEDIA_TYPES[path.suffix[1:]])
        for path in STATIC.iterdir()
        if path.suffix[1:] in _MEDIA_TYPES
    }


@router.get("/static/{name}")
async def read_static(name: str) -> Response:
    """A style sheet, script or picture; addresses carry a digest, so browsers keep them for a year."""
    found = _static_files().get(name)
    if found is None:
        raise ProblemError("not-found")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(found[0], media_type=found[1], headers=headers)


for part in (
    account, reconciliation, login, overview, agenda, case_list, case_page, case_actions, course, debtors, new_case, imports, connecting, connections, first_wave, consent,
    acts, partners, desks, countries, feasibility, payments, remittances, contracts, partner_invoices, routes, mandates, general_terms,
    webhooks, playbook, reminders, contact,
):
    router.include_router(part.router)
