"""What a person must do because of a fact: one table, so that nothing of the human part waits unseen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from collecthub.model import facts_human as fh
from collecthub.model.contact import BELOW_MINIMUM, BY_PEOPLE, Channel
from collecthub.model.event import CaseEvent, DispatchBlocked, HoldSet
from collecthub.model.facts_contact import ContactLimitReached, ContactQueued
from collecthub.model.objection import DisputeState, NonPayment
from collecthub.model.proceeding import INSOLVENCIES, ProceedingKind


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """A task in the making."""

    kind: str
    owner: str
    title: str
    detail: str = ""
    job: str = ""  # a job of the runner that does it without anybody, if it can
    due_on: dt.date | None = None  # when it is late, where a day is known


WAITING_CHECK, CHECK_JOB = "solvency_check", "check_before_court"
SCORE_JOB = "score"  # the job that scores what was opened
CLAIM_FILES = "claim_files"  # the job that makes what is filed
UNCHECKED = "solvency_unchecked"
APPROVAL = "approval"
# What is asked so that a case can go on; with its end nobody needs to answer any more.
MOOT_AT_THE_END = (
    "feasibility", "unroutable", "unlawful_step", "limitation_near", "claim_nature", "no_channel", WAITING_CHECK, UNCHECKED,
    "write_off", BELOW_MINIMUM, APPROVAL,
)  # fmt: skip


# The reason why somebody does not pay -> kind of task, whose it is, and the next step.
NEXT_STEPS: Mapping[NonPayment, tuple[str, str, str]] = {
    NonPayment.CANNOT: ("propose_plan", "operator", "cannot pay: find out what is possible, propose a plan or refer to help"),
    NonPayment.WILL_NOT: ("next_step", "operator", "can pay and will not: check solvency, then take the next step"),
    NonPayment.DISAGREES: ("ask_ground", "operator", "does not agree: ask what with, and record the dispute"),
    NonPayment.NEVER_RECEIVED: ("send_again", "creditor", "never received the invoice: send it again with a new date"),
    NonPayment.ALREADY_PAID: ("find_payment", "creditor", "says that he paid: look for the payment, ask for the proof"),
}


def _explained(fact: fh.NonPaymentExplained) -> Need:
    kind, owner, title = NEXT_STEPS[fact.reason]
    return Need(kind=kind, owner=owner, title=title, detail=fact.note)


def _proposed(fact: fh.PlanProposed) -> Need | None:
    if fact.proposed_by != "debtor" and not fact.exceeded:
        return None
    count, detail = len(fact.instalments), "; ".join(fact.exceeded) or fact.note
    return Need(
        kind="plan_proposed", owner="operator", title=f"a plan of {count} instalments waits for a decision",
        detail=detail or fact.plan_id,
    )  # fmt: skip


def _decided(fact: fh.DisputeDecided) -> Need | None:
    if fact.decision not in (DisputeState.UPHELD, DisputeState.PARTLY):
        return None
    return Need(kind="credit_note", owner="creditor", title=f"credit {fact.upheld}: the debtor is right", detail=fact.reason)


# What is done beside the claim, right at the beginning of an insolvency.
_FIRST: Mapping[ProceedingKind, str] = {
    ProceedingKind.BANKRUPTCY: "; see the inventory right after the declaration, and claim goods that are yours before it closes",
    ProceedingKind.REORGANISATION: "; check the amount that the debtor listed, and claim goods that are yours",
    ProceedingKind.COLLECTIVE_SETTLEMENT: "; the claim goes to the mediator, and nothing more is said to the debtor",
}


def _cost_question(fact: fh.CostApprovalAsked) -> str:
    if fact.estimate is None:
        return f"allow the {fact.step.value} step, and up to what cost? What it will cost is not known"
    return f"allow up to {fact.cap} for the {fact.step.value} step?"


def _begun(fact: fh.ProceedingBegun) -> Need | None:
    if fact.proceeding not in INSOLVENCIES:
        return None
    by = f"by {fact.deadline_on}" if fact.deadline_on else "in time; the time limit is not known, ask"
    return Need(
        kind="file_claim", owner="operator", title=f"file the claim {by}, with its enclosures",
        detail=f"{fact.proceeding.value} {fact.authority} {fact.reference}".strip() + _FIRST[fact.proceeding],
        job=CLAIM_FILES, due_on=fact.deadline_on,
    )  # fmt: skip


def _blocked(fact: DispatchBlocked) -> Need | None:
    if fact.code != UNCHECKED:
        return None
    return Need(
        kind=WAITING_CHECK, owner="operator", title="look into the debtor's solvency before the judicial phase",
        job=CHECK_JOB,
    )  # fmt: skip


def _by_people(fact: ContactQueued) -> Need | None:
    if fact.channel not in BY_PEOPLE:
        return None
    what = "call the debtor" if fact.channel is Channel.PHONE else "visit the debtor"
    return Need(kind=f"contact:{fact.contact_id}", owner="operator", title=f"{what}: {fact.step}", detail=fact.tone.value)


def _held(fact: HoldSet) -> Need | None:
    if fact.reason != BELOW_MINIMUM:
        return None
    return Need(
        kind=BELOW_MINIMUM, owner="operator", title="below every minimum: write it off, or say what to do",
        detail=f"{fact.note}. To hand it over, end the hold.",
    )  # fmt: skip


_NEEDS: Mapping[type, Callable[[Any], Need | None]] = {
    fh.PlanProposed: _proposed,
    fh.PlanAgreed: lambda fact: Need(
        kind="plan_confirmation", owner="operator", title="confirm the plan with all agreements", detail=fact.plan_id
    ),
    fh.InstalmentMissed: lambda fact: Need(
        kind="plan_reminder", owner="operator", title=f"remind of instalment {fact.number}, free of charge",
        detail=f"{fact.missing} since {fact.due_on}",
    ),
    fh.PlanHalfway: lambda fact: Need(
        kind="plan_encouragement", owner="operator", title="half of the plan is paid: say so to the debtor",
        detail=f"{fact.paid} paid",
    ),
    fh.PlanStatementDue: lambda fact: Need(
        kind="plan_statement", owner="operator", title="send overview and settlement before the last instalment",
        detail=f"{fact.remaining} until {fact.last_due_on}",
    ),
    fh.PlanBroken: lambda fact: Need(
        kind="plan_broken", owner="operator", title=f"the plan is broken: decide by {fact.decide_by_on}",
        detail=fact.reason, due_on=fact.decide_by_on,
    ),
    fh.ScoreContested: lambda fact: Need(
        kind="score_contested", owner="operator", detail=fact.text, due_on=fact.answer_by_on,
        title="the debtor contests his score" + (f": answer by {fact.answer_by_on}" if fact.answer_by_on else ""),
    ),
    fh.DisputeRaised: lambda fact: Need(
        kind="dispute", owner="creditor", title=f"{fact.amount} is disputed: answer it", detail=fact.ground
    ),
    fh.EvidenceAsked: lambda fact: Need(
        kind="evidence", owner="creditor", title=f"evidence is wanted by {fact.due_on}", detail=fact.what,
        due_on=fact.due_on,
    ),
    fh.EvidenceGiven: lambda fact: Need(
        kind="dispute_decision", owner="operator", title="evidence is there: decide on the dispute", detail=fact.text
    ),
    fh.DisputeDecided: _decided,
    fh.ComplaintFiled: lambda fact: Need(
        kind="complaint", owner="operator", title=f"answer the complaint by {fact.answer_by_on}", detail=fact.text,
        due_on=fact.answer_by_on,
    ),
    fh.NonPaymentExplained: _explained,
    fh.HardshipFound: lambda fact: Need(
        kind="hardship", owner="operator", title="a protected debtor: nothing may be asked; offer help",
        detail=f"{fact.hardship.value} {fact.note}".strip(),
    ),
    fh.CostApprovalAsked: lambda fact: Need(
        kind=APPROVAL, owner="creditor", title=_cost_question(fact), detail=fact.reason, due_on=fact.answer_by_on,
    ),
    fh.ProceedingBegun: _begun,
    DispatchBlocked: _blocked,
    ContactQueued: _by_people,
    HoldSet: _held,
    ContactLimitReached: lambda fact: Need(
        kind=fact.limit, owner="operator", title="an agreed limit of collection is reached: decide whether it goes on",
        detail=fact.detail,
    ),
}  # fmt: skip


def need_of(event: CaseEvent) -> Need | None:
    """The task that a fact of this field brings, or None."""
    make = _NEEDS.get(type(event.fact))
    return make(event.fact) if make else None
