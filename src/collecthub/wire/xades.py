"""XAdES baseline B (ETSI EN 319 132-1): XML signatures that also sign who signed and when.

`sign_xades` puts one into a document and covers the whole of it, as `wire.sign` does without the properties.
`sign_files` writes a detached one over files, as an ASiC-E container keeps it (`wire.asic`). There is no time-stamp
and no long-term level.
"""

from __future__ import annotations

import base64
import copy
import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric import utils as asymmetric
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from collecthub.errors import QuarantineError
from collecthub.wire.crypto import Certificate
from collecthub.wire.sign import (
    DIGESTS,
    DS,
    EXCLUSIVE,
    METHODS,
    SigningKey,
    named_signer,
    only_signature,
    refuse_algorithms,
    refuse_unless_whole,
)
from collecthub.wire.xml import Element, parse

PROPERTIES: Final = "http://uri.etsi.org/01903#SignedProperties"
_XADES: Final = "{http://uri.etsi.org/01903/v1.3.2#}"
_NAMES: Final[dict[Any, str]] = {"ds": DS.strip("{}"), "xades": _XADES.strip("{}")}


def sign_xades(element: Element, key: SigningKey, at: dt.datetime) -> Element:
    """A copy of the document with a XAdES-B-B signature as its last child. Serialise it without changing it."""
    document = copy.deepcopy(element)
    content = etree.tostring(document, method="c14n", exclusive=True, with_comments=False)
    whole = _Part("", content, "text/xml", (SignatureConstructionMethod.enveloped.value, EXCLUSIVE.value))
    document.append(_signature([whole], key, at))
    return document


def verify_xades(content: bytes, trusted: Sequence[Certificate], *, at: dt.datetime | None = None) -> Element:
    """Read a signed document and return only what its signature covers, without the signature.

    Raises `QuarantineError` as `wire.sign.verify_xml` does, and `sig.properties` when what makes it XAdES is missing
    or is not signed.
    """
    root = parse(content)
    signature = only_signature(root)
    refuse_algorithms(signature)
    references = [*signature.iter(f"{DS}Reference")]
    documents = [one for one in references if not (one.get("URI") or "").startswith("#")]
    if len(documents) != 1:
        raise QuarantineError(f"The signature refers to {len(documents)} documents.", code="sig.ambiguous")
    refuse_unless_whole(documents[0])
    results = _verified(root, signature, trusted, at, len(references))
    return parse(next(one for one, ref in zip(results, references, strict=True) if ref is documents[0]).signed_data)


def sign_files(files: Mapping[str, bytes], key: SigningKey, at: dt.datetime) -> Element:
    """A `ds:Signature` (XAdES-B-B) that refers to each file by its name and to its bytes as they are."""
    return _signature([_Part(quote(name), content, media_type(name)) for name, content in files.items()], key, at)


def verify_files(
    signatures: bytes, files: Mapping[str, bytes], trusted: Sequence[Certificate], *, at: dt.datetime | None = None
) -> dict[str, bytes]:
    """The files that a detached signature covers, each as its signature proves it; a file that none covers is refused.

    Raises `QuarantineError`: `sig.coverage` for a file that is not signed or not there, else as `verify_xades`.
    """
    root = parse(signatures)
    signature = only_signature(root)
    refuse_algorithms(signature)
    references = [*signature.iter(f"{DS}Reference")]
    by_uri = {quote(name): name for name in files}
    named = [by_uri.get(uri, "") for one in references if not (uri := one.get("URI") or "").startswith("#")]
    is_plain = all(one.find(f"{DS}Transforms") is None for one in references if not (one.get("URI") or "").startswith("#"))
    if sorted(named) != sorted(files) or not is_plain:
        raise QuarantineError(
            "The signature does not cover exactly the files of the container, as they are.", code="sig.coverage",
            cure="Ask the sender to sign every file of the container and nothing else.",
        )
    _verified(root, signature, trusted, at, len(references), lambda uri: files[by_uri[uri]])
    return dict(files)


def _verified(
    root: Element, signature: Element, trusted: Sequence[Certificate], at: dt.datetime | None, count: int,
    resolve: Any = None,
) -> Sequence[Any]:
    """The verifier's result for each reference, in order; the signed properties are among them."""
    types = [one.get("Type") for one in signature.iter(f"{DS}Reference")]
    if types.count(PROPERTIES) != 1 or len([*signature.iter(f"{_XADES}SignedProperties")]) != 1:
        raise QuarantineError(
            "The signature does not sign its own properties: it is no XAdES signature.", code="sig.properties",
            cure="Ask the sender for XAdES baseline B.",
        )
    certificate = named_signer(signature, trusted, at or dt.datetime.now(dt.UTC))
    config = XAdESSignatureConfiguration(
        location="./", signature_methods=METHODS, digest_algorithms=DIGESTS, verification_time=at,
        ignore_ambiguous_key_info=False, expect_references=count,
    )  # fmt: skip
    try:
        found: Sequence[Any] = XAdESVerifier().verify(
            root, x509_cert=certificate, expect_config=config, uri_resolver=resolve
        )
    except (SignXMLException, etree.LxmlError, ValueError) as error:
        raise QuarantineError(
            f"The signature does not fit what it signs: {error}.", code="sig.invalid",
            cure="Ask the sender to send it again; if it happens again, treat it as an attack.",
        ) from error  # fmt: skip
    return found


