"""One page of an entity set out of the twin's books: system query options to SQL, and the token of the next page."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collecthub.sandbox.odata import (
    Condition,
    EntityType,
    ODataError,
    compile_filter,
    read_literals,
    write_literal,
)

_OPTIONS = {
    "$filter",
    "$select",
    "$orderby",
    "$top",
    "$skip",
    "$skiptoken",
    "$inlinecount",
    "$expand",
    "$format",
}


@dataclass(frozen=True)
class EntitySet:
    """A set of the vendor's model, read from the table or view `source`, whose columns are named as the properties.

    A property without a column has one constant value: its entry in `constants`, else `blanks` by type, else null.
    """

    name: str
    entity: EntityType
    source: str
    page_size: int
    live: frozenset[str]
    constants: Mapping[str, object] = field(default_factory=dict)
    blanks: Mapping[str, object] = field(default_factory=dict)

    def column(self, name: str) -> str:
        """SQL expression of a property, comparable in its own type."""
        edm = self.entity.properties[name]
        if name in self.live:
            return f'CAST("{name}" AS REAL)' if edm in ("Double", "Decimal") else f'"{name}"'
        return _sql_constant(self.constants.get(name, self.blanks.get(edm)))

    def value(self, name: str) -> str:
        """SQL expression that yields a property as it is kept (amounts as decimal text)."""
        return f'"{name}"' if name in self.live else self.column(name)

    @property
    def names(self) -> tuple[str, ...]:
        """All properties that are values, in the order of the model."""
        return tuple(name for name, edm in self.entity.properties.items() if edm != "Collection")


@dataclass(frozen=True)
class Query:
    """Checked system query options of one request."""

    select: tuple[str, ...]
    condition: Condition
    order: tuple[tuple[str, bool], ...]
    top: int | None = None
    skip: int = 0
    after: tuple[object, ...] = ()
    count: bool = False
    expand: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """Rows: the values of `names`, then those of `order`. `token` is set when there are more rows.

    `total` is set when a count was asked for.
    """

    names: tuple[str, ...]
    order: tuple[str, ...]
    rows: list[tuple[object, ...]]
    token: str = ""
    total: int | None = None


def live_columns(connection: sqlite3.Connection, source: str) -> frozenset[str]:
    """Names of the columns of a table or view."""
    return frozenset(str(row[1]) for row in connection.execute(f'PRAGMA table_info("{source}")'))


def read_query(options: Mapping[str, str], entity_set: EntitySet) -> Query:
    """Check the `$` options of a request against the entity; raises `ODataError` for what is unknown or malformed."""
    unknown = [name for name in options if name.startswith("$") and name not in _OPTIONS]
    if unknown:
        raise ODataError(f"The query parameter '{unknown[0]}' is not supported.")
    entity = entity_set.entity
    text = options.get("$filter", "")
    condition = compile_filter(text, entity, entity_set.column) if text else Condition("1", ())
    token = options.get("$skiptoken", "")
    expand = tuple(part.strip() for part in options.get("$expand", "").split(",") if part.strip())
    return Query(
        select=_read_select(options.get("$select", ""), entity_set, expand),
        condition=condition,
        order=_read_order(options.get("$orderby", ""), entity),
        top=_whole_number(options, "$top"),
        skip=_whole_number(options, "$skip") or 0,
        after=tuple(read_literals(token, entity.dialect)) if token else (),
        count=_inline_count(options),
        expand=expand,
    )


def _inline_count(options: Mapping[str, str]) -> bool:
    wanted = options.get("$inlinecount", "none")
    if wanted not in ("none", "allpages"):
        raise ODataError(
            f"Unknown $inlinecount option, only 'allpages' and 'none' are supported, not '{wanted}'."
        )
    return wanted == "allpages"


def _whole_number(options: Mapping[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise ODataError(f"Incorrect format for {name} argument '{text}'.")
    return int(text)


def _known(name: str, entity: EntityType) -> str:
    if name not in entity.properties:
        raise ODataError(entity.dialect.unknown_property.format(name=name, type=entity.name, position=0))
    return name


def _read_select(text: str, entity_set: EntitySet, expand: Sequence[str]) -> tuple[str, ...]:
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    if not wanted or "*" in wanted:
        return entity_set.names
    roots = {part.split("/")[0] for part in expand}
    own = [name for name in wanted if name.split("/")[0] not in roots]
    known = dict.fromkeys(_known(name, entity_set.entity) for name in own)
    return tuple(name for name in known if entity_set.entity.properties[name] != "Collection")


def _read_order(text: str, entity: EntityType) -> tuple[tuple[str, bool], ...]:
    order: dict[str, bool] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, direction = part.partition(" ")
        if direction.strip() not in ("", "asc", "desc"):
            raise ODataError(entity.dialect.syntax.format(position=len(name)))
        order.setdefault(_known(name, entity), direction.strip() == "desc")
    for name in entity.key:
        order.setdefault(name, False)
    return tuple(order.items())


def read_page(
    connection: sqlite3.Connection,
    entity_set: EntitySet,
    query: Query,
    where: str = "1",
    parameters: Sequence[object] = (),
) -> Page:
    """Run a query, limited to the rows that `where` allows, and cut it at the set's page size (0: unlimited)."""
    limit = min(filter(None, (entity_set.page_size, query.top)), default=-1)
    if query.top == 0:
        limit = 0
    condition = f"({where}) AND {query.condition.sql}"
    values = (*parameters, *query.condition.parameters)
    seek, seek_values = _seek(entity_set, query.order, query.after)
    order_names = tuple(name for name, _ in query.order)
    columns = ", ".join(entity_set.value(name) for name in (*query.select, *order_names))
    ordering = ", ".join(entity_set.column(name) + (" DESC" if down else "") for name, down in query.order)
    rows = [
        tuple(row)
        for row in connection.execute(
            f"SELECT {columns} FROM {entity_set.source} WHERE {condition} AND {seek} ORDER BY {ordering} LIMIT ? OFFSET ?",
            (*values, *seek_values, limit + 1 if limit > 0 else limit, query.skip),
        )
    ]
    more = limit > 0 and len(rows) > limit and not (query.top and limit == query.top)
    rows = rows[:limit] if limit >= 0 else rows
    token = _token(entity_set.entity, order_names, rows[-1][len(query.select) :]) if more else ""
    total = _total(connection, entity_set, condition, values) if query.count else None
    return Page(query.select, order_names, rows, token, total)


