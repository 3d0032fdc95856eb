"""Scores and solvency checks of cases: gather what is known, ask every source and scorer, log the answers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.codes import Outcome, Status
from collecthub.model.event import Fact, InformationSupplied
from collecthub.model.facts_human import DebtorScored, ScoreContested, ScoreOverruled, SolvencyChecked
from collecthub.model.human_tasks import CHECK_JOB, WAITING_CHECK
from collecthub.model.objection import Hardship
from collecthub.model.solvency import Band, DebtorFacts, Score, SolvencyCheck
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.queries.scope import Scope

PAID = frozenset(
    {Outcome.PAID_FULL.value, Outcome.PAID_PARTIAL.value, Outcome.SETTLED_REDUCED.value, Outcome.PAID_BEFORE_HANDOVER.value}
)
UNPAID = frozenset(
    {
        Outcome.INSOLVENT.value, Outcome.LIQUIDATED.value, Outcome.EXHAUSTED.value, Outcome.EXHAUSTED_UNREACHED.value,
        Outcome.UNTRACEABLE.value, Outcome.UNECONOMICAL.value, Outcome.WRITTEN_OFF.value,
    }
)  # fmt: skip
CASES_PER_CHUNK = 100


def debtor_facts(hub: Hub, conn: sa.Connection, case: Case, checks: tuple[SolvencyCheck, ...] = ()) -> DebtorFacts:
    """What the hub knows of the case's debtor at this creditor, from all of his cases there."""
    as_of = hub.business_date()
    same = (t.cases.c.creditor_id == case.creditor_id, t.cases.c.debtor_ref == case.debtor_ref)
    rows = conn.execute(
        sa.select(t.cases.c.case_id, t.cases.c.status, t.cases.c.outcome, t.cases.c.currency, t.cases.c.principal_minor,
                  t.cases.c.recovered_minor).where(*same)
    ).all()  # fmt: skip
    ours = [row for row in rows if row.currency == case.currency]
    asked = sum(row.principal_minor for row in ours)
    paid = sum(row.recovered_minor for row in ours)
    others = [row.outcome for row in rows if row.status == Status.CLOSED.value and row.case_id != case.case_id]
    known = conn.execute(
        sa.select(t.events.c.kind, sa.func.count())
        .where(t.events.c.case_id.in_([row.case_id for row in rows]), t.events.c.kind.in_(_PLAN_KINDS))
        .group_by(t.events.c.kind)
    )
    plans = {kind: count for kind, count in known}
    oldest = min((claim.due_on for claim in case.claims if claim.open_amount > 0), default=as_of)
    reason = case.objections.reason
    return DebtorFacts(
        as_of=as_of, segment=case.segment, country=case.debtor.country, currency=case.currency,
        owed=case.balance.total, oldest_days=max(0, (as_of - oldest).days),
        dunning_level=max((claim.dunning_level for claim in case.claims), default=0),
        paid_share=_share(from_minor(paid, case.currency), from_minor(asked, case.currency)),
        ended_paid=sum(one in PAID for one in others), ended_unpaid=sum(one in UNPAID for one in others),
        plans_kept=plans.get("plan_completed", 0), plans_broken=plans.get("plan_broken", 0),
        instalments_missed=plans.get("instalment_missed", 0), reason=reason.value if reason else "",
        is_protected=any(case.held_for(one.value) for one in Hardship), is_disputed=bool(case.objections.disputes),
        capacity=case.solvency.score.capacity if case.solvency.score else None, checks=checks,
    )  # fmt: skip


_PLAN_KINDS = ("plan_completed", "plan_broken", "instalment_missed")


def _share(paid: Decimal, asked: Decimal) -> Decimal | None:
    return (paid / asked).quantize(Decimal("0.001")) if asked > 0 else None


