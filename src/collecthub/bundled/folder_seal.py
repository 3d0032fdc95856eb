"""What an agreement says about a folder: every file signed by its sender and encrypted for its reader, both ways."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from collecthub.sdk import CollecthubError, KeyEnd
from collecthub.wire.cms import cms_sign, cms_verify
from collecthub.wire.crypto import (
    Identity,
    envelope_decrypt,
    envelope_encrypt,
    load_certificate,
    load_identity,
)
from collecthub.wire.sign import SigningKey

ENDING = ".p7m"  # CMS, as `openssl cms -decrypt` and mail programs read it


class SealSettings(BaseModel):
    """The keys of a folder whose files are sealed; all three, or none where the agreement is the SFTP line alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    partner_certificate: str = Field(
        default="", description="The partner's certificate in PEM (RSA). With it every file is signed and encrypted, both ways."
    )
    own_certificate: str = Field(default="", description="The hub's certificate for this partner, PEM.")
    own_key: SecretStr | None = Field(default=None, description="The key of the hub's certificate, PEM.")

    @model_validator(mode="after")
    def _is_whole(self) -> SealSettings:
        if len({bool(self.partner_certificate), bool(self.own_certificate), self.own_key is not None}) > 1:
            raise ValueError("a sealed folder needs the partner's certificate, the hub's and its key")
        return self


class Seal:
    """Signs and encrypts, opens and verifies. Without a certificate of the partner nothing is sealed and nothing opened."""

    def __init__(self, settings: SealSettings) -> None:
        self._settings = settings

    @property
    def is_agreed(self) -> bool:
        """Whether files of this folder are sealed."""
        return bool(self._settings.partner_certificate)

    @cached_property
    def _identity(self) -> Identity:
        key = self._settings.own_key
        return load_identity(key.get_secret_value().encode() if key else b"", self._settings.own_certificate.encode())

    def close(self, content: bytes) -> bytes:
        """Signed by the hub, encrypted for the partner. Raises `ConfigurationError` for keys that do not serve."""
        signed = cms_sign(content, SigningKey.of(self._identity))
        return envelope_encrypt(signed, [self._settings.partner_certificate.encode()])

    def open(self, content: bytes, at: dt.datetime) -> bytes:
        """What the partner signed. Raises `QuarantineError` for a file that is not for the hub or not from the partner."""
        trusted = [load_certificate(self._settings.partner_certificate.encode())]
        return cms_verify(envelope_decrypt(content, self._identity), trusted, at=at)

    def key_ends(self) -> Iterator[KeyEnd]:
        """When the certificates end; one that cannot be read is left to the check."""
        for key, pem, cure in (
            ("own certificate", self._settings.own_certificate, "Make a new one and give it to the partner."),
            ("partner certificate", self._settings.partner_certificate, "Ask the partner for the new one."),
        ):
            with suppress(CollecthubError):
                if pem:
                    yield KeyEnd(key=key, ends_at=load_certificate(pem.encode()).not_valid_after_utc, cure=cure)
