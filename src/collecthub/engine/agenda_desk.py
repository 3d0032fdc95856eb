"""What people do from the agenda without opening a case: one act where one click is safe, and many tasks at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import assign_owner
from collecthub.engine.plan_desk import agree_plan
from collecthub.engine.upkeep import complete_task, retry_quarantine
from collecthub.errors import PermanentError
from collecthub.model.agenda import Click, proposal_for
from collecthub.store import tables as t
from collecthub.store.queries.agenda import cases_of_tasks
from collecthub.store.queries.scope import Role, Scope, not_there, tasks_of

TASK, QUARANTINE, OPENED = "task", "quarantine", ("quarantine", "payment", "request")


def act_on(hub: Hub, work: Work, scope: Scope, source: str, item_id: str) -> Click:
    """Do what the agenda proposes for an item, and say what it was.

    Raises `NotThereError`, and `PermanentError` where a person has to look first.
    """
    if source == QUARANTINE and scope.role is Role.OPERATOR:
        retry_quarantine(work, scope, item_id)
        return Click.READ_AGAIN
    if source == TASK:
        return _do_task(hub, work, scope, _task(work, scope, item_id), item_id)
    if source in OPENED:
        raise _not_by_click(item_id)
    raise not_there("item", item_id)


def _do_task(hub: Hub, work: Work, scope: Scope, row: Any, task_id: str) -> Click:
    click = proposal_for(row.kind).click
    if click is Click.AGREE and row.case_id:
        agree_plan(hub, work, scope, row.case_id)
    elif click is Click.DONE:
        complete_task(work, scope, task_id)
    else:
        raise _not_by_click(task_id)
    return click


def _not_by_click(item_id: str) -> PermanentError:
    return PermanentError("this is not done by one click", cure="Open it, and decide there.", reference=item_id)


def finish(work: Work, scope: Scope, task_ids: Sequence[str]) -> tuple[int, int]:
    """Take tasks off the list; those that end by a decision stay. Returns how many went and how many stayed."""
    went = 0
    for task_id in task_ids:
        if proposal_for(_task(work, scope, task_id).kind).click is Click.DONE:
            complete_task(work, scope, task_id)
            went += 1
    return went, len(task_ids) - went


def give(hub: Hub, work: Work, scope: Scope, task_ids: Sequence[str], owner: str) -> None:
    """Put somebody in charge of the cases that tasks are about."""
    for case_id in cases_of_tasks(work.conn, scope, task_ids):
        assign_owner(hub, work, scope, case_id, owner=owner)


def _task(work: Work, scope: Scope, task_id: str) -> Any:
    query = sa.select(t.tasks.c.kind, t.tasks.c.case_id).where(t.tasks.c.task_id == task_id, tasks_of(scope))
    row = work.conn.execute(query).first()
    if row is None:
        raise not_there("task", task_id)
    return row
