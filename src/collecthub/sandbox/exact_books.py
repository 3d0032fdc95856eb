"""What happens in the Exact twin's administration: loading, invoicing, paying, crediting, deleting, moving.

Amounts are signed as in the receivables list: invoices positive, credit notes and payments negative. A partial
payment lowers the open term and leaves a second, matched term for the part that was paid.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from collecthub.sandbox.exact_schema import SCHEMA
from collecthub.sandbox.pdf import text_pdf
from collecthub.sandbox.rows import insert, insert_many, update
from collecthub.sandbox.twin import Books, Clock

DEFAULT_DIVISION = 4133185
OPEN, MATCHED = 20, 50
_ENTITY_TYPES = {"term": 10, "account": 2, "contact": 5}
_INT32 = 2**31 - 1
_AMSTERDAM = ZoneInfo("Europe/Amsterdam")
_RATES = {
    "USD": "0.92",
    "GBP": "1.17",
    "CHF": "1.05",
    "JPY": "0.0058",
    "KWD": "3.01",
    "PLN": "0.23",
    "SEK": "0.088",
}
_JOURNALS = {"payment": ("40", "Bank"), "credit_note": ("70", "Sales")}
_CONDITIONS = (("14", 14, 0, "14 days"), ("30", 30, 0, "30 days"), ("45E", 45, 1, "45 days, end of month"))
_TYPES = {"payment": 40, "credit_note": 21}


def guid(*parts: object) -> str:
    """The twin's guid for a thing that is named by `parts`; the same in every run."""
    digits = hashlib.sha1(f"exact/{'/'.join(map(str, parts))}".encode(), usedforsecurity=False).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def plain(amount: Decimal) -> str:
    """Decimal text as the twin keeps it: no exponent, no trailing zeros.

    >>> plain(Decimal("1200.50")), plain(Decimal("-0.00")), plain(Decimal("1E+3"))
    ('1200.5', '0', '1000')
    """
    return format((amount + 0).normalize(), "f") if amount else "0"


def invoice_lines(invoice: Mapping[str, Any]) -> list[str]:
    """The text on the PDF of an invoice."""
    kind = "Credit note" if invoice["Type"] == 8021 else "Invoice"
    return [
        f"{kind} {invoice['number']}",
        f"Date {invoice['InvoiceDate'][:10]}, due {invoice['DueDate'][:10]}",
        f"Total {invoice['AmountFC']} {invoice['Currency']}",
    ]


