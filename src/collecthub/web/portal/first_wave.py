"""The first wave of a connection: what would leave, seen before anything does, and the release itself."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.datastructures import FormData

from collecthub.engine.release import first_wave, release_connection
from collecthub.errors import PermanentError
from collecthub.store.connections import SHADOW, Exclusions
from collecthub.store.queries import doors
from collecthub.store.queries.names import owner_names
from collecthub.store.queries.scope import NotThereError
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.pages import CreditorSide, Form, Operator, PageRoute, Visitor, page, redirect

router = APIRouter(prefix="/connections", route_class=PageRoute, include_in_schema=False)
REMINDERS = {"creditor": "The creditor", "hub": "This hub", "nobody": "Nobody"}
_ANY_CURRENCY = "EUR"
Text = Annotated[str, Query(max_length=4000)]


@router.get("/{connection_id}/first-wave")
def show_wave(
    visitor: CreditorSide,
    connection_id: str,
    debtor_refs: Text = "",
    group_refs: Text = "",
    minimum: Text = "",
    reminders_by: Text = "",
) -> Response:
    """What would leave with these exclusions. Looking sends nothing."""
    given = {
        "debtor_refs": debtor_refs,
        "group_refs": group_refs,
        "minimum": minimum,
        "reminders_by": reminders_by,
    }
    return _wave_page(visitor, connection_id, {name: value for name, value in given.items() if value})


def _wave_page(
    visitor: Visitor, connection_id: str, given: dict[str, str], problem: PermanentError | None = None
) -> Response:
    with visitor.hub.database.read() as conn:
        row = doors.owned_connection(conn, visitor.scope, connection_id)
        names = owner_names(conn, visitor.scope)
    entered = Entered(FormData(given))
    rules = row.release
    if given and problem is None:
        try:
            rules = _exclusions(entered)
        except EnteredError as error:
            problem = error
    wave = first_wave(visitor.hub, visitor.scope, connection_id, rules)
    shown = given or {
        "debtor_refs": "\n".join(rules.debtor_refs),
        "group_refs": "\n".join(rules.group_refs),
        "minimum": format(rules.minimum_amount, "f") if rules.minimum_amount else "",
        "reminders_by": rules.reminders_by,
    }
    return page(
        visitor,
        "wave.html",
        status=422 if problem else 200,
        row=row,
        wave=wave,
        given=shown,
        problem=problem,
        wrong=entered.wrong,
        names=names,
        is_shadow=row.mode == SHADOW,
        reminders=REMINDERS,
        leaving_cases=sum(part.cases for part in wave.leaving),
        held_cases=sum(part.cases for part in wave.held),
        overdue=sum(part.count for part in wave.overdue),
    )


def _exclusions(entered: Entered) -> Exclusions:
    """What stays, as a person wrote it: one reference a line or parted by commas."""
    minimum: Decimal = entered.amount("minimum", _ANY_CURRENCY, required=False)
    reminders_by = entered.choice("reminders_by", REMINDERS, default="creditor")
    debtor_refs, group_refs = (_references(entered.text(name)) for name in ("debtor_refs", "group_refs"))
    entered.check()
    return Exclusions(
        debtor_refs=debtor_refs, group_refs=group_refs, minimum_amount=minimum, reminders_by=reminders_by
    )


def _references(text: str) -> tuple[str, ...]:
    """References as people list them.

    >>> _references("10001, 10002\\n10003")
    ('10001', '10002', '10003')
    """
    return tuple(part for part in (piece.strip() for piece in re.split(r"[,;\n]", text)) if part)


@router.post("/{connection_id}/release")
def release(visitor: Operator, form: Form, connection_id: str) -> Response:
    """Let the first wave leave, but for what is excluded."""
    entered = Entered(form)
    try:
        release_connection(visitor.hub, visitor.scope, connection_id, _exclusions(entered))
    except NotThereError:
        raise
    except PermanentError as error:
        return _wave_page(visitor, connection_id, dict(entered.given), error)
    return redirect(f"/connections/{connection_id}", done="released")
