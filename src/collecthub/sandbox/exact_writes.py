"""What may be written to the Exact twin through its API: notes, tasks, webhook subscriptions, a few fields of others.

References to things of another division are dropped to null without a word, as the vendor does.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import uuid
from collections.abc import Mapping
from typing import Any

from collecthub.sandbox.exact_books import ExactBooks
from collecthub.sandbox.exact_endpoints import Endpoint
from collecthub.sandbox.exact_webhooks import TOPICS
from collecthub.sandbox.odata import ODataError
from collecthub.sandbox.rows import insert, update

USER = "2b5a7b99-e210-46ee-9511-3cac0b66405d"
_CREATABLE = {
    "activities/CommunicationNotes": "Account Contact Document User Subject Notes Date Status",
    "activities/Tasks": "Account Contact Document User Description Notes ActionDate Status TaskType",
    "webhooks/WebhookSubscriptions": "CallbackURL Topic Description",
    "salesinvoice/PrintedSalesInvoices": "InvoiceID SendEmailToCustomer",
}
_CHANGEABLE = {
    "activities/CommunicationNotes": _CREATABLE["activities/CommunicationNotes"],
    "activities/Tasks": _CREATABLE["activities/Tasks"],
    "cashflow/Receivables": "Description PaymentMethod PaymentReference",
    "crm/Accounts": "Blocked Remarks CreditLineSales PaymentConditionSales Email Phone Classification1 Classification2 "
    "Classification3 Classification4 Classification5 Classification6 Classification7 Classification8",
}
_TABLES = {
    "activities/CommunicationNotes": "note", "activities/Tasks": "task", "cashflow/Receivables": "term",
    "crm/Accounts": "account", "webhooks/WebhookSubscriptions": "subscription",
    "salesinvoice/PrintedSalesInvoices": "mailed",
}  # fmt: skip
_REFERENCES = {"Account": "account", "Contact": "contact", "Document": "document"}
_DATE = re.compile(r"/Date\((-?\d+)\)/")


class ExactWrites:
    """Creates, changes and deletes rows on behalf of an API client."""

    def __init__(self, books: ExactBooks) -> None:
        self._books = books
        self._db = books.connection

    def create(self, endpoint: Endpoint, division: int, client: str, payload: Mapping[str, Any]) -> str:
        """Insert one row and return its ID; raises `ODataError` for unknown properties and missing ones."""
        row = self._values(endpoint, _CREATABLE, division, payload)
        if endpoint.path == "salesinvoice/PrintedSalesInvoices":
            return self._print(row, division)
        now = self._books.now()
        row |= {"ID": str(uuid.uuid4()), "Division": division, "Creator": USER, "Created": now}
        if endpoint.path == "webhooks/WebhookSubscriptions":
            row |= self._subscription(row, division, client)
        else:
            required = "Description" if endpoint.path == "activities/Tasks" else "Subject"
            if not row.get(required):
                raise ODataError(f"Mandatory: {required}")
            row |= {"Modified": now, "HID": self._next_hid(endpoint), "Status": row.get("Status", 20)}
            row |= {"User": row.get("User") or USER}
        try:
            insert(self._db, _TABLES[endpoint.path], row)
        except sqlite3.IntegrityError as error:
            raise ODataError("Data already exists.") from error
        return str(row["ID"])

    def _print(self, row: Mapping[str, Any], division: int) -> str:
        """Print an invoice, which also e-mails it to the customer unless the caller says that it should not."""
        mails = row.get("SendEmailToCustomer", 1)
        done = {"Division": division, "SendEmailToCustomer": mails, "DocumentCreationSuccess": "Created"}
        insert(self._db, "mailed", {**row, **done, "EmailCreationSuccess": "Sent" if mails else None})
        return str(row.get("InvoiceID"))

    def change(self, endpoint: Endpoint, division: int, key: str, payload: Mapping[str, Any]) -> None:
        """Change the writable fields of one row, under a new row version where the table has one."""
        changes = self._values(endpoint, _CHANGEABLE, division, payload) | {"Modified": self._books.now()}
        if _TABLES[endpoint.path] in ("account", "term"):
            changes["Timestamp"] = self._books.stamp(division)
        update(self._db, _TABLES[endpoint.path], key, changes)

    def delete(self, endpoint: Endpoint, key: str) -> None:
        """Delete one row."""
        self._db.execute(f"DELETE FROM {_TABLES[endpoint.path]} WHERE ID = ?", (key,))

    def _subscription(self, row: Mapping[str, Any], division: int, client: str) -> dict[str, Any]:
        url = str(row.get("CallbackURL", ""))
        if not url.startswith(("https://", "http://127.0.0.1:")):
            raise ODataError("Invalid: CallbackURL must be an https address.")
        if row.get("Topic") not in TOPICS:
            raise ODataError(f"Invalid: Topic {row.get('Topic')}")
        return {
            "client": client,
            "ClientID": None,
            "UserID": USER,
            "CreatorFullName": "Sandbox",
            "validated": 0,
        }

    def _values(
        self, endpoint: Endpoint, allowed: Mapping[str, str], division: int, payload: Mapping[str, Any]
    ) -> dict[str, Any]:
        entity = endpoint.entities.entity
        writable = set(allowed[endpoint.path].split())
        row: dict[str, Any] = {}
        for name, value in payload.items():
            if name not in entity.properties:
                raise ODataError(f"The property '{name}' does not exist on type '{entity.name}'.")
            if name in writable:
                row[name] = self._stored(name, entity.properties[name], value, division)
        return row

    def _stored(self, name: str, edm: str, value: Any, division: int) -> Any:
        if value is None:
            return None
        try:
            if edm == "Guid":
                return self._reference(name, str(uuid.UUID(value)), division)
            if edm == "DateTime":
                return _moment(value)
            if edm == "Boolean":
                return int(bool(value))
        except (ValueError, TypeError, AttributeError) as error:
            raise ODataError(
                "Error processing request stream. Error encountered in converting the value from request payload "
                f"for property '{name}' to type '{edm}'"
            ) from error
        return str(value) if edm in ("String", "Double") else int(value)

    def _reference(self, name: str, key: str, division: int) -> str | None:
        if name not in _REFERENCES:
            return key
        found = self._db.execute(
            f"SELECT 1 FROM {_REFERENCES[name]} WHERE ID = ? AND Division = ?", (key, division)
        ).fetchone()
        return key if found else None

    def _next_hid(self, endpoint: Endpoint) -> int:
        table = _TABLES[endpoint.path]
        return int(self._db.execute(f"SELECT coalesce(max(HID), 0) + 1 FROM {table}").fetchone()[0])


def _moment(value: str) -> str:
    match = _DATE.fullmatch(value)
    if match:
        moment = dt.datetime.fromtimestamp(int(match[1]) / 1000, dt.UTC).replace(tzinfo=None)
    else:
        moment = dt.datetime.fromisoformat(value).replace(tzinfo=None)
    return moment.isoformat(timespec="seconds")
