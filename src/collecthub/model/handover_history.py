"""What a case's past tells its next holder: enforceable titles, what the debtor was sent, the acts that are wanted. Pure.

Only what the history holds: a judgment without its court and file number is no title that anybody could enforce, a
reminder without its day is none that anybody could prove, and a message that came back was never sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

from collecthub.model import event as ev
from collecthub.model.case import Case
from collecthub.model.contact import Channel
from collecthub.model.exchange import CaseFile, DunningStep, OrderItem, Procedure, TitleItem
from collecthub.model.facts_contact import ContactMade, ContactReturned
from collecthub.model.facts_human import ProceedingBegun, ProceedingMoved
from collecthub.model.proceeding import ProceedingKind

LEVEL_MOST = 99  # of the published schema
# Kind of proceeding -> kind of title, the act whose day the title bears, the state in which it can be enforced.
_TITLES: Mapping[ProceedingKind, tuple[str, str, str]] = {
    ProceedingKind.JUDICIAL: ("judgment", "give_judgment", "enforceable_copy"),
    ProceedingKind.UNDISPUTED: ("recorded_demand", "record", "enforceable"),
}
# What a holder may be asked for by the creditor's approval: kind of proceeding -> order, procedure of the placement.
_ORDERS: Mapping[ProceedingKind, tuple[str, Procedure]] = {
    ProceedingKind.JUDICIAL: ("court_action", Procedure.JUDICIAL),
    ProceedingKind.UNDISPUTED: ("undisputed_procedure", Procedure.JUDICIAL),
    ProceedingKind.ENFORCEMENT: ("enforcement", Procedure.ENFORCEMENT),
}


def with_history(
    file: CaseFile, case: Case, history: Iterable[ev.CaseEvent], own: Iterable[DunningStep], told: Callable[[str, Decimal], str]
) -> CaseFile:
    """The case file with titles, orders and dunning steps. `own` are the creditor's reminders as its ERP tells them.

    `told` words an order for its reader, from the name of the proceeding and what may still be spent on it.
    """
    events = tuple(history)
    steps = dunning_steps(events, own)
    level = max((file.dunning_level, *(step.level for step in steps)))
    return msgspec.structs.replace(
        file, titles=titles(events, file), orders=orders(case, file.procedure, told), dunning_steps=steps, dunning_level=level
    )


def titles(history: Iterable[ev.CaseEvent], file: CaseFile) -> tuple[TitleItem, ...]:
    """Judgments and recorded demands that can be enforced, each with the claims of the file that were sued for."""
    events = tuple(history)
    return tuple(
        title for place, event in enumerate(events)
        if isinstance(event.fact, ProceedingBegun) and event.fact.proceeding in _TITLES
        and (title := _title(event.fact, events[place:], _known(events[:place]), file)) is not None
    )  # fmt: skip


def _title(
    begun: ProceedingBegun, since: Iterable[ev.CaseEvent], sued_for: frozenset[str], file: CaseFile
) -> TitleItem | None:
    kind, dated_by, enforceable = _TITLES[begun.proceeding]
    acts = [
        event.fact for event in since
        if isinstance(event.fact, ProceedingMoved) and event.fact.proceeding_id == begun.proceeding_id
    ]  # fmt: skip
    days = [act.acted_on for act in acts if act.act == dated_by]  # the last one: after an appeal there is another
    covered = tuple(claim.claim_id for claim in file.claims if claim.claim_id in sued_for)
    is_title = days and covered and any(act.state == enforceable for act in acts)
    if not is_title or not begun.authority.strip() or not begun.reference.strip():
        return None
    return TitleItem(
        kind=kind, authority=begun.authority, file_ref=begun.reference, dated_on=days[-1],
        claim_ids=covered if len(covered) < len(file.claims) else (),
    )  # fmt: skip


def _known(history: Iterable[ev.CaseEvent]) -> frozenset[str]:
    found: set[str] = set()
    for event in history:
        match event.fact:
            case ev.CaseOpened(claims=claims):
                found.update(claim.claim_id for claim in claims)
            case ev.ClaimAdded(claim=claim):
                found.add(claim.claim_id)
    return frozenset(found)


def dunning_steps(history: Iterable[ev.CaseEvent], own: Iterable[DunningStep] = ()) -> tuple[DunningStep, ...]:
    """What reached the debtor before, oldest first; the hub's own messages count on from the creditor's last level."""
    events = tuple(history)
    earlier = sorted(own, key=lambda step: (step.sent_on, step.level, step.reference))
    returned = {event.fact.contact_id for event in events if isinstance(event.fact, ContactReturned)}
    base = max((step.level for step in earlier), default=0)
    made = [
        DunningStep(
            level=min(base + place, LEVEL_MOST), sent_on=event.occurred_at.date(), channel=Channel(fact.channel).value,
            reference=fact.step[:140],
        )
        for place, (event, fact) in enumerate(_made(events, returned), 1)
    ]  # fmt: skip
    return tuple(sorted((*earlier, *made), key=lambda step: step.sent_on))


def _made(events: Iterable[ev.CaseEvent], returned: set[str]) -> Iterator[tuple[ev.CaseEvent, ContactMade]]:
    for event in events:
        if isinstance(event.fact, ContactMade) and event.fact.contact_id not in returned:
            yield event, event.fact


def orders(case: Case, procedure: Procedure, told: Callable[[str, Decimal], str]) -> tuple[OrderItem, ...]:
    """The acts whose cost the creditor allowed within the procedure, with what is left of the cap."""
    return tuple(
        OrderItem(code=code, text=told(_name(case, kind), left))
        for kind, (code, asked) in _ORDERS.items()
        if asked is procedure and (left := _left(case, kind)) is not None and left > 0
    )


def _name(case: Case, kind: ProceedingKind) -> str:
    """The name under which the proceeding runs, such as the European order for payment."""
    begun = case.proceedings.open_of(kind)
    return begun.reference if begun is not None else ""


def _left(case: Case, kind: ProceedingKind) -> Decimal | None:
    """What may still be spent: on the one of a kind that runs towards its aim, else on the next one; None without a yes."""
    running = case.proceedings.open_of(kind)
    if running is not None and (kind not in _TITLES or running.state != _TITLES[kind][2]):
        return running.left
    allowed = case.proceedings.approval_for(kind)
    return allowed.left if allowed is not None else None
