"""The books of a partner's office: its cases, the messages seen and sent, the money booked.

Messages are kept in the JSON spelling of the published contract: objects with a `type`, amounts as text.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from collecthub.sandbox.twin import Books, Clock

Json = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cases (
    case_id TEXT PRIMARY KEY, case_number TEXT NOT NULL, holder_ref TEXT NOT NULL, currency TEXT NOT NULL,
    principal TEXT NOT NULL, paid TEXT NOT NULL, costs TEXT NOT NULL, debtor_costs TEXT NOT NULL,
    state TEXT NOT NULL, is_suspended INTEGER NOT NULL, progress INTEGER NOT NULL, sequence INTEGER NOT NULL,
    track TEXT NOT NULL, file_message_id TEXT NOT NULL, stopped_after INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS cases_state ON cases (state);
CREATE TABLE IF NOT EXISTS exchanges_in (
    exchange_id TEXT PRIMARY KEY, digest TEXT NOT NULL, replies TEXT NOT NULL, copies INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS messages_in (
    message_id TEXT PRIMARY KEY, case_id TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    answers TEXT NOT NULL, copies INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS early (number INTEGER PRIMARY KEY, case_id TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages_out (
    number INTEGER PRIMARY KEY, case_id TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    exchange_id TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS messages_waiting ON messages_out (number) WHERE exchange_id = '';
CREATE TABLE IF NOT EXISTS exchanges_out (
    cursor INTEGER PRIMARY KEY, exchange_id TEXT UNIQUE NOT NULL, body TEXT NOT NULL, spoil TEXT NOT NULL,
    is_delivered INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, verdict TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS payments (
    payment_ref TEXT PRIMARY KEY, case_id TEXT NOT NULL, currency TEXT NOT NULL, amount TEXT NOT NULL,
    received_on TEXT NOT NULL, reverses_ref TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mischief (
    kind TEXT PRIMARY KEY, exchange_id TEXT NOT NULL, message_id TEXT NOT NULL, expect TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refused (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL);
"""

ACTS = ("case_status_update", "cost_statement", "payment_report", "case_return", "case_instruction")
"""Kinds of message that say the office went on working; none may follow a recall."""


@dataclass
class Case:
    """One case in the office.

    `state` is waiting (read, not decided), held, refused, returned or recalled. `principal` is what the hub told
    last, `costs` include tax, `debtor_costs` are the part of them that the debtor bears.
    """

    case_id: str
    case_number: str
    currency: str
    principal: Decimal
    track: str
    file_message_id: str
    holder_ref: str = ""
    paid: Decimal = Decimal(0)
    costs: Decimal = Decimal(0)
    debtor_costs: Decimal = Decimal(0)
    state: str = "waiting"
    is_suspended: bool = False
    progress: int = 0
    sequence: int = 0
    stopped_after: int = 0

    @property
    def owed(self) -> Decimal:
        """What the office still asks the debtor for; never below zero."""
        return max(self.principal + self.debtor_costs - self.paid, Decimal(0))


_FIELDS = tuple(field.name for field in fields(Case))
_MONEY = ("principal", "paid", "costs", "debtor_costs")
_SAVE = (
    f"INSERT INTO cases ({', '.join(_FIELDS)}) VALUES ({', '.join('?' * len(_FIELDS))}) "
    f"ON CONFLICT (case_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _FIELDS[1:])}"
)


def text(amount: Decimal) -> str:
    """An amount as the contract writes it: no exponent."""
    return f"{amount:f}"


