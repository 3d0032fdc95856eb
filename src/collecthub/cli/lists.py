"""Pages of the read models on the command line: the same options and the same answer for every list."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collecthub.cli.hub_access import client
from collecthub.cli.output import print_listed

if TYPE_CHECKING:
    from collecthub.engine.context import Hub
    from collecthub.store.queries.paging import Listed, PageRequest

Limit = Annotated[int, typer.Option(min=1, max=200, help="Rows of a page.")]
Cursor = Annotated[str, typer.Option(help="`next_cursor` of the page before.")]


def print_page(
    read: Callable[[Any, Hub, PageRequest], Listed[Any]], columns: str, *, limit: int, cursor: str, as_json: bool
) -> None:
    """Read one page from the hub and print it; a filter that the list does not offer is wrong usage."""
    from collecthub.store.queries.paging import CursorError, PageRequest, QueryError

    with client() as hub, hub.database.read() as conn:
        try:
            page = read(conn, hub, PageRequest(limit=limit, cursor=cursor))
        except (QueryError, CursorError) as error:
            raise typer.BadParameter(f"{error.message}. {error.cure}") from error
    print_listed(page.items, page.next_cursor, columns, as_json=as_json)
