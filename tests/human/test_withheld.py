"""What is disputed is never asked, what is not disputed always is, and the creditor's books do not notice."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from collecthub.corridor.act import act
from collecthub.corridor.decide import decide
from collecthub.model import event as ev
from collecthub.model import facts_human as fh
from collecthub.model.case import Case
from collecthub.model.clock import Follow
from collecthub.model.history import apply
from collecthub.model.objection import DisputeState

NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
OWED = Decimal("500.00")


def recorded(case: Case | None, fact: ev.Fact) -> Case:
    event = ev.CaseEvent(
        case_id="k", seq=case.version + 1 if case else 1, occurred_at=NOON, recorded_at=NOON, actor="t", fact=fact,
        previous_hash="",
    )  # fmt: skip
    return apply(case, event)


def opened() -> Case:
    claim = ev.Claim(
        claim_id="c", number="F", issued_on=None, due_on=dt.date(2026, 5, 1), original_amount=OWED, open_amount=OWED
    )
    return recorded(
        None,
        ev.CaseOpened(
            number="K", creditor_id="kroon", connection_id="b", debtor_ref="d", debtor_digest="x", currency="EUR",
            segment="B2B", claims=(claim,),
        ),
    )  # fmt: skip


cents = st.integers(1, 50_000).map(lambda minor: Decimal(minor) / 100)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("raise"), cents), st.tuples(st.just("reject"), cents), st.tuples(st.just("uphold"), cents),
        st.tuples(st.just("credit"), cents), st.tuples(st.just("pay"), cents),
    ),
    max_size=8,
)  # fmt: skip


@given(moves)
def test_the_disputed_part_and_nothing_else_is_left_out(drawn: list[tuple[str, Decimal]]) -> None:
    case, raised = opened(), 0
    for kind, amount in drawn:
        waiting = [one for one in case.objections.disputes if one.is_open]
        left = case.demanded
        if kind == "raise" and left > 0:
            raised += 1
            part = min(amount, left)
            case = recorded(case, fh.DisputeRaised(dispute_id=str(raised), amount=part, ground="g"))
            assert case.demanded == left - part
        elif kind in ("reject", "uphold") and waiting:
            one = waiting[0]
            decision = DisputeState.REJECTED if kind == "reject" else DisputeState.UPHELD
            upheld = one.amount if kind == "uphold" else Decimal(0)
            case = recorded(
                case, fh.DisputeDecided(dispute_id=one.dispute_id, decision=decision, upheld=upheld, reason="r")
            )
        elif kind == "credit" and case.owed_here >= amount:
            case = recorded(case, ev.CreditSeen(claim_id="c", amount=amount, reason="note"))
        elif kind == "pay" and case.owed_here >= amount:
            case = recorded(case, ev.DirectPaymentSeen(claim_id="c", amount=amount, paid_on=NOON.date()))
        while any(isinstance(step, Follow) for step in decide(case)):
            for fact in act(case, Follow(), ""):
                case = recorded(case, fact)
        assert 0 <= case.demanded <= case.owed_here
        assert case.erp_open == case.owed_here, "the ERP shows what it shows, disputed or not"
        if not case.objections.disputes or all(
            one.state is DisputeState.REJECTED for one in case.objections.disputes
        ):
            assert case.demanded == case.owed_here
        if any(one.is_open for one in case.objections.disputes) and case.demanded == 0 < case.owed_here:
            assert case.held_for("dispute"), "only what is disputed is left: nobody is sent"
