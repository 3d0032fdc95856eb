"""XML signatures (XML-DSig, enveloped, whole document) that say who wrote a document, and what exactly.

A valid signature proves something only about the bytes that it covers, so the verified tree is the only thing
handed out, and only a signature over the whole document is accepted.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
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

from collecthub.errors import ConfigurationError, QuarantineError
from collecthub.wire.crypto import Certificate, Identity, certificate_fingerprint, read_private_key
from collecthub.wire.xml import Element, parse

logging.getLogger("signxml").setLevel(logging.INFO)  # below that it writes whole documents into the log

DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
EXCLUSIVE: Final = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
METHODS: Final = frozenset(
    {
        SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256, SignatureMethod.ECDSA_SHA384, SignatureMethod.ECDSA_SHA512,
    }
)  # fmt: skip
DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_CANONICAL: Final = {
    EXCLUSIVE.value,
    CanonicalizationMethod.CANONICAL_XML_1_0.value,
    CanonicalizationMethod.CANONICAL_XML_1_1.value,
}
_CURVES: Final = {"secp256r1", "secp384r1", "secp521r1"}
_RSA_BITS_MIN: Final = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, read once (reading it per signature is forty times slower), and its certificate."""

    private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: Certificate

    @classmethod
    def of(cls, identity: Identity) -> SigningKey:
        """The signing key of an identity. Raises `ConfigurationError` unless it is RSA or ECDSA."""
        key = read_private_key(identity.private_key_pem)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ConfigurationError(
                "The signing key is neither RSA nor ECDSA.", cure="Generate an identity."
            )
        return cls(key, identity.certificate)


def sign_xml(element: Element, key: SigningKey) -> Element:
    """A copy of the document with a signature as its last child: RSA or ECDSA with SHA-256, exclusive C14N.

    The whole document is covered; KeyInfo carries the certificate. Serialise the result without changing it.
    """
    is_rsa = isinstance(key.private_key, rsa.RSAPrivateKey)
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.RSA_SHA256 if is_rsa else SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=EXCLUSIVE,
    )
    return signer.sign(element, key=key.private_key, cert=[key.certificate])


def verify_xml(content: bytes, trusted: Sequence[Certificate], *, at: dt.datetime | None = None) -> Element:
    """Read a signed document and return only what its signature covers, without the signature.

    `trusted` are the certificates of the one expected sender (two during a change); `at` is the moment at which
    they must be valid, by default now. Raises `QuarantineError`: what `xml.parse` refuses, and
    `sig.missing`, `sig.ambiguous` (several signatures, or references to several parts), `sig.coverage` (not the
    whole document), `sig.algorithm` (SHA-1, HMAC, short keys), `sig.signer` (nobody expected, or expired),
    `sig.invalid` (something was changed).
    """
    root = parse(content)
    signature = only_signature(root)
    refuse_algorithms(signature)
    _refuse_partial(signature)
    certificate = named_signer(signature, trusted, at or dt.datetime.now(dt.UTC))
    config = SignatureConfiguration(
        location="./", signature_methods=METHODS, digest_algorithms=DIGESTS,
        verification_time=at, ignore_ambiguous_key_info=False,
    )  # fmt: skip
    try:
        result = XMLVerifier().verify(root, x509_cert=certificate, expect_config=config)
    except (SignXMLException, etree.LxmlError, ValueError) as error:
        raise QuarantineError(
            f"The signature does not fit the document: {error}.", code="sig.invalid",
            cure="Ask the sender to send it again; if it happens again, treat it as an attack.",
        ) from error  # fmt: skip
    if not isinstance(result, VerifyResult):
        raise QuarantineError("The signature covers several parts.", code="sig.ambiguous")
    return parse(result.signed_data)


