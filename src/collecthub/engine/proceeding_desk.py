"""What people do about court, enforcement and insolvency: ask for the cost, begin, record what happened.

Nothing that costs begins without an approval with a cap and a fresh solvency check. Time limits come from the law of
the creditor's country, counted from the day of the act; where no pack knows one, the deadline stays open and is said.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa

from collecthub.engine.case_law import STEP_OF_PROCEEDING, obstacles_now, told
from collecthub.engine.case_work import change_case, close_tasks
from collecthub.engine.context import Hub, Work
from collecthub.engine.cost_limits import ask_and_give, close_question, committed, cost_limits, running_of
from collecthub.engine.court_costs import UNAPPROVED
from collecthub.engine.desk import case_for, instruction
from collecthub.engine.solvency import score_facts
from collecthub.engine.step_check import checked_for_step
from collecthub.engine.upkeep import read_allowed_again
from collecthub.errors import PermanentError
from collecthub.law.deadline import deadline
from collecthub.model.case import Case
from collecthub.model.event import Fact
from collecthub.model.exchange import InstructionCode
from collecthub.model.facts_human import (
    CostApprovalAsked,
    CostApprovalDecided,
    ProceedingBegun,
    ProceedingMoved,
)
from collecthub.model.ids import derived_id
from collecthub.model.proceeding import (
    COSTLY,
    INSOLVENCIES,
    NAMED_DAYS,
    REVIEW_DAYS,
    TIME_LIMITS,
    WEIGHED_ACTS,
    Approval,
    Proceeding,
    ProceedingKind,
    first_state,
    next_state,
)
from collecthub.model.solvency import Band
from collecthub.store.connections import read_creditor
from collecthub.store.queries.scope import Scope

Limit = tuple[dt.date | None, str]
FREE_WAIT_DAYS = 8  # after the month of the uncontested demand, before the record (Jud. Code 1394/24)


def ask_approval(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, kind: ProceedingKind, estimate: Decimal, cap: Decimal, reason: str,
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Ask the creditor to allow a costly step, with what it is expected to cost and the most it may.

    What his playbook gives beforehand is allowed at once.
    """
    case = case_for(work, scope, case_id, expected_version)
    if kind not in COSTLY or not 0 < estimate <= cap:
        raise PermanentError(
            f"an estimate of {estimate} with a cap of {cap} for {kind.value} cannot be approved",
            cure="Ask for judicial, undisputed or enforcement, with an estimate above nought and at most the cap.",
        )
    fact = CostApprovalAsked(
        approval_id=derived_id(case.case_id, str(case.version), "approval"), step=kind, estimate=estimate, cap=cap,
        reason=reason,
    )  # fmt: skip
    asked = ask_and_give(hub, work, case, fact, actor=scope.subject)
    if asked.proceedings.approvals[-1].is_given:
        read_allowed_again(work, case_id, UNAPPROVED, scope.subject)
    return asked


