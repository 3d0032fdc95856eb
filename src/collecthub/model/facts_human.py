"""Facts of the human part: scores and checks, plans, disputes and complaints, proceedings."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from collecthub.model.contact import Channel
from collecthub.model.fact import FactBase
from collecthub.model.objection import DisputeState, Hardship, NonPayment
from collecthub.model.plan import Instalment
from collecthub.model.proceeding import ProceedingKind
from collecthub.model.solvency import Band, Score, SolvencyCheck

# --- who can pay ------------------------------------------------------------------------------------


class DebtorScored(FactBase, frozen=True, kw_only=True, tag="debtor_scored"):
    score: Score


class ScoreOverruled(FactBase, frozen=True, kw_only=True, tag="score_overruled"):
    band: Band
    reason: str


class ScoreContested(FactBase, frozen=True, kw_only=True, tag="score_contested"):
    """The debtor does not accept how he was scored; a person looks at it and answers."""

    text: str
    answer_by_on: dt.date | None = None


class ContestAnswered(FactBase, frozen=True, kw_only=True, tag="contest_answered"):
    """A person looked at it and keeps the score; overruling it answers as well. The debtor reads the text."""

    text: str


class SolvencyChecked(FactBase, frozen=True, kw_only=True, tag="solvency_checked"):
    check: SolvencyCheck


# --- payment plans ----------------------------------------------------------------------------------


class PlanProposed(FactBase, frozen=True, kw_only=True, tag="plan_proposed"):
    """`proposed_by` is debtor, creditor or operator; `exceeded` is why a person must decide."""

    plan_id: str
    proposed_by: str
    instalments: tuple[Instalment, ...]
    exceeded: tuple[str, ...] = ()
    note: str = ""


class PlanAgreed(FactBase, frozen=True, kw_only=True, tag="plan_agreed"):
    """`agreements` is everything that was agreed, sentence by sentence; `reason` is why limits were exceeded."""

    plan_id: str
    agreements: tuple[str, ...]
    reason: str = ""


class PlanRefused(FactBase, frozen=True, kw_only=True, tag="plan_refused"):
    plan_id: str
    reason: str


class InstalmentMet(FactBase, frozen=True, kw_only=True, tag="instalment_met"):
    plan_id: str
    number: int
    amount: Decimal


class InstalmentReversed(FactBase, frozen=True, kw_only=True, tag="instalment_reversed"):
    """A payment that had met it was taken back."""

    plan_id: str
    number: int


class InstalmentMissed(FactBase, frozen=True, kw_only=True, tag="instalment_missed"):
    """It was not paid in time; the reminder that follows is free of charge."""

    plan_id: str
    number: int
    due_on: dt.date
    missing: Decimal


class PlanHalfway(FactBase, frozen=True, kw_only=True, tag="plan_halfway"):
    """Half is paid: a word of encouragement goes to the debtor."""

    plan_id: str
    paid: Decimal


class PlanStatementDue(FactBase, frozen=True, kw_only=True, tag="plan_statement_due"):
    """The last instalment is near: the debtor gets the overview and the detailed settlement."""

    plan_id: str
    last_due_on: dt.date
    remaining: Decimal


class PlanMessageSent(FactBase, frozen=True, kw_only=True, tag="plan_message_sent"):
    """The debtor was told of his plan: confirmed, reminded free of charge, encouraged, or sent the settlement."""

    contact_id: str
    plan_id: str
    step: str
    channel: Channel
    language: str
    sha256: str  # of the words, kept as evidence
    receipt_ref: str = ""
    tells_of_data: bool = False  # it says who holds the debtor's data (GDPR art. 14)


class PlanBroken(FactBase, frozen=True, kw_only=True, tag="plan_broken"):
    plan_id: str
    reason: str
    decide_by_on: dt.date


class PlanCompleted(FactBase, frozen=True, kw_only=True, tag="plan_completed"):
    plan_id: str


class PlanEnded(FactBase, frozen=True, kw_only=True, tag="plan_ended"):
    """A person ended the plan; collection goes on."""

    plan_id: str
    reason: str


# --- objections -------------------------------------------------------------------------------------


class DisputeRaised(FactBase, frozen=True, kw_only=True, tag="dispute_raised"):
    """An empty `claim_id` disputes the whole case."""

    dispute_id: str
    claim_id: str = ""
    amount: Decimal
    ground: str


class EvidenceAsked(FactBase, frozen=True, kw_only=True, tag="evidence_asked"):
    dispute_id: str
    what: str
    due_on: dt.date


class EvidenceGiven(FactBase, frozen=True, kw_only=True, tag="evidence_given"):
    dispute_id: str
    text: str
    document_id: str = ""


class DisputeDecided(FactBase, frozen=True, kw_only=True, tag="dispute_decided"):
    """`upheld` is the part in which the debtor is right: it stays out until the creditor credits it."""

    dispute_id: str
    decision: DisputeState
    upheld: Decimal
    reason: str


class ComplaintFiled(FactBase, frozen=True, kw_only=True, tag="complaint_filed"):
    complaint_id: str
    text: str
    answer_by_on: dt.date


class ComplaintAnswered(FactBase, frozen=True, kw_only=True, tag="complaint_answered"):
    complaint_id: str
    text: str


class NonPaymentExplained(FactBase, frozen=True, kw_only=True, tag="non_payment_explained"):
    """Why the debtor does not pay, as he or a caller said."""

    reason: NonPayment
    note: str = ""


class HardshipFound(FactBase, frozen=True, kw_only=True, tag="hardship_found"):
    """The debtor is protected; everything stops at once."""

    hardship: Hardship
    note: str = ""
    until_on: dt.date | None = None


class ReferralMade(FactBase, frozen=True, kw_only=True, tag="referral_made"):
    """The debtor was shown the way to social, legal or debt help, or to a mediator."""

    service: str
    note: str = ""


# --- proceedings ------------------------------------------------------------------------------------


class CostApprovalAsked(FactBase, frozen=True, kw_only=True, tag="cost_approval_asked"):
    """With a `cost_ref` it is one cost that a holder charges, and for that alone. Without an estimate nobody knows what
    it will cost, and whoever allows it names the cap.
    """

    approval_id: str
    step: ProceedingKind
    estimate: Decimal | None
    cap: Decimal
    reason: str
    cost_ref: str = ""
    answer_by_on: dt.date | None = None


class CostApprovalDecided(FactBase, frozen=True, kw_only=True, tag="cost_approval_decided"):
    """`proceeding_id` is the one that ran already when this was asked: what is allowed adds to its cap."""

    approval_id: str
    is_given: bool
    cap: Decimal
    reason: str = ""
    proceeding_id: str = ""


class ProceedingBegun(FactBase, frozen=True, kw_only=True, tag="proceeding_begun"):
    """`approval_id` is what the creditor allowed for it; no other proceeding begins with it."""

    proceeding_id: str
    proceeding: ProceedingKind
    began_on: dt.date
    authority: str = ""
    reference: str = ""
    deadline_on: dt.date | None = None
    deadline_for: str = ""
    cost_cap: Decimal | None = None
    approval_id: str = ""


class ProceedingMoved(FactBase, frozen=True, kw_only=True, tag="proceeding_moved"):
    """An act was done or heard of; `state` is where it led. `cost` is what it cost the creditor's side."""

    proceeding_id: str
    act: str
    state: str
    acted_on: dt.date
    note: str = ""
    amount: Decimal | None = None  # a judgment's, dividend's or sale's money as stated; booked when it is seen
    cost: Decimal = Decimal(0)
    deadline_on: dt.date | None = None
    deadline_for: str = ""


HumanFact = (
    DebtorScored
    | ScoreOverruled
    | ScoreContested
    | ContestAnswered
    | SolvencyChecked
    | PlanProposed
    | PlanAgreed
    | PlanRefused
    | InstalmentMet
    | InstalmentReversed
    | InstalmentMissed
    | PlanHalfway
    | PlanStatementDue
    | PlanMessageSent
    | PlanBroken
    | PlanCompleted
    | PlanEnded
    | DisputeRaised
    | EvidenceAsked
    | EvidenceGiven
    | DisputeDecided
    | ComplaintFiled
    | ComplaintAnswered
    | NonPaymentExplained
    | HardshipFound
    | ReferralMade
    | CostApprovalAsked
    | CostApprovalDecided
    | ProceedingBegun
    | ProceedingMoved
)
