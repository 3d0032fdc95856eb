"""The SOAP message that sets or lifts the dunning block of accounting lines.

Service "Journal Entry - Change (Asynchronous)": SAP takes the message and works on it later, so an accepted message
proves nothing; the lines must be read again. A change without `FieldValueChangeIsRequested` is silently ignored.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from xml.sax.saxutils import escape

from collecthub.wire.xml import parse, serialise

ACTION = (
    "http://sap.com/xi/SAPSCORE/SFIN/JournalEntryBulkChangeRequest_In/JournalEntryBulkChangeRequest_InRequest"
)
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_SFIN = "http://sap.com/xi/SAPSCORE/SFIN"
_ITEM = (
    "<JournalEntryDebtorCreditorItem>{header}"
    "<ItemKey><AccountingDocument>{document}</AccountingDocument><CompanyCode>{company}</CompanyCode>"
    "<FiscalYear>{year}</FiscalYear><AccountingDocumentItemID>{item}</AccountingDocumentItemID></ItemKey>"
    "<DunningBlockingReasonCodeChange><DunningBlockingReasonCode>{reason}</DunningBlockingReasonCode>"
    "<FieldValueChangeIsRequested>true</FieldValueChangeIsRequested></DunningBlockingReasonCodeChange>"
    "</JournalEntryDebtorCreditorItem>"
)
_HEADER = (
    "<MessageHeader><ID>{id}</ID><UUID>{uuid}</UUID><CreationDateTime>{created}</CreationDateTime>"
    "<SenderBusinessSystemID>{sender}</SenderBusinessSystemID></MessageHeader>"
)
_ENVELOPE = (
    '<soap:Envelope xmlns:soap="{soap}" xmlns:sfin="{sfin}"><soap:Header/><soap:Body>'
    "<sfin:JournalEntryBulkChangeRequestMessage>{header}{items}</sfin:JournalEntryBulkChangeRequestMessage>"
    "</soap:Body></soap:Envelope>"
)


def dunning_block_message(
    message_id: str, created_at: dt.datetime, sender: str, item_refs: Iterable[str], reason: str
) -> bytes:
    """One message that gives all lines the same dunning block; an empty `reason` lifts it.

    `message_id` is ours and makes the message's identity: the same id gives the same bytes.
    """
    items = []
    for position, ref in enumerate(item_refs, 1):
        company, year, document, item = map(escape, ref.split("/"))
        header = _header(f"{message_id}-{position}", created_at, sender)
        items.append(
            _ITEM.format(
                header=header, document=document, company=company, year=year, item=item, reason=escape(reason)
            )
        )
    text = _ENVELOPE.format(
        soap=_SOAP, sfin=_SFIN, header=_header(message_id, created_at, sender), items="".join(items)
    )
    return serialise(parse(text.encode()))


def _header(message_id: str, created_at: dt.datetime, sender: str) -> str:
    created = created_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{_SFIN}/{message_id}")
    return _HEADER.format(id=escape(message_id[-35:]), uuid=identity, created=created, sender=escape(sender))


def fault_text(content: bytes) -> str:
    """What a SOAP fault says; empty when the bytes are no fault. Raises `QuarantineError` for bytes that are no XML."""
    fault = parse(content).find(f"{{{_SOAP}}}Body/{{{_SOAP}}}Fault")
    return "" if fault is None else (fault.findtext("faultstring") or "unnamed fault").strip()[:300]
