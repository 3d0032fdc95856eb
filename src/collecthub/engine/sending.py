"""Runner of the `dispatch` room: messages in line become envelopes, envelopes become receipts, once.

An envelope walks: composed (messages fixed) -> prepared (bytes stored) -> attempting -> sent. Its attempt row is
written before the act and its intent before the point of no return; what has no receipt is probed, never
repeated blind. The guard reads every case again inside the transaction that enters the point of no return, so
"paid" and "sent" cannot both win unseen.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.dispatch import dispatch
from collecthub.engine.case_work import AMENDMENT, CASE_FILE, change_case, locked_case, open_task
from collecthub.engine.composing import compose, obsolete
from collecthub.engine.context import Hub, Work
from collecthub.engine.inbound import keep_inbound
from collecthub.engine.partner_batches import match_early_reports
from collecthub.engine.trouble import backoff, connection_trouble, connection_well
from collecthub.errors import (
    CollecthubError,
    ConfigurationError,
    InDoubtError,
    PermanentError,
    RetryableError,
)
from collecthub.model.case import Case
from collecthub.model.event import (
    AmendmentQueued,
    AmendmentSent,
    CaseSent,
    DispatchBlocked,
    Fact,
)
from collecthub.model.exchange import (
    Exchange,
)
from collecthub.ports import Dispatcher, Envelope, RawMessage, Receipt
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, read_connection
from collecthub.store.facts import FENCE, read_fact

log = logging.getLogger(__name__)

PROBES_BEFORE_PERSON = 5
OPEN_STATES = ("composed", "prepared", "attempting", "in_doubt")


class WithdrawnError(PermanentError):
    """Between composing and sending the case changed: this envelope must not leave."""


def dispatch_connection(hub: Hub, connection_id: str) -> None:
    """Send everything that waits for one partner, in order, until nothing is left or it must wait."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
        fenced = read_fact(conn, FENCE)
    if row is None or fenced:
        return
    try:
        dispatcher = hub.connector_for(row)
        if not isinstance(dispatcher, Dispatcher):
            raise PermanentError(f"{row.kind} cannot send", cure="Use a partner connection.")
        while True:
            envelope_id = _open_envelope(hub, connection_id) or compose(hub, row, dispatcher.batch_limit)
            if envelope_id is None or not _send(hub, row, dispatcher, envelope_id):
                return
    except CollecthubError as error:
        connection_trouble(hub, connection_id, error, job="dispatch")


def _open_envelope(hub: Hub, connection_id: str) -> str | None:
    """The oldest envelope that is not done; a newer one never overtakes it."""
    query = (
        sa.select(t.envelopes.c.envelope_id)
        .where(t.envelopes.c.connection_id == connection_id, t.envelopes.c.state.in_(OPEN_STATES))
        .order_by(t.envelopes.c.created_at, t.envelopes.c.envelope_id)
        .limit(1)
    )
    with hub.database.read() as conn:
        return conn.scalar(query)


# --- send -----------------------------------------------------------------------------------------


def _send(hub: Hub, row: ConnectionRow, dispatcher: Dispatcher, envelope_id: str) -> bool:
    """Bring one envelope to its receipt. False when the partner must be left alone for a while."""
    if not envelope_id:
        return True  # everything in line had lost its purpose; look again
    with hub.database.read() as conn:
        entry = conn.execute(sa.select(t.envelopes).where(t.envelopes.c.envelope_id == envelope_id)).one()
    if entry.next_attempt_at is not None and entry.next_attempt_at > hub.now():
        return False
    if entry.state == "composed":
        _prepare(hub, row, dispatcher, envelope_id, entry.sha256)
        with hub.database.read() as conn:
            entry = conn.execute(sa.select(t.envelopes).where(t.envelopes.c.envelope_id == envelope_id)).one()
    envelope = _stored(hub, entry)
    # An attempt that was begun and left no outcome is the one to ask about, with the last intent it noted.
    earlier = entry.intent if entry.state in ("attempting", "in_doubt") else None
    number = _begin_attempt(hub, entry)
    journal = AttemptJournal(hub, envelope_id, number)
    try:
        receipt = hub.call(
            dispatch, dispatcher, envelope, journal, earlier,
            what=f"{row.kind}.deliver", connection_id=row.connection_id,
        )
    except CollecthubError as error:
        return _not_sent(hub, row, entry, number, error)
    _sent(hub, row, envelope, number, receipt)
    connection_well(hub, row)
    return True


def _prepare(hub: Hub, row: ConnectionRow, dispatcher: Dispatcher, envelope_id: str, sha256: str) -> None:
    """Make the bytes and store them. Crashing here is harmless: nothing has left, the words are fixed."""
    exchange = msgspec.json.decode(hub.evidence.read(sha256), type=Exchange)
    envelope = hub.call(
        dispatcher.prepare, exchange, what=f"{row.kind}.prepare", connection_id=row.connection_id
    )
    stored = hub.evidence.keep(envelope.payload)
    with hub.work() as work:
        work.conn.execute(
            sa.update(t.envelopes)
            .where(t.envelopes.c.envelope_id == envelope_id)
            .values(
                name=envelope.name, media_type=envelope.media_type, sha256=stored, size=len(envelope.payload),
                state="prepared",
            )
        )


