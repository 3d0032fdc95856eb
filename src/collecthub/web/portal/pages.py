"""From a visitor and a template to a page; from an error to a page that says what to do next."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import jinja2
import msgspec
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse

from collecthub.engine.context import Hub
from collecthub.errors import CollecthubError
from collecthub.store.accounts import Session
from collecthub.store.queries.scope import Role, Scope
from collecthub.web.auth import check_csrf, find_identity, hub_of
from collecthub.web.portal import words
from collecthub.web.portal.charts import bar, column
from collecthub.web.portal.figures import amount_text, day, duration, file_size, moment, money, number
from collecthub.web.problems import Problem, ProblemError, problem, problem_of

log = logging.getLogger(__name__)

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
# Not the API's `no-referrer`: under it browsers send `Origin: null` with our own forms.
_HEADERS = {"Referrer-Policy": "same-origin"}
_FIELDS_MAX, _FILES_MAX, _PART_BYTES_MAX = 400, 1, 100_000


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """A logged-in person and the hub that he looks at."""

    hub: Hub
    session: Session
    path: str

    @property
    def scope(self) -> Scope:
        return self.session.user.scope

    @property
    def is_operator(self) -> bool:
        return self.scope.role is Role.OPERATOR

    @property
    def is_partner(self) -> bool:
        return self.scope.role is Role.PARTNER


# --- who is here, and what he sends ---------------------------------------------------------------


async def _visitor(request: Request) -> Visitor:
    """Who looks. Raises `ProblemError` `unauthenticated`; an API key opens no page."""
    return visitor_of(await hub_of(request), request)


def visitor_of(hub: Hub, request: Request) -> Visitor:
    """The same, for a page that lets others in as well."""
    found = find_identity(request)
    if found is None or found.session is None:
        raise ProblemError("unauthenticated", cure="Log in.")
    return Visitor(hub=hub, session=found.session, path=request.scope["path"])


async def _form(request: Request, visitor: Annotated[Visitor, Depends(_visitor)]) -> AsyncIterator[FormData]:
    """The submitted form, if it came from our own page; uploaded files are closed after the answer."""
    limits = {"max_files": _FILES_MAX, "max_fields": _FIELDS_MAX, "max_part_size": _PART_BYTES_MAX}
    async with request.form(**limits) as form:
        token = form.get("csrf")
        check_csrf(request, visitor.session, token if isinstance(token, str) else "")
        yield form


async def _operator(visitor: Annotated[Visitor, Depends(_visitor)]) -> Visitor:
    return _allowed(visitor, Role.OPERATOR)


async def _creditor_side(visitor: Annotated[Visitor, Depends(_visitor)]) -> Visitor:
    return _allowed(visitor, Role.OPERATOR, Role.CREDITOR)


def _allowed(visitor: Visitor, *roles: Role) -> Visitor:
    if visitor.scope.role not in roles:
        raise ProblemError("forbidden", cure="Ask the operator for it.")
    return visitor


Anyone = Annotated[Visitor, Depends(_visitor)]
CreditorSide = Annotated[Visitor, Depends(_creditor_side)]
Operator = Annotated[Visitor, Depends(_operator)]
Form = Annotated[FormData, Depends(_form)]


# --- errors as pages ------------------------------------------------------------------------------


class PageRoute(APIRoute):
    """A route whose errors are pages, and whose strangers are shown to the login."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with problems turned into pages."""
        handler = super().get_route_handler()

        async def page(request: Request) -> Response:
            try:
                return await handler(request)
            except ProblemError as error:
                if error.problem.code == "unauthenticated":
                    return to_login(request)
                return await problem_page(request, error.problem, error.headers)
            except CollecthubError as error:
                return await problem_page(request, problem_of(error), None)
            except RequestValidationError:
                return await problem_page(
                    request, problem("invalid-query", cure="Go back and try again."), None
                )
            except HTTPException as error:
                found = problem("bad-request", str(error.detail), cure="Go back and try again.")
                return await problem_page(request, found, None)
            except Exception as error:  # a bug is shown as a page as well, and told to the log
                log.error("%s %s failed", request.method, self.path, exc_info=error)
                found = problem(
                    "internal", cure="Try again; when it stays, the operator finds it in the log."
                )
                return await problem_page(request, found, None)

        return page


def to_login(request: Request) -> Response:
    """The login, which leads back to what was asked for."""
    path = request.scope["path"]
    query = request.scope.get("query_string", b"").decode("latin-1")
    wanted = f"{path}?{query}" if query else path
    keep = request.method == "GET" and wanted != "/"
    return redirect("/login", **({"next": wanted} if keep else {}))


async def problem_page(request: Request, found: Problem, headers: Mapping[str, str] | None) -> Response:
    """A problem as a page, for whoever asked."""
    try:
        visitor = await _visitor(request)
    except ProblemError:
        visitor = None
    if visitor is None:
        return bare_page("problem_bare.html", status=found.status, headers=headers, problem=found)
    return page(visitor, "problem.html", status=found.status, headers=headers, problem=found)


# --- pages ----------------------------------------------------------------------------------------


def page(
    visitor: Visitor,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """A page for somebody who is logged in."""
    values = {"visitor": visitor, "me": visitor.session.user, "csrf": visitor.session.csrf, **values}
    values.setdefault("today", visitor.hub.business_date())
    return bare_page(template, status=status, headers=headers, **values)


def bare_page(
    template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """A page for anybody."""
    text = templates().get_template(template).render(**values)
    return HTMLResponse(text, status, headers={**_HEADERS, **(headers or {})})


def redirect(path: str, **query: str) -> Response:
    """See other: the way on after a form. `path` is one of ours."""
    return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303, headers=_HEADERS)


def local_path(path: str) -> str:
    """A path of this hub, or the start page: a login never leads elsewhere.

    >>> [local_path(path) for path in ("/cases?q=a", "//elsewhere.example", "https://elsewhere.example")]
    ['/cases?q=a', '/', '/']
    """
    is_ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_ours else "/"


@cache
def templates() -> jinja2.Environment:
    """Autoescape everywhere, an unknown name is an error, nothing is looked up outside the folder."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        money=money,
        number=number,
        amount_text=amount_text,
        day=day,
        moment=moment,
        size=file_size,
        duration=duration,
        spoken=words.spoken,
        country=words.country_name,
        quote=lambda text: quote(text, safe=""),
    )
    environment.globals.update(
        label=words.label,
        tone=words.tone,
        tables=words.TABLES,
        countries=words.countries,
        static=static_url,
        bar=bar,
        column=column,
        query=query_string,
    )
    return environment


@cache
def static_url(name: str) -> str:
    """A static file's address; it changes with the content, so browsers may keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def query_string(values: Mapping[str, object], **changes: object) -> str:
    """The query of a list with some parameters changed; empty ones fall away.

    >>> query_string({"q": "a b", "status": ""}, cursor="x")
    '?q=a+b&cursor=x'
    """
    given = {name: value for name, value in {**values, **changes}.items() if value not in ("", None)}
    return f"?{urlencode(given)}" if given else ""
