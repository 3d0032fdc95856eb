"""Addresses that lead nowhere: a browser is shown a page, every other program gets the problem document."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from collecthub.web.portal.pages import problem_page
from collecthub.web.problems import ProblemError, on_http, problem

_PROGRAMS = ("/api/", "/hooks/", "/exchange/", "/static/")  # their callers are answered with documents whatever they accept


def install(app: FastAPI) -> None:
    """Answer unknown addresses and methods of the portal with pages."""
    app.add_exception_handler(HTTPException, _on_http)


async def _on_http(request: Request, error: Exception) -> Response:
    if isinstance(error, ProblemError) or not _is_browser(request):
        return await on_http(request, error)
    assert isinstance(error, HTTPException), "registered for this class"
    found = _PAGES.get(error.status_code)
    return await problem_page(request, found, error.headers) if found else await on_http(request, error)


_PAGES = {
    404: problem("not-found", "This address leads nowhere.", cure="Check how it is written, or start anew."),
    405: problem("method-not-allowed", "There is no page at this address.", cure="Start from the overview."),
}


def _is_browser(request: Request) -> bool:
    path = request.scope["path"]
    return "text/html" in request.headers.get("accept", "") and not path.startswith(_PROGRAMS)