class ExactBooks:
    """The administration of one Exact customer with its divisions."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self.books = books
        self.clock = clock
        self.connection = books.connection
        self.connection.executescript(SCHEMA)
        self.ensure_division(DEFAULT_DIVISION, "Main company")

    def now(self) -> str:
        """Server local time (Amsterdam) as the vendor stamps Created and Modified."""
        return self.clock.now().astimezone(_AMSTERDAM).replace(tzinfo=None).isoformat(timespec="milliseconds")

    def today(self) -> str:
        """The business day, as a date-only value."""
        return f"{self.clock.now().astimezone(_AMSTERDAM).date().isoformat()}T00:00:00"

    def ensure_division(self, code: int, description: str = "") -> None:
        """Open a division when it is not there yet."""
        self.connection.execute(
            "INSERT OR IGNORE INTO division VALUES (?, ?, 'BE', 'EUR', 1, 1000, 26000001, NULL, ?, ?)",
            (code, description or f"Company {code}", self.now(), self.now()),
        )

        for name, days, months, words in _CONDITIONS:
            row = {
                "ID": guid(code, "condition", name), "Division": code, "Code": name, "Description": words,
                "PaymentDays": days, "PaymentEndOfMonths": months, "Percentage": "1",
                "Created": self.now(), "Modified": self.now(),
            }  # fmt: skip
            insert(self.connection, "condition", row, keep=True)

    def stamp(self, division: int, count: int = 1) -> int:
        """Take `count` row versions of a division and return the first."""
        return self._take(division, "version", count)

    def _take(self, division: int, counter: str, count: int = 1) -> int:
        row = self.connection.execute(
            f"UPDATE division SET {counter} = {counter} + ? WHERE Code = ? RETURNING {counter}",
            (count, division),
        ).fetchone()
        return int(row[0]) - count + 1

    def load(self, payload: Mapping[str, Any]) -> dict[str, int]:
        """Take over customers and open items (the neutral model as JSON); known customers are kept as they are."""
        division = int(payload.get("division", DEFAULT_DIVISION))
        customers, items = payload.get("customers", []), payload.get("items", [])
        self.ensure_division(division)
        with self.books.transaction() as connection:
            self._load_customers(connection, division, customers)
            self._load_items(connection, division, items)
        return {"customers": len(customers), "items": len(items)}

    def _load_customers(self, connection: sqlite3.Connection, division: int, customers: list[Any]) -> None:
        version, now = self.stamp(division, 2 * len(customers)), self.now()
        for index, customer in enumerate(customers):
            account = _account(division, customer, now) | {"Timestamp": version + 2 * index}
            insert(connection, "account", account, keep=True)
            if customer.get("contact"):
                contact = _contact(account, customer, now) | {"Timestamp": version + 2 * index + 1}
                insert(connection, "contact", contact, keep=True)

    def _load_items(self, connection: sqlite3.Connection, division: int, items: list[Any]) -> None:
        count = len(items)
        numbers = self._take(division, "next_number", count)
        version, now, entries = self.stamp(division, 2 * count), self.now(), dict[str, int]()
        terms: list[dict[str, Any]] = []
        invoices: dict[str, dict[str, Any]] = {}
        for index, item in enumerate(items):
            document = item["settles"] if item["kind"] == "instalment" else item["number"]
            entry = entries.setdefault(document, numbers + index)
            term = _term(division, item, document, entry, now) | {"Timestamp": version + 2 * index}
            if item["kind"] == "payment":
                term["InvoiceNumber"] = self._entry_number(division, item.get("settles", ""), entries)
            elif document not in invoices:
                invoices[document] = _invoice(term, document)
            else:
                _add_instalment(invoices[document], term)
            terms.append(term)
            terms.extend(_paid_part(term, item, version + 2 * index + 1))
        insert_many(connection, "invoice", [_finished(one) for one in invoices.values()])
        insert_many(connection, "term", [one for one in terms if Decimal(one["AmountFC"])])

    def _entry_number(self, division: int, number: str, entries: Mapping[str, int]) -> int | None:
        if not number or number in entries:
            return entries.get(number)
        row = self.connection.execute(
            "SELECT EntryNumber FROM term WHERE Division = ? AND number = ?", (division, number)
        ).fetchone()
        return int(row[0]) if row else None

    def open_term(self, number: str, division: int) -> dict[str, Any]:
        """The open term of an item; `KeyError` when there is none."""
        row = self.connection.execute(
            "SELECT * FROM term WHERE Division = ? AND number = ? AND EndDate IS NULL", (division, number)
        ).fetchone()
        if row is None:
            raise KeyError(f"no open item with number {number} in division {division}")
        return dict(row)

    def settle(self, number: str, division: int, amount: Decimal | None, method: str = "B") -> dict[str, Any]:
        """Match money or a credit with an open term: wholly, or by `amount` in the currency of the item."""
        term = self.open_term(number, division)
        full = Decimal(term["AmountFC"])
        part = full if amount is None else amount
        if not (0 < part <= full or full <= part < 0):
            raise ValueError(
                f"item {number} has {full} {term['Currency']} open, {part} cannot be matched with it"
            )
        matched = {
            "Status": MATCHED,
            "IsFullyPaid": 1,
            "EndDate": self.today(),
            "LastPaymentDate": self.today(),
        }
        matched |= {"PaymentMethod": method}
        with self.books.transaction():
            if part == full:
                return self.change_term(term, matched)
            paid = priced(term, part) | {
                "ID": guid(term["ID"], self.stamp(division)),
                "HID": None,
                **matched,
            }
            paid |= {
                "EntryID": guid(paid["ID"], "entry"),
                "Timestamp": self.stamp(division),
                "Modified": self.now(),
            }
            insert(self.connection, "term", paid)
            return self.change_term(term, priced(term, full - part) | {"LastPaymentDate": self.today()})

    def reopen(self, number: str, division: int) -> dict[str, Any]:
        """Undo the last match of an item, as when a direct debit comes back."""
        row = self.connection.execute(
            "SELECT * FROM term WHERE Division = ? AND number = ? AND EndDate IS NOT NULL ORDER BY Timestamp DESC",
            (division, number),
        ).fetchone()
        if row is None:
            raise KeyError(f"no matched item with number {number} in division {division}")
        opened = {"Status": OPEN, "IsFullyPaid": 0, "EndDate": None, "LastPaymentDate": None}
        with self.books.transaction():
            if row["HID"] is not None:
                return self.change_term(dict(row), opened)
            term = self.open_term(number, division)
            self.remove_term(row["ID"], division)
            total = Decimal(term["AmountFC"]) + Decimal(row["AmountFC"])
            return self.change_term(term, priced(term, total))

    def delete(self, number: str, division: int) -> dict[str, Any]:
        """Delete the terms of an item; sync/Deleted will tell."""
        rows = self.connection.execute(
            "SELECT ID FROM term WHERE Division = ? AND number = ?", (division, number)
        ).fetchall()
        with self.books.transaction():
            for row in rows:
                self.remove_term(row["ID"], division)
        return {"number": number, "deleted": [row["ID"] for row in rows]}

    def change_term(self, term: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Write changed columns of a term under a new row version; to be called within a transaction."""
        changes = {**changes, "Timestamp": self.stamp(term["Division"]), "Modified": self.now()}
        update(self.connection, "term", term["ID"], changes)
        return {"ID": term["ID"], "number": term["number"], "open_amount": _open({**term, **changes})}

    def remove_term(self, term_id: str, division: int) -> None:
        """Delete one term and leave its tombstone."""
        self.remove("term", term_id, division)

    def remove(self, table: str, key: str, division: int) -> None:
        """Delete a row that sync endpoints serve and leave its tombstone."""
        version = self.stamp(division)
        self.connection.execute(f"DELETE FROM {table} WHERE ID = ?", (key,))
        tombstone = {
            "Timestamp": version, "Division": division, "ID": guid("deleted", version, key), "EntityKey": key,
            "EntityType": _ENTITY_TYPES[table], "DeletedDate": self.now(),
        }  # fmt: skip
        insert(self.connection, "deleted", tombstone)

    def move_division(self, division: int) -> dict[str, Any]:
        """Regenerate all row versions of a division from the beginning, as a move between servers does."""
        with self.books.transaction() as connection:
            connection.execute("DELETE FROM deleted WHERE Division = ?", (division,))
            connection.execute(
                "UPDATE division SET version = 1, DivisionMoveDate = ? WHERE Code = ?", (self.now(), division)
            )
            for table in ("account", "contact", "term"):
                rows = connection.execute(
                    f"SELECT ID FROM {table} WHERE Division = ? ORDER BY Timestamp", (division,)
                )
                ids = [row["ID"] for row in rows.fetchall()]
                first = self.stamp(division, len(ids))
                pairs = [(first + index, key) for index, key in enumerate(ids)]
                connection.executemany(f"UPDATE {table} SET Timestamp = ? WHERE ID = ?", pairs)
        return {"division": division, "highest": first + len(ids) - 1}

    def totals(self) -> dict[str, Any]:
        """The books as they stand: open amount per item and the sum per currency, signed, as decimal text."""
        rows = self.connection.execute(
            "SELECT term.Division AS division, number, customer_ref, kind, Currency AS currency, AmountFC AS open_amount, "
            "DueDate AS due, term.ID AS ID FROM term JOIN account ON account.ID = term.Account "
            "WHERE term.EndDate IS NULL ORDER BY term.Division, number"
        )
        items = [{**dict(row), "due_on": row["due"][:10]} for row in rows]
        totals: dict[str, Decimal] = {}
        for item in items:
            totals[item["currency"]] = totals.get(item["currency"], Decimal(0)) + Decimal(item["open_amount"])
            del item["due"]
        return {
            "totals": {currency: format(total, "f") for currency, total in totals.items()},
            "items": items,
        }