def decide_approval(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, is_given: bool, cap: Decimal | None = None, reason: str = "",
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Allow or refuse the step that was asked for last; a lower cap may be set. Beyond the playbook's cap only with a reason,
    and so does whoever enters it for the creditor.

    It is for one proceeding: one that runs may cost so much more, else the next one of its kind begins with it.
    """
    case = case_for(work, scope, case_id, expected_version)
    asked = next((one for one in reversed(case.proceedings.approvals) if one.decided_at is None), None)
    if asked is None:
        raise PermanentError(f"no approval is waited for in case {case.number}", cure="Ask for one first.")
    if scope.creditor_id is None and not reason.strip():
        raise PermanentError("it is the creditor who allows or refuses", cure="Say in the reason who at the creditor said so, and when.")
    allowed = _cap_of(asked, cap, is_given=is_given)
    limits, already = cost_limits(work.conn, case), committed(case)
    if is_given and limits.is_beyond(already, allowed) and not reason.strip():
        raise PermanentError(
            f"{allowed} beside {already} is above the {limits.case_cap} that the playbook gives a case",
            cure="Allow less, or give the reason why it is right here.",
        )
    fact = CostApprovalDecided(
        approval_id=asked.approval_id, is_given=is_given, cap=allowed, reason=reason,
        proceeding_id=running_of(case, asked.kind) if is_given else "",
    )  # fmt: skip
    told = _told_holder(case, asked, allowed if is_given else None, reason)
    changed = change_case(hub, work, case, [fact, *told], actor=scope.subject)
    close_question(work, case_id, asked.reason, done_by=scope.subject)
    if is_given:
        read_allowed_again(work, case_id, UNAPPROVED, scope.subject)
    return changed


def _cap_of(asked: Approval, cap: Decimal | None, *, is_given: bool) -> Decimal:
    """The most that a decision allows. Where nobody knew what the step will cost, it names that itself."""
    if asked.estimate is None:
        if is_given and not cap:
            raise PermanentError("what the step will cost is not known", cure="Say what it may cost at most.")
        return cap or Decimal(0)
    allowed = asked.cap if cap is None else cap
    if not 0 <= allowed <= asked.cap:
        raise PermanentError(f"{allowed} is above the cap of {asked.cap}", cure="Allow at most what was asked for.")
    return allowed


def _told_holder(case: Case, asked: Approval, allowed: Decimal | None, reason: str) -> list[Fact]:
    """Whoever charged the cost hears what was decided on it, by its own reference."""
    if not asked.cost_ref or case.placement is None or not case.placement.is_out:
        return []
    code = InstructionCode.COST_REFUSED if allowed is None else InstructionCode.COST_APPROVED
    said = [f"{asked.cost_ref}: {asked.cap if allowed is None else allowed} {case.currency}", reason]
    return [instruction(case, code, ". ".join(filter(None, said)))]


def begin_proceeding(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, kind: ProceedingKind, began_on: dt.date | None = None,
    authority: str = "", reference: str = "", due_on: dt.date | None = None, approval_id: str = "",
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Open a proceeding as a child of the case. What costs needs its approval and a fresh solvency check first.

    `due_on` is the time limit that the court itself set, which goes before the general one of the law. `approval_id` is
    what it begins with; the newest that no proceeding began with by default.
    """
    case = case_for(work, scope, case_id, expected_version)
    if not case.is_open:
        raise PermanentError(f"case {case.number} is closed", cure="Ask the operator to open it again.")
    if case.proceedings.open_of(kind) is not None:
        raise PermanentError(f"a proceeding of this kind runs in case {case.number}", cure="Record what happened in it.")
    today = work.now.date()
    started = began_on or today
    approval: Approval | None = None
    if kind in COSTLY:
        case = _looked_into(hub, work, scope, case, f"before the {kind.value} step")
        approval = _allowed(case, kind, today, approval_id)
        for obstacle in obstacles_now(hub, work.conn, case, STEP_OF_PROCEEDING[kind], claimed=_beside_principal(case)):
            raise PermanentError(told(obstacle), cure=obstacle.cure)
        case = checked_for_step(hub, work, case, kind, actor=scope.subject)
    limit = _named(first_state(kind), started, due_on) or _limit(hub, work.conn, case, kind, first_state(kind), started)
    fact = ProceedingBegun(
        proceeding_id=derived_id(case.case_id, str(case.version), "proceeding"), proceeding=kind, began_on=started,
        authority=authority, reference=reference, deadline_on=limit[0], deadline_for=limit[1],
        cost_cap=approval.cap if approval else None, approval_id=approval.approval_id if approval else "",
    )  # fmt: skip
    return change_case(hub, work, case, [fact], actor=scope.subject)


def _beside_principal(case: Case) -> Decimal:
    """What is asked beside the principal, costs of acts apart."""
    return case.balance.interest + case.balance.compensation + case.balance.dunning_fees


def _looked_into(hub: Hub, work: Work, scope: Scope, case: Case, occasion: str) -> Case:
    """Every costly step is weighed anew: the sources are asked and the score is made, both logged with the step."""
    try:
        facts = score_facts(hub, work.conn, case, occasion)
    except PermanentError:
        return case  # nobody scores here: a check that is fresh must be on file
    return change_case(hub, work, case, facts, actor=scope.subject)


def _allowed(case: Case, kind: ProceedingKind, on: dt.date, approval_id: str) -> Approval:
    """The approval that the step begins with. Raises `PermanentError` with what is missing before the step may cost anything."""
    approval = case.proceedings.approval_for(kind, approval_id)
    if approval is None:
        raise PermanentError(
            f"the creditor has not allowed the cost of a {kind.value} step in case {case.number}",
            cure="Ask him for an approval with an estimate and a cap; each is for one proceeding.",
        )
    if case.solvency.contested:
        raise PermanentError(
            f"the debtor of case {case.number} contests his score", cure="Answer him first: keep the score or overrule it."
        )
    if not case.solvency.is_checked(on):
        raise PermanentError(
            f"no fresh solvency check is logged in case {case.number}", cure="Run `collecthub case score` first."
        )
    if any(one.is_open for one in case.objections.disputes) and kind is ProceedingKind.UNDISPUTED:
        raise PermanentError(
            f"case {case.number} is disputed: the undisputed procedure is closed (Jud. Code 1394/20)",
            cure="Decide the dispute, or summon before the court.",
        )
    if case.solvency.band is Band.INSOLVENT:
        raise PermanentError(
            f"the debtor of case {case.number} is scored insolvent",
            cure="File the claim instead, or overrule the score with a reason.",
        )
    if any(one.is_open and one.kind in INSOLVENCIES for one in case.proceedings.all):
        raise PermanentError(f"the debtor of case {case.number} is insolvent", cure="File the claim instead.")
    if kind is ProceedingKind.UNDISPUTED and case.segment != "B2B":
        raise PermanentError(
            "the undisputed procedure is open between companies only (Jud. Code 1394/20)", cure="Summon before the court."
        )
    return approval


def move_proceeding(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, proceeding_id: str, act: str, acted_on: dt.date | None = None,
    note: str = "", amount: Decimal | None = None, cost: Decimal = Decimal(0), due_on: dt.date | None = None,
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Record an act of a proceeding; `due_on` is the day that was named with it: of the hearing, the sale, the next payment.
    An act that costs, and a look at a case that waits, is weighed anew, where that was not done for it already.

    Raises `PermanentError` when the act cannot follow, comes too soon or costs too much.
    """
    case = case_for(work, scope, case_id, expected_version)
    one = case.proceedings.of(proceeding_id)
    if one is None:
        raise PermanentError(f"case {case.number} has no proceeding {proceeding_id[:40]!r}", cure="Read the case again.")
    state = next_state(one.kind, one.state, act)
    day = acted_on or work.now.date()
    _check_order(one, act, day)
    if cost < 0 or one.cost_cap is not None and one.cost_spent + cost > one.cost_cap:
        raise PermanentError(
            f"{cost} would bring the cost to {one.cost_spent + cost}, above the cap of {one.cost_cap}",
            cure="Ask the creditor for another approval before it is spent.",
        )
    if act in WEIGHED_ACTS[one.kind] and not case.solvency.is_weighed(work.now.date()):
        case = _looked_into(hub, work, scope, case, f"before {act.replace('_', ' ')}")
    limit = _named(state, day, due_on) or _limit(hub, work.conn, case, one.kind, state, day)
    fact = ProceedingMoved(
        proceeding_id=proceeding_id, act=act, state=state, acted_on=day, note=note, amount=amount, cost=cost,
        deadline_on=limit[0], deadline_for=limit[1],
    )  # fmt: skip
    changed = change_case(hub, work, case, [fact], actor=scope.subject)
    if act == "file_claim":
        close_tasks(work, done_by=scope.subject, case_id=case_id, kind="file_claim")
    return changed


def _check_order(one: Proceeding, act: str, day: dt.date) -> None:
    if day < one.began_on:
        raise PermanentError(f"{day} lies before the proceeding began on {one.began_on}", cure="Correct the day.")
    if one.kind is ProceedingKind.UNDISPUTED and act == "record" and one.deadline_on is not None:
        earliest = one.deadline_on + dt.timedelta(days=FREE_WAIT_DAYS)
        if day < earliest:
            raise PermanentError(
                f"the record of non-contestation is possible from {earliest} on: a month and eight days after the demand",
                cure="Wait until then (Jud. Code 1394/24).",
            )


def _named(state: str, day: dt.date, due_on: dt.date | None) -> Limit | None:
    """The time limit that somebody with the power to do so has named; it goes before the general one."""
    if due_on is None:
        return None
    if due_on < day:
        raise PermanentError(f"{due_on} lies before the act of {day} that names it", cure="Correct the day.")
    return due_on, NAMED_DAYS.get(state, "the day that was named")


def _limit(
    hub: Hub, conn: sa.Connection, case: Case, kind: ProceedingKind, state: str, day: dt.date
) -> Limit:
    """The time limit that a state opens, with its title; no day where no country pack knows one."""
    if kind is ProceedingKind.MONITORING:
        return (day + dt.timedelta(days=REVIEW_DAYS), "look at the case again") if state == "watching" else (None, "")
    event = TIME_LIMITS.get((kind, state))
    if event is None:
        return None, ""
    creditor = read_creditor(conn, case.creditor_id)
    home = creditor.party.country if creditor else ""
    try:
        law = hub.plugins.country_law(case.debtor.country)
        found = deadline(law, event, day, segment=case.segment, actor_country=home)
    except PermanentError:
        return None, f"the time limit {event} of {case.debtor.country or 'an unknown country'} is not known: ask"
    return found.deadline_on, found.title
