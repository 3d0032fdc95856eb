"""The SAP Business One twin: `python -m collecthub.sandbox b1 --home DIR`.

Vendor surface: the Service Layer under `/b1s/v1/` (OData V3) and `/b1s/v2/` (V4): logon, invoices, down payments,
credit notes, incoming payments, journal entries, open transactions, business partners, activities. Settings: `user`,
`password`, `company`, `session_minutes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collecthub.sandbox.b1_books import B1Books, is_foreign, still_open
from collecthub.sandbox.b1_service import ServiceLayer
from collecthub.sandbox.b1_sessions import Sessions
from collecthub.sandbox.twin import Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import Control, serve_http

USER, PASSWORD, COMPANY = "collecthub", "sandbox-password", "SBODEMO"
SESSION_MINUTES = 30
_SIGNS = {"Invoices": (1, "INV"), "DownPayments": (1, "DPI"), "CreditNotes": (-1, "CRN")}


class B1Control:
    """The test's hand in the company database; every method is one control path."""

    def __init__(self, books: B1Books, service: ServiceLayer, sessions: Sessions) -> None:
        self._books = books
        self._service = service
        self._sessions = sessions

    def actions(self) -> dict[str, Control]:
        """Control paths to what they do."""
        return {
            "load": self._books.load, "books": self.books, "post": self.post, "pay": self.pay, "credit": self.credit,
            "reset_clearing": lambda given: self._books.reset_clearing(given["number"]),
            "cancel": lambda given: self._books.cancel(given["number"]), "block": self.block, "dun": self.dun,
            "customer": self.customer, "service": self.service, "sessions": self.sessions,
            "activities": self.activities, "wipe": lambda _: self._books.wipe(), "journal": self._service.journal.post,
            "reconcile": self._service.journal.reconcile, "drift": self._service.journal.drift,
        }  # fmt: skip

    def books(self, _: Mapping[str, Any]) -> Any:
        """Open amount per instalment, credit note and payment, and totals per currency."""
        items = [*self._documents(), *self._payments(), *self._journal_lines()]
        totals: dict[str, Decimal] = {}
        for item in items:
            totals[item["currency"]] = totals.get(item["currency"], Decimal(0)) + Decimal(item["open_amount"])
        return {"totals": {currency: str(total) for currency, total in totals.items()}, "items": items}

    def _documents(self) -> list[dict[str, Any]]:
        rows = self._books.connection.execute(
            "SELECT i.*, d.CardCode, d.DocCurrency, d.BlockDunning, d.NumAtCard FROM instalment i "
            "JOIN document d USING (object, DocEntry) WHERE DocumentStatus = 'bost_Open' "
            "AND DownPaymentType IS NOT 'dptRequest' ORDER BY i.number"
        ).fetchall()
        items = []
        for row in rows:
            sign, letters = _SIGNS[row["object"]]
            amount = sign * still_open(row)
            key = [letters, str(row["DocEntry"]), str(row["InstallmentId"])]
            kind = "invoice" if sign > 0 else "credit_note"
            if amount:
                items.append(_shown(row, kind, amount, key, row["DueDate"], row["BlockDunning"] == "tYES"))
        return items

    def _payments(self) -> list[dict[str, Any]]:
        rows = self._books.connection.execute(
            "SELECT p.*, p.DocDate AS DueDate FROM payment p WHERE Cancelled = 'tNO' ORDER BY number"
        ).fetchall()
        items = []
        for row in rows:
            suffix = "FC" if is_foreign(row["DocCurrency"]) else ""
            column = "AppliedFC" if suffix else "SumApplied"
            lines = self._books.connection.execute(
                f"SELECT {column} FROM applied WHERE payment = ?", (row["DocEntry"],)
            ).fetchall()
            left = Decimal(row[f"CashSum{suffix}"]) - sum((Decimal(line[0]) for line in lines), Decimal(0))
            if not suffix:  # what a person reconciled later is counted in the company's currency
                left -= Decimal(row["reconciled"])
            if left:
                items.append(_shown(row, "payment", -left, ["PAY", str(row["DocEntry"])], row["DocDate"], False))
        return items

    def _journal_lines(self) -> list[dict[str, Any]]:
        return [
            _shown(row, "journal_entry", row["open"], row["key"], row["due_on"], False)
            for row in self._service.journal.items()
        ]

    def post(self, given: Mapping[str, Any]) -> Any:
        """Post one item: the fields of the neutral model."""
        item = {"kind": "invoice", "settles": "", "open_amount": given["amount"], **given}
        return self._books.load({"items": [item]})

    def pay(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "amount"?, "mode"?}`: applied to the invoice, or left unallocated in `mode` account."""
        amount = Decimal(given["amount"]) if "amount" in given else None
        return self._books.settle(given["number"], amount, given.get("mode", "partial"))

    def credit(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "credit_number", "amount"?, "allocated"?}`."""
        amount = Decimal(given["amount"]) if "amount" in given else None
        return self._books.credit(
            given["number"], given["credit_number"], amount, bool(given.get("allocated", True))
        )

    def block(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "blocked"}`: set BlockDunning of an invoice by hand."""
        row = self._books.claim(given["number"])[0]
        self._books.change("Invoices", row["DocEntry"], {"BlockDunning": "tYES" if given["blocked"] else "tNO"})
        return {"number": given["number"]}

    def dun(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "level", "dunned_on"}`: a dunning run reached this instalment; no update date moves."""
        row = self._books.claim(given["number"])[0]
        self._books.connection.execute(
            "UPDATE instalment SET DunningLevel = ?, LastDunningDate = ? WHERE object = 'Invoices' AND DocEntry = ? AND "
            "InstallmentId = ?",
            (int(given["level"]), given["dunned_on"], row["DocEntry"], row["InstallmentId"]),
        )
        return {"number": given["number"], "dunning_level": given["level"]}

    def customer(self, given: Mapping[str, Any]) -> Any:
        """`{"customer_ref", "BlockDunning"?, "Frozen"?, "Valid"?}`: change a customer by hand."""
        changes = {name: given[name] for name in ("BlockDunning", "Frozen", "Valid") if name in given}
        sets = "".join(f"{name} = ?, " for name in changes)
        cursor = self._books.connection.execute(
            f"UPDATE partner SET {sets}version = version + 1 WHERE CardCode = ?",
            (*changes.values(), given["customer_ref"]),
        )
        return {"changed": cursor.rowcount}

    def service(self, given: Mapping[str, Any]) -> Any:
        """`{"drops_filter"?, "ignores_page_size"?, "moves_update_date"?, "tells_open_transactions"?}`."""
        journal = self._service.journal
        journal.is_offered = bool(given.get("tells_open_transactions", journal.is_offered))
        manners = self._service.manners
        manners.drops_filter = bool(given.get("drops_filter", manners.drops_filter))
        manners.ignores_page_size = bool(given.get("ignores_page_size", manners.ignores_page_size))
        self._books.is_update_seen = bool(given.get("moves_update_date", self._books.is_update_seen))
        return {"ignores_page_size": manners.ignores_page_size}

    def sessions(self, given: Mapping[str, Any]) -> Any:
        """`{"expire": true}` and `{"unlock": true}`; always how many are in use and how many logons there were."""
        if given.get("expire"):
            self._sessions.expire()
        if given.get("unlock"):
            self._sessions.unlock()
        locked = self._sessions.locked()
        return {"in_use": self._sessions.in_use(), "logins": self._sessions.logins, "locked": locked}

    def activities(self, _: Mapping[str, Any]) -> Any:
        """What was noted on customers."""
        rows = self._books.connection.execute("SELECT * FROM activity ORDER BY ActivityCode").fetchall()
        return {"items": [dict(row) for row in rows]}


def _shown(row: Any, kind: str, amount: Decimal, key: list[str], due_on: str, blocked: bool) -> dict[str, Any]:
    return {
        "number": row["number"], "customer_ref": row["CardCode"], "kind": kind, "company": "",
        "currency": row["DocCurrency"], "open_amount": str(amount), "due_on": due_on,
        "dunning_block": "tYES" if blocked else "", "key": key, "text": "",
    }  # fmt: skip


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    books = open_books(options)
    clock = Clock(books)
    names = {"company": COMPANY, "user": USER, "password": PASSWORD}
    given = {name: options.setting(name, default) for name, default in names.items()}
    minutes = int(options.setting("session_minutes", str(SESSION_MINUTES)))
    sessions = Sessions(books, clock, given["company"], given["user"], given["password"], minutes)
    ledger = B1Books(books, clock)
    service = ServiceLayer(ledger, sessions, options.shared)

    async def login(request: Request) -> Response:
        return await sessions.login(request, request.path_params["version"])

    async def call(request: Request) -> Response:
        if request.path_params["version"] not in ("v1", "v2"):
            return Response(status_code=404)
        return await service.handle(request)

    surface = Starlette(
        routes=[
            Route("/b1s/{version}/Login", login, methods=["POST"]),
            Route("/b1s/{version}/{path:path}", call, methods=["GET", "POST", "PATCH", "DELETE"]),
        ]
    )
    serve_http(options, surface, clock, B1Control(ledger, service, sessions).actions(), facts=given)
