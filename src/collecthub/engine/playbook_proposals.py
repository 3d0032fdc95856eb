"""A new version of a playbook as one side proposes it: it holds once the other side agrees.

Operator and creditor are the two sides. Each side has one open proposal for a creditor; a later one replaces it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import close_tasks, open_task
from collecthub.engine.context import Work
from collecthub.engine.playbooks import Agreement, creditor_of, read_terms, write_version
from collecthub.errors import PermanentError
from collecthub.store.audit import append_audit
from collecthub.store.contact_tables import playbook_proposals as proposals
from collecthub.store.queries.scope import NotThereError, Scope

OPEN, AGREED, DECLINED, REPLACED = "open", "agreed", "declined", "replaced"
_TASK = "playbook_proposed"


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What is proposed. `side` is who proposed it (operator or creditor); `version` is what it became once agreed."""

    number: int
    content: str
    note: str
    side: str
    proposed_at: dt.datetime
    proposed_by: str
    state: str
    decided_at: dt.datetime | None = None
    decided_by: str = ""
    reason: str = ""
    version: int | None = None


def propose_version(work: Work, scope: Scope, creditor_id: str, text: str, *, note: str = "") -> Proposal:
    """Put a text before the other side. Raises `NotThereError` out of scope, `PermanentError` for a text that says nothing."""
    name = creditor_of(work.conn, scope, creditor_id).name
    read_terms(text, "the proposal")
    mine = proposals.c.creditor_id == creditor_id
    is_replaced = mine & (proposals.c.side == scope.role.value) & (proposals.c.state == OPEN)
    work.conn.execute(sa.update(proposals).where(is_replaced).values(state=REPLACED, decided_at=work.now))
    number = int(work.conn.scalar(sa.select(sa.func.max(proposals.c.number)).where(mine)) or 0) + 1
    made = Proposal(
        number=number, content=text, note=note, side=scope.role.value, proposed_at=work.now, proposed_by=scope.subject,
        state=OPEN,
    )  # fmt: skip
    work.conn.execute(sa.insert(proposals).values(creditor_id=creditor_id, **msgspec.structs.asdict(made)))
    asked = "creditor" if scope.creditor_id is None else "operator"
    open_task(
        work, kind=_TASK, owner=asked, title=f"a playbook for {name} is proposed", creditor_id=creditor_id,
        detail=f"Proposal {number}. {note}".strip(),
    )  # fmt: skip
    _audit(work, scope, creditor_id, "proposed", f"proposal {number}")
    return made


def list_proposals(conn: sa.Connection, scope: Scope, creditor_id: str) -> list[Proposal]:
    """Every proposal, the newest first. Raises `NotThereError` out of scope."""
    creditor_of(conn, scope, creditor_id)
    query = sa.select(proposals).where(proposals.c.creditor_id == creditor_id).order_by(proposals.c.number.desc())
    return [_proposal(row) for row in conn.execute(query)]


def read_proposal(conn: sa.Connection, scope: Scope, creditor_id: str, number: int) -> Proposal:
    """One proposal. Raises `NotThereError`."""
    found = next((one for one in list_proposals(conn, scope, creditor_id) if one.number == number), None)
    if found is None:
        raise NotThereError(f"there is no proposal {number}", cure="See the list of proposals.")
    return found


def agree_to_proposal(work: Work, scope: Scope, creditor_id: str, number: int) -> Proposal:
    """From now on it holds, for new cases. Raises `NotThereError`, `PermanentError` for one's own or a decided one."""
    found = _open_to(work, scope, creditor_id, number)
    terms = read_terms(found.content, "the proposal")
    agreed = Agreement(who=found.proposed_by, on=work.now.date())
    version = write_version(work, scope, creditor_id, terms, agreed=agreed, content=found.content, note=found.note)
    return _decided(work, scope, creditor_id, found, state=AGREED, version=version)


def decline_proposal(work: Work, scope: Scope, creditor_id: str, number: int, *, reason: str) -> Proposal:
    """It does not hold; the other side reads why. Raises as `agree_to_proposal` does."""
    found = _open_to(work, scope, creditor_id, number)
    return _decided(work, scope, creditor_id, found, state=DECLINED, reason=reason)


def _open_to(work: Work, scope: Scope, creditor_id: str, number: int) -> Proposal:
    """The proposal, if this side may decide on it."""
    found = read_proposal(work.conn, scope, creditor_id, number)
    if found.state != OPEN:
        raise PermanentError(f"proposal {number} is {found.state}", cure="Propose a new version.")
    if found.side == scope.role.value:
        raise PermanentError(f"proposal {number} is your own: the other side decides on it", cure="Wait for its answer.")
    return found


def _decided(work: Work, scope: Scope, creditor_id: str, found: Proposal, **values: Any) -> Proposal:
    values |= {"decided_at": work.now, "decided_by": scope.subject}
    mine = (proposals.c.creditor_id == creditor_id) & (proposals.c.number == found.number)
    work.conn.execute(sa.update(proposals).where(mine).values(values))
    close_tasks(work, done_by=scope.subject, creditor_id=creditor_id, kind=_TASK)
    _audit(work, scope, creditor_id, values["state"], f"proposal {found.number}")
    return msgspec.structs.replace(found, **values)


def _proposal(row: Any) -> Proposal:
    return Proposal(**{name: row._mapping[name] for name in Proposal.__struct_fields__})


def _audit(work: Work, scope: Scope, creditor_id: str, what: str, detail: str) -> None:
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action=f"playbook.{what}", subject=creditor_id, detail=detail
    )
