"""Consent at a vendor: out by the vendor's page, back by the hub's own address."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Query, Request, Response

from collecthub.engine import consent as consents
from collecthub.errors import PermanentError
from collecthub.store.connections import BY_CHOICE
from collecthub.store.queries import doors
from collecthub.store.queries.scope import NotThereError
from collecthub.web.auth import Identity, TheHub, find_identity
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import (
    CreditorSide,
    Form,
    PageRoute,
    Visitor,
    bare_page,
    page,
    redirect,
    to_login,
    visitor_of,
)

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Brought = Annotated[str, Query(max_length=4000)]


@router.post("/connections/{connection_id}/consent")
def begin(visitor: CreditorSide, form: Form, connection_id: str) -> Response:
    """On to the vendor's page. A page of ours leads there, because a form may not be sent to another site."""
    begun = consents.begin_consent(
        visitor.hub, visitor.scope, connection_id, session_hash=visitor.session.session_hash
    )
    with visitor.hub.database.read() as conn:
        row = doors.owned_connection(conn, visitor.scope, connection_id)
    return page(visitor, "consent.html", row=row, url=begun.url, vendor=urlsplit(begun.url).netloc)


@router.get(consents.CALLBACK_PATH)
def come_back(
    request: Request, hub: TheHub, code: Brought = "", state: Brought = "", error: Brought = "",
    error_description: Brought = "",
) -> Response:  # fmt: skip
    """Where the vendor sends the browser. A consent that the command line began needs no login to end here."""
    found = find_identity(request)
    session_hash = found.session.session_hash if found is not None and found.session is not None else None
    if session_hash is None and not consents.is_begun_elsewhere(hub, state):
        return to_login(request)
    answer = consents.ConsentAnswer(state=state, code=code, error=error, error_text=error_description)
    try:
        connection_id = consents.finish_consent(hub, answer, session_hash=session_hash)
    except PermanentError as refused:
        return _refused(request, hub, found, refused)
    if consents.is_begun_elsewhere(hub, state):
        return bare_page("consented_bare.html")
    return _go_on(visitor_of(hub, request), connection_id)


@router.post("/connections/{connection_id}/consent/address")
def take_address(visitor: CreditorSide, form: Form, connection_id: str) -> Response:
    """The address at which the browser ended, for an app registration that names another one than this hub's."""
    entered = Entered(form)
    address = entered.text("address", required=True)
    entered.check()
    given = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    answer = consents.ConsentAnswer(
        state=given.get("state", ""), code=given.get("code", ""), error=given.get("error", ""),
        error_text=given.get("error_description", ""),
    )
    try:
        consents.finish_consent(visitor.hub, answer, session_hash=visitor.session.session_hash)
    except NotThereError:
        raise
    except PermanentError as refused:
        return _refused_page(visitor, refused)
    return _go_on(visitor, connection_id)


def _go_on(visitor: Visitor, connection_id: str) -> Response:
    """To the choice of divisions, where there is one to make; else to a look at whether everything works."""
    with visitor.hub.database.read() as conn:
        row = doors.owned_connection(conn, visitor.scope, connection_id)
    if row.cause == BY_CHOICE:
        return redirect(f"/connections/{connection_id}/divisions", done="consented")
    return redirect(f"/connections/{connection_id}", done="consented", check="yes")


def _refused(request: Request, hub: TheHub, found: Identity | None, refused: PermanentError) -> Response:
    if found is None or found.session is None:
        return bare_page("consented_bare.html", status=422, problem=refused)
    return _refused_page(visitor_of(hub, request), refused)


def _refused_page(visitor: Visitor, refused: PermanentError) -> Response:
    """What went wrong, and the button to try again when it is known for which connection."""
    try:
        with visitor.hub.database.read() as conn:
            row = doors.owned_connection(conn, visitor.scope, refused.reference) if refused.reference else None
    except NotThereError:
        row = None
    return page(visitor, "consent_refused.html", status=422, row=row, problem=refused)
