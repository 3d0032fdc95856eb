"""What the facts of contact do to a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from collecthub.model import facts_contact as fc
from collecthub.model.case import Case, Hold
from collecthub.model.contact import REMINDERS, Channel, Contact
from collecthub.model.event import CaseEvent

replace = msgspec.structs.replace


def _agreed(case: Case, fact: fc.ContactAgreed, event: CaseEvent) -> Case:
    hold = Hold(reason=REMINDERS, note=fact.policy.name, since_at=event.occurred_at, set_by=event.actor)
    contact = Contact(policy=fact.policy, version=fact.version)
    return replace(case, contact=contact, holds=(*case.holds, hold))


def _on_contact(case: Case, **changes: Any) -> Case:
    return case if case.contact is None else replace(case, contact=replace(case.contact, **changes))


def _queued(case: Case, fact: fc.ContactQueued, event: CaseEvent) -> Case:
    return _on_contact(case, pending_id=fact.contact_id)


def _made(case: Case, fact: fc.ContactMade, event: CaseEvent) -> Case:
    if case.told_on is None and fact.channel in (Channel.EMAIL, Channel.LETTER):
        case = replace(case, told_on=event.occurred_at.date())
    taken = case.contact.taken if case.contact else 0
    step = case.contact.next_step if case.contact else None
    spent = (case.contact.spent if case.contact else Decimal(0)) + (step.cost if step else Decimal(0))
    return _on_contact(
        case, pending_id="", taken=taken + 1, last_on=event.occurred_at.date(), spent=spent, rests_until=fact.rests_until
    )


def _not_made(case: Case, fact: fc.ContactNotMade, event: CaseEvent) -> Case:
    if not fact.is_taken or case.contact is None:
        return _on_contact(case, pending_id="")
    return _on_contact(case, pending_id="", taken=case.contact.taken + 1, last_on=event.occurred_at.date())


def _over(case: Case, fact: fc.ContactOver, event: CaseEvent) -> Case:
    held = tuple(hold for hold in case.holds if hold.reason != REMINDERS)
    return replace(_on_contact(case, is_over=True), holds=held)


def _returned(case: Case, fact: fc.ContactReturned, event: CaseEvent) -> Case:
    if case.contact is None or not fact.is_undone:
        return case
    return _on_contact(case, taken=max(case.contact.taken - 1, 0))


def _lost(case: Case, fact: fc.ChannelLost, event: CaseEvent) -> Case:
    lost = case.contact.lost if case.contact else ()
    return case if fact.channel in lost else _on_contact(case, lost=(*lost, fact.channel))


def _unwanted(case: Case, fact: fc.ConsentWithdrawn, event: CaseEvent) -> Case:
    return case if fact.channel.value in case.unwanted else replace(case, unwanted=(*case.unwanted, fact.channel.value))


def _wanted(case: Case, fact: fc.ConsentGiven, event: CaseEvent) -> Case:
    return replace(case, unwanted=tuple(one for one in case.unwanted if one != fact.channel.value))


def _noted(case: Case, fact: object, event: CaseEvent) -> Case:
    """A fact that people read; the case is as it was."""
    return case


def _limit(case: Case, fact: fc.ContactLimitReached, event: CaseEvent) -> Case:
    hold = Hold(reason=fact.limit, note=fact.detail, since_at=event.occurred_at, set_by=event.actor)
    limits = case.contact.limits if case.contact else ()
    return replace(_on_contact(case, limits=(*limits, fact.limit)), holds=(*case.holds, hold))


HANDLERS: Mapping[type, Callable[[Case, Any, CaseEvent], Case]] = {
    fc.ContactAgreed: _agreed,
    fc.ContactQueued: _queued,
    fc.ContactMade: _made,
    fc.ContactNotMade: _not_made,
    fc.ContactOver: _over,
    fc.ContactReturned: _returned,
    fc.ContactAnswered: _noted,
    fc.ChannelLost: _lost,
    fc.ContactLimitReached: _limit,
    fc.ConsentWithdrawn: _unwanted,
    fc.ConsentGiven: _wanted,
    fc.AppointmentAsked: _noted,
    fc.HelperAdmitted: _noted,
    fc.HelperEnded: _noted,
}
