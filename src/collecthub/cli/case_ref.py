"""How a command is told which case it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import sqlalchemy as sa

CaseRef = Annotated[str, typer.Argument(metavar="CASE", help="Id or number of the case.")]


def case_id_of(conn: sa.Connection, ref: str) -> str:
    """The id that a case number belongs to; anything else is taken for an id."""
    import sqlalchemy as sa

    from collecthub.store import tables as t

    return conn.scalar(sa.select(t.cases.c.case_id).where(t.cases.c.number == ref)) or ref