def rate(currency: str) -> Decimal:
    """Units of the division's currency for one unit of `currency`; 1 for a currency without a rate here."""
    return Decimal(_RATES.get(currency, "1"))


def hid(key: str) -> int:
    """The number under which the list of receivables knows a term."""
    return int(key[:8], 16) << 20 | int(key[9:13] + key[-1], 16)


def priced(term: Mapping[str, Any], amount: Decimal) -> dict[str, Any]:
    """A term for another amount, in its currency and in the division's."""
    home = (amount * Decimal(term["RateFC"])).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return {**term, "AmountFC": plain(amount), "AmountDC": plain(home)}


def _open(term: Mapping[str, Any]) -> str:
    return "0" if term["EndDate"] else str(term["AmountFC"])


def _account(division: int, customer: Mapping[str, Any], now: str) -> dict[str, Any]:
    key = guid(division, "account", customer["customer_ref"])
    return {
        "ID": key, "Division": division, "customer_ref": customer["customer_ref"],
        "Code": customer["customer_ref"].rjust(18), "Name": customer["name"], "Status": "C", "Type": "A", "IsSales": 1,
        "Blocked": 0, "Email": customer.get("email") or None, "Phone": customer.get("phone") or None,
        "Language": customer.get("language") or None, "Country": customer.get("country") or None,
        "Postcode": customer.get("postcode") or None, "City": customer.get("city") or None,
        "AddressLine1": customer.get("street") or None, "VATNumber": customer.get("vat_ref") or None,
        "ChamberOfCommerce": customer.get("registration_ref") or None,
        "MainContact": guid(key, "contact") if customer.get("contact") else None,
        "Classification1": guid("classification", customer.get("kind", "company")), "PaymentConditionSales": "30",
        "IsAnonymised": 0, "Created": now, "Modified": now,
    }  # fmt: skip


