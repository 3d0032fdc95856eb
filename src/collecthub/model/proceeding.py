"""Court, enforcement and insolvency proceedings: one small machine per kind, as a table, and their deadlines.

States and acts after the lifecycle of the field (summons to judgment, order to sale, declaration to dividend). Where a
state opens a time limit, `TIME_LIMITS` names the event by which a country pack knows its length.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Mapping
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError


class ProceedingKind(enum.StrEnum):
    """Which machine runs."""

    JUDICIAL = "judicial"
    UNDISPUTED = "undisputed"  # Belgium: Jud. Code 1394/20 to 27
    ENFORCEMENT = "enforcement"
    BANKRUPTCY = "bankruptcy"
    REORGANISATION = "reorganisation"
    COLLECTIVE_SETTLEMENT = "collective_settlement"
    MONITORING = "monitoring"


COSTLY = frozenset({ProceedingKind.JUDICIAL, ProceedingKind.UNDISPUTED, ProceedingKind.ENFORCEMENT})
COSTLY_ACTS = frozenset(
    {"serve", "appeal", "attach_movables", "attach_immovables", "attach_third_party", "sell"}
)  # a bailiff or court is paid for them: the debtor is scored again with each
# Before these the debtor is scored again: what costs, and each look at a case that waits for better times.
WEIGHED_ACTS: Mapping[ProceedingKind, frozenset[str]] = {
    **dict.fromkeys(ProceedingKind, frozenset[str]()), **dict.fromkeys(COSTLY, COSTLY_ACTS),
    ProceedingKind.MONITORING: frozenset({"review", "resume"}),
}  # fmt: skip
INSOLVENCIES = frozenset(
    {ProceedingKind.BANKRUPTCY, ProceedingKind.REORGANISATION, ProceedingKind.COLLECTIVE_SETTLEMENT}
)
# The hold that a proceeding sets while it runs; a judgment or an attachment pauses nothing.
HOLD_OF: Mapping[ProceedingKind, str] = {
    ProceedingKind.BANKRUPTCY: "insolvency",
    ProceedingKind.REORGANISATION: "insolvency",
    ProceedingKind.COLLECTIVE_SETTLEMENT: "collective_settlement",
    ProceedingKind.MONITORING: "monitoring",
}
Moves = Mapping[str, Mapping[str, str]]  # state -> act -> next state

_INSOLVENCY_MOVES: Moves = {
    "found": {"file_claim": "claim_filed", "take_inventory": "inventory", "give_up": "ended"},
    "inventory": {"file_claim": "claim_filed", "give_up": "ended"},
    "claim_filed": {"accept": "verified", "contest": "contested", "wait": "in_abeyance", "close": "ended"},
    "contested": {"accept": "verified", "reject": "ended", "close": "ended"},
    "in_abeyance": {"accept": "verified", "contest": "contested", "close": "ended"},
    "verified": {"pay_dividend": "dividend", "return_goods": "goods_returned", "close": "ended"},
    "goods_returned": {"pay_dividend": "dividend", "close": "ended"},
    "dividend": {"pay_dividend": "dividend", "close": "ended"},
    "ended": {},
}
# The debtor goes on under the court's protection: payments are suspended, creditors vote on a plan of his.
_REORGANISATION_MOVES: Moves = {
    **_INSOLVENCY_MOVES,
    "found": {
        "file_claim": "claim_filed", "accept_listing": "verified", "contest_listing": "contested", "extend_stay": "found",
        "take_inventory": "inventory", "give_up": "ended",
    },
    "claim_filed": {**_INSOLVENCY_MOVES["claim_filed"], "extend_stay": "claim_filed", "end_stay": "ended"},
    "contested": {**_INSOLVENCY_MOVES["contested"], "extend_stay": "contested", "end_stay": "ended"},
    "verified": {
        **_INSOLVENCY_MOVES["verified"], "extend_stay": "verified", "propose_plan": "plan_proposed", "end_stay": "ended",
    },
    "plan_proposed": {
        "vote_for": "voted", "vote_against": "voted", "extend_stay": "plan_proposed", "confirm_plan": "court_plan",
        "refuse_plan": "ended",
    },
    "voted": {"confirm_plan": "court_plan", "refuse_plan": "ended"},
    "court_plan": {"pay_instalment": "court_plan", "revoke": "ended", "close": "ended"},
}  # fmt: skip
MACHINES: Mapping[ProceedingKind, tuple[str, Moves]] = {
    ProceedingKind.JUDICIAL: (
        "prepared",
        {
            "prepared": {"serve": "served", "fail_service": "not_served", "withdraw": "ended"},
            "not_served": {"serve": "served", "withdraw": "ended"},
            "served": {"set_hearing": "hearing", "settle": "ended", "withdraw": "ended"},
            "hearing": {"set_hearing": "hearing", "give_judgment": "judgment", "settle": "ended"},
            "judgment": {"issue_copy": "enforceable_copy", "dismiss": "ended", "appeal": "hearing"},
            "enforceable_copy": {"close": "ended"},
            "ended": {},
        },
    ),
    ProceedingKind.UNDISPUTED: (
        "prepared",
        {
            "prepared": {"serve": "served", "fail_service": "prepared", "withdraw": "ended"},
            "served": {"contest": "ended", "pay": "ended", "agree_plan": "ended", "record": "recorded"},
            "recorded": {"make_enforceable": "enforceable"},
            "enforceable": {"close": "ended"},
            "ended": {},
        },
    ),
    ProceedingKind.ENFORCEMENT: (
        "ordered",
        {
            "ordered": {"serve": "served", "fail_service": "ordered", "stop": "ended"},
            "served": {
                "attach_movables": "attached", "attach_immovables": "attached", "attach_third_party": "attached",
                "find_nothing": "fruitless", "stop": "ended",
            },
            "attached": {
                "attach_movables": "attached", "attach_immovables": "attached", "attach_third_party": "attached",
                "sell": "sale", "collect": "proceeds", "lift": "served",
            },
            "sale": {"collect": "proceeds", "find_nothing": "fruitless"},
            "proceeds": {"attach_third_party": "attached", "close": "ended"},
            "fruitless": {"close": "ended", "serve": "served"},
            "ended": {},
        },
    ),
    ProceedingKind.BANKRUPTCY: ("found", _INSOLVENCY_MOVES),
    ProceedingKind.REORGANISATION: ("found", _REORGANISATION_MOVES),
    ProceedingKind.COLLECTIVE_SETTLEMENT: (
        "found",
        {
            "found": {"file_claim": "claim_to_mediator", "receive_last_call": "last_call"},
            "last_call": {"file_claim": "claim_to_mediator", "waive": "ended"},
            "claim_to_mediator": {
                "contest": "contested", "propose_plan": "plan_proposed", "receive_plan": "court_plan", "revoke": "ended",
            },
            "contested": {"accept": "claim_to_mediator", "reject": "ended"},
            "plan_proposed": {"oppose_plan": "claim_to_mediator", "receive_plan": "court_plan", "revoke": "ended"},
            "court_plan": {"return_to_creditor": "monitored"},
            "monitored": {"pay_dividend": "monitored", "revoke": "ended", "close": "ended"},
            "ended": {},
        },
    ),
    ProceedingKind.MONITORING: ("watching", {"watching": {"review": "watching", "resume": "ended"}, "ended": {}}),
}  # fmt: skip
# State that was entered -> the event from which a country pack counts.
TIME_LIMITS: Mapping[tuple[ProceedingKind, str], str] = {
    (ProceedingKind.UNDISPUTED, "served"): "uncontested_demand",
    (ProceedingKind.BANKRUPTCY, "found"): "bankruptcy_claim",
    (ProceedingKind.REORGANISATION, "found"): "reorganisation_stay",
    (ProceedingKind.COLLECTIVE_SETTLEMENT, "found"): "settlement_claim",
    (ProceedingKind.COLLECTIVE_SETTLEMENT, "last_call"): "settlement_last_call",
    (ProceedingKind.COLLECTIVE_SETTLEMENT, "plan_proposed"): "settlement_plan",
}
# What a day that a court, bailiff or mediator named is for, by the state it was named with.
NAMED_DAYS: Mapping[str, str] = {
    "hearing": "the hearing", "served": "the time that the debtor has after service", "judgment": "the time to appeal",
    "attached": "the time until the sale", "sale": "the sale", "found": "the time set by the court",
    "claim_filed": "the end of the stay", "plan_proposed": "the vote on the plan", "court_plan": "the next payment of the plan",
}  # fmt: skip
NEAR_DAYS = 7  # a time limit is on the agenda a week before it ends
QUIET_DAYS = 30  # an open proceeding of which nothing was heard for so long, and without a day of its own, is asked about
ANSWER_DAYS = 14  # after so long without an answer on a cost somebody asks the creditor again
REVIEW_DAYS = 90  # a case that waits for better times is looked at every quarter (requirements, insolvency monitoring)


class Proceeding(msgspec.Struct, frozen=True, kw_only=True):
    """One proceeding of a case. `cost_cap` is what may be spent on it in all, `cost_spent` what was noted
    or charged by its holder.
    """

    proceeding_id: str
    kind: ProceedingKind
    state: str
    began_on: dt.date
    moved_on: dt.date | None = None  # the day of the newest act
    authority: str = ""  # the court, trustee or mediator
    reference: str = ""
    deadline_on: dt.date | None = None
    deadline_for: str = ""
    cost_cap: Decimal | None = None
    cost_spent: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        """What may still be spent on it; nought where nobody allowed anything."""
        return self.cost_cap - self.cost_spent if self.cost_cap is not None else Decimal(0)

    @property
    def is_open(self) -> bool:
        """Whether it still runs."""
        return bool(self.acts)

    @property
    def quiet_on(self) -> dt.date:
        """The day from which nothing was heard for too long."""
        return (self.moved_on or self.began_on) + dt.timedelta(days=QUIET_DAYS)

    @property
    def acts(self) -> tuple[str, ...]:
        """What can be recorded next."""
        return tuple(MACHINES[self.kind][1][self.state])


def first_state(kind: ProceedingKind) -> str:
    """Where a machine begins."""
    return MACHINES[kind][0]


def next_state(kind: ProceedingKind, state: str, act: str) -> str:
    """Where an act leads. Raises `PermanentError` with the acts that are possible."""
    moves = MACHINES[kind][1].get(state, {})
    if act not in moves:
        raise PermanentError(
            f"{act[:40]!r} does not follow {state} in a proceeding of the kind {kind.value}",
            cure=f"Possible now: {', '.join(moves) or 'nothing, it has ended'}.",
        )
    return moves[act]


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A costly step that the creditor is asked to allow: what it is expected to cost (None where nobody knows) and the
    most it may cost.

    It is for one proceeding: `proceeding_id` names the one that began with it or whose cap it raised. `cost_spent` is what
    a holder charged before a proceeding began. With a `cost_ref` it is for that cost of a holder alone.
    """

    approval_id: str
    kind: ProceedingKind
    estimate: Decimal | None
    cap: Decimal
    reason: str
    asked_at: dt.datetime
    answer_by_on: dt.date | None = None
    decided_at: dt.datetime | None = None
    is_given: bool = False
    proceeding_id: str = ""
    cost_spent: Decimal = Decimal(0)
    cost_ref: str = ""

    @property
    def left(self) -> Decimal:
        """What a holder may still charge before a proceeding begins with it; nought without a yes or once one began."""
        return self.cap - self.cost_spent if self.is_unspent else Decimal(0)

    @property
    def is_unspent(self) -> bool:
        """Whether a proceeding may begin with it."""
        return self.is_given and not self.proceeding_id


