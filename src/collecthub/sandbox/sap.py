"""The SAP S/4HANA twin: `python -m collecthub.sandbox sap --home DIR`.

Vendor surface: OData V2 under `/sap/opu/odata/sap/`, the journal entry change service, the OAuth token endpoint.
Settings: `user`, `password`, `client_id`, `client_secret`, `sap_client`, `page_size`, `change_seconds`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collecthub.sandbox.sap_books import SapBooks
from collecthub.sandbox.sap_change import PATH as CHANGE_PATH
from collecthub.sandbox.sap_change import JournalEntryChange
from collecthub.sandbox.sap_logon import Credentials, Logon
from collecthub.sandbox.sap_service import ROOT, Gateway
from collecthub.sandbox.twin import Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import Control, serve_http

USER, PASSWORD = "COLLECTHUB", "sandbox-password"
CLIENT_ID, CLIENT_SECRET = "sandbox-client", "sandbox-secret"
SAP_CLIENT = "100"
Handler = Callable[[Request], Awaitable[Response]]


class SapControl:
    """The test's hand in the ledger; every method is one control path."""

    def __init__(self, books: SapBooks, gateway: Gateway, change: JournalEntryChange, logon: Logon) -> None:
        self._books = books
        self._gateway = gateway
        self._change = change
        self._logon = logon

    def actions(self) -> dict[str, Control]:
        """Control paths to what they do."""
        return {
            "load": self._books.load, "books": self.books, "post": self.post, "pay": self.pay, "credit": self.credit,
            "reset_clearing": self.reset_clearing,
            "reverse": lambda given: self._books.reverse(given["number"]), "block": self.block, "dun": self.dun,
            "customer": self.customer, "services": self.services, "change": self.change, "logon": self.logon,
        }  # fmt: skip

    def books(self, _: Mapping[str, Any]) -> Any:
        """Open amount per claim, dunning blocks, and totals."""
        self._change.apply_due()
        return self._books.totals()

    def post(self, given: Mapping[str, Any]) -> Any:
        """Post one item: the fields of the neutral model, also `special_gl` and `document_type`."""
        item = {"kind": "invoice", "settles": "", "open_amount": given["amount"], **given}
        return self._books.load({"items": [item]})

    def pay(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "amount"?, "mode"?}`: a full payment clears; less is `partial` or leaves a `residual`."""
        amount = Decimal(given["amount"]) if "amount" in given else None
        return self._books.settle(given["number"], amount, given.get("mode", "partial"))

    def credit(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "credit_number", "amount"?, "allocated"?}`."""
        amount = Decimal(given["amount"]) if "amount" in given else None
        allocated = bool(given.get("allocated", True))
        return self._books.credit(given["number"], given["credit_number"], amount, allocated)

    def reset_clearing(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "reverse"?}`: reset the last clearing of an item, and reverse the money when asked to."""
        return self._books.reset_clearing(given["number"], is_money_reversed=bool(given.get("reverse")))

    def block(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "reason"}`: set the dunning block of an open line in the ledger itself."""
        self._change_line(given["number"], {"DunningBlockingReason": given["reason"]})
        return {"number": given["number"], "dunning_block": given["reason"]}

    def dun(self, given: Mapping[str, Any]) -> Any:
        """`{"number", "level", "dunned_on"}`: a dunning run reached this line; its change date does not move."""
        changes = {"DunningLevel": str(given["level"]), "LastDunningDate": f"{given['dunned_on']}T00:00:00"}
        self._change_line(given["number"], changes)
        return {"number": given["number"], "dunning_level": given["level"]}

    def _change_line(self, number: str, changes: Mapping[str, Any]) -> None:
        line, _ = self._books.claim(number)
        names = ("CompanyCode", "FiscalYear", "AccountingDocument", "AccountingDocumentItem")
        company, year, document, item = (line[name] for name in names)
        self._books.change_line((company, year, document, item), changes)

    def customer(self, given: Mapping[str, Any]) -> Any:
        """`{"customer_ref", "blocked"?, "archived"?, "name"?, "email"?}`: change a customer."""
        allowed = ("blocked", "archived", "name", "email")
        changes = {name: given[name] for name in allowed if name in given} | {"changed": self._books.today()}
        sets = ", ".join(f"{name} = ?" for name in changes)
        cursor = self._books.connection.execute(
            f"UPDATE customer SET {sets} WHERE Customer = ?", (*changes.values(), given["customer_ref"])
        )
        return {"changed": cursor.rowcount}

    def services(self, given: Mapping[str, Any]) -> Any:
        """`{"inactive": [...], "forbidden": [...], "message_next": text, "page_size": n, "missing": [...]}`."""
        behaviour = self._gateway.behaviour
        behaviour.inactive = set(given.get("inactive", behaviour.inactive))
        behaviour.forbidden = set(given.get("forbidden", behaviour.forbidden))
        behaviour.message_next = given.get("message_next", behaviour.message_next)
        behaviour.page_size = int(given.get("page_size", behaviour.page_size))
        behaviour.missing = set(given.get("missing", behaviour.missing))
        return {"inactive": sorted(behaviour.inactive), "forbidden": sorted(behaviour.forbidden)}

    def change(self, given: Mapping[str, Any]) -> Any:
        """`{"delay_seconds"?, "drop"?}` for journal entry changes; always the message monitor."""
        self._change.delay_seconds = float(given.get("delay_seconds", self._change.delay_seconds))
        self._change.drop_next = int(given.get("drop", self._change.drop_next))
        return {"messages": self._change.monitor()}

    def logon(self, given: Mapping[str, Any]) -> Any:
        """`{"unlock": true}`, `{"expire_csrf": true}`, `{"certificate": base64}`; always whether the user is locked."""
        if given.get("unlock"):
            self._logon.unlock()
        if given.get("expire_csrf"):
            self._logon.expire_csrf()
        if "certificate" in given:
            self._logon.trust(given["certificate"])
        return {"locked": self._logon.locked(), "bad_logons": self._logon.bad_logons()}


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    books = open_books(options)
    clock = Clock(books)
    names = {"user": USER, "password": PASSWORD, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    given = {name: options.setting(name, default) for name, default in names.items()}
    given["sap_client"] = options.setting("sap_client", SAP_CLIENT)
    logon = Logon(books, clock, Credentials(**given))
    ledger = SapBooks(books, clock)
    change = JournalEntryChange(ledger, float(options.setting("change_seconds", "2")))
    gateway = Gateway(ledger, logon, options.shared, int(options.setting("page_size", "0")))

    def guarded(handler: Handler) -> Handler:
        async def endpoint(request: Request) -> Response:
            change.apply_due()
            return logon.refusal(request) or await handler(request)

        return endpoint

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "MERGE", "DELETE"]
    surface = Starlette(
        routes=[
            Route("/sap/bc/sec/oauth2/token", logon.token, methods=["POST"]),
            Route(CHANGE_PATH, guarded(change.receive), methods=["POST"]),
            Route(ROOT + "{path:path}", guarded(gateway.handle), methods=methods),
        ]
    )
    serve_http(options, surface, clock, SapControl(ledger, gateway, change, logon).actions(), facts=given)
