"""Many rows at once, on both databases: what is new or different is written, the rest is left alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from collecthub.store import migrate
from collecthub.store.database import Database
from collecthub.store.tables import invoices
from collecthub.store.upsert import bulk_upsert, read_stored

COLUMNS = (
    "connection_id", "item_ref", "creditor_id", "debtor_ref", "kind", "state", "due_on", "currency", "amount_minor",
    "open_minor", "dunning_level", "is_blocked", "row_hash",
)  # fmt: skip


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url.replace("postgresql://", "postgresql+psycopg://"))
    migrate.upgrade(found)
    yield found
    found.close()


def line(ref: str, minor: int, fingerprint: int) -> tuple[Any, ...]:
    return ("books", ref, "kroon", "A", "invoice", "open", "2026-05-01", "EUR", minor, minor, 0, 0, fingerprint)


def upsert(database: Database, *rows: tuple[Any, ...]) -> int:
    with database.write() as conn:
        return bulk_upsert(conn, invoices, COLUMNS, rows, "row_hash")


def stored(database: Database) -> dict[str, int]:
    with database.read() as conn:
        return {row.item_ref: row.amount_minor for row in conn.execute(sa.select(invoices.c.item_ref, invoices.c.amount_minor))}


def test_new_and_different_rows_are_written_and_counted(database: Database) -> None:
    assert upsert(database) == 0
    assert upsert(database, line("2", 200, 2), line("1", 100, 1), line("3", 300, 3)) == 3
    assert upsert(database, line("1", 100, 1), line("2", 999, 22), line("4", 400, 4)) == 2
    assert stored(database) == {"1": 100, "2": 999, "3": 300, "4": 400}


def test_the_fingerprint_alone_decides(database: Database) -> None:
    upsert(database, line("1", 100, 1))
    assert upsert(database, line("1", 555, 1)) == 0
    assert stored(database) == {"1": 100}


TEXTS = (
    "plain", "", r"back\slash", "a\ttab", "two\nlines", "carriage\rreturn", r"\N", r"\.", "None", "\\", "Ζαχαρίας 🧾 \u2028", "'\"--",
)  # fmt: skip


def test_texts_are_stored_to_the_letter_whatever_they_hold(database: Database) -> None:
    columns = (*COLUMNS, "debtor_name", "dunned_on")
    alone = [[(*line(f"{number}", 100, 1), text, None)] for number, text in enumerate(TEXTS)]
    together = [(*line(f"t{number}", -100, 1), text, "2026-05-02") for number, text in enumerate(TEXTS)]
    for rows in (*alone, together):
        with database.write() as conn:
            assert bulk_upsert(conn, invoices, columns, rows, "row_hash") == len(rows)
    c = invoices.c
    with database.read() as conn:
        for row in conn.execute(sa.select(c.item_ref, c.debtor_name, c.dunned_on, c.amount_minor, c.text)):
            number = int(row.item_ref.removeprefix("t"))
            is_together = row.item_ref.startswith("t")
            assert (row.debtor_name, row.dunned_on) == (TEXTS[number], dt.date(2026, 5, 2) if is_together else None)
            assert (row.amount_minor, row.text) == (-100 if is_together else 100, "")
    assert len(stored(database)) == 2 * len(TEXTS)


def test_a_row_that_breaks_a_rule_lets_none_of_its_neighbours_in(database: Database) -> None:
    upsert(database, line("1", 100, 1))
    broken = (*line("3", 300, 3)[:6], None, *line("3", 300, 3)[7:])
    with pytest.raises(Exception, match=r"(?i)null"):
        upsert(database, line("2", 200, 2), broken)
    assert stored(database) == {"1": 100}


def test_stored_rows_are_found_by_their_keys(database: Database) -> None:
    upsert(database, line("1", 100, 1), line("2'\"", 200, 2), line("3", 300, 3))
    with database.read() as conn:
        asked = ["2'\"", "3", "9"]
        found = read_stored(conn, invoices, ("item_ref", "open_minor"), "books", asked)
        assert sorted(found) == [("2'\"", 200), ("3", 300)]
        assert read_stored(conn, invoices, ("item_ref",), "other books", asked) == []
        assert read_stored(conn, invoices, ("item_ref",), "books", []) == []
