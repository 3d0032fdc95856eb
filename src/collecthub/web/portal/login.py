"""Logging in and out."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData

from collecthub.web.auth import (
    TheHub,
    drop_session_cookie,
    find_identity,
    set_session_cookie,
    sign_in,
    sign_out,
)
from collecthub.web.portal.pages import Anyone, Form, PageRoute, bare_page, local_path, redirect
from collecthub.web.problems import ProblemError

router = APIRouter(route_class=PageRoute, include_in_schema=False)


async def _login_form(request: Request) -> FormData:
    """The login form, if it came from our own page; before the login there is no token to ask for."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise ProblemError("invalid-csrf", cure="Open the login page of this hub.")
    return await request.form(max_files=0, max_fields=5, max_part_size=5000)


@router.get("/login")
async def show(
    request: Request, wanted: Annotated[str, Query(alias="next", max_length=2000)] = "/"
) -> Response:
    """The login page; who is in already goes on."""
    found = find_identity(request)
    if found is not None and found.session is not None:
        return redirect(local_path(wanted))
    return bare_page("login.html", wanted=local_path(wanted), email="", problem=None)


@router.post("/login")
def log_in(request: Request, hub: TheHub, form: Annotated[FormData, Depends(_login_form)]) -> Response:
    """A right password leads on; a wrong one is answered alike for known and unknown users."""
    email, password, wanted = (str(form.get(name, "")) for name in ("email", "password", "next"))
    address = request.client.host if request.client else ""
    try:
        token, _ = sign_in(hub, email[:320], password, address)
    except ProblemError as error:
        return bare_page(
            "login.html",
            status=error.problem.status,
            headers=error.headers,
            wanted=local_path(wanted),
            email=email[:320],
            problem=error.problem,
        )
    response = redirect(local_path(wanted))
    set_session_cookie(hub, response, token)
    return response


@router.post("/logout")
def log_out(visitor: Anyone, form: Form) -> Response:
    """The session ends here and everywhere it was copied to."""
    sign_out(visitor.hub, visitor.session)
    response = redirect("/login")
    drop_session_cookie(visitor.hub, response)
    return response
