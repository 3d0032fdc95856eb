"""What came of an attempt to send: a receipt, a doubt, a wait, or an end that a person hears of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import AMENDMENT, CASE_FILE, change_case, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.inbound import keep_inbound
from collecthub.engine.partner_batches import match_early_reports
from collecthub.engine.sending_line import ANSWER, HOURS, LINE
from collecthub.engine.trouble import backoff, connection_trouble
from collecthub.errors import (
    CollecthubError,
    ConfigurationError,
    InDoubtError,
    PermanentError,
    RetryableError,
)
from collecthub.model.case import Case
from collecthub.model.event import AmendmentQueued, AmendmentSent, CaseSent, DispatchBlocked, Fact
from collecthub.ports import Envelope, RawMessage, Receipt
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow

PROBES_BEFORE_PERSON = 5


class WithdrawnError(PermanentError):
    """Between composing and sending the case changed: this envelope must not leave."""


# --- receipts -------------------------------------------------------------------------------------


def record_receipts(hub: Hub, row: ConnectionRow, receipts: Sequence[tuple[Envelope, int, Receipt]]) -> None:
    """Everything that arrived, in one transaction: envelopes, attempts, messages, and what it means for the cases."""
    replies = [(receipt, raw) for envelope, _, receipt in receipts if (raw := _replies(hub, envelope, receipt)) is not None]
    with hub.work() as work:
        for envelope, number, receipt in receipts:
            work.conn.execute(
                sa.update(t.envelopes)
                .where(t.envelopes.c.envelope_id == envelope.envelope_id)
                .values(
                    state="sent", sent_at=work.now, receipt_ref=receipt.reference[:400], problem="", waits_for="",
                    next_attempt_at=None,
                )
            )
            _end_attempt(work, envelope.envelope_id, number, "sent", receipt.detail)
        _record_cases(hub, work, row, receipts)
        for receipt, raw in replies:
            keep_inbound(hub, work, row, raw, decoded=receipt.replies)
        work.wake("record", row.connection_id)  # answers that came before this receipt wait for it


def _replies(hub: Hub, envelope: Envelope, receipt: Receipt) -> RawMessage | None:
    if receipt.replies is None or not (receipt.replies.messages or receipt.replies.faults):
        return None
    content = receipt.raw_reply or msgspec.json.encode(receipt.replies)
    hub.evidence.keep(content)
    return RawMessage(
        remote_ref=f"reply:{envelope.envelope_id}", media_type="application/octet-stream", content=content
    )


def _record_cases(hub: Hub, work: Work, row: ConnectionRow, receipts: Sequence[tuple[Envelope, int, Receipt]]) -> None:
    arrived = {envelope.envelope_id: (envelope, receipt) for envelope, _, receipt in receipts}
    mine = t.messages.c.envelope_id.in_(list(arrived))
    entries = work.conn.execute(
        sa.select(t.messages).where(mine).order_by(t.messages.c.queued_at, t.messages.c.message_id)
    ).all()
    work.conn.execute(sa.update(t.messages).where(mine).values(state="sent"))
    work.hold(entry.case_id for entry in entries)
    for entry in entries:
        case = locked_case(work, entry.case_id)
        facts = _sent_facts(case, entry, *arrived[entry.envelope_id])
        if facts:
            change_case(hub, work, case, facts, actor=f"connection:{row.connection_id}")
    match_early_reports(work, row, [entry.case_id for entry in entries])


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


# --- no receipt -----------------------------------------------------------------------------------


def has_failed(
    hub: Hub, row: ConnectionRow, entry: Any, number: int, error: CollecthubError, closed_until: dt.datetime | None
) -> bool:
    """Note why an attempt ended without a receipt. True when others may be sent at once.

    `closed_until` is when the partner's office takes what this envelope carries, if it does not now.
    """
    outcome = _OUTCOMES.get(type(error), "in_doubt")  # an error nobody declared: it may have arrived
    with hub.work() as work:
        _end_attempt(work, entry.envelope_id, number, outcome, error.message)
        if isinstance(error, WithdrawnError):
            _take_apart(work, entry.envelope_id)
            return True
        if outcome == "failed":
            _fail(hub, work, row, entry.envelope_id, error)
            return True
        if outcome == "in_doubt":
            _doubt(work, row, entry, number, error)
        elif closed_until is not None and isinstance(error, RetryableError):
            _wait(work, entry.envelope_id, closed_until, HOURS, error.message, state=_unsent_state(entry))
            return True
        else:
            wait = backoff(number)
            if isinstance(error, RetryableError) and error.retry_after_seconds:
                wait = max(wait, dt.timedelta(seconds=error.retry_after_seconds))
            _wait(work, entry.envelope_id, work.now + wait, LINE, error.message, state=_unsent_state(entry))
    if isinstance(error, InDoubtError):
        return True  # the partner works; what is in doubt is asked about by itself and holds up nobody else
    connection_trouble(hub, row.connection_id, error, job="dispatch")
    return False


_OUTCOMES: dict[type, str] = {
    WithdrawnError: "withdrawn",
    PermanentError: "failed",
    RetryableError: "retry",
    ConfigurationError: "retry",
    InDoubtError: "in_doubt",
}


def _doubt(work: Work, row: ConnectionRow, entry: Any, number: int, error: CollecthubError) -> None:
    _wait(work, entry.envelope_id, work.now + backoff(number), ANSWER, error.message, state="in_doubt")
    if number >= PROBES_BEFORE_PERSON:
        open_task(
            work, kind="in_doubt", title=f"it is not known whether {entry.name or entry.envelope_id} arrived",
            detail=entry.envelope_id, connection_id=row.connection_id,
        )


def _unsent_state(entry: Any) -> str:
    """A retry after doubt stays in doubt: only a probe may clear it."""
    return "in_doubt" if entry.state in ("attempting", "in_doubt") and entry.intent else "prepared"


def set_waiting(hub: Hub, envelope_id: str, until: dt.datetime | None, waits_for: str, problem: str) -> None:
    """An envelope that nothing was tried with waits; its state stays."""
    with hub.work() as work:
        _wait(work, envelope_id, until, waits_for, problem)


def _wait(
    work: Work, envelope_id: str, until: dt.datetime | None, waits_for: str, problem: str, **more: str
) -> None:
    work.conn.execute(
        sa.update(t.envelopes)
        .where(t.envelopes.c.envelope_id == envelope_id)
        .values(next_attempt_at=until, waits_for=waits_for, problem=problem[:2000], **more)
    )


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


def fail_envelope(hub: Hub, row: ConnectionRow, envelope_id: str, error: CollecthubError) -> None:
    """An envelope that cannot be made: nothing leaves, its case waits for a person with the reason."""
    with hub.work() as work:
        _fail(hub, work, row, envelope_id, error)


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