def _total(
    connection: sqlite3.Connection, entity_set: EntitySet, condition: str, values: Sequence[object]
) -> int:
    statement = f"SELECT count(*) FROM {entity_set.source} WHERE {condition}"
    return int(connection.execute(statement, tuple(values)).fetchone()[0])


def _token(entity: EntityType, names: Sequence[str], values: Sequence[object]) -> str:
    return ",".join(
        write_literal(value, entity.properties[name]) for name, value in zip(names, values, strict=True)
    )


def _seek(
    entity_set: EntitySet, order: Sequence[tuple[str, bool]], after: Sequence[object]
) -> tuple[str, tuple[object, ...]]:
    """Condition for rows that come after the one whose order values are `after`; nulls come first."""
    if not after:
        return "1", ()
    if len(after) != len(order):
        raise ODataError("The $skiptoken does not fit the $orderby of the request.")
    (name, down), value = order[0], after[0]
    column = entity_set.column(name)
    if len(order) == 1:
        return _beyond(column, down, value)
    rest, rest_values = _seek(entity_set, order[1:], after[1:])
    beyond, values = _beyond(column, down, value)
    return f"({beyond} OR ({column} IS ? AND {rest}))", (*values, value, *rest_values)


def _beyond(column: str, down: bool, value: object) -> tuple[str, tuple[object, ...]]:
    if value is None:
        return ("0" if down else f"{column} IS NOT NULL"), ()
    return (f"({column} < ? OR {column} IS NULL)" if down else f"{column} > ?"), (value,)


def _sql_constant(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return str(int(value)) if isinstance(value, bool) else str(value)
    return "'" + str(value).replace("'", "''") + "'"
