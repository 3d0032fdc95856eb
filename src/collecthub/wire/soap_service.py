"""The serving side of SOAP 1.1 and 1.2: a call taken apart, an answer or a fault put together.

A caller is believed in nothing but his credentials: what asks to answer elsewhere (WS-Addressing ReplyTo), brings parts
beside the envelope (MTOM), names another action than its body, or demands a header that nobody here understands is
refused with a fault. Sources: SOAP 1.1 (W3C note, 6 and 4.4), SOAP 1.2 part 1 and 2, WS-Security UsernameToken 1.0.
"""

from __future__ import annotations

import base64
import binascii
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.wire.xml import Element, parse, serialise

SOAP_11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12: Final = "http://www.w3.org/2003/05/soap-envelope"
_MEDIA_TYPES: Final = {SOAP_11: "text/xml", SOAP_12: "application/soap+xml"}
_CLIENT: Final = {SOAP_11: "Client", SOAP_12: "Sender"}
_WSSE: Final = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
_WSA: Final = ("http://www.w3.org/2005/08/addressing", "http://schemas.xmlsoap.org/ws/2004/08/addressing")
_ANSWERED_HERE: Final = (
    *(f"{_WSA[0]}/{name}" for name in ("anonymous", "none")), f"{_WSA[1]}/role/anonymous",
)  # fmt: skip
_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"


class SoapRefusal(Exception):
    """What becomes a fault that names the caller's mistake. `code` is ours, `fault_code` SOAP's own."""

    def __init__(self, code: str, reason: str, *, version: str = SOAP_11, fault_code: str = "", status: int = 0) -> None:
        super().__init__(reason)
        self.code, self.reason, self.version = code, reason, version
        self.fault_code = fault_code or _CLIENT[version]
        self.status = status or (400 if version == SOAP_12 else 500)


@dataclass(frozen=True, slots=True)
class SoapCall:
    """One call: SOAP's version (a namespace), the element in the body, and who says he calls."""

    version: str
    body: Element
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def operation(self) -> str:
        """Local name of the element in the body."""
        return etree.QName(self.body).localname

    @property
    def media_type(self) -> str:
        """What the answer is sent as."""
        return f"{_MEDIA_TYPES[self.version]}; charset=utf-8"

    def refuse(self, code: str, reason: str, *, status: int = 0) -> SoapRefusal:
        """The refusal of this call, in its version of SOAP."""
        return SoapRefusal(code, reason, version=self.version, status=status)


