"""Identities, CMS envelopes, hashes and webhook signatures.

Envelope: CMS enveloped-data (RFC 5652), DER, AES-256-CBC, RSA recipients; whole content in memory, so for files
up to about 50 MB. It hides but does not prove who wrote: what is inside carries a signature (`wire.sign`).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from collecthub.errors import ConfigurationError, PermanentError, QuarantineError

Certificate = x509.Certificate

_RSA_BITS_MIN = 2048
_SECRET_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key and its certificate, both PEM. The key never shows in a representation."""

    private_key_pem: bytes = field(repr=False)
    certificate_pem: bytes

    @property
    def certificate(self) -> Certificate:
        """The certificate, read."""
        return load_certificate(self.certificate_pem)


def generate_identity(
    common_name: str, *, days: int = 825, bits: int = 3072, starts_at: dt.datetime | None = None
) -> Identity:
    """A new RSA key with a self-signed certificate, for signing and for receiving envelopes.

    Valid from one hour before `starts_at` (default: now), for `days`.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
    start = (starts_at or dt.datetime.now(dt.UTC)) - dt.timedelta(hours=1)
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=True, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Identity(private, certificate.public_bytes(serialization.Encoding.PEM))


@lru_cache(maxsize=32)
def read_private_key(pem: bytes) -> PrivateKeyTypes:
    """Read an unencrypted PEM key. Remembered, because reading checks the key and takes longer than using it.

    Raises `ConfigurationError`.
    """
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            "The private key cannot be read.", cure="Give an unencrypted PEM private key."
        ) from error


def load_identity(private_key_pem: bytes, certificate_pem: bytes) -> Identity:
    """Check that a key (unencrypted PEM) belongs to a certificate. Raises `ConfigurationError` otherwise."""
    certificate = load_certificate(certificate_pem)
    key = read_private_key(private_key_pem)
    if _public_bytes(key.public_key()) != _public_bytes(certificate.public_key()):
        raise ConfigurationError(
            "The private key does not belong to the certificate.", cure="Give the pair that belongs together."
        )
    return Identity(private_key_pem, certificate_pem)


def load_certificate(pem: bytes) -> Certificate:
    """Read a PEM certificate. Raises `ConfigurationError`."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise ConfigurationError(
            "The certificate cannot be read.",
            cure="Give a PEM certificate, beginning with BEGIN CERTIFICATE.",
        ) from error


def certificate_fingerprint(certificate: Certificate) -> str:
    """SHA-256 over the DER bytes, lower-case hex: what two people compare over the phone."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _public_bytes(key: object) -> bytes:
    encode = getattr(key, "public_bytes")  # noqa: B009 any of the public key types
    return bytes(encode(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def generate_login_key() -> bytes:
    """A new Ed25519 private key in OpenSSH format, for a connection's SFTP login."""
    return ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )


def login_public_key(private_key_pem: bytes) -> str:
    """The `ssh-ed25519 AAAA...` line that the other side puts into its authorized keys."""
    key = read_login_key(private_key_pem)
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return line.decode()


def read_login_key(
    private_key_pem: bytes, passphrase: str | None = None
) -> ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """Read an SSH login key, in OpenSSH or PEM format. Raises `ConfigurationError`."""
    is_openssh = b"BEGIN OPENSSH" in private_key_pem
    load = serialization.load_ssh_private_key if is_openssh else serialization.load_pem_private_key
    try:
        key = load(private_key_pem, passphrase.encode() if passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            "The login key cannot be read.", cure="Give a private key in OpenSSH or PEM format, and its passphrase if it has one."
        ) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ConfigurationError("The login key is of an unusual type.", cure="Use Ed25519, ECDSA or RSA.")
    return key


