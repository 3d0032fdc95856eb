"""Runner of notices before the due day: each is said once, as the books are in that moment, or not at all.

It walks as a reminder does (`collecthub.engine.contacting`), with one difference: a notice of which nobody knows whether
it arrived is left alone and nobody is asked, for the first reminder follows if nothing is paid.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from collecthub.contact_ports import CameBack, DebtorMessage, Messenger
from collecthub.engine.case_work import open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.notice_line import is_looked_at
from collecthub.engine.notice_words import Coming, debtor_party, notice_message, still_coming
from collecthub.engine.trouble import backoff, connection_trouble, connection_well
from collecthub.errors import CollecthubError, InDoubtError, PermanentError, RetryableError
from collecthub.law.quiet_hours import next_open
from collecthub.model.party import Party
from collecthub.store.connections import ConnectionRow, read_connection, read_creditor
from collecthub.store.facts import FENCE, read_fact
from collecthub.store.notice_tables import due_notices

_QUEUED, _ATTEMPTING, _IN_DOUBT, _SENT, _WITHDRAWN, _FAILED = "queued", "attempting", "in_doubt", "sent", "withdrawn", "failed"
_CHUNK = 50
_LOOK_AGAIN = dt.timedelta(hours=1)


class _ChangedError(PermanentError):
    """The books are not what they were when the words were found."""


def say_notices(hub: Hub, connection_id: str) -> None:
    """Job: say every notice that waits for a channel, oldest first."""
    with hub.database.read() as conn:
        line = None if read_fact(conn, FENCE) else read_connection(conn, connection_id)
    while line is not None and (rows := _waiting(hub, connection_id)):
        for row in rows:
            if not _say(hub, line, row):
                return


def _waiting(hub: Hub, connection_id: str) -> list[Any]:
    c = due_notices.c
    query = (
        sa.select(due_notices)
        .where(
            c.connection_id == connection_id, c.state.in_([_QUEUED, _ATTEMPTING]),
            sa.or_(c.next_attempt_at.is_(None), c.next_attempt_at <= hub.now()),
        )
        .order_by(c.queued_at, c.notice_id)
        .limit(_CHUNK)
    )  # fmt: skip
    with hub.database.read() as conn:
        return list(conn.execute(query))


def _say(hub: Hub, line: ConnectionRow, row: Any) -> bool:
    """Bring one notice to its end. False when the whole channel must wait."""
    messenger = hub.connector_for(line)
    if not isinstance(messenger, Messenger):
        raise PermanentError(f"{line.kind} brings no messages", cure="Use a channel connection.")
    if row.state == _ATTEMPTING:  # the process that began it is gone: nothing else works on this line
        _note_alone(hub, row, state=_IN_DOUBT if row.intent and not messenger.repeats_safely else _QUEUED)
        return True
    with hub.work() as work:
        party = debtor_party(work.conn, row.books_id, row.debtor_ref)
        found = still_coming(work.conn, row, work.now.date())
        if party is None or found.total <= 0 or not found.items:
            _note(work, row, state=_WITHDRAWN, problem="it was paid, fell due or became a case before it was said")
            return True
        if not is_looked_at(work.conn, row.books_id, work.now.date()):
            _note(work, row, next_attempt_at=work.now + _LOOK_AGAIN)
            return True
        opens = next_open(work.now, party.country)
        if opens > work.now:
            _note(work, row, next_attempt_at=opens)
            return True
        _note(work, row, state=_ATTEMPTING, attempts=row.attempts + 1, intent="")
    try:
        message = _message(hub, row, party, found)
        receipt = hub.call(
            messenger.deliver, message, _Journal(hub, row, found), what=f"{line.kind}.deliver",
            connection_id=line.connection_id,
        )  # fmt: skip
    except CollecthubError as error:
        return _not_said(hub, row, line, error)
    sha256 = hub.evidence.keep(message.text.encode())
    _note_alone(
        hub, row, state=_SENT, sent_at=hub.now(), receipt_ref=receipt.reference[:400], sha256=sha256, problem=""
    )
    connection_well(hub, line)
    return True


def _message(hub: Hub, row: Any, party: Party, found: Coming) -> DebtorMessage:
    with hub.database.read() as conn:
        creditor = read_creditor(conn, row.creditor_id)
    if creditor is None:
        raise PermanentError(f"creditor {row.creditor_id} is gone", cure="Run `collecthub verify`.")
    return notice_message(hub, row, creditor, party, found)


class _Journal:
    """Durable notes of one attempt; satisfies the `Journal` port."""

    def __init__(self, hub: Hub, row: Any, found: Coming) -> None:
        self._hub, self._row, self._found = hub, row, found

    def mark(self, intent: str) -> None:
        """Note the point of no return. Raises `_ChangedError` when the books changed since the words were found."""
        with self._hub.work() as work:
            if still_coming(work.conn, self._row, work.now.date()) != self._found:
                raise _ChangedError("the books changed while the notice was written", cure="It is looked at again.")
            _note(work, self._row, intent=intent)


def _not_said(hub: Hub, row: Any, line: ConnectionRow, error: CollecthubError) -> bool:
    if isinstance(error, _ChangedError):
        _note_alone(hub, row, state=_QUEUED, next_attempt_at=None)
        return True
    if isinstance(error, InDoubtError):
        _note_alone(hub, row, state=_IN_DOUBT, problem=error.message)
        return True
    if isinstance(error, RetryableError) or not isinstance(error, PermanentError):
        _note_alone(
            hub, row, state=_QUEUED, next_attempt_at=hub.now() + backoff(row.attempts + 1), problem=error.message
        )
        connection_trouble(hub, line.connection_id, error, job="notices")
        return False
    _note_alone(hub, row, state=_FAILED, problem=f"{error.message} {error.cure}".strip())
    return True


def _note_alone(hub: Hub, row: Any, **values: object) -> None:
    with hub.work() as work:
        _note(work, row, **values)


def _note(work: Work, row: Any, **values: object) -> None:
    if isinstance(values.get("problem"), str):
        values["problem"] = str(values["problem"])[:2000]
    work.conn.execute(sa.update(due_notices).where(due_notices.c.notice_id == row.notice_id).values(values))


def hear_of_notice(work: Work, line: ConnectionRow, said: CameBack) -> bool:
    """What came back about a notice: undelivered is noted, an answer waits for a person. False when it is about none."""
    c = due_notices.c
    row = work.conn.execute(
        sa.select(due_notices).where(c.notice_id == said.contact_id, c.connection_id == line.connection_id)
    ).first()
    if row is None:
        return False
    if said.kind == "bounce" and row.state in (_SENT, _IN_DOUBT):
        _note(work, row, state="returned", problem=said.reason)
    elif said.kind == "reply":
        _note(work, row, state="answered")
        open_task(
            work, kind="reply", title=f"customer {row.debtor_ref} answered {row.step} before the due day",
            detail=f"{said.text[:1900]}\n\nNotice {row.notice_id}", creditor_id=row.creditor_id,
        )  # fmt: skip
    return True
