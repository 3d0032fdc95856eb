"""The handler's agenda: one list for everything that waits for a person, and what one click does about an item."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Response

from collecthub.engine.agenda_desk import act_on
from collecthub.model.agenda import Click
from collecthub.store.queries.agenda import Agenda, AgendaFilter, agenda_page
from collecthub.web.answers import answer, documented
from collecthub.web.api.fields import Paging
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/agenda", tags=["agenda"], route_class=StrictRoute)
Word = Annotated[str, Query(max_length=200)]


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """What was done about an item."""

    item_id: str
    did: Click


@router.get("", summary="List what waits for a person", responses=documented(Agenda))
def read_agenda(
    hub: TheHub, scope: CreditorSide, page: Paging, owner: Word = "", queue: Literal["", "domestic", "international"] = "",
    kind: Word = "", case_id: Word = "",
) -> Response:  # fmt: skip
    """The most urgent first: what is late, then by weight, then by money at stake, each with its reason and the proposed act."""
    wanted = AgendaFilter(owner=owner, queue=queue, kind=kind, case_id=case_id)
    with hub.database.read() as conn:
        return answer(agenda_page(conn, scope, hub.key, hub.now(), wanted, page))


@router.post("/{source}/{item_id}/act", summary="Do what is proposed", responses=documented(Acted))
def do(hub: TheHub, scope: CreditorSide, source: str, item_id: str) -> Response:
    """Where `click` of the item names what one click does; anything else is decided on its own page."""
    with hub.work() as work:
        did = act_on(hub, work, scope, source, item_id)
    return answer(Acted(item_id=item_id, did=did))
