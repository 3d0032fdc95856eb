"""Runner of the BACK belt: receive stores, record understands, the partner hears what became of its message.

An inbox row walks: stored -> recorded | quarantined, and then it is answered. Recording one message and marking it as seen is
one transaction, so a file that is half done when the power fails is finished, not repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.receive import receive
from collecthub.corridor.record import Words, record
from collecthub.engine.act_messages import take_act_message
from collecthub.engine.brought_papers import papers_left
from collecthub.engine.case_work import change_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.court_costs import within_allowance
from collecthub.engine.inbound import DECODED, answer_again, keep_inbound
from collecthub.engine.partner_costs import check_cost
from collecthub.engine.trouble import connection_trouble, connection_well
from collecthub.errors import CollecthubError, ContractError, PermanentError, QuarantineError
from collecthub.model.case import Case
from collecthub.model.event import Fact
from collecthub.model.exchange import CaseAmendment, CaseFile, Decoded, Fault, Message
from collecthub.ports import RawMessage, StatusSource, Verdict
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, change_connection, read_connection
from collecthub.store.quarantine import quarantine_row

log = logging.getLogger(__name__)

MESSAGES_PER_CHUNK = 50
STORED_AT_ONCE, BYTES_AT_ONCE = 20, 1_000_000  # what was fetched is committed after so many messages or bytes
READ_AT_ONCE = 20  # entries understood together, whose senders are answered together
STORED, RECORDED, QUARANTINED = "stored", "recorded", "quarantined"


def receive_connection(hub: Hub, connection_id: str) -> None:
    """Fetch what a partner left for us; messages and the checkpoint after them commit together."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    if row is None:
        return
    fetched: list[tuple[RawMessage, str]] = []
    try:
        source = hub.connector_for(row)
        if not isinstance(source, StatusSource):
            return
        for item in receive(source, row.checkpoint, hub.walk(f"{row.kind}.fetch", connection_id)):
            fetched.append(item)
            if len(fetched) >= STORED_AT_ONCE or sum(len(raw.content) for raw, _ in fetched) >= BYTES_AT_ONCE:
                _store(hub, row, fetched)
                fetched = []
        _store(hub, row, fetched)
    except CollecthubError as error:
        _store(hub, row, fetched)
        connection_trouble(hub, connection_id, error, job="receive")
        return
    connection_well(hub, row)


def _store(hub: Hub, row: ConnectionRow, fetched: Sequence[tuple[RawMessage, str]]) -> None:
    if not fetched:
        return
    with hub.work() as work:
        for raw, _ in fetched:
            if not keep_inbound(hub, work, row, raw):
                answer_again(work, row, raw)  # it came before: its sender has missed the answer
        change_connection(work.conn, row.connection_id, checkpoint=fetched[-1][1])


class Reading(msgspec.Struct, kw_only=True):
    """One inbox entry while it is worked on."""

    entry: Any
    raw: RawMessage
    state: str
    problems: list[str] = []


