"""From a case's history to what the law asks of it: which reminders went out, and what happened that a step hangs on.

Reminders of the creditor's own ERP are not counted: nothing says whether they were free, by which channel they went and
what they named, and a wait that was counted from the wrong day charges a consumer too early.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from collecthub.law.late_payment import Reminded
from collecthub.law.steps import Happened, Happening
from collecthub.model import event as ev
from collecthub.model import facts_human as fh
from collecthub.model.codes import Phase
from collecthub.model.contact import Channel
from collecthub.model.facts_contact import ContactMade
from collecthub.model.objection import Hardship
from collecthub.model.proceeding import ProceedingKind

# A reminder is read again later; a call or a visit leaves nothing behind.
WRITTEN = frozenset({Channel.EMAIL, Channel.LETTER, Channel.SMS})
SETTLEMENT = "collective_settlement"
JUDGMENT = "judgment"
_BEGUN = {
    ProceedingKind.BANKRUPTCY: Happening.BANKRUPTCY,
    ProceedingKind.REORGANISATION: Happening.REORGANISATION,
    ProceedingKind.COLLECTIVE_SETTLEMENT: Happening.SETTLEMENT_ADMITTED,
}
_ENDED = {
    ProceedingKind.REORGANISATION: Happening.REORGANISATION_ENDED,
    ProceedingKind.COLLECTIVE_SETTLEMENT: Happening.SETTLEMENT_ENDED,
}
_TITLES = frozenset({"enforceable_copy", "enforceable"})  # states of a proceeding in which there is a title


def reminded(history: Iterable[ev.CaseEvent]) -> Mapping[str, Reminded]:
    """The hub's first written reminder of each claim after its due day; one that came later waits for the next reminder."""
    waiting: dict[str, dt.date] = {}
    found: dict[str, Reminded] = {}
    for event in history:
        match event.fact:
            case ev.CaseOpened(claims=claims):
                waiting.update((claim.claim_id, claim.due_on) for claim in claims)
            case ev.ClaimAdded(claim=claim):
                waiting[claim.claim_id] = claim.due_on
            case ContactMade(channel=channel) if channel in WRITTEN:
                first = Reminded(on=event.occurred_at.date(), channel=channel.value)
                late = [claim_id for claim_id, due_on in waiting.items() if due_on < first.on]
                found.update(dict.fromkeys(late, first))
                for claim_id in late:
                    del waiting[claim_id]
    return found


def happened(history: Iterable[ev.CaseEvent]) -> tuple[Happened, ...]:
    """What the history knows of that a step may hang on, in order. What came in is left out: the balance says it."""
    kinds: dict[str, ProceedingKind] = {}
    found: list[Happened] = []
    for event in history:
        if isinstance(event.fact, fh.ProceedingBegun):
            kinds[event.fact.proceeding_id] = event.fact.proceeding
        found += _of_proceeding(event.fact, kinds)
        teller = _TELLERS.get(type(event.fact))
        found += teller(event.fact, event.occurred_at.date()) if teller else ()
    return tuple(found)


def _of_proceeding(fact: ev.Fact, kinds: Mapping[str, ProceedingKind]) -> Iterator[Happened]:
    if isinstance(fact, fh.ProceedingBegun) and fact.proceeding in _BEGUN:
        yield Happened(kind=_BEGUN[fact.proceeding], on=fact.began_on)
    if isinstance(fact, fh.ProceedingMoved):
        if fact.state in _TITLES:
            yield Happened(kind=Happening.TITLE, on=fact.acted_on)
        ended = _ENDED.get(kinds[fact.proceeding_id]) if fact.proceeding_id in kinds else None
        if ended is not None and fact.state == "ended":
            yield Happened(kind=ended, on=fact.acted_on)


def _contact(fact: ContactMade, day: dt.date) -> tuple[Happened, ...]:
    if fact.channel not in WRITTEN:
        return ()
    return (Happened(kind=Happening.REMINDER, on=day, channel=fact.channel.value),)


def _plan(fact: fh.PlanProposed, day: dt.date) -> tuple[Happened, ...]:
    return (Happened(kind=Happening.PLAN_REQUEST, on=day),) if fact.proposed_by == "debtor" else ()


def _hardship(fact: fh.HardshipFound, day: dt.date) -> tuple[Happened, ...]:
    is_mediation = fact.hardship is Hardship.DEBT_MEDIATION
    return (Happened(kind=Happening.MEDIATION_REQUEST, on=day),) if is_mediation else ()


def _hold(fact: ev.HoldSet, day: dt.date) -> tuple[Happened, ...]:
    return (Happened(kind=Happening.SETTLEMENT_ADMITTED, on=day),) if fact.reason == SETTLEMENT else ()


def _released(fact: ev.HoldReleased, day: dt.date) -> tuple[Happened, ...]:
    kind = {SETTLEMENT: Happening.SETTLEMENT_ENDED, Hardship.DEBT_MEDIATION.value: Happening.ANSWERED}.get(fact.reason)
    return (Happened(kind=kind, on=day),) if kind else ()


def _checked(fact: fh.SolvencyChecked, day: dt.date) -> tuple[Happened, ...]:
    return (Happened(kind=Happening.SOLVENCY_CHECK, on=fact.check.checked_on),)


def _status(fact: ev.StatusReported, day: dt.date) -> tuple[Happened, ...]:
    """Who enforces has a title."""
    return (Happened(kind=Happening.TITLE, on=day),) if fact.phase is Phase.ENFORCEMENT else ()


def _document(fact: ev.DocumentAdded, day: dt.date) -> tuple[Happened, ...]:
    return (Happened(kind=Happening.TITLE, on=day),) if fact.document_kind == JUDGMENT else ()


def _plain(kind: Happening) -> Callable[[Any, dt.date], tuple[Happened, ...]]:
    return lambda fact, day: (Happened(kind=kind, on=day),)


_TELLERS: Mapping[type, Callable[[Any, dt.date], tuple[Happened, ...]]] = {
    ContactMade: _contact,
    fh.DisputeRaised: _plain(Happening.DISPUTE),
    fh.DisputeDecided: _plain(Happening.ANSWERED),
    fh.PlanProposed: _plan,
    fh.PlanAgreed: _plain(Happening.ANSWERED),
    fh.PlanRefused: _plain(Happening.ANSWERED),
    fh.HardshipFound: _hardship,
    fh.SolvencyChecked: _checked,
    ev.HoldSet: _hold,
    ev.HoldReleased: _released,
    ev.StatusReported: _status,
    ev.DocumentAdded: _document,
}
