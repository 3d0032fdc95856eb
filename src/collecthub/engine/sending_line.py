"""The line of envelopes to one partner: which may go now, which must wait for another about the same case.

Order is kept per case, not per partner: what is stuck holds up its own cases only. A whole partner waits only while the line
to it is broken.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import CASE_FILE
from collecthub.engine.context import Hub
from collecthub.ports import Dispatcher, KeepsHours
from collecthub.store import tables as t

OPEN_STATES = ("composed", "prepared", "attempting", "in_doubt")
# What an envelope waits for: a line that works again, the partner's office hours, something the partner must say before the words
# can be made, or an answer to whether it arrived.
LINE, HOURS, PARTNER, ANSWER = "line", "hours", "partner", "answer"


class OpenEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """An envelope that is not done, with the cases that it is about."""

    entry: Any
    case_ids: frozenset[str]
    has_cases: bool  # new cases, not only changes

    @property
    def is_doubtful(self) -> bool:
        """Whether an attempt was begun that left no outcome: then it is asked about, never simply sent."""
        return self.entry.state in ("attempting", "in_doubt")


def open_line(conn: sa.Connection, connection_id: str) -> list[OpenEnvelope]:
    """Every envelope of a connection that is not done, oldest first."""
    mine = (t.envelopes.c.connection_id == connection_id) & t.envelopes.c.state.in_(OPEN_STATES)
    entries = conn.execute(sa.select(t.envelopes).where(mine).order_by(t.envelopes.c.created_at, t.envelopes.c.envelope_id)).all()
    if not entries:
        return []
    about: dict[str, list[Any]] = {entry.envelope_id: [] for entry in entries}
    for row in conn.execute(
        sa.select(t.messages.c.envelope_id, t.messages.c.case_id, t.messages.c.kind)
        .join(t.envelopes, t.envelopes.c.envelope_id == t.messages.c.envelope_id)
        .where(mine)
    ):
        about[row.envelope_id].append(row)
    return [
        OpenEnvelope(
            entry=entry, case_ids=frozenset(row.case_id for row in about[entry.envelope_id]),
            has_cases=any(row.kind == CASE_FILE for row in about[entry.envelope_id]),
        )
        for entry in entries
    ]  # fmt: skip


def is_broken(line: Sequence[OpenEnvelope], now: dt.datetime) -> bool:
    """Whether the partner could not be reached a moment ago: nothing is tried until the time for the next try has come."""
    return any(
        one.entry.waits_for == LINE and one.entry.next_attempt_at is not None and one.entry.next_attempt_at > now
        for one in line
    )


def ready(line: Sequence[OpenEnvelope], now: dt.datetime) -> Iterator[OpenEnvelope]:
    """Those that may go now: their time has come, and nothing older is open about the same case."""
    before: set[str] = set()
    for one in line:
        is_due = one.entry.next_attempt_at is None or one.entry.next_attempt_at <= now
        if is_due and before.isdisjoint(one.case_ids):
            yield one
        before |= one.case_ids


def opening(hub: Hub, dispatcher: Dispatcher) -> dt.datetime | None:
    """When the partner takes new cases again, if it does not take any now; on the hub's clock."""
    seconds = dispatcher.closed_seconds() if isinstance(dispatcher, KeepsHours) else None
    return None if seconds is None else hub.now() + dt.timedelta(seconds=seconds)
