"""The web application: doors in order, errors as problems, headers on everything."""

from __future__ import annotations

from functools import cache

from fastapi import FastAPI, Response
from fastapi.routing import APIRouter
from starlette.routing import BaseRoute

from collecthub import __version__
from collecthub.engine.context import Hub
from collecthub.web import exchange, hooks, openapi, problems, soap
from collecthub.web.api import (
    acts,
    agenda,
    case_changes,
    cases,
    circumstances,
    connection_changes,
    countries,
    debtors,
    desks,
    doors,
    general_terms,
    imports,
    intake,
    law,
    network,
    objections,
    partner_cases,
    partner_invoices,
    partner_reports,
    partner_standing,
    payments,
    plans,
    playbooks,
    proceedings,
    reminders,
    remittances,
    sensitive,
    session,
    solvency,
    statements,
    status_codes,
    webhooks,
)
from collecthub.web.debtor import pages as debtor_pages
from collecthub.web.guard import Guard
from collecthub.web.partner import acts as partner_page_acts
from collecthub.web.partner import case_page as partner_case_page
from collecthub.web.partner import offers as partner_offers
from collecthub.web.partner import remittances as partner_page_remittances
from collecthub.web.partner import standing as partner_page_standing
from collecthub.web.portal import lost
from collecthub.web.portal.router import router as portal_router

API_ROUTERS = (
    statements.router, circumstances.router, general_terms.router,
    session.router, cases.router, reminders.router, intake.router, case_changes.router, doors.router,
    connection_changes.router, desks.router, imports.router, law.router, countries.router, status_codes.router, payments.router, remittances.router, partner_invoices.router, network.router, plans.router, playbooks.router, objections.router, proceedings.router, solvency.router, debtors.router, sensitive.router,
    acts.router, agenda.router, partner_cases.router, partner_reports.router, partner_standing.router, webhooks.router,
)
ROUTERS = (
    hooks.router, exchange.router, debtor_pages.router, soap.router, openapi.router, partner_offers.router,
    partner_case_page.router, partner_page_acts.router, partner_page_remittances.router, partner_page_standing.router,
    portal_router,
)


def create_app(hub: Hub) -> FastAPI:
    """The app that serves a hub."""
    app = bare_app()
    app.state.hub = hub
    app.add_middleware(Guard, settings=hub.settings)
    return app


def bare_app() -> FastAPI:
    """Every door, without a hub behind it; what the published API description is made from."""
    app = FastAPI(
        title="collecthub", version=__version__, docs_url=None, redoc_url=None, openapi_url=None,
        description=openapi.DESCRIPTION, redirect_slashes=False,
    )
    app.router.routes.extend(_routes())
    problems.install(app)
    lost.install(app)
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Every path, analysed once a process; they hold nothing of a hub."""
    doors = APIRouter()
    for router in API_ROUTERS:
        doors.include_router(router, prefix="/api/v1")
    for router in ROUTERS:
        doors.include_router(router)
    doors.add_api_route("/healthz", health, methods=["GET"], include_in_schema=False)
    return tuple(doors.routes)


async def health() -> Response:
    """Whether this process answers; says nothing else."""
    return Response(b"ok", media_type="text/plain")
