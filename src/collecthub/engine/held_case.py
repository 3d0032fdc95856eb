"""The one case that a partner speaks of, if it holds it."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.engine.case_work import locked_case
from collecthub.engine.context import Work
from collecthub.model.case import Case
from collecthub.store import tables as t
from collecthub.store.queries.scope import Scope, cases_of, not_there


def held_case(work: Work, scope: Scope, case_id: str) -> Case:
    """A case that the partner holds now, locked until the transaction ends. Raises `NotThereError`."""
    found = work.conn.scalar(sa.select(t.cases.c.case_id).where(t.cases.c.case_id == case_id, cases_of(scope)))
    case = locked_case(work, case_id) if found is not None else None
    if case is None or case.placement is None or case.placement.sent_at is None:
        raise not_there("case", case_id)
    return case
