"""Who is away, and who looks after his cases until a day: one colleague at a time, never in a circle."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from collecthub.engine.context import Work
from collecthub.errors import PermanentError
from collecthub.store.audit import append_audit
from collecthub.store.contact_tables import absences
from collecthub.store.queries.absences import covers
from collecthub.store.queries.scope import Scope
from collecthub.store.upsert import put

LONGEST = dt.timedelta(days=366)


def set_absence(work: Work, scope: Scope, *, owner: str, covered_by: str, until_on: dt.date) -> None:
    """From now until the end of a day `covered_by` sees what `owner` is in charge of. Another one takes its place.

    Raises `PermanentError` for a day that is over or too far, and where the colleague is covered by the owner himself.
    """
    owner, covered_by, today = owner.strip(), covered_by.strip(), work.now.date()
    if not owner or not covered_by or owner == covered_by:
        raise PermanentError("nobody would look after these cases", cure="Name who is away, and somebody else for him.")
    if not today <= until_on <= today + LONGEST:
        raise PermanentError(f"{until_on} is no day to come back", cure="Choose a day from today on, within a year.")
    if covered_by in covers(work.conn, scope, owner, today):
        raise PermanentError(f"{owner} looks after the cases of {covered_by} himself", cure="Name somebody who is there.")
    mine = {"tenant": scope.creditor_id or "", "owner": owner}
    put(work.conn, absences, {
        **mine, "covered_by": covered_by, "until_on": until_on, "set_by": scope.subject, "set_at": work.now,
    })  # fmt: skip
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action="absence.set", subject=scope.creditor_id or "operator",
        detail=f"until {until_on}",
    )


def end_absence(work: Work, scope: Scope, owner: str) -> None:
    """Somebody is back."""
    mine = (absences.c.tenant == (scope.creditor_id or "")) & (absences.c.owner == owner)
    work.conn.execute(sa.delete(absences).where(mine))
