"""How a command is told which case it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import sqlalchemy as sa

CaseRef = Annotated[str, typer.Argument(metavar="CASE", help="Id or number of the case.")]


def case_id_of(conn: sa.Connection, ref: str) -> str:
    """The id of a case by its number or id. Raises `PermanentError` when there is none."""
    import sqlalchemy as sa

    from collecthub.errors import PermanentError
    from collecthub.store import tables as t

    found = conn.scalar(sa.select(t.cases.c.case_id).where((t.cases.c.number == ref) | (t.cases.c.case_id == ref)))
    if found is None:
        raise PermanentError(f"There is no case {ref[:40]}", cure="`collecthub case list --q NAME` finds one by debtor, invoice or reference.")
    return str(found)
