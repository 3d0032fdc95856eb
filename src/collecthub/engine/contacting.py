"""Runner of messages to debtors: each step in line is said once, or somebody learns why it was not.

A row walks: queued -> attempting -> sent. Its attempt is noted before the act and its intent before the point of no
return; a try that died after its intent is in doubt and waits for a person, because mail cannot be asked what became of
it. The guard reads the case again inside the transaction that notes the intent: who has paid is not reminded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.contact_ports import DebtorMessage, Messenger
from collecthub.engine.case_work import change_case, close_tasks, locked_case, open_task
from collecthub.engine.contact_line import JOB, line_for
from collecthub.engine.contact_term import rest_after
from collecthub.engine.contact_words import message_for, obstacle
from collecthub.engine.context import Hub, Work
from collecthub.engine.dunning_fee import fee_of_reminder, with_fee
from collecthub.engine.plan_line import STEPS, is_wanted
from collecthub.engine.plan_messages import not_sent, plan_message
from collecthub.engine.trouble import backoff, connection_trouble, connection_well
from collecthub.errors import CollecthubError, InDoubtError, PermanentError, RetryableError
from collecthub.law.contact_course import is_paused
from collecthub.law.quiet_hours import next_open
from collecthub.model.case import Case
from collecthub.model.contact import Channel, Tone
from collecthub.model.event import Fact, HoldSet, NoteAdded
from collecthub.model.facts_contact import ContactMade, ContactNotMade, ContactQueued
from collecthub.model.ids import derived_id
from collecthub.ports import Receipt
from collecthub.store.connections import ConnectionRow, read_connection
from collecthub.store.contact_tables import contacts
from collecthub.store.facts import FENCE, read_fact

QUEUED, ATTEMPTING, IN_DOUBT, SENT = "queued", "attempting", "in_doubt", "sent"
WITHDRAWN, FAILED, WITH_PERSON = "withdrawn", "failed", "with_person"
_CHUNK = 50
_LOOK_AGAIN = dt.timedelta(hours=1)


class ChangedError(PermanentError):
    """The case is not what it was when the words were found: this message must not leave."""


def contact_debtors(hub: Hub, connection_id: str) -> None:
    """Say everything that waits for a channel, oldest first, until the line is empty or must wait."""
    with hub.database.read() as conn:
        if read_fact(conn, FENCE):
            return
        line = read_connection(conn, connection_id)
    if line is None:
        _find_lines(hub)
        return
    while rows := _waiting(hub, connection_id):
        for row in rows:
            if not _say(hub, line, row):
                return


def _find_lines(hub: Hub) -> None:
    """Give what waits without a connection to one that was added since, or tell a person that there is none."""
    with hub.work() as work:
        rows = work.conn.execute(
            sa.select(contacts).where(contacts.c.connection_id == "", contacts.c.state == QUEUED).limit(_CHUNK)
        ).all()
        for row in rows:
            found = line_for(hub, work, row.creditor_id, Channel(row.channel))
            if found:
                _note(work, row, connection_id=found, next_attempt_at=None, problem="")
                work.wake(JOB, found)
                continue
            _note(
                work, row, next_attempt_at=work.now + _LOOK_AGAIN, problem=f"no connection brings {row.channel}"
            )
            open_task(
                work, kind="no_channel", title=f"there is no connection for {row.channel}", creditor_id=row.creditor_id,
                detail=f"The playbook has steps by {row.channel}: add such a connection, or change the playbook.",
            )


def _waiting(hub: Hub, connection_id: str) -> list[Any]:
    query = (
        sa.select(contacts)
        .where(
            contacts.c.connection_id == connection_id, contacts.c.state.in_([QUEUED, ATTEMPTING]),
            sa.or_(contacts.c.next_attempt_at.is_(None), contacts.c.next_attempt_at <= hub.now()),
        )
        .order_by(contacts.c.queued_at, contacts.c.contact_id)
        .limit(_CHUNK)
    )  # fmt: skip
    with hub.database.read() as conn:
        return list(conn.execute(query))


def _say(hub: Hub, line: ConnectionRow, row: Any) -> bool:
    """Bring one message to its end. False when the whole channel must wait."""
    if row.state == ATTEMPTING:  # the process that began it is gone: nothing else works on this channel
        return _after_crash(hub, line, row)
    with hub.work() as work:
        case = locked_case(work, row.case_id)
        if not _is_wanted(case, row):
            _drop(hub, work, case, row, "the case changed before it was said")
            return True
        opens = next_open(work.now, case.debtor.country)
        if opens > work.now:
            _note(work, row, next_attempt_at=opens)
            return True
        _note(work, row, state=ATTEMPTING, attempts=row.attempts + 1, intent="")
    try:
        message, facts = _prepared(hub, case, row)
        receipt = _delivered(hub, line, message, _Journal(hub, row, case.version))
    except CollecthubError as error:
        return _not_said(hub, row, line, error)
    _said(hub, row, facts, receipt)
    connection_well(hub, line)
    return True


def _prepared(hub: Hub, case: Case, row: Any) -> tuple[DebtorMessage, tuple[Fact, ...]]:
    """The words for the case as it is now, lawful today, kept as evidence; and what is recorded once they were said."""
    if row.step in STEPS:
        return plan_message(hub, case, contact_id=row.contact_id, step=row.step, channel=Channel(row.channel))
    forbidden = obstacle(hub, case)
    if forbidden is not None:
        raise _UnlawfulError(forbidden.reason, cure=forbidden.cure, reference=forbidden.article)
    fee = fee_of_reminder(hub, case, Channel(row.channel), hub.business_date())
    case = with_fee(case, fee)
    message = message_for(hub, case, contact_id=row.contact_id, channel=Channel(row.channel), tone=row.tone)
    made = ContactMade(
        contact_id=row.contact_id, step=row.step, channel=Channel(row.channel), asked=case.balance.total,
        language=message.language, receipt_ref="", sha256=hub.evidence.keep(message.text.encode()),
        rests_until=rest_after(hub, case, Channel(row.channel), Tone(row.tone)),
    )
    return message, (*((fee,) if fee is not None else ()), made)


class _UnlawfulError(PermanentError):
    """The law forbids this step today; `reference` is the article."""


def _delivered(hub: Hub, line: ConnectionRow, message: DebtorMessage, journal: _Journal) -> Receipt:
    messenger = hub.connector_for(line)
    if not isinstance(messenger, Messenger):
        raise PermanentError(f"{line.kind} brings no messages", cure="Use a channel connection.")
    return hub.call(
        messenger.deliver, message, journal, what=f"{line.kind}.deliver", connection_id=line.connection_id
    )


class _Journal:
    """Durable notes of one attempt; satisfies the `Journal` port."""

    def __init__(self, hub: Hub, row: Any, version: int) -> None:
        self._hub, self._row, self._version = hub, row, version

    def mark(self, intent: str) -> None:
        """Note the point of no return. Raises `ChangedError` when the case changed since the words were found."""
        with self._hub.work() as work:
            case = locked_case(work, self._row.case_id)
            if case.version != self._version:
                raise ChangedError("the case changed while its message was written", cure="It is looked at again.")
            _note(work, self._row, intent=intent)


def _is_wanted(case: Case, row: Any) -> bool:
    if row.step in STEPS:
        return is_wanted(case, row.step)
    is_pending = case.contact is not None and case.contact.pending_id == row.contact_id
    return is_pending and case.is_open and not is_paused(case) and case.balance.total > 0


# --- outcomes -------------------------------------------------------------------------------------


def _said(hub: Hub, row: Any, facts: Sequence[Any], receipt: Receipt) -> None:
    *fees, made = facts
    with hub.work() as work:
        _note(
            work, row, state=SENT, sent_at=work.now, receipt_ref=receipt.reference[:400], sha256=made.sha256, problem=""
        )
        case = locked_case(work, row.case_id)
        fact = msgspec.structs.replace(made, receipt_ref=receipt.reference[:140])
        change_case(hub, work, case, [*fees, fact], actor="hub")
        if row.step in STEPS:
            close_tasks(work, done_by="hub", case_id=case.case_id, kind=row.step)


def _not_said(hub: Hub, row: Any, line: ConnectionRow, error: CollecthubError) -> bool:
    if isinstance(error, ChangedError):
        with hub.work() as work:
            _note(work, row, state=QUEUED, next_attempt_at=None)
        return True
    if isinstance(error, InDoubtError):
        with hub.work() as work:
            _in_doubt(work, row, error.message)
        return True
    if isinstance(error, RetryableError) or not isinstance(error, PermanentError):
        with hub.work() as work:
            _note(work, row, state=QUEUED, next_attempt_at=work.now + backoff(row.attempts + 1), problem=error.message)
        connection_trouble(hub, line.connection_id, error, job="contact")
        return False
    with hub.work() as work:
        case = locked_case(work, row.case_id)
        _note(work, row, state=FAILED, problem=f"{error.message} {error.cure}".strip())
        change_case(hub, work, case, _instead(work, case, row, error), actor="hub")
    return True


def _instead(work: Work, case: Case, row: Any, error: PermanentError) -> list[Fact]:
    """What happens with a step that this channel cannot take: the law stops it, another channel, or a person."""
    if isinstance(error, _UnlawfulError):
        said = f"{error.reference}: {error.message}"
        open_task(
            work, kind="unlawful_step", title=f"case {case.number}: {row.step} may not be sent", case_id=case.case_id,
            detail=f"{said}. {error.cure}", creditor_id=case.creditor_id,
        )
        not_made = ContactNotMade(contact_id=row.contact_id, step=row.step, reason=said)
        return [not_made, HoldSet(reason="unlawful_step", note=said)]
    if row.step in STEPS:
        return not_sent(case, row, error)
    not_made = ContactNotMade(contact_id=row.contact_id, step=row.step, reason=error.message)
    contact = case.contact
    fallback = contact.policy.fallback if contact else None
    if contact is not None and contact.next_step is not None and fallback not in (None, Channel(row.channel)):
        assert fallback is not None, "checked in the line above"
        again = derived_id(row.contact_id, fallback.value)
        queued = ContactQueued(contact_id=again, step=row.step, channel=fallback, tone=contact.next_step.tone)
        return [not_made, queued]
    open_task(
        work, kind="unreachable", title=f"case {case.number}: the debtor cannot be reached for {row.step}",
        detail=f"{error.message}. {error.cure}", creditor_id=case.creditor_id, case_id=case.case_id,
    )
    return [ContactNotMade(contact_id=row.contact_id, step=row.step, reason=error.message, is_taken=True)]


def _after_crash(hub: Hub, line: ConnectionRow, row: Any) -> bool:
    messenger = hub.connector_for(line)
    with hub.work() as work:
        if row.intent and not (isinstance(messenger, Messenger) and messenger.repeats_safely):
            _in_doubt(work, row, "the hub ended while the message was on its way")
        else:
            _note(work, row, state=QUEUED)
    return True


def _in_doubt(work: Work, row: Any, reason: str) -> None:
    _note(work, row, state=IN_DOUBT, problem=reason)
    open_task(
        work, kind="contact_in_doubt", title=f"whether {row.step} reached the debtor is not known",
        detail=f"{reason}. Ask the channel for message {row.contact_id}, then say `collecthub contact settle`.",
        creditor_id=row.creditor_id, case_id=row.case_id,
    )


def _drop(hub: Hub, work: Work, case: Case, row: Any, reason: str) -> None:
    _note(work, row, state=WITHDRAWN, problem=reason)
    if case.contact is not None and case.contact.pending_id == row.contact_id:
        fact = ContactNotMade(contact_id=row.contact_id, step=row.step, reason=reason)
        change_case(hub, work, case, [fact], actor="hub")


def _note(work: Work, row: Any, **values: object) -> None:
    if isinstance(values.get("problem"), str):
        values["problem"] = str(values["problem"])[:2000]
    work.conn.execute(sa.update(contacts).where(contacts.c.contact_id == row.contact_id).values(values))


# --- what a person decides ------------------------------------------------------------------------


def settle_contact(hub: Hub, contact_id: str, *, reached: bool, actor: str, note: str = "") -> None:
    """A person says what became of a step: one in doubt, or one that people take (a call, a visit).

    Raises `PermanentError` when nothing waits for a person under this id.
    """
    with hub.work() as work:
        row = work.conn.execute(sa.select(contacts).where(contacts.c.contact_id == contact_id)).first()
        if row is None or row.state not in (IN_DOUBT, WITH_PERSON):
            raise PermanentError(
                f"no contact {contact_id} waits for a person", cure="See the tasks: `collecthub task list`."
            )
        case = locked_case(work, row.case_id)
        _note(work, row, state=SENT if reached else FAILED, sent_at=work.now if reached else None, problem=note)
        if row.step in STEPS:
            said = "reached the debtor" if reached else "did not reach the debtor"
            change_case(hub, work, case, [NoteAdded(text=f"{row.step.replace('_', ' ')} {said}. {note}")], actor=actor)
            return
        fact: Fact = (
            ContactMade(
                contact_id=contact_id, step=row.step, channel=Channel(row.channel), asked=case.balance.total,
                language="", receipt_ref=f"said by a person: {note}"[:140],
                rests_until=rest_after(hub, case, Channel(row.channel), Tone(row.tone)),
            )
            if reached
            else ContactNotMade(
                contact_id=contact_id, step=row.step, reason=note or "not reached", is_taken=row.state == WITH_PERSON
            )
        )  # fmt: skip
        change_case(hub, work, case, [fact], actor=actor)