def _stored(hub: Hub, entry: Any) -> Envelope:
    with hub.database.read() as conn:
        ids = conn.scalars(
            sa.select(t.messages.c.message_id)
            .where(t.messages.c.envelope_id == entry.envelope_id)
            .order_by(t.messages.c.queued_at, t.messages.c.message_id)
        ).all()
    return Envelope(
        envelope_id=entry.envelope_id, name=entry.name, media_type=entry.media_type,
        payload=hub.evidence.read(entry.sha256), sha256=entry.sha256, message_ids=tuple(ids),
    )


def _begin_attempt(hub: Hub, entry: Any) -> int:
    number = int(entry.attempts) + 1
    with hub.work() as work:
        work.conn.execute(
            sa.update(t.envelopes)
            .where(t.envelopes.c.envelope_id == entry.envelope_id)
            .values(state="attempting", attempts=number)
        )
        work.conn.execute(
            sa.insert(t.attempts).values(envelope_id=entry.envelope_id, attempt=number, started_at=work.now)
        )
    return number


class AttemptJournal:
    """Durable notes of one attempt; satisfies the `Journal` port."""

    def __init__(self, hub: Hub, envelope_id: str, number: int) -> None:
        self._hub = hub
        self._envelope_id = envelope_id
        self._number = number

    def mark(self, intent: str) -> None:
        """Note the point of no return. Raises `WithdrawnError` when a case changed since the words were fixed."""
        with self._hub.work() as work:
            _guard(work, self._envelope_id)
            work.conn.execute(
                sa.update(t.envelopes).where(t.envelopes.c.envelope_id == self._envelope_id).values(intent=intent)
            )
            work.conn.execute(
                sa.update(t.attempts)
                .where(t.attempts.c.envelope_id == self._envelope_id, t.attempts.c.attempt == self._number)
                .values(intent=intent)
            )


def _guard(work: Work, envelope_id: str) -> None:
    composed = work.conn.execute(_COMPOSED, {"of": envelope_id}).all()
    work.hold(entry.case_id for entry in composed)
    for entry in composed:
        case = locked_case(work, entry.case_id)
        problem = obsolete(case, entry.kind, entry.message_id)
        if not problem and entry.problem:
            problem = "the message was withdrawn"
        if not problem and entry.kind == CASE_FILE and case.changed_at > entry.created_at:
            problem = "the case changed after the file was composed"
        if problem:
            raise WithdrawnError(f"envelope {envelope_id} was withdrawn: {problem}", reference=case.number)


_COMPOSED = (
    sa.select(
        t.messages.c.message_id, t.messages.c.case_id, t.messages.c.kind, t.messages.c.problem, t.envelopes.c.created_at
    )
    .join_from(t.messages, t.envelopes, t.messages.c.envelope_id == t.envelopes.c.envelope_id)
    .where(t.messages.c.envelope_id == sa.bindparam("of"))
)


# --- outcomes -------------------------------------------------------------------------------------


def _sent(hub: Hub, row: ConnectionRow, envelope: Envelope, number: int, receipt: Receipt) -> None:
    replies = None
    if receipt.replies is not None and (receipt.replies.messages or receipt.replies.faults):
        content = receipt.raw_reply or msgspec.json.encode(receipt.replies)
        replies = RawMessage(
            remote_ref=f"reply:{envelope.envelope_id}", media_type="application/octet-stream", content=content
        )
        hub.evidence.keep(content)
    with hub.work() as work:
        work.conn.execute(
            sa.update(t.envelopes)
            .where(t.envelopes.c.envelope_id == envelope.envelope_id)
            .values(state="sent", sent_at=work.now, receipt_ref=receipt.reference[:400], problem="", next_attempt_at=None)
        )
        _end_attempt(work, envelope.envelope_id, number, "sent", receipt.detail)
        exchange_messages = work.conn.execute(
            sa.select(t.messages)
            .where(t.messages.c.envelope_id == envelope.envelope_id)
            .order_by(t.messages.c.queued_at, t.messages.c.message_id)
        ).all()
        work.conn.execute(
            sa.update(t.messages).where(t.messages.c.envelope_id == envelope.envelope_id).values(state="sent")
        )
        work.hold(entry.case_id for entry in exchange_messages)
        for entry in exchange_messages:
            case = locked_case(work, entry.case_id)
            facts = _sent_facts(case, entry, envelope, receipt)
            if facts:
                change_case(hub, work, case, facts, actor=f"connection:{row.connection_id}")
        match_early_reports(work, row, [entry.case_id for entry in exchange_messages])
        if replies is not None and receipt.replies is not None:
            keep_inbound(hub, work, row, replies, decoded=receipt.replies)
        work.wake("record", row.connection_id)  # answers that came before this receipt wait for it


