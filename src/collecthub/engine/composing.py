"""First half of the `dispatch` runner: messages in line become an envelope with fixed words, or lose their purpose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.dispatch import compose_amendment, compose_case_file, compose_instruction
from collecthub.engine.case_work import AMENDMENT, CASE_FILE, change_case, locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.partner_texts import language_of_remarks
from collecthub.engine.told_account import with_account
from collecthub.engine.told_history import with_past
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.event import AmendmentQueued, InstructionQueued, PlacementWithdrawn
from collecthub.model.exchange import (
    CaseFile,
    DocumentItem,
    Exchange,
    InstructionCode,
    Message,
    OutboundMessage,
)
from collecthub.model.ids import new_id
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, read_creditor


def compose(
    hub: Hub, row: ConnectionRow, limit: int, *, most: int = 1, busy: Collection[str] = (), opens_at: dt.datetime | None = None
) -> int:
    """Fix the words of up to `most` envelopes from the cases as they are now; returns how many messages were looked at.

    Changes and recalls come before new cases. Cases in `busy` are in an envelope that is not done and wait for it; new cases
    wait until `opens_at`.
    """
    with hub.work() as work:
        if opens_at is not None:
            _wait_for_opening(work, row.connection_id, opens_at)
        waiting = _in_line(work, row.connection_id, limit * most, busy, with_new=opens_at is None)
        work.hold(entry.case_id for entry in waiting)
        composed = [message for entry in waiting if (message := _message(hub, work, entry)) is not None]
        for start in range(0, len(composed), limit):
            put_into_envelope(hub, work, row, tuple(composed[start : start + limit]))
    return len(waiting)


def _wait_for_opening(work: Work, connection_id: str, opens_at: dt.datetime) -> None:
    """Nobody needs to look at new cases before the office opens."""
    new = (t.messages.c.connection_id == connection_id) & (t.messages.c.state == "queued") & (t.messages.c.kind == CASE_FILE)
    is_news = t.messages.c.next_attempt_at.is_(None) | (t.messages.c.next_attempt_at <= work.now)
    work.conn.execute(sa.update(t.messages).where(new, is_news).values(next_attempt_at=opens_at))


def _in_line(work: Work, connection_id: str, most: int, busy: Collection[str], *, with_new: bool) -> Sequence[Any]:
    is_new = sa.case((t.messages.c.kind == CASE_FILE, 1), else_=0)
    query = (
        sa.select(t.messages)
        .where(t.messages.c.connection_id == connection_id, t.messages.c.state == "queued")
        .order_by(is_new, t.messages.c.queued_at, t.messages.c.message_id)
        .limit(most)
    )
    if busy:
        query = query.where(t.messages.c.case_id.not_in(busy))
    return work.conn.execute(query if with_new else query.where(t.messages.c.kind != CASE_FILE)).all()


def put_into_envelope(hub: Hub, work: Work, row: ConnectionRow, messages: tuple[Message, ...]) -> str:
    """Keep the words of one exchange and open the envelope that will carry them; returns its id."""
    exchange = Exchange(
        exchange_id=new_id(), sender_ref=hub.settings.operator_name, receiver_ref=row.partner_id or "",
        created_at=work.now, messages=messages,
    )
    sha256 = hub.evidence.keep(msgspec.json.encode(exchange))
    work.conn.execute(
        sa.insert(t.envelopes).values(
            envelope_id=exchange.exchange_id, connection_id=row.connection_id, partner_id=row.partner_id or "",
            sha256=sha256, words_sha256=sha256, state="composed", created_at=work.now,
        )
    )
    work.conn.execute(
        sa.update(t.messages)
        .where(t.messages.c.message_id.in_([message.message_id for message in messages]))
        .values(state="enveloped", envelope_id=exchange.exchange_id)
    )
    return exchange.exchange_id


def _message(hub: Hub, work: Work, entry: Any) -> OutboundMessage | None:
    """The words of one message now, or None when it has lost its purpose and is withdrawn."""
    case = locked_case(work, entry.case_id)
    problem = obsolete(case, entry.kind, entry.message_id)
    if problem:
        _withdraw(work, entry.message_id, problem)
        if entry.kind == CASE_FILE and case.is_open and case.placement is not None and case.placement.is_live:
            change_case(hub, work, case, [PlacementWithdrawn(reason=problem)], actor="hub")
        return None
    if entry.kind == CASE_FILE:
        return _case_file(hub, work, case, entry.message_id)
    if entry.kind == AMENDMENT:
        queued = msgspec.json.decode(entry.doc, type=AmendmentQueued)
        amendment = compose_amendment(case, queued.code, queued.reason_code, entry.message_id, work.now.date())
        return with_account(hub, work.conn, case, amendment, work.now.date()) if amendment.claims else amendment
    said = msgspec.json.decode(entry.doc, type=InstructionQueued)
    return compose_instruction(case, InstructionCode(said.code), said.text, entry.message_id)


def obsolete(case: Case, kind: str, message_id: str) -> str:
    """Why a message has lost its purpose; empty while it has one."""
    placement = case.placement
    if kind == CASE_FILE:
        if not case.is_open or placement is None or not placement.is_live:
            return "the placement has ended"
        if case.holds:
            return f"the case is on hold: {case.holds[0].reason}"
        return "" if case.demanded > 0 else "nothing is owed any more"
    if placement is None or not placement.is_out:
        return "the partner no longer holds the case"
    if kind == AMENDMENT and all(asked.message_id != message_id for asked in placement.asking):
        return "it was confirmed, or a newer one replaced it"
    return ""


def _withdraw(work: Work, message_id: str, problem: str) -> None:
    work.conn.execute(
        sa.update(t.messages).where(t.messages.c.message_id == message_id).values(state="withdrawn", problem=problem)
    )


_DOCUMENTS = sa.select(t.documents).where(t.documents.c.case_id == sa.bindparam("of")).order_by(t.documents.c.created_at)


def _case_file(hub: Hub, work: Work, case: Case, message_id: str) -> CaseFile:
    creditor = read_creditor(work.conn, case.creditor_id)
    if creditor is None or case.placement is None:
        raise PermanentError(f"case {case.number} has no creditor or placement", cure="Run `collecthub verify`.")
    documents = [
        DocumentItem(
            name=row.name, kind=row.kind, media_type=row.media_type, sha256=row.sha256,
            content=hub.evidence.read(row.sha256),
        )
        for row in work.conn.execute(_DOCUMENTS, {"of": case.case_id})
    ]
    account = creditor.playbook.payment_account
    language = language_of_remarks(work.conn, case, case.placement.partner_id, work.now.date())
    made = compose_case_file(case, case.placement, creditor.party, account, documents, message_id, language=language)
    return with_account(hub, work.conn, case, with_past(work.conn, case, made), work.now.date())
