"""What a new case and a due step leave behind: the agreed course, and a row in the line of messages to debtors."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from collecthub.contact_ports import Messenger
from collecthub.engine.context import Hub, Work
from collecthub.engine.plan_line import channels_of, message_row
from collecthub.errors import CollecthubError
from collecthub.model.case import Case
from collecthub.model.contact import BELOW_MINIMUM, BY_PEOPLE, Channel, ContactPolicy, policies_of
from collecthub.model.event import CaseEvent, CaseOpened, HoldReleased, HoldSet
from collecthub.model.facts_contact import ContactAgreed, ContactQueued
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.connections import read_creditor
from collecthub.store.contact_tables import contacts

REMINDED_BY_HUB = "hub"
JOB = "contact"
CourseFact = ContactAgreed | HoldSet | HoldReleased


def course_that_follows(work: Work, case: Case, written: Sequence[CaseEvent]) -> tuple[CourseFact, ...]:
    """The steps before hand-over of a case that was just opened, where a person had the hub send reminders.

    Who owes less than every policy for his kind asks for is not handed over unseen: the case rests until a person
    decides, or until more is owed.
    """
    was_below = case.held_for(BELOW_MINIMUM)
    if case.contact is not None or not (was_below or isinstance(written[0].fact, CaseOpened)):
        return ()
    fitting = _fitting(work, case)
    policy = next((one for one in fitting if case.demanded >= one.minimum_amount), None)
    if policy is not None:
        version = hashlib.sha256(msgspec.json.encode(policy)).hexdigest()[:12]
        agreed = ContactAgreed(policy=policy, version=version)
        return (HoldReleased(reason=BELOW_MINIMUM), agreed) if was_below else (agreed,)
    if not fitting or was_below:
        return ()
    least = min(one.minimum_amount for one in fitting)
    return (HoldSet(reason=BELOW_MINIMUM, note=f"{case.demanded} {case.currency} is owed, steps begin at {least}"),)


def _fitting(work: Work, case: Case) -> tuple[ContactPolicy, ...]:
    """The policies for this kind of debtor; none where nobody had the hub send reminders."""
    rows = work.connections_of(t.connections.c.creditor_id, case.creditor_id)
    mine = next((row for row in rows if row.connection_id == case.connection_id), None)
    if mine is None or mine.release.reminders_by != REMINDED_BY_HUB:
        return ()
    creditor = read_creditor(work.stored, case.creditor_id)
    if creditor is None:
        return ()
    is_repeat = _is_repeat(work, case)
    return policies_of(creditor.playbook.contact, case.segment, country=case.debtor.country, is_repeat=is_repeat)


def _is_repeat(work: Work, case: Case) -> bool | None:
    """Whether he bought before: another invoice of his is in the books, or another case; None without a reference."""
    if not case.debtor_ref:
        return None
    books = sa.select(sa.func.count()).where(
        t.invoices.c.connection_id == case.connection_id, t.invoices.c.debtor_ref == case.debtor_ref
    )
    return int(work.conn.scalar(books) or 0) > len(case.claims)


def queue_contact(hub: Hub, work: Work, case: Case, event: CaseEvent) -> None:
    """A due step goes in line; one that people take is for their list."""
    fact = event.fact
    if not isinstance(fact, ContactQueued):
        return
    by_people = fact.channel in BY_PEOPLE
    connection_id = "" if by_people else line_for(hub, work, case.creditor_id, fact.channel)
    work.later(
        _ADD, [{
            "contact_id": fact.contact_id, "case_id": case.case_id, "creditor_id": case.creditor_id,
            "channel": fact.channel.value, "step": fact.step, "tone": fact.tone.value, "connection_id": connection_id,
            "state": "with_person" if by_people else "queued", "queued_at": work.now,
        }],
    )  # fmt: skip
    if not by_people:
        work.wake(JOB, connection_id)


def queue_plan_message(hub: Hub, work: Work, case: Case, event: CaseEvent) -> None:
    """What the debtor should hear of his plan goes in line by the first channel that reaches him; else a person tells him."""
    row = message_row(case, event)
    if row is None:
        return
    for channel in channels_of(case):
        connection_id = line_for(hub, work, case.creditor_id, channel)
        if connection_id:
            work.later(_ADD, [{**row, "channel": channel.value, "connection_id": connection_id, "queued_at": work.now}])
            work.wake(JOB, connection_id)
            return


def line_for(hub: Hub, work: Work, creditor_id: str, channel: Channel) -> str:
    """The creditor's connection that brings messages by a channel; empty when he has none whose plugin is there."""
    for row in work.connections_of(t.connections.c.creditor_id, creditor_id):
        if row.role == ConnectorRole.CHANNEL.value:
            with contextlib.suppress(CollecthubError):  # a plugin that is off stops no case
                connector = hub.connector_for(row)
                if isinstance(connector, Messenger) and connector.channel is channel:
                    return row.connection_id
    return ""


_ADD = sa.insert(contacts)
