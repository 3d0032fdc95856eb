"""Who am I, logging in and out, and API keys."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import Field

from collecthub.store import accounts
from collecthub.store.audit import append_audit
from collecthub.store.queries.paging import Listed
from collecthub.store.queries.scope import Role, not_there
from collecthub.web.answers import Accepted, answer, documented
from collecthub.web.api.fields import Id, Inbound, Line
from collecthub.web.auth import (
    Operator,
    TheHub,
    Who,
    auth_now,
    drop_session_cookie,
    set_session_cookie,
    sign_in,
    sign_out,
)
from collecthub.web.strict_json import StrictRoute

router = APIRouter(tags=["session"], route_class=StrictRoute)


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking. `csrf` comes back as the header X-CSRF-Token with every change over a session."""

    subject: str
    name: str
    role: str
    creditor_id: str | None
    partner_id: str | None
    csrf: str | None = None


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key. `secret` is shown this once and stored nowhere."""

    secret: str
    key: accounts.ApiKey


class LoginIn(Inbound):
    """E-mail address and password."""

    email: Annotated[str, Field(max_length=320)]
    password: Annotated[str, Field(max_length=500)]


class KeyIn(Inbound):
    """For whom the key is."""

    name: Line
    role: Role
    creditor_id: Id | None = None
    partner_id: Id | None = None


def _me(scope_name: str, who: Who) -> Me:
    scope = who.scope
    return Me(
        subject=scope.subject, name=scope_name, role=scope.role.value, creditor_id=scope.creditor_id,
        partner_id=scope.partner_id, csrf=who.session.csrf if who.session else None,
    )


@router.get("/me", summary="Who am I", responses=documented(Me))
async def read_me(who: Who) -> Response:
    """The credential's role and tenant."""
    return answer(_me(who.name, who))


@router.post("/session", summary="Log in", responses=documented(Me))
def log_in(request: Request, hub: TheHub, body: LoginIn) -> Response:
    """Sets the session cookie. Wrong tries make the next one wait."""
    address = request.client.host if request.client else ""
    token, session = sign_in(hub, body.email, body.password, address)
    user = session.user
    response = answer(
        Me(
            subject=user.scope.subject, name=user.name, role=user.role.value, creditor_id=user.creditor_id,
            partner_id=user.partner_id, csrf=session.csrf,
        )
    )
    set_session_cookie(hub, response, token)
    return response


@router.delete("/session", summary="Log out", responses=documented(Accepted))
def log_out(hub: TheHub, who: Who) -> Response:
    """The cookie opens nothing any more."""
    if who.session is not None:
        sign_out(hub, who.session)
    response = answer(Accepted())
    drop_session_cookie(hub, response)
    return response


@router.get("/keys", summary="List API keys", responses=documented(Listed[accounts.ApiKey]))
async def read_keys(hub: TheHub, scope: Operator) -> Response:
    """Names and tenants, never the keys."""
    with hub.database.read() as conn:
        return answer(Listed(items=tuple(accounts.read_api_keys(conn))))


@router.post("/keys", summary="Make an API key", status_code=201, responses=documented(NewKey, 201))
def add_key(hub: TheHub, scope: Operator, body: KeyIn) -> Response:
    """Keep the secret: it is shown once."""
    with hub.work() as work:
        secret, key = accounts.add_api_key(
            work.conn, name=body.name, role=body.role, creditor_id=body.creditor_id, partner_id=body.partner_id,
            now=auth_now(),
        )
        append_audit(work.conn, now=work.now, actor=scope.subject, action="key.created", subject=key.key_id)
    return answer(NewKey(secret=secret, key=key), 201)


@router.delete("/keys/{key_id}", summary="Revoke an API key", responses=documented(Accepted))
def revoke_key(hub: TheHub, scope: Operator, key_id: str) -> Response:
    """It opens nothing from now on."""
    with hub.work() as work:
        if not accounts.revoke_api_key(work.conn, key_id, auth_now()):
            raise not_there("key", key_id)
        append_audit(work.conn, now=work.now, actor=scope.subject, action="key.revoked", subject=key_id)
    return answer(Accepted())
