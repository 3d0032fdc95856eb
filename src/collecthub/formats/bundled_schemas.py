"""The published schemas of others that come with the product, and which document each of them judges.

A document is recognised by the namespace of its root element. A SOAP envelope is opened; what counts is its body.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec
from lxml import etree

from collecthub.errors import PermanentError
from collecthub.wire.xml import Element, Schema, SchemaFault

_SDT = "http://ws.sdt.moj.gov.uk/2013/"
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CII_NAMESPACE = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
XJUSTIZ_NAMESPACE = "http://www.xjustiz.de"
_SOAP = {"http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"}


class DocumentKind(msgspec.Struct, frozen=True):
    """A published document: its name for people, and its schema below the bundled folder."""

    name: str
    folder: str
    path: str


def _sdt(name: str, path: str) -> DocumentKind:
    return DocumentKind(f"HMCTS SDT {name}", "hmcts-sdt", path)


def _ubl(name: str) -> DocumentKind:
    return DocumentKind(f"UBL 2.1 {name}", "ubl-2.1", f"maindoc/UBL-{name}-2.1.xsd")


KINDS: dict[str, DocumentKind] = {
    f"{_SDT}sdt/BulkRequestSchema": _sdt("bulk request", "BulkRequestResponse/BulkSubmitRequest.xsd"),
    f"{_SDT}sdt/BulkResponseSchema": _sdt("bulk response", "BulkRequestResponse/BulkSubmitResponse.xsd"),
    f"{_SDT}sdt/BulkFeedbackRequestSchema": _sdt("feedback request", "RequestBulkFeedback/BulkFeedbackRequest.xsd"),
    f"{_SDT}sdt/BulkFeedbackResponseSchema": _sdt("feedback response", "RequestBulkFeedback/BulkFeedbackResponse.xsd"),
    f"{_SDT}sdt/SubmitQueryRequestSchema": _sdt("query", "SubmitQueryRequestResponse/SubmitQueryRequestGeneric.xsd"),
    f"{_SDT}sdt/SubmitQueryResponseSchema": _sdt(
        "query response", "SubmitQueryRequestResponse/SubmitQueryResponseGeneric.xsd"
    ),
    f"{_SDT}sdt/IndividualUpdateRequestSchema": _sdt(
        "update request", "IndvUpdateRequestResponse/IndividualUpdateRequestGeneric.xsd"
    ),
    f"{_SDT}sdt/IndividualUpdateResponseSchema": _sdt(
        "update response", "IndvUpdateRequestResponse/IndividualUpdateResponse.xsd"
    ),
    f"{_SDT}sdt/targetApp/IndvRequestSchema": _sdt(
        "request to the court's system", "IndvRequestResponse/IndividualSubmitRequestGeneric.xsd"
    ),
    f"{_SDT}sdt/targetApp/IndvResponseSchema": _sdt(
        "response of the court's system", "IndvRequestResponse/IndividualSubmitResponseGeneric.xsd"
    ),
    f"{_SDT}sdt/targetApp/SubmitQueryRequestSchema": _sdt(
        "query to the court's system", "SubmitQueryRequestResponse/SubmitQueryRequestTargetAppGeneric.xsd"
    ),
    f"{_SDT}sdt/targetApp/SubmitQueryResponseSchema": _sdt(
        "query response of the court's system", "SubmitQueryRequestResponse/SubmitQueryResponseTargetAppGeneric.xsd"
    ),
    **{f"{_UBL}{name}-2": _ubl(name) for name in ("Invoice", "CreditNote", "Reminder", "ApplicationResponse")},
    CII_NAMESPACE: DocumentKind(
        "UN/CEFACT CII D16B", "cii-d16b", "data/standard/CrossIndustryInvoice_100pD16B.xsd"
    ),
    "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09": DocumentKind(
        "ISO 20022 pain.001.001.09", "iso20022", "pain.001.001.09.xsd"
    ),
}
_XJUSTIZ_MODULES = {
    "0005": "xjustiz_0005_nachrichten_3_2.xsd", "0600": "xjustiz_0600_mahn_3_4.xsd",
    "0900": "xjustiz_0900_vollstreckung_3_3.xsd", "1600": "xjustiz_1600_smallclaims_3_1.xsd",
    "2200": "xjustiz_2200_eeb_3_1.xsd", "2500": "xjustiz_2500_gerichtsvollzieher_3_3.xsd",
    "2600": "xjustiz_2600_zwangsvollstreckung_3_4.xsd",
}  # fmt: skip


def document_of(root: Element) -> Element:
    """The document itself: the root, or the first element in the body of a SOAP envelope."""
    qualified = etree.QName(root)
    if qualified.localname != "Envelope" or qualified.namespace not in _SOAP:
        return root
    body = root.find(f"{{{qualified.namespace}}}Body")
    return body[0] if body is not None and len(body) else root


def kind_of(document: Element) -> DocumentKind | None:
    """What a document is, or None when no bundled schema judges it."""
    qualified = etree.QName(document)
    if qualified.namespace == XJUSTIZ_NAMESPACE:
        number = qualified.localname.rpartition(".")[2]
        module = _XJUSTIZ_MODULES.get(number[:4])
        return DocumentKind(f"XJustiz 3.6.2 message {number}", "xjustiz-3.6.2", module) if module else None
    return KINDS.get(qualified.namespace or "")


def schema_faults(document: Element, kind: DocumentKind) -> list[SchemaFault]:
    """What the published schema says against a document."""
    return bundled_schema(kind.folder, kind.path).check(document)


@cache
def bundled_schema(folder: str, path: str) -> Schema:
    """A bundled schema by its folder and file."""
    root = Path(str(files("collecthub.formats"))) / "schemas" / "published" / folder
    return Schema.load(root / path, root=root)


def refuse_invalid(document: Element, format_id: str, reference: str) -> None:
    """The last look before a document leaves: raise `PermanentError` when its published schema refuses it."""
    kind = kind_of(document)
    faults = schema_faults(document, kind) if kind else []
    if faults:
        words = "; ".join(f"{fault.path}: {fault.message}" for fault in faults[:5])
        raise PermanentError(
            f"The {format_id} document is refused by its published schema: {words}",
            cure="Correct the value in the case or its particulars; nothing was written.",
            reference=reference,
        )
