"""Runner of the BACK belt: receive stores, record understands, the partner hears what became of its message.

An inbox row walks: stored -> recorded | quarantined, and then it is answered. Recording one message and marking it as seen is
one transaction, so a file that is half done when the power fails is finished, not repeated.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.receive import receive
from collecthub.corridor.record import Words, record
from collecthub.engine.case_work import change_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.inbound import DECODED, answer_again, keep_inbound
from collecthub.engine.trouble import connection_trouble, connection_well
from collecthub.errors import CollecthubError, ContractError, PermanentError, QuarantineError
from collecthub.model.case import Case
from collecthub.model.exchange import CaseAmendment, CaseFile, Decoded, Fault, Message
from collecthub.ports import RawMessage, StatusSource, Verdict
from collecthub.store import tables as t
from collecthub.store.case_log import read_case
from collecthub.store.connections import ConnectionRow, change_connection, read_connection
from collecthub.store.quarantine import quarantine_row

log = logging.getLogger(__name__)

MESSAGES_PER_CHUNK = 50
STORED, RECORDED, QUARANTINED = "stored", "recorded", "quarantined"


def receive_connection(hub: Hub, connection_id: str) -> None:
    """Fetch what a partner left for us; each message and the checkpoint after it commit together."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    if row is None:
        return
    try:
        source = hub.connector(connection_id)
        if not isinstance(source, StatusSource):
            return
        for raw, position in receive(source, row.checkpoint, hub.walk(f"{row.kind}.fetch", connection_id)):
            with hub.work() as work:
                if not keep_inbound(hub, work, row, raw):
                    answer_again(work, row, raw)  # it came before: its sender has missed the answer
                change_connection(work.conn, connection_id, checkpoint=position)
    except CollecthubError as error:
        connection_trouble(hub, connection_id, error, job="receive")
        return
    connection_well(hub, connection_id)


