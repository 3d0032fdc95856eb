"""Whether a file that travels between parties is right: ours, or a court's, a bailiff's, an invoice.

One question, one answer: what the file is, and every finding with its line and element. Needs no database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.bundled_schemas import (
    CII_NAMESPACE,
    DocumentKind,
    document_of,
    kind_of,
    schema_faults,
)
from collecthub.formats.business_rules import RuleFinding, rule_findings
from collecthub.formats.cii_invoice import cii_faults
from collecthub.formats.elan import ElanFormat, is_elan
from collecthub.formats.epu_particulars import NAMESPACE as EPU_NAMESPACE
from collecthub.formats.epu_schemas import epu_faults
from collecthub.formats.factur_x import is_pdf, xml_in_pdf
from collecthub.formats.json import JsonFormat
from collecthub.formats.json import parse as parse_json
from collecthub.formats.opening import INSIDE, MARKS, ZIP
from collecthub.formats.sdt_particulars import BULK
from collecthub.formats.xml import WHOLE_BYTES_MAX, XmlFormat
from collecthub.formats.xml_reading import NAMESPACE as OWN_NAMESPACE
from collecthub.formats.xml_stream import StreamHead, stream_messages
from collecthub.model.exchange import Decoded, Fault
from collecthub.model.exchange import Message as AnyMessage
from collecthub.wire.container import unpack
from collecthub.wire.xml import Element, SchemaFault, parse

OWN_FAMILY = OWN_NAMESPACE.rpartition(":")[0]
_SIGNED = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_LINE = re.compile(r", line (\d+)$")
_CII_GUIDELINE = ".//{*}GuidelineSpecifiedDocumentContextParameter/{*}ID"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: a code, the line (0 when the syntax has none), the element, and why in words."""

    code: str
    line: int = 0
    element: str = ""
    reason: str
    message_id: str = ""
    is_warning: bool = False  # does not make the file invalid


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the case exchange that is right."""

    message_id: str
    case_id: str
    type: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is and what is wrong with it. A document that nobody here can judge is not valid, and says so."""

    kind: str
    is_valid: bool
    findings: tuple[Finding, ...] = ()
    exchange_id: str = ""
    sender_ref: str = ""
    messages: tuple[Message, ...] = ()


def judge(content: bytes, schemas: Path | None = None) -> Verdict:
    """Look at a file. `schemas` is a folder with the schemas of a body whose own cannot be bundled (EPU).

    Raises `ConfigurationError` when that folder has no schema for the document; bad content raises nothing.
    """
    try:
        if content.startswith(ZIP):
            return _container(content)
        if is_pdf(content):
            return _document(parse(xml_in_pdf(content)), schemas, "PDF with ")
        if content.lstrip(MARKS)[:1] != b"<":
            return _json(content)
        root = document_of(parse(content))
        if (etree.QName(root).namespace or "").startswith(OWN_FAMILY):
            return _exchange("case exchange 1.0 (XML)", _own_xml(content, root))
        return _document(root, schemas, "")
    except QuarantineError as error:
        finding = Finding(code=error.code, reason=error.message)
        return Verdict(kind="unknown", is_valid=False, findings=(finding,))


def _json(content: bytes) -> Verdict:
    """A bank's text file begins with neither sign of JSON."""
    if content.lstrip(MARKS)[:1] not in (b"{", b"["):
        reason = "the file is neither XML, JSON, a container nor a PDF; a bank's file is read by `collecthub payment import`"
        return Verdict(kind="unknown", is_valid=False, findings=(Finding(code="document.unjudged", line=1, reason=reason),))
    if is_elan(parse_json(content)):
        return _exchange("ELAN request for attachment (Norway)", ElanFormat().decode(content))
    return _exchange("case exchange 1.0 (JSON)", JsonFormat().decode(content))


def judge_file(path: Path, schemas: Path | None = None) -> Verdict:
    """The same for a file; a large exchange in XML is read message by message, in memory that does not grow with it."""
    with path.open("rb") as file:
        start = file.read(1024).lstrip(MARKS)
        if path.stat().st_size <= WHOLE_BYTES_MAX or start[:1] != b"<":
            return judge(path.read_bytes(), schemas)
        file.seek(0)
        return _streamed(file)


def _streamed(file: IO[bytes]) -> Verdict:
    head, messages, findings = StreamHead(), [], []
    try:
        for found in stream_messages(file, head):
            if isinstance(found, Fault):
                findings.append(_of_fault(found))
            else:
                messages.append(_message(found))
    except QuarantineError as error:
        findings.append(Finding(code=error.code, reason=error.message))
    return Verdict(
        kind="case exchange 1.0 (XML)", is_valid=not findings, findings=tuple(findings), exchange_id=head.exchange_id,
        sender_ref=head.sender_ref, messages=tuple(messages),
    )  # fmt: skip


