"""The published contract as it comes with this plugin: where its files lie, and its schemas."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from collecthub.wire.xml import Element, Schema

ROOT = Path(str(files("collecthub_hmcts_sdt"))) / "contract"
WSDL = ROOT / "wsdl" / "SdtEndpointDist.wsdl"
IMPORTS = {"../xsd": ROOT / "xsd"}
SPACE = "http://ws.sdt.moj.gov.uk/2013/"
BASE = f"{{{SPACE}sdt/BaseSchema}}"
BULK = f"{{{SPACE}sdt/BulkRequestSchema}}"
BULK_REPLY = f"{{{SPACE}sdt/BulkResponseSchema}}"
FEEDBACK = f"{{{SPACE}sdt/BulkFeedbackRequestSchema}}"
FEEDBACK_REPLY = f"{{{SPACE}sdt/BulkFeedbackResponseSchema}}"
QUERY = f"{{{SPACE}sdt/SubmitQueryRequestSchema}}"
QUERY_REPLY = f"{{{SPACE}sdt/SubmitQueryResponseSchema}}"
UPDATE = f"{{{SPACE}sdt/IndividualUpdateRequestSchema}}"
UPDATE_REPLY = f"{{{SPACE}sdt/IndividualUpdateResponseSchema}}"
CLAIM_STATUS = f"{{{SPACE}mcol/ClaimStatusUpdateSchema}}"
DEFENCES = f"{{{SPACE}mcol/QuerySchema}}"
_SCHEMAS = {
    f"{BULK}bulkRequest": "BulkRequestResponse/BulkSubmitRequest.xsd",
    f"{FEEDBACK}bulkFeedbackRequest": "RequestBulkFeedback/BulkFeedbackRequest.xsd",
    f"{QUERY}submitQueryRequest": "SubmitQueryRequestResponse/SubmitQueryRequest.xsd",
    f"{UPDATE}updateRequest": "IndvUpdateRequestResponse/IndividualUpdateRequestGeneric.xsd",
    f"{UPDATE_REPLY}updateResponse": "IndvUpdateRequestResponse/IndividualUpdateResponse.xsd",
}


@cache
def _schema(path: str) -> Schema:
    return Schema.load(ROOT / "xsd" / path, root=ROOT / "xsd")


def objections(document: Element) -> list[str]:
    """What the published schema says against a request; one sentence when it judges no such document."""
    path = _SCHEMAS.get(str(document.tag))
    if path is None:
        return [f"{str(document.tag)[:120]!r} is no message of this contract"]
    return [f"{fault.message} ({fault.path}, line {fault.line})" for fault in _schema(path).check(document)]