# --- writing --------------------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """One thing that is signed, and the bytes that its transforms make of it."""

    uri: str
    content: bytes
    media_type: str
    transforms: tuple[str, ...] = ()


def media_type(name: str) -> str:
    """What a file of a container is, as far as its name tells."""
    return "text/xml" if name.endswith(".xml") else "application/octet-stream"


def _signature(parts: Sequence[_Part], key: SigningKey, at: dt.datetime) -> Element:
    signature = etree.Element(f"{DS}Signature", nsmap=_NAMES, Id="S1")
    info = _sub(signature, f"{DS}SignedInfo")
    _sub(info, f"{DS}CanonicalizationMethod", Algorithm=EXCLUSIVE.value)
    is_rsa = isinstance(key.private_key, rsa.RSAPrivateKey)
    method = SignatureMethod.RSA_SHA256 if is_rsa else SignatureMethod.ECDSA_SHA256
    _sub(info, f"{DS}SignatureMethod", Algorithm=method.value)
    value = _sub(signature, f"{DS}SignatureValue")
    der = key.certificate.public_bytes(Encoding.DER)
    data = _sub(_sub(signature, f"{DS}KeyInfo"), f"{DS}X509Data")
    _sub(data, f"{DS}X509Certificate", _base64(der))
    properties = _properties(signature, der, at, parts)
    for number, part in enumerate(parts, 1):
        _refer(info, part, Id=f"R{number}")
    canonical = etree.tostring(properties, method="c14n", exclusive=True)
    _refer(info, _Part("#P1", canonical, "", (EXCLUSIVE.value,)), Type=PROPERTIES)
    value.text = _base64(_signed(key, etree.tostring(info, method="c14n", exclusive=True)))
    return signature


def _properties(signature: Element, der: bytes, at: dt.datetime, parts: Sequence[_Part]) -> Element:
    """`SignedProperties`: the moment, the certificate, and the media type of everything that is signed."""
    holder = _sub(_sub(signature, f"{DS}Object"), f"{_XADES}QualifyingProperties", Target="#S1")
    properties = _sub(holder, f"{_XADES}SignedProperties", Id="P1")
    about_signer = _sub(properties, f"{_XADES}SignedSignatureProperties")
    moment = at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    _sub(about_signer, f"{_XADES}SigningTime", moment)
    certificate = _sub(_sub(about_signer, f"{_XADES}SigningCertificateV2"), f"{_XADES}Cert")
    _digest(_sub(certificate, f"{_XADES}CertDigest"), der)
    about_data = _sub(properties, f"{_XADES}SignedDataObjectProperties")
    for number, part in enumerate(parts, 1):
        described = _sub(about_data, f"{_XADES}DataObjectFormat", ObjectReference=f"#R{number}")
        _sub(described, f"{_XADES}MimeType", part.media_type)
    return properties


def _refer(info: Element, part: _Part, **attributes: str) -> None:
    reference = _sub(info, f"{DS}Reference", URI=part.uri, **attributes)
    if part.transforms:
        holder = _sub(reference, f"{DS}Transforms")
        for transform in part.transforms:
            _sub(holder, f"{DS}Transform", Algorithm=transform)
    _digest(reference, part.content)


def _digest(parent: Element, content: bytes) -> None:
    _sub(parent, f"{DS}DigestMethod", Algorithm=DigestAlgorithm.SHA256.value)
    _sub(parent, f"{DS}DigestValue", _base64(hashlib.sha256(content).digest()))


def _signed(key: SigningKey, content: bytes) -> bytes:
    """RSA as it comes; ECDSA as the two numbers side by side, as XML signatures want it (RFC 4050)."""
    if isinstance(key.private_key, EllipticCurvePrivateKey):
        r, s = asymmetric.decode_dss_signature(key.private_key.sign(content, ECDSA(hashes.SHA256())))
        size = (key.private_key.curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    return key.private_key.sign(content, PKCS1v15(), hashes.SHA256())


def _sub(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    child = etree.SubElement(parent, tag, attrib=attributes)
    child.text = text or None
    return child


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
