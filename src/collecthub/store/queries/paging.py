"""Keyset pages: stable while rows come and go, and as quick on the last page as on the first.

A cursor is sealed with the hub's key and bound to tenant, list and filters: a forged cursor, another tenant's, or
one of another search is refused.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa

from collecthub.errors import ConfigurationError, PermanentError
from collecthub.store.queries.scope import Scope
from collecthub.store.secrets import MasterKey

LIMIT_DEFAULT, LIMIT_MAX = 50, 200
T = TypeVar("T")


class CursorError(PermanentError):
    """The cursor was not given out for this list by this hub."""


class QueryError(PermanentError):
    """A filter, sort or limit that the list does not offer."""


class Listed(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list. `next_cursor` is null on the last one."""

    items: tuple[T, ...]
    next_cursor: str | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One way to sort a list: a column that is never null, and a unique one that settles equal values."""

    column: sa.ColumnElement[Any]
    unique: sa.ColumnElement[str]
    is_descending: bool = False
    read: Callable[[Any], Any] = str  # the cursor's JSON value back to the column's type


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller asks for; `cursor` is the `next_cursor` of the page before."""

    limit: int = LIMIT_DEFAULT
    cursor: str = ""


def read_page(
    conn: sa.Connection,
    query: sa.Select[Any],
    order: Order,
    page: PageRequest,
    *,
    key: MasterKey,
    scope: Scope,
    name: str,
) -> tuple[Sequence[sa.Row[Any]], str | None]:
    """Rows of one page and the cursor of the next. `name` says which list with which filters this is.

    Raises `QueryError` for a limit outside 1 to 200 and `CursorError` for a cursor that is not this list's.
    """
    if not 1 <= page.limit <= LIMIT_MAX:
        raise QueryError(f"limit is {page.limit}", cure=f"Ask for 1 to {LIMIT_MAX} rows.")
    if page.cursor:
        query = query.where(_after(order, *open_place(key, page.cursor, scope, name)))
    arranged = [order.column, order.unique]
    if order.is_descending:
        query = query.order_by(*(column.desc() for column in arranged))
    else:
        query = query.order_by(*arranged)
    labelled = query.add_columns(order.column.label("_sort"), order.unique.label("_unique"))
    rows = conn.execute(labelled.limit(page.limit + 1)).all()
    if len(rows) <= page.limit:
        return rows, None
    last = rows[page.limit - 1]
    return rows[: page.limit], seal_place(key, (last._sort, last._unique), scope, name)


def _after(order: Order, value: Any, unique: str) -> sa.ColumnElement[bool]:
    """One comparison of two columns, which both databases answer from an index on them."""
    place = sa.tuple_(order.column, order.unique)
    last = sa.tuple_(
        sa.bindparam(None, order.read(value), type_=order.column.type), sa.bindparam(None, unique, type_=sa.String())
    )
    return place < last if order.is_descending else place > last


def seal_place(key: MasterKey, position: tuple[Any, Any], scope: Scope, name: str) -> str:
    """The cursor of a place in a list of a tenant."""
    plain = msgspec.json.encode(position).decode()
    return base64.urlsafe_b64encode(key.seal(plain, "cursor", scope.tenant, name)).decode().rstrip("=")


def open_place(key: MasterKey, cursor: str, scope: Scope, name: str) -> tuple[Any, Any]:
    """The place that a cursor names. Raises `CursorError` for one that is not this list's."""
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        plain = key.unseal(sealed, "cursor", scope.tenant, name)
        value, unique = msgspec.json.decode(plain)
    except (ConfigurationError, binascii.Error, ValueError) as error:
        raise CursorError(
            "the cursor does not belong to this list", cure="Begin again without a cursor, with the same filters."
        ) from error
    return value, unique


def moment(value: str) -> dt.datetime:
    """A moment that came back out of a cursor."""
    return dt.datetime.fromisoformat(value)


def contains(column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    """Rows whose column contains the text; `%` and `_` are ordinary characters."""
    return column.contains(text, autoescape=True)
