"""WS-Security 1.0/1.1 for SOAP messages: timestamp, user name, and an X.509 signature over body and timestamp.

Signature: RSA or ECDSA with SHA-256, exclusive canonicalisation, detached references to the Body and the Timestamp,
the certificate as a BinarySecurityToken (X.509 Token Profile 1.1). A reply is believed only when a trusted key signed
its Body and a Timestamp of at most five minutes, and only what that signature covers is handed out.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from collecthub.errors import QuarantineError
from collecthub.wire.crypto import Certificate
from collecthub.wire.sign import SigningKey
from collecthub.wire.xml import Element, parse

_OASIS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_WSSE: Final = f"{{{_OASIS}wssecurity-secext-1.0.xsd}}"
_WSU: Final = f"{{{_OASIS}wssecurity-utility-1.0.xsd}}"
_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_TEXT_PASSWORD: Final = f"{_OASIS}username-token-profile-1.0#PasswordText"
_X509: Final = f"{_OASIS}x509-token-profile-1.0#X509v3"
_BASE64: Final = f"{_OASIS}soap-message-security-1.0#Base64Binary"
_FRESH: Final = dt.timedelta(minutes=5)
_LATE: Final = "the reply's timestamp is missing or more than five minutes off"
_METHODS: Final = frozenset(
    {
        SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256, SignatureMethod.ECDSA_SHA384, SignatureMethod.ECDSA_SHA512,
    }
)  # fmt: skip
_DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class MessageSecurity:
    """What calls carry, and whose replies are believed: any certificate of `trusted`, or anybody's when it is empty."""

    username: str = ""
    password: str = field(default="", repr=False)
    key: SigningKey | None = None
    trusted: Sequence[Certificate] = ()
    now: Callable[[], dt.datetime] = _utc_now

    def secure(self, envelope: Element) -> None:
        """Add the Security header to an envelope; nothing of it may be changed afterwards."""
        space = etree.QName(envelope).namespace
        body = envelope.find(f"{{{space}}}Body")
        if body is None:
            raise ValueError("an envelope without a body cannot be secured")
        header = envelope.find(f"{{{space}}}Header")
        if header is None:
            header = etree.Element(f"{{{space}}}Header")
            envelope.insert(0, header)
        security = etree.SubElement(header, f"{_WSSE}Security", nsmap={"wsse": _WSSE[1:-1], "wsu": _WSU[1:-1]})
        security.set(f"{{{space}}}mustUnderstand", "1")
        self._stamp(security)
        if self.username:
            self._name(security)
        if self.key is not None:
            body.set(f"{_WSU}Id", "body")
            _sign(envelope, security, self.key)

    def _stamp(self, security: Element) -> None:
        created = self.now().astimezone(dt.UTC).replace(microsecond=0)
        stamp = etree.SubElement(security, f"{_WSU}Timestamp")
        stamp.set(f"{_WSU}Id", "timestamp")
        for name, moment in (("Created", created), ("Expires", created + _FRESH)):
            etree.SubElement(stamp, _WSU + name).text = f"{moment:%Y-%m-%dT%H:%M:%SZ}"

    def _name(self, security: Element) -> None:
        token = etree.SubElement(security, f"{_WSSE}UsernameToken")
        etree.SubElement(token, f"{_WSSE}Username").text = self.username
        password = etree.SubElement(token, f"{_WSSE}Password")
        password.set("Type", _TEXT_PASSWORD)
        password.text = self.password

    def believed_body(self, envelope: Element) -> Element | None:
        """The Body to read. Raises `QuarantineError` (`sig.*`) when a signature is wanted and does not hold."""
        body = envelope.find(f"{{{etree.QName(envelope).namespace}}}Body")
        if not self.trusted or body is None:
            return body
        if not [*envelope.iter(f"{_DS}Signature")]:
            raise QuarantineError("The reply is not signed.", code="sig.missing")
        signed = self._signed_parts(envelope)
        stamps = [part for part in signed if part.tag == f"{_WSU}Timestamp"]
        bodies = [part for part in signed if part.tag == body.tag]
        if len(bodies) != 1 or len(envelope.findall(str(body.tag))) != 1:
            raise QuarantineError("The reply's body is not what was signed.", code="sig.coverage")
        self._refuse_stale(stamps)
        return bodies[0]

    def _signed_parts(self, envelope: Element) -> list[Element]:
        config = SignatureConfiguration(
            location=".//", signature_methods=_METHODS, digest_algorithms=_DIGESTS, expect_references=2,
            ignore_ambiguous_key_info=True,  # the token is named by reference; the key that counts is the trusted one
        )  # fmt: skip
        why = ""
        for certificate in self.trusted:
            if not certificate.not_valid_before_utc <= self.now() <= certificate.not_valid_after_utc:
                why = "the signer's certificate has expired"
                continue
            try:
                found = XMLVerifier().verify(
                    envelope, x509_cert=certificate, expect_config=config, id_attribute="Id"
                )
            except (SignXMLException, etree.LxmlError, ValueError) as error:
                why = str(error)
                continue
            results = [found] if isinstance(found, VerifyResult) else found
            return [parse(result.signed_data) for result in results]
        raise QuarantineError(f"The reply's signature does not hold: {why[:200]}.", code="sig.invalid")

    def _refuse_stale(self, stamps: Sequence[Element]) -> None:
        text = (stamps[0].findtext(f"{_WSU}Created") or "").strip() if len(stamps) == 1 else ""
        try:
            created = dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise QuarantineError(_LATE, code="sig.stale") from error
        if created.tzinfo is None or abs(self.now() - created) > _FRESH:
            raise QuarantineError(_LATE, code="sig.stale")


def _sign(envelope: Element, security: Element, key: SigningKey) -> None:
    token = etree.SubElement(security, f"{_WSSE}BinarySecurityToken")
    token.set(f"{_WSU}Id", "token")
    token.set("ValueType", _X509)
    token.set("EncodingType", _BASE64)
    token.text = base64.b64encode(key.certificate.public_bytes(Encoding.DER)).decode()
    info = etree.Element(f"{_DS}KeyInfo", nsmap={"ds": _DS[1:-1]})
    reference = etree.SubElement(
        etree.SubElement(info, f"{_WSSE}SecurityTokenReference"), f"{_WSSE}Reference", URI="#token", ValueType=_X509
    )
    reference.tail = None
    is_rsa = isinstance(key.private_key, rsa.RSAPrivateKey)
    signer = XMLSigner(
        method=SignatureConstructionMethod.detached,
        signature_algorithm=SignatureMethod.RSA_SHA256 if is_rsa else SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signature = signer.sign(
        envelope, key=key.private_key, key_info=info, reference_uri=["#timestamp", "#body"], id_attribute="Id"
    )
    security.append(signature)
