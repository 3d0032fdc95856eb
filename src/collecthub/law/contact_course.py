"""The course of contact before hand-over: when the next step is due, and what the end of its wait means.

Pure. The law has the first word on each step when it leaves (`collecthub.law.lawful`); here only days are counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from collecthub.errors import PermanentError
from collecthub.law.days import add_span
from collecthub.law.rules import Span, Unit
from collecthub.model import facts_contact as fc
from collecthub.model.case import Case
from collecthub.model.clock import Timer
from collecthub.model.codes import Status
from collecthub.model.contact import COLLECTION_TERM, COST_CAP, REMINDERS, Contact, DayCount
from collecthub.model.ids import derived_id

TERM = "contact_term"
TIMER = "contact:"  # begins the kind of the timer of the next step
_ONE = dt.timedelta(days=1)


def is_paused(case: Case) -> bool:
    """Whether anything but the course itself holds the case: then nobody writes to the debtor."""
    return any(hold.reason != REMINDERS for hold in case.holds)


def next_on(case: Case, contact: Contact) -> dt.date:
    """The day on which the next step, or the hand-over after the last one, is due: as agreed, or later by law."""
    if contact.last_on is None:
        oldest = min((claim.due_on for claim in case.claims), default=case.opened_at.date())
        return max(_later(oldest, contact, case), case.opened_at.date())
    agreed = _later(contact.last_on, contact, case)
    return max(agreed, contact.rests_until + _ONE) if contact.rests_until is not None else agreed


def _later(day: dt.date, contact: Contact, case: Case) -> dt.date:
    step = contact.next_step
    is_working = step is not None and step.days is DayCount.WORKING
    try:
        unit = Unit.WORKING_DAYS if is_working else Unit.DAYS
        return add_span(day, Span(count=contact.gap_days, unit=unit), case.debtor.country)
    except PermanentError:  # a country whose holidays nobody knows: weekdays alone, counted generously
        return day + dt.timedelta(days=-(-contact.gap_days * 7 // 5))


def waits(case: Case) -> Iterator[Timer]:
    """The wait for the next step of an open, unheld case that nothing is on its way for."""
    contact = case.contact
    if contact is None or contact.is_over or contact.pending_id or is_paused(case) or case.status is not Status.READY:
        return
    step = contact.next_step
    due_at = dt.datetime.combine(next_on(case, contact), dt.time(), dt.UTC)
    if (ends_at := _term_ends_at(case, contact)) is not None and ends_at <= due_at:
        yield Timer(kind=TERM, due_at=ends_at, owner="operator", title="the agreed collection term is over")
        return
    title = f"{step.name} by {step.channel.value}" if step else "hand-over after the last step"
    yield Timer(kind=f"{TIMER}{contact.taken}", due_at=due_at, owner="hub", title=title)


def _term_ends_at(case: Case, contact: Contact) -> dt.datetime | None:
    """When the longest collection that was agreed is over; None without such a limit, or once a person decided."""
    if not contact.policy.term_days or COLLECTION_TERM in contact.limits:
        return None
    day = case.opened_at.date() + dt.timedelta(days=contact.policy.term_days)
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def over(case: Case, timer: Timer) -> tuple[fc.ContactQueued | fc.ContactOver | fc.ContactLimitReached, ...]:
    """The next step is taken, the course has ended, or a limit asks a person. Nothing for a timer of another matter."""
    contact = case.contact
    if contact is None or not any(wait.kind == timer.kind and wait.due_at <= timer.due_at for wait in waits(case)):
        return ()
    if timer.kind == TERM:
        detail = f"{contact.policy.term_days} days were agreed for collection; {contact.taken} steps are taken"
        return (fc.ContactLimitReached(limit=COLLECTION_TERM, detail=detail),)
    step = contact.next_step
    if step is not None and contact.breaks_cap:
        detail = f"{step.name} costs {step.cost}; {contact.spent} of {contact.policy.cost_cap} is spent"
        return (fc.ContactLimitReached(limit=COST_CAP, detail=detail),)
    if step is None:
        return (fc.ContactOver(steps=contact.taken),)
    contact_id = derived_id(case.case_id, "contact", str(case.version), step.name)
    return (fc.ContactQueued(contact_id=contact_id, step=step.name, channel=step.channel, tone=step.tone),)
