"""Writing rows of a twin's books by column name."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any


def insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any], *, keep: bool = False) -> None:
    """Insert one row; an existing one with the same key stays as it is when `keep`, else it is an error."""
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    verb = "INSERT OR IGNORE" if keep else "INSERT"
    connection.execute(f"{verb} INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))


def insert_many(connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the columns of the first, in any order."""
    if rows:
        columns = tuple(rows[0])
        names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
        values = [tuple(row[name] for name in columns) for row in rows]
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


def update(connection: sqlite3.Connection, table: str, key: str, changes: Mapping[str, Any]) -> None:
    """Change columns of the row with this ID."""
    sets = ", ".join(f'"{name}" = ?' for name in changes)
    connection.execute(f"UPDATE {table} SET {sets} WHERE ID = ?", (*changes.values(), key))
