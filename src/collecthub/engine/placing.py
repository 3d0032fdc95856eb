"""Runner of `route`: cases that are ready find their partner, with every proposal stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

import msgspec
import sqlalchemy as sa

from collecthub.corridor.route import route
from collecthub.engine.case_law import STEP_OF_PROCEDURE, checks_steps, obstacles
from collecthub.engine.case_work import change_case, close_tasks, open_task
from collecthub.engine.checking import HAND_OVER, TASK, ask_owners, is_news, noted, was_stopped
from collecthub.engine.context import Hub, Work
from collecthub.engine.cost_limits import close_question
from collecthub.engine.court_gate import cost_gate, refused, waits_for_better_times
from collecthub.engine.mandates import PENDING, wait_for
from collecthub.engine.register_watch import identify_and_watch
from collecthub.engine.routing import Ground, checked, proposals
from collecthub.engine.solvency import score_opened
from collecthub.law.feasibility.assess import Assessment
from collecthub.law.feasibility.telling import reason_to_stop
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.event import DispatchBlocked, Fact, HoldSet, RouteChosen, RouteMissing
from collecthub.model.exchange import Procedure
from collecthub.model.facts_exchange import ClocksAgreed
from collecthub.model.facts_human import CostApprovalDecided
from collecthub.model.ids import derived_id
from collecthub.model.mandate import Wanted, wanted
from collecthub.model.next_holder import seal_of
from collecthub.model.partner import PartnerProfile, RouteProposal, Veto
from collecthub.model.rungs import RungClocks, agreed_clocks
from collecthub.store import tables as t

CASES_PER_CHUNK = 100
UNLAWFUL = "unlawful_step"


def place_cases(hub: Hub, creditor_id: str) -> None:
    """Route every case of a creditor that is ready and not held, with all proposals stored."""
    identify_and_watch(hub, creditor_id)  # who may be somebody else's twin is held before anything leaves
    score_opened(hub, creditor_id)
    after = ""
    chances = None  # all ended cases are looked at once
    while True:
        with hub.work() as work:
            found = work.conn.scalars(_READY, {"of": creditor_id, "after": after}).all()
            work.hold(found)
            ground = Ground(work.conn, found, hub.business_date(), chances) if found else None
            chances = ground.chances if ground else None
            ready = list(filter(_is_ready, map(work.book.held, found)))
            for case, turn in zip(ready, turns(hub, ground, ready) if ground else (), strict=True):
                assert ground is not None, "there are cases"
                _place(hub, work, ground, case, turn)
        if len(found) < CASES_PER_CHUNK:
            return
        after = found[-1]


def _place(hub: Hub, work: Work, ground: Ground, case: Case, turn: Turn) -> None:
    """Hand one case over, or leave behind why not and who must do what."""
    creditor = ground.around.creditor(case.creditor_id)
    clocks = creditor.playbook.clocks if creditor else RungClocks()
    facts = (*turn.facts, *_clock_facts(turn.facts, ground.profiles, clocks))
    changed = change_case(hub, work, case, facts, actor="hub")
    if any(isinstance(fact, CostApprovalDecided) for fact in facts):  # given beforehand: nobody is asked
        close_question(work, case.case_id, changed.proceedings.approvals[-1].reason, done_by="hub")
    if turn.missing and turn.partner is not None:
        asked = (turn.partner.partner_id, case.creditor_id)
        if asked not in ground.asked:
            wait_for(work, changed, turn.partner, turn.missing)
        ground.asked.add(asked)
    elif changed.status is not Status.NEEDS_INFO:
        if was_stopped(case):  # a look at the database for every case would cost as much as placing it
            close_tasks(work, done_by="hub", case_id=case.case_id, kind=TASK)
    elif turn.stopped is not None:
        ask_owners(work, changed, turn.stopped)
    else:
        open_task(
            work, kind="unroutable", title=f"case {case.number} cannot be handed over",
            detail=getattr(turn.facts[-1], "reason", ""), creditor_id=case.creditor_id, case_id=case.case_id,
        )
    if changed.feasibility is None:  # nobody was there to be checked for: what is weak in the file is told all the same
        work.wake("check", case.creditor_id)


def _clock_facts(facts: Sequence[Fact], profiles: Sequence[PartnerProfile], playbook: RungClocks) -> Iterator[Fact]:
    """The clocks of a new placement, where the partner's profile or the creditor's playbook state any."""
    for fact in facts:
        if isinstance(fact, RouteChosen):
            partner = next(profile for profile in profiles if profile.partner_id == fact.partner_id)
            clocks = agreed_clocks(partner.clocks, playbook)
            if clocks != RungClocks():
                yield ClocksAgreed(clocks=clocks)


_PLACEABLE = (Status.READY, Status.REFUSED)
_READY = (
    sa.select(t.cases.c.case_id)
    .where(
        t.cases.c.creditor_id == sa.bindparam("of"), t.cases.c.holds == "", t.cases.c.case_id > sa.bindparam("after"),
        t.cases.c.status.in_([status.value for status in _PLACEABLE]),
    )
    .order_by(t.cases.c.case_id)
    .limit(CASES_PER_CHUNK)
)


def _is_ready(case: Case | None) -> TypeGuard[Case]:
    """Whether the case, now locked, is still what the look before the lock promised."""
    return case is not None and case.status in _PLACEABLE and not case.holds


def decisions(hub: Hub, ground: Ground, cases: Sequence[Case]) -> list[Fact]:
    """How placing each case would end today: a route, a hold, or why it stays. Nothing is changed."""
    return [turn.facts[-1] for turn in turns(hub, ground, cases)]


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What placing a case came to: its facts, and what it waits for."""

    facts: tuple[Fact, ...]
    partner: PartnerProfile | None = None
    missing: tuple[Wanted, ...] = ()
    stopped: Assessment | None = None