def _container(content: bytes) -> Verdict:
    """An unencrypted container: its sums are checked, then the exchange with its documents. A signature needs keys."""
    found = unpack(content)
    if INSIDE not in found:
        finding = Finding(code="archive.content", reason=f"the container has no {INSIDE}")
        return Verdict(kind="container", is_valid=False, findings=(finding,))
    documents = {name: part for name, part in found.items() if name != INSIDE}
    verdict = _exchange("container with case exchange 1.0 (XML)", XmlFormat().decode_with_files(found[INSIDE], documents))
    is_signed = parse(found[INSIDE]).find(_SIGNED) is not None
    words = "its signature was not checked: that needs the partner's key" if is_signed else "the exchange is not signed"
    unproven = Finding(code="signature.unchecked", element=f"/{INSIDE}", reason=words, is_warning=True)
    return msgspec.structs.replace(verdict, findings=(*verdict.findings, unproven))


def _own_xml(content: bytes, root: Element) -> Decoded:
    """Messages, or a holder's books, which have no head."""
    if etree.QName(root).localname == "Accounts":
        XmlFormat().decode_accounts(content)
        return Decoded(exchange_id="", sender_ref="")
    return XmlFormat().decode(etree.tostring(root) if root.getparent() is not None else content)


def _exchange(kind: str, decoded: Decoded) -> Verdict:
    messages = tuple(map(_message, decoded.messages))
    return Verdict(
        kind=kind, is_valid=not decoded.faults, findings=tuple(map(_of_fault, decoded.faults)),
        exchange_id=decoded.exchange_id, sender_ref=decoded.sender_ref, messages=messages,
    )  # fmt: skip


def _message(one: AnyMessage) -> Message:
    return Message(message_id=one.message_id, case_id=one.case_id, type=str(type(one).__struct_config__.tag))


def _of_fault(fault: Fault) -> Finding:
    line = _LINE.search(fault.path)
    return Finding(
        code=fault.code, line=int(line[1]) if line else 0, element=_LINE.sub("", fault.path), reason=fault.reason,
        message_id=fault.message_id,
    )  # fmt: skip


# --- documents of others ------------------------------------------------------------------------------------------


def _document(root: Element, schemas: Path | None, prefix: str) -> Verdict:
    qualified = etree.QName(root)
    kind = kind_of(root)
    if kind is not None:
        findings = [*map(_of_schema, _bundled_faults(root, kind)), *_rules(root), *map(_of_rule, rule_findings(root))]
        is_valid = all(finding.is_warning for finding in findings)
        return Verdict(kind=prefix + kind.name, is_valid=is_valid, findings=tuple(findings))
    if qualified.namespace == EPU_NAMESPACE and schemas is not None:
        found = tuple(map(_of_schema, epu_faults(root, schemas)))
        return Verdict(kind=f"EPU {qualified.localname}", is_valid=not found, findings=found)
    is_epu = qualified.namespace == EPU_NAMESPACE
    cure = "name the folder with the court's schemas" if is_epu else "no schema of its kind is known here"
    reason = f"{qualified.localname[:64]!r} of namespace {(qualified.namespace or 'none')[:100]!r} was not judged: {cure}"
    finding = Finding(code="document.unjudged", line=_line(root), element=f"/{qualified.localname[:64]}", reason=reason)
    return Verdict(kind="EPU" if is_epu else "unknown", is_valid=False, findings=(finding,))


def _bundled_faults(root: Element, kind: DocumentKind) -> list[SchemaFault]:
    """A CII invoice is judged by the profile that it names."""
    if etree.QName(root).namespace == CII_NAMESPACE:
        return cii_faults(root, (root.findtext(_CII_GUIDELINE) or "").strip())
    return schema_faults(root, kind)


def _of_schema(fault: SchemaFault) -> Finding:
    return Finding(code="schema", line=fault.line, element=fault.path, reason=fault.message)


def _of_rule(broken: RuleFinding) -> Finding:
    return Finding(
        code=broken.rule, line=broken.line, element=broken.element, reason=broken.reason, is_warning=not broken.is_fatal
    )


def _rules(root: Element) -> Iterator[Finding]:
    """What no schema can say: SDT refuses a bulk file whose count is wrong or that names a request twice."""
    if root.tag != f"{{{BULK}}}bulkRequest":
        return
    requests = root.findall(f"{{{BULK}}}requests/{{{BULK}}}request")
    count = root.find(f"{{{BULK}}}header/{{{BULK}}}requestCount")
    if count is not None and (count.text or "").strip() != str(len(requests)):
        reason = f"announces {(count.text or '').strip()[:20]} requests, the file holds {len(requests)}"
        yield Finding(
            code="REQ_COUNT_MISMATCH", line=_line(count), element="/bulkRequest/header/requestCount", reason=reason
        )
    seen: set[str] = set()
    for number, request in enumerate(requests, 1):
        identifier = request.get("requestId", "")
        if identifier in seen:
            element = f"/bulkRequest/requests/request[{number}]/@requestId"
            reason = "names a request of this file again"
            yield Finding(code="DUPLD_CUST_REQID", line=_line(request), element=element, reason=reason)
        seen.add(identifier)


def _line(element: Element) -> int:
    line: Any = element.sourceline
    return line or 0
