"""Who asks, and what therefore exists for him.

A `Scope` comes from the credential only. Every query takes one and adds its tenant's condition itself; what lies
outside is answered with the same words as what does not exist.
"""

from __future__ import annotations

import enum

import msgspec
import sqlalchemy as sa

from collecthub.errors import PermanentError
from collecthub.model.codes import Status
from collecthub.store import tables as t


class Role(enum.StrEnum):
    """Which party a credential belongs to."""

    OPERATOR = "operator"
    CREDITOR = "creditor"
    PARTNER = "partner"


class NotThereError(PermanentError):
    """There is no such thing, or it belongs to somebody else: nobody can tell the two apart."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Role and tenant of a credential. `subject` is `user:<id>` or `key:<id>`, as events and audit name it."""

    role: Role
    subject: str
    creditor_id: str | None = None
    partner_id: str | None = None

    @property
    def tenant(self) -> str:
        """What a cursor is bound to: the same for every credential of one tenant."""
        return f"{self.role.value}/{self.creditor_id or ''}/{self.partner_id or ''}"


LOCAL_OPERATOR = Scope(role=Role.OPERATOR, subject="user:local")  # the command line, on the hub's own machine


def cases_of(scope: Scope) -> sa.ColumnElement[bool]:
    """The cases that exist for a scope; for a partner those that it holds now."""
    match scope.role:
        case Role.OPERATOR:
            return sa.true()
        case Role.CREDITOR:
            return t.cases.c.creditor_id == (scope.creditor_id or "")
        case Role.PARTNER:
            return (t.cases.c.partner_id == (scope.partner_id or "")) & (
                t.cases.c.status != Status.SENDING.value
            )


def owned_by(scope: Scope, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Rows of a table with a creditor's column: all for the operator, a creditor's own, none for a partner."""
    match scope.role:
        case Role.OPERATOR:
            return sa.true()
        case Role.CREDITOR:
            return column == (scope.creditor_id or "")
        case Role.PARTNER:
            return sa.false()


def tasks_of(scope: Scope) -> sa.ColumnElement[bool]:
    """The tasks that somebody may see: a creditor those of his cases that are his to do."""
    mine = owned_by(scope, t.tasks.c.creditor_id)
    return mine & (t.tasks.c.owner == "creditor") if scope.creditor_id else mine


def at_partner(scope: Scope, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Rows of a table with a partner's column: all for the operator, a partner's own, none for a creditor."""
    match scope.role:
        case Role.OPERATOR:
            return sa.true()
        case Role.CREDITOR:
            return sa.false()
        case Role.PARTNER:
            return column == (scope.partner_id or "")


def not_there(what: str, identifier: str) -> NotThereError:
    """The one answer for an unknown id and for somebody else's."""
    several = f"{what[:-1]}ies" if what.endswith("ry") else f"{what}s"
    return NotThereError(
        f"there is no {what} {identifier[:64]}", cure=f"See the list of {several}.", reference=identifier[:64]
    )