def _contact(account: Mapping[str, Any], customer: Mapping[str, Any], now: str) -> dict[str, Any]:
    first, _, last = customer["contact"].partition(" ")
    return {
        "ID": account["MainContact"], "Division": account["Division"], "Account": account["ID"], "FirstName": first,
        "LastName": last or first, "FullName": customer["contact"], "Email": account["Email"],
        "BusinessEmail": account["Email"], "Phone": account["Phone"], "BusinessPhone": account["Phone"],
        "Language": account["Language"], "JobTitleDescription": "Accounts payable", "IsMainContact": 1,
        "IsMailingExcluded": 0, "IsAnonymised": 0, "Created": now, "Modified": now,
    }  # fmt: skip


def _term(division: int, item: Mapping[str, Any], document: str, entry: int, now: str) -> dict[str, Any]:
    number, kind, currency = item["number"], item["kind"], item["currency"]
    key, amount = guid(division, "term", number), Decimal(item["amount"])
    journal, journal_name = _JOURNALS.get(kind, ("70", "Sales"))
    issued, due = f"{item['issue_on']}T00:00:00", f"{item['due_on']}T00:00:00"
    days = (dt.date.fromisoformat(item["due_on"]) - dt.date.fromisoformat(item["issue_on"])).days
    home = (amount * rate(currency)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    term = {
        "ID": key, "Division": division, "HID": hid(key),
        "number": number, "kind": kind, "Account": guid(division, "account", item["customer_ref"]), "Status": OPEN,
        "IsFullyPaid": 0, "Currency": currency, "RateFC": plain(rate(currency)),
        "TransactionAmountFC": plain(amount), "TransactionAmountDC": plain(home),
        "TransactionType": _TYPES.get(kind, 20), "InvoiceNumber": _invoice_number(document, entry),
        "EntryNumber": entry, "EntryID": guid(key, "entry"), "TransactionEntryID": guid(division, "entry", document),
        "TransactionID": guid(key, "transaction"), "EntryDate": issued, "InvoiceDate": issued, "DueDate": due,
        "TransactionDueDate": due, "EndDate": None, "LastPaymentDate": None, "Description": f"{kind} {number}",
        "YourRef": None if kind == "payment" else number, "Journal": journal, "JournalDescription": journal_name,
        "PaymentMethod": "B", "PaymentReference": None, "PaymentCondition": "30", "PaymentDays": days,
        "TransactionIsReversal": 0, "Created": now, "Modified": now, "AmountFC": "0", "AmountDC": "0", "Timestamp": 0,
    }  # fmt: skip
    return priced(term, Decimal(item["open_amount"]))


def _paid_part(term: Mapping[str, Any], item: Mapping[str, Any], version: int) -> list[dict[str, Any]]:
    """The matched term beside one that was partly paid before it was loaded."""
    paid = Decimal(item["amount"]) - Decimal(item["open_amount"])
    if not paid:
        return []
    row = priced(term, paid) | {"ID": guid(term["ID"], "paid"), "HID": None, "Timestamp": version}
    ended = {
        "Status": MATCHED,
        "IsFullyPaid": 1,
        "EndDate": term["DueDate"],
        "LastPaymentDate": term["DueDate"],
    }
    return [row | ended | {"EntryID": guid(term["ID"], "paid", "entry")}]


def _invoice_number(number: str, entry: int) -> int:
    """The number when it fits the vendor's Int32, else the entry number (the number itself is in YourRef)."""
    return int(number) if number.isascii() and number.isdigit() and int(number) <= _INT32 else entry


def _invoice(term: Mapping[str, Any], number: str) -> dict[str, Any]:
    same = (
        "Division",
        "Account",
        "InvoiceNumber",
        "EntryNumber",
        "InvoiceDate",
        "DueDate",
        "Currency",
        "Created",
    )
    key = guid(term["Division"], "invoice", number)
    return {name: term[name] for name in same} | {
        "EntryID": term["TransactionEntryID"], "InvoiceID": key, "document_id": guid(key, "document"),
        "attachment_id": guid(key, "attachment"), "number": number, "YourRef": number,
        "AmountFC": term["TransactionAmountFC"], "AmountDC": term["TransactionAmountDC"],
        "Type": 8021 if term["kind"] == "credit_note" else 8020,
    }  # fmt: skip


def _add_instalment(invoice: dict[str, Any], term: Mapping[str, Any]) -> None:
    for name in ("AmountFC", "AmountDC"):
        invoice[name] = plain(Decimal(invoice[name]) + Decimal(term[f"Transaction{name}"]))
    invoice["DueDate"] = max(invoice["DueDate"], term["DueDate"])


def _finished(invoice: dict[str, Any]) -> dict[str, Any]:
    return invoice | {"file_size": len(text_pdf(invoice_lines(invoice)))}