def record_connection(hub: Hub, connection_id: str) -> None:
    """Understand everything stored for a connection and answer its sender."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
        waiting = conn.execute(
            sa.select(t.inbox)
            .where(
                t.inbox.c.connection_id == connection_id, t.inbox.c.answered_at.is_(None)
            )
            .order_by(t.inbox.c.received_at, t.inbox.c.inbox_id)
        ).all()
    if row is None or not waiting:
        return
    try:
        source = hub.connector(connection_id)
    except CollecthubError as error:
        connection_trouble(hub, connection_id, error, job="record")
        return
    for entry in waiting:
        raw = RawMessage(
            remote_ref=entry.remote_ref, media_type=entry.media_type, content=hub.evidence.read(entry.sha256),
            headers=msgspec.json.decode(entry.headers or "{}"),
        )
        if entry.state == STORED:
            entry_state, problem = _understand(hub, row, source, entry, raw)
        else:
            entry_state, problem = entry.state, entry.problem  # understood before, answered now
        if entry_state == STORED:
            continue
        _answer(hub, row, source, entry, raw, Verdict(is_accepted=entry_state == RECORDED, reason=problem))


def _understand(hub: Hub, row: ConnectionRow, source: object, entry: Any, raw: RawMessage) -> tuple[str, str]:
    try:
        decoded = _decoded(hub, row, source, raw)
    except QuarantineError as error:
        with hub.work() as work:
            quarantine_row(
                work.conn, row, "message", entry.remote_ref, error.code, error.message, entry.sha256, work.now
            )
            _set_state(work, entry, QUARANTINED, f"{error.code}: {error.message}")
        return QUARANTINED, f"{error.code}: {error.message}"
    except CollecthubError as error:  # a plugin that cannot read must not lose what it was given
        with hub.work() as work:
            quarantine_row(
                work.conn, row, "message", entry.remote_ref, "plugin", error.message, entry.sha256, work.now
            )
            _set_state(work, entry, QUARANTINED, error.message)
        return QUARANTINED, error.message
    problems: list[str | None] = []
    for start in range(0, len(decoded.messages), MESSAGES_PER_CHUNK):
        with hub.work() as work:
            for message in decoded.messages[start : start + MESSAGES_PER_CHUNK]:
                problems.append(_record_one(hub, work, row, entry, message))
    if None in problems:  # something came before we knew that it had left; the whole entry is looked at again
        return STORED, ""
    with hub.work() as work:
        problems += [_keep_fault(work, row, entry, fault) for fault in decoded.faults]
        text = "; ".join(filter(None, problems))[:2000]
        _set_state(work, entry, RECORDED, text)
    return RECORDED, text


def _decoded(hub: Hub, row: ConnectionRow, source: object, raw: RawMessage) -> Decoded:
    if raw.media_type == DECODED:
        return msgspec.json.decode(raw.content, type=Decoded)
    if not isinstance(source, StatusSource):
        raise ContractError(f"{row.kind} cannot read what it received", cure="Report it to the plugin's author.")
    return hub.call(source.decode, raw, what=f"{row.kind}.decode", connection_id=row.connection_id)


def _keep_fault(work: Work, row: ConnectionRow, entry: Any, fault: Fault) -> str:
    reason = f"{fault.reason} ({fault.path})" if fault.path else fault.reason
    reference = fault.message_id or f"{entry.remote_ref}{fault.path}"
    quarantine_row(
        work.conn, row, "part", reference[:400], fault.code, reason, entry.sha256, work.now,
        case_id=fault.case_id or None,
    )
    return f"{fault.code}: {reason}"


class TooEarlyError(QuarantineError):
    """A partner answers a case file whose receipt is not recorded yet; it waits for the receipt."""


def _record_one(hub: Hub, work: Work, row: ConnectionRow, entry: Any, message: Message) -> str | None:
    """Record one message; an empty text when it had or needed no trouble, None when it came too early.

    A bad message leaves no trace in the case, an early one leaves none at all.
    """
    try:
        with work.conn.begin_nested():
            if _first_time(work, row.connection_id, message.message_id, entry.inbox_id):
                _apply(hub, work, row, message)
    except TooEarlyError:
        return None
    except QuarantineError as error:
        problem = error
    else:
        return ""
    _first_time(work, row.connection_id, message.message_id, entry.inbox_id)
    entry_id = quarantine_row(
        work.conn, row, "part", message.message_id, problem.code, problem.message, entry.sha256, work.now,
        case_id=getattr(message, "case_id", None),
    )
    if entry_id and problem.code == "status.unknown":
        open_task(
            work, kind="status_unknown", title=problem.message, detail=problem.cure,
            connection_id=row.connection_id, case_id=getattr(message, "case_id", None),
        )
    return f"{problem.code}: {problem.message}"


_SEE_ONCE = sa.text(
    "INSERT INTO seen (connection_id, message_id, inbox_id, recorded_at) VALUES (:c, :m, :i, :at)"
    " ON CONFLICT DO NOTHING"
).bindparams(sa.bindparam("at", type_=t.seen.c.recorded_at.type))


def _first_time(work: Work, connection_id: str, message_id: str, inbox_id: str) -> bool:
    values = {"c": connection_id, "m": message_id, "i": inbox_id, "at": work.now}
    return work.conn.execute(_SEE_ONCE, values).rowcount == 1


def _apply(hub: Hub, work: Work, row: ConnectionRow, message: Message) -> None:
    if isinstance(message, CaseFile | CaseAmendment):
        raise QuarantineError(
            "a partner that holds our cases sent a message that only a creditor's hub sends",
            code="record.direction", cure="Ask the partner what it meant.", reference=message.case_id,
        )
    case = _case_of(work, row, message.case_id)
    words = Words(hub.plugins.codes, hub.spec(row.kind).vocabularies)
    facts = record(case, message, words)
    if not facts:
        return
    occurred_at = getattr(message, "occurred_at", None)
    change_case(
        hub, work, case, facts, actor=f"partner:{row.partner_id}",
        occurred_at=None if occurred_at is None else min(occurred_at, work.now),
    )


def _case_of(work: Work, row: ConnectionRow, case_id: str) -> Case:
    """The case, if it is or was placed with this partner. Others do not exist for it."""
    case = read_case(work.conn, case_id, lock=True)
    current = case.placement if case is not None else None
    if current is not None and current.partner_id == row.partner_id and current.is_live and current.sent_at is None:
        raise TooEarlyError(
            f"the receipt for case {case_id} is not recorded yet", code="record.early", reference=case_id
        )
    placements = [] if case is None else [*case.past_placements, *([case.placement] if case.placement else [])]
    if case is None or not any(p.partner_id == row.partner_id and p.sent_at is not None for p in placements):
        raise QuarantineError(
            f"no case {case_id} was placed with this partner", code="record.unknown_case",
            cure="It is kept and can be retried when the case appears.", reference=case_id,
        )
    return case


def _set_state(work: Work, entry: Any, state: str, problem: str) -> None:
    work.conn.execute(
        sa.update(t.inbox)
        .where(t.inbox.c.inbox_id == entry.inbox_id)
        .values(state=state, problem=problem[:2000], recorded_at=work.now)
    )


def _answer(
    hub: Hub, row: ConnectionRow, source: object, entry: Any, raw: RawMessage, verdict: Verdict
) -> None:
    if raw.media_type != DECODED and isinstance(source, StatusSource):
        code = "" if verdict.is_accepted else verdict.reason.split(":", 1)[0]
        told = msgspec.structs.replace(verdict, code=code)
        try:
            hub.call(source.acknowledge, raw, told, what=f"{row.kind}.acknowledge", connection_id=row.connection_id)
        except PermanentError as error:  # the partner does not want to hear it; asking again changes nothing
            log.warning("the answer to %s was refused: %s", entry.inbox_id, error.message)
        except CollecthubError as error:
            log.warning("%s could not be answered yet: %s", entry.inbox_id, error.message)
            return
    with hub.work() as work:
        work.conn.execute(sa.update(t.inbox).where(t.inbox.c.inbox_id == entry.inbox_id).values(answered_at=work.now))
