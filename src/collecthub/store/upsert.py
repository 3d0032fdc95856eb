"""Insert or replace: one row, or many at once with a guard that leaves unchanged rows alone."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def put(conn: sa.Connection, table: sa.Table, values: dict[str, object], *, once: tuple[str, ...] = ()) -> None:
    """Insert a row or replace the one with its key, whoever else does the same at this moment.

    The columns named in `once` keep what the first writer said.
    """
    keys = [column.name for column in table.primary_key]
    insert = (sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert)(table)
    changes = {name: insert.excluded[name] for name in values if name not in keys and name not in once}
    conn.execute(insert.on_conflict_do_update(index_elements=keys, set_=changes), values)


def bulk_upsert(
    conn: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], guard: str
) -> int:
    """Insert rows or replace those whose `guard` column differs; returns how many were written.

    `columns` names the values of each tuple in order and includes the primary key. Values must be what the
    driver takes as they are (no Decimal). A key may stand only once in `rows`.
    """
    if not rows:
        return 0
    # In the order of their keys: two writers never wait for each other, and SQLite finds its pages in one sweep.
    keys = [columns.index(column.name) for column in table.primary_key]
    rows = sorted(rows, key=itemgetter(*keys))
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
    raw: Any = conn.connection.driver_connection
    with raw.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS AS"
            f" SELECT {names} FROM {table.name} WITH NO DATA"
        )
        cursor.execute(f"TRUNCATE {stage}")
        with cursor.copy(f"COPY {stage} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {stage}"
            + _conflict_clause(table, columns, guard)
        )
        return int(cursor.rowcount)