def only_signature(root: Element) -> Element:
    """The one signature of a document, a child of its root."""
    found = [*root.iter(f"{DS}Signature")]
    if not found:
        raise QuarantineError(
            "The document is not signed.", code="sig.missing", cure="Ask the sender to sign it."
        )
    if len(found) > 1:
        raise QuarantineError(f"The document carries {len(found)} signatures.", code="sig.ambiguous")
    if found[0].getparent() is not root:
        raise QuarantineError("The signature is not that of the whole document.", code="sig.coverage")
    return found[0]


def refuse_algorithms(signature: Element) -> None:
    """Refuse what is broken or unusual, before anything is computed with it."""
    used = {
        step: _algorithms(signature, step)
        for step in ("SignatureMethod", "DigestMethod", "CanonicalizationMethod")
    }
    allowed = {
        "SignatureMethod": {method.value for method in METHODS},
        "DigestMethod": {digest.value for digest in DIGESTS},
        "CanonicalizationMethod": _CANONICAL,
    }
    for step, names in used.items():
        for name in names - allowed[step]:
            raise QuarantineError(
                f"The signature uses {name[:80] or 'nothing'} as {step}, which is not accepted.",
                code="sig.algorithm", cure="Ask the sender for RSA or ECDSA with SHA-256 and exclusive C14N.",
            )  # fmt: skip


def _algorithms(signature: Element, step: str) -> set[str]:
    return {str(element.get("Algorithm", "")) for element in signature.iter(f"{DS}{step}")} or {""}


def _refuse_partial(signature: Element) -> None:
    references = [*signature.iter(f"{DS}Reference")]
    if len(references) != 1:
        raise QuarantineError(f"The signature refers to {len(references)} parts.", code="sig.ambiguous")
    refuse_unless_whole(references[0])


def refuse_unless_whole(reference: Element) -> None:
    """Refuse a reference that is not to the whole document, as it stands without the signature."""
    transforms = _algorithms(reference, "Transform")
    enveloped = SignatureConstructionMethod.enveloped.value
    if not (reference.get("URI") == "" and enveloped in transforms and transforms <= _CANONICAL | {enveloped}):
        raise QuarantineError(
            "The signature does not cover the whole document as it stands.", code="sig.coverage",
            cure='Ask the sender for an enveloped signature with the reference URI="".',
        )  # fmt: skip


def named_signer(signature: Element, trusted: Sequence[Certificate], at: dt.datetime) -> Certificate:
    """The trusted certificate that the signature names; when it names none, the only trusted one."""
    named = [_certificate(element.text or "") for element in signature.iter(f"{DS}X509Certificate")]
    known = dict.fromkeys(trusted)
    fitting = [one for one in known if one in named] if named else list(known)
    who = certificate_fingerprint(named[0]) if named and named[0] else "not named"
    return admitted(fitting, at, who)


def admitted(fitting: Sequence[Certificate], at: dt.datetime, who: str) -> Certificate:
    """The one trusted certificate among those that a signature fits; `who` is what the signature says of its signer.

    Raises `QuarantineError`: `sig.signer` for nobody expected, or expired; `sig.algorithm` for a weak key.
    """
    valid = [one for one in fitting if one.not_valid_before_utc <= at <= one.not_valid_after_utc]
    if len(valid) != 1:
        why = "expired or not yet valid" if fitting and not valid else "not the expected one"
        raise QuarantineError(
            f"The signer's certificate is {why} (SHA-256 {who}).", code="sig.signer",
            cure="Compare the fingerprint with the sender, then set its current certificate.",
        )  # fmt: skip
    _refuse_weak(valid[0])
    return valid[0]


def _certificate(text: str) -> Certificate | None:
    try:
        return x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError):
        return None


def _refuse_weak(certificate: Certificate) -> None:
    key = certificate.public_key()
    is_rsa = isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS_MIN
    is_ecdsa = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES
    if not (is_rsa or is_ecdsa):
        raise QuarantineError(
            "The signer's key is too weak.", code="sig.algorithm", cure="Ask for RSA of 2,048 bits or P-256."
        )
