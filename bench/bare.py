"""The baseline: a bare loop over the same pages into the same table. `python -m bench.bare SERVER DATABASE ITEMS`.

`requests.Session`, one typed msgspec page (amounts are Decimal, dates are dates), the same row fingerprint, and a
guarded upsert through the driver, 5,000 rows a transaction at the same durability. No checks, no refusals, no plugin, no
checkpoint, no token: what is left is what any program that does this job has to pay.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
import psycopg
import requests

from bench.usage import measured, peak_mb

Row = tuple[Any, ...]
Store = Callable[[list[Row]], None]

COLUMNS = (
    "connection_id item_ref creditor_id debtor_ref debtor_name number kind state issued_on due_on currency"
    " amount_minor open_minor settles_ref group_ref document_ref dunning_level is_blocked dunned_on text row_hash look_on"
).split()
_TYPES = {
    **dict.fromkeys(("issued_on", "due_on", "dunned_on", "look_on"), "DATE"),
    **dict.fromkeys(("amount_minor", "open_minor", "row_hash"), "BIGINT"),
    **dict.fromkeys(("dunning_level", "is_blocked"), "SMALLINT"),
}
_DEFINITIONS = ", ".join(
    f"{name} {_TYPES.get(name, 'TEXT')}{'' if name in ('issued_on', 'dunned_on', 'look_on') else ' NOT NULL'}" for name in COLUMNS
)
SCHEMA = (
    f"CREATE TABLE invoices ({_DEFINITIONS}, PRIMARY KEY (connection_id, item_ref))",
    "CREATE INDEX ix_invoices_debtor ON invoices (connection_id, debtor_ref, look_on)",
)
_CONFLICT = (
    " ON CONFLICT (connection_id, item_ref) DO UPDATE SET "
    + ", ".join(f"{name}=excluded.{name}" for name in COLUMNS[2:])
    + " WHERE invoices.row_hash <> excluded.row_hash"
)
_NAMES = ", ".join(COLUMNS)
_STATEMENT_ROWS = 200
_COMMIT_ROWS = 5_000
_encode = msgspec.msgpack.Encoder().encode


class Term(msgspec.Struct, gc=False):
    """One payment term, by its wire names."""

    ID: str
    Account: str
    AccountName: str
    AmountFC: Decimal
    Currency: str
    Description: str
    DueDate: str
    InvoiceDate: str
    InvoiceNumber: int
    IsFullyPaid: bool
    TransactionEntryID: str


class Results(msgspec.Struct):
    results: list[Term]
    next_url: str = msgspec.field(name="__next", default="")


class Answer(msgspec.Struct):
    d: Results


@cache
def day(wire: str) -> dt.date:
    """`/Date(1781481600000)/` as a date."""
    return dt.date.fromordinal(719_163 + int(wire[6:-2]) // 86_400_000)


def pages(server: str, items: int) -> Iterator[list[Term]]:
    """Every page of a division."""
    decode = msgspec.json.Decoder(Answer).decode
    url = f"{server}/api/v1/{items}/sync/Cashflow/PaymentTerms"
    with requests.Session() as session:
        while url:
            found = decode(session.get(url, timeout=30).content).d
            yield found.results
            url = found.next_url


def row(prefix: str, term: Term) -> Row:
    """The stored row of a term."""
    minor = int(term.AmountFC.scaleb(2))
    values = (
        prefix + term.Account, term.AccountName, str(term.InvoiceNumber),
        "invoice" if minor >= 0 else "credit_note", "paid" if term.IsFullyPaid else "open",
        day(term.InvoiceDate).isoformat(), day(term.DueDate).isoformat(), term.Currency, minor,
        0 if term.IsFullyPaid else minor, "", prefix[:-1], term.TransactionEntryID, 0, 0, None, term.Description,
    )  # fmt: skip
    fingerprint = hashlib.blake2b(_encode(values), digest_size=8).digest()
    return (
        "books", prefix + term.ID, "bench", *values, int.from_bytes(fingerprint, "big", signed=True), "1970-01-01",
    )  # fmt: skip


def sqlite_store(path: str) -> tuple[Store, Callable[[str], Any]]:
    """An empty table in a SQLite file: how to store rows, and how to ask."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA cache_size=-16000", "PRAGMA wal_autocheckpoint=16000", *SCHEMA):
        connection.execute(statement)
    marks = f"({','.join('?' * len(COLUMNS))})"

    @cache
    def upsert(count: int) -> str:
        return f"INSERT INTO invoices ({_NAMES}) VALUES {','.join([marks] * count)}{_CONFLICT}"

    def store(rows: list[Row]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for start in range(0, len(rows), _STATEMENT_ROWS):
            part = rows[start : start + _STATEMENT_ROWS]
            connection.execute(upsert(len(part)), [value for row in part for value in row])
        connection.execute("COMMIT")

    return store, lambda query: connection.execute(query).fetchone()


def postgres_store(url: str) -> tuple[Store, Callable[[str], Any]]:
    """An empty table in a PostgreSQL database: how to store rows, and how to ask."""
    connection = psycopg.connect(url)
    for text in (*SCHEMA, "CREATE TEMP TABLE stage (LIKE invoices) ON COMMIT DELETE ROWS"):
        connection.execute(text)
    connection.commit()

    def store(rows: list[Row]) -> None:
        with connection.cursor() as cursor:
            with cursor.copy(f"COPY stage ({_NAMES}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(f"INSERT INTO invoices ({_NAMES}) SELECT {_NAMES} FROM stage{_CONFLICT}")
        connection.commit()

    return store, lambda query: connection.execute(query).fetchone()


def pull(server: str, items: int, store: Store) -> None:
    """The loop."""
    prefix = f"{items}:"
    held: list[Row] = []
    for page in pages(server, items):
        held += [row(prefix, term) for term in page]
        if len(held) >= _COMMIT_ROWS:
            store(held)
            held = []
    if held:
        store(held)


def main(server: str, database: str, items: int) -> None:
    """Load, pull the same again, and say what it took."""
    is_sqlite = database.startswith("sqlite:///")
    store, ask = sqlite_store(database[10:]) if is_sqlite else postgres_store(database)
    told: dict[str, object] = {}
    for phase in ("load", "again"):
        told[phase] = measured(lambda: pull(server, items, store))
    count, total = ask("SELECT count(*), sum(open_minor) FROM invoices")
    print(json.dumps({**told, "rows": count, "open_minor": int(total), "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
