"""OpenPGP encryption (RFC 9580 and the older RFC 4880 that GnuPG writes), by Sequoia.

It hides a file and does not prove who wrote it: what is inside carries a signature. Keys are texts, armoured or not.
Whole content in memory, so for files up to about 50 MB.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pysequoia import Cert, Profile, Tsk, decrypt, encrypt

from collecthub.errors import ConfigurationError, QuarantineError

_YEARS_SECONDS = 3 * 365 * 86_400


def generate_openpgp(name: str) -> tuple[bytes, bytes]:
    """A new secret key and its certificate, armoured, such as GnuPG reads; valid for three years."""
    made = Tsk.generate(user_id=name, profile=Profile.RFC4880, validity_seconds=_YEARS_SECONDS)
    return str(made).encode(), str(made.extract_certificate()).encode()


def openpgp_certificate(secret_key: bytes) -> bytes:
    """The certificate of a secret key, armoured: what the other side gets. Raises `ConfigurationError`."""
    return str(_secret(secret_key).extract_certificate()).encode()


def openpgp_ends_at(certificate: bytes) -> dt.datetime | None:
    """When a certificate ends; None when it has no end. Raises `ConfigurationError`."""
    return _certificate(certificate).expiration


def openpgp_fingerprint(certificate: bytes) -> str:
    """What two people compare over the phone. Raises `ConfigurationError`."""
    return _certificate(certificate).fingerprint


def openpgp_encrypt(payload: bytes, recipients: Sequence[bytes]) -> bytes:
    """Encrypt for each recipient's certificate; binary, as `gpg --decrypt` reads it.

    Raises `ConfigurationError` for no recipient, and for a certificate that ended, was revoked or cannot encrypt.
    """
    if not recipients:
        raise ConfigurationError("A file has no recipient.", cure="Set the partner's OpenPGP certificate.")
    known = [_certificate(one) for one in recipients]
    for one in known:
        if one.is_revoked:
            raise ConfigurationError(
                f"The OpenPGP certificate {one.fingerprint} was revoked.", cure="Ask the partner for the new one."
            )
    try:
        return encrypt(payload, recipients=known, armor=False)
    except Exception as error:  # the library raises bare errors of its own
        raise ConfigurationError(
            "Nothing can be encrypted for the partner's OpenPGP certificate.",
            cure="Ask the partner for a certificate that is valid today and has an encryption subkey.",
        ) from error


def openpgp_decrypt(content: bytes, secret_key: bytes) -> bytes:
    """Open a file. Raises `QuarantineError` (`crypto.undecryptable`), `ConfigurationError` for a key that cannot be read."""
    key = _secret(secret_key)
    try:
        opened = decrypt(content, decryptor=key.decryptor()).bytes
    except Exception as error:
        raise QuarantineError(
            "The file cannot be decrypted with this connection's OpenPGP key.", code="crypto.undecryptable",
            cure="Check that the sender encrypts for the current certificate of this connection.",
        ) from error  # fmt: skip
    if opened is None:
        raise QuarantineError("The OpenPGP file holds nothing.", code="crypto.undecryptable")
    return opened


def _certificate(content: bytes) -> Cert:
    try:
        return Cert.from_bytes(content)
    except Exception as error:
        raise ConfigurationError(
            "The OpenPGP certificate cannot be read.", cure="Give it armoured, beginning with BEGIN PGP PUBLIC KEY BLOCK."
        ) from error


def _secret(content: bytes) -> Tsk:
    try:
        return Tsk.from_bytes(content)
    except Exception as error:
        raise ConfigurationError(
            "The OpenPGP secret key cannot be read.", cure="Give an unprotected secret key, armoured."
        ) from error
