"""`collecthub case export`: the case file as it was handed over, or as it would be now, in any registered format.

What was sent is read from the evidence that was kept before it left: these are the words that the partner was given,
whatever the channel wrapped around them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.dispatch import compose_case_file
from collecthub.engine.case_work import CASE_FILE
from collecthub.engine.context import Hub
from collecthub.engine.partner_texts import language_of_remarks
from collecthub.engine.placing import decisions
from collecthub.engine.routing import Ground
from collecthub.engine.told_account import with_account
from collecthub.engine.told_history import with_past
from collecthub.errors import PermanentError
from collecthub.model.case import Case, Placement
from collecthub.model.event import RouteChosen
from collecthub.model.exchange import CaseFile, DocumentItem, Exchange, Procedure
from collecthub.model.history import placed
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
        if creditor is None:
            raise PermanentError(f"case {case.number} has no creditor", cure="Run `collecthub verify`.")
        sent = None if is_for_court else _sent(hub, conn, case, creditor)
    if sent is not None:
        return sent
    placement = _next_placement(hub, case, creditor, receiver)
    state = (case_id, str(case.version), receiver)  # the same case has the same ids, a corrected one has others
    account = creditor.playbook.payment_account
    with hub.database.read() as conn:
        documents = _documents(hub, conn, case_id, hub.now())
        language = language_of_remarks(conn, case, placement.partner_id, hub.business_date())
        made_id = derived_id(*state, "message")
        file = compose_case_file(case, placement, creditor.party, account, documents, made_id, language=language)
        file = with_past(conn, case, file)
        file = file if is_for_court else with_account(hub, conn, case, file, hub.business_date())
    return Exchange(
        exchange_id=derived_id(*state, "exchange"), sender_ref=hub.settings.operator_name,
        receiver_ref=placement.partner_id, created_at=hub.now(), messages=(file,),
    )  # fmt: skip


def _sent(hub: Hub, conn: sa.Connection, case: Case, creditor: CreditorRow) -> Exchange | None:
    """The newest case file that was handed over, alone in the envelope it travelled in; None before the first."""
    row = conn.execute(
        sa.select(t.messages.c.message_id, t.envelopes.c.envelope_id, t.envelopes.c.words_sha256, t.envelopes.c.created_at)
        .join(t.envelopes, t.envelopes.c.envelope_id == t.messages.c.envelope_id)
        .where(t.messages.c.case_id == case.case_id, t.messages.c.kind == CASE_FILE, t.envelopes.c.state != "withdrawn")
        .order_by(t.envelopes.c.created_at.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    if not row.words_sha256:  # composed before the words were kept apart from what leaves (schema 0019)
        return _as_it_was(hub, conn, case, creditor, row)
    whole = msgspec.json.decode(hub.evidence.read(row.words_sha256), type=Exchange)
    mine = tuple(one for one in whole.messages if isinstance(one, CaseFile) and one.message_id == row.message_id)
    return msgspec.structs.replace(whole, messages=mine)


def _as_it_was(hub: Hub, conn: sa.Connection, case: Case, creditor: CreditorRow, row: Any) -> Exchange:
    """The case file made anew from the history up to the moment at which it was composed."""
    then = replay(event for event in read_events(conn, case.case_id) if event.recorded_at <= row.created_at)
    if then is None or then.placement is None:
        raise PermanentError(f"the history of case {case.number} has a gap", cure="Run `collecthub verify`.")
    # The history names no persons; who the debtor is stands in the case alone.
    known = msgspec.structs.replace(then, debtor=case.debtor)
    documents = _documents(hub, conn, case.case_id, row.created_at)
    account = creditor.playbook.payment_account
    language = language_of_remarks(conn, then, then.placement.partner_id, row.created_at.date())
    file = compose_case_file(known, then.placement, creditor.party, account, documents, row.message_id, language=language)
    return Exchange(
        exchange_id=row.envelope_id, sender_ref=hub.settings.operator_name, receiver_ref=then.placement.partner_id,
        created_at=row.created_at, messages=(file,),
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
        raise PermanentError(f"case {case.number} has no way out: {getattr(chosen, 'note', '') or getattr(chosen, 'reason', 'it waits for better times')}", cure="Add what is missing first.")
    return placed(chosen, hub.now())


def _documents(hub: Hub, conn: sa.Connection, case_id: str, until: dt.datetime) -> list[DocumentItem]:
    query = (
        sa.select(t.documents)
        .where(t.documents.c.case_id == case_id, t.documents.c.created_at <= until)
        .order_by(t.documents.c.created_at)
    )
    return [
        DocumentItem(
            name=row.name, kind=row.kind, media_type=row.media_type, sha256=row.sha256,
            content=hub.evidence.read(row.sha256),
        )
        for row in conn.execute(query).all()
    ]
