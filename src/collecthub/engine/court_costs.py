"""What a holder charges for a court or for enforcement is booked against what the creditor allowed for it.

Without room for it the creditor is asked, with the amount as estimate and cap, and the cost waits in quarantine: no such
cost enters a case, and nobody is asked to pay it, before his yes. What his playbook gives beforehand needs no question.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from collecthub.engine.context import Hub, Work
from collecthub.engine.cost_limits import ask_and_give
from collecthub.engine.partner_costs import is_amicable
from collecthub.errors import QuarantineError
from collecthub.model.case import Case
from collecthub.model.codes import Phase
from collecthub.model.event import CostReported, Fact
from collecthub.model.exchange import Procedure
from collecthub.model.facts_human import CostApprovalAsked
from collecthub.model.ids import derived_id
from collecthub.model.proceeding import ProceedingKind

UNAPPROVED = "record.cost_unapproved"
OWN_FEE = "collection_fee"  # what a holder asks for collecting is agreed in his contract


def within_allowance(hub: Hub, work: Work, case: Case, facts: Sequence[Fact]) -> tuple[Case, Sequence[Fact]]:
    """The case and the facts of a message, its cost with what allows it. Raises `QuarantineError` where nothing does yet."""
    cost = next((fact for fact in facts if isinstance(fact, CostReported) and _is_of_court(case, fact)), None)
    if cost is None:
        return case, facts
    case, allowed_by = _allowed(hub, work, case, cost)
    return case, [replace(fact, allowed_by=allowed_by) if fact is cost else fact for fact in facts]


def _allowed(hub: Hub, work: Work, case: Case, fact: CostReported) -> tuple[Case, str]:
    cost, what = fact.amount + fact.tax_amount, fact.cost_type.replace("_", " ")
    bearer = case.proceedings.bearer_of(cost, fact.cost_ref)
    if not bearer and case.proceedings.approval_of_cost(fact.cost_ref) is None:
        asked = CostApprovalAsked(
            approval_id=derived_id(case.case_id, fact.cost_ref, "approval"), step=_kind(case), estimate=cost, cap=cost,
            reason=f"the holder charges {cost} {case.currency} for {what}: {fact.cost_ref}", cost_ref=fact.cost_ref,
        )  # fmt: skip
        case = ask_and_give(hub, work, case, asked, actor="hub")
        bearer = case.proceedings.bearer_of(cost, fact.cost_ref)
    if not bearer:
        raise QuarantineError(
            f"cost {fact.cost_ref} of {cost} {case.currency} for {what} is not booked: {_why(case, fact.cost_ref)}",
            code=UNAPPROVED, reference=case.number, cure="It is booked by itself as soon as the creditor allows it.",
        )
    return case, bearer


def _is_of_court(case: Case, fact: CostReported) -> bool:
    return fact.amount + fact.tax_amount > 0 and fact.cost_type != OWN_FEE and not is_amicable(case)


def _kind(case: Case) -> ProceedingKind:
    procedure = case.placement.procedure if case.placement is not None else Procedure.AMICABLE
    is_enforced = procedure is Procedure.ENFORCEMENT or case.phase is Phase.ENFORCEMENT
    return ProceedingKind.ENFORCEMENT if is_enforced else ProceedingKind.JUDICIAL


def _why(case: Case, cost_ref: str) -> str:
    asked = case.proceedings.approval_of_cost(cost_ref)
    if asked is None or asked.decided_at is None:
        return "the creditor is asked to allow it"
    return f"the creditor allowed {asked.cap} at most" if asked.is_given else "the creditor did not allow it"
