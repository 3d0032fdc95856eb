"""A partner's page: who visits it, how its forms are read, and how it is drawn."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import jinja2
import msgspec
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse

from collecthub.engine.context import Hub
from collecthub.engine.partner_links import LANGUAGES, Visit, language_of, read_visit
from collecthub.errors import CollecthubError
from collecthub.store.queries.scope import NotThereError
from collecthub.web.auth import auth_now, hub_of, is_https
from collecthub.web.guests.templates_of import guest_templates
from collecthub.web.partner.speech import Speech, words_of
from collecthub.web.problems import ProblemError, problem_of

_TEMPLATES = Path(__file__).parent / "templates"
_HEADERS = {"Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex"}
_FIELDS_MAX, _PART_BYTES_MAX = 8_000, 20_000
_COOKIE = "collecthub-partner"


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that gave the code of its link."""

    hub: Hub
    token: str
    visit: Visit

    @property
    def speech(self) -> Speech:
        return Speech(self.visit.language, self.visit.zone)

    @property
    def root(self) -> str:
        return f"/p/{self.token}"


class CodeNeededError(Exception):
    """The link is alive and its code was not given by this browser."""


def cookie_of(hub: Hub) -> str:
    """The visit's cookie, over https bound to this host by its prefix."""
    return f"__Host-{_COOKIE}" if is_https(hub) else _COOKIE


async def _guest(request: Request, token: str) -> Guest:
    hub = await hub_of(request)
    with hub.database.read() as conn:
        visit = read_visit(conn, token, request.cookies.get(cookie_of(hub), ""), auth_now())
        if visit is None:
            language_of(conn, token, auth_now())
            raise CodeNeededError
    return Guest(hub=hub, token=token, visit=visit)


async def _form(request: Request, guest: Annotated[Guest, Depends(_guest)]) -> AsyncIterator[FormData]:
    """The submitted form, if it came from this page. Raises `ProblemError` `invalid-csrf`."""
    limits = {"max_files": 1, "max_fields": _FIELDS_MAX, "max_part_size": _PART_BYTES_MAX}
    async with request.form(**limits) as form:
        given = form.get("csrf")
        check_origin(request)
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), guest.visit.csrf.encode()):
            raise ProblemError("invalid-csrf", cure="Reload the page and try again.")
        yield form


def check_origin(request: Request) -> None:
    """A form must come from our own page. Raises `ProblemError` `invalid-csrf`."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise ProblemError("invalid-csrf", cure="Open the page by its link.")


TheGuest = Annotated[Guest, Depends(_guest)]
GuestForm = Annotated[FormData, Depends(_form)]


def text_of(form: FormData, name: str, longest: int = 4000) -> str:
    """A field's text, without control characters that no text needs."""
    value = form.get(name)
    text = value if isinstance(value, str) else ""
    return "".join(char for char in text if char.isprintable() or char in "\n\t").strip()[:longest]


# --- drawing --------------------------------------------------------------------------------------


@cache
def _templates() -> jinja2.Environment:
    return guest_templates(_TEMPLATES)


def draw(template: str, speech: Speech, *, status: int = 200, **values: Any) -> Response:
    """A page in somebody's language."""
    text = _templates().get_template(template).render(
        say=speech.say, money=speech.money, day=speech.day, moment=speech.moment, country=speech.country, number=speech.number,
        language=speech.language, zone=speech.zone, **values,
    )
    return HTMLResponse(text, status, headers=_HEADERS)


def page(guest: Guest, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page for somebody who gave the code."""
    values = {"root": guest.root, "csrf": guest.visit.csrf, "done": False, "problem": "", **values}
    return draw(template, guest.speech, status=status, **values)


def back(guest: Guest, path: str = "", *, done: bool = True) -> Response:
    """See other: the way on after a form."""
    return RedirectResponse(f"{guest.root}{path}{'?done=yes' if done else ''}", 303, headers=_HEADERS)


async def _language(request: Request) -> str:
    """The language of the link, else the browser's."""
    hub = await hub_of(request)
    try:
        with hub.database.read() as conn:
            return language_of(conn, request.path_params["token"], auth_now())
    except NotThereError:
        return _browser_language(request)


def _browser_language(request: Request) -> str:
    """The first language that a browser asks for and the page speaks; English for all others."""
    asked = [part.partition(";")[0].strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
    return next((one for one in asked if one in LANGUAGES), "en")


class GuestRoute(APIRoute):
    """A route whose errors are pages, and whose strangers are asked for the code."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with what goes wrong turned into pages."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            speech = Speech(await _language(request), "UTC")
            try:
                return await handler(request)
            except CodeNeededError:
                return await ask_code(request)
            except NotThereError:
                return draw("gone.html", speech, status=404, text=words_of(speech.language)["not_there"])
            except ProblemError as error:
                return draw("gone.html", speech, status=error.problem.status, text=speech.say("reload"))
            except CollecthubError as error:
                return draw("gone.html", speech, status=problem_of(error).status, text=speech.say("not_now"))

        return guarded


async def ask_code(request: Request, *, problem: str = "", status: int = 200, values: Mapping[str, object] | None = None) -> Response:
    """The page that asks for the code, in the language of the link."""
    hub = await hub_of(request)
    token = request.path_params["token"]
    with hub.database.read() as conn:
        speech = Speech(language_of(conn, token, auth_now()), "UTC")
    text = speech.say(problem, **(values or {})) if problem else ""
    return draw("code.html", speech, status=status, root=f"/p/{token}", problem=text)
