"""What people do beside the cases: tasks, quarantine, sendings in doubt, a pull out of turn."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import AMENDMENT, CASE_FILE, change_case, close_tasks, locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.inward import STORED
from collecthub.errors import PermanentError
from collecthub.model.event import AmendmentQueued, AmendmentSent, CaseSent, Fact
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.connections import BY_CHOICE, BY_PERSON, change_connection
from collecthub.store.queries.desks import DispatchView, dispatch_detail, quarantine_entry
from collecthub.store.queries.doors import owned_connection
from collecthub.store.queries.scope import Scope, not_there, tasks_of

Verdict = Literal["arrived", "send_again"]


def complete_task(work: Work, scope: Scope, task_id: str) -> None:
    """Take a task off the list. Done twice, it stays done."""
    task = work.conn.scalar(sa.select(t.tasks.c.task_id).where(t.tasks.c.task_id == task_id, tasks_of(scope)))
    if task is None:
        raise not_there("task", task_id)
    close_tasks(work, done_by=scope.subject, task_id=task_id)


# --- quarantine -----------------------------------------------------------------------------------


def retry_quarantine(work: Work, scope: Scope, quarantine_id: str) -> None:
    """Read the kept bytes again, now that a code table, a plugin or a case may be there.

    A whole inbox message goes back in line. A refused row of a pull comes again with the next pull, and a message
    that was a part of a file is read again with its file.
    """
    entry = quarantine_entry(work.conn, scope, quarantine_id)
    if entry.state == "resolved":
        raise PermanentError("this entry was resolved by a person", cure="It needs nothing more.")
    if entry.source == "row":
        change_connection(work.conn, entry.connection_id, checkpoint="")
        work.wake("pull", entry.connection_id)
    elif not _read_again(work, entry.connection_id, entry.reference, entry.sha256):
        raise PermanentError(
            "there is no inbound message with these bytes any more", cure="Resolve the entry with a note instead."
        )
    _mark(work, quarantine_id, "retried", "read again", scope.subject)


def read_allowed_again(work: Work, case_id: str, code: str, actor: str) -> None:
    """What waited in a case with this code is read once more, because what it waited for is there."""
    waiting = sa.select(t.quarantine).where(
        t.quarantine.c.case_id == case_id, t.quarantine.c.code == code, t.quarantine.c.state == "open"
    )
    for row in work.conn.execute(waiting).all():
        if _read_again(work, row.connection_id, row.reference, row.sha256):
            _mark(work, row.quarantine_id, "retried", "read again", actor)


def _read_again(work: Work, connection_id: str, reference: str, sha256: str) -> bool:
    mine = (t.inbox.c.connection_id == connection_id) & (t.inbox.c.sha256 == sha256)
    found = list(work.conn.scalars(sa.select(t.inbox.c.inbox_id).where(mine)))
    if not found:
        return False
    work.conn.execute(
        sa.delete(t.seen).where(t.seen.c.connection_id == connection_id, t.seen.c.message_id == reference)
    )
    work.conn.execute(
        sa.update(t.inbox)
        .where(t.inbox.c.inbox_id.in_(found))
        .values(state=STORED, problem="", recorded_at=None, answered_at=None)
    )
    work.wake("record", connection_id)
    return True


def resolve_quarantine(work: Work, scope: Scope, quarantine_id: str, *, note: str) -> None:
    """A person dealt with it; the note says how. The bytes stay as evidence."""
    quarantine_entry(work.conn, scope, quarantine_id)
    _mark(work, quarantine_id, "resolved", note, scope.subject)


def _mark(work: Work, quarantine_id: str, state: str, resolution: str, actor: str) -> None:
    work.conn.execute(
        sa.update(t.quarantine)
        .where(t.quarantine.c.quarantine_id == quarantine_id)
        .values(state=state, resolved_at=work.now, resolution=resolution)
    )
    append_audit(
        work.conn, now=work.now, actor=actor, action=f"quarantine.{state}", subject=quarantine_id, detail=""
    )


# --- sendings in doubt ----------------------------------------------------------------------------


def settle_dispatch(hub: Hub, work: Work, scope: Scope, envelope_id: str, verdict: Verdict) -> None:
    """A person found out what became of a sending without a receipt: it arrived, or it may go again."""
    if verdict not in get_args(Verdict):
        raise PermanentError(f"{verdict!r} is no verdict", cure="Say arrived or send_again.")
    view = dispatch_detail(work.conn, scope, envelope_id).dispatch
    mine = (t.envelopes.c.envelope_id == envelope_id) & (t.envelopes.c.state == "in_doubt")
    receipt_ref = f"settled by {scope.subject}"
    values: dict[str, object] = (
        {"state": "sent", "sent_at": work.now, "receipt_ref": receipt_ref, "next_attempt_at": None}
        if verdict == "arrived"
        else {"state": "prepared", "intent": "", "next_attempt_at": work.now}
    )
    done = work.conn.execute(sa.update(t.envelopes).where(mine).values(problem="", **values))
    if done.rowcount != 1:
        raise PermanentError(f"{view.name or envelope_id} is not in doubt but {view.state}", cure="Nothing to settle.")
    if verdict == "arrived":
        _note_arrival(hub, work, view, receipt_ref, scope.subject)
    close_tasks(work, done_by=scope.subject, kind="in_doubt", detail=envelope_id)
    append_audit(work.conn, now=work.now, actor=scope.subject, action=f"dispatch.{verdict}", subject=envelope_id)
    work.wake("dispatch", view.connection_id)


def _note_arrival(hub: Hub, work: Work, view: DispatchView, receipt_ref: str, actor: str) -> None:
    """The messages of the envelope are sent, and their cases say so."""
    inside = t.messages.c.envelope_id == view.envelope_id
    rows = work.conn.execute(sa.select(t.messages).where(inside).order_by(t.messages.c.queued_at)).all()
    work.conn.execute(sa.update(t.messages).where(inside).values(state="sent"))
    for row in rows:
        case = locked_case(work, row.case_id)
        fact: Fact
        if row.kind == CASE_FILE and case.placement is not None:
            fact = CaseSent(
                placement_id=case.placement.placement_id, message_id=row.message_id, envelope_name=view.name,
                receipt_ref=receipt_ref, principal=case.demanded,
            )
        elif row.kind == AMENDMENT:
            code = msgspec.json.decode(row.doc, type=AmendmentQueued).code
            fact = AmendmentSent(message_id=row.message_id, code=code, receipt_ref=receipt_ref)
        else:
            continue
        change_case(hub, work, case, [fact], actor=actor)


# --- connections ----------------------------------------------------------------------------------


def request_pull(work: Work, scope: Scope, connection_id: str) -> None:
    """Pull, or listen to, one connection now; a stopped one is tried again."""
    row = owned_connection(work.conn, scope, connection_id)
    job = {ConnectorRole.ERP.value: "pull", ConnectorRole.PARTNER.value: "receive"}.get(row.role)
    if job is None:
        raise PermanentError(f"connection {row.name} has nothing to read", cure="Sync an ERP or a partner.")
    if row.cause in (BY_PERSON, BY_CHOICE):
        raise PermanentError(f"{row.name} is stopped: {row.status_detail}", cure="Resume it first.")
    if row.status == "stopped":
        change_connection(work.conn, connection_id, status="ok", cause="", status_detail="", status_until=None)
    work.wake(job, connection_id)
