"""The gate before a court and before enforcement: nothing that costs leaves without the creditor's yes, with a cap.

The yes is an approval with which no proceeding began yet, a proceeding that runs with one, or what the agreed playbook
gives beforehand. Else the creditor is asked, with what the route comparison expects, and the case waits for his answer:
with a yes it leaves by itself; with a no it goes on by a way that costs nothing beforehand, or waits for better times.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import sqlalchemy as sa

from collecthub.engine.cost_limits import answer_by, given_beforehand
from collecthub.model.case import Case
from collecthub.model.event import Fact, HoldSet, RouteChosen, RouteMissing
from collecthub.model.exchange import Procedure
from collecthub.model.facts_human import CostApprovalAsked, ProceedingBegun
from collecthub.model.history_human import APPROVAL_HOLD
from collecthub.model.ids import derived_id
from collecthub.model.proceeding import HOLD_OF, REVIEW_DAYS, ProceedingKind

REFUSED = "the creditor did not allow what it costs"
LOOK_AGAIN = "look at the case again"
# What a procedure may begin with; the first is what the creditor is asked for.
KINDS_OF: Mapping[Procedure, tuple[ProceedingKind, ...]] = {
    Procedure.JUDICIAL: (ProceedingKind.JUDICIAL, ProceedingKind.UNDISPUTED),
    Procedure.ENFORCEMENT: (ProceedingKind.ENFORCEMENT,),
}


def cost_gate(conn: sa.Connection, case: Case, chosen: RouteChosen, as_of: dt.date) -> tuple[Fact, ...]:
    """What comes of the cost of a hand-over: nothing where it is allowed, the question with the yes that was given
    beforehand, or a wait for the creditor's answer as the last fact.
    """
    kinds = KINDS_OF.get(chosen.procedure, ())
    asked = case.proceedings.newest_of(kinds)
    if not kinds or any(case.proceedings.open_of(kind) for kind in kinds) or (asked is not None and asked.is_unspent):
        return ()
    wait = HoldSet(reason=APPROVAL_HOLD, note=f"{chosen.partner_name}: the creditor is asked to allow the cost")
    if asked is not None and asked.decided_at is None:
        return (wait,)
    question = _question(case, chosen, kinds[0], as_of)
    given = given_beforehand(conn, case, question)
    return (question, given) if given is not None else (question, wait)


def _question(case: Case, chosen: RouteChosen, kind: ProceedingKind, as_of: dt.date) -> CostApprovalAsked:
    """What the route comparison expects is the estimate and the cap; where it knows nothing the creditor names the cap."""
    way = next(one for one in chosen.options if (one.route, one.partner_id) == (chosen.route, chosen.partner_id))
    estimate = way.cost if way.cost and way.currency in ("", case.currency) else None
    basis = way.cost_basis or "what it will cost is not known"
    return CostApprovalAsked(
        approval_id=derived_id(case.case_id, str(case.version), "approval"), step=kind, estimate=estimate,
        cap=estimate or Decimal(0), reason=f"{chosen.partner_name}: {chosen.reason}; {basis}",
        answer_by_on=answer_by(as_of),
    )  # fmt: skip


def refused(case: Case, procedure: Procedure) -> str:
    """Why a way that costs is closed: the creditor said no, and nobody chose it or took the case up again since."""
    asked = case.proceedings.newest_of(KINDS_OF.get(procedure, ()))
    if asked is None or asked.decided_at is None or asked.is_given or _is_over(case, asked.decided_at):
        return ""
    return REFUSED


def _is_over(case: Case, said_at: dt.datetime) -> bool:
    wish = case.transfer
    watched = (one for one in case.proceedings.all if one.kind is ProceedingKind.MONITORING and not one.is_open)
    return (wish is not None and wish.asked_at > said_at) or any(
        one.began_on >= said_at.date() and one.moved_on is not None for one in watched
    )


def waits_for_better_times(case: Case, missing: RouteMissing, as_of: dt.date) -> tuple[Fact, ...]:
    """A case that the creditor does not take to court, and that nobody else can take, is watched and looked at again."""
    if not any(one.reason == REFUSED for one in missing.options):
        return ()
    if case.proceedings.open_of(ProceedingKind.MONITORING) is not None:  # somebody ended its hold alone
        return (HoldSet(reason=HOLD_OF[ProceedingKind.MONITORING], note=REFUSED),)
    return (
        ProceedingBegun(
            proceeding_id=derived_id(case.case_id, str(case.version), "proceeding"), proceeding=ProceedingKind.MONITORING,
            began_on=as_of, deadline_on=as_of + dt.timedelta(days=REVIEW_DAYS), deadline_for=LOOK_AGAIN,
        ),
    )  # fmt: skip
