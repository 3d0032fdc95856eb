"""`collecthub case export`: the case file as it was handed over, or as it would be now, in any registered format.

What was sent is rebuilt from the history up to the moment at which its envelope was composed: a case is the sum of
its events, so this is what the partner was given, whatever the channel wrapped around it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.dispatch import compose_case_file
from collecthub.engine.case_work import CASE_FILE
from collecthub.engine.context import Hub
from collecthub.engine.placing import decisions
from collecthub.engine.routing import Ground
from collecthub.errors import PermanentError
from collecthub.model.case import Case, Placement
from collecthub.model.event import RouteChosen
from collecthub.model.exchange import DocumentItem, Exchange, Procedure
from collecthub.model.ids import derived_id
from collecthub.store import tables as t
from collecthub.store.case_log import read_events, replay
from collecthub.store.connections import CreditorRow, read_creditor
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.scope import LOCAL_OPERATOR


def case_exchange(hub: Hub, case_id: str, receiver: str = "", *, is_for_court: bool = False) -> Exchange:
    """The exchange with the case file: as it was sent, else as it would be now; for a court always as it is now.

    A case that no partner can take is written for `receiver` (a court, a reader). Raises `PermanentError` when there
    is neither.
    """
    with hub.database.read() as conn:
        case = read_owned_case(conn, LOCAL_OPERATOR, case_id)
        creditor = read_creditor(conn, case.creditor_id)
        sent = conn.execute(
            sa.select(t.messages.c.message_id, t.envelopes.c.envelope_id, t.envelopes.c.created_at)
            .join(t.envelopes, t.envelopes.c.envelope_id == t.messages.c.envelope_id)
            .where(t.messages.c.case_id == case_id, t.messages.c.kind == CASE_FILE, t.envelopes.c.state != "withdrawn")
            .order_by(t.envelopes.c.created_at.desc())
            .limit(1)
        ).first()
        sent = None if is_for_court else sent
        history = read_events(conn, case_id) if sent else []
    if creditor is None:
        raise PermanentError(f"case {case.number} has no creditor", cure="Run `collecthub verify`.")
    if sent is None:
        placement, at = _next_placement(hub, case, creditor, receiver), hub.now()
        state = (case_id, str(case.version), receiver)  # the same case has the same ids, a corrected one has others
        message_id, exchange_id = derived_id(*state, "message"), derived_id(*state, "exchange")
    else:
        at, message_id, exchange_id = sent.created_at, sent.message_id, sent.envelope_id
        then = replay(event for event in history if event.recorded_at <= at)
        if then is None or then.placement is None:
            raise PermanentError(f"the history of case {case.number} has a gap", cure="Run `collecthub verify`.")
        # The history names no persons; who the debtor is stands in the case alone.
        case, placement = msgspec.structs.replace(then, debtor=case.debtor), then.placement
    file = compose_case_file(
        case, placement, creditor.party, creditor.playbook.payment_account, _documents(hub, case_id, at), message_id
    )
    return Exchange(
        exchange_id=exchange_id, sender_ref=hub.settings.operator_name, receiver_ref=placement.partner_id,
        created_at=at, messages=(file,),
    )  # fmt: skip


def holder_of(hub: Hub, case_id: str) -> str:
    """The name of the partner who holds the case, or an empty string."""
    with hub.database.read() as conn:
        placement = read_owned_case(conn, LOCAL_OPERATOR, case_id).placement
    return placement.partner_name if placement is not None and placement.is_out else ""


def _next_placement(hub: Hub, case: Case, creditor: CreditorRow, receiver: str) -> Placement:
    """The placement that waits, or the one that routing would choose today, or one with a receiver of no profile."""
    if case.placement is not None and case.placement.is_live:
        return case.placement
    with hub.database.read() as conn:
        chosen: Any = decisions(hub, Ground(conn, [case.case_id], hub.business_date()), [case])[0]
    if not isinstance(chosen, RouteChosen) and receiver:
        return Placement(
            placement_id="", partner_id=receiver, partner_name=receiver, route="", procedure=Procedure.JUDICIAL,
            reason="written for a receiver who is no partner", chosen_at=hub.now(),
        )  # fmt: skip
    if not isinstance(chosen, RouteChosen):
        raise PermanentError(f"case {case.number} has no way out: {chosen.reason}", cure="Add what is missing first.")
    known = {name: getattr(chosen, name) for name in RouteChosen.__struct_fields__ if name != "options"}
    return Placement(chosen_at=hub.now(), **known)


def _documents(hub: Hub, case_id: str, at: dt.datetime) -> list[DocumentItem]:
    query = (
        sa.select(t.documents)
        .where(t.documents.c.case_id == case_id, t.documents.c.created_at <= at)
        .order_by(t.documents.c.created_at)
    )
    with hub.database.read() as conn:
        rows = conn.execute(query).all()
    return [
        DocumentItem(
            name=row.name, kind=row.kind, media_type=row.media_type, sha256=row.sha256,
            content=hub.evidence.read(row.sha256),
        )
        for row in rows
    ]