def turns(hub: Hub, ground: Ground, cases: Sequence[Case]) -> list[Turn]:
    """Ask every plugin for routes, check the best ones, and let the room decide; then papers, vetoes and the law.

    The law comes last: a plugin's veto may be what has the law's condition met, as the look into a debtor's solvency.
    """
    found = [_turn(hub, ground, case, given) for case, given in zip(cases, proposals(hub, ground, cases), strict=True)]
    going = [place for place, turn in enumerate(found) if isinstance(turn.facts[-1], RouteChosen)]
    asked = [
        {"case": cases[place], "partner": found[place].partner, "as_of": ground.as_of, "procedure": _procedure(found[place])}
        for place in going
    ]
    for place, vetoes in zip(going, hub.plugins.ask_each("veto_dispatch", asked), strict=True):
        stop = _vetoed(vetoes) or forbidden(hub, ground, cases[place], found[place].facts[-1])
        found[place] = _gated(ground, cases[place], found[place], stop)
    return found


def _gated(ground: Ground, case: Case, turn: Turn, stop: Fact | None) -> Turn:
    """A turn that ends with what stops it, or with its route where the cost of that is allowed too."""
    *before, chosen = turn.facts
    if stop is not None:
        return Turn(facts=(*before, stop))
    assert isinstance(chosen, RouteChosen), "only these are asked about"
    cost = cost_gate(ground.conn, case, chosen, ground.as_of)
    if cost and isinstance(cost[-1], HoldSet):
        return Turn(facts=(*before, *cost))
    return msgspec.structs.replace(turn, facts=(*before, *cost, chosen))


def _procedure(turn: Turn) -> str:
    chosen = turn.facts[-1]
    return chosen.procedure.value if isinstance(chosen, RouteChosen) else ""


def _vetoed(vetoes: Sequence[tuple[str, Veto]]) -> DispatchBlocked | None:
    for _, veto in vetoes:
        reason = f"{veto.article}: {veto.reason}" if veto.article else veto.reason
        return DispatchBlocked(code=veto.code, reason=reason)
    return None


def _turn(hub: Hub, ground: Ground, case: Case, proposed: Sequence[RouteProposal]) -> Turn:
    answers: dict[tuple[str, str], Assessment] = {}

    def stops(one: RouteProposal) -> str:
        if said := refused(case, Procedure(one.procedure)):
            return said
        answer = checked(hub, ground, case, one)
        answers[one.partner_id or "", one.route] = answer
        stop = reason_to_stop(answer)
        return stop[1] if stop else ""

    placement_id = derived_id(case.case_id, str(case.version), "placement")
    chosen = route(case, proposed, ground.profiles, placement_id, stops)
    sealed = _seal(case)
    if not isinstance(chosen, RouteChosen):
        watched = waits_for_better_times(case, chosen, ground.as_of)
        return Turn(facts=(*sealed, *watched)) if watched else _nobody(case, chosen, answers, sealed)
    answer = answers[chosen.partner_id, chosen.route]
    said = noted(answer, HAND_OVER, chosen.partner_id)
    before: tuple[Fact, ...] = (*sealed, *((said,) if is_news(case, said) else ()))
    partner = ground.around.profiles[chosen.partner_id]
    missing = wanted(partner.needs, ground.around.mandates, partner.partner_id, case.creditor_id, ground.as_of)
    if missing:
        told = "; ".join(one.text for one in missing)
        return Turn(facts=(*before, HoldSet(reason=PENDING, note=told)), partner=partner, missing=missing)
    if partner.capacity:  # the next case of this chunk finds it with one case more
        ground.held[partner.partner_id] = ground.held.get(partner.partner_id, 0) + 1
    return Turn(facts=(*before, chosen), partner=partner)


def forbidden(hub: Hub, ground: Ground, case: Case, chosen: Fact) -> HoldSet | DispatchBlocked | None:
    """What the law where the debtor lives has against this hand-over: a wait until its day, or a word to a person."""
    if not isinstance(chosen, RouteChosen) or not checks_steps(hub, case):
        return None
    found = obstacles(
        hub, case, STEP_OF_PROCEDURE[chosen.procedure], ground.as_of, ground.history(case),
        claimed=case.balance.compensation + case.balance.dunning_fees,
    )  # fmt: skip
    if not found:
        return None
    said = "; ".join(f"{one.article}: {one.reason}" for one in found)
    days = [one.allowed_from for one in found]
    if all(days):
        return HoldSet(reason=UNLAWFUL, note=said, until_on=max(filter(None, days)))
    return DispatchBlocked(code=UNLAWFUL, reason=f"{said}. {found[0].cure}")


def _nobody(
    case: Case, missing: RouteMissing, answers: Mapping[tuple[str, str], Assessment], sealed: tuple[Fact, ...]
) -> Turn:
    """No route is free: where a check stops the best one, what it found is asked of whoever can repair it."""
    for (partner_id, _), answer in answers.items():
        stop = reason_to_stop(answer)
        if stop is not None:
            said = noted(answer, HAND_OVER, partner_id)
            facts: tuple[Fact, ...] = (*sealed, *((said,) if is_news(case, said) else ()))
            return Turn(facts=(*facts, DispatchBlocked(code=stop[0], reason=stop[1])), stopped=answer)
    return Turn(facts=(*sealed, missing))


def _seal(case: Case) -> tuple[Fact, ...]:
    """The seal on the part of a holder that had the case and has it no more."""
    last = case.placement
    if last is None or last.sent_at is None or last.is_live or last.placement_id in case.sealed:
        return ()
    return (seal_of(case, last),)
