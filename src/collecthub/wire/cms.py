"""CMS signatures (RFC 5652, signed-data, DER): a file that carries its content and who signed it.

`cms_sign` writes what `openssl cms -verify` reads. `cms_verify` takes one signer, with signed attributes, and hands out
the content that the signature covers; certificates inside the file prove nothing and are not looked at.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Annotated, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from collecthub.errors import QuarantineError
from collecthub.wire.crypto import Certificate
from collecthub.wire.sign import SigningKey, admitted

_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_DATA: Final = "1.2.840.113549.1.7.1"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_DIGESTS: Final[dict[str, tuple[Callable[[bytes], bytes], hashes.HashAlgorithm]]] = {
    "2.16.840.1.101.3.4.2.1": (lambda content: hashlib.sha256(content).digest(), hashes.SHA256()),
    "2.16.840.1.101.3.4.2.2": (lambda content: hashlib.sha384(content).digest(), hashes.SHA384()),
    "2.16.840.1.101.3.4.2.3": (lambda content: hashlib.sha512(content).digest(), hashes.SHA512()),
}
_RSA: Final = {  # rsaEncryption leaves the hash to the digest algorithm; the others name it themselves
    "1.2.840.113549.1.1.1": None,
    "1.2.840.113549.1.1.11": "2.16.840.1.101.3.4.2.1",
    "1.2.840.113549.1.1.12": "2.16.840.1.101.3.4.2.2",
    "1.2.840.113549.1.1.13": "2.16.840.1.101.3.4.2.3",
}
_ECDSA: Final = {
    "1.2.840.10045.4.3.2": "2.16.840.1.101.3.4.2.1",
    "1.2.840.10045.4.3.3": "2.16.840.1.101.3.4.2.2",
    "1.2.840.10045.4.3.4": "2.16.840.1.101.3.4.2.3",
}


@asn1.sequence
class _Algorithm:
    oid: x509.ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _Content:
    kind: x509.ObjectIdentifier
    content: Annotated[bytes | None, asn1.Explicit(0)]


@asn1.sequence
class _Attribute:
    kind: x509.ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class _IssuerAndSerial:
    issuer: asn1.TLV
    serial: int


@asn1.sequence
class _Signer:
    version: int
    who: _IssuerAndSerial
    digest: _Algorithm
    attributes: Annotated[asn1.SetOf[_Attribute] | None, asn1.Implicit(0)]
    algorithm: _Algorithm
    signature: bytes
    unsigned: Annotated[asn1.SetOf[_Attribute] | None, asn1.Implicit(1)]


@asn1.sequence
class _SignedData:
    version: int
    digests: asn1.SetOf[_Algorithm]
    content: _Content
    certificates: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(0)]
    crls: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(1)]
    signers: asn1.SetOf[_Signer]


@asn1.sequence
class _ContentInfo:
    kind: x509.ObjectIdentifier
    content: Annotated[_SignedData, asn1.Explicit(0)]


def cms_sign(content: bytes, key: SigningKey) -> bytes:
    """The content inside signed-data, SHA-256, with the certificate beside it."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    builder = builder.add_signer(key.certificate, key.private_key, hashes.SHA256())
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCapabilities])


def cms_verify(der: bytes, trusted: Sequence[Certificate], *, at: dt.datetime | None = None) -> bytes:
    """The content that one of the trusted certificates signed; `at` is when it must be valid, by default now.

    Raises `QuarantineError`: `sig.missing` (no signed-data in DER, or its content lies elsewhere), `sig.ambiguous`
    (not one signer), `sig.algorithm`, `sig.signer`, `sig.coverage` (no signed attributes, or of another type),
    `sig.invalid` (something was changed).
    """
    try:
        info = asn1.decode_der(_ContentInfo, der)
    except ValueError as error:
        raise _not_signed("it is no CMS signed-data in DER with an algorithm that is accepted") from error
    signed = info.content
    content = signed.content.content
    if info.kind.dotted_string != _SIGNED_DATA or content is None or signed.content.kind.dotted_string != _DATA:
        raise _not_signed("it does not carry the content that it signs")
    signers = signed.signers.as_list()
    if len(signers) != 1:
        raise QuarantineError(f"The file carries {len(signers)} signatures.", code="sig.ambiguous")
    _verify(signers[0], content, trusted, at or dt.datetime.now(dt.UTC))
    return content


def _not_signed(why: str) -> QuarantineError:
    return QuarantineError(
        f"The file is not signed: {why}.", code="sig.missing", cure="Ask the sender for CMS signed-data (opaque, DER)."
    )


def _verify(signer: _Signer, content: bytes, trusted: Sequence[Certificate], at: dt.datetime) -> None:
    digest = _DIGESTS.get(signer.digest.oid.dotted_string)
    if digest is None:
        raise _bad_algorithm(signer.digest.oid.dotted_string)
    attributes = {one.kind.dotted_string: one.values.as_list() for one in signer.attributes.as_list()} if signer.attributes else {}
    kinds, sums = attributes.get(_CONTENT_TYPE, []), attributes.get(_MESSAGE_DIGEST, [])
    if len(kinds) != 1 or len(sums) != 1 or kinds[0].parse(x509.ObjectIdentifier).dotted_string != _DATA:
        raise QuarantineError("The signature does not say that it covers the content.", code="sig.coverage")
    if not hmac.compare_digest(sums[0].parse(bytes), digest[0](content)):
        raise _changed()
    known = [one for one in dict.fromkeys(trusted) if one.serial_number == signer.who.serial]
    certificate = admitted(known, at, f"not told, serial number {signer.who.serial:x}")
    _verify_signature(signer, certificate, digest[1])


def _verify_signature(signer: _Signer, certificate: Certificate, digest: hashes.HashAlgorithm) -> None:
    """Over the attributes as a SET OF (RFC 5652 section 5.4)."""
    assert signer.attributes is not None
    covered = asn1.encode_der(signer.attributes)
    key, name = certificate.public_key(), signer.algorithm.oid.dotted_string
    wanted = _RSA if isinstance(key, rsa.RSAPublicKey) else _ECDSA
    if name not in wanted or wanted[name] not in (None, signer.digest.oid.dotted_string):
        raise _bad_algorithm(name)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signer.signature, covered, PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signer.signature, covered, ec.ECDSA(digest))
    except InvalidSignature as error:
        raise _changed() from error


def _changed() -> QuarantineError:
    return QuarantineError(
        "The signature does not fit the content.", code="sig.invalid",
        cure="Ask the sender to send it again; if it happens again, treat it as an attack.",
    )


def _bad_algorithm(name: str) -> QuarantineError:
    return QuarantineError(
        f"The signature uses the algorithm {name}, which is not accepted.", code="sig.algorithm",
        cure="Ask the sender for RSA (PKCS #1 v1.5) or ECDSA with SHA-256.",
    )
