"""Who is at the door: an API key or a session becomes a `Scope`. The tenant comes from here and nowhere else."""

from __future__ import annotations

import datetime as dt
import hmac
from typing import Annotated, cast
from urllib.parse import urlsplit

import msgspec
from fastapi import Depends, Request, Response

from collecthub.engine.context import Hub
from collecthub.store import accounts
from collecthub.store.audit import append_audit
from collecthub.store.queries.scope import Role, Scope
from collecthub.web.problems import ProblemError

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "x-csrf-token"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `session` is set for a browser, None for an API key."""

    scope: Scope
    name: str
    session: accounts.Session | None = None


async def hub_of(request: Request) -> Hub:
    """The hub this app serves."""
    return _hub(request)


def _hub(request: Request) -> Hub:
    return cast(Hub, request.app.state.hub)


def auth_now() -> dt.datetime:
    """Sessions and keys live on the real clock, whatever the business date is."""
    return dt.datetime.now(dt.UTC)


def cookie_name(hub: Hub) -> str:
    """Name of the session cookie; over https bound to this host by its prefix."""
    return "__Host-collecthub" if is_https(hub) else "collecthub"


def is_https(hub: Hub) -> bool:
    """Whether browsers reach the hub over https."""
    return hub.settings.public_url.startswith("https:")


# --- login and logout -----------------------------------------------------------------------------


def sign_in(hub: Hub, email: str, password: str, address: str) -> tuple[str, accounts.Session]:
    """A new session and its cookie's token.

    Raises `ProblemError`: `wrong-login` alike for unknown users and wrong passwords, `too-many-tries` with
    Retry-After. Takes about a quarter of a second either way; call it outside the event loop.
    """
    now = auth_now()
    with hub.database.write() as conn:
        wait = accounts.count_try(conn, email, address, now)
        found = accounts.find_login(conn, email) if wait == 0 else None
    if wait:
        raise ProblemError(
            "too-many-tries", f"Try again in {wait} seconds.", headers={"Retry-After": str(wait)}
        )
    if not accounts.password_fits(found[1] if found else None, password) or found is None:
        raise ProblemError("wrong-login")
    business_now = hub.now()
    with hub.database.write() as conn:
        accounts.forget_tries(conn, email, address)
        token, session = accounts.open_session(conn, found[0], now)
        append_audit(conn, now=business_now, actor=found[0].scope.subject, action="login", subject=found[0].user_id)
    return token, session


def sign_out(hub: Hub, session: accounts.Session) -> None:
    """End a session; its cookie opens nothing any more."""
    with hub.database.write() as conn:
        accounts.close_session(conn, session.session_hash)


def set_session_cookie(hub: Hub, response: Response, token: str) -> None:
    """Hand the session to the browser: not readable by scripts, not sent by other sites' forms."""
    response.set_cookie(
        cookie_name(hub), token, max_age=int(accounts.SESSION_LASTS.total_seconds()), httponly=True, samesite="lax",
        secure=is_https(hub), path="/",
    )


def drop_session_cookie(hub: Hub, response: Response) -> None:
    """Take it back."""
    response.delete_cookie(cookie_name(hub), httponly=True, samesite="lax", secure=is_https(hub), path="/")


# --- who asks -------------------------------------------------------------------------------------


async def identity(request: Request) -> Identity:
    """Who asks, by API key or session. Raises `ProblemError` `unauthenticated`."""
    found = find_identity(request)
    if found is None:
        raise ProblemError("unauthenticated", headers={"WWW-Authenticate": "Bearer"})
    if found.session is not None and request.method not in _SAFE_METHODS:
        check_csrf(request, found.session, request.headers.get(CSRF_HEADER, ""))
    return found


def find_identity(request: Request) -> Identity | None:
    """Who asks, or None. One short read; a change over a session needs `check_csrf` as well."""
    hub = _hub(request)
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind:
        if kind.lower() != "bearer" or not secret:
            return None
        with hub.database.read() as conn:
            key = accounts.read_api_key(conn, secret.strip())
        return None if key is None else Identity(scope=key.scope, name=key.name)
    token = request.cookies.get(cookie_name(hub), "")
    if not token:
        return None
    with hub.database.read() as conn:
        session = accounts.read_session(conn, token, auth_now())
    if session is None:
        return None
    return Identity(scope=session.user.scope, name=session.user.name, session=session)


def check_csrf(request: Request, session: accounts.Session, given: str) -> None:
    """A change by a browser must come from our own page. Raises `ProblemError` `invalid-csrf`."""
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower()
    if foreign or not hmac.compare_digest(given.encode("utf-8", "replace"), session.csrf.encode()):
        raise ProblemError("invalid-csrf", cure="Reload the page and try again.")


def _allowed(who: Identity, *roles: Role) -> Scope:
    if who.scope.role not in roles:
        raise ProblemError("forbidden", f"This is for the role {' or '.join(role.value for role in roles)}.")
    return who.scope


async def _anyone(who: Annotated[Identity, Depends(identity)]) -> Scope:
    return who.scope


async def _creditor_side(who: Annotated[Identity, Depends(identity)]) -> Scope:
    return _allowed(who, Role.OPERATOR, Role.CREDITOR)


async def _operator(who: Annotated[Identity, Depends(identity)]) -> Scope:
    return _allowed(who, Role.OPERATOR)


async def _operator_or_partner(who: Annotated[Identity, Depends(identity)]) -> Scope:
    return _allowed(who, Role.OPERATOR, Role.PARTNER)


async def _peer(who: Annotated[Identity, Depends(identity)]) -> Scope:
    return _allowed(who, Role.PARTNER)


TheHub = Annotated[Hub, Depends(hub_of)]
Who = Annotated[Identity, Depends(identity)]
Anyone = Annotated[Scope, Depends(_anyone)]
CreditorSide = Annotated[Scope, Depends(_creditor_side)]
Operator = Annotated[Scope, Depends(_operator)]
OperatorOrPartner = Annotated[Scope, Depends(_operator_or_partner)]
Peer = Annotated[Scope, Depends(_peer)]
