"""The Exact Online twin: `python -m collecthub.sandbox exact --home DIR`.

Vendor surface: `/api/oauth2/auth`, `/api/oauth2/token`, `/api/v1/...`, `/docs/SysAttachment.aspx`.
Settings: `client_id`, `client_secret`, `redirect_uri`, `webhook_secret`, `webhook_seconds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from collecthub.sandbox.exact_books import DEFAULT_DIVISION, ExactBooks, guid
from collecthub.sandbox.exact_ledger import allocate, reverse, split
from collecthub.sandbox.exact_limits import RAISED, CallCounter, Limits
from collecthub.sandbox.exact_login import PASSWORD as LOGIN_PASSWORD
from collecthub.sandbox.exact_login import USER as LOGIN_USER
from collecthub.sandbox.exact_oauth import App, TokenServer
from collecthub.sandbox.exact_service import ExactService
from collecthub.sandbox.exact_webhooks import Delivery, WebhookSender, notification
from collecthub.sandbox.rows import insert, update
from collecthub.sandbox.twin import Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import Control, serve_http

CLIENT_ID = "0b7c6d1e-3d0f-4a57-9b55-2f6a3c1d9e01"
CLIENT_SECRET = "sandbox-secret"
REDIRECT_URI = "https://hub.example.org/oauth/callback"
WEBHOOK_SECRET = "sandbox-webhook-secret"
_TOPICS = {"crm/Accounts": "Accounts"}


class ExactControl:
    """The test's hand in the administration; every method is one control path."""

    def __init__(
        self, books: ExactBooks, service: ExactService, counter: CallCounter, tokens: TokenServer
    ) -> None:
        self._books = books
        self._service = service
        self._counter = counter
        self._tokens = tokens
        self._sender: WebhookSender = WebhookSender(books.connection, 1.0)

    def use_sender(self, sender: WebhookSender) -> None:
        """The sender of webhooks, once its delay is known."""
        self._sender = sender
        self._service.changed = self.changed

    def actions(self) -> dict[str, Control]:
        """Control paths to what they do."""
        return {
            "load": self.load, "books": lambda _: self._books.totals(), "pay": self.pay, "credit": self.credit,
            "post": self.post, "reopen": self.reopen, "delete": self.delete, "account": self.account,
            "move_division": lambda given: self._books.move_division(_division(given)), "scopes": self.scopes,
            "limits": self.limits, "next_host": self.next_host, "app": self.app, "webhooks": self.webhooks,
            "tokens": lambda _: self._tokens.state(), "consent": self._tokens.page, "revoke": self._tokens.revoke, "activities": self.activities, "split": self.split,
            "reverse": self.reverse, "allocate": self.allocate, "term": self.term, "contact": self.contact,
            "delete_account": self.delete_account, "lines": self.lines, "mailed": self.mailed,
        }  # fmt: skip

    def load(self, given: Mapping[str, Any]) -> Any:
        """Customers and open items of the neutral model; no webhooks."""
        return self._books.load(given)

    def post(self, given: Mapping[str, Any]) -> Any:
        """Post one item: the fields of the neutral model, `open_amount` defaulting to `amount`."""
        item = {"kind": "invoice", "settles": "", "open_amount": given["amount"], **given}
        loaded = self._books.load({"division": _division(given), "items": [item]})
        self._notify(_division(given), "FinancialTransactions", "Create", guid(given["number"]))
        return loaded

    def pay(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "amount"?}`: match a payment, in full when no amount is given."""
        amount = Decimal(given["amount"]) if "amount" in given else None
        return self._told(given, self._books.settle(given["number"], _division(given), amount))

    def credit(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "credit_number", "amount"?, "allocated"?}`: a credit note, matched unless not allocated."""
        division = _division(given)
        term = self._books.open_term(given["number"], division)
        amount = Decimal(given.get("amount", term["AmountFC"]))
        allocated = bool(given.get("allocated", True))
        reference = self._books.connection.execute(
            "SELECT customer_ref FROM account WHERE ID = ?", (term["Account"],)
        ).fetchone()[0]
        note = {
            "customer_ref": reference, "number": given["credit_number"], "issue_on": self._books.today()[:10],
            "due_on": self._books.today()[:10], "amount": str(-amount), "currency": term["Currency"],
            "open_amount": "0" if allocated else str(-amount), "kind": "credit_note", "settles": given["number"],
        }  # fmt: skip
        self._books.load({"division": division, "items": [note]})
        return self._told(given, self._books.settle(given["number"], division, amount) if allocated else note)

    def reopen(self, given: Mapping[str, Any]) -> Any:
        """`{"number"}`: undo the last match."""
        return self._told(given, self._books.reopen(given["number"], _division(given)))

    def delete(self, given: Mapping[str, Any]) -> Any:
        """`{"number"}`: delete the item."""
        return self._told(given, self._books.delete(given["number"], _division(given)))

    def account(self, given: Mapping[str, Any]) -> Any:
        """`{"customer_ref", "changes": {column: value}}`: change a customer in the administration itself."""
        division = _division(given)
        key = guid(division, "account", given["customer_ref"])
        changes = {
            **given["changes"],
            "Timestamp": self._books.stamp(division),
            "Modified": self._books.now(),
        }
        update(self._books.connection, "account", key, changes)
        self._notify(division, "Accounts", "Update", key)
        return {"ID": key}

    def contact(self, given: Mapping[str, Any]) -> Any:
        """`{"customer_ref", "changes"}`: change the main contact of a customer, or add a `"second"` one."""
        division = _division(given)
        key = guid(guid(division, "account", given["customer_ref"]), "contact")
        changes = {
            **given["changes"],
            "Timestamp": self._books.stamp(division),
            "Modified": self._books.now(),
        }
        if not given.get("second"):
            update(self._books.connection, "contact", key, changes)
            return {"ID": key}
        row = self._books.connection.execute("SELECT * FROM contact WHERE ID = ?", (key,)).fetchone()
        another = {**dict(row), **changes, "ID": guid(key, "second"), "IsMainContact": 0}
        insert(self._books.connection, "contact", another)
        return {"ID": another["ID"]}

    def delete_account(self, given: Mapping[str, Any]) -> Any:
        """`{"customer_ref"}`: delete a customer without items; sync/Deleted will tell."""
        key = guid(_division(given), "account", given["customer_ref"])
        self._books.remove("account", key, _division(given))
        return {"ID": key}

    def split(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "amount", "due_on"}`: let part of an item fall due on another day."""
        division, amount = _division(given), Decimal(given["amount"])
        return self._told(given, split(self._books, given["number"], division, amount, given["due_on"]))

    def reverse(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "matched"?}`: reverse the entry of an item, matched with it at once unless told otherwise."""
        matched = bool(given.get("matched", True))
        return self._told(given, reverse(self._books, given["number"], _division(given), matched=matched))

    def allocate(self, given: Mapping[str, Any]) -> Any:
        """`{"payment", "number", "amount"?}`: match money on account with an item."""
        amount = Decimal(given["amount"]) if "amount" in given else None
        division = _division(given)
        return self._told(given, allocate(self._books, given["payment"], given["number"], division, amount))

    def term(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "changes"?}`: change columns of a term; always the references of the division's terms."""
        division = _division(given)
        if "changes" in given:
            row = self._books.connection.execute(
                "SELECT * FROM term WHERE Division = ? AND number = ? AND HID NOT NULL", (division, given["number"])
            ).fetchone()
            with self._books.books.transaction():
                self._books.change_term(dict(row), given["changes"])
        rows = self._books.connection.execute(
            "SELECT number, PaymentReference FROM term WHERE Division = ? ORDER BY number", (division,)
        )
        return {"references": {row["number"]: row["PaymentReference"] for row in rows}}

    def lines(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "lines": [{"Description", "Quantity", "AmountFC", "VATAmountFC"}]}`: what an invoice is for."""
        division = _division(given)
        entry = guid(division, "entry", given["number"])
        for place, line in enumerate(given["lines"], 1):
            row = {**line, "ID": guid(entry, place), "Division": division, "EntryID": entry, "LineNumber": place}
            insert(self._books.connection, "line", row)
        return {"EntryID": entry}

    def mailed(self, given: Mapping[str, Any]) -> Any:
        """Invoices that were printed through the API, and so e-mailed to customers."""
        rows = self._books.connection.execute("SELECT * FROM mailed").fetchall()
        return {"mailed": [dict(row) for row in rows]}

    def activities(self, given: Mapping[str, Any]) -> Any:
        """Notes and tasks as they are in the books."""
        rows = {
            name: self._books.connection.execute(f"SELECT * FROM {name}").fetchall()
            for name in ("note", "task")
        }
        return {name: [dict(row) for row in found] for name, found in rows.items()}

    def scopes(self, given: Mapping[str, Any]) -> Any:
        """`{"revoked": [...]}`: scopes that the app registration does not have."""
        if "revoked" in given:
            self._service.revoked_scopes = set(given["revoked"])
            self._books.books.put("revoked_scopes", given["revoked"])
        return {"revoked": sorted(self._service.revoked_scopes)}

    def limits(self, given: Mapping[str, Any]) -> Any:
        """`{"a_minute", "a_day", "token_calls_a_day"}`: other limits, counted anew."""
        self._counter.set_limits(Limits(**{name: int(value) for name, value in given.items()}))
        return vars(self._counter.limits)

    def next_host(self, given: Mapping[str, Any]) -> Any:
        """`{"url"}`: let `__next` point to another host; empty for the right one."""
        self._service.next_host = given.get("url", "")
        return {"url": self._service.next_host}

    def app(self, given: Mapping[str, Any]) -> Any:
        """Register an app: `client_id`, `client_secret`, `redirect_uri`, `webhook_secret`."""
        self._tokens.register(App(**given))
        return {"client_id": given["client_id"]}

    def webhooks(self, given: Mapping[str, Any]) -> Any:
        """`{"repeat", "held"}` sets the delivery; `{"release": true, "reverse"?}` sends what was held; always the log."""
        sender = self._sender
        if given.get("release"):
            sender.release(reverse=bool(given.get("reverse")))
        elif given:
            sender.delivery = Delivery(int(given.get("repeat", 1)), bool(given.get("held", False)))
        return {"log": sender.log}

    def changed(self, division: int, path: str, action: str, key: str) -> None:
        """A write came in through the API."""
        if path == "webhooks/WebhookSubscriptions":
            row = self._books.connection.execute(
                "SELECT CallbackURL FROM subscription WHERE ID = ?", (key,)
            ).fetchone()
            self._sender.validate(key, row["CallbackURL"])
        elif path in _TOPICS:
            self._notify(division, _TOPICS[path], action, key)

    def _told(self, given: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        self._notify(
            _division(given), "FinancialTransactions", "Update", str(answer.get("ID", guid(given["number"])))
        )
        return answer

    def _notify(self, division: int, topic: str, action: str, key: str) -> None:
        rows = self._books.connection.execute(
            "SELECT CallbackURL, client FROM subscription WHERE Division = ? AND Topic = ? AND validated",
            (division, topic),
        ).fetchall()
        for row in rows:
            app = self._tokens.app(row["client"])
            content = {
                "Topic": topic, "ClientId": row["client"], "Division": division, "Action": action, "Key": key,
                "ExactOnlineEndpoint": f"https://start.exactonline.be/api/v1/{division}/{topic}(guid'{key}')",
            }  # fmt: skip
            self._sender.notify(row["CallbackURL"], notification(content, app.webhook_secret if app else ""))


def _division(given: Mapping[str, Any]) -> int:
    return int(given.get("division", DEFAULT_DIVISION))


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    books = open_books(options)
    clock = Clock(books)
    limits = RAISED if options.raised_limits else Limits()
    tokens = TokenServer(books, clock, limits.token_calls_a_day)
    names = {
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": REDIRECT_URI, "webhook_secret": WEBHOOK_SECRET,
    }  # fmt: skip
    app = {name: options.setting(name, default) for name, default in names.items()}
    tokens.register(App(*app.values()))
    counter = CallCounter(limits)
    administration = ExactBooks(books, clock)
    service = ExactService(administration, tokens, counter, options.shared)
    control = ExactControl(administration, service, counter, tokens)
    control.use_sender(WebhookSender(books.connection, float(options.setting("webhook_seconds", "1"))))
    surface = Starlette(
        routes=[
            Route("/api/oauth2/auth", tokens.authorise, methods=["GET", "POST"]),
            Route("/api/oauth2/token", tokens.token, methods=["POST"]),
            Route("/docs/SysAttachment.aspx", service.attachment),
            Route("/api/v1/{path:path}", service.api, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
    )
    person = {"username": LOGIN_USER, "password": LOGIN_PASSWORD}
    serve_http(options, surface, clock, control.actions(), facts={**app, **person})