def _sent_facts(case: Case, entry: Any, envelope: Envelope, receipt: Receipt) -> list[Fact]:
    if entry.kind == CASE_FILE and case.placement is not None:
        return [
            CaseSent(
                placement_id=case.placement.placement_id, message_id=entry.message_id, envelope_name=envelope.name,
                receipt_ref=receipt.reference[:140], principal=case.demanded,
            )
        ]
    if entry.kind == AMENDMENT:
        code = msgspec.json.decode(entry.doc, type=AmendmentQueued).code
        return [AmendmentSent(message_id=entry.message_id, code=code, receipt_ref=receipt.reference[:140])]
    return []


def _end_attempt(work: Work, envelope_id: str, number: int, outcome: str, detail: str) -> None:
    work.conn.execute(
        sa.update(t.attempts)
        .where(t.attempts.c.envelope_id == envelope_id, t.attempts.c.attempt == number)
        .values(ended_at=work.now, outcome=outcome, detail=detail[:2000])
    )


def _not_sent(hub: Hub, row: ConnectionRow, entry: Any, number: int, error: CollecthubError) -> bool:
    """Note why an attempt ended without a receipt. True when the next envelope may go at once."""
    with hub.work() as work:
        outcome = _OUTCOMES.get(type(error), "in_doubt")  # an error nobody declared: it may have arrived
        _end_attempt(work, entry.envelope_id, number, outcome, error.message)
        if isinstance(error, WithdrawnError):
            _take_apart(work, entry.envelope_id)
            return True
        if outcome == "failed":
            _fail(hub, work, row, entry.envelope_id, error)
            return True
        wait = backoff(number)
        if isinstance(error, RetryableError) and error.retry_after_seconds:
            wait = max(wait, type(wait)(seconds=error.retry_after_seconds))
        state = "in_doubt" if outcome == "in_doubt" else _unsent_state(entry)
        work.conn.execute(
            sa.update(t.envelopes)
            .where(t.envelopes.c.envelope_id == entry.envelope_id)
            .values(state=state, next_attempt_at=work.now + wait, problem=error.message[:2000])
        )
        if outcome == "in_doubt" and number >= PROBES_BEFORE_PERSON:
            open_task(
                work, kind="in_doubt", title=f"it is not known whether {entry.name or entry.envelope_id} arrived",
                detail=entry.envelope_id, connection_id=row.connection_id,
            )
    connection_trouble(hub, row.connection_id, error, job="dispatch")
    return False


_OUTCOMES: dict[type, str] = {
    WithdrawnError: "withdrawn",
    PermanentError: "failed",
    RetryableError: "retry",
    ConfigurationError: "retry",
    InDoubtError: "in_doubt",
}


def _unsent_state(entry: Any) -> str:
    """A retry after doubt stays in doubt: only a probe may clear it."""
    return "in_doubt" if entry.state in ("attempting", "in_doubt") and entry.intent else "prepared"


def _take_apart(work: Work, envelope_id: str) -> None:
    """Its messages go back in line and are composed anew from the cases as they are then."""
    work.conn.execute(
        sa.update(t.envelopes)
        .where(t.envelopes.c.envelope_id == envelope_id)
        .values(state="withdrawn", next_attempt_at=None)
    )
    work.conn.execute(
        sa.update(t.messages)
        .where(t.messages.c.envelope_id == envelope_id)
        .values(state="queued", envelope_id=None)
    )


def _fail(hub: Hub, work: Work, row: ConnectionRow, envelope_id: str, error: CollecthubError) -> None:
    work.conn.execute(
        sa.update(t.envelopes)
        .where(t.envelopes.c.envelope_id == envelope_id)
        .values(state="failed", problem=error.message[:2000], next_attempt_at=None)
    )
    entries = work.conn.execute(sa.select(t.messages).where(t.messages.c.envelope_id == envelope_id)).all()
    for entry in entries:
        work.conn.execute(
            sa.update(t.messages)
            .where(t.messages.c.message_id == entry.message_id)
            .values(state="failed", problem=error.message[:2000])
        )
        case = locked_case(work, entry.case_id)
        if entry.kind == CASE_FILE and case.is_open:
            change_case(
                hub, work, case, [DispatchBlocked(code="refused_by_channel", reason=error.message)], actor="hub"
            )
        open_task(
            work, kind="dispatch_failed", title=f"case {case.number}: {row.name} did not take the {entry.kind}",
            detail=f"{error.message} {error.cure}".strip(), creditor_id=case.creditor_id, case_id=case.case_id,
            connection_id=row.connection_id,
        )


