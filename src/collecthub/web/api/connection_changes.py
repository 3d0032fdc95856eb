"""Changing and watching connections: settings, consent, divisions, stop and resume, the history of pulls."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Response
from pydantic import Field

from collecthub.engine import connection_settings as settings
from collecthub.engine.consent import LASTS, begin_consent
from collecthub.store.queries import doors
from collecthub.store.queries.paging import Listed
from collecthub.web.answers import answer, documented
from collecthub.web.api.fields import Inbound, Line, Paging, Ref
from collecthub.web.auth import CreditorSide, Operator, TheHub, Who
from collecthub.web.strict_json import StrictRoute

router = APIRouter(route_class=StrictRoute, prefix="/connections/{connection_id}", tags=["connections"])


class SettingsIn(Inbound):
    """What is to be replaced; what is not named stays. Fields to forget go back to their default."""

    name: Line = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    forget: tuple[Ref, ...] = ()


class DivisionsIn(Inbound):
    """The divisions to pull, by the vendor's own keys."""

    division_refs: Annotated[tuple[Ref, ...], Field(min_length=1, max_length=1000)]


class DivisionView(msgspec.Struct, frozen=True, kw_only=True):
    """A division that the connection's user may see at the vendor."""

    division_ref: str
    name: str
    is_chosen: bool


class ConsentBegun(msgspec.Struct, frozen=True, kw_only=True):
    """The page to open in a browser. It comes back to this hub, which finishes the consent."""

    connection_id: str
    url: str
    expires_at: dt.datetime


@router.patch("", summary="Change settings", responses=documented(doors.ConnectionDetail))
def change(hub: TheHub, scope: Operator, connection_id: str, body: SettingsIn) -> Response:
    """Used from the next call on. Refused as a whole when the settings would not be right afterwards."""
    with hub.work() as work:
        settings.change_settings(
            hub, work, scope, connection_id, body.settings, forget=body.forget, name=body.name
        )
    return _detail(hub, scope, connection_id)


@router.post("/stop", summary="Let it rest", responses=documented(doors.ConnectionDetail))
def stop(hub: TheHub, scope: CreditorSide, who: Who, connection_id: str) -> Response:
    """Nothing is read, sent or written by it until it is resumed; what waits goes on waiting. Harmless to repeat."""
    with hub.work() as work:
        settings.stop_connection(work, scope, connection_id, by=who.name or "a program")
    return _detail(hub, scope, connection_id)


@router.post("/resume", summary="Let it go on", responses=documented(doors.ConnectionDetail))
def resume(hub: TheHub, scope: CreditorSide, connection_id: str) -> Response:
    """What waited for it is taken up at once. Harmless to repeat."""
    with hub.work() as work:
        settings.resume_connection(work, scope, connection_id)
    return _detail(hub, scope, connection_id)


def _detail(hub: TheHub, scope: CreditorSide, connection_id: str) -> Response:
    with hub.database.read() as conn:
        return answer(doors.connection_detail(conn, scope, connection_id))


@router.get("/runs", summary="List pulls", responses=documented(Listed[doors.RunView]))
async def read_runs(hub: TheHub, scope: CreditorSide, connection_id: str, page: Paging) -> Response:
    """Newest first, each with what became of its rows by currency."""
    with hub.database.read() as conn:
        return answer(doors.list_runs(conn, scope, hub.key, page, connection_id))


@router.post("/consent", summary="Begin a consent", responses=documented(ConsentBegun))
def begin(hub: TheHub, scope: CreditorSide, who: Who, connection_id: str) -> Response:
    """For connections whose vendor asks a person. The page is good for a quarter of an hour and one answer."""
    session_hash = who.session.session_hash if who.session else None
    begun = begin_consent(hub, scope, connection_id, session_hash=session_hash)
    expires_at = dt.datetime.now(dt.UTC) + LASTS
    return answer(ConsentBegun(connection_id=connection_id, url=begun.url, expires_at=expires_at))


@router.get("/divisions", summary="List divisions", responses=documented(Listed[DivisionView]))
def read_divisions(hub: TheHub, scope: CreditorSide, connection_id: str) -> Response:
    """Asked at the vendor now; those that are pulled are marked."""
    return answer(_divisions(hub, scope, connection_id))


@router.put("/divisions", summary="Choose divisions", responses=documented(Listed[DivisionView]))
def choose_divisions(hub: TheHub, scope: CreditorSide, connection_id: str, body: DivisionsIn) -> Response:
    """The next pull reads these. Harmless to repeat."""
    settings.choose_divisions(hub, scope, connection_id, body.division_refs)
    return answer(_divisions(hub, scope, connection_id))


def _divisions(hub: TheHub, scope: CreditorSide, connection_id: str) -> Listed[DivisionView]:
    found = settings.list_divisions(hub, scope, connection_id)
    views = (
        DivisionView(division_ref=division.division_ref, name=division.name, is_chosen=is_chosen)
        for division, is_chosen in found
    )
    return Listed(items=tuple(views), next_cursor=None)