def read_call(
    content: bytes, *, content_type: str, action: str = "", authorization: str = "",
    operations: Mapping[str, str] | None = None,
) -> SoapCall:
    """Take a call apart. Raises `SoapRefusal`; nothing it names is fetched, nothing outside its body is believed.

    `action` is the header SOAPAction; `operations` names the operation of a body element that is called differently.
    Credentials come from a UsernameToken in plain text, else from HTTP basic.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES.values():
        raise SoapRefusal("envelope.media_type", f"Send text/xml or application/soap+xml, not {media_type[:80]!r}.")
    try:
        envelope = parse(content)
    except QuarantineError as error:
        raise SoapRefusal(error.code, error.message) from error
    version = _version(envelope, media_type)
    header, bodies = envelope.find(f"{{{version}}}Header"), envelope.findall(f"{{{version}}}Body")
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise SoapRefusal("envelope", "A call is one Body with exactly one element.", version=version)
    body = bodies[0][0]
    _refuse_headers(header, version)
    name = etree.QName(body).localname
    _refuse_action(action or _parameter(content_type, "action"), (name, (operations or {}).get(name, name)), version)
    username, password = _token(header) or _basic(authorization) or ("", "")
    return SoapCall(version, body, username, password)


def _version(envelope: Element, media_type: str) -> str:
    name = etree.QName(envelope)
    if name.localname != "Envelope" or name.namespace not in _MEDIA_TYPES:
        raise SoapRefusal("envelope", "This is not a SOAP 1.1 or 1.2 envelope.", fault_code="VersionMismatch")
    if _MEDIA_TYPES[name.namespace] != media_type:
        raise SoapRefusal(
            "envelope.media_type", f"The envelope is not what {media_type} announces.", version=name.namespace
        )
    return name.namespace


def _refuse_headers(header: Element | None, version: str) -> None:
    for block in header if header is not None else ():
        name = etree.QName(block)
        if name.namespace in _WSA:
            address = (block.findtext(f"{{{name.namespace}}}Address") or "").strip()
            if name.localname in ("ReplyTo", "FaultTo") and address not in _ANSWERED_HERE:
                raise SoapRefusal("envelope.reply_to", "Answers go back on the same connection only.", version=version)
        elif block.get(f"{{{version}}}mustUnderstand") in ("1", "true") and not block.tag.startswith(_WSSE):
            raise SoapRefusal(
                "envelope.header", f"The header {name.localname[:80]} is not understood here.", version=version,
                fault_code="MustUnderstand", status=500,
            )  # fmt: skip


def _refuse_action(action: str, names: tuple[str, str], version: str) -> None:
    named = action.strip().strip('"')
    if named and named.replace("#", ":").replace("/", ":").rpartition(":")[2] not in names:
        raise SoapRefusal("envelope.action", f"The action is not that of {names[0][:80]} in the body.", version=version)


def _parameter(content_type: str, name: str) -> str:
    parts = (part.strip().partition("=") for part in content_type.split(";")[1:])
    return next((value for key, _, value in parts if key.lower() == name), "")


def _token(header: Element | None) -> tuple[str, str] | None:
    token = header.find(f"{_WSSE}Security/{_WSSE}UsernameToken") if header is not None else None
    if token is None:
        return None
    return (token.findtext(f"{_WSSE}Username") or "").strip(), (token.findtext(f"{_WSSE}Password") or "").strip()


def _basic(authorization: str) -> tuple[str, str] | None:
    kind, _, secret = authorization.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        username, _, password = base64.b64decode(secret, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return username, password


def answer(call: SoapCall, content: Element) -> bytes:
    """The envelope around an answer."""
    return _enveloped(call.version, content)


def fault(refusal: SoapRefusal, detail: Sequence[Element] = ()) -> bytes:
    """The envelope around a fault, in the words of the caller's version."""
    version = refusal.version
    root = etree.Element(f"{{{version}}}Fault", nsmap={"soap": version})
    said = f"{refusal.code}: {refusal.reason}"
    if version == SOAP_11:
        etree.SubElement(root, "faultcode").text = f"soap:{refusal.fault_code}"
        etree.SubElement(root, "faultstring").text = said
        box = etree.SubElement(root, "detail") if detail else root
    else:
        code = etree.SubElement(root, f"{{{version}}}Code")
        etree.SubElement(code, f"{{{version}}}Value").text = f"soap:{refusal.fault_code}"
        text = etree.SubElement(etree.SubElement(root, f"{{{version}}}Reason"), f"{{{version}}}Text")
        text.text = said
        text.set(_XML_LANG, "en")
        box = etree.SubElement(root, f"{{{version}}}Detail") if detail else root
    box.extend(copy.deepcopy(element) for element in detail)
    return _enveloped(version, root)


def fault_media_type(refusal: SoapRefusal) -> str:
    """What a fault is sent as."""
    return f"{_MEDIA_TYPES[refusal.version]}; charset=utf-8"


def _enveloped(version: str, content: Element) -> bytes:
    envelope = etree.Element(f"{{{version}}}Envelope", nsmap={"soap": version})
    etree.SubElement(envelope, f"{{{version}}}Body").append(content)
    return serialise(envelope)


def element(name: str, text: str = "", parent: Element | None = None) -> Element:
    """A new element with this text, as the last child of `parent` when there is one."""
    made = etree.Element(name) if parent is None else etree.SubElement(parent, name)
    made.text = text or None
    return made


def detached(element: Element) -> bytes:
    """An element of a call as a document of its own: the same content in another envelope gives the same bytes."""
    return etree.tostring(element, method="c14n", exclusive=True)


def with_soap_12(wsdl: bytes, endpoint: str) -> bytes:
    """A document/literal WSDL of SOAP 1.1 that offers the same operations over SOAP 1.2 as well, at one address."""
    root = parse(wsdl)
    space, soap, soap12 = (f"{{http://schemas.xmlsoap.org/wsdl/{part}}}" for part in ("", "soap/", "soap12/"))
    binding, service = root.find(f"{space}binding"), root.find(f"{space}service")
    port = service.find(f"{space}port") if service is not None else None
    if binding is None or service is None or port is None:
        raise QuarantineError("The WSDL has no binding with a port.", code="wsdl.types")
    for address in service.iter(f"{soap}address"):
        address.set("location", endpoint)
    for twin, place in ((copy.deepcopy(binding), binding), (copy.deepcopy(port), port)):
        twin.set("name", f"{place.get('name')}12")
        if twin.get("binding"):
            twin.set("binding", f"{place.get('binding')}12")
        for element in twin.iter():
            element.tag = str(element.tag).replace(soap, soap12)
        place.addnext(twin)
    return serialise(root)
