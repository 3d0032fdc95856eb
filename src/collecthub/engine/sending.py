"""Runner of the `dispatch` room: messages in line become envelopes, envelopes become receipts, once.

An envelope walks: composed (messages fixed) -> prepared (bytes stored) -> attempting -> sent. Its attempt row is
written before the act and its intent before the point of no return; what has no receipt is probed, never
repeated blind. The guard reads every case again inside the transaction that enters the point of no return, so
"paid" and "sent" cannot both win unseen. What is stuck holds up its own cases only (`sending_line`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.dispatch import dispatch
from collecthub.engine.case_work import CASE_FILE, locked_case
from collecthub.engine.composing import compose, obsolete, put_into_envelope
from collecthub.engine.context import Hub, Work
from collecthub.engine.sending_line import (
    HOURS,
    PARTNER,
    OpenEnvelope,
    is_broken,
    open_line,
    opening,
    ready,
)
from collecthub.engine.sending_outcome import (
    WithdrawnError,
    fail_envelope,
    has_failed,
    record_receipts,
    set_waiting,
)
from collecthub.engine.trouble import backoff, connection_trouble, connection_well
from collecthub.errors import CollecthubError, PermanentError, RetryableError
from collecthub.model.exchange import Exchange
from collecthub.ports import Dispatcher, Envelope, Receipt, SendsMany
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow, read_connection
from collecthub.store.facts import FENCE, read_fact

_HAS_BYTES = ("prepared", "attempting", "in_doubt")
AT_ONCE = 50  # envelopes under way together where the partner's connection can do that


class Attempt(msgspec.Struct, frozen=True):
    """One envelope on its way: what is carried, its journal, and what the last attempt noted."""

    waiting: OpenEnvelope
    envelope: Envelope
    journal: AttemptJournal
    number: int
    earlier_intent: str | None


def dispatch_connection(hub: Hub, connection_id: str) -> None:
    """Send everything that may leave for one partner, in order for each case, until nothing is left or it must wait."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
        fenced = read_fact(conn, FENCE)
    if row is None or fenced:
        return
    try:
        dispatcher = hub.connector_for(row)
        if not isinstance(dispatcher, Dispatcher):
            raise PermanentError(f"{row.kind} cannot send", cure="Use a partner connection.")
        while _one_round(hub, row, dispatcher):
            pass
    except CollecthubError as error:
        connection_trouble(hub, connection_id, error, job="dispatch")


def _one_round(hub: Hub, row: ConnectionRow, dispatcher: Dispatcher) -> bool:
    """Send what is ready, or compose more. False when nothing can be done now."""
    at_once = AT_ONCE if isinstance(dispatcher, SendsMany) else 1
    opens_at = opening(hub, dispatcher)
    with hub.database.read() as conn:
        line = open_line(conn, row.connection_id)
    now = hub.now()
    if is_broken(line, now):
        return False
    found = list(islice(ready(line, now), at_once))
    if not found:
        busy = frozenset[str]().union(*(one.case_ids for one in line))
        return compose(hub, row, dispatcher.batch_limit, most=at_once, busy=busy, opens_at=opens_at) > 0
    closed = [one for one in found if opens_at is not None and one.has_cases and not one.is_doubtful]
    for one in closed:
        set_waiting(hub, one.entry.envelope_id, opens_at, HOURS, "the partner's office is closed")
    return _send(hub, row, dispatcher, [one for one in found if one not in closed])


def _send(hub: Hub, row: ConnectionRow, dispatcher: Dispatcher, found: Sequence[OpenEnvelope]) -> bool:
    """Bring envelopes to their receipts. False when the line to the partner is broken."""
    attempts = _begun(hub, _prepared(hub, row, dispatcher, found))
    return _settle(hub, row, dispatcher, list(zip(attempts, _deliver(hub, row, dispatcher, attempts), strict=True)))


def _deliver(
    hub: Hub, row: ConnectionRow, dispatcher: Dispatcher, attempts: Sequence[Attempt]
) -> Sequence[Receipt | CollecthubError]:
    work = [(attempt.envelope, attempt.journal, attempt.earlier_intent) for attempt in attempts]
    if not work:
        return []
    try:
        return hub.call(dispatch, dispatcher, work, what=f"{row.kind}.deliver", connection_id=row.connection_id)
    except CollecthubError as error:
        return [error] * len(attempts)


def _settle(
    hub: Hub, row: ConnectionRow, dispatcher: Dispatcher, outcomes: Sequence[tuple[Attempt, Receipt | CollecthubError]]
) -> bool:
    """Record what came of each attempt: receipts together, then every failure by itself."""
    receipts = [(one.envelope, one.number, got) for one, got in outcomes if isinstance(got, Receipt)]
    if receipts:
        record_receipts(hub, row, receipts)
        connection_well(hub, row)
    works = True
    for one, got in outcomes:
        if isinstance(got, CollecthubError):
            closed_until = opening(hub, dispatcher) if one.waiting.has_cases else None
            works &= has_failed(hub, row, one.waiting.entry, one.number, got, closed_until)
    return works


# --- before the attempt ---------------------------------------------------------------------------


