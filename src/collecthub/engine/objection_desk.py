"""What people do about objections: disputes with evidence, complaints, reasons, hardship, referrals.

Inside the caller's transaction, with the scope of whoever asks, as everything in `collecthub.engine.desk`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from collecthub.engine.case_work import change_case, close_tasks
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for
from collecthub.engine.solvency import score_facts
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.contact_outcome import ANSWER
from collecthub.model.event import Fact, HoldReleased, HoldSet
from collecthub.model.facts_human import (
    ComplaintAnswered,
    ComplaintFiled,
    DisputeDecided,
    DisputeRaised,
    EvidenceAsked,
    EvidenceGiven,
    HardshipFound,
    NonPaymentExplained,
    ReferralMade,
)
from collecthub.model.human_tasks import NEXT_STEPS
from collecthub.model.ids import derived_id
from collecthub.model.money import round_amount
from collecthub.model.objection import (
    COMPLAINT_DAYS,
    EVIDENCE_DAYS,
    REST_DAYS,
    RESTING,
    Complaint,
    Dispute,
    DisputeState,
    Hardship,
    NonPayment,
)
from collecthub.store.queries.scope import Scope


def raise_dispute(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, ground: str, claim_id: str = "", amount: Decimal | None = None,
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """A claim or the whole case is disputed, in part or in full. The undisputed rest goes on; a holder hears it."""
    case = _open(case_for(work, scope, case_id, expected_version))
    most = _disputable(case, claim_id)
    disputed = most if amount is None else amount
    if disputed <= 0 or disputed > most or disputed != round_amount(disputed, case.currency):
        raise PermanentError(
            f"{disputed} {case.currency} cannot be disputed: {most} {case.currency} is open and undisputed there",
            cure="Enter at most that, in the currency's decimals.",
        )
    fact = DisputeRaised(
        dispute_id=derived_id(case.case_id, str(case.version), "dispute"), claim_id=claim_id, amount=disputed, ground=ground
    )
    raised = change_case(hub, work, case, [fact, *_no_longer_rests(case)], actor=scope.subject)
    close_tasks(work, done_by=scope.subject, case_id=case_id, kind="ask_ground")
    return raised


def _open(case: Case) -> Case:
    if not case.is_open:
        raise PermanentError(f"case {case.number} is closed", cure="Ask the operator to open it again.")
    return case


def _disputable(case: Case, claim_id: str) -> Decimal:
    if not claim_id:
        return max(case.demanded, Decimal(0))
    claim = case.claim(claim_id)
    if claim is None:
        raise PermanentError(
            f"case {case.number} has no claim {claim_id[:40]!r}", cure="Choose one of its invoices, or the whole case."
        )
    credited = case.balance.credits + case.balance.write_offs
    already = sum((one.withheld(credited) for one in case.objections.disputes if one.claim_id == claim_id), Decimal(0))
    return max(min(claim.open_amount - already, case.demanded), Decimal(0))


def _dispute(case: Case, dispute_id: str) -> Dispute:
    found = next((one for one in case.objections.disputes if one.dispute_id == dispute_id), None)
    if found is None or not found.is_open:
        raise PermanentError(
            f"case {case.number} has no open dispute {dispute_id[:40]!r}", cure="Read the case again; it may be decided."
        )
    return found


def ask_evidence(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, dispute_id: str, what: str, expected_version: int | None = None
) -> Case:
    """Ask the creditor for what proves the claim, within two weeks."""
    case = case_for(work, scope, case_id, expected_version)
    _dispute(case, dispute_id)
    due_on = work.now.date() + dt.timedelta(days=EVIDENCE_DAYS)
    return change_case(
        hub, work, case, [EvidenceAsked(dispute_id=dispute_id, what=what, due_on=due_on)], actor=scope.subject
    )


def give_evidence(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, dispute_id: str, text: str, document_id: str = "",
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Evidence on a dispute, of either side; a document was added to the case before."""
    case = case_for(work, scope, case_id, expected_version)
    _dispute(case, dispute_id)
    given = EvidenceGiven(dispute_id=dispute_id, text=text, document_id=document_id)
    changed = change_case(hub, work, case, [given], actor=scope.subject)
    close_tasks(work, done_by=scope.subject, case_id=case_id, kind="evidence")
    return changed


