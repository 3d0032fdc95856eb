"""What people say about a call or a visit: its outcome drives the next step."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.objection_desk import explain_non_payment
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.contact import Channel
from collecthub.model.contact_outcome import (
    FOLLOWS,
    GRACE_DAYS,
    PROMISE,
    TRIES,
    TRY_AGAIN,
    ContactOutcome,
    Follow,
)
from collecthub.model.event import Fact, HoldSet
from collecthub.model.facts_contact import ChannelLost, ContactMade, ContactNotMade, ContactQueued
from collecthub.model.ids import derived_id
from collecthub.store.contact_tables import contacts
from collecthub.store.queries.scope import Scope, not_there, owned_by

WITH_PERSON, SENT, FAILED = "with_person", "sent", "failed"


def note_outcome(
    hub: Hub, scope: Scope, contact_id: str, outcome: ContactOutcome, *, on: dt.date | None = None, note: str = ""
) -> Case:
    """Record what a call or visit came to, and what follows from it. `on` is the day promised, or of the call back.

    Raises `NotThereError` for a contact out of scope, `PermanentError` for one that no person takes, or without a day
    that is needed.
    """
    follow = FOLLOWS[outcome]
    with hub.work() as work:
        row = work.conn.execute(
            sa.select(contacts).where(contacts.c.contact_id == contact_id, owned_by(scope, contacts.c.creditor_id))
        ).first()
        if row is None:
            raise not_there("contact", contact_id)
        if row.state != WITH_PERSON:
            raise PermanentError(f"contact {contact_id} waits for nobody", cure="See `collecthub contact list`.")
        if follow.needs_day and (on is None or on < work.now.date()):
            raise PermanentError(f"{outcome.value} needs a day from today on", cure="Say which day was agreed.")
        case = locked_case(work, row.case_id)
        _close(work, row, follow, note or outcome.value)
        facts = _reached(case, row, outcome, on, note) if follow.is_reached else _missed(work, case, row, outcome, note)
        case = change_case(hub, work, case, facts, actor=scope.subject)
        close_tasks(work, done_by=scope.subject, case_id=case.case_id, kind=f"contact:{contact_id}")
        if follow.reason is not None and case.is_open:
            case = explain_non_payment(hub, work, scope, case.case_id, reason=follow.reason, note=note)
        if follow.task:
            due_at = dt.datetime.combine(on, dt.time(8), dt.UTC) if on else None
            open_task(
                work, kind=follow.task, title=f"case {case.number}: {outcome.value.replace('_', ' ')}", detail=note[:2000],
                creditor_id=case.creditor_id, case_id=case.case_id, due_at=due_at,
            )  # fmt: skip
        return case


def _close(work: Work, row: Any, follow: Follow, note: str) -> None:
    values: dict[str, object] = {"state": SENT if follow.is_reached else FAILED, "problem": note[:2000]}
    if follow.is_reached:
        values["sent_at"] = work.now
    work.conn.execute(sa.update(contacts).where(contacts.c.contact_id == row.contact_id).values(values))


def _reached(case: Case, row: Any, outcome: ContactOutcome, on: dt.date | None, note: str) -> list[Fact]:
    made = ContactMade(
        contact_id=row.contact_id, step=row.step, channel=Channel(row.channel), asked=case.balance.total, language="",
        receipt_ref=f"said by a person: {note}"[:140], outcome=outcome.value,
    )  # fmt: skip
    if outcome is not ContactOutcome.PROMISED or on is None:
        return [made]
    until = on + dt.timedelta(days=GRACE_DAYS)
    return [made, HoldSet(reason=PROMISE, note=f"promised to pay by {on}. {note}".strip(), until_on=until)]


def _missed(work: Work, case: Case, row: Any, outcome: ContactOutcome, note: str) -> list[Fact]:
    """Another try tomorrow, another channel where this one is dead, or the end of the step after enough tries."""
    reason = f"{outcome.value} {note}".strip()
    contact = case.contact
    if FOLLOWS[outcome].is_dead and contact is not None and contact.next_step is not None:
        lost: list[Fact] = [ChannelLost(channel=Channel(row.channel), reason=reason)]
        fallback = contact.policy.fallback
        if fallback is Channel(row.channel) or fallback in contact.lost:
            return [*lost, ContactNotMade(contact_id=row.contact_id, step=row.step, reason=reason, is_taken=True)]
        queued = ContactQueued(
            contact_id=derived_id(row.contact_id, fallback.value), step=row.step, channel=fallback,
            tone=contact.next_step.tone,
        )  # fmt: skip
        return [*lost, ContactNotMade(contact_id=row.contact_id, step=row.step, reason=reason), queued]
    tries = work.conn.scalar(
        sa.select(sa.func.count()).where(
            contacts.c.case_id == row.case_id, contacts.c.step == row.step, contacts.c.state == FAILED
        )
    )
    is_enough = int(tries or 0) >= TRIES
    missed = ContactNotMade(contact_id=row.contact_id, step=row.step, reason=reason, is_taken=is_enough)
    if is_enough:
        return [missed]
    tomorrow = work.now.date() + dt.timedelta(days=1)
    return [missed, HoldSet(reason=TRY_AGAIN, note=reason, until_on=tomorrow)]
