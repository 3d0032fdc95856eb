"""What the hub knows of debtors when they are scored: their cases at one creditor, plans, messages, calls and promises."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from collecthub.model.case import Case
from collecthub.model.codes import Outcome, Status
from collecthub.model.contact_outcome import PROMISE
from collecthub.model.objection import Hardship
from collecthub.model.solvency import DebtorFacts, SolvencyCheck
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor

PAID = frozenset(
    {Outcome.PAID_FULL.value, Outcome.PAID_PARTIAL.value, Outcome.SETTLED_REDUCED.value, Outcome.PAID_BEFORE_HANDOVER.value}
)
UNPAID = frozenset(
    {
        Outcome.INSOLVENT.value, Outcome.LIQUIDATED.value, Outcome.EXHAUSTED.value, Outcome.EXHAUSTED_UNREACHED.value,
        Outcome.UNTRACEABLE.value, Outcome.UNECONOMICAL.value, Outcome.WRITTEN_OFF.value,
    }
)  # fmt: skip
_PROMISE_OVER = "promise_over"
_KINDS = (
    "plan_completed", "plan_broken", "instalment_missed", "contact_made", "contact_returned", "channel_lost",
)  # fmt: skip
Debtor = tuple[str, str]  # creditor, and the debtor's number in his books


class Known:
    """The books on the debtors of these cases, read at once."""

    def __init__(self, conn: sa.Connection, cases: Sequence[Case]) -> None:
        self._cases: dict[Debtor, list[Any]] = defaultdict(list)
        self._counts: dict[Debtor, Counter[str]] = defaultdict(Counter)
        by_creditor: dict[str, set[str]] = defaultdict(set)
        for case in cases:
            by_creditor[case.creditor_id].add(case.debtor_ref)
        for creditor_id, refs in by_creditor.items():
            asked = {"of": creditor_id, "refs": sorted(refs)}
            for row in conn.execute(_CASES, asked):
                self._cases[creditor_id, row.debtor_ref].append(row)
            for debtor_ref, kind, count in (*conn.execute(_EVENTS, asked), *conn.execute(_PROMISES, asked)):
                self._counts[creditor_id, debtor_ref][kind] += count

    def of(self, case: Case, as_of: dt.date, checks: tuple[SolvencyCheck, ...]) -> DebtorFacts:
        """What is known of the case's debtor on a day, from all of his cases at this creditor."""
        debtor = (case.creditor_id, case.debtor_ref)
        rows, counts = self._cases[debtor], self._counts[debtor]
        ours = [row for row in rows if row.currency == case.currency]
        others = [row.outcome for row in rows if row.status == Status.CLOSED.value and row.case_id != case.case_id]
        oldest = min((claim.due_on for claim in case.claims if claim.open_amount > 0), default=as_of)
        reason, score = case.objections.reason, case.solvency.score
        return DebtorFacts(
            as_of=as_of, segment=case.segment, country=case.debtor.country, currency=case.currency,
            owed=case.balance.total, oldest_days=max(0, (as_of - oldest).days), dunning_level=_reminders(case),
            paid_share=_paid_share(ours, case.currency), **_contacts(counts),
            ended_paid=sum(one in PAID for one in others), ended_unpaid=sum(one in UNPAID for one in others),
            plans_kept=counts["plan_completed"], plans_broken=counts["plan_broken"],
            instalments_missed=counts["instalment_missed"], reason=reason.value if reason else "",
            is_protected=any(case.held_for(one.value) for one in Hardship), is_disputed=bool(case.objections.disputes),
            capacity=score.capacity if score else None, checks=checks,
        )  # fmt: skip


def _reminders(case: Case) -> int:
    """How often he was reminded of what is open: by the creditor's own books or, after that, by the agreed steps."""
    ours = case.contact.taken if case.contact else 0
    return max((claim.dunning_level for claim in case.claims), default=0) + ours


def _contacts(counts: Mapping[str, int]) -> dict[str, int]:
    return {
        "contacts_made": counts["contact_made"], "contacts_lost": counts["contact_returned"] + counts["channel_lost"],
        "promises_broken": counts[_PROMISE_OVER],
    }  # fmt: skip


def _paid_share(rows: Sequence[Any], currency: str) -> Decimal | None:
    asked = from_minor(sum(row.principal_minor for row in rows), currency)
    paid = from_minor(sum(row.recovered_minor for row in rows), currency)
    return (paid / asked).quantize(Decimal("0.001")) if asked > 0 else None


_THEIRS = (t.cases.c.creditor_id == sa.bindparam("of")) & t.cases.c.debtor_ref.in_(sa.bindparam("refs", expanding=True))
_CASES = sa.select(
    t.cases.c.debtor_ref, t.cases.c.case_id, t.cases.c.status, t.cases.c.outcome, t.cases.c.currency,
    t.cases.c.principal_minor, t.cases.c.recovered_minor,
).where(_THEIRS)  # fmt: skip
_OF_CASE = t.events.c.case_id == t.cases.c.case_id
_EVENTS = (
    sa.select(t.cases.c.debtor_ref, t.events.c.kind, sa.func.count())
    .join(t.events, _OF_CASE)
    .where(_THEIRS, t.events.c.kind.in_(_KINDS))
    .group_by(t.cases.c.debtor_ref, t.events.c.kind)
)
# The hold of a promise is released by its day, when nobody paid; a payment ends the case or what is asked before.
_PROMISES = (
    sa.select(t.cases.c.debtor_ref, sa.literal(_PROMISE_OVER), sa.func.count())
    .join(t.events, _OF_CASE)
    .where(
        _THEIRS, t.events.c.kind == "hold_released", t.events.c.actor == "hub",
        t.events.c.doc.contains(f'"reason":"{PROMISE}"'), t.cases.c.status != Status.CLOSED.value,
    )
    .group_by(t.cases.c.debtor_ref)
)