def decide_dispute(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, dispute_id: str, decision: DisputeState, reason: str,
    upheld: Decimal | None = None, expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Who is right. What the debtor is right about stays out until the creditor credits it."""
    case = case_for(work, scope, case_id, expected_version)
    dispute = _dispute(case, dispute_id)
    right = {DisputeState.UPHELD: dispute.amount, DisputeState.REJECTED: Decimal(0), DisputeState.TO_COURT: Decimal(0)}
    part = right.get(decision, upheld)
    if part is None or not 0 <= part <= dispute.amount or decision is DisputeState.PARTLY and part in (0, dispute.amount):
        raise PermanentError(
            f"of {dispute.amount} {case.currency} disputed, it is not said how much the debtor is right about",
            cure="Enter an amount between nought and that.",
        )
    decided = DisputeDecided(dispute_id=dispute_id, decision=decision, upheld=part, reason=reason)
    changed = change_case(hub, work, case, [decided], actor=scope.subject)
    for kind in ("dispute", "evidence", "dispute_decision"):
        close_tasks(work, done_by=scope.subject, case_id=case_id, kind=kind)
    return changed


def file_complaint(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, text: str, expected_version: int | None = None
) -> Case:
    """A complaint about how collection is done: the case rests until it is answered."""
    case = _open(case_for(work, scope, case_id, expected_version))
    fact = ComplaintFiled(
        complaint_id=derived_id(case.case_id, str(case.version), "complaint"), text=text,
        answer_by_on=work.now.date() + dt.timedelta(days=COMPLAINT_DAYS),
    )  # fmt: skip
    return change_case(hub, work, case, [fact], actor=scope.subject)


def answer_complaint(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, text: str, complaint_id: str = "",
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Answer a complaint, the oldest open one by default."""
    case = case_for(work, scope, case_id, expected_version)
    found: Complaint | None = next(
        (one for one in case.objections.complaints if one.answered_at is None and complaint_id in ("", one.complaint_id)),
        None,
    )
    if found is None:
        raise PermanentError(f"case {case.number} has no open complaint", cure="Read the case again.")
    fact = ComplaintAnswered(complaint_id=found.complaint_id, text=text)
    changed = change_case(hub, work, case, [fact], actor=scope.subject)
    close_tasks(work, done_by=scope.subject, case_id=case_id, kind="complaint")
    return changed


def explain_non_payment(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, reason: NonPayment, note: str = "",
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Why the debtor does not pay; the next step follows from it.

    Who cannot, disagrees or never received the invoice is not asked again for two weeks, in which a person proposes a
    plan, asks what is wrong or has it sent again. Who will not is weighed anew at once, and nothing waits for him.
    """
    case = _open(case_for(work, scope, case_id, expected_version))
    case = change_case(hub, work, case, [NonPaymentExplained(reason=reason, note=note)], actor=scope.subject)
    if reason in RESTING:
        until_on = work.now.date() + dt.timedelta(days=REST_DAYS)
        rest = HoldSet(reason=ANSWER, note=NEXT_STEPS[reason][2], until_on=until_on)
        return change_case(hub, work, case, [rest], actor=scope.subject)
    weighed = _weighed(hub, work, case) if reason is NonPayment.WILL_NOT else []
    return change_case(hub, work, case, weighed, actor=scope.subject) if weighed else case


def _weighed(hub: Hub, work: Work, case: Case) -> list[Fact]:
    """A fresh look into what somebody can pay who will not, and the end of waiting for his answer."""
    rests = [HoldReleased(reason=ANSWER, note="he can pay and will not")] if case.held_for(ANSWER) else []
    try:
        return [*rests, *score_facts(hub, work.conn, case, "because he will not pay")]
    except PermanentError:
        return [*rests]  # nobody scores here


def _no_longer_rests(case: Case) -> list[Fact]:
    """What he disagrees with is known now: the undisputed rest goes on."""
    return [HoldReleased(reason=ANSWER, note="the dispute is recorded")] if case.held_for(ANSWER) else []


def find_hardship(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, hardship: Hardship, note: str = "",
    until_on: dt.date | None = None, expected_version: int | None = None,
) -> Case:  # fmt: skip
    """The debtor is protected: everything stops at once, a holder is told to pause."""
    case = _open(case_for(work, scope, case_id, expected_version))
    if until_on is not None and until_on <= work.now.date():
        raise PermanentError(f"{until_on} is over already", cure="Enter a later day or leave it empty.")
    fact = HardshipFound(hardship=hardship, note=note, until_on=until_on)
    return change_case(hub, work, case, [fact], actor=scope.subject)


def make_referral(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, service: str, note: str = "", expected_version: int | None = None
) -> Case:
    """The debtor was shown the way to social, legal or debt help, or to a mediator."""
    case = case_for(work, scope, case_id, expected_version)
    changed = change_case(hub, work, case, [ReferralMade(service=service, note=note)], actor=scope.subject)
    close_tasks(work, done_by=scope.subject, case_id=case_id, kind="hardship")
    return changed
