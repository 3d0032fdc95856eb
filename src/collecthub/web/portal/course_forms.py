"""The forms of a case's course as data: which fields each has, when it makes sense, and the one call that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from collecthub.engine import court_ways, objection_desk, plan_desk, proceeding_desk, solvency
from collecthub.engine.context import Hub, Work
from collecthub.model.case import Case
from collecthub.model.objection import DisputeState, Hardship, NonPayment
from collecthub.model.plan import PlanState
from collecthub.model.proceeding import COSTLY, ProceedingKind
from collecthub.model.solvency import Band
from collecthub.store.queries.scope import Scope
from collecthub.web.portal.entered import Entered

Choices = tuple[tuple[str, str], ...]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field. `kind` is text, line, amount, date, count or choice."""

    name: str
    title: str
    kind: str = "text"
    is_required: bool = True


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One form below one heading of the page."""

    part: str
    title: str
    hint: str
    button: str
    fields: tuple[Field, ...]
    is_possible: Callable[[Case], bool]
    choices: Callable[[Case], Mapping[str, Choices]] = lambda case: {}


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was sent, with the transaction that it acts in."""

    hub: Hub
    work: Work
    scope: Scope
    case_id: str
    currency: str
    entered: Entered
    seen: int | None

    @property
    def place(self) -> tuple[Hub, Work, Scope, str]:
        """What every function of the desks takes first."""
        return self.hub, self.work, self.scope, self.case_id

    def text(self, name: str, *, required: bool = True) -> str:
        """A text of the form."""
        return self.entered.text(name, required=required)

    def amount(self, name: str, *, required: bool = True) -> Decimal | None:
        """An amount; None where it was left out."""
        value = self.entered.amount(name, self.currency, required=required)
        return value if self.entered.given.get(name, "").strip() else None

    def count(self, name: str) -> int | None:
        """A small whole number; None where it was left out."""
        value = self.entered.given.get(name, "").strip()
        if value and not (value.isascii() and value.isdigit() and len(value) < 4):
            self.entered.wrong[name] = "Write a whole number."
            return None
        return int(value) if value else None


# --- what each form does ----------------------------------------------------------------------------


def _score(sent: Filled) -> None:
    capacity = sent.amount("capacity", required=False)
    sent.entered.check()
    solvency.score_case(*sent.place, capacity=capacity, expected_version=sent.seen)


def _says(do: Callable[..., object], name: str) -> Callable[[Filled], None]:
    """The act of a form that asks for one text alone."""

    def act(sent: Filled) -> None:
        text = sent.text(name)
        sent.entered.check()
        do(*sent.place, **{name: text}, expected_version=sent.seen)

    return act


def _overrule(sent: Filled) -> None:
    band, reason = sent.entered.choice("band", list(Band)), sent.text("reason")
    sent.entered.check()
    solvency.overrule_score(*sent.place, band=Band(band), reason=reason, expected_version=sent.seen)


def _propose(sent: Filled) -> None:
    count, capacity = sent.count("instalments"), sent.amount("capacity", required=False)
    first_on, note = sent.entered.date("first_on"), sent.text("note", required=False)
    sent.entered.check()
    plan_desk.propose_plan(
        *sent.place, count=count, capacity=capacity, first_on=first_on, note=note, expected_version=sent.seen
    )


def _agree(sent: Filled) -> None:
    reason = sent.text("reason", required=False)
    sent.entered.check()
    plan_desk.agree_plan(*sent.place, reason=reason, expected_version=sent.seen)


def _dispute(sent: Filled) -> None:
    ground, claim_id = sent.text("ground"), sent.text("claim_id", required=False)
    amount = sent.amount("amount", required=False)
    sent.entered.check()
    objection_desk.raise_dispute(*sent.place, ground=ground, claim_id=claim_id, amount=amount, expected_version=sent.seen)


def _ask_evidence(sent: Filled) -> None:
    dispute_id, what = sent.text("dispute_id"), sent.text("what")
    sent.entered.check()
    objection_desk.ask_evidence(*sent.place, dispute_id=dispute_id, what=what, expected_version=sent.seen)


def _give_evidence(sent: Filled) -> None:
    dispute_id, text = sent.text("dispute_id"), sent.text("text")
    sent.entered.check()
    objection_desk.give_evidence(*sent.place, dispute_id=dispute_id, text=text, expected_version=sent.seen)