def envelope_encrypt(payload: bytes, recipients_cert_pem: Sequence[bytes]) -> bytes:
    """Encrypt for each recipient's certificate; DER CMS that `openssl cms -decrypt` reads.

    Raises `ConfigurationError` for no recipient, an expired or a non-RSA certificate, or one below 2,048 bits.
    """
    if not recipients_cert_pem:
        raise ConfigurationError("An envelope has no recipient.", cure="Set the partner's certificate.")
    builder = (
        pkcs7.PKCS7EnvelopeBuilder().set_data(payload).set_content_encryption_algorithm(algorithms.AES256)
    )
    for pem in recipients_cert_pem:
        builder = builder.add_recipient(_recipient(pem))
    return builder.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def _recipient(pem: bytes) -> Certificate:
    certificate = load_certificate(pem)
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _RSA_BITS_MIN:
        raise ConfigurationError(
            "A recipient's certificate is not RSA of at least 2,048 bits.",
            cure="Ask the partner for a new one.",
        )
    if dt.datetime.now(dt.UTC) > certificate.not_valid_after_utc:
        raise ConfigurationError(
            f"A recipient's certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}.",
            cure="Ask the partner for the new one.",
        )
    return certificate


def envelope_decrypt(der: bytes, identity: Identity) -> bytes:
    """Open an envelope. Raises `QuarantineError` (`crypto.undecryptable`), with no hint at what exactly failed."""
    key = read_private_key(identity.private_key_pem)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigurationError("Only an RSA key opens envelopes.", cure="Generate an RSA identity.")
    try:
        return pkcs7.pkcs7_decrypt_der(der, identity.certificate, key, [])
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm) as error:
        raise QuarantineError(
            "The file cannot be decrypted with this connection's key.", code="crypto.undecryptable",
            cure="Check that the sender encrypts for the current certificate of this connection.",
        ) from error  # fmt: skip


def sha256_hex(content: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


# --- Standard Webhooks 1.0 ------------------------------------------------------------------------------------------


def webhook_headers(secret: str, id: str, timestamp: dt.datetime, body: bytes) -> dict[str, str]:
    """The three headers of a Standard Webhooks 1.0 call. `secret` is `whsec_` and base64 of 24 to 64 bytes.

    `id` must not contain a dot. A receiver under key rotation accepts several signatures: join those values with
    a space. Raises `ConfigurationError` for a bad secret.
    """
    if not id or "." in id or not id.isascii() or not id.isprintable() or " " in id:
        raise PermanentError("A webhook id must be plain text without dots and spaces.", reference=id[:80])
    seconds = str(int(timestamp.timestamp()))
    return {
        "webhook-id": id,
        "webhook-timestamp": seconds,
        "webhook-signature": _signature(secret, id, seconds, body),
    }


def verify_webhook(
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    now: dt.datetime,
    tolerance_seconds: int = 300,
) -> str:
    """Check a Standard Webhooks call against the current secrets (two during a rotation) and return its id.

    Raises `PermanentError` for a missing header, an id with a dot, a time off by more than the tolerance or a
    signature that fits no secret.
    """
    given = {name.lower(): value for name, value in headers.items()}
    id, seconds, signatures = (given.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
    if not id or "." in id or not (seconds.isascii() and seconds.isdigit() and len(seconds) < 12):
        raise PermanentError(
            "The webhook call lacks its id or time.", cure="Send Standard Webhooks 1.0 headers."
        )
    if abs(now.timestamp() - int(seconds)) > tolerance_seconds:
        raise PermanentError(
            f"The webhook call is more than {tolerance_seconds} seconds off.",
            cure="Check the sender's clock.",
        )
    expected = [_signature(secret, id, seconds, body).encode() for secret in secrets]
    offered = signatures.encode("utf-8", "replace").split(b" ")[:16]
    if not any(hmac.compare_digest(one, other) for one in expected for other in offered):
        raise PermanentError("The webhook signature fits no known secret.", cure="Check the shared secret.")
    return id


def _signature(secret: str, id: str, seconds: str, body: bytes) -> str:
    signed = b".".join((id.encode(), seconds.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(_secret_bytes(secret), signed, "sha256")).decode()


def _secret_bytes(secret: str) -> bytes:
    try:
        raw = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not 24 <= len(raw) <= 64:
        raise ConfigurationError(
            "The webhook secret is not 24 to 64 bytes in base64.", cure="Generate one beginning with whsec_."
        )
    return raw