def record_connection(hub: Hub, connection_id: str) -> None:
    """Understand everything stored for a connection and answer its sender."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
        waiting = conn.execute(_UNANSWERED, {"of": connection_id}).all()
    if row is None or not waiting:
        return
    try:
        source = hub.connector_for(row)
    except CollecthubError as error:
        connection_trouble(hub, connection_id, error, job="record")
        return
    for start in range(0, len(waiting), READ_AT_ONCE):
        readings = [_reading(hub, entry) for entry in waiting[start : start + READ_AT_ONCE]]
        _understand(hub, row, source, [reading for reading in readings if reading.state == STORED])
        _answer(hub, row, source, [reading for reading in readings if reading.state != STORED])


_UNANSWERED = (
    sa.select(t.inbox)
    .where(t.inbox.c.connection_id == sa.bindparam("of"), t.inbox.c.answered_at.is_(None))
    .order_by(t.inbox.c.received_at, t.inbox.c.inbox_id)
)


def _reading(hub: Hub, entry: Any) -> Reading:
    raw = RawMessage(
        remote_ref=entry.remote_ref, media_type=entry.media_type, content=hub.evidence.read(entry.sha256),
        headers=msgspec.json.decode(entry.headers or "{}"),
    )
    return Reading(entry=entry, raw=raw, state=entry.state, problems=[entry.problem] if entry.problem else [])


def _understand(hub: Hub, row: ConnectionRow, source: object, readings: Sequence[Reading]) -> None:
    """Record what these entries say and set their states.

    An entry that came before we knew that its case had left stays stored and is looked at again.
    """
    legible = [(reading, decoded) for reading in readings if (decoded := _read(hub, row, source, reading)) is not None]
    messages = [(reading, message) for reading, decoded in legible if not decoded.is_test for message in decoded.messages]
    early: set[str] = set()
    for start in range(0, len(messages), MESSAGES_PER_CHUNK):
        with hub.work() as work:
            recorder = Recorder(hub, work, row, messages[start : start + MESSAGES_PER_CHUNK])
            early |= recorder.record()
    done = [(reading, decoded) for reading, decoded in legible if reading.entry.inbox_id not in early]
    faults = [(*decoded.faults, *papers_left(hub, row, decoded)) for _, decoded in done]
    with hub.work() as work:
        for (reading, _), found in zip(done, faults, strict=True):
            reading.problems += [_keep_fault(work, row, reading.entry, fault) for fault in found]
            reading.state = RECORDED
        _set_states(work, [reading for reading, _ in done])


def _read(hub: Hub, row: ConnectionRow, source: object, reading: Reading) -> Decoded | None:
    """Decode one entry; what cannot be read is quarantined whole, also when it is the plugin that cannot read it."""
    entry = reading.entry
    try:
        return _decoded(hub, row, source, reading.raw)
    except CollecthubError as error:
        code = error.code if isinstance(error, QuarantineError) else "plugin"
        reading.state, reading.problems = QUARANTINED, [f"{code}: {error.message}"]
        with hub.work() as work:
            quarantine_row(work.conn, row, "message", entry.remote_ref, code, error.message, entry.sha256, work.now)
            _set_states(work, [reading])
        return None


def _decoded(hub: Hub, row: ConnectionRow, source: object, raw: RawMessage) -> Decoded:
    if raw.media_type == DECODED:
        return msgspec.json.decode(raw.content, type=Decoded)
    if not isinstance(source, StatusSource):
        raise ContractError(f"{row.kind} cannot read what it received", cure="Report it to the plugin's author.")
    return hub.call(source.decode, raw, what=f"{row.kind}.decode", connection_id=row.connection_id)


def _keep_fault(work: Work, row: ConnectionRow, entry: Any, fault: Fault) -> str:
    named_already = not fault.path or fault.path in fault.reason
    reason = fault.reason if named_already else f"{fault.reason} ({fault.path})"
    reference = fault.message_id or f"{entry.remote_ref}{fault.path}"
    quarantine_row(
        work.conn, row, "part", reference[:400], fault.code, reason, entry.sha256, work.now,
        case_id=fault.case_id or None,
    )
    return f"{fault.code}: {reason}"


class TooEarlyError(QuarantineError):
    """A partner answers a case file whose receipt is not recorded yet; it waits for the receipt."""


class Recorder:
    """Records a chunk of messages in one transaction: looks once for what was seen and which cases it is about."""

    def __init__(
        self, hub: Hub, work: Work, row: ConnectionRow, messages: Sequence[tuple[Reading, Message]]
    ) -> None:
        self._hub, self._work, self._row, self._messages = hub, work, row, messages
        self._words = Words(hub.plugins.codes, hub.spec(row.kind).vocabularies)
        asked = {"of": row.connection_id, "message_ids": [message.message_id for _, message in messages]}
        self._seen = set(work.conn.scalars(_SEEN, asked))
        work.hold(message.case_id for _, message in messages)

    def record(self) -> set[str]:
        """Record what is new and return the entries that came too early. A bad message leaves no trace in its case."""
        early = set()
        for reading, message in self._messages:
            if message.message_id in self._seen:
                continue
            try:
                change = self._change(message)
            except TooEarlyError:
                early.add(reading.entry.inbox_id)
                continue
            except QuarantineError as problem:
                self._see(reading, message)
                reading.problems.append(self._set_aside(reading, message, problem))
                continue
            self._see(reading, message)
            if change is not None:
                case, facts = change
                change_case(
                    self._hub, self._work, case, facts, actor=f"partner:{self._row.partner_id}",
                    occurred_at=min(getattr(message, "occurred_at", None) or self._work.now, self._work.now),
                )
        return early

    def _see(self, reading: Reading, message: Message) -> None:
        self._seen.add(message.message_id)
        seen: dict[str, object] = {
            "connection_id": self._row.connection_id, "message_id": message.message_id,
            "inbox_id": reading.entry.inbox_id, "recorded_at": self._work.now,
        }
        self._work.later(_SEE, [seen])

    def _change(self, message: Message) -> tuple[Case, Sequence[Fact]] | None:
        """The case and what the message adds to its history, or None when it adds nothing."""
        if self._work.book.held(message.case_id) is None and take_act_message(self._hub, self._work, self._row, message):
            return None
        if isinstance(message, CaseFile | CaseAmendment):
            raise QuarantineError(
                "a partner that holds our cases sent a message that only a creditor's hub sends",
                code="record.direction", cure="Ask the partner what it meant.", reference=message.case_id,
            )
        case = self._case_of(message.case_id)
        facts = record(case, message, self._words)
        check_cost(self._hub, case, message)
        return within_allowance(self._hub, self._work, case, facts) if facts else None

    def _case_of(self, case_id: str) -> Case:
        """The case, if it is or was placed with this partner. Others do not exist for it."""
        partner_id = self._row.partner_id
        case = self._work.book.held(case_id)
        current = case.placement if case is not None else None
        if current is not None and current.partner_id == partner_id and current.is_live and current.sent_at is None:
            raise TooEarlyError(
                f"the receipt for case {case_id} is not recorded yet", code="record.early", reference=case_id
            )
        placements = [] if case is None else [*case.past_placements, *([case.placement] if case.placement else [])]
        if case is None or not any(p.partner_id == partner_id and p.sent_at is not None for p in placements):
            raise QuarantineError(
                f"no case {case_id} was placed with this partner", code="record.unknown_case",
                cure="It is kept and can be retried when the case appears.", reference=case_id,
            )
        return case

    def _set_aside(self, reading: Reading, message: Message, problem: QuarantineError) -> str:
        entry_id = quarantine_row(
            self._work.conn, self._row, "part", message.message_id, problem.code, problem.message,
            reading.entry.sha256, self._work.now, case_id=message.case_id,
        )
        if entry_id and problem.code == "status.unknown":
            open_task(
                self._work, kind="status_unknown", title=problem.message, detail=problem.cure,
                connection_id=self._row.connection_id, case_id=message.case_id,
            )
        return f"{problem.code}: {problem.message}"


_SEEN = sa.select(t.seen.c.message_id).where(
    t.seen.c.connection_id == sa.bindparam("of"),
    t.seen.c.message_id.in_(sa.bindparam("message_ids", expanding=True)),
)
_SEE = sa.insert(t.seen)


def _set_states(work: Work, readings: Sequence[Reading]) -> None:
    if readings:
        work.conn.execute(
            _SET_STATE,
            [
                {
                    "of_entry": reading.entry.inbox_id, "state": reading.state, "recorded_at": work.now,
                    "problem": "; ".join(reading.problems)[:2000],
                }
                for reading in readings
            ],
        )


_OF_ENTRY = t.inbox.c.inbox_id == sa.bindparam("of_entry")
_SET_STATE = (
    sa.update(t.inbox)
    .where(_OF_ENTRY)
    .values({name: sa.bindparam(name) for name in ("state", "problem", "recorded_at")})
)
_SET_ANSWERED = sa.update(t.inbox).where(_OF_ENTRY).values(answered_at=sa.bindparam("answered_at"))


def _answer(hub: Hub, row: ConnectionRow, source: object, readings: Sequence[Reading]) -> None:
    """Tell senders what became of their messages; who could not be told is told with the next round."""
    answered = [reading.entry.inbox_id for reading in readings if _acknowledge(hub, row, source, reading)]
    if answered:
        with hub.work() as work:
            work.conn.execute(
                _SET_ANSWERED, [{"of_entry": inbox_id, "answered_at": work.now} for inbox_id in answered]
            )


def _acknowledge(hub: Hub, row: ConnectionRow, source: object, reading: Reading) -> bool:
    if reading.raw.media_type == DECODED or not isinstance(source, StatusSource):
        return True
    problem = "; ".join(reading.problems)[:2000]
    accepted = reading.state == RECORDED
    verdict = Verdict(is_accepted=accepted, reason=problem, code="" if accepted else problem.split(":", 1)[0])
    try:
        hub.call(
            source.acknowledge, reading.raw, verdict, what=f"{row.kind}.acknowledge", connection_id=row.connection_id
        )
    except PermanentError as error:  # the partner does not want to hear it; asking again changes nothing
        log.warning("the answer to %s was refused: %s", reading.entry.inbox_id, error.message)
    except CollecthubError as error:
        log.warning("%s could not be answered yet: %s", reading.entry.inbox_id, error.message)
        return False
    return True