def _decide(sent: Filled) -> None:
    dispute_id, reason = sent.text("dispute_id"), sent.text("reason")
    decision = sent.entered.choice("decision", [value for value, _ in _DECISIONS])
    upheld = sent.amount("upheld", required=False)
    sent.entered.check()
    objection_desk.decide_dispute(
        *sent.place, dispute_id=dispute_id, decision=DisputeState(decision), reason=reason, upheld=upheld,
        expected_version=sent.seen,
    )  # fmt: skip


def _explain(sent: Filled) -> None:
    reason, note = sent.entered.choice("reason", list(NonPayment)), sent.text("note", required=False)
    sent.entered.check()
    objection_desk.explain_non_payment(*sent.place, reason=NonPayment(reason), note=note, expected_version=sent.seen)


def _hardship(sent: Filled) -> None:
    kind, note = sent.entered.choice("hardship", list(Hardship)), sent.text("note", required=False)
    until_on = sent.entered.date("until_on")
    sent.entered.check()
    objection_desk.find_hardship(
        *sent.place, hardship=Hardship(kind), note=note, until_on=until_on, expected_version=sent.seen
    )


def _refer(sent: Filled) -> None:
    service, note = sent.text("service"), sent.text("note", required=False)
    sent.entered.check()
    objection_desk.make_referral(*sent.place, service=service, note=note, expected_version=sent.seen)


def _ask_approval(sent: Filled) -> None:
    kind = sent.entered.choice("kind", [one.value for one in COSTLY])
    estimate, cap, reason = sent.amount("estimate"), sent.amount("cap"), sent.text("reason")
    sent.entered.check()
    assert estimate is not None and cap is not None, "checked"
    proceeding_desk.ask_approval(
        *sent.place, kind=ProceedingKind(kind), estimate=estimate, cap=cap, reason=reason, expected_version=sent.seen
    )


def _decide_approval(sent: Filled) -> None:
    verdict, reason = sent.entered.choice("verdict", ("allow", "refuse")), sent.text("reason", required=False)
    cap = sent.amount("cap", required=False)
    sent.entered.check()
    court_ways.decide_approval(
        *sent.place, is_given=verdict == "allow", cap=cap, reason=reason, expected_version=sent.seen
    )


def _begin(sent: Filled) -> None:
    kind, began_on = sent.entered.choice("kind", list(ProceedingKind)), sent.entered.date("began_on")
    due_on = sent.entered.date("due_on")
    authority, reference = sent.text("authority", required=False), sent.text("reference", required=False)
    sent.entered.check()
    proceeding_desk.begin_proceeding(
        *sent.place, kind=ProceedingKind(kind), began_on=began_on, authority=authority, reference=reference,
        due_on=due_on, expected_version=sent.seen,
    )  # fmt: skip


def _record(sent: Filled) -> None:
    proceeding_id, _, act = sent.text("act").partition(" ")
    acted_on, note = sent.entered.date("acted_on"), sent.text("note", required=False)
    due_on = sent.entered.date("due_on")
    amount, cost = sent.amount("amount", required=False), sent.amount("cost", required=False)
    sent.entered.check()
    proceeding_desk.move_proceeding(
        *sent.place, proceeding_id=proceeding_id, act=act, acted_on=acted_on, note=note, amount=amount,
        cost=cost or Decimal(0), due_on=due_on, expected_version=sent.seen,
    )  # fmt: skip


ACTIONS: Mapping[str, Callable[[Filled], None]] = {
    "score": _score, "overrule": _overrule, "contest": _says(solvency.contest_score, "text"), "answer-contest": _says(solvency.answer_contest, "text"),
    "propose": _propose, "agree": _agree, "refuse": _says(plan_desk.refuse_plan, "reason"), "end": _says(plan_desk.end_plan, "reason"), "dispute": _dispute, "ask-evidence": _ask_evidence,
    "give-evidence": _give_evidence, "decide": _decide, "complain": _says(objection_desk.file_complaint, "text"), "answer": _says(objection_desk.answer_complaint, "text"),
    "explain": _explain, "hardship": _hardship, "refer": _refer, "ask-approval": _ask_approval,
    "decide-approval": _decide_approval, "begin": _begin, "record": _record,
}  # fmt: skip

# --- what each form asks ----------------------------------------------------------------------------

_DECISIONS: Choices = (
    ("rejected", "The debtor is wrong"), ("upheld", "The debtor is right"), ("partly", "Right in part"),
    ("settled", "Settled between them"), ("to_court", "A court must decide"),
)  # fmt: skip


def _spoken(values: list[str]) -> Choices:
    return tuple((value, value.replace("_", " ").capitalize()) for value in values)


def _open_disputes(case: Case) -> Choices:
    return tuple(
        (one.dispute_id, f"{one.amount} {case.currency}: {one.ground[:60]}") for one in case.objections.disputes if one.is_open
    )


