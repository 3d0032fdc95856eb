"""Insert or replace: one row, or many at once with a guard that leaves unchanged rows alone."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def put(conn: sa.Connection, table: sa.Table, values: dict[str, object], *, once: tuple[str, ...] = ()) -> None:
    """Insert a row or replace the one with its key, whoever else does the same at this moment.

    The columns named in `once` keep what the first writer said.
    """
    conn.execute(putting(conn.dialect.name, table, tuple(values), once), values)


@lru_cache(maxsize=64)
def putting(dialect: str, table: sa.Table, names: tuple[str, ...], once: tuple[str, ...] = ()) -> sa.Insert:
    """The statement of `put`, for whoever has many rows at once; the same object for the same columns."""
    keys = [column.name for column in table.primary_key]
    insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(table)
    changes = {name: insert.excluded[name] for name in names if name not in keys and name not in once}
    return insert.on_conflict_do_update(index_elements=keys, set_=changes)


def bulk_upsert(
    conn: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], guard: str
) -> int:
    """Insert rows or replace those whose `guard` column differs; returns how many were written.

    `columns` names the values of each tuple in order and begins with the primary key. Values must be what the
    driver takes as they are (no Decimal). A key may stand only once in `rows`.
    """
    if not rows:
        return 0
    # In the order of their keys: two writers never wait for each other, and SQLite finds its pages in one sweep.
    for position in reversed(range(len(table.primary_key))):  # text by text: tuples take three times as long
        rows = sorted(rows, key=itemgetter(position))
    if conn.dialect.name == "sqlite":
        return _sqlite(conn, table, columns, rows, guard)
    return _postgres(conn, table, columns, rows, guard)


def _conflict_clause(table: sa.Table, columns: tuple[str, ...], guard: str) -> str:
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f"{name}=excluded.{name}" for name in columns if name not in keys)
    return (
        f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
        f" WHERE {table.name}.{guard} <> excluded.{guard}"
    )


@lru_cache(maxsize=64)
def _sqlite_statement(table: sa.Table, columns: tuple[str, ...], guard: str) -> str:
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({','.join('?' * len(columns))})"
        + _conflict_clause(table, columns, guard)
    )


def _sqlite(
    conn: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], guard: str
) -> int:
    with contextlib.closing(conn.connection.cursor()) as cursor:
        cursor.executemany(_sqlite_statement(table, columns, guard), rows)
        return int(cursor.rowcount)


def _postgres(
    conn: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], guard: str
) -> int:
    stage = f"stage_{table.name}"
    names = ", ".join(columns)
    stored = [table.c[name] for name in columns]
    raw: Any = conn.connection.driver_connection
    with raw.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS AS"
            f" SELECT {names} FROM {table.name} WITH NO DATA"
        )
        cursor.execute(f"TRUNCATE {stage}")
        with cursor.copy(f"COPY {stage} ({names}) FROM STDIN") as copy:
            for start in range(0, len(rows), _COPIED_ROWS):
                copy.write(copy_text(stored, rows[start : start + _COPIED_ROWS]))
        cursor.execute(
            f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {stage}"
            + _conflict_clause(table, columns, guard)
        )
        return int(cursor.rowcount)


_COPIED_ROWS = 1_000
_NULL = r"\N"
_MARKS = "\\\t\n\r"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def copy_text(columns: Sequence[sa.Column[Any]], rows: Sequence[tuple[Any, ...]]) -> str:
    """Rows of texts, numbers and dates as PostgreSQL's COPY reads them, one line a row; a text is never None.

    Made column by column: the driver's own way, value by value, takes nearly half as long again.
    (https://www.postgresql.org/docs/current/sql-copy.html, "Text Format")
    """
    values = map(_copied, columns, zip(*rows, strict=True))
    return "\n".join(map("\t".join, zip(*values, strict=True))) + "\n"


def _copied(column: sa.Column[Any], values: Sequence[Any]) -> Sequence[str]:
    if not isinstance(column.type, sa.String):
        return [_NULL if value is None else str(value) for value in values]
    whole = "".join(values)  # few columns hold anything to escape: one look at all their texts at once
    return [text.translate(_ESCAPES) for text in values] if any(mark in whole for mark in _MARKS) else values


def read_stored(
    conn: sa.Connection, table: sa.Table, columns: tuple[str, ...], first_key: str, second_keys: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Columns of those rows whose two-part key begins with `first_key` and goes on with one of `second_keys`.

    One bound list instead of thousands of bound values: on a page of an ERP they cost more than the look itself.
    """
    of, ref = (column.name for column in table.primary_key)
    chosen = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {of} = "
    raw: Any = conn.connection.driver_connection
    keys = [key for key in second_keys if "\x00" not in key]  # which PostgreSQL stores nowhere, and refuses in a question
    bound = (first_key, msgspec.json.encode(keys).decode())  # a list of the driver's own takes three times as long
    if conn.dialect.name == "sqlite":
        return list(raw.execute(f"{chosen}? AND {ref} IN (SELECT value FROM json_each(?))", bound))
    return list(raw.execute(f"{chosen}%s AND {ref} = ANY(ARRAY(SELECT json_array_elements_text(%s::json)))", bound))
