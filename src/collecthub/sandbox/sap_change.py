"""The asynchronous SOAP service "Journal Entry - Change": accepted at once, applied later, sometimes never.

Source of the message: the vendor's WSDL; the root element is in its namespace, all others are in none.
"""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from collecthub.sandbox.sap_books import SapBooks

PATH = "/sap/bc/srt/scs_ext/sap/journalentrybulkchangerequest_"
ACTION = (
    "http://sap.com/xi/SAPSCORE/SFIN/JournalEntryBulkChangeRequest_In/JournalEntryBulkChangeRequest_InRequest"
)
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_ROOT = "{http://sap.com/xi/SAPSCORE/SFIN}JournalEntryBulkChangeRequestMessage"
_COLUMNS = {
    "DunningBlockingReasonCode": ("DunningBlockingReason", 1), "DunningLevel": ("DunningLevel", 1),
    "DunningKey": ("DunningKey", 1), "LastDunningDate": ("LastDunningDate", 10),
    "DocumentItemText": ("DocumentItemText", 50), "AssignmentReference": ("AssignmentReference", 18),
    "PaymentTerms": ("PaymentTerms", 4), "PaymentBlockingReasonCode": ("PaymentBlockingReason", 1),
}  # fmt: skip


class JournalEntryChange:
    """Receives change requests and applies them when their time has come."""

    def __init__(self, books: SapBooks, delay_seconds: float) -> None:
        self._books = books
        self._db = books.connection
        self.delay_seconds = delay_seconds
        self.drop_next = 0

    async def receive(self, request: Request) -> Response:
        """202 for a well-formed message, a SOAP fault otherwise. Nothing is said about its success."""
        body = await request.body()
        if request.headers.get("soapaction", "").strip('"') != ACTION:
            return _fault("Action is not supported by the service.")
        try:
            message = _message(body)
            key = message.findtext("MessageHeader/ID") or message.findtext("MessageHeader/UUID") or ""
        except (ET.ParseError, ValueError) as error:
            return _fault(f"Web service processing error: {error}")
        now = self._books.clock.timestamp()
        outcome = "dropped" if self.drop_next > 0 else "waiting"
        self.drop_next = max(0, self.drop_next - 1)
        values = (key or f"anonymous {now}", now, now + self.delay_seconds, body, outcome)
        try:
            self._db.execute("INSERT INTO change_request VALUES (?, ?, ?, ?, ?)", values)
        except sqlite3.IntegrityError:
            return Response(status_code=202)
        return Response(status_code=202)

    def apply_due(self) -> None:
        """Apply the messages whose time has come; called before anything is read."""
        due = self._db.execute(
            "SELECT message, body FROM change_request WHERE outcome = 'waiting' AND due <= ?",
            (self._books.clock.timestamp(),),
        ).fetchall()
        for row in due:
            outcome = "; ".join(
                self._apply(item) for item in _message(row["body"]).iter("JournalEntryDebtorCreditorItem")
            )
            self._db.execute(
                "UPDATE change_request SET outcome = ? WHERE message = ?", (outcome, row["message"])
            )

    def monitor(self) -> list[dict[str, Any]]:
        """The message monitor: what became of each message."""
        self.apply_due()
        return [
            dict(row)
            for row in self._db.execute("SELECT message, received, due, outcome FROM change_request")
        ]

    def _apply(self, item: ET.Element) -> str:
        names = ("CompanyCode", "FiscalYear", "AccountingDocument", "AccountingDocumentItemID")
        company, year, document, line = (item.findtext(f"ItemKey/{name}", "") for name in names)
        changes = {}
        for name, (column, length) in _COLUMNS.items():
            change = item.find(f"{name}Change")
            if change is None or change.findtext("FieldValueChangeIsRequested", "false") not in ("true", "1"):
                continue
            value = change.findtext(name, "")
            if len(value) > length:
                return f"error: {name} is longer than {length}"
            changes[column] = f"{value}T00:00:00" if name == "LastDunningDate" and value else value
        if not changes:
            return "no change was requested"
        found = self._books.change_line((company, year, document.zfill(10), line.zfill(3)), changes)
        return "applied" if found else "error: the item does not exist"


def _message(body: bytes) -> ET.Element:
    if b"<!DOCTYPE" in body:
        raise ValueError("a DOCTYPE is not allowed")
    message = ET.fromstring(body).find(f"{{{_SOAP}}}Body/{_ROOT}")
    if message is None:
        raise ValueError("the body holds no JournalEntryBulkChangeRequestMessage")
    for item in message.iter("JournalEntryDebtorCreditorItem"):
        if item.find("MessageHeader") is None or item.find("ItemKey") is None:
            raise ValueError("an item needs its own MessageHeader and its ItemKey")
    if message.find("MessageHeader/CreationDateTime") is None:
        raise ValueError("MessageHeader needs CreationDateTime")
    return message


def _fault(words: str) -> Response:
    envelope = ET.Element(f"{{{_SOAP}}}Envelope")
    fault = ET.SubElement(ET.SubElement(envelope, f"{{{_SOAP}}}Body"), f"{{{_SOAP}}}Fault")
    ET.SubElement(fault, "faultcode").text = "SOAP:Client"
    ET.SubElement(fault, "faultstring").text = words
    return Response(ET.tostring(envelope, encoding="utf-8", xml_declaration=True), 500, media_type="text/xml")