def _claims(case: Case) -> Choices:
    found = tuple((one.claim_id, f"Invoice {one.number}") for one in case.claims if one.open_amount > 0)
    return (("", "The whole case"), *found)


def _acts(case: Case) -> Choices:
    return tuple(
        (f"{one.proceeding_id} {act}", f"{one.kind.value}: {act}".replace("_", " ").capitalize())
        for one in case.proceedings.all for act in one.acts
    )  # fmt: skip


def _has_plan(*states: PlanState) -> Callable[[Case], bool]:
    return lambda case: case.plan is not None and case.plan.state in states


def _has_dispute(case: Case) -> bool:
    return bool(_open_disputes(case))


def _is_open(case: Case) -> bool:
    return case.is_open


REASON = Field(name="reason", title="Reason")
NOTE = Field(name="note", title="Note", is_required=False)
FORMS: Mapping[str, Form] = {
    "score": Form(
        part="score", title="Look up and score now", button="Score", is_possible=_is_open,
        hint="Every source is asked; answers and score are logged with their reasons.",
        fields=(Field(name="capacity", title="What the debtor said he can pay a month", kind="amount", is_required=False),),
    ),
    "overrule": Form(
        part="score", title="Decide otherwise", button="Overrule", hint="Your word counts before the score's.",
        is_possible=lambda case: case.solvency.score is not None, fields=(Field(name="band", title="Instead", kind="choice"), REASON),
        choices=lambda case: {"band": _spoken(list(Band))},
    ),
    "contest": Form(
        part="score", title="The debtor contests it", button="Record", hint="A person answers within a month; nothing costly begins until then.",
        is_possible=lambda case: case.is_open and case.solvency.score is not None, fields=(Field(name="text", title="What he says"),),
    ),
    "answer-contest": Form(
        part="score", title="Answer him: the score stays", button="Answer", hint="The debtor reads it. To change the score, decide otherwise.",
        is_possible=lambda case: bool(case.solvency.contested), fields=(Field(name="text", title="Why it stays"),),
    ),
    "propose": Form(
        part="plan", title="Propose a plan", button="Propose", hint="Binds nobody until it is agreed. Say how many months, or how much a month.",
        is_possible=lambda case: case.is_open and not (case.plan and case.plan.is_running),
        fields=(
            Field(name="instalments", title="Months", kind="count", is_required=False),
            Field(name="capacity", title="Or what can be paid a month", kind="amount", is_required=False),
            Field(name="first_on", title="First instalment on", kind="date", is_required=False), NOTE,
        ),
    ),
    "agree": Form(
        part="plan", title="Agree to the plan", button="Agree", hint="As long as it is kept, nobody chases.",
        is_possible=_has_plan(PlanState.PROPOSED),
        fields=(Field(name="reason", title="Why, where it is beyond the limits", is_required=False),),
    ),
    "refuse": Form(
        part="plan", title="Refuse the plan", button="Refuse", hint="The debtor hears the reason.",
        is_possible=_has_plan(PlanState.PROPOSED), fields=(REASON,),
    ),
    "end": Form(
        part="plan", title="End the plan", button="End it", hint="Collection goes on.",
        is_possible=_has_plan(PlanState.AGREED, PlanState.LATE, PlanState.BROKEN), fields=(REASON,),
    ),
    "dispute": Form(
        part="objections", title="Record a dispute", button="Record", hint="The undisputed rest goes on; a holder hears the new amount.",
        is_possible=lambda case: case.is_open and case.demanded > 0,
        fields=(
            Field(name="claim_id", title="What is disputed", kind="choice", is_required=False),
            Field(name="amount", title="How much of it (empty for all)", kind="amount", is_required=False),
            Field(name="ground", title="Why"),
        ),
        choices=lambda case: {"claim_id": _claims(case)},
    ),
    "ask-evidence": Form(
        part="objections", title="Ask the creditor for evidence", button="Ask", hint="Within two weeks.",
        is_possible=_has_dispute,
        fields=(Field(name="dispute_id", title="Dispute", kind="choice"), Field(name="what", title="What is wanted")),
        choices=lambda case: {"dispute_id": _open_disputes(case)},
    ),
    "give-evidence": Form(
        part="objections", title="Evidence is there", button="Record", hint="Add the document to the case first.",
        is_possible=_has_dispute,
        fields=(Field(name="dispute_id", title="Dispute", kind="choice"), Field(name="text", title="What it shows")),
        choices=lambda case: {"dispute_id": _open_disputes(case)},
    ),
    "decide": Form(
        part="objections", title="Decide a dispute", button="Decide", hint="What the debtor is right about stays out until it is credited. He reads the reason.",
        is_possible=_has_dispute,
        fields=(
            Field(name="dispute_id", title="Dispute", kind="choice"), Field(name="decision", title="Decision", kind="choice"),
            Field(name="upheld", title="The debtor's part, if it is neither all nor nothing", kind="amount", is_required=False), REASON,
        ),
        choices=lambda case: {"dispute_id": _open_disputes(case), "decision": _DECISIONS},
    ),
    "complain": Form(
        part="objections", title="Record a complaint", button="Record", hint="The case rests until it is answered, within ten days.",
        is_possible=_is_open, fields=(Field(name="text", title="What the debtor complains about"),),
    ),
    "answer": Form(
        part="objections", title="Answer the complaint", button="Answer", hint="The oldest open one. The debtor reads the answer.",
        is_possible=lambda case: any(one.answered_at is None for one in case.objections.complaints),
        fields=(Field(name="text", title="Answer"),),
    ),
    "explain": Form(
        part="objections", title="Why he does not pay", button="Record", hint="The next step follows from it.",
        is_possible=_is_open, fields=(Field(name="reason", title="Reason", kind="choice"), NOTE),
        choices=lambda case: {"reason": _spoken(list(NonPayment))},
    ),
    "hardship": Form(
        part="objections", title="The debtor is protected", button="Stop everything", hint="Everything stops at once; a holder is told to pause.",
        is_possible=_is_open,
        fields=(
            Field(name="hardship", title="By what", kind="choice"),
            Field(name="until_on", title="Until (leave empty for open end)", kind="date", is_required=False), NOTE,
        ),
        choices=lambda case: {"hardship": _spoken(list(Hardship))},
    ),
    "refer": Form(
        part="objections", title="Shown the way to help", button="Record", hint="Social, legal or debt help, or a mediator.",
        is_possible=_is_open, fields=(Field(name="service", title="Service", kind="line"), NOTE),
    ),
    "ask-approval": Form(
        part="proceedings", title="Ask the creditor to allow a cost", button="Ask", hint="Nothing that costs begins without it.",
        is_possible=_is_open,
        fields=(
            Field(name="kind", title="Step", kind="choice"), Field(name="estimate", title="About", kind="amount"),
            Field(name="cap", title="At most", kind="amount"), REASON,
        ),
        choices=lambda case: {"kind": _spoken(sorted(COSTLY))},
    ),
    "decide-approval": Form(
        part="proceedings", title="Allow or refuse the cost", button="Decide", hint="It is for one proceeding; one that runs may cost so much more. Entered for the creditor, the reason says who there said so, and when.",
        is_possible=lambda case: any(one.decided_at is None for one in case.proceedings.approvals),
        fields=(
            Field(name="verdict", title="Decision", kind="choice"),
            Field(name="cap", title="At most (a lower cap, or the cap where the cost is not known)", kind="amount", is_required=False),
            Field(name="reason", title="Reason", is_required=False),
        ),
        choices=lambda case: {"verdict": (("allow", "Allow"), ("refuse", "Refuse"))},
    ),
    "begin": Form(
        part="proceedings", title="A proceeding begins", button="Begin", hint="Before a court it needs its approval and a fresh solvency check; an insolvency holds the case.",
        is_possible=_is_open,
        fields=(
            Field(name="kind", title="Kind", kind="choice"), Field(name="began_on", title="On", kind="date", is_required=False),
            Field(name="due_on", title="Time limit that the court set", kind="date", is_required=False),
            Field(name="authority", title="Court, trustee or mediator", kind="line", is_required=False),
            Field(name="reference", title="Their reference", kind="line", is_required=False),
        ),
        choices=lambda case: {"kind": _spoken(list(ProceedingKind))},
    ),
    "record": Form(
        part="proceedings", title="Record what happened", button="Record", hint="Only what can follow is offered; the time limit of the law is counted from the day.",
        is_possible=lambda case: bool(_acts(case)),
        fields=(
            Field(name="act", title="What", kind="choice"), Field(name="acted_on", title="On", kind="date", is_required=False),
            Field(name="amount", title="Amount of the judgment, dividend or sale", kind="amount", is_required=False),
            Field(name="cost", title="Cost", kind="amount", is_required=False),
            Field(name="due_on", title="Day that was named: hearing, sale, next payment", kind="date", is_required=False), NOTE,
        ),
        choices=lambda case: {"act": _acts(case)},
    ),
}  # fmt: skip