class Proceedings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything of this kind in a case."""

    all: tuple[Proceeding, ...] = ()
    approvals: tuple[Approval, ...] = ()

    def open_of(self, kind: ProceedingKind) -> Proceeding | None:
        """The one of a kind that runs."""
        return next((one for one in self.all if one.kind is kind and one.is_open), None)

    def of(self, proceeding_id: str) -> Proceeding | None:
        """The one with this id."""
        return next((one for one in self.all if one.proceeding_id == proceeding_id), None)

    def approval(self, approval_id: str) -> Approval | None:
        """The one with this id."""
        return next((one for one in self.approvals if one.approval_id == approval_id), None)

    def bearer_of(self, cost: Decimal, cost_ref: str) -> str:
        """Id of what leaves room for a holder's cost: the yes to it, a proceeding that runs, a yes with which none began; or empty."""
        asked = self.approval_of_cost(cost_ref)
        if asked is not None and not asked.is_given:
            return ""
        running = (one.proceeding_id for one in self.all if one.is_open and one.kind in COSTLY and cost <= one.left)
        given = (one.approval_id for one in reversed(self.approvals) if one.cost_ref in ("", cost_ref) and cost <= one.left)
        own = asked.approval_id if asked is not None and cost <= asked.left else ""
        return own or next(running, "") or next(given, "")

    def newest_of(self, kinds: Collection[ProceedingKind]) -> Approval | None:
        """What was asked last of steps of these kinds, single costs of a holder apart."""
        return next((one for one in reversed(self.approvals) if one.kind in kinds and not one.cost_ref), None)

    def approval_of_cost(self, cost_ref: str) -> Approval | None:
        """What was asked and said of one cost of a holder."""
        return next((one for one in reversed(self.approvals) if one.cost_ref == cost_ref), None)

    def approval_for(self, kind: ProceedingKind, approval_id: str = "") -> Approval | None:
        """The newest approval of a kind with which no proceeding has begun, or the one that is named."""
        unspent = (one for one in reversed(self.approvals) if one.kind is kind and one.is_unspent and not one.cost_ref)
        return next((one for one in unspent if approval_id in ("", one.approval_id)), None)