def score_facts(hub: Hub, conn: sa.Connection, case: Case, occasion: str, capacity: Decimal | None = None) -> list[Fact]:
    """A fresh check of every source and the score that follows, as facts. Raises `PermanentError` without a scorer."""
    as_of = hub.business_date()
    answers = hub.plugins.ask("look_up_solvency", case=case, as_of=as_of)
    checks = tuple(check for _, given in answers for check in given or ())
    known = debtor_facts(hub, conn, case, checks)
    if capacity is not None:
        known = msgspec.structs.replace(known, capacity=capacity)
    found = (score for _, score in hub.plugins.ask("score_debtor", facts=known, occasion=occasion))
    score = next((one for one in found if isinstance(one, Score)), None)
    if score is None:
        raise PermanentError("no plugin scores debtors", cure="See `collecthub plugin list`.")
    return [*(SolvencyChecked(check=check) for check in checks), DebtorScored(score=score)]


def score_case(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, occasion: str = "on request", capacity: Decimal | None = None,
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Look into the debtor's solvency, score him and log both. `capacity` is what he said that he can pay a month."""
    case = case_for(work, scope, case_id, expected_version)
    return change_case(hub, work, case, score_facts(hub, work.conn, case, occasion, capacity), actor=scope.subject)


def overrule_score(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, band: Band, reason: str, expected_version: int | None = None
) -> Case:
    """A person decides otherwise than the score, and says why; it counts until somebody says otherwise."""
    case = case_for(work, scope, case_id, expected_version)
    if case.solvency.score is None:
        raise PermanentError(f"case {case.number} has no score", cure="Score it first.")
    changed = change_case(hub, work, case, [ScoreOverruled(band=band, reason=reason)], actor=scope.subject)
    close_tasks(work, done_by=scope.subject, case_id=case_id, kind="score_contested")
    return changed


def contest_score(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, text: str, expected_version: int | None = None
) -> Case:
    """The debtor does not accept how he was scored; a person looks at it."""
    case = case_for(work, scope, case_id, expected_version)
    return change_case(hub, work, case, [ScoreContested(text=text)], actor=scope.subject)


def score_new(hub: Hub, since: dt.datetime) -> int:
    """Score every open case that was opened since then and has no score yet; returns how many. Needs a scorer."""
    done, after = 0, ""
    while True:
        with hub.work() as work:
            found = work.conn.scalars(_UNSCORED, {"since": since, "after": after}).all()
            work.hold(found)
            for case in filter(None, map(work.book.held, found)):
                if case.is_open and case.solvency.score is None:
                    try:
                        facts = score_facts(hub, work.conn, case, "at the start")
                    except PermanentError:
                        return done  # no plugin scores
                    change_case(hub, work, case, facts, actor="hub")
                    done += 1
        if len(found) < CASES_PER_CHUNK:
            return done
        after = found[-1]


_UNSCORED = (
    sa.select(t.cases.c.case_id)
    .where(
        t.cases.c.opened_at >= sa.bindparam("since"), t.cases.c.case_id > sa.bindparam("after"),
        t.cases.c.status != Status.CLOSED.value,
    )
    .order_by(t.cases.c.case_id)
    .limit(CASES_PER_CHUNK)
)


def check_before_court(hub: Hub, creditor_id: str) -> None:
    """Job: cases that the gate stopped get their check and score, and are routed again when it lets them through."""
    with hub.work() as work:
        found = work.conn.scalars(
            sa.select(t.tasks.c.case_id)
            .where(t.tasks.c.creditor_id == creditor_id, t.tasks.c.kind == WAITING_CHECK, t.tasks.c.state == "open")
            .order_by(t.tasks.c.task_id)
            .limit(CASES_PER_CHUNK)
        ).all()
        work.hold(found)
        for case in filter(None, map(work.book.held, found)):
            facts = score_facts(hub, work.conn, case, "before the judicial phase")
            is_checked = any(isinstance(fact, SolvencyChecked) for fact in facts)
            if case.status is Status.NEEDS_INFO and is_checked:
                facts.append(InformationSupplied(text="the solvency of the debtor was looked into"))
                close_tasks(work, done_by="hub", case_id=case.case_id, kind="unroutable")
            if is_checked:
                close_tasks(work, done_by="hub", case_id=case.case_id, kind=WAITING_CHECK)
            change_case(hub, work, case, facts, actor="hub")
    if len(found) == CASES_PER_CHUNK:
        with hub.work() as work:
            work.wake(CHECK_JOB, creditor_id)