def _prepared(
    hub: Hub, row: ConnectionRow, dispatcher: Dispatcher, found: Sequence[OpenEnvelope]
) -> list[OpenEnvelope]:
    """Those whose bytes are made and stored; the ones that cannot be made now are left out.

    Crashing here is harmless: nothing has left, the words are fixed.
    """
    made = [
        (one.entry.envelope_id, envelope, hub.evidence.keep(envelope.payload)) for one in found
        if one.entry.state == "composed" and (envelope := _made(hub, row, dispatcher, one.entry)) is not None
    ]
    if made:
        with hub.work() as work:
            work.conn.execute(_KEEP_BYTES, [
                {"of": envelope_id, "name": envelope.name, "media_type": envelope.media_type, "sha256": sha256,
                 "size": len(envelope.payload)}
                for envelope_id, envelope, sha256 in made
            ])  # fmt: skip
    with hub.database.read() as conn:
        rows = conn.execute(_ENTRIES, {"of": [one.entry.envelope_id for one in found]})
        entries = {entry.envelope_id: entry for entry in rows}
    current = [msgspec.structs.replace(one, entry=entries[one.entry.envelope_id]) for one in found]
    return [one for one in current if one.entry.state in _HAS_BYTES]


def _made(hub: Hub, row: ConnectionRow, dispatcher: Dispatcher, entry: Any) -> Envelope | None:
    """The bytes of an envelope. None when they cannot be made now.

    What the partner's format cannot carry fails alone, without those that were to travel with it; what must wait for a word of
    the partner waits alone.
    """
    exchange = msgspec.json.decode(hub.evidence.read(entry.sha256), type=Exchange)
    try:
        return hub.call(dispatcher.prepare, exchange, what=f"{row.kind}.prepare", connection_id=row.connection_id)
    except (RetryableError, PermanentError) as error:
        if len(exchange.messages) > 1:
            _split(hub, row, entry.envelope_id, exchange)
        elif isinstance(error, PermanentError):
            fail_envelope(hub, row, entry.envelope_id, error)
        else:
            seconds = error.retry_after_seconds
            pause = backoff(6) if seconds is None else dt.timedelta(seconds=seconds)
            set_waiting(hub, entry.envelope_id, hub.now() + pause, PARTNER, error.message)
        return None


def _split(hub: Hub, row: ConnectionRow, envelope_id: str, exchange: Exchange) -> None:
    """Each message gets an envelope of its own, with the same words."""
    with hub.work() as work:
        work.conn.execute(
            sa.update(t.envelopes).where(t.envelopes.c.envelope_id == envelope_id).values(state="withdrawn")
        )
        for message in exchange.messages:
            put_into_envelope(hub, work, row, (message,))


def _begun(hub: Hub, found: Sequence[OpenEnvelope]) -> list[Attempt]:
    """A row for an attempt with each, before anything leaves.

    An attempt that left no outcome is the one to ask about, with the last intent it noted; any other envelope forgets what an
    earlier one noted: that had an outcome.
    """
    if not found:
        return []
    with hub.work() as work:
        carried = _carried(work.conn, [one.entry.envelope_id for one in found])
        begun = [_attempt(hub, one, carried[one.entry.envelope_id]) for one in found]
        work.conn.execute(_BEGIN, [
            {"of": one.envelope.envelope_id, "attempts": one.number, "intent": one.earlier_intent or ""} for one in begun
        ])  # fmt: skip
        work.conn.execute(sa.insert(t.attempts), [
            {"envelope_id": one.envelope.envelope_id, "attempt": one.number, "started_at": work.now} for one in begun
        ])  # fmt: skip
    return begun


def _attempt(hub: Hub, one: OpenEnvelope, message_ids: Sequence[str]) -> Attempt:
    entry = one.entry
    envelope = Envelope(
        envelope_id=entry.envelope_id, name=entry.name, media_type=entry.media_type,
        payload=hub.evidence.read(entry.sha256), sha256=entry.sha256, message_ids=tuple(message_ids),
    )
    number = int(entry.attempts) + 1
    return Attempt(
        waiting=one, envelope=envelope, journal=AttemptJournal(hub, entry.envelope_id, number), number=number,
        earlier_intent=entry.intent if one.is_doubtful else None,
    )


def _carried(conn: sa.Connection, envelope_ids: Sequence[str]) -> dict[str, list[str]]:
    """The messages of each envelope, oldest first."""
    carried: dict[str, list[str]] = {envelope_id: [] for envelope_id in envelope_ids}
    for message_id, envelope_id in conn.execute(_CARRIED, {"of": list(envelope_ids)}):
        carried[envelope_id].append(message_id)
    return carried


# Statements of the hot path are built once: building one costs as much as running it.
_THESE: sa.BindParameter[list[str]] = sa.bindparam("of", expanding=True)
_ENTRIES = sa.select(t.envelopes).where(t.envelopes.c.envelope_id.in_(_THESE))
_CARRIED = (
    sa.select(t.messages.c.message_id, t.messages.c.envelope_id)
    .where(t.messages.c.envelope_id.in_(_THESE))
    .order_by(t.messages.c.queued_at, t.messages.c.message_id)
)
_THIS = sa.update(t.envelopes).where(t.envelopes.c.envelope_id == sa.bindparam("of"))
_KEEP_BYTES = _THIS.values(
    name=sa.bindparam("name"), media_type=sa.bindparam("media_type"), sha256=sa.bindparam("sha256"), size=sa.bindparam("size"),
    state="prepared", waits_for="", problem="",
)
_BEGIN = _THIS.values(state="attempting", attempts=sa.bindparam("attempts"), intent=sa.bindparam("intent"))


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
