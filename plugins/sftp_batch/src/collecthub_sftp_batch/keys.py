"""The keys of one partner's profile, read at first use; two of each may be live while one of them changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import cached_property

from collecthub.sdk import CollecthubError, KeyEnd
from collecthub.wire.crypto import Certificate, Identity, load_certificate, load_identity
from collecthub.wire.openpgp import openpgp_ends_at
from collecthub.wire.sign import SigningKey
from collecthub_sftp_batch.settings import SealedSettings

_ASK = "Ask the partner for its new one and set it as the coming one: both are used until you make it the only one."
_RENEW = "Make a new pair, give the partner its certificate, and keep the old pair as the previous one until it uses the new."


class KeyRing:
    """Everything that seals, signs, opens and proves files of one connection."""

    def __init__(self, settings: SealedSettings) -> None:
        self._settings = settings

    @cached_property
    def identities(self) -> tuple[Identity, ...]:
        """Identities that files may be encrypted for: the one in use first."""
        given = self._settings
        own = load_identity(given.own_key.get_secret_value().encode(), given.own_certificate.encode())
        if given.previous_own_key is None:
            return (own,)
        former = given.previous_own_key.get_secret_value().encode(), given.previous_own_certificate.encode()
        return own, load_identity(*former)

    @cached_property
    def signing_key(self) -> SigningKey:
        """The one in use."""
        return SigningKey.of(self.identities[0])

    @cached_property
    def recipients(self) -> tuple[bytes, ...]:
        """The partner's certificates in PEM: the one in use, and the coming one while it changes."""
        given = (self._settings.partner_certificate, self._settings.next_partner_certificate)
        return tuple(pem.encode() for pem in given if pem)

    @cached_property
    def partner(self) -> tuple[Certificate, ...]:
        """The same, read."""
        return tuple(load_certificate(pem) for pem in self.recipients)

    @property
    def openpgp_recipients(self) -> tuple[bytes, ...]:
        """The partner's OpenPGP certificates, in use and coming."""
        given = (self._settings.partner_openpgp_certificate, self._settings.next_partner_openpgp_certificate)
        return tuple(one.encode() for one in given if one)

    @property
    def openpgp_keys(self) -> tuple[bytes, ...]:
        """The hub's OpenPGP secret keys, in use and former."""
        given = (self._settings.own_openpgp_key, self._settings.previous_own_openpgp_key)
        return tuple(one.get_secret_value().encode() for one in given if one is not None)


def key_ends(settings: SealedSettings) -> Iterator[KeyEnd]:
    """When each key of a profile ends. One that cannot be read or has no end is left out; the check names it."""
    given: tuple[tuple[str, str, Callable[[bytes], dt.datetime | None], str], ...] = (
        ("own certificate", settings.own_certificate, _ends_at, _RENEW),
        ("partner certificate", settings.partner_certificate, _ends_at, _ASK),
        ("coming partner certificate", settings.next_partner_certificate, _ends_at, _ASK),
        ("partner's OpenPGP certificate", settings.partner_openpgp_certificate, openpgp_ends_at, _ASK),
        ("partner's coming OpenPGP certificate", settings.next_partner_openpgp_certificate, openpgp_ends_at, _ASK),
        ("own OpenPGP key", _secret(settings), openpgp_ends_at, _RENEW),
    )
    for key, content, when, cure in given:
        try:
            ends_at = when(content.encode()) if content else None
        except CollecthubError:
            continue
        if ends_at is not None:
            yield KeyEnd(key=key, ends_at=ends_at, cure=cure)


def _secret(settings: SealedSettings) -> str:
    return settings.own_openpgp_key.get_secret_value() if settings.own_openpgp_key is not None else ""


def _ends_at(pem: bytes) -> dt.datetime:
    return load_certificate(pem).not_valid_after_utc