class OfficeBooks:
    """Reads and writes the office's tables; whoever changes several of them does so inside `transaction()`."""

    def __init__(self, books: Books, clock: Clock, ref: str) -> None:
        books.connection.executescript(_SCHEMA)
        self.books, self.clock, self.ref = books, clock, ref
        self._epoch: str = books.get("epoch") or secrets.token_hex(4)
        books.put("epoch", self._epoch)
        self._number: int = books.get("number", 0)

    @property
    def db(self) -> sqlite3.Connection:
        """The connection to the books."""
        return self.books.connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside, with the numbers drawn for it, or nothing."""
        with self.books.transaction():
            yield
            self.books.put("number", self._number)

    def next_number(self) -> int:
        """A number that this office never used before."""
        self._number += 1
        return self._number

    def new_id(self, letter: str, number: int) -> str:
        """An identifier that no other office and no other run of this one uses."""
        return f"{self.ref}-{self._epoch}-{letter}{number:06d}"

    def now(self) -> str:
        """The office's moment, with zone."""
        return self.clock.now().isoformat(timespec="milliseconds")

    def today(self) -> dt.date:
        """The office's date."""
        return self.clock.now().date()

    def case(self, case_id: str) -> Case | None:
        """The case with the hub's id, or None when the office never got it."""
        row = self.db.execute("SELECT * FROM cases WHERE case_id = ?", (case_id,)).fetchone()
        return None if row is None else _case(row)

    def cases(self, *states: str) -> list[Case]:
        """Cases in these states (all when none is named), in the order of arrival."""
        marks = ", ".join("?" * len(states))
        where = f"WHERE state IN ({marks})" if states else ""
        return [_case(row) for row in self.db.execute(f"SELECT * FROM cases {where} ORDER BY rowid", states)]

    def save(self, case: Case) -> None:
        """Write a case as it stands."""
        values = vars(case)
        self.db.execute(_SAVE, [text(values[name]) if name in _MONEY else values[name] for name in _FIELDS])

    def message(self, kind: str, case_id: str, holder_ref: str, **content: Any) -> Json:
        """A new message of this office; it is not queued."""
        identity = {"type": kind, "message_id": self.new_id("m", self.next_number()), "case_id": case_id}
        return {**identity, "holder_ref": holder_ref, **content}

    def acknowledge(
        self, message: Json, verdict: str, code: str = "", reason: str = "", holder_ref: str = ""
    ) -> Json:
        """The office's verdict on a message that it received."""
        return self.message(
            "case_acknowledgement", message["case_id"], holder_ref, in_reply_to=message["message_id"],
            verdict=verdict, reason_code=code, reason=reason, occurred_at=self.now(),
        )  # fmt: skip

    def queue(self, message: Json) -> Json:
        """Put a message among those waiting to leave."""
        self.db.execute(
            "INSERT INTO messages_out (number, case_id, kind, body) VALUES (?, ?, ?, ?)",
            (self.next_number(), message["case_id"], message["type"], json.dumps(message)),
        )
        return message

    def bundle(self, hub_ref: str, size: int, spoil: str = "") -> list[Json]:
        """Put all waiting messages into exchanges of at most `size`; `spoil` says how the twin shall break them."""
        rows = self.db.execute(
            "SELECT number, body FROM messages_out WHERE exchange_id = '' ORDER BY number"
        ).fetchall()
        return [self._exchange(hub_ref, rows[at : at + size], spoil) for at in range(0, len(rows), size)]

    def _exchange(self, hub_ref: str, rows: list[sqlite3.Row], spoil: str) -> Json:
        exchange = self.envelope(hub_ref, [json.loads(row["body"]) for row in rows])
        name = exchange["exchange_id"]
        self.db.executemany(
            "UPDATE messages_out SET exchange_id = ? WHERE number = ?",
            [(name, row["number"]) for row in rows],
        )
        self.db.execute(
            "INSERT INTO exchanges_out (exchange_id, body, spoil) VALUES (?, ?, ?)",
            (name, json.dumps(exchange), spoil),
        )
        return exchange

    def inline(self, hub_ref: str, replies: list[Json]) -> Json:
        """The exchange that carries these answers in the same call: the same for each retry, kept out of the outbox."""
        name = f"{replies[0]['message_id']}-r"
        exchange = {**self.envelope(hub_ref, replies), "exchange_id": name, "created_at": replies[0]["occurred_at"]}
        self.db.execute(
            "INSERT OR IGNORE INTO exchanges_out (exchange_id, body, spoil, is_delivered) VALUES (?, ?, 'inline', 1)",
            (name, json.dumps(exchange)),
        )
        return exchange

    def envelope(self, hub_ref: str, messages: list[Json]) -> Json:
        """A new exchange of this office around some messages."""
        return {
            "exchange_id": self.new_id("x", self.next_number()), "version": "1.0", "sender_ref": self.ref,
            "receiver_ref": hub_ref, "created_at": self.now(), "is_test": False,
            "message_count": len(messages), "messages": messages,
        }  # fmt: skip

    def refuse(self, name: str, code: str, reason: str) -> None:
        """Note what was not taken in and why."""
        self.db.execute(
            "INSERT INTO refused (name, code, reason, at) VALUES (?, ?, ?, ?)",
            (name, code, reason, self.now()),
        )


def _case(row: sqlite3.Row) -> Case:
    values: dict[str, Any] = {name: Decimal(row[name]) if name in _MONEY else row[name] for name in _FIELDS}
    return Case(**{**values, "is_suspended": bool(row["is_suspended"])})
